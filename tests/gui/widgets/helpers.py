"""What several widget tests need."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from gui.widgets.token_text import Vocabulary


def words(text: str) -> tuple[list[int], Vocabulary]:
    """A text cut before each space, as ids and a vocabulary."""
    tokens = text.replace(" ", "\0 ").split("\0")
    table = list(dict.fromkeys(tokens))
    return [table.index(t) for t in tokens], Vocabulary(lambda i: table[i].encode())


def picture(widget: QWidget) -> QImage:
    """What the widget looks like now."""
    return widget.grab().toImage()


def has_colour(image: QImage, colour: QColor, tolerance: int = 4) -> bool:
    """Whether any pixel has (nearly) this colour."""
    return any(
        abs(c.red() - colour.red()) <= tolerance
        and abs(c.green() - colour.green()) <= tolerance
        and abs(c.blue() - colour.blue()) <= tolerance
        for x in range(image.width())
        for y in range(0, image.height(), 3)
        for c in [image.pixelColor(QPoint(x, y))]
    )
