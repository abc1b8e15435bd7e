"""Kept runs: listed, named, pinned, compared, resumed, exported, deleted with undo."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.runs import Catalogue, RunSummary, export_run
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.rewards.curves_page import TERM_COLOURS, TERM_LINES
from gui.rewards.keeping import KIND, SCORES, UPDATES
from gui.rewards.kept_changes import KeptChanges
from gui.rewards.sheet import Column, Sheet
from gui.run_import import RunImport
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice

FILES_KEY = "rewards: kept runs"
OTHER_KIND = "It is no run of this tab: look for it in the tab “Training”, under “Compare”."
MOST_COMPARED = len(TERM_COLOURS)
MEASURES: tuple[tuple[str, str, str], ...] = (
    ("true_score", "True score, held out", "true score (0 … 1)"),
    ("reward", "Reward", "mean reward"),
    ("answer_kl", "KL to the reference", "KL (nats per answer)"),
    ("entropy", "Entropy", "entropy (nats per token)"),
    ("length", "Length", "tokens per answer"),
    ("silent_groups", "Groups without signal", "share of groups"),
    ("loss", "Loss", "loss"),
)
WORDS = {
    "running": "running",
    "stopped": "stopped",
    "finished": "done",
    "diverged": "blew up",
    "interrupted": "interrupted",
}


class KeptPage(QWidget):
    """One run chosen: named, resumed, exported. Several: their curves over one another."""

    resume_wished = Signal(object)
    """The RunSummary of a run to go on with."""

    def __init__(self, lab: Lab, runs: Catalogue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._catalogue = lab, runs
        self._runs: tuple[RunSummary, ...] = ()
        self._deleted: list[str] = []
        self.list = Sheet("Kept runs", self)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.set_placeholder("A run is kept here once it has made five updates.")
        buttons = FlowRow(self)
        self.resume = self._button(buttons, "Resu&me", "Go on with the chosen run.")
        self.pin = self._button(buttons, "&Pin", "Pin or unpin: pinned runs are never dropped.")
        self.delete = self._button(buttons, "D&elete", "Delete the chosen runs; Undo brings back.")
        self.undo = self._button(buttons, "&Undo delete", "Bring back what was deleted last.")
        self.export = self._button(buttons, "Expor&t …", "Copy the chosen run into a new folder.")
        self.problem = Notice(self)
        self.import_ = RunImport(lab, self.problem, KIND, OTHER_KIND, buttons)
        buttons.add(self.import_)
        self.name = self._line("Name of the run", "What the chosen run is called.")
        self.note = self._line("Note", "What you want to remember of the chosen run.")
        words = FlowRow(self)
        for title, line in (("N&ame", self.name), ("N&ote", self.note)):
            label = QLabel(title)
            label.setBuddy(line)
            words.add(label)
            words.add(line)
        self.choice = QComboBox(self)
        for key, title, _ in MEASURES:
            self.choice.addItem(title, key)
        self.choice.setAccessibleName("Curve that is compared")
        self.choice.setToolTip("Which curve of the chosen runs is drawn.")
        self.choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.plot = CurvePlot("Kept runs", "update", "", self)
        self.plot.set_empty_text("Choose runs on the left: Ctrl or Shift for several.")
        self.settings = KeptChanges(self)
        left, right = QWidget(self), QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (buttons, self.problem):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addWidget(words)
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.choice)
        beside.addWidget(self.plot, 2)
        beside.addWidget(self.settings, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setSizes([1000, 1000])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)
        self.list.itemSelectionChanged.connect(self._chosen)
        self.choice.currentIndexChanged.connect(self._draw)
        self.resume.clicked.connect(self._resume)
        self.pin.clicked.connect(self._pin)
        self.delete.clicked.connect(self._delete)
        self.undo.clicked.connect(self._undo)
        self.export.clicked.connect(self.ask_export)
        self.import_.taken.connect(self.refresh)
        self.name.editingFinished.connect(self._rename)
        self.note.editingFinished.connect(self._write_note)
        theme.current().changed.connect(self._draw)
        self._chosen()

    def _button(self, row: FlowRow, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, row)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        row.add(button)
        return button

    def _line(self, name: str, tip: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setAccessibleName(name)
        line.setToolTip(tip)
        line.setMinimumWidth(160)
        return line

    # --------------------------------------------------------------------------------- showing
    @property
    def runs(self) -> tuple[RunSummary, ...]:
        """The kept runs, newest first."""
        return self._runs

    @property
    def chosen(self) -> tuple[RunSummary, ...]:
        """Those chosen, in the order of the list."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        return tuple(self._runs[row] for row in rows if row < len(self._runs))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Read the list anew; what was chosen stays chosen."""
        keys = {run.key for run in self.chosen}
        found = self._catalogue.runs(KIND)
        self._runs = tuple(reversed(found.runs))
        self.list.blockSignals(True)
        self.list.set_table(
            (
                Column("Run", "Its name."),
                Column("Begun", "When it was started."),
                Column("Updates", "Made and planned."),
                Column("True score", "Held out, at the newest checkpoint.", share=True),
                Column("State", "How it stands."),
                Column("Pinned", "Never dropped to make room."),
                Column("Note", "What somebody wrote beside it."),
            ),
            [
                (
                    run.name,
                    time.strftime("%Y-%m-%d %H:%M", time.localtime(run.description.created)),
                    f"{run.step:,} of {run.description.steps:,}",
                    run.figures.get("true_score", math.nan),
                    WORDS[run.mark],
                    "●" if run.pinned else "",
                    run.note,
                )
                for run in self._runs
            ],
        )
        self.list.clearSelection()
        mode = self.list.selectionMode()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
        for row, run in enumerate(self._runs):
            if run.key in keys:
                self.list.selectRow(row)
        self.list.setSelectionMode(mode)
        self.list.blockSignals(False)
        if found.damaged:
            self.problem.say(" ".join(found.damaged), "warning")
        self._chosen()

    @Slot()
    def _chosen(self) -> None:
        chosen = self.chosen
        one = chosen[0] if len(chosen) == 1 else None
        for button in (self.resume, self.export):
            button.setEnabled(one is not None and bool(one.checkpoints))
        for button in (self.pin, self.delete):
            button.setEnabled(bool(chosen))
        self.undo.setEnabled(bool(self._deleted))
        for line, text in (
            (self.name, one.name if one else ""),
            (self.note, one.note if one else ""),
        ):
            line.setEnabled(one is not None)
            if line.text() != text:
                line.setText(text)
                line.setCursorPosition(0)  # a long name is seen from its beginning
        self._draw()
        self.settings.show_runs(chosen)

    @Slot()
    def _draw(self) -> None:
        key, title, axis = MEASURES[self.choice.currentIndex()]
        self.plot.clear()
        self.plot.set_axis_labels("update", axis)
        self.plot.title = title
        table = SCORES if key == "true_score" else UPDATES
        names: dict[str, int] = {}
        for i, run in enumerate(self.chosen[:MOST_COMPARED]):
            try:
                columns = self._catalogue.curves(run.key)[table]
                x, y = columns["update"], columns[key]
            except (LabError, KeyError):
                continue
            names[run.name] = names.get(run.name, 0) + 1
            again = f" ({names[run.name]})" if names[run.name] > 1 else ""
            self.plot.set_series(
                f"{run.name}{again}",
                x,
                y,
                kind=TERM_COLOURS[i % len(TERM_COLOURS)],
                line=TERM_LINES[i % len(TERM_LINES)],
            )

    # ------------------------------------------------------------------------------ what to do
    @Slot()
    def _resume(self) -> None:
        if len(self.chosen) == 1:
            self.resume_wished.emit(self.chosen[0])

    @Slot()
    def _pin(self) -> None:
        every = all(run.pinned for run in self.chosen)
        keys = [run.key for run in self.chosen]

        def pin() -> None:
            for key in keys:
                self._catalogue.pin(key, not every)

        self._try(pin)

    @Slot()
    def _delete(self) -> None:
        for run in self.chosen:
            try:
                self._catalogue.delete(run.key)
            except LabError as error:
                self.problem.say(str(error), "error")
                break
            self._deleted.append(run.key)
        self.refresh()

    @Slot()
    def _undo(self) -> None:
        if self._deleted:
            key = self._deleted.pop()
            self._try(lambda: self._catalogue.restore(key))

    @Slot()
    def _rename(self) -> None:
        if len(self.chosen) == 1 and self.name.text() != self.chosen[0].name:
            key, name = self.chosen[0].key, self.name.text()
            self._try(lambda: self._catalogue.rename(key, name))

    @Slot()
    def _write_note(self) -> None:
        if len(self.chosen) == 1 and self.note.text() != self.chosen[0].note:
            key, note = self.chosen[0].key, self.note.text()
            self._try(lambda: self._catalogue.set_note(key, note))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except LabError as error:
            self.problem.say(str(error), "error")
        else:
            self.problem.clear()
        self.refresh()

    @Slot()
    def ask_export(self) -> QFileDialog:
        """Ask where to, without blocking the window."""
        dialog = QFileDialog(self.window(), "Export the run", "run")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setLabelText(QFileDialog.DialogLabel.FileName, "New folder:")
        dialog.fileSelected.connect(self.save_folder)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def save_folder(self, path: str) -> None:
        """Copy the chosen run, with all that it needs, into a new folder."""
        if len(self.chosen) == 1:
            self._lab.compute.request(
                FILES_KEY,
                export_run,
                self._catalogue,
                self.chosen[0].key,
                Path(path),
                title="Exporting the run",
                with_job=True,
                on_result=self._exported,
                on_error=self._failed,
            )

    @Slot(object)
    def _exported(self, folder: Path) -> None:
        self.problem.say(f"The run is in the folder {folder}.", "good")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.problem.say(failure.sentence, "error")
