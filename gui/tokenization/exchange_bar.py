"""Export and import of tokenizers: two buttons, and a line that says how it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers import Tokenizer
from engine.tokenizers.exchange import tokenizer_json, vocabulary_csv
from engine.workspace.made import ImportedFile, import_tokenizer
from gui import theme
from gui.job_handle import Failure
from gui.widgets.exports import write_bytes
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from gui.lab import Lab

FORMATS = (
    ("json", "Tokenizer for Hugging Face (tokenizer.json) …", "tokenizer.json"),
    ("csv", "Vocabulary as a table (.csv) …", "vocabulary.csv"),
)
"""What the shared tokenizer can be saved as: ending, words in the menu, suggested name."""


def export_tokenizer(tokenizer: Tokenizer, path: str, job: Job = NO_JOB) -> str:
    """Write a tokenizer as its path's ending says; returns the path.

    Raises:
        LabError: if the format cannot say it, or the file cannot be written.
    """
    job.progress(0, None, f"Writing {Path(path).name}")
    csv = path.lower().endswith(".csv")
    # A byte-order mark lets spreadsheets read the CSV as UTF-8.
    data = vocabulary_csv(tokenizer).encode("utf-8-sig") if csv else tokenizer_json(tokenizer)
    write_bytes(Path(path), data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


class ExchangeBar(FlowRow):
    """Saves the shared tokenizer for other programs, and takes one of theirs for all tabs.

    Args:
        lab: whose tokenizer is exported, and which takes the imported one.
    """

    imported = Signal(object)
    """A MadeTokenizer was read from a file; whether all tabs take it is not yet decided."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.setAccessibleName("Export and import tokenizers")
        self.export = QPushButton("Ex&port tokens")
        self.export.setToolTip(
            "Save the tokenizer that all tabs use: for Hugging Face’s programs, or as a table."
        )
        menu = QMenu(self.export)
        for ending, words, _ in FORMATS:
            menu.addAction(words).setData(ending)
        menu.triggered.connect(self._format_chosen)
        self.export.setMenu(menu)
        self.bring = QPushButton("&Import tokens …")
        self.bring.setToolTip(
            "Read a tokenizer.json of Hugging Face’s and use its tokens in all tabs. Byte-pair "
            "encoding over bytes or characters, and whole words, are understood."
        )
        self.bring.clicked.connect(self.ask_for_import)
        self.said = plain_label(wrap=True)
        self.said.setAccessibleName("How the export or import went")
        theme.set_text_role(self.said, "caption", "muted")
        for widget in (self.export, self.bring, self.said):
            self.add(widget)
        lab.tokenizer_changed.connect(self._follow)
        self._follow()
        self.say("")

    def say(self, text: str, tint: str = "muted") -> None:
        """Show a sentence beside the buttons; none with an empty one."""
        theme.set_text_role(self.said, "caption", tint)
        self.said.setText(text)
        self.said.setVisible(bool(text))
        self.updateGeometry()

    # --------------------------------------------------------------------------------- export
    @Slot(QAction)
    def _format_chosen(self, action: QAction) -> None:
        self.ask_where_to_export(action.data())

    def ask_where_to_export(self, ending: str) -> QFileDialog:
        """Ask where to save in a format, without blocking the window."""
        name = next(name for key, _, name in FORMATS if key == ending)
        dialog = QFileDialog(self.window(), "Export tokens", name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"*.{ending}")
        dialog.setDefaultSuffix(ending)
        dialog.fileSelected.connect(self.export_to)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def export_to(self, path: str) -> None:
        """Save the shared tokenizer; the path's ending says how."""
        made = self._lab.tokenizer
        if made is None:
            return
        self._lab.compute.submit(
            export_tokenizer,
            made.tokenizer,
            path,
            title="Exporting tokens",
            urgent=True,
            on_result=self._exported,
            on_error=self._failed,
        )

    @Slot(object)
    def _exported(self, path: str) -> None:
        self.say(f"Saved as {Path(path).name}.")

    # --------------------------------------------------------------------------------- import
    @Slot()
    def ask_for_import(self) -> QFileDialog:
        """Ask for a file to import, without blocking the window."""
        dialog = QFileDialog(self.window(), "Import tokens")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Tokenizers (*.json)", "All files (*)"])
        dialog.fileSelected.connect(self.import_from)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        return dialog

    @Slot(str)
    def import_from(self, path: str) -> None:
        """Read a tokenizer and choose it for all tabs."""
        self._lab.compute.submit(
            import_tokenizer,
            path,
            title="Importing tokens",
            urgent=True,
            on_result=self._imported,
            on_error=self._failed,
        )

    @Slot(object)
    def _imported(self, read: ImportedFile) -> None:
        self.imported.emit(read.made)
        try:
            agreed = self._lab.choose_tokenizer(read.made, self._failed)
        except LabError as error:
            self.say(str(error), "bad")
            return
        if agreed:
            self.say(" ".join([f"All tabs now use “{read.made.label}”.", *read.notes]))

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.say(failure.sentence, "bad")

    @Slot()
    def _follow(self) -> None:
        self.export.setEnabled(self._lab.tokenizer is not None)
