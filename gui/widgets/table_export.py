"""Any table's numbers as a file: what is on screen, with all digits where the table has them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, Qt, Slot
from PySide6.QtWidgets import QAbstractItemView, QWidget

from gui.widgets.exports import ExportButton, write_csv

EXACT = Qt.ItemDataRole.UserRole + 64
"""The role under which a model gives a cell's exact number, where its text is rounded."""


def write_model(path: Path, model: QAbstractItemModel) -> None:
    """Write a model's rows under its column titles: exact numbers where there are any, else text.

    Raises:
        LabError: if the file cannot be written.
    """
    columns = range(model.columnCount())
    across = Qt.Orientation.Horizontal
    header = [model.headerData(column, across) for column in columns]
    rows = []
    for row in range(model.rowCount()):
        cells = []
        for column in columns:
            index = model.index(row, column)
            exact = index.data(EXACT)
            cells.append(index.data() if exact is None else exact)
        rows.append(cells)
    write_csv(path, [title or "" for title in header], rows)


class TableExport(ExportButton):
    """Saves a view's table as CSV."""

    def __init__(self, view: QAbstractItemView, title: str, parent: QWidget | None = None) -> None:
        """
        Args:
            view: the table, whatever model it has when it is saved.
            title: what is saved; the suggested file name is made from it.
        """
        super().__init__(title, parent, formats=("csv",))
        self.setToolTip("Save this table as numbers.")
        self._view = view
        self.wanted.connect(self.export)

    @Slot(str, str)
    def export(self, _: str, path: str) -> None:
        """Save the table (LabError if it cannot be written)."""
        write_model(Path(path), self._view.model())
