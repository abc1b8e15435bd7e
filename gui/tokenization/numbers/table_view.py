"""A piece of a lookup table: some neighbouring numbers, and what they stand for."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.signals import LookupTable, Sound, text_of
from gui.tokenization.numbers.codes import name_of, visible
from gui.tokenization.numbers.model import Kind
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_tooltip

ROWS = 5
_HIDDEN = "?"
_HEADS = ("Number", "Ordinary table", "Shuffled table")


class TableView(QWidget):
    """Five neighbouring numbers and their meanings, in the ordinary and in the shuffled table.

    In the one neighbours look alike (if it is a picture's or a sound's), in the other they
    don't. The table in force is underlined.
    """

    def __init__(self, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self._middle = 0
        self._ordinary: LookupTable | None = None
        self._shuffled: LookupTable | None = None
        self._in_force = 0
        self.setAccessibleName(f"Lookup table of the {kind.value}")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tables(
        self,
        middle: int,
        ordinary: LookupTable,
        shuffled: LookupTable | None,
        shuffled_in_force: bool,
    ) -> None:
        """Show the numbers around ``middle``; without a shuffled table its column is hidden."""
        self._middle = middle
        self._ordinary, self._shuffled = ordinary, shuffled
        self._in_force = 2 if shuffled_in_force else 1
        self.setAccessibleDescription("; ".join(self.row_in_words(n) for n in self.numbers()))
        self.update()

    def numbers(self) -> list[int]:
        """The numbers on show."""
        if self._ordinary is None:
            return []
        first = min(max(0, self._middle - ROWS // 2), self._ordinary.size - ROWS)
        return list(range(first, first + ROWS))

    def meaning(self, number: int, column: int) -> int | None:
        """What a number stands for in the ordinary (1) or the shuffled (2) table, as a number
        of the ordinary one; None if that is hidden."""
        table = (self._ordinary, self._shuffled)[column - 1]
        return None if table is None else int(table.read(np.array(number)))

    def row_in_words(self, number: int) -> str:
        """A row in words."""
        words = [f"{number:,}"]
        for column in (1, 2):
            thing = self.meaning(number, column)
            if thing is not None:
                words.append(f"{_HEADS[column].lower()}: {self._in_words(thing)}")
        return ", ".join(words)

    def _in_words(self, thing: int) -> str:
        if self._kind is Kind.TEXT:
            return name_of(thing)
        return f"{'intensity' if self._kind is Kind.PICTURE else 'height'} {thing:,}"

    # ----------------------------------------------------------------------------------- painting
    def _line(self) -> float:
        return QFontMetricsF(self.font()).height() * 1.15

    def sizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 17), round(self._line() * (ROWS + 1.2)))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 12), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def _cell(self, row: int, column: int) -> QRectF:
        """Row −1 holds the headings."""
        line = self._line()
        lefts = (0.0, 0.24, 0.62, 1.0)
        left, right = lefts[column] * self.width(), lefts[column + 1] * self.width()
        return QRectF(left, (row + 1.1) * line, right - left, line)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self))

    def paint(self, painter: QPainter) -> None:
        """Paint all of it from (0, 0); also used for saving."""
        colours = colours_of(self.palette())
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        for column, head in enumerate(_HEADS):
            cell = self._cell(-1, column)
            painter.setPen(colours.color("text" if column == self._in_force else "muted"))
            shown = metrics.elidedText(head, Qt.TextElideMode.ElideRight, cell.width())
            painter.drawText(cell, Qt.AlignmentFlag.AlignVCenter, shown)
            if column == self._in_force:
                painter.setPen(QPen(colours.color("accent"), 2.0))
                width = min(cell.width(), metrics.horizontalAdvance(shown))
                painter.drawLine(cell.bottomLeft(), cell.bottomLeft() + QPointF(width, 0.0))
        for row, number in enumerate(self.numbers()):
            painter.setPen(colours.color("text"))
            painter.drawText(self._cell(row, 0), Qt.AlignmentFlag.AlignVCenter, f"{number:,}")
            for column in (1, 2):
                self._paint_meaning(painter, self._cell(row, column), self.meaning(number, column))

    def _paint_meaning(self, painter: QPainter, cell: QRectF, thing: int | None) -> None:
        colours = colours_of(self.palette())
        middle = Qt.AlignmentFlag.AlignVCenter
        if thing is None:
            painter.setPen(colours.color("muted"))
            painter.drawText(cell, middle, _HIDDEN)
            return
        painter.setPen(colours.color("text"))
        if self._kind is Kind.TEXT:
            painter.drawText(cell, middle, visible(text_of(np.array([thing]))))
            return
        sign = QRectF(cell.left(), cell.top() + 1, cell.height() * 1.8, cell.height() - 2)
        self._paint_sign(painter, sign, thing)
        painter.setPen(colours.color("muted"))
        text = cell.adjusted(sign.width() + cell.height() * 0.4, 0, 0, 0)
        painter.drawText(text, middle, f"{thing:,}")

    def _paint_sign(self, painter: QPainter, sign: QRectF, thing: int) -> None:
        """An intensity as a patch of it; a height of the air's wave as a dot on its scale."""
        colours = colours_of(self.palette())
        if self._kind is Kind.PICTURE:
            painter.setPen(QPen(colours.color("border"), 1.0))
            painter.setBrush(QColor(thing, thing, thing))
            painter.drawRect(sign)
            return
        painter.setPen(QPen(colours.color("border"), 1.0))
        y = sign.center().y()
        painter.drawLine(QPointF(sign.left(), y), QPointF(sign.right(), y))
        x = sign.left() + thing / (Sound.SIZE - 1) * sign.width()
        radius = sign.height() * 0.22
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.series("transformer"))
        painter.drawEllipse(QPointF(x, y), radius, radius)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = int(event.pos().y() / self._line() - 1.1)
            numbers = self.numbers()
            if 0 <= row < len(numbers):
                QToolTip.showText(
                    event.globalPos(), plain_tooltip(self.row_in_words(numbers[row])), self
                )
                return True
        return super().event(event)
