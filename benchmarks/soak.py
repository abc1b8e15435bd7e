"""A long run of training with the window open: does memory stay flat, does the window stay awake?

Half an hour, or NEXT_TOKEN_LAB_SOAK_MINUTES. Runs only when asked for by name:
``python -m benchmarks --only soak``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.row import Row
from benchmarks.window import figures_of, row

VARIABLE = "NEXT_TOKEN_LAB_SOAK_MINUTES"
MINUTES = 30.0
SETTLED_AFTER = 0.25
"""The share of the run in which caches fill and pools grow; memory is watched after it."""
GROWTH_MB = 15.0
"""What memory may grow by in half an hour; curves and records take about a third of it."""


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """Megabytes a minute: the line of least squares through (seconds, megabytes)."""
    seconds, megabytes = np.array(samples).T
    return float(np.polyfit(seconds / 60, megabytes, 1)[0])


def soak(_: Path | None) -> list[Row]:
    """Train on and on.

    Raises:
        ValueError: if the environment's length is no number above 0.
    """
    minutes = float(os.environ.get(VARIABLE, MINUTES))
    if not 0 < minutes < 24 * 60:
        raise ValueError(f"{VARIABLE} must be a number of minutes above 0")
    figures = figures_of("window_life", "soak", str(60 * minutes))
    resident = [(float(t), float(mb)) for t, mb in figures["resident_mb"]]
    settled = [s for s in resident if s[0] >= SETTLED_AFTER * 60 * minutes]
    first, last = settled[0][1], settled[-1][1]
    note = (
        f"{minutes:g} minutes, {figures['steps']:,} steps; {first:.0f} MB after a quarter of it, "
        f"{last:.0f} MB at the end, {max(mb for _, mb in resident):.0f} MB at most"
    )
    memory = row(
        "soak-memory",
        "growth of resident memory, after the first quarter",
        slope(settled),
        "MB/min",
        GROWTH_MB / 30,
    )
    worst = np.array(figures["worst_ms"])
    return [
        Row(**{**vars(memory), "note": note}),
        row("soak-gap", f"event-loop gap, longest in {minutes:g} minutes", worst.max(), "ms", 100),
    ]


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {"soak": soak}
