"""A small table of texts and numbers that follows theme and text size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from gui import theme
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip

DIGITS = 3
MOST_LINES = 3
"""Lines that a long text is wrapped into; hovering tells all of it."""
NUMBER = "−0.0000"
"""A number column is never narrower than this."""
LEAST_EMS = 4.0
"""What is left of a text's column when there is little room, in lines of text."""
HEAD = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
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
    """Rows of cells; one row can be chosen, and stays so while the numbers change.

    All columns are kept in view: where they want more than there is, the widest give way first,
    and their texts are wrapped; hovering tells a whole text. A column that someone drags stays as
    it is.
    """

    row_chosen = Signal(int)
    """The chosen row, −1 for none."""
    wants_changed = Signal()
    """The columns want another width altogether."""

    _laying = False

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
        self.horizontalHeader().setDefaultAlignment(HEAD)
        self._columns: tuple[Column, ...] = ()
        self._rows: tuple[tuple[Cell, ...], ...] = ()
        self._wants: list[int] = []
        self._by_hand = False
        self._placeholder = plain_label("", self.viewport(), wrap=True)
        self._placeholder.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_text_role(self._placeholder, "body", "muted")
        self._placeholder.hide()
        self.itemSelectionChanged.connect(self._selected)
        self.horizontalHeader().sectionResized.connect(self._dragged)
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
        self._lay_out()

    def set_table(self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these rows, a text or a number for each column."""
        if tuple(columns) != self._columns or len(rows) != self.rowCount():
            if tuple(columns) != self._columns:
                self._wants, self._by_hand = [], False
            self._columns = tuple(columns)
            self.setColumnCount(len(columns))
            self.setRowCount(len(rows))
            for j, column in enumerate(columns):
                head = QTableWidgetItem(column.title)
                head.setToolTip(plain_tooltip(f"{column.title}: {column.tip}"))
                self.setHorizontalHeaderItem(j, head)
        self._rows = tuple(tuple(row) for row in rows)
        self._write()
        self._place_placeholder()
        if self._rows:
            self._measure()

    @property
    def wanted_width(self) -> int:
        """The width at which no column has to give way, in pixels; texts count for at most as
        much as a few words."""
        unit = em(self.font())
        most = round(unit * 14)
        frame = 2 * self.frameWidth() + self.verticalHeader().sizeHint().width()
        bar = self.verticalScrollBar().sizeHint().width()
        return sum(min(width, most) for width in self._wants) + frame + bar

    def _measure(self) -> None:
        """See what each column wants. It never comes to want less while the rows change, so that
        columns don't jump."""
        metrics, pad = QFontMetricsF(self.font()), self._pad()
        number = metrics.horizontalAdvance(NUMBER)
        wants = []
        for j, column in enumerate(self._columns):
            cells = [row[j] for row in self._rows]
            texts = [c if isinstance(c, str) else cell_text(c, column) for c in cells]
            widest = metrics.horizontalAdvance(max(texts, key=len))
            if not self._holds_text(j):
                widest = max(widest, number)
            head = self.horizontalHeader().sectionSizeHint(j)
            before = self._wants[j] if j < len(self._wants) else 0
            wants.append(max(before, math.ceil(widest + pad), head))
        changed, self._wants = wants != self._wants, wants
        if changed:
            self.wants_changed.emit()
        self._lay_out()

    def _holds_text(self, column: int) -> bool:
        return isinstance(self._rows[0][column], str)

    def _pad(self) -> int:
        """What a cell has around its text, in pixels."""
        margin = self.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, self)
        return 2 * (margin + 1) + 4

    def _lay_out(self) -> None:
        """Share the width among the columns, and give each row the lines that it needs."""
        if self._laying or not self._rows or len(self._wants) != len(self._columns):
            return
        self._laying = True
        try:
            for _ in range(2):  # heads and row numbers take their room only once they are there
                room = self.viewport().width()
                if not self._by_hand:
                    self._share(room)
                self._set_heights()
                self._set_head()
                if self.viewport().width() == room:
                    break
        finally:
            self._laying = False

    def _share(self, room: int) -> None:
        number = QFontMetricsF(self.font()).horizontalAdvance(NUMBER) + self._pad()
        text = em(self.font()) * LEAST_EMS
        least = [
            math.ceil(text if self._holds_text(j) else number) for j in range(len(self._columns))
        ]
        whole = [max(few, self._head_needs(j)) for j, few in enumerate(least)]
        if sum(map(min, self._wants, whole)) <= room:  # else words of titles are cut first
            least = whole
        for j, width in enumerate(shared(self._wants, least, room)):
            self.setColumnWidth(j, width)

    def _head_needs(self, column: int) -> int:
        """The width of the longest word of a column's title."""
        metrics = QFontMetricsF(self.horizontalHeader().font())
        words = map(metrics.horizontalAdvance, self._columns[column].title.split())
        return math.ceil(self._head_pad(column) + max(words, default=0.0))

    def _head_pad(self, column: int) -> float:
        """What a title has around it, in pixels."""
        head, title = self.horizontalHeader(), self._columns[column].title
        return head.sectionSizeHint(column) - QFontMetricsF(head.font()).horizontalAdvance(title)

    def _set_heights(self) -> None:
        metrics, pad = QFontMetricsF(self.font()), self._pad()
        narrow = [
            (j, max(1.0, float(self.columnWidth(j) - pad)))
            for j in range(len(self._columns))
            if self._holds_text(j) and self.columnWidth(j) < self._wants[j]
        ]
        self.setWordWrap(bool(narrow))
        for i, row in enumerate(self._rows):
            lines = 1
            for j, room in narrow:
                # Lines break between words, so a text fills them to some nine tenths.
                share = metrics.horizontalAdvance(str(row[j])) / room
                lines = max(lines, 1 if share <= 1 else math.ceil(share * 1.1))
            height = self.verticalHeader().defaultSectionSize()
            height += round((min(lines, MOST_LINES) - 1) * metrics.lineSpacing())
            if self.rowHeight(i) != height:
                self.setRowHeight(i, height)

    def _set_head(self) -> None:
        """Give the titles the lines that they need."""
        head = self.horizontalHeader()
        metrics = QFontMetricsF(head.font())
        one, most = metrics.height(), 0.0
        for j, column in enumerate(self._columns):
            width = max(1.0, self.columnWidth(j) - self._head_pad(j))
            room = QRectF(0, 0, width, MOST_LINES * one)
            most = max(most, metrics.boundingRect(room, HEAD, column.title).height())
        wrapped = most > 1.5 * one
        head.setMinimumHeight(round(most + one / 2) if wrapped else 0)

    @Slot()
    def _dragged(self) -> None:
        if not self._laying and self._rows and len(self._wants) == len(self._columns):
            self._by_hand = True
            self._set_heights()
            self._set_head()

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
                if isinstance(value, str):
                    item.setText(value)
                    item.setToolTip(plain_tooltip(value) if value else "")
                    continue
                item.setToolTip("")
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
        self._wants, self._by_hand = [], False
        self.set_table(self._columns, self._rows)

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 12), round(unit * 7))

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 20), round(unit * 12))


def shared(wants: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths that fit into a room: the widest columns give way first, none below its least.

    Args:
        wants: the width that each column wants, in pixels.
        least: what each keeps whatever the room is; a column that wants less keeps that.
        room: for all of them; what lies below the sum of the least is overrun.

    >>> shared([40, 300, 200], [40, 50, 50], 300)
    [40, 130, 130]
    """
    least = [min(pair) for pair in zip(wants, least, strict=True)]
    low, high = 0, max(wants, default=0)
    while low < high:  # the greatest width that all can have
        cap = (low + high + 1) // 2
        given = sum(max(few, min(want, cap)) for want, few in zip(wants, least, strict=True))
        low, high = (cap, high) if given <= room else (low, cap - 1)
    return [max(few, min(want, low)) for want, few in zip(wants, least, strict=True)]


def cell_text(value: float, column: Column) -> str:
    """A number as its column writes it."""
    if column.share:
        return f"{value:.0%}"
    if abs(value) < 5e-4:
        return "0"
    text = format_number(value, DIGITS)
    return f"+{text}" if column.signed and value > 0 else text
