"""A curve of any length drawn with a few points per pixel column. No Qt.

Of all points in a pixel column the lowest and the highest are kept, so that no peak is lost; the
polyline covers the pixels of the whole curve to within one column.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def decimate(
    x: Floats, y: Floats, low: float, high: float, columns: int
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """The part of a curve between ``low`` and ``high``, a few points a column.

    Args:
        x: (N,) ascending places.
        y: (N,) values; NaN and infinities are gaps.
        low: left edge of the view. One point beyond each edge is kept, so that lines run
            out of the view.
        high: right edge of the view.
        columns: the view's width in pixels.

    Returns:
        x and y of the points to draw, (M,) with M ≤ 2·columns + 4, and their columns.
    """
    first = max(0, int(np.searchsorted(x, low, side="left")) - 1)
    last = min(len(x), int(np.searchsorted(x, high, side="right")) + 1)
    x, y = x[first:last], y[first:last]
    scale = columns / (high - low) if high > low else 0.0
    column = np.clip((x - low) * scale, -1, columns).astype(np.int64)  # (n,)
    if len(x) <= 2 * columns:
        return x, y, column
    starts = np.flatnonzero(np.concatenate(([True], column[1:] != column[:-1])))  # (C,)
    ends = np.concatenate((starts[1:], [len(x)])) - 1
    finite = np.isfinite(y)
    gaps = not finite.all()  # hardly ever, and the copies they need take a quarter of the time
    lowest = np.minimum.reduceat(np.where(finite, y, np.inf) if gaps else y, starts)  # (C,)
    highest = np.maximum.reduceat(np.where(finite, y, -np.inf) if gaps else y, starts)
    if gaps:
        nothing = ~np.isfinite(lowest)
        lowest[nothing] = highest[nothing] = np.nan  # a column of gaps is a gap
    falls = y[starts] > y[ends]
    kept_y = np.stack((np.where(falls, highest, lowest), np.where(falls, lowest, highest)), axis=1)
    return np.repeat((x[starts] + x[ends]) / 2, 2), kept_y.ravel(), np.repeat(column[starts], 2)


def dashes(columns: npt.NDArray[np.int64], on: int, off: int) -> npt.NDArray[np.int32]:
    """Which points of a dense curve connect to the next, so that it looks dashed: ``on`` pixel
    columns drawn, ``off`` left out. Far cheaper than a dashed pen over thousands of points."""
    return (columns % (on + off) < on).astype(np.int32)
