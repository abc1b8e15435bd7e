"""Chips under the mouse and the keyboard."""

from __future__ import annotations

import html
import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT
from gui.theme import palette
from gui.widgets.chip_text import TokenInfo
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary
from tests.gui.widgets.helpers import has_colour, picture, words


@pytest.fixture
def strip(qtbot: QtBot) -> TokenStrip:
    made = TokenStrip()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.set_tokens(*words("The feral cat attacked my cat. My cat bit the attacking cat."))
    with qtbot.waitExposed(made):
        made.show()
    return made


def middle(strip: TokenStrip, index: int) -> QPoint:
    return strip.chip_rect(index).center().toPoint()


def test_click_selects_and_shift_click_extends(strip: TokenStrip, qtbot: QtBot) -> None:
    with qtbot.waitSignal(strip.selected) as selected:
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=middle(strip, 2))
    assert selected.args == [2]
    with qtbot.waitSignal(strip.selection_changed) as changed:
        qtbot.mouseClick(
            strip.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.ShiftModifier,
            middle(strip, 4),
        )
    assert changed.args == [2, 5]
    assert strip.selected_text() == " cat attacked my"


def test_a_click_beside_the_chips_selects_none(strip: TokenStrip, qtbot: QtBot) -> None:
    strip.select(1)
    below = QPoint(5, strip.viewport().height() - 3)
    with qtbot.waitSignal(strip.selected) as selected:
        qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=below)
    assert selected.args == [-1]
    assert strip.selection() == range(0)


def test_hover_is_told_once_and_taken_back(strip: TokenStrip, qtbot: QtBot) -> None:
    heard: list[int] = []
    strip.hovered.connect(heard.append)
    for position in (middle(strip, 1), middle(strip, 1) + QPoint(1, 0), middle(strip, 3)):
        qtbot.mouseMove(strip.viewport(), position)
    qtbot.mouseMove(strip.viewport(), QPoint(5, strip.viewport().height() - 3))
    assert heard == [1, 3, -1]


