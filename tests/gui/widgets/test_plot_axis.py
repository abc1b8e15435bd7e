"""Axes of a plot that has hardly any room."""

from __future__ import annotations

from typing import Any

import pytest

from gui.theme import Theme
from gui.widgets.curve_plot import CurvePlot


@pytest.mark.parametrize("log", [False, True])
def test_a_plot_without_room_is_painted(qtbot: Any, look: Theme, log: bool) -> None:
    """An exception while painting would end the app."""
    plot = CurvePlot("Empty", "x", "y")
    qtbot.addWidget(plot)
    plot.set_log_x(log)
    plot.set_series("a", [1.0, 2.0], [1.0, 2.0])
    plot.resize(300, 200)
    plot.show()
    for width, height in ((0, 0), (1, 200), (300, 1)):
        plot.view.setFixedSize(width, height)
        plot.redraw()
        assert not plot.view.grab().isNull() or 0 in (width, height)
    axis = plot.view.getPlotItem().getAxis("left")
    assert axis.tickValues(0.0, 1.0, 0.0) == []
