"""Tables keep every column in view, and a long text within reach."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from gui.rewards.beside import Beside
from gui.rewards.sheet import MOST_LINES, Column, Sheet, shared
from gui.theme import Theme

LONG = "Rule: never tell the colour. The kite is blue. It costs two coins. What colour is it?"
COLUMNS = (
    Column("Prompt", "Held out."),
    Column("Reference", "Before."),
    Column("Policy", "Now."),
    Column("True", "0 … 1."),
)
ROWS = ((LONG, "I must not say.", f"{LONG} {LONG}", 1.0), ("1+1=", "2", "3", -0.0123))


@pytest.fixture
def sheet(look: Theme, qtbot: Any) -> Sheet:
    made = Sheet("Samples")
    qtbot.addWidget(made)
    made.resize(560, 300)
    made.show()
    made.set_table(COLUMNS, ROWS)
    return made


def in_view(sheet: Sheet) -> bool:
    last = sheet.columnCount() - 1
    right = sheet.columnViewportPosition(last) + sheet.columnWidth(last)
    return right <= sheet.viewport().width()


@pytest.mark.parametrize("size", [100, 200])
def test_long_texts_give_way_to_the_other_columns(sheet: Sheet, look: Theme, size: int) -> None:
    look.set_text_size(size)
    assert in_view(sheet)
    assert sheet.wordWrap() and sheet.rowHeight(0) > sheet.rowHeight(1)
    lines = sheet.rowHeight(0) - sheet.rowHeight(1)
    assert lines <= MOST_LINES * sheet.fontMetrics().lineSpacing()
    number = sheet.fontMetrics().horizontalAdvance("−0.0123")
    assert sheet.columnWidth(3) > number
    item = sheet.item(0, 0)
    assert item is not None and LONG in item.toolTip()
    look.set_text_size(100)


def test_columns_follow_the_room_until_one_is_dragged(sheet: Sheet) -> None:
    sheet.resize(1600, 300)
    before = sheet.columnWidth(0)
    sheet.resize(700, 300)
    assert in_view(sheet) and sheet.columnWidth(0) < before
    sheet.setColumnWidth(0, 500)
    sheet.resize(690, 300)
    assert sheet.columnWidth(0) == 500


def test_a_number_that_comes_later_is_not_cut(sheet: Sheet) -> None:
    columns = (Column("x", "A number."),)
    sheet.set_table(columns, ((0.0,),))
    sheet.set_table(columns, ((-123456.0,),))
    assert sheet.columnWidth(0) > sheet.fontMetrics().horizontalAdvance("−123456")
    wide = sheet.columnWidth(0)
    sheet.set_table(columns, ((0.0,),))
    assert sheet.columnWidth(0) == wide  # columns don't jump


def test_widths_are_shared_from_the_widest_down() -> None:
    assert shared([40, 300, 200], [40, 50, 50], 300) == [40, 130, 130]
    assert shared([40, 300], [40, 50], 1000) == [40, 300]
    assert shared([40, 300, 20], [40, 50, 50], 10) == [40, 50, 20]
    assert shared([], [], 10) == []


def test_parts_stand_below_one_another_where_there_is_no_room(look: Theme, qtbot: Any) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    wanted = [300, 500]
    parts = Beside(QWidget(), QWidget(), lambda: (wanted[0], wanted[1]), owner)
    owner.show()
    parts.show()
    parts.resize(1000, 300)
    assert parts.orientation() is Qt.Orientation.Horizontal
    assert parts.sizes()[0] >= 300 and parts.sizes()[1] >= 500
    parts.resize(600, 300)
    assert parts.orientation() is Qt.Orientation.Vertical
    wanted[1] = 200
    parts.share()
    assert parts.orientation() is Qt.Orientation.Horizontal


def test_titles_take_lines_where_columns_are_narrow(look: Theme, qtbot: Any) -> None:
    made = Sheet("Verdicts")
    qtbot.addWidget(made)
    made.resize(880, 300)
    made.show()
    columns = tuple(Column(title, "A criterion.") for title in ("In the task's language",) * 6)
    made.set_table(columns, [("2",) * 6])
    head = made.horizontalHeader()
    one_line = head.fontMetrics().height()
    assert made.columnWidth(0) < head.sectionSizeHint(0), "there is no room for one line"
    qtbot.waitUntil(lambda: in_view(made) and head.height() >= 2 * one_line, timeout=3000)
    made.resize(6 * head.sectionSizeHint(0) + 100, 300)
    qtbot.waitUntil(lambda: head.height() < 2 * one_line)
