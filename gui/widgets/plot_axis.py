"""The axes of plots: quick to draw, with numbers as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.widgets.numbers import format_number
from gui.widgets.plotting import pg


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Places for numbers on a logarithmic axis from 10^low to 10^high, as exponents.

    1, 2 and 5 times each power of ten if at most ``most`` of them are in view, else the powers,
    else every second, third … of them.
    """
    decades = range(math.floor(low), math.ceil(high) + 1)
    fine = [d + math.log10(m) for d in decades for m in (1, 2, 5)]
    shown = [place for place in fine if low <= place <= high]
    if len(shown) <= most:
        return shown
    step = max(1, math.ceil((high - low) / max(1, most)))
    return [float(d) for d in decades if d % step == 0 and low <= d <= high]


class DirectAxis(pg.AxisItem):  # type: ignore[misc]
    """An axis that draws its ticks and numbers straight to the screen.

    pyqtgraph records them into a QPicture; playing that back takes 10 ms an axis at every
    repaint (the text is scaled anew each time), drawing them takes a tenth of a millisecond.
    """

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.picture: Any = None
        self.numbered = True
        self._ticks: tuple[tuple[Any, ...], list[tuple[float, list[float]]]] | None = None
        self.enableAutoSIPrefix(False)

    def set_numbered(self, numbered: bool) -> None:
        """Whether ticks have numbers: where there is nothing to measure, they would be made up."""
        if numbered != self.numbered:
            self.numbered = numbered
            self.picture = None
            self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self.style["tickFont"] is not None:
            painter.setFont(self.style["tickFont"])
        # ``picture`` is what pyqtgraph empties when the ticks are out of date.
        if self.picture is None:
            self.picture = (self.generateDrawSpecs(painter),)
        (specs,) = self.picture
        if specs is not None:
            self.drawPicture(painter, *specs)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if not self.logMode:
            # The axis and the grid ask for the same ones at every repaint.
            asked = (low, high, size, self._tickLevels, self._tickSpacing)
            if self._ticks is None or self._ticks[0] != asked:
                self._ticks = asked, super().tickValues(low, high, size)
            return self._ticks[1]
        font = self.style["tickFont"]
        room = QFontMetricsF(font).horizontalAdvance("1,000,000") if font is not None else 60.0
        if self.orientation == "left":
            room = QFontMetricsF(font).height() * 2 if font is not None else 30.0
        return [(1.0, log_ticks(low, high, max(2, int(size / room))))]

    def tickStrings(self, values: Iterable[float], scale: float, spacing: float) -> list[str]:
        if not self.numbered:
            return ["" for _ in values]
        if self.logMode:
            return [format_number(10.0**value, 3) for value in values]
        decimals = max(0, math.ceil(-math.log10(spacing * scale) - 1e-9))
        if decimals > 4:
            return [format_number(value * scale, 3) for value in values]
        return [f"{value * scale:,.{decimals}f}".replace("-", "−") for value in values]
