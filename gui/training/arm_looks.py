"""How the runs of a comparison are told apart: by colour, line and marker together."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt

COLOURS = ("#0072b2", "#c84a00", "#00805d", "#a64d82", "#b36b00", "#3a4a63")
"""From Okabe and Ito's palette, darkened; lightened on dark grounds."""
_LINES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
_MARKERS = ("o", "s", "t", "d", "+", "star")


@dataclass(frozen=True)
class ArmLook:
    """The look of one of several runs."""

    colour: str
    """As "#rrggbb", for light grounds."""
    line: Qt.PenStyle
    marker: str
    """pyqtgraph's symbol."""


def arm_look(index: int) -> ArmLook:
    """The look of the index-th of several runs; 24 are all different."""
    turn = index // len(COLOURS)
    return ArmLook(
        COLOURS[index % len(COLOURS)],
        _LINES[turn % len(_LINES)],
        _MARKERS[index % len(_MARKERS)],
    )
