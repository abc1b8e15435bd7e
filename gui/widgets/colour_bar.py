"""The scale that turns numbers into colours, as a table and as a bar with its numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from gui.colours import Colours
from gui.widgets.look import em
from gui.widgets.numbers import format_number


def colour_table(colours: Colours, signed: bool = False) -> npt.NDArray[np.uint8]:
    """(256, 3) red, green and blue of the theme's scale: from 0 to 1, or signed from −1 to 1."""
    if signed:
        shades = [colours.diverging_color((i - 127.5) / 127.5) for i in range(256)]
    else:
        shades = [colours.heat_color(i / 255) for i in range(256)]
    return np.asarray([(c.red(), c.green(), c.blue()) for c in shades], np.uint8)


def shade(value: float, top: float, signed: bool, colours: Colours) -> QColor:
    """The colour of a value where the scale ends at ±top, or runs from 0 to top."""
    share = 0.0 if top <= 0 else value / top
    return colours.diverging_color(share) if signed else colours.heat_color(share)


def shaded(values: npt.NDArray[np.floating], top: float, signed: bool, colours: Colours) -> QImage:
    """The values (R, C) as a picture of one pixel each; NaN has the colour of 0."""
    scaled = np.nan_to_num(values) / (top or 1.0)
    share = (scaled + 1.0) / 2.0 if signed else scaled
    index = np.clip(np.rint(share * 255), 0, 255).astype(np.int64)
    pixels = np.full((*values.shape, 4), 255, np.uint8)  # (R, C, 4): blue, green, red, unused
    pixels[..., :3] = colour_table(colours, signed)[index][..., ::-1]
    rows, columns = values.shape
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32).copy()


def paint_colour_bar(
    painter: QPainter,
    rect: QRectF,
    colours: Colours,
    low: float,
    high: float,
    *,
    signed: bool = False,
    upright: bool = True,
) -> None:
    """Paint the scale with the numbers at its ends (and 0 in the middle, where it is signed).

    Args:
        painter: in whose font and pen the numbers are written.
        rect: upright, the greatest is at the top; else at the right.
        low: the number of the first colour; ``−high`` where it is signed.
        high: the number of the last colour.
    """
    line = em(painter.font())
    flags = Qt.AlignmentFlag
    table = colour_table(colours, signed)
    numbers = [format_number(low, 3), format_number(high, 3)]
    if upright:
        centre = flags.AlignHCenter.value
        painter.drawText(rect, centre | flags.AlignTop.value, numbers[1])
        painter.drawText(rect, centre | flags.AlignBottom.value, numbers[0])
        left, height = rect.center().x() - line * 0.4, rect.height() - line * 2.4
        bar = QRectF(left, rect.top() + line * 1.2, line * 0.8, height)
        table = table[::-1]
    else:
        metrics = painter.fontMetrics()
        widths = [metrics.horizontalAdvance(number) + line * 0.4 for number in numbers]
        bar = rect.adjusted(widths[0], line * 0.1, -widths[1], -line * 0.1)
        middle = flags.AlignVCenter.value
        painter.drawText(rect, middle | flags.AlignLeft.value, numbers[0])
        painter.drawText(rect, middle | flags.AlignRight.value, numbers[1])
    pixels = np.full((256, 4), 255, np.uint8)
    pixels[:, :3] = table[:, ::-1]
    shape = (1, 256) if upright else (256, 1)
    image = QImage(pixels.data, *shape, 4 * shape[0], QImage.Format.Format_RGB32).copy()
    painter.drawImage(bar, image)
    if signed and not upright:
        painter.save()
        painter.setPen(colours.color("text"))
        painter.drawText(bar, flags.AlignCenter.value, "0")
        painter.restore()
