"""BPE merge by merge: the tutorial's slide exactly, forward and back, predictions, hard texts."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from engine.tokenizers.merge_walk import MergeWalk
from engine.tokenizers.pretokenize import pretokenize
from engine.workspace.choices import CorpusChoice
from gui.lab import Lab
from gui.tokenization.merges_learn import LearnPane
from gui.tokenization.merges_page import MergesPage
from gui.tokenization.merges_source import OWN, PIECE, PIECE_OF_CORPUS, TUTORIAL, piece_of
from gui.tokenization.merges_words import (
    done_in_words,
    judge,
    next_in_words,
    occurrences,
)
from tests.gui.tokenization.tab_lab import lab_fixture, settle

__all__ = ["lab_fixture"]

SLIDE = [b"at", b" c", b" cat", b"he", b"he ", b" cat ", b"att", b"atta", b"attac", b"attack"]
SLIDE.append(b" cat.")
"""The tutorial's eleven merges, in order."""


@pytest.fixture
def pane(lab: Lab, qtbot: QtBot) -> LearnPane:
    made = LearnPane(lab)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    with qtbot.waitExposed(made):
        made.show()
    return made


def picture(pane: LearnPane) -> tuple[object, ...]:
    """All that a state shows."""
    strip, pairs = pane.strip, pane.pairs.pairs_model
    return (
        [strip.chip_text(i) for i in range(strip.count())],
        strip.highlighted(),
        pane.done.text(),
        pane.next.text(),
        pairs.pairs,
        pairs.next,
        pane.table.vocabulary.rowCount(),
        pane.transport.where.text(),
    )


def click(qtbot: QtBot, widget: QWidget, position: QPoint | None = None) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=position or QPoint())


def click_pair(pane: LearnPane, qtbot: QtBot, left: bytes, right: bytes) -> None:
    """Click a pair's row in the list."""
    model, tokens = pane.pairs.pairs_model, pane.walk.tokens
    row = next(
        i for i, p in enumerate(model.pairs) if (tokens[p.left], tokens[p.right]) == (left, right)
    )
    index = model.index(row)
    pane.pairs.scrollTo(index)
    click(qtbot, pane.pairs.viewport(), pane.pairs.visualRect(index).center())


def own(pane: LearnPane, text: str, qtbot: QtBot) -> None:
    """Put in a text of one's own, and wait for its merges."""
    pane.source.texts.setCurrentIndex(OWN)
    pane.source.texts.activated.emit(OWN)
    with qtbot.waitSignal(pane.walk_changed):
        pane.source.input.set_text(text)


# ---------------------------------------------------------------------------------- the slide
def test_the_first_example_is_the_slide_exactly(pane: LearnPane, qtbot: QtBot) -> None:
    assert pane.source.settings.text == TUTORIAL == pane.walk.text
    assert pane.strip.count() == len(TUTORIAL) == 60
    seen = []
    while pane.transport.step.isEnabled():
        click(qtbot, pane.transport.step)
        model = pane.table.vocabulary
        row = model.rowCount() - 1
        seen.append(pane.walk.tokens[model.merges[row].id])
    assert seen == SLIDE
    assert pane.strip.count() == 30
    assert "60 tokens into 30" in pane.next.text()
    rows = [[model.data(model.index(r, c)) for c in range(model.columnCount())] for r in range(3)]
    assert rows[2] == ["3", "\u2068␣cat\u2069", "\u2068␣c\u2069", "\u2068at\u2069", "4"]
    assert pane.plot.series_names() == ["tokens"]
    assert pane.walk.lengths.tolist()[0] == 60 and pane.walk.lengths.tolist()[-1] == 30


def test_back_and_jumps_restore_exactly(pane: LearnPane, qtbot: QtBot) -> None:
    pictures = [picture(pane)]
    for _ in range(11):
        click(qtbot, pane.transport.step)
        pictures.append(picture(pane))
    for step in range(10, -1, -1):
        click(qtbot, pane.transport.back)
        assert picture(pane) == pictures[step]
    assert not pane.transport.back.isEnabled()
    click(qtbot, pane.transport.last)
    assert picture(pane) == pictures[11]
    for step in (3, 9, 0, 11, 5):
        pane.transport.slider.setValue(step)
        assert picture(pane) == pictures[step]
    click(qtbot, pane.transport.first)
    assert picture(pane) == pictures[0]


