"""A page of numbers on a lab that has no more than it uses."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.compute import ComputeThread
from gui.theme import Theme
from gui.tokenization.numbers_page import NumbersPage


class SmallLab(QObject):
    """What the page asks of the lab."""

    seed_changed = Signal(int)

    def __init__(self, compute: ComputeThread, seed: int = 7) -> None:
        super().__init__()
        self.compute = compute
        self.seed = seed

    def set_seed(self, seed: int) -> None:
        self.seed = seed
        self.seed_changed.emit(seed)


@pytest.fixture(name="lab")
def lab_fixture(compute: ComputeThread) -> SmallLab:
    return SmallLab(compute)


@pytest.fixture(name="page")
def page_fixture(qtbot: QtBot, look: Theme, lab: SmallLab) -> NumbersPage:
    made = NumbersPage(lab)  # type: ignore[arg-type]
    qtbot.addWidget(made)
    made.resize(1280, 720)
    with qtbot.waitExposed(made):
        made.show()
    return made


def turn_wheel(widget: QWidget, point: QPointF, notches: int) -> bool:
    """Turn the wheel over a point of a widget; whether the widget took it."""
    event = QWheelEvent(
        point,
        QPointF(widget.mapToGlobal(point.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def move_mouse(widget: QWidget, point: QPointF) -> None:
    """Move the mouse over a point of a widget."""
    QTest.mouseMove(widget, point.toPoint())
    QApplication.processEvents()
