"""Own text: plain whatever comes, settled once typing pauses."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from pytestqt.qtbot import QtBot

from gui.widgets.plain_text_input import PlainTextInput


@pytest.fixture
def field(qtbot: QtBot) -> PlainTextInput:
    made = PlainTextInput(name="Your text", placeholder="Type here.", limit=1000)
    qtbot.addWidget(made)
    made.show()
    return made


def test_typing_settles_once(field: PlainTextInput, qtbot: QtBot) -> None:
    heard: list[str] = []
    field.text_settled.connect(heard.append)
    with qtbot.waitSignal(field.text_settled):
        qtbot.keyClicks(field, "hello cat")
        assert heard == []
    assert heard == ["hello cat"]
    field.settle()
    assert heard == ["hello cat"]
    assert field.counts() == (9, 9)


def test_formatting_is_left_behind(field: PlainTextInput, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setHtml("<b>bold</b>")
    mime.setText("<i>as it is</i>")
    QGuiApplication.clipboard().setMimeData(mime)
    qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "<i>as it is</i>"
    field.settle()


@pytest.mark.parametrize(
    "text",
    [
        "a\u00a0b",  # a no-break space stays one
        "tab\there\nand there",
        "שלום \u202eabc",
        "👩\u200d🚀 e\u0301",
        "line\u2028separator",
        "",
    ],
)
def test_the_text_comes_back_as_it_went_in(field: PlainTextInput, text: str) -> None:
    field.set_text(text)
    assert field.text() == text


def test_a_soft_line_break_is_a_newline(field: PlainTextInput, qtbot: QtBot) -> None:
    qtbot.keyClicks(field, "a")
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(field, "b")
    assert field.text() == "a\nb"
    field.settle()


def test_set_text_settles_at_once_and_can_be_undone(field: PlainTextInput, qtbot: QtBot) -> None:
    field.set_text("first")
    with qtbot.waitSignal(field.text_settled) as settled:
        field.set_text("second")
    assert settled.args == ["second"]
    field.undo()
    assert field.text() == "first"
    field.settle()


def test_a_huge_paste_is_offered_as_a_corpus(field: PlainTextInput, qtbot: QtBot) -> None:
    field.set_text("before")
    QGuiApplication.clipboard().setText("x" * 1001)
    with qtbot.waitSignal(field.too_large) as large:
        field.paste()
    assert len(large.args[0]) == 1001 and field.text() == "before"


def test_a_dropped_file_is_told_not_opened(
    field: PlainTextInput, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "own.txt"
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    assert field.canInsertFromMimeData(mime)
    drop = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(field.file_dropped) as dropped:
        field.dropEvent(drop)
    assert Path(dropped.args[0]) == path and field.text() == ""


def test_tab_leads_on(field: PlainTextInput) -> None:
    assert field.tabChangesFocus() and field.accessibleName() == "Your text"


def test_a_full_field_takes_no_more_but_a_replacement(field: PlainTextInput, qtbot: QtBot) -> None:
    field.set_text("x" * 999)
    qtbot.keyClicks(field, "yz")
    assert field.text() == "y" + "x" * 999
    for key in (Qt.Key.Key_Z, Qt.Key.Key_Return):
        with qtbot.waitSignal(field.too_large) as large:
            qtbot.keyClick(field, key)
        assert large.args == [""] and len(field.text()) == 1000
    field.selectAll()
    qtbot.keyClicks(field, "new")
    assert field.text() == "new"
    field.insert_what_fits("." * 5000)
    assert field.text() == "new" + "." * 997
    field.settle()


def test_lone_surrogates_become_replacement_characters(field: PlainTextInput) -> None:
    field.set_text("a\ud800b\udfff")
    assert field.text() == "a\ufffdb\ufffd"


def test_a_place_lights_up_and_stays_inside_the_text(field: PlainTextInput) -> None:
    field.set_text("a😀b")
    field.mark(1, 3)  # the emoji takes two units of UTF-16
    assert [s.cursor.selectedText() for s in field.extraSelections()] == ["😀"]  # type: ignore[attr-defined]
    field.mark(3, 99)
    assert [s.cursor.selectedText() for s in field.extraSelections()] == ["b"]  # type: ignore[attr-defined]
    field.mark(2, 2)
    assert field.extraSelections() == []


def test_a_field_of_some_lines_keeps_to_them(qtbot: QtBot) -> None:
    one, three = PlainTextInput(lines=1), PlainTextInput(lines=3)
    for made in (one, three):
        qtbot.addWidget(made)
    line = three.fontMetrics().lineSpacing()
    assert three.minimumHeight() == three.maximumHeight() == three.sizeHint().height()
    assert abs(three.height() - one.height() - 2 * line) <= 2
    font = three.font()
    font.setPointSizeF(2 * font.pointSizeF())
    three.setFont(font)
    assert three.minimumHeight() > 5 * line