def test_the_keyboard_leads_through_the_merges(pane: LearnPane, qtbot: QtBot) -> None:
    pane.transport.slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(pane.transport.slider, Qt.Key.Key_Right)
    assert pane.state.step == 3
    qtbot.keyClick(pane.transport.slider, Qt.Key.Key_Left)
    assert pane.state.step == 2
    qtbot.keyClick(pane.transport.slider, Qt.Key.Key_End)
    assert pane.state.step == 11


def test_play_goes_to_the_end_pauses_and_starts_over(pane: LearnPane, qtbot: QtBot) -> None:
    pane.transport.speed.setCurrentIndex(4)
    click(qtbot, pane.transport.play)
    assert pane.transport.playing and pane.transport.play.text() == "Pause"
    qtbot.waitUntil(lambda: pane.state.step >= 2)
    click(qtbot, pane.transport.play)
    at = pane.state.step
    assert not pane.transport.playing
    click(qtbot, pane.transport.play)
    qtbot.waitUntil(lambda: not pane.transport.playing)
    assert pane.state.step == 11 > at
    click(qtbot, pane.transport.play)
    assert pane.state.step == 0
    click(qtbot, pane.transport.play)


def test_chips_slide_only_where_motion_is_allowed(pane: LearnPane, lab: Lab, qtbot: QtBot) -> None:
    click(qtbot, pane.transport.step)
    assert pane.strip.sliding
    pane.strip.grab()
    qtbot.waitUntil(lambda: not pane.strip.sliding)
    lab.theme.set_motion(False)
    click(qtbot, pane.transport.step)
    assert not pane.strip.sliding
    lab.theme.set_motion(True)
    click(qtbot, pane.transport.back)
    assert pane.strip.sliding
    click(qtbot, pane.transport.step)
    assert pane.strip.count() == 50
    click(qtbot, pane.transport.last)
    assert not pane.strip.sliding, "a jump is no movement"


def test_the_pair_that_comes_next_is_lit_up(pane: LearnPane) -> None:
    lit = pane.strip.highlighted()
    texts = [pane.strip.chip_text(i) for i in lit]
    assert texts == ["a", "t"] * 6
    assert pane.walk.lengths[0] - pane.walk.lengths[1] == 6


def test_pointing_at_a_pair_lights_up_where_it_stands(pane: LearnPane, qtbot: QtBot) -> None:
    before = pane.strip.highlighted()
    model = pane.pairs.pairs_model
    index = model.index(2)
    pair = model.pairs[2]
    qtbot.mouseMove(pane.pairs.viewport(), pane.pairs.visualRect(index).center())
    lit = pane.strip.highlighted()
    tokens = pane.walk.tokens
    assert lit != before and len(lit) == 2 * pair.count
    assert {pane.strip.token_id(i) for i in lit} == {pair.left, pair.right}
    assert tokens[pair.left]
    QApplication.sendEvent(pane.pairs, QEvent(QEvent.Type.Leave))
    assert pane.strip.highlighted() == before


def test_the_vocabulary_leads_back_to_a_merge(pane: LearnPane, qtbot: QtBot) -> None:
    click(qtbot, pane.transport.last)
    table = pane.table
    table.setFocus()
    table.selectRow(2)
    made = pane.walk.merges[2].id
    ids = pane.walk.ids(11).tolist()
    assert [pane.strip.token_id(i) for i in pane.strip.highlighted()] == [made] * ids.count(made)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert pane.state.step == 3


