"""The comparison of tokenizers as a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from gui.tokenization.text_table import TokenizerTable
from gui.widgets.exports import ExportButton, write_csv, write_widget


class ComparisonExport(ExportButton):
    """Saves the tokenizers side by side: as they are shown, or their figures."""

    def __init__(self, table: TokenizerTable, parent: QWidget | None = None) -> None:
        super().__init__("tokenizers side by side", parent)
        self.setToolTip("Save this comparison as a picture, or its figures.")
        self._table = table
        self.wanted.connect(self.save)

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write the table as it is shown as "png" or "svg", or its unrounded figures as "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        table, path = self._table, Path(name)
        if ending != "csv":
            write_widget(ending, path, table, "Tokenizers side by side")
            return
        size = table.size_shown
        operations = f"operations (L = {size.layers}, d = {size.width})"
        header = ("tokenizer", "tokens", "characters per token", "vocabulary", "unknown tokens")
        write_csv(path, (*header, operations), table.measured())