def test_keyboard_moves_extends_activates_and_copies(strip: TokenStrip, qtbot: QtBot) -> None:
    strip.setFocus()
    for _ in range(3):
        qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.current() == 2
    qtbot.keyClick(strip, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert strip.selection() == range(2, 4)
    strip.copy()
    assert QGuiApplication.clipboard().text() == " cat attacked"
    strip.copy_ids()
    assert QGuiApplication.clipboard().text() == "2, 3"
    with qtbot.waitSignal(strip.activated) as activated:
        qtbot.keyClick(strip, Qt.Key.Key_Return)
    assert activated.args == [3]
    qtbot.keyClick(strip, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    assert strip.current() == strip.count() - 1
    qtbot.keyClick(strip, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert strip.selection() == range(strip.count())
    qtbot.keyClick(strip, Qt.Key.Key_Escape)
    assert strip.current() == -1
    QToolTip.hideText()


def test_what_hovering_tells(strip: TokenStrip) -> None:
    strip.set_details(lambda i: TokenInfo(count=1200, probability=0.25, rank=3, lines=("hm",)))
    told = strip.info_text(2).split("\n")
    assert told == [
        "\u2068␣cat\u2069",
        "token 3 of 12, id 2",
        "4 bytes: 20 63 61 74",
        "count 1,200",
        "probability 0.250",
        "rank 3",
        "hm",
    ]


def test_the_tooltip_reads_no_markup(strip: TokenStrip, qtbot: QtBot) -> None:
    strip.set_tokens([0], Vocabulary(lambda i: b"<b>bold</b>"))
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert "&lt;b&gt;bold" in QToolTip.text()
    assert "<b>bold" in html.unescape(QToolTip.text())
    QToolTip.hideText()


def test_highlights_by_index_byte_and_id(strip: TokenStrip) -> None:
    strip.highlight([0, 5, 99, -3])
    assert strip.highlighted() == [0, 5]
    assert strip.byte_span(2) == (9, 13)
    strip.highlight_bytes(8, 10)  # the end of " feral" and the start of " cat"
    assert strip.highlighted() == [1, 2]
    strip.highlight_bytes(9, 9)
    assert strip.highlighted() == []
    strip.highlight_id(strip.token_id(2))
    assert strip.highlighted() == [2, 7]
    strip.clear_highlight()
    assert strip.highlighted() == []


def test_an_unknown_token_shows_what_it_replaced(qtbot: QtBot) -> None:
    strip = TokenStrip()
    qtbot.addWidget(strip)
    vocabulary = Vocabulary([b"<unk>", b"cat "].__getitem__, unknown_ids=[0])
    strip.set_tokens([1, 0], vocabulary, byte_spans=[(0, 4), (4, 8)], source=b"cat dogs")
    assert [strip.chip_text(i) for i in range(2)] == ["cat␣", "dogs"]
    assert "not in the vocabulary" in strip.info_text(1)
    strip.select_all()
    assert strip.selected_text() == "cat dogs"


def test_values_fill_chips_and_must_fit(strip: TokenStrip) -> None:
    values = np.full(strip.count(), np.nan)
    values[0] = 1.0
    before = has_colour(picture(strip), LIGHT.heat_color(1.0))
    strip.set_values(values)
    assert not before and has_colour(picture(strip), LIGHT.heat_color(1.0))
    with pytest.raises(ValueError, match="one value for each token"):
        strip.set_values([0.5])


def test_the_theme_recolours_and_text_size_remeasures(strip: TokenStrip) -> None:
    assert has_colour(picture(strip), LIGHT.chip(0))
    strip.setPalette(palette(DARK))
    assert has_colour(picture(strip), DARK.chip(0))
    small = strip.chip_rect(0)
    font = QFont(strip.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    strip.setFont(font)
    large = strip.chip_rect(0)
    assert large.height() > 1.7 * small.height() and large.width() > 1.7 * small.width()


def test_a_far_chip_is_scrolled_into_view(strip: TokenStrip, qtbot: QtBot) -> None:
    ids, vocabulary = words("word and another one " * 500)
    strip.set_tokens(ids, vocabulary)
    last = strip.count() - 1
    assert strip.chip_rect(last).top() > strip.viewport().height()
    strip.select(last)
    shown = strip.chip_rect(last)
    assert shown.top() >= 0 and shown.bottom() <= strip.viewport().height()
    assert strip.chip_at(shown.center().toPoint()) == last
    strip.select(0)
    assert strip.verticalScrollBar().value() <= strip.chip_rect(0).height()


def test_new_tokens_forget_the_selection(strip: TokenStrip, qtbot: QtBot) -> None:
    strip.select(3)
    with qtbot.waitSignals([strip.selected, strip.selection_changed]):
        strip.set_tokens([0], Vocabulary(lambda i: b"x"))
    assert strip.current() == -1


def test_it_grows_with_the_text_up_to_a_bound(strip: TokenStrip) -> None:
    strip.set_visible_lines(1, 3)
    strip.set_tokens([0], Vocabulary(lambda i: b"x"))
    one = strip.sizeHint().height()
    strip.set_tokens([0] * 2000, Vocabulary(lambda i: b"xxxx"))
    many = strip.sizeHint().height()
    assert one < many < 4 * one


def test_no_tokens_show_the_placeholder(strip: TokenStrip) -> None:
    strip.set_tokens([], Vocabulary(lambda i: b""))
    empty = picture(strip)
    strip.set_placeholder("Type a text above.")
    assert picture(strip) != empty
    assert strip.chip_at(QPoint(10, 10)) == -1
    role = QPalette.ColorRole.PlaceholderText
    assert strip.palette().color(role) != strip.palette().color(QPalette.ColorRole.Base)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=12) | st.text(max_size=6).map(str.encode), max_size=60))
def test_chips_of_any_bytes_never_overlap_or_leave_the_view(
    strip: TokenStrip, tokens: list[bytes]
) -> None:
    strip.set_tokens(range(len(tokens)), Vocabulary(tokens.__getitem__))
    rects = [strip.chip_rect(i) for i in range(len(tokens))]
    for a, b in itertools.pairwise(rects):
        assert b.left() >= a.right() or b.top() >= a.bottom()
    for index, rect in enumerate(rects):
        assert rect.left() >= 0 and rect.right() <= strip.viewport().width()
        assert strip.chip_at(QPointF(rect.center()).toPoint()) == index
    strip.viewport().grab()
