"""Bars in the colour and pattern of a kind of model."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPen

from gui.colours import SERIES, Colours
from gui.widgets.look import mixed

_PATTERNS = {
    Qt.PenStyle.SolidLine: Qt.BrushStyle.SolidPattern,
    Qt.PenStyle.DashLine: Qt.BrushStyle.NoBrush,
    Qt.PenStyle.DotLine: Qt.BrushStyle.Dense5Pattern,
    Qt.PenStyle.DashDotLine: Qt.BrushStyle.BDiagPattern,
}
"""Bars differ by pattern as lines do by style, so that colour never stands alone."""


def paint_bar(painter: QPainter, rect: QRectF, kind: str, colours: Colours) -> None:
    """One bar in the colour and pattern of a kind of model."""
    colour = colours.series(kind)
    line = SERIES[kind].line if kind in SERIES else Qt.PenStyle.SolidLine
    pattern = _PATTERNS.get(line, Qt.BrushStyle.SolidPattern)
    if pattern != Qt.BrushStyle.SolidPattern:
        painter.fillRect(rect, mixed(colours.color("surface"), colour, 0.28))
    painter.fillRect(rect, QBrush(colour, pattern))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, 1.0))
    painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))
