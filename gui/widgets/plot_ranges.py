"""The axes of a plot, and how much of them to show."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from gui.widgets.curves import Curve

Ends = tuple[float, float]
Ranges = tuple[Ends, Ends]
"""Ends of the x axis and of the y axis, in the axes' own units."""


@dataclass
class Axis:
    """An axis: its title and its scale."""

    label: str
    log: bool = False

    def place(self, x: float) -> float:
        """A value in the axis's own unit; NaN for 0 and less on a logarithmic one."""
        if not self.log:
            return x
        return math.log10(x) if x > 0 else math.nan

    def value(self, place: float) -> float:
        """The value at a place of the axis."""
        return 10.0 ** min(place, 300.0) if self.log else place


def fitting(
    curves: Sequence[Curve],
    axis: Axis,
    y: Axis,
    landmarks: Sequence[float],
    width: float | None = None,
) -> Generator[None, None, Ranges | None]:
    """Work out, curve by curve, the ranges that show all of the curves; None if there is nothing
    to be seen.

    Args:
        curves: what is to be shown.
        axis: the x axis.
        y: the y axis.
        landmarks: values that are to be in view too.
        width: show only so much of the x axis, the newest.
    """
    firsts, lasts = [], []
    for curve in curves:
        x = curve.x[curve.x > 0] if axis.log else curve.x
        if len(x):
            firsts.append(axis.place(float(x[0])))
            lasts.append(axis.place(float(x[-1])))
    if not firsts:
        return None
    high = max(lasts)
    low = min(firsts) if width is None else high - width
    if high <= low:
        low, high = low - 0.5, high + 0.5
    ends = axis.value(low - 1e-9), axis.value(high + 1e-9)  # powers of ten are rounded
    values = list(landmarks)
    for curve in curves:
        values += curve.bounds(*ends, above_zero=y.log) or ()
        yield
    places = [place for place in map(y.place, values) if math.isfinite(place)]
    if not places:
        return None
    bottom, top = min(places), max(places)
    room = (top - bottom) * 0.05 or max(abs(top) * 0.05, 0.5)
    return (low, high), (bottom - room, top + room)
