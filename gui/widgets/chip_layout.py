"""Where chips stand when they flow over lines like words. No Qt: widths in, places out.

Ten kilobytes of text make several thousand chips, laid out again at every key press, so the
work is done on arrays: one running sum of widths, then one binary search a line.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ChipLayout:
    """The places of N chips on L lines."""

    left: Floats  # (N,) x of each chip's left edge, from 0
    width: Floats  # (N,) width of each chip, none wider than the line
    line: Indexes  # (N,) the line each chip stands on
    first: Indexes  # (L + 1,) index of each line's first chip; the last entry is N

    @property
    def lines(self) -> int:
        """L, the number of lines; 0 without chips."""
        return len(self.first) - 1

    def on_lines(self, start: int, stop: int) -> range:
        """The chips on the lines from ``start`` up to but without ``stop``."""
        start, stop = max(0, start), min(self.lines, stop)
        if start >= stop:
            return range(0)
        return range(int(self.first[start]), int(self.first[stop]))

    def at(self, x: float, line: int) -> int | None:
        """The chip at ``x`` on a line, or None between and behind chips."""
        nearest = self.nearest(x, line)
        if (
            nearest is None
            or not self.left[nearest] <= x <= self.left[nearest] + self.width[nearest]
        ):
            return None
        return nearest

    def nearest(self, x: float, line: int) -> int | None:
        """The chip on a line whose left edge is the last at or before ``x``, or its first."""
        chips = self.on_lines(line, line + 1)
        if not chips:
            return None
        behind = int(np.searchsorted(self.left[chips.start : chips.stop], x, side="right"))
        return chips.start + max(0, behind - 1)


def flow(
    widths: Floats, ends_line: npt.NDArray[np.bool_], line_width: float, gap: float
) -> ChipLayout:
    """Fill lines from left to right, as full as they get.

    Args:
        widths: (N,) natural width of each chip; wider ones are cut to the line's.
        ends_line: (N,) whether a new line starts behind the chip (it holds a newline).
        line_width: the room on one line, in the same unit.
        gap: the room between two chips.
    """
    count = len(widths)
    line_width = max(line_width, 1.0)
    width = np.minimum(np.asarray(widths, dtype=np.float64), line_width)  # (N,)
    # end[i]: where chip i would end, gap included, if all chips stood on one line
    end = np.cumsum(width + gap)  # (N,)
    ends = end.tolist()
    breaks = (np.flatnonzero(ends_line) + 1).tolist()
    firsts = [0]
    start, next_break = 0, 0
    while start < count:
        offset = ends[start - 1] if start else 0.0
        # A little slack, so that the running sum's rounding can't push out a chip that fits.
        stop = max(start + 1, bisect_right(ends, offset + line_width + gap + 1e-6, start))
        while next_break < len(breaks) and breaks[next_break] <= start:
            next_break += 1
        if next_break < len(breaks) and breaks[next_break] < stop:
            stop = breaks[next_break]
        firsts.append(stop)
        start = stop
    first = np.asarray(firsts, dtype=np.int64)  # (L + 1,)
    line = np.repeat(np.arange(len(first) - 1), np.diff(first))  # (N,)
    before = np.concatenate(([0.0], end))  # (N + 1,)
    left = before[:-1] - before[first[:-1]][line] if count else np.empty(0)
    return ChipLayout(left, width, line, first)
