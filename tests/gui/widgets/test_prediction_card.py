"""Predict, lock in, reveal: the card's states and its score."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from gui.widgets.prediction_card import SKIPPED, PredictionCard, Question

POSED = Question("Which stands more often?", ("a & b", "c"), 1, "It stands twice.", "Next: d")
CHOICES = ["a + t", "␣ + c", "<b>h</b> & e"]


@pytest.fixture
def card(qtbot: QtBot) -> PredictionCard:
    made = PredictionCard()
    qtbot.addWidget(made)
    made.resize(500, 260)
    made.ask("Which pair is merged next?", CHOICES)
    qtbot.waitExposed(made)
    return made


def button(card: PredictionCard, index: int) -> QAbstractButton:
    return card._group.button(index)


def test_a_mouse_predicts_right(card: PredictionCard, qtbot: QtBot) -> None:
    assert card.state == "asking" and not card.lock_button.isEnabled()
    qtbot.mouseClick(button(card, 1), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(card, 2), Qt.MouseButton.LeftButton)
    assert card.choice() == 2
    assert [button(card, i).text()[0] for i in range(3)] == ["○", "○", "●"]
    with qtbot.waitSignal(card.locked) as locked:
        qtbot.mouseClick(card.lock_button, Qt.MouseButton.LeftButton)
    assert locked.args == [2] and card.state == "locked"
    with qtbot.waitSignal(card.scored) as scored:
        card.reveal(2, "It is the most frequent pair.")
    assert scored.args == [True] and card.score == (1, 1)
    assert card.verdict.text() == "Right. It is the most frequent pair."
    assert button(card, 2).text() == "✓ <b>h</b> && e"
    assert card.score_label.text() == "1 of 1 right so far"


def test_a_locked_choice_cannot_be_changed(card: PredictionCard, qtbot: QtBot) -> None:
    card.choose(0)
    card.lock()
    card.choose(1)
    qtbot.keyClick(card, Qt.Key.Key_2)
    assert card.choice() == 0
    assert button(card, 1).testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    card.reveal([1, 2], "Both are equally frequent.")
    assert card.score == (0, 1)
    assert card.verdict.text().startswith("Not quite.")
    assert [button(card, i).text()[0] for i in range(3)] == ["✕", "✓", "✓"]
    card.reveal(0, "again")
    assert card.score == (0, 1)


def test_the_keyboard_alone_is_enough(card: PredictionCard, qtbot: QtBot) -> None:
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Return)
    assert card.state == "asking"
    qtbot.keyClick(card, Qt.Key.Key_9)
    assert card.choice() is None
    qtbot.keyClick(card, Qt.Key.Key_2)
    with qtbot.waitSignal(card.locked) as locked:
        qtbot.keyClick(card, Qt.Key.Key_Return)
    assert locked.args == [1]


def test_skipping_costs_nothing(card: PredictionCard, qtbot: QtBot) -> None:
    card.setFocus()
    with qtbot.waitSignal(card.skipped):
        qtbot.keyClick(card, Qt.Key.Key_Escape)
    assert card.isHidden() and card.score == (0, 0)
    card.reveal(0, "too late")
    assert card.score == (0, 0)


def test_the_score_runs_on_over_questions(card: PredictionCard) -> None:
    for answer in (0, 1, 0):
        card.ask("Again?", CHOICES)
        card.choose(0)
        card.lock()
        card.reveal(answer, "")
    assert card.score == (2, 3)
    card.reset_score()
    assert card.score == (0, 0) and card.score_label.text() == ""


def test_a_question_needs_choices(card: PredictionCard) -> None:
    with pytest.raises(ValueError, match="two choices"):
        card.ask("?", ["only one"])


def test_nothing_is_revealed_before_it_is_locked_in(card: PredictionCard) -> None:
    card.choose(0)
    card.reveal(0, "early")
    assert card.state == "asking" and card.verdict.isHidden()


def test_parts_do_not_overlap(card: PredictionCard, qtbot: QtBot) -> None:
    card.choose(1)
    card.lock()
    card.reveal(0, "A sentence long enough to need more than one line in a card this narrow. " * 2)
    card.resize(320, 10)
    verdict = card.verdict
    qtbot.waitUntil(lambda: verdict.height() >= verdict.heightForWidth(verdict.width()))
    for above, below in pairwise([card.question, card._row, verdict]):
        assert above.geometry().bottom() < below.geometry().top()
    assert card.rect().contains(card.skip_button.parentWidget().geometry())


def test_one_click_answers_a_posed_question(card: PredictionCard, qtbot: QtBot) -> None:
    card.pose(POSED, "Predict first · 1 of 3")
    assert card.open and card.title.isVisible() and card.show_button.isVisible()
    assert not card.lock_button.isVisible() and not card.next_button.isVisible()
    assert [b.text() for b in card.buttons] == ["a && b", "c"]
    told: list[object] = []
    for signal in (card.locked, card.scored, card.answered):
        signal.connect(told.append)
    qtbot.mouseClick(card.buttons[0], Qt.MouseButton.LeftButton)
    assert told == [0, False, 0] and [type(value) for value in told] == [int, bool, int]
    assert [b.text() for b in card.buttons] == ["✕ a && b", "✓ c"]
    assert card.verdict.text() == "Not quite. It stands twice." and card.verdict.isVisible()
    assert card.accessibleDescription() == card.verdict.text()
    assert card.score == (0, 1) and not card.open
    qtbot.mouseClick(card.buttons[1], Qt.MouseButton.LeftButton)  # too late
    assert card.score == (0, 1)
    with qtbot.waitSignal(card.onward):
        qtbot.mouseClick(card.next_button, Qt.MouseButton.LeftButton)


def test_posed_questions_by_keyboard_alone(card: PredictionCard, qtbot: QtBot) -> None:
    card.pose(POSED)
    card.setFocus()
    qtbot.keyClick(card, Qt.Key.Key_Return)
    assert card.open  # nothing is chosen yet
    qtbot.keyClick(card, Qt.Key.Key_2)
    assert card.verdict.text().startswith("Right.") and card.next_button.hasFocus()
    with qtbot.waitSignal(card.onward):
        qtbot.keyClick(card.next_button, Qt.Key.Key_Return)
    assert card.title.text() == "Predict first"
    card.pose(POSED)
    assert card.buttons[0].hasFocus()
    qtbot.keyClick(card.buttons[0], Qt.Key.Key_Right)
    assert card.open and card.buttons[1].hasFocus()  # to look at a choice is not to make it
    qtbot.keyClick(card.buttons[1], Qt.Key.Key_Return)
    assert card.score == (2, 2) and card.title.text() == "Predict first · 2 of 2 right so far"


@pytest.mark.parametrize("way", ["click", "escape"])
def test_a_posed_question_is_shown_unscored(card: PredictionCard, qtbot: QtBot, way: str) -> None:
    card.pose(POSED)
    with qtbot.waitSignal(card.answered) as told, qtbot.waitSignal(card.skipped):
        if way == "click":
            qtbot.mouseClick(card.show_button, Qt.MouseButton.LeftButton)
        else:
            card.setFocus()
            qtbot.keyClick(card, Qt.Key.Key_Escape)
    assert told.args == [SKIPPED]
    assert card.isVisible() and card.score == (0, 0)
    assert card.verdict.text() == "The answer: c. It stands twice."
    assert [b.text() for b in card.buttons] == ["a && b", "✓ c"]


def test_both_kinds_of_question_in_turn(card: PredictionCard, qtbot: QtBot) -> None:
    card.pose(POSED)
    card.choose(1)
    card.ask("Which pair is merged next?", CHOICES)
    assert card.lock_button.isVisible() and card.skip_button.isVisible()
    assert not card.show_button.isVisible() and not card.next_button.isVisible()
    assert not card.title.isVisible()
    card.choose(0)
    assert card.open and card.state == "asking"
    card.lock()
    card.reveal(0, "")
    assert card.score == (2, 2)
    assert not card.next_button.isVisible()
