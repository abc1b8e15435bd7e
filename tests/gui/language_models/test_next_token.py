"""The page "Next token": its numbers are the engine's, whatever is typed or switched."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import LabError
from engine.models.comparison import NextToken, common_rows, next_token
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import TrainedRun
from gui.lab import Lab
from gui.language_models.answers import LONGEST_CONTEXT, Answers, ask
from gui.language_models.bars import BarTable, Column
from gui.language_models.column_heads import ColumnHeads
from gui.language_models.next_token_page import NextTokenPage
from gui.language_models.tab import LanguageModelsTab
from gui.theme import Theme
from gui.widgets.token_text import Vocabulary
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


def page_of(tab: LanguageModelsTab) -> NextTokenPage:
    page = tab.pages.page("next")
    assert isinstance(page, NextTokenPage)
    return page


def answered(tab: LanguageModelsTab, qtbot: QtBot) -> Answers:
    """The answers to what stands in the field now."""
    page = page_of(tab)

    def current() -> None:
        answers = page.answers
        assert answers is not None
        assert answers.table is tab.models.table
        assert answers.cut.text == tab.context.text[-LONGEST_CONTEXT:]

    qtbot.waitUntil(current, timeout=WAIT_MS)
    assert page.answers is not None
    return page.answers


def put(tab: LanguageModelsTab, qtbot: QtBot, text: str) -> None:
    """Paste a text in place of what is there, as a person would."""
    field = page_of(tab).box.field
    field.setFocus()
    QGuiApplication.clipboard().setText(text)
    qtbot.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_a_beginning_from_the_held_out_text_stands_there_at_once(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    answered(tab, qtbot)
    assert lab.corpus is not None
    assert tab.context.text
    assert any(document.startswith(tab.context.text) for document in lab.corpus.held_out)


def test_every_bar_is_the_number_that_the_engine_gives(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    put(tab, qtbot, "One morning, Otto went to the")
    answers = answered(tab, qtbot)
    page = page_of(tab)
    assert [a.seat.kind for a in answers.answers] == ["ngram", "transformer", "truth"]
    assert lab.tokenizer is not None
    ids = lab.tokenizer.tokenizer.encode("One morning, Otto went to the")
    for answer in answers.answers:
        assert answer.seat.model is not None
        expected = answer.seat.model.next_log_probs(ids)
        np.testing.assert_allclose(answer.next.log_probs, expected, rtol=0, atol=1e-6)
        assert np.exp(answer.next.log_probs).sum() == pytest.approx(1.0)
    said = [next_token(a.seat.model, ids) for a in answers.answers if a.seat.model]
    assert page.bars.rows == common_rows(said, 1, page.bars.room())
    for index, token in enumerate(page.bars.rows):
        told = page.bars.describe(index)
        for answer, own in zip(answers.answers, said, strict=True):
            assert f"{answer.seat.title}: " in told
            assert f"rank {own.rank(token):,}" in told


def test_the_scale_is_one_for_all_columns_and_holds_the_longest_bar(
    tab: LanguageModelsTab, qtbot: QtBot
) -> None:
    answers = answered(tab, qtbot)
    page = page_of(tab)
    longest = max(a.next.probability(t) for a in answers.answers for t in page.bars.rows)
    assert longest <= page.bars.scale + 1e-9
    assert page.bars.scale in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def test_a_click_on_a_models_name_sorts_by_it(tab: LanguageModelsTab, qtbot: QtBot) -> None:
    put(tab, qtbot, "")
    answers = answered(tab, qtbot)
    page = page_of(tab)
    for kind in ("truth", "ngram", "transformer"):
        qtbot.mouseClick(page.heads.head(kind).button, LEFT)
        answer = answers.of(kind)
        assert answer is not None
        p = [answer.next.probability(token) for token in page.bars.rows]
        assert p == sorted(p, reverse=True)
        assert page.heads.head(kind).button.text().endswith("↓")


def test_heads_can_be_clicked_as_soon_as_they_are_there(look: Theme, qtbot: QtBot) -> None:
    """Before the layout around them had its turn, too."""
    window = QWidget()
    qtbot.addWidget(window)
    bars = BarTable()
    heads = ColumnHeads(bars)
    column = QVBoxLayout(window)
    column.addWidget(heads)
    column.addWidget(bars, 1)
    window.resize(800, 500)
    with qtbot.waitExposed(window):
        window.show()
    assert heads.height() == 0
    half = NextToken(np.log([0.5, 0.5]))
    columns = [Column(kind, kind, "", half) for kind in ("ngram", "truth")]
    bars.show_rows([0, 1], columns, Vocabulary(lambda i: b"a"))
    heads.show_columns(columns, "ngram")
    button = heads.head("truth").button
    assert button.height() >= button.sizeHint().height()
    with qtbot.waitSignal(heads.sort_wished) as wished:
        qtbot.mouseClick(button, LEFT)
    assert wished.args == ["truth"]


def test_maximum_likelihood_after_an_unseen_context_is_said_in_words(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    bar = page_of(tab).model_bar
    bar.smoothing.setCurrentIndex(bar.smoothing.findData("maximum_likelihood"))
    bar.smoothing.activated.emit(bar.smoothing.currentIndex())
    wanted = NGramSettings(3, "maximum_likelihood")
    qtbot.waitUntil(lambda: lab.ngram is not None and lab.ngram.settings == wanted)
    put(tab, qtbot, "zzzz qqqq")
    answers = answered(tab, qtbot)
    ngram, truth = answers.of("ngram"), answers.of("truth")
    assert ngram is not None and truth is not None
    assert not ngram.next.defined and "Never seen" in ngram.undefined
    assert not truth.next.defined and "No story" in truth.undefined
    assert page_of(tab).heads.head("ngram").entropy.text() == "undefined here"
    page_of(tab).grab()  # painting words instead of bars raises nothing


def test_where_the_truth_is_unknown_a_sentence_says_why(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_tokenizer(TokenizerSpec("bpe", 400, pre_tokenize=False))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    seat = tab.models.table.seat("truth")
    assert seat is not None and seat.model is None and "two words" in seat.missing
    lab.choose_corpus(CorpusChoice("text", text="the cat sat on the mat. " * 50))
    qtbot.waitUntil(lambda: ready(lab) and lab.corpus.language is None, timeout=WAIT_MS)
    seat = tab.models.table.seat("truth")
    assert seat is not None and "Nobody knows" in seat.missing


def test_without_a_transformer_the_way_to_training_is_offered(lab: Lab, qtbot: QtBot) -> None:
    tab = LanguageModelsTab(lab)
    qtbot.addWidget(tab)
    tab.show()
    answers = answered(tab, qtbot)
    assert answers.of("transformer") is None
    line = page_of(tab).model_bar.lines["transformer"]
    assert "Ctrl+3" in line.words.text() and line.button.isVisible()
    with qtbot.waitSignal(lab.tab_wished) as wished:
        qtbot.mouseClick(line.button, LEFT)
    assert wished.args == ["training"]


def test_a_transformer_of_other_tokens_is_not_put_on_the_same_axis(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_tokenizer(TokenizerSpec("characters"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    seat = tab.models.table.seat("transformer")
    assert seat is not None and seat.model is None and "other tokens" in seat.missing
    assert answered(tab, qtbot).of("transformer") is None


def test_switching_text_and_tokens_while_a_question_runs_leaves_no_stale_bars(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    specs = [TokenizerSpec("bytes"), TokenizerSpec("characters"), TokenizerSpec("words", 300)]
    for round_, spec in enumerate(specs):
        put(tab, qtbot, f"Once {round_}")
        lab.choose_tokenizer(spec)
        put(tab, qtbot, f"Once upon {round_}")
        if round_ == 1:
            lab.choose_corpus(CorpusChoice("text", text="a bird sang. the bird flew. " * 40))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    answers = answered(tab, qtbot)
    assert lab.tokenizer is not None and lab.tokenizer.spec == specs[-1]
    ngram = answers.of("ngram")
    assert ngram is not None and lab.ngram is not None
    ids = lab.tokenizer.tokenizer.encode(tab.context.text)
    np.testing.assert_array_equal(ngram.next.log_probs, lab.ngram.model.next_log_probs(ids))


HOSTILE = {
    "empty": "",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 ☃️",
    "combining": "e\u0301\u0301\u0301 \u0301a",
    "surrogate": "a\ud800b\udfff",
    "nul": "a\x00b\x00",
    "right to left": "שלום עולם \u202eabc",
    "long": "The cat sat on the mat. " * 4_300,
    "one long line": "x" * 100_000,
    "html": "<b>bold</b> &amp; <img src='file:///etc/passwd'>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_contexts(tab: LanguageModelsTab, qtbot: QtBot, text: str) -> None:
    tab.context.set_text(text)
    answers = answered(tab, qtbot)
    for kind in ("ngram", "transformer"):
        answer = answers.of(kind)
        assert answer is not None and answer.next.defined
    box = page_of(tab).box
    assert box.strip.count() == len(answers.cut.ids) + 1
    assert box.strip.chip_text(0) == "⟨begin of text⟩"
    page_of(tab).grab()


def test_a_context_beyond_the_transformers_window_says_so_and_lights_up_what_is_seen(
    tab: LanguageModelsTab, qtbot: QtBot
) -> None:
    put(tab, qtbot, "One morning, Otto went to the forest and then to the lake and the mill.")
    answers = answered(tab, qtbot)
    box = page_of(tab).box
    n = len(answers.cut.ids)
    seen = answers.cut.seen["transformer"]
    assert n + 1 > 16 and 8 <= seen <= 16
    assert f"last {seen}" in box.said.text()
    box.see("transformer")
    assert box.strip.highlighted() == list(range(n + 1 - seen, n + 1))
    box.see("ngram")
    assert box.strip.highlighted() == [n - 1, n]
    box.see("truth")
    assert box.strip.highlighted() == list(range(n + 1))


def test_tab_accepts_what_the_chosen_model_suggests_and_can_be_undone(
    tab: LanguageModelsTab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    put(tab, qtbot, "One morning, Otto went")
    answered(tab, qtbot)
    qtbot.mouseClick(page.heads.head("truth").button, LEFT)
    assert page._sort_by == "truth"
    qtbot.waitUntil(lambda: page.box.field.suggestion == " to", timeout=WAIT_MS)
    page.box.field.setFocus()
    qtbot.keyClick(page.box.field, Qt.Key.Key_Tab)
    assert tab.context.text == "One morning, Otto went to"
    assert page.box.field.hasFocus()
    qtbot.keyClick(page.box.field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert tab.context.text == "One morning, Otto went"


def test_guessing_first_covers_the_bars_until_the_reveal(
    tab: LanguageModelsTab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    put(tab, qtbot, "One morning, Otto went")
    answers = answered(tab, qtbot)
    qtbot.mouseClick(page.guess_first, LEFT)
    assert not page.bars.isVisible() and page.covered.isVisible()
    assert page.box.field.suggestion == ""
    qtbot.keyClicks(page.field, "to")
    assert not page.bars.isVisible() and not page.verdict.text()
    qtbot.keyClick(page.field, Qt.Key.Key_Return)
    assert page.bars.isVisible()
    truth = answers.of("truth")
    assert truth is not None
    assert page.guess is not None
    token = page.guess.token
    assert truth.next.rank(token) == 1 and "rank 1)" in page.verdict.text()
    assert token in page.bars.rows
    put(tab, qtbot, "One morning, Otto")
    answered(tab, qtbot)
    assert not page.bars.isVisible()


def test_the_keyboard_walks_the_rows_and_writes_a_token_on(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    page = page_of(tab)
    put(tab, qtbot, "One morning, Otto went")
    answered(tab, qtbot)
    qtbot.mouseClick(page.heads.head("truth").button, LEFT)
    answered(tab, qtbot)
    page.bars.setFocus()
    qtbot.keyClick(page.bars, Qt.Key.Key_Down)
    token = page.bars.rows[0]
    assert page.bars.current() == token
    assert page.bars.accessibleDescription() == page.bars.describe(0)
    qtbot.keyClick(page.bars, Qt.Key.Key_Return)
    assert lab.tokenizer is not None
    assert tab.context.text == "One morning, Otto went" + lab.tokenizer.tokenizer.decode([token])


def test_an_order_chosen_in_the_row_is_counted_and_shown(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    answered(tab, qtbot)
    order = page_of(tab).model_bar.order
    order.setFocus()
    qtbot.keyClick(order, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: lab.ngram is not None and lab.ngram.settings.order == 4)
    answers = answered(tab, qtbot)
    ngram = answers.of("ngram")
    assert ngram is not None and ngram.seat.title == "4-gram"
    assert page_of(tab).heads.head("ngram").button.text().startswith("4-gram")


def test_a_fitted_hmm_takes_its_seat_and_leaves_it_with_its_tokens(
    tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    bar = page_of(tab).model_bar
    bar.states.setValue(2)
    qtbot.mouseClick(bar.fit, LEFT)
    assert bar.fit.text() == "Stop"
    qtbot.waitUntil(lambda: not tab.models.hmm.running, timeout=WAIT_MS)
    hmm = answered(tab, qtbot).of("hmm")
    assert hmm is not None and hmm.seat.title == "HMM, 2 states"
    assert math.isclose(float(np.exp(hmm.next.log_probs).sum()), 1.0, rel_tol=1e-9)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    assert tab.models.table.seat("hmm") is None


def test_the_tab_dies_whole(
    lab: Lab, qtbot: QtBot, dies: Callable[..., None], add_run: Callable[..., TrainedRun]
) -> None:
    add_run(lab)
    tab = LanguageModelsTab(lab)
    tab.show()
    answered(tab, qtbot)
    lab.compute.stop_all()
    tab.hide()
    holder = [tab]
    del tab  # nothing here may keep it alive
    dies(holder.pop())


def test_asking_twice_gives_the_same(tab: LanguageModelsTab) -> None:
    table = tab.models.table
    first, second = ask(table, "Once"), ask(table, "Once")
    for a, b in zip(first.answers, second.answers, strict=True):
        np.testing.assert_array_equal(a.next.log_probs, b.next.log_probs)


def test_the_bars_can_be_saved_but_not_while_they_are_covered(
    tab: LanguageModelsTab, qtbot: QtBot, tmp_path: Path
) -> None:
    page = page_of(tab)
    answers = answered(tab, qtbot)
    page.export_button.export("csv", str(tmp_path / "bars.csv"))
    page.export_button.export("png", str(tmp_path / "bars.png"))
    page.export_button.export("svg", str(tmp_path / "bars.svg"))
    with (tmp_path / "bars.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["id", "token", *(a.seat.title for a in answers.answers)]
    assert [int(row[0]) for row in rows] == page.bars.rows
    for row in rows:
        expected = [a.next.probability(int(row[0])) for a in answers.answers]
        assert [float(cell) for cell in row[2:]] == pytest.approx(expected)
    picture = QImage(str(tmp_path / "bars.png"))
    assert picture.width() == 2 * page.bars.width()
    assert picture.height() > 2 * page.bars.height()  # the models' names stand above
    drawing = (tmp_path / "bars.svg").read_text(encoding="utf-8")
    assert all(a.seat.title in drawing for a in answers.answers)
    with pytest.raises(LabError, match="another folder"):
        page.export_button.export("csv", str(tmp_path / "nowhere" / "bars.csv"))
    qtbot.mouseClick(page.guess_first, LEFT)
    assert not page.export_button.isEnabled()
