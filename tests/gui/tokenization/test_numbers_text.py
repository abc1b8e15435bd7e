"""The text beside its code points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot

from gui.tokenization.numbers.codes import CodeGrid, name_of, visible
from gui.tokenization.numbers.model import MAX_TEXT
from gui.tokenization.numbers.text_pane import EXAMPLES, TextPane
from gui.tokenization.numbers_page import NumbersPage
from tests.gui.tokenization.numbers_lab import lab_fixture, move_mouse, page_fixture  # noqa: F401


@pytest.fixture
def pane(page: NumbersPage, qtbot: QtBot) -> TextPane:
    qtbot.mouseClick(page.parts.button(2), Qt.MouseButton.LeftButton)
    return page.text


def test_typing_shows_pythons_own_numbers(
    page: NumbersPage,
    pane: TextPane,
    qtbot: QtBot,
) -> None:
    pane.editor.selectAll()
    qtbot.keyClicks(pane.editor, "cat ")
    pane.editor.insertPlainText("é")
    assert page.model.text == "cat é"
    assert pane.grid.points.tolist() == [ord(c) for c in "cat é"]
    assert pane.shape.text().startswith("5 characters = 5 numbers, here from 32 to 233")
    pane.editor.clear()
    assert pane.grid.points.tolist() == []
    assert pane.shape.text().startswith("There is no text yet")
    qtbot.keyClicks(pane.editor, "a")
    assert pane.shape.text().startswith("1 character = 1 number, here from 97 to 97")


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_examples(
    pane: TextPane,
    qtbot: QtBot,
    index: int,
) -> None:
    qtbot.mouseClick(pane.examples[index], Qt.MouseButton.LeftButton)
    assert pane.grid.points.tolist() == [ord(c) for c in EXAMPLES[index]]


def marked(editor: QPlainTextEdit) -> list[str]:
    return [mark.cursor.selectedText() for mark in editor.extraSelections()]


def test_a_cell_and_its_character_light_up_together(
    pane: TextPane,
    qtbot: QtBot,
) -> None:
    text = "a👩\u200d🚀我"
    pane.editor.setPlainText(text)
    for index, character in enumerate(text):
        point = pane.grid.cell_rect(index).center()
        move_mouse(pane.grid.viewport(), point)
        assert pane.grid.at == index
        assert marked(pane.editor) == [character]
        assert pane.readout.text() == (
            f"Character {index + 1} of 5: number {ord(character):,} = {name_of(ord(character))}"
        )
    pane.grid.setFocus()
    qtbot.keyClick(pane.grid, Qt.Key.Key_Left)
    assert pane.grid.at == 3
    pane.editor.setFocus()
    qtbot.keyClick(pane.editor, Qt.Key.Key_End)
    assert pane.grid.at == 4
    pane.editor.setPlainText("")
    assert pane.grid.at == -1
    assert marked(pane.editor) == []


def test_the_keyboard_walks_a_long_text_into_view(
    pane: TextPane,
    qtbot: QtBot,
) -> None:
    pane.editor.setPlainText("abcdefghij" * 190)
    grid = pane.grid
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    for _ in range(40):
        qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.at == 40 * grid.per_line()
    assert grid.viewport().rect().adjusted(0, -1, 0, 1).contains(grid.cell_rect(grid.at).toRect())
    assert grid.index_at(grid.cell_rect(grid.at).center().toPoint()) == grid.at


def test_a_book_is_not_pasted_whole(pane: TextPane) -> None:
    book = QMimeData()
    book.setText("x" * 10_000_000)
    pane.editor.clear()
    pane.editor.insertFromMimeData(book)
    assert len(pane.grid.points) == MAX_TEXT
    assert pane.message.isVisible()
    assert pane.message.text() == "This field takes 2,000 characters; what is beyond was left out."


def test_hostile_characters_are_shown_and_named(
    pane: TextPane,
    qtbot: QtBot,
) -> None:
    pane.editor.setPlainText("<b>&amp;\u202e\u0301\x07\n\t\u00a0\U000e0001")
    for index in range(len(pane.grid.points)):
        pane.grid.point(index)
    pane.grab()
    assert "<" in [visible(c) for c in "<b>"]
    assert visible("\u0301") == "◌\u0301"
    assert visible("\u202e") == "▯"
    assert visible("\n") == "⏎"
    assert name_of(7) == "U+0007 control character"
    assert name_of(0xD800) == "U+D800, which is no character"
    assert name_of(0x378) == "U+0378, which is no character"
    assert name_of(ord("我")).startswith("U+6211 CJK UNIFIED IDEOGRAPH")


def test_clicks_beside_the_characters_point_at_none(qtbot: QtBot, look: object) -> None:
    grid = CodeGrid("numbers")
    qtbot.addWidget(grid)
    grid.resize(300, 200)
    grid.set_points(np.array([65, 66, 67]))
    with qtbot.waitExposed(grid):
        grid.show()
    QTest.mouseClick(
        grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell_rect(1).center().toPoint()
    )
    assert grid.at == 1
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(290, 190))
    assert grid.at == -1
    assert grid.index_at(QPointF(grid.cell_rect(3).center()).toPoint()) == -1


def test_the_numbers_are_saved_with_their_names(
    pane: TextPane,
    tmp_path: Path,
) -> None:
    pane.editor.setPlainText("é,")
    pane.export.wanted.emit("csv", str(tmp_path / "t.csv"))
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "character,number,name",
        "1,233,U+00E9 LATIN SMALL LETTER E WITH ACUTE",
        "2,44,U+002C COMMA",
    ]
    pane.export.wanted.emit("png", str(tmp_path / "t.png"))
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
