"""Where the keyboard leads among chips that flow over lines."""

from __future__ import annotations

from PySide6.QtCore import Qt

from gui.widgets.chip_layout import ChipLayout


def key_target(layout: ChipLayout, at: int, key: int, *, whole: bool, page: int) -> int | None:
    """The chip that a key moves to from chip ``at`` (−1: from nowhere); None for other keys.

    Args:
        layout: where the chips stand.
        at: the chip that the keyboard is on.
        key: a Qt.Key.
        whole: whether Home and End go to the ends of all chips, not of the line.
        page: how many lines Page Up and Page Down go.
    """
    last = len(layout.line) - 1
    if last < 0:
        return None
    line = int(layout.line[at]) if at >= 0 else 0
    match key:
        case Qt.Key.Key_Left:
            return max(0, at - 1)
        case Qt.Key.Key_Right:
            return min(last, at + 1)
        case Qt.Key.Key_Home:
            return 0 if whole else int(layout.first[line])
        case Qt.Key.Key_End:
            return last if whole else int(layout.first[line + 1]) - 1
        case Qt.Key.Key_Up:
            lines = -1
        case Qt.Key.Key_Down:
            lines = 1
        case Qt.Key.Key_PageUp:
            lines = -page
        case Qt.Key.Key_PageDown:
            lines = page
        case _:
            return None
    if at < 0:
        return 0
    middle = float(layout.left[at] + layout.width[at] / 2)
    return layout.nearest(middle, max(0, min(layout.lines - 1, line + lines)))
