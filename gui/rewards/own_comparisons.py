"""The learner's own comparisons: made by hand, kept on the disk, exported and imported."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QPushButton, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.kept_comparisons import LARGEST_FILE, KeptComparisons
from engine.posttraining.preferences import Preference, read_preferences, write_preferences
from engine.posttraining.tasks import Task
from gui import places, theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.rewards.click_pane import ClickPane
from gui.widgets.exports import write_bytes
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.safe_text import plain_label

KEEP_KEY = "rewards: keep comparisons of "
UNDO = "Undo"


class OwnComparisons(FittingFrame):
    """Whose answers are compared, the pane to compare them in, and what becomes of the clicks.

    Every click is written to the disk by the compute thread; what it has not written yet when this
    is hidden, as when the window closes, is written then and there.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._task: Task | None = None
        self._files = KeptComparisons(places.data_dir())
        self._number = self._written = 0
        self._gone: tuple[tuple[Preference, ...], int] | None = None
        """What "Undo" brings back, and how many came in its place."""
        head = FlowRow(self)
        title = plain_label("You compare answers", head)
        theme.set_text_role(title, "strong")
        self.source = QComboBox(head)
        self.source.addItem("of the reference policy", "reference")
        self.source.addItem("of the policy as it is now", "policy")
        self.source.setAccessibleName("Whose answers")
        self.source.setToolTip("Who writes the answers that are compared.")
        self.source.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.save = self._button("Ex&port …", "Save your comparisons as a JSON file.")
        self.load = self._button(
            "Import …", "Take comparisons from a JSON file in place of those here."
        )
        self.clear = self._button(
            "Throw all away", "Forget all your comparisons of this task. It can be undone."
        )
        for widget in (title, self.source, self.save, self.load):
            head.add(widget)
        self.told = Notice(self)
        self.clicks = ClickPane(self)
        foot = FlowRow(self)
        self.kept = plain_label("", foot)
        theme.set_text_role(self.kept, "caption", "muted")
        for below in (self.kept, self.clear):
            foot.add(below)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (head, self.told, self.clicks, foot):
            column.addWidget(part)
        self.save.clicked.connect(self._ask_where)
        self.load.clicked.connect(self._ask_which)
        self.clear.clicked.connect(self.throw_away)
        self.told.pressed.connect(self.undo)
        self.clicks.clicked.connect(self._changed)
        self._refresh()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        return button

    def say(self, text: str, tone: str = "info", action: str = "") -> None:
        """Say something about the comparisons, above them; nothing for an empty text."""
        if action != UNDO:
            self._gone = None
        self.told.say(text, tone, action)  # type: ignore[arg-type]
        self.fit_soon()

    def set_task(self, task: Task) -> None:
        """Bring back what was kept of a task; what is wrong with it is told."""
        self._write_now()
        self._task = None  # what is brought back need not be written
        found = self._files.read(task.key)
        self.clicks.set_pairs(())
        self.clicks.set_preferences(found.preferences)
        self._task = task
        self.say(found.told, "warning")
        self._refresh()

    # ----------------------------------------------------------------------------- keeping them
    @Slot()
    def _changed(self) -> None:
        """Have what is here now written, unless it has just been read."""
        self._refresh()
        if self._task is None:
            return
        self._number += 1
        self._lab.compute.request(
            KEEP_KEY + self._task.key,
            _write,
            self._files,
            self._task.key,
            tuple(self.clicks.preferences),
            self._number,
            title="Keeping your comparisons",
            on_result=self._was_written,
            on_error=self._not_written,
        )

    @Slot(object)
    def _was_written(self, number: int) -> None:
        self._written = max(self._written, number)

    @Slot(object)
    def _not_written(self, failure: Failure) -> None:
        self.say(f"Your comparisons are not kept. {failure.sentence}", "error")

    def _write_now(self) -> None:
        if self._task is None or self._written >= self._number:
            return
        try:
            _write(self._files, self._task.key, tuple(self.clicks.preferences), self._number)
            self._written = self._number
        except LabError as error:
            self.say(f"Your comparisons are not kept. {error}", "error")

    def hideEvent(self, event: QHideEvent) -> None:
        self._write_now()
        super().hideEvent(event)

    def _refresh(self) -> None:
        some = bool(self.clicks.preferences)
        self.save.setEnabled(some)
        self.clear.setEnabled(some)
        self.kept.setText(
            "Kept until you close the lab (folder not writable)."
            if places.trouble()
            else "Kept on this computer, task by task."
        )

    # ---------------------------------------------------------------------- throwing them away
    @Slot()
    def throw_away(self) -> None:
        """Forget all comparisons of the task, until "Undo" is pressed."""
        before = tuple(self.clicks.preferences)
        if before:
            self.clicks.set_preferences(())
            self._replaced(before, 0, f"{_counted(len(before))} thrown away.")

    def _replaced(self, before: tuple[Preference, ...], by: int, said: str) -> None:
        self._gone = (before, by)
        self.say(said, "info", UNDO)

    @Slot()
    def undo(self) -> None:
        """Bring back what was thrown away or replaced; what was compared since stays."""
        if self._gone is not None:
            before, by = self._gone
            self.clicks.set_preferences((*before, *self.clicks.preferences[by:]))
            self.say(f"{_counted(len(before))} brought back.", "good")

    # ----------------------------------------------------------------------------------- files
    @Slot()
    def _ask_where(self) -> None:
        self._dialog(QFileDialog.AcceptMode.AcceptSave).fileSelected.connect(self.save_to)

    @Slot()
    def _ask_which(self) -> None:
        self._dialog(QFileDialog.AcceptMode.AcceptOpen).fileSelected.connect(self.load_from)

    def _dialog(self, mode: QFileDialog.AcceptMode) -> QFileDialog:
        """A dialog that does not block the window."""
        dialog = QFileDialog(self.window(), "Comparisons", "comparisons.json")
        dialog.setAcceptMode(mode)
        if mode is QFileDialog.AcceptMode.AcceptOpen:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter("*.json")
        dialog.setDefaultSuffix("json")
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def save_to(self, path: str) -> None:
        """Write your comparisons into a file; what is wrong is told in place."""
        assert self._task is not None
        text = write_preferences(self._task.key, self.clicks.preferences)
        try:
            write_bytes(Path(path), text.encode())
        except LabError as error:
            self.say(str(error), "error")
            return
        self.say(f"Saved as {Path(path).name}.", "good")

    @Slot(str)
    def load_from(self, path: str) -> None:
        """Take comparisons from a file; nothing changes if it is not a good one."""
        assert self._task is not None
        try:
            file = Path(path)
            if file.stat().st_size > LARGEST_FILE:
                raise LabError("This file is too large to hold comparisons.")
            found = read_preferences(file.read_text(encoding="utf-8"), self._task.key)
        except UnicodeDecodeError:
            self.say("This file is no text, so it holds no comparisons.", "error")
            return
        except OSError as error:
            self.say(f"The file could not be read: {error.strerror}.", "error")
            return
        except LabError as error:
            self.say(str(error), "error")
            return
        before = tuple(self.clicks.preferences)
        self.clicks.set_preferences(found)
        said = f"{_counted(len(found))} taken from {Path(path).name}"
        if before:
            self._replaced(before, len(found), f"{said}, in place of {len(before):,}.")
        else:
            self.say(f"{said}.", "good")


def _write(
    files: KeptComparisons, task_key: str, preferences: tuple[Preference, ...], number: int
) -> int:
    files.write(task_key, preferences, number)
    return number


def _counted(n: int) -> str:
    return f"{n:,} comparison" if n == 1 else f"{n:,} comparisons"
