"""Fields: the wheel turns none that passes by, and a bad number moves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.theme import Theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.number_field import NumberField
from tests.gui.conftest import flush_deletes


def roll(widget: QWidget, down: int = 3) -> None:
    """Turn the wheel by so many notches towards oneself, the pointer in a widget's middle. The
    event goes in where the system's do, so that Qt passes it on as it does theirs."""
    window = widget.window()
    middle = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(middle), QPoint(0, -120 * down))
    QApplication.processEvents()


@pytest.fixture
def area(look: Theme, qtbot: QtBot) -> QScrollArea:
    """A page of fields, twice as high as its window."""
    made = QScrollArea()
    made.setWidgetResizable(True)
    page = QWidget()
    column = QVBoxLayout(page)
    box, choice, slider = QSpinBox(), QComboBox(), QSlider(Qt.Orientation.Horizontal)
    box.setRange(-100, 100)
    choice.addItems(["one", "two", "three"])
    choice.setCurrentIndex(1)
    slider.setValue(50)
    field = NumberField("weight", 0, low=-5, high=5, step=0.1)
    for widget in (box, choice, slider, field):
        column.addWidget(widget)
    page.setMinimumHeight(800)
    made.setWidget(page)
    made.resize(300, 400)
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    qtbot.waitExposed(made)
    qtbot.waitUntil(made.hasFocus)
    return made


def the(area: QScrollArea, kind: Any) -> Any:
    """The page's one widget of a kind."""
    found = area.findChild(kind)
    assert found is not None
    return found


def values(area: QScrollArea) -> tuple[object, ...]:
    return (
        the(area, QSpinBox).value(),
        the(area, QComboBox).currentIndex(),
        the(area, QSlider).value(),
        the(area, NumberField).value(),
    )


@pytest.mark.parametrize("size", [100, 200])
def test_the_wheel_scrolls_the_page_and_changes_no_field_on_its_way(
    area: QScrollArea, look: Theme, size: int
) -> None:
    look.set_text_size(size)  # another style, which guards the same fields
    before, bar = values(area), area.verticalScrollBar()
    field = the(area, NumberField)
    for kind in (QSpinBox, QComboBox, QSlider):
        widget = the(area, kind)
        assert widget.focusPolicy() != Qt.FocusPolicy.WheelFocus
        bar.setValue(0)
        roll(widget)
        assert bar.value() > 0 and values(area) == before
    for widget in (field.box, field.box.lineEdit()):
        bar.setValue(0)
        roll(widget)
        assert bar.value() > 0 and values(area) == before


def test_the_wheel_turns_the_field_that_has_the_focus(area: QScrollArea, qtbot: QtBot) -> None:
    field = the(area, NumberField)
    field.box.setFocus()
    qtbot.waitUntil(field.box.hasFocus)
    roll(field.box)
    assert field.value() == pytest.approx(-0.3) and area.verticalScrollBar().value() == 0


@pytest.fixture
def row(look: Theme, qtbot: QtBot) -> FlowRow:
    made = FlowRow()
    for name in ("first", "second", "third"):
        made.add(NumberField(name, 1, low=0, high=12, whole=name == "third", parent=made))
    made.resize(400, 200)
    qtbot.addWidget(made)
    made.show()
    return made


def places(row: FlowRow) -> list[Any]:
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
    return [f.geometry() for f in row.findChildren(NumberField)]


def test_a_bad_number_moves_nothing_and_is_told_below(row: FlowRow) -> None:
    before, height = places(row), row.heightForWidth(400)
    first, second, third = row.findChildren(NumberField)
    for field in (first, third):
        field.box.lineEdit().setText("x")
        assert field.problem.isVisible() and "not a number" in field.problem.text()
        assert places(row) == before and row.heightForWidth(400) == height
        told = field.problem
        assert told.mapTo(row, QPoint()).y() >= field.geometry().bottom()
        assert row.rect().contains(told.geometry())
        field.box.lineEdit().setText("2")
        assert not told.isVisible()
    # It goes where its field goes, and goes with it.
    second.box.lineEdit().setText("99")
    left = second.problem.x()
    second.move(second.x() + 40, second.y())
    assert second.problem.x() == left + 40
    second.hide()
    assert not second.problem.isVisible()
    second.show()
    assert second.problem.isVisible()
    told = second.problem
    told.destroyed.connect(lambda: gone.append(True))
    gone: list[bool] = []
    second.deleteLater()
    flush_deletes()
    assert gone


def test_a_whole_number_is_asked_for_where_one_is_needed(row: FlowRow) -> None:
    first, _, third = row.findChildren(NumberField)
    for text in ("", "x"):
        assert third.read(text) == (None, "This is not a number. Write a whole number, like 12.")
        assert "0.001" in first.read(text)[1]
