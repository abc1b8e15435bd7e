"""What the tests of plots share."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.widgets.curve_plot import CurvePlot


@pytest.fixture
def plot(qtbot: QtBot) -> CurvePlot:
    made = CurvePlot("Training curves", "step", "loss (nats per token)")
    qtbot.addWidget(made)
    made.resize(800, 500)
    x = np.arange(1, 1001)
    made.set_series("training", x, 6.0 / np.sqrt(x) + 1.2, kind="transformer", smooth=True)
    made.set_series("held-out", [1, 500, 1000], [6.1, 1.6, 1.4], kind="policy")
    with qtbot.waitExposed(made):
        made.show()
    for _ in range(3):  # the numbers take their room when they are painted first
        made.redraw()
        QApplication.processEvents()
    qtbot.waitUntil(lambda: not made.turns.waiting)
    return made
