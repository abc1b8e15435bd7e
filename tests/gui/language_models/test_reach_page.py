"""The page "Memory": the probe's and the grader's figures, and the cause lit up."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.generation import generate
from engine.models import NGramModel
from engine.models.reach import keeps_to_its_facts, word_probabilities
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.lab import Lab
from gui.language_models.reach_page import ReachPage
from gui.language_models.reach_run import MOST_TOKENS, Probed
from gui.language_models.tab import LanguageModelsTab
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab) -> ReachPage:
    tab.pages.show_page("reach")
    made = tab.pages.page("reach")
    assert isinstance(made, ReachPage)
    return made


def probed(page: ReachPage, qtbot: QtBot) -> Probed:
    qtbot.mouseClick(page.start, LEFT)
    assert page.stop.isEnabled()
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=2 * WAIT_MS)
    assert page.probed is not None
    return page.probed


def test_every_model_is_asked_and_the_truth_knows(page: ReachPage, lab: Lab, qtbot: QtBot) -> None:
    result = probed(page, qtbot)
    assert lab.streams is not None and lab.tokenizer is not None
    titles = [m.title for m in result.memories]
    assert titles == [*(f"{n}-gram" for n in range(1, 9)), "Transformer", "Truth"]
    assert all(r.mean == pytest.approx(1.0, abs=1e-3) for r in result.memories[-1].reaches)
    model = NGramModel.train(lab.streams.train, 3)
    own = word_probabilities(model, lab.tokenizer.tokenizer, result.stories, result.probes)
    assert result.memories[2].probabilities == pytest.approx(tuple(own))
    assert f"{len(result.probes):,} words" in page.said.text()
    assert {"2-gram", "8-gram", "Transformer", "Truth"} <= set(page.plot.series_names())
    page.grab()


def test_a_bet_starts_the_probe_which_judges_it(page: ReachPage, qtbot: QtBot) -> None:
    card = page.bet.card
    titles = [button.text() for button in card.buttons]
    assert titles == ["○ 2-gram", "○ 3-gram", "○ 5-gram", "○ 8-gram", "○ Transformer"]
    assert not page.strip.isVisible() and page.example_said.text()
    qtbot.mouseClick(card.buttons[4], LEFT)  # an untrained one
    qtbot.mouseClick(card.lock_button, LEFT)
    qtbot.waitUntil(lambda: card.state == "revealed", timeout=2 * WAIT_MS)
    result = page.probed
    assert result is not None
    far = {m.title: m.reaches[-1] for m in result.memories}
    best = max(far[title[2:]].mean for title in titles)
    right = [title for title in titles if far[title[2:]].upper >= best]
    marked = [b.text()[2:] for b in card.buttons if b.text().startswith("✓")]
    assert marked == [title[2:] for title in right]
    assert f"8-gram {far['8-gram'].mean:.2f}" in card.verdict.text()


def test_the_example_lights_up_the_word_and_its_cause(
    page: ReachPage, lab: Lab, qtbot: QtBot
) -> None:
    result = probed(page, qtbot)
    assert lab.tokenizer is not None
    seen = set()
    for _ in range(4):
        strip = page.strip
        lit = strip.highlighted()
        assert lit[-1] == strip.count() - 1
        text = lab.tokenizer.tokenizer.decode([strip.token_id(i) for i in lit])
        spoken = page.example_said.text()
        assert all(word.strip() in spoken for word in text.split())
        asked = [p for p in result.probes if f", {p.distance:,} words back" in spoken]
        assert asked and all(p.distance >= 8 for p in asked)
        seen.add(spoken)
        qtbot.mouseClick(page.another, LEFT)
    assert len(seen) > 1


def test_bands_are_the_intervals(page: ReachPage, qtbot: QtBot) -> None:
    result = probed(page, qtbot)
    first = result.memories[4].reaches[0]
    assert page.means.table.item(4, 1).text() == f"{first.mean:.2f}"
    qtbot.mouseClick(page.bands, LEFT)
    assert "5-gram, upper" in page.plot.series_names()
    assert page.means.table.item(4, 1).text() == f"{first.lower:.2f}–{first.upper:.2f}"


def test_texts_are_written_and_checked_by_the_grammars_rules(
    page: ReachPage, tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    page.texts.setValue(2)
    qtbot.mouseClick(page.write, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=2 * WAIT_MS)
    assert lab.corpus is not None and lab.corpus.language is not None
    assert lab.tokenizer is not None
    table = page.faithful.table
    names = [table.verticalHeaderItem(i).text() for i in range(table.rowCount())]
    assert names == ["3-gram", "Transformer", "Truth"]
    seat = tab.models.table.seat("truth")
    assert seat is not None and seat.model is not None
    texts = [
        lab.tokenizer.tokenizer.decode(
            [t.id for t in generate(seat.model, [], None, lab.seed + n, MOST_TOKENS)]
        )
        for n in range(2)
    ]
    kept = keeps_to_its_facts(lab.corpus.language, texts)
    assert kept.share == 1.0
    assert table.item(2, 0).text() == "100.0 %"
    assert table.item(2, 2).text() == f"{kept.agree:,} of {kept.agree:,}"


def test_where_nobody_knows_what_is_right_it_is_said(
    page: ReachPage, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_corpus(CorpusChoice("text", text="the cat sat on the mat. " * 60))
    qtbot.waitUntil(
        lambda: ready(lab) and lab.corpus is not None and lab.corpus.key == "text",
        timeout=WAIT_MS,
    )
    qtbot.waitUntil(lambda: "Stories" in page.said.text(), timeout=WAIT_MS)
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert "Stories" in page.said.text() and page.probed is None


def test_tokens_that_cross_words_are_refused_in_words(
    page: ReachPage, lab: Lab, qtbot: QtBot
) -> None:
    lab.choose_tokenizer(TokenizerSpec("bpe", 300, pre_tokenize=False))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: "parts of two" in page.said.text(), timeout=WAIT_MS)


def test_the_probe_can_be_stopped(page: ReachPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.start, LEFT)
    qtbot.mouseClick(page.stop, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert page.probed is None or len(page.probed.memories) < 10
