"""Taking a run in from a folder that was exported, here or elsewhere."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget

from engine.runs import RunSummary
from engine.training.comparing import take_in
from gui.job_handle import Failure
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.widgets.notice import Notice
from gui.widgets.safe_text import shortened

TIP = "Take in a folder that was exported: the run stands beside yours, with all that it needs."
LONGEST_NAME = 40


class RunImport(QPushButton):
    """A button that asks for a folder, takes it in, and says in place how that went."""

    taken = Signal(str)
    """The key of a run of the kind that is shown here, once it was taken in."""

    def __init__(
        self, lab: Lab, said: Notice, kind: str, elsewhere: str, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            lab: whose compute thread reads the folder.
            said: where to say how it went.
            kind: of the runs that are shown here.
            elsewhere: where runs of another kind are to be found, as a sentence.
            parent: the widget that owns it.
        """
        super().__init__("&Import …", parent)
        self._lab, self._said, self._kind, self._elsewhere = lab, said, kind, elsewhere
        self.setAutoDefault(False)
        self.setToolTip(TIP)
        self.setAccessibleName("Import a run")
        self.setAccessibleDescription(TIP)
        self.clicked.connect(self.ask)

    @Slot()
    def ask(self) -> QFileDialog:
        """Ask which folder, without blocking the window."""
        dialog = QFileDialog(self.window(), "Import a run")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take)
        dialog.open()
        return dialog

    @Slot(str)
    def take(self, path: str) -> None:
        """Take in what is in a folder."""
        self._said.clear()
        self._lab.compute.request(
            f"{self._kind}: import",
            take_in,
            catalogue(),
            Path(path),
            title="Importing a run",
            with_job=True,
            on_result=self._took,
            on_error=self._failed,
        )

    @Slot(object)
    def _took(self, run: RunSummary) -> None:
        took = f"“{shortened(run.name, LONGEST_NAME)}” was taken in."
        if run.description.kind == self._kind:
            self._said.say(took, "good")
            self.taken.emit(run.key)
        else:
            self._said.say(f"{took} {self._elsewhere}", "warning")

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._said.say(f"Nothing was taken in. {failure.sentence}", "error")
