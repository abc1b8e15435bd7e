"""Chips on lines: no overlap, order kept, lines as full as they get."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from gui.widgets.chip_keys import key_target
from gui.widgets.chip_layout import ChipLayout, flow

chips = st.lists(st.tuples(st.integers(1, 300), st.booleans()), max_size=80)


def laid_out(tokens: list[tuple[int, bool]], room: float, gap: float) -> ChipLayout:
    widths = np.asarray([w for w, _ in tokens], np.float64)
    return flow(widths, np.asarray([e for _, e in tokens], np.bool_), room, gap)


@given(chips, st.integers(1, 500), st.integers(0, 8))
def test_flow_equals_placing_one_chip_after_another(
    tokens: list[tuple[int, bool]], room: int, gap: int
) -> None:
    layout = laid_out(tokens, room, gap)
    x, line, place = 0.0, 0, []
    for i, (width, _) in enumerate(tokens):
        width = min(width, room)
        if i and (tokens[i - 1][1] or x + width > room):
            x, line = 0.0, line + 1
        place.append((x, line, width))
        x += width + gap
    assert layout.left == pytest.approx([p[0] for p in place], abs=1e-6)
    assert layout.line.tolist() == [p[1] for p in place]
    assert layout.width.tolist() == [p[2] for p in place]
    assert layout.lines == (line + 1 if tokens else 0)


@given(chips, st.integers(50, 500), st.integers(0, 8))
def test_every_chip_is_found_where_it_stands(
    tokens: list[tuple[int, bool]], room: int, gap: int
) -> None:
    layout = laid_out(tokens, room, gap)
    for i in range(len(tokens)):
        middle = float(layout.left[i] + layout.width[i] / 2)
        assert layout.at(middle, int(layout.line[i])) == i
    found = [i for n in range(layout.lines) for i in layout.on_lines(n, n + 1)]
    assert found == list(range(len(tokens)))
    assert layout.at(5.0, layout.lines) is None
    assert layout.at(float(room + gap + 1), 0) is None


@given(chips.filter(bool), st.integers(50, 500), st.data())
def test_keys_lead_to_chips(tokens: list[tuple[int, bool]], room: int, data: st.DataObject) -> None:
    layout = laid_out(tokens, room, 2)
    at = data.draw(st.integers(-1, len(tokens) - 1))
    keys = [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home]
    for key in [*keys, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown]:
        target = key_target(layout, at, key, whole=False, page=3)
        assert target is not None and 0 <= target < len(tokens)
        if at >= 0:
            steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -3}
            steps[Qt.Key.Key_PageDown] = 3
            if key in steps:
                wanted = min(layout.lines - 1, max(0, layout.line[at] + steps[key]))
                assert layout.line[target] == wanted
    assert key_target(layout, at, Qt.Key.Key_Home, whole=True, page=3) == 0
    assert key_target(layout, at, Qt.Key.Key_End, whole=True, page=3) == len(tokens) - 1
    assert key_target(layout, at, Qt.Key.Key_A, whole=False, page=3) is None


def test_no_chips_no_lines() -> None:
    layout = laid_out([], 100, 2)
    assert layout.lines == 0 and layout.nearest(0.0, 0) is None
    assert key_target(layout, -1, Qt.Key.Key_Right, whole=False, page=1) is None
