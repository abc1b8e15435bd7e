"""Bars to both sides of zero: what each feature adds to a reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.exports import ExportButton, write_csv, write_png, write_svg
from gui.widgets.look import colours_of, em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip


@dataclass(frozen=True)
class EffectBar:
    """One bar."""

    name: str
    value: float
    detail: str
    """What is told on hover."""


class _Area(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: tuple[EffectBar, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def _row(self) -> float:
        return em(self.font()) * 1.6

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 18), round(self._row() * max(1, len(self.bars)) + unit))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 12), self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = int(event.pos().y() // self._row())
            if 0 <= place < len(self.bars):
                QToolTip.showText(event.globalPos(), plain_tooltip(self.bars[place].detail), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self))

    def paint(self, painter: QPainter) -> None:
        """Names at the left, bars right of them around a line at zero, values at their ends."""
        if not self.bars:
            return
        colours, metrics = colours_of(self.palette()), QFontMetricsF(self.font())
        painter.setFont(self.font())
        row, gap = self._row(), em(self.font()) * 0.4
        names = min(
            max(metrics.horizontalAdvance(b.name) for b in self.bars) + gap, self.width() * 0.4
        )
        texts = [signed(b.value) for b in self.bars]
        room = max(metrics.horizontalAdvance(t) for t in texts) + gap
        half = max(4.0, (self.width() - names) / 2 - room)
        zero = names + room + half
        most = max(abs(b.value) for b in self.bars) or 1.0
        for i, (bar, text) in enumerate(zip(self.bars, texts, strict=True)):
            top = i * row
            painter.setPen(colours.color("text"))
            name = metrics.elidedText(bar.name, Qt.TextElideMode.ElideRight, names - gap)
            place = QRectF(0, top, names - gap, row)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter.value, name)
            length = bar.value / most * half
            body = QRectF(min(zero, zero + length), top + row * 0.2, abs(length), row * 0.6)
            painter.fillRect(body, colours.color("good" if bar.value > 0 else "bad"))
            side = Qt.AlignmentFlag.AlignLeft if bar.value >= 0 else Qt.AlignmentFlag.AlignRight
            left = body.right() + gap / 2 if bar.value >= 0 else body.left() - room - gap / 2
            painter.drawText(
                QRectF(left, top, room, row), (side | Qt.AlignmentFlag.AlignVCenter).value, text
            )
        painter.setPen(QPen(colours.color("muted"), 1.0))
        painter.drawLine(QPoint(round(zero), 0), QPoint(round(zero), round(row * len(self.bars))))


class EffectBars(QWidget):
    """Bars with a title below them, exact values on hover, and export."""

    def __init__(self, title: str, unit: str, parent: QWidget | None = None) -> None:
        """
        Args:
            title: what the bars show; their accessible name and file names.
            unit: what their length is.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self._title, self._unit = title, unit
        self.area = _Area(self)
        self.axis = plain_label(unit, self, wrap=True)
        theme.set_text_role(self.axis, "caption", "muted")
        self.empty = plain_label("", self, wrap=True)
        self.export_button = ExportButton(title, self)
        self.export_button.wanted.connect(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.empty, self.area, self.axis):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.export_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.set_bars(())

    @property
    def bars(self) -> tuple[EffectBar, ...]:
        """What is shown."""
        return self.area.bars

    def set_empty_text(self, text: str) -> None:
        """What to say while there are no bars."""
        self.empty.setText(text)
        self.empty.setVisible(bool(text) and not self.area.bars)

    def set_bars(self, bars: Sequence[EffectBar]) -> None:
        """Show these, from the top."""
        self.area.bars = tuple(bars)
        self.empty.setVisible(bool(self.empty.text()) and not bars)
        self.axis.setVisible(bool(bars))
        self.export_button.setEnabled(bool(bars))
        told = ", ".join(f"{b.name} {signed(b.value)}" for b in bars)
        self.area.setAccessibleName(f"{self._title}: {told}" if told else self._title)
        self.area.updateGeometry()
        self.area.update()

    @Slot(str, str)
    def export(self, ending: str, path: str) -> None:
        """Save the bars as a picture or as numbers.

        Raises:
            LabError: if the file cannot be written.
        """
        if ending == "csv":
            rows = [(b.name, b.value, b.detail) for b in self.area.bars]
            write_csv(Path(path), (self._title, self._unit, "in words"), rows)
            return
        size, ground = self.area.size(), colours_of(self.palette()).color("surface")
        if ending == "png":
            write_png(Path(path), size, ground, self.area.paint)
        else:
            write_svg(Path(path), size, self._title, ground, self.area.paint)

    def place_of(self, index: int) -> QRect:
        """Where a bar's row is in the area, in its pixels."""
        row = self.area._row()
        return QRect(0, round(index * row), self.area.width(), round(row))


def signed(value: float) -> str:
    """A number with its sign; 0 for what rounds to it."""
    if abs(value) < 5e-4:
        return "0"
    text = format_number(abs(value), 3)
    return f"+{text}" if value > 0 else f"−{text}"
