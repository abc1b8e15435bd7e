"""A small table of texts and numbers that follows theme and text size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from gui import theme
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip

DIGITS = 3
Cell = str | float


@dataclass(frozen=True)
class Column:
    """A column's title and what it tells; ``signed`` numbers carry their sign and its colour, a
    ``share`` is written in per cent."""

    title: str
    tip: str
    signed: bool = False
    share: bool = False


class Sheet(QTableWidget):
    """Rows of cells; one row can be chosen, and stays so while the numbers change."""

    row_chosen = Signal(int)
    """The chosen row, −1 for none."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setHighlightSections(False)
        self._columns: tuple[Column, ...] = ()
        self._rows: tuple[tuple[Cell, ...], ...] = ()
        self._fitted: tuple[Column, ...] | None = None
        self._placeholder = plain_label("", self.viewport(), wrap=True)
        self._placeholder.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_text_role(self._placeholder, "body", "muted")
        self._placeholder.hide()
        self.itemSelectionChanged.connect(self._selected)
        theme.current().changed.connect(self._dress)
        self._dress()

    @property
    def chosen(self) -> int:
        """The chosen row, −1 for none."""
        rows = self.selectionModel().selectedRows()
        return rows[0].row() if rows else -1

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """What is shown."""
        return self._rows

    def set_placeholder(self, text: str) -> None:
        """What to say while there are no rows."""
        self._placeholder.setText(text)
        self._place_placeholder()

    def _place_placeholder(self) -> None:
        room = self.viewport().rect()
        self._placeholder.setGeometry(room.adjusted(8, 4, -8, -4))
        self._placeholder.setVisible(not self._rows and bool(self._placeholder.text()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_placeholder()

    def set_table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these rows, a text or a number for each column."""
        if tuple(columns) != self._columns or len(rows) != self.rowCount():
            self._columns = tuple(columns)
            self.setColumnCount(len(columns))
            self.setRowCount(len(rows))
            for j, column in enumerate(columns):
                head = QTableWidgetItem(column.title)
                head.setToolTip(plain_tooltip(column.tip))
                self.setHorizontalHeaderItem(j, head)
        self._rows = tuple(tuple(row) for row in rows)
        self._write()
        self._place_placeholder()
        if self._fitted != self._columns and self._rows:
            self._fitted = self._columns
            self.resizeColumnsToContents()

    def set_tips(self, column: int, tips: Sequence[str]) -> None:
        """What a column's cells tell on hover, until the rows are written anew."""
        for i, tip in enumerate(tips):
            item = self.item(i, column)
            if item is not None:
                item.setToolTip(plain_tooltip(tip))

    def _write(self) -> None:
        colours = theme.current().colours
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for i, row in enumerate(self._rows):
            for j, value in enumerate(row):
                item = self.item(i, j)
                if item is None:
                    item = QTableWidgetItem()
                    self.setItem(i, j, item)
                item.setToolTip("")
                if isinstance(value, str):
                    item.setText(value)
                    continue
                column = self._columns[j]
                item.setText(cell_text(value, column))
                item.setTextAlignment(right)
                tint = "text"
                if column.signed and abs(value) >= 5e-4:
                    tint = "good" if value > 0 else "bad"
                item.setForeground(colours.color(tint))

    @Slot()
    def _selected(self) -> None:
        self.row_chosen.emit(self.chosen)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self.setFont(look.font("body"))
        unit = em(look.font("body"))
        self.verticalHeader().setDefaultSectionSize(round(unit * 1.5))
        self._fitted = None
        self.set_table(self._columns, self._rows)

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 12), round(unit * 7))

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 20), round(unit * 12))


def cell_text(value: float, column: Column) -> str:
    """A number as its column writes it."""
    if column.share:
        return f"{value:.0%}"
    if abs(value) < 5e-4:
        return "0"
    text = format_number(value, DIGITS)
    return f"+{text}" if column.signed and value > 0 else text
