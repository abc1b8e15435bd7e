"""A whole number is taken as it is typed, or the box says why not."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt

from gui.theme import Theme
from gui.training.whole_box import WholeBox


@pytest.fixture
def box(look: Theme, qtbot: Any) -> WholeBox:
    made = WholeBox(1, 1_000_000, 500)
    qtbot.addWidget(made)
    made.show()
    return made


def write(box: WholeBox, text: str, qtbot: Any) -> None:
    box.lineEdit().selectAll()
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Delete)
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box.lineEdit(), Qt.Key.Key_Return)


@pytest.mark.parametrize("text", ["12.5", "1e9", "-5", "999999999", "", "abc", "nan", "12,5"])
def test_what_cannot_be_taken_stays_and_is_told(box: WholeBox, text: str, qtbot: Any) -> None:
    write(box, text, qtbot)
    assert box.text() == text and box.value() == 500
    assert "whole number from 1 to 1,000,000" in box.problem
    assert box.accessibleDescription() == box.problem
    box.setValue(500)
    assert box.problem == "" and box.text() == "500"


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("1,250", 1250), ("1e3", 1000), ("12.0", 12), ("1 000", 1000)]
)
def test_what_is_a_whole_number_is_taken(box: WholeBox, text: str, value: int, qtbot: Any) -> None:
    with qtbot.waitSignal(box.value_changed, check_params_cb=lambda got: got == value or got):
        write(box, text, qtbot)
    assert box.value() == value and box.text() == f"{value:,}" and box.problem == ""


def test_arrows_step_between_the_bounds(box: WholeBox, qtbot: Any) -> None:
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 501
    box.setValue(10**9)
    assert box.value() == 1_000_000
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 1_000_000
    box.setValue(-3)
    assert box.value() == 1
    write(box, "abc", qtbot)
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert box.value() == 2 and box.text() == "2" and box.problem == ""
