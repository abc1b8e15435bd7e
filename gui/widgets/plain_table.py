"""A small table to read: a title for each row and column, never cut, never scrolled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from gui.widgets.exports import write_csv
from gui.widgets.safe_text import plain_tooltip


class PlainTable(QTableWidget):
    """A table to read, as high as its rows.

    Args:
        name: what it is, for screen readers.
        parent: the widget that owns it.
        most: rows that are shown at once; a longer table scrolls. None shows all.
    """

    def __init__(
        self, name: str, parent: QWidget | None = None, *, most: int | None = None
    ) -> None:
        super().__init__(parent)
        self._most = most
        self.setAccessibleName(name)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        if most is None:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def fill(
        self,
        columns: Sequence[str],
        rows: Sequence[tuple[str, str, Sequence[str]]],
    ) -> None:
        """Args:
        columns: their titles.
        rows: title, tooltip, and cells of each.
        """
        self.clear()
        self.setColumnCount(len(columns))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(list(columns))
        for number, (title, tip, cells) in enumerate(rows):
            head = QTableWidgetItem(title)
            head.setToolTip(plain_tooltip(tip))
            self.setVerticalHeaderItem(number, head)
            for place, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tooltip(text))  # it may be cut off
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(number, place, item)
        self._fit()

    def export_csv(self, path: Path) -> None:
        """Write the table as it reads.

        Raises:
            LabError: if the file cannot be written.
        """
        columns, rows = range(self.columnCount()), range(self.rowCount())
        header = ["", *(self._text(self.horizontalHeaderItem(c)) for c in columns)]
        lines = [
            [
                self._text(self.verticalHeaderItem(r)),
                *(self._text(self.item(r, c)) for c in columns),
            ]
            for r in rows
        ]
        write_csv(path, header, lines)

    @staticmethod
    def _text(item: QTableWidgetItem | None) -> str:
        return "" if item is None else item.text()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        height += sum(self.rowHeight(row) for row in range(self.rowCount())[: self._most])
        self.setFixedHeight(height)