# -------------------------------------------------------------------------------- predictions
def test_a_prediction_hides_the_counts_then_scores_and_tells_why(
    pane: LearnPane, qtbot: QtBot
) -> None:
    click(qtbot, pane.predict, QPoint(8, pane.predict.height() // 2))
    assert pane.asking and pane.pairs.pairs_model.hidden and not pane.strip.highlighted()
    shown = str(pane.pairs.pairs_model.data(pane.pairs.pairs_model.index(0)))
    assert "times" not in shown and "twice" not in shown
    click_pair(pane, qtbot, b" ", b"c")
    assert "4 times" in pane.next.text() and "6 times" in pane.next.text()
    assert pane.next.text().startswith("No")
    assert pane.score.text() == "0 of 1 predicted right"
    assert not pane.asking and not pane.pairs.pairs_model.hidden
    click_pair(pane, qtbot, b"a", b"t")  # too late
    assert pane.score.text() == "0 of 1 predicted right"
    click(qtbot, pane.transport.step)
    assert pane.asking
    click_pair(pane, qtbot, b" ", b"c")
    assert pane.next.text().startswith("Right") and pane.score.text() == "1 of 2 predicted right"


def test_a_click_on_a_chip_predicts_it_with_its_neighbour(pane: LearnPane, qtbot: QtBot) -> None:
    pane.predict.setChecked(True)
    at = TUTORIAL.index("at")
    place = pane.strip.chip_rect(at).center().toPoint()
    click(qtbot, pane.strip.viewport(), place)
    assert pane.next.text().startswith("Right") and "6 times" in pane.next.text()


def test_a_tie_is_nearly_right(pane: LearnPane, qtbot: QtBot) -> None:
    pane.predict.setChecked(True)
    pane.transport.go_to(3)
    click_pair(pane, qtbot, b" ", b"at")
    assert pane.next.text().startswith("Nearly") and "first in the text" in pane.next.text()
    assert pane.score.text() == "0 of 1 predicted right"


def test_at_the_end_there_is_nothing_to_predict(pane: LearnPane, qtbot: QtBot) -> None:
    pane.predict.setChecked(True)
    click(qtbot, pane.transport.last)
    assert not pane.asking and "no pair stands twice" in pane.next.text()


@settings(max_examples=60)
@given(st.text("ab ", max_size=24), st.data())
def test_verdicts_agree_with_counting(text: str, data: st.DataObject) -> None:
    walk = MergeWalk.learning(text)
    step = data.draw(st.integers(0, len(walk)))
    state = walk.step(step)
    if state.next is None:
        assert next_in_words(walk, state)
        return
    pair = data.draw(st.sampled_from(state.pairs))
    ids = state.ids.tolist()

    def count(left: int, right: int) -> int:
        return sum((a, b) == (left, right) for a, b in itertools.pairwise(ids))

    verdict = judge(walk, state, pair.left, pair.right)
    best = state.next
    assert verdict.right == ((pair.left, pair.right) == (best.left, best.right))
    most = max(count(p.left, p.right) for p in state.pairs)
    assert count(best.left, best.right) == most
    as_frequent = count(pair.left, pair.right) == most
    assert verdict.nearly == (as_frequent and not verdict.right)
    places = occurrences(state, best.left, best.right)
    after = walk.step(step + 1)
    assert len(places) == len(after.fresh)
    assert [state.byte_spans[i][0] for i in places] == [
        after.byte_spans[i][0] for i in after.fresh.tolist()
    ]
    assert done_in_words(walk, after)


def test_what_another_rule_would_take_is_told() -> None:
    walk = MergeWalk.learning(TUTORIAL)
    told = next_in_words(walk, walk.step(3))
    assert "10 pairs stand twice each" in told
    assert "smallest token numbers” would take" in told


# ------------------------------------------------------------------------- texts and options
def test_options_are_those_of_the_engine(pane: LearnPane, qtbot: QtBot) -> None:
    pane.source.start_from("bytes")
    click(qtbot, pane.source.words, QPoint(8, pane.source.words.height() // 2))
    pane.source.ties.setCurrentIndex(1)
    pane.source.ties.activated.emit(1)
    walk = MergeWalk.learning(TUTORIAL, None, "bytes", True, "smallest_ids")
    assert pane.walk.merges == walk.merges and pane.walk.tokens == walk.tokens
    pane.source.texts.activated.emit(0)
    assert [pane.walk.tokens[m.id] for m in pane.walk.merges] == SLIDE, "the slide again"


def test_with_words_apart_no_lit_pair_crosses_a_word(pane: LearnPane, qtbot: QtBot) -> None:
    own(pane, "a b a b a b", qtbot)
    pane.source.words.setChecked(True)
    assert pretokenize("a b a b a b") == ["a", " b", " a", " b", " a", " b"]
    pair = (pane.walk.ids(0)[0], pane.walk.ids(0)[1])  # "a" + " "
    pane.predict.setChecked(True)
    pane.guess(int(pair[0]), int(pair[1]))
    assert "different words" in pane.next.text()
    lit = pane.strip.highlighted()
    assert [pane.strip.chip_text(i) for i in lit] == ["␣", "b"] * 3


@pytest.mark.parametrize(
    "text",
    ["", "x", "👩‍👩‍👧‍👦" * 3, "e\u0301" * 4, "a\0" * 3, "\ud83d\ud83d\ud83d", "أحب أحب", "<b>" * 5],
)
@pytest.mark.parametrize("base", ["characters", "bytes"])
def test_hostile_texts_are_walked_through(
    pane: LearnPane, qtbot: QtBot, text: str, base: str
) -> None:
    pane.source.start_from(base)  # type: ignore[arg-type]
    if text != pane.source.input.text():
        own(pane, text, qtbot)
    click(qtbot, pane.transport.last)
    pane.grab()
    end = pane.state
    assert np.array_equal(end.ids, pane.walk.ids(len(pane.walk))) and end.next is None
    click(qtbot, pane.transport.first)
    assert pane.state.step == 0


def test_a_long_text_is_learned_on_the_compute_thread(
    pane: LearnPane, lab: Lab, qtbot: QtBot
) -> None:
    text = "The feral cat attacked my cat. " * 100
    own(pane, text, qtbot)
    assert pane.walk.text == text
    assert pane.walk.merges == MergeWalk.learning(text).merges


def test_ten_megabytes_are_turned_away_with_an_offer(
    pane: LearnPane, lab: Lab, qtbot: QtBot
) -> None:
    before = pane.walk
    data = QMimeData()
    data.setText("cat " * 2_500_000)
    pane.source.input.insertFromMimeData(data)
    assert pane.walk is before and "10,000,000 characters" in pane.notice.label.text()
    assert pane.notice.button.isVisible()


def test_pieces_of_the_corpus_follow_one_another(pane: LearnPane, lab: Lab, qtbot: QtBot) -> None:
    assert lab.corpus is not None
    with qtbot.waitSignal(pane.walk_changed):
        pane.source.texts.setCurrentIndex(PIECE_OF_CORPUS)
        pane.source.texts.activated.emit(PIECE_OF_CORPUS)
    first = pane.walk.text
    assert first == piece_of(lab.corpus, 0) and 0 < len(first) <= PIECE + 2
    with qtbot.waitSignal(pane.walk_changed):
        click(qtbot, pane.source.another)
    assert pane.walk.text == piece_of(lab.corpus, 1)
    with qtbot.waitSignal(pane.walk_changed):
        lab.choose_corpus(CorpusChoice("text", text="Other words, other words.\n\n" * 50))
        settle(lab, qtbot)
    assert pane.walk.text.startswith("Other words")


def test_nothing_of_the_pane_outlives_it(lab: Lab, dies: Callable[[QWidget], None]) -> None:
    def shown() -> LearnPane:
        pane = LearnPane(lab)
        pane.show()
        QTest.mouseClick(pane.transport.step, Qt.MouseButton.LeftButton)
        pane.strip.stop()
        return pane

    dies(shown())


def test_the_page_leaves_scrolling_to_what_it_stands_in(lab: Lab, qtbot: QtBot) -> None:
    page = MergesPage(lab)
    qtbot.addWidget(page)
    for pane in (page.learning, page.unseen):
        parent = pane.parentWidget()
        while parent is not page:  # two scroll bars side by side confuse
            assert parent is not None and not isinstance(parent, QScrollArea)
            parent = parent.parentWidget()


def test_an_empty_table_says_why(pane: LearnPane) -> None:
    pane.transport.go_to(0)
    shot = pane.table.viewport().grab().toImage()
    ground = shot.pixelColor(1, 1)
    middle = range(shot.width() // 4, shot.width() * 3 // 4)
    assert any(shot.pixelColor(x, y) != ground for x in middle for y in range(shot.height()))
