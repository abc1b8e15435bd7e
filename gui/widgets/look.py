"""Measures and colours that widgets take from their own font and palette."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPalette

from gui.colours import DARK, LIGHT, Colours, contrast


def em(font: QFont) -> float:
    """The unit of every measure that text must fit into: the font's height in pixels."""
    return QFontMetricsF(font).height()


def colours_of(palette: QPalette) -> Colours:
    """The theme's colours that go with a widget's palette: dark if its text is the lighter."""
    text = palette.color(QPalette.ColorRole.WindowText)
    ground = palette.color(QPalette.ColorRole.Window)
    return DARK if text.lightnessF() > ground.lightnessF() else LIGHT


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """``first`` with a ``share`` (0 … 1) of ``second`` mixed in."""
    kept = 1.0 - share
    return QColor.fromRgbF(
        first.redF() * kept + second.redF() * share,
        first.greenF() * kept + second.greenF() * share,
        first.blueF() * kept + second.blueF() * share,
    )


def readable_on(ground: QColor) -> QColor:
    """Black or white, whichever has the higher contrast with the ground."""
    black, white = QColor("black"), QColor("white")
    return black if contrast(black, ground) >= contrast(white, ground) else white
