"""The crosshair over a plot and the box that tells the exact values under it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui.widgets.look import colours_of, em

MOST_ROWS = 12


@dataclass(frozen=True)
class ReadoutRow:
    """One line of the box: a coloured dot, a name, a value; and the point on the plot."""

    colour: QColor
    name: str
    value: str
    point: QPointF | None
    """In the overlay's pixels; None outside the view."""


class Readout(QWidget):
    """Lies over a plot, lets the mouse through, and paints on top."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._area = QRectF()
        self._x: float | None = None
        self._title = ""
        self._rows: list[ReadoutRow] = []

    def show_at(self, x: float, area: QRectF, title: str, rows: list[ReadoutRow]) -> None:
        """Draw the line at ``x`` inside ``area`` (both in own pixels), and the box beside it."""
        self._x, self._area, self._title, self._rows = x, area, title, rows
        self.update()

    def clear(self) -> None:
        """Draw nothing."""
        if self._x is not None:
            self._x = None
            self.update()

    def text(self) -> str:
        """What the box says now, one row a line; empty if there is none."""
        if self._x is None:
            return ""
        return "\n".join([self._title, *(f"{row.name}: {row.value}" for row in self._rows)])

    def box(self) -> QRectF:
        """Where the box is: beside the line, on the side with more room, inside the widget."""
        metrics, pad = QFontMetricsF(self.font()), em(self.font()) * 0.4
        rows = self._shown_rows()
        names = max((metrics.horizontalAdvance(name) for _, name, _ in rows), default=0.0)
        values = max((metrics.horizontalAdvance(value) for _, _, value in rows), default=0.0)
        dot = metrics.height()
        wanted = max(dot + names + 2 * pad + values, metrics.horizontalAdvance(self._title))
        width = min(wanted + 2 * pad, self.width() - 2.0)
        height = metrics.height() * (len(rows) + 1) + 2 * pad
        x = self._x or 0.0
        left = x + pad if x < self._area.center().x() else x - pad - width
        left = min(max(left, 1.0), max(1.0, self.width() - width - 1.0))
        top = self._area.top() + pad
        return QRectF(left, min(top, max(0.0, self.height() - height)), width, height)

    def _shown_rows(self) -> list[tuple[QColor | None, str, str]]:
        """As many rows as there is room for."""
        line = QFontMetricsF(self.font()).height()
        most = max(1, min(MOST_ROWS, int((self.height() - em(self.font())) / line) - 1))
        if len(self._rows) > most:
            most -= 1
        rows: list[tuple[QColor | None, str, str]] = [
            (row.colour, row.name, row.value) for row in self._rows[:most]
        ]
        if len(self._rows) > most:
            rows.append((None, f"and {len(self._rows) - most} more", ""))
        return rows

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._x is None:
            return
        colours = colours_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colours.color("muted"), 1.0))
        top, bottom = self._area.top(), self._area.bottom()
        painter.drawLine(QPointF(self._x, top), QPointF(self._x, bottom))
        radius = em(self.font()) * 0.2
        for row in self._rows:
            if row.point is not None:
                painter.setBrush(row.colour)
                painter.setPen(QPen(colours.color("surface"), 1.5))
                painter.drawEllipse(row.point, radius, radius)
        self._paint_box(painter)

    def _paint_box(self, painter: QPainter) -> None:
        colours = colours_of(self.palette())
        box = self.box()
        metrics, pad = QFontMetricsF(self.font()), em(self.font()) * 0.4
        painter.setPen(QPen(colours.color("border"), 1.0))
        painter.setBrush(colours.color("raised"))
        painter.drawRoundedRect(box, pad / 2, pad / 2)
        painter.setFont(self.font())
        line = metrics.height()
        y = box.top() + pad
        painter.setPen(colours.color("muted"))
        painter.drawText(QPointF(box.left() + pad, y + metrics.ascent()), self._title)
        for colour, name, value in self._shown_rows():
            y += line
            baseline = y + metrics.ascent()
            if colour is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                centre = QPointF(box.left() + pad + line * 0.35, y + line / 2)
                painter.drawEllipse(centre, line * 0.25, line * 0.25)
            painter.setPen(colours.color("text"))
            value_width = metrics.horizontalAdvance(value)
            room = box.width() - 2 * pad - line - value_width - pad
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(box.left() + pad + line, baseline), shown)
            painter.drawText(QPointF(box.right() - pad - value_width, baseline), value)
