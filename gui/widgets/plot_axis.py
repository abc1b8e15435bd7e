"""The axes of plots: quick to draw, with numbers as people write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.widgets.numbers import format_number, scientific
from gui.widgets.plotting import pg

_EXPONENTS = 307.0
_SHORT, _LONG = 1e4, 1e7
"""Below the one a number is always written out, from the other on never."""


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Places for numbers on a logarithmic axis from 10^low to 10^high, as exponents.

    1, 2 and 5 times each power of ten if at most ``most`` of them are in view, else the powers,
    else every second, third … of them.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    low, high = max(low, -_EXPONENTS), min(high, _EXPONENTS)  # what a number can hold
    decades = range(math.floor(low), math.ceil(high) + 1)
    fine = [d + math.log10(m) for d in decades for m in (1, 2, 5)]
    shown = [place for place in fine if low <= place <= high]
    if len(shown) <= most:
        return shown
    step = max(1, math.ceil((high - low) / max(1, most)))
    return [float(d) for d in decades if d % step == 0 and low <= d <= high]


def _in_one_notation(values: list[float]) -> list[str]:
    """Numbers of an axis: where the largest is long, all but the short ones are powers of ten.

    >>> _in_one_notation([1_000.0, 100_000.0, 20_000_000.0])
    ['1,000', '10⁵', '2×10⁷']
    """
    if max(map(abs, values), default=0.0) < _LONG:
        return [format_number(value, 3) for value in values]
    return [
        format_number(v, 3) if abs(v) < _SHORT else scientific(v).removeprefix("1×") for v in values
    ]


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
        if size <= 0:  # a plot that was given no room yet; pyqtgraph would divide by it
            return []
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
            return _in_one_notation([10.0 ** min(value, _EXPONENTS) for value in values])
        shown = [value * scale for value in values]
        if max(map(abs, shown), default=0.0) >= _LONG:
            return _in_one_notation(shown)
        decimals = max(0, math.ceil(-math.log10(spacing * scale) - 1e-9))
        if decimals > 4:
            return [format_number(value, 3) for value in shown]
        return [f"{value:,.{decimals}f}".replace("-", "−") for value in shown]
