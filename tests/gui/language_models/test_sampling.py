"""The sampling bench: what is seen being cut is what the engine cuts, and dice are the engine's."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.generation import Cut, SamplingRules, generate
from engine.workspace.choices import TokenizerSpec
from gui.lab import Lab
from gui.language_models.bench import Bench, Row
from gui.language_models.sampling_page import SamplingPage
from gui.language_models.tab import LanguageModelsTab
from gui.theme import Theme
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton
START = "One morning, Otto went"


@pytest.fixture
def page(tab: LanguageModelsTab, look: Theme, qtbot: QtBot) -> SamplingPage:
    """The bench behind a short text, without waiting for dice to be seen."""
    look.set_motion(False)
    tab.context.set_text(START)
    tab.pages.show_page("sampling")
    made = tab.pages.page("sampling")
    assert isinstance(made, SamplingPage)
    waited(made, qtbot, 0)
    return made


def waited(page: SamplingPage, qtbot: QtBot, n: int) -> Row:
    """The row once so many tokens are drawn."""
    qtbot.waitUntil(
        lambda: (
            page.row is not None
            and len(page.row.bench.drawn) == n
            and page.row.bench.table is page.models.table
        ),
        timeout=WAIT_MS,
    )
    assert page.row is not None
    return page.row


def choose(page: SamplingPage, qtbot: QtBot, kind: str) -> Row:
    page.model.setCurrentIndex(page.model.findData(kind))
    page.model.activated.emit(page.model.currentIndex())
    qtbot.waitUntil(
        lambda: page.row is not None and page.row.bench.seat.kind == kind, timeout=WAIT_MS
    )
    assert page.row is not None
    return page.row


def test_rules_act_on_the_bars_at_once_and_as_the_engine_says(
    page: SamplingPage, qtbot: QtBot
) -> None:
    row = choose(page, qtbot, "ngram")
    page.rules.top_k.setValue(5)
    page.rules.temperature.setValue(0.7)
    page.rules.top_p.setValue(0.6)
    expected = SamplingRules(0.7, 5, 0.6).apply(row.log_probs)
    assert page.sampled is not None
    np.testing.assert_allclose(page.sampled.probabilities, expected.probabilities)
    assert expected.n_kept < 5  # both rules had something to cut
    cut_token = int(expected.ranked[expected.n_kept])
    assert expected.cut[cut_token] == Cut.TOP_P
    assert "cut by top-p" in page.bars.row_text(expected.n_kept)
    assert "cut by top-k" in page.bars.row_text(5)
    assert f"{expected.n_kept} token" in page.cuts.text()
    page.grab()


def test_rolling_by_hand_draws_what_generation_draws_from_the_same_seed(
    page: SamplingPage, qtbot: QtBot
) -> None:
    row = choose(page, qtbot, "transformer")
    page.seed.setValue(5)
    qtbot.waitUntil(lambda: page.row is not None and page.row.bench.seed == 5)
    assert row.bench.seat.model is not None
    expected = list(generate(row.bench.seat.model, row.bench.start, SamplingRules(), 5, 4))
    for n in range(1, 5):
        qtbot.mouseClick(page.roll, LEFT)
        waited(page, qtbot, n)
    assert page.row is not None
    drawn = page.row.bench.drawn
    assert [t.id for t in drawn] == [t.id for t in expected]
    assert [t.u for t in drawn] == [t.u for t in expected]
    for mine, own in zip(drawn, expected, strict=True):
        assert mine.probability == pytest.approx(own.probability, rel=1e-4)
        assert (mine.rank, mine.n_kept) == (own.rank, own.n_kept)


def test_undo_gives_the_same_dice_again(page: SamplingPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.roll, LEFT)
    first = waited(page, qtbot, 1).bench.drawn
    qtbot.mouseClick(page.back, LEFT)
    waited(page, qtbot, 0)
    qtbot.mouseClick(page.roll, LEFT)
    assert waited(page, qtbot, 1).bench.drawn == first
    qtbot.mouseClick(page.restart, LEFT)
    waited(page, qtbot, 0)


def test_greedy_stands_beside_what_was_drawn(page: SamplingPage, qtbot: QtBot) -> None:
    choose(page, qtbot, "truth")
    for n in (1, 2):
        qtbot.mouseClick(page.roll, LEFT)
        row = waited(page, qtbot, n)
    assert row.bench.seat.model is not None
    own = generate(row.bench.seat.model, row.bench.start, SamplingRules(temperature=0), 0, 2)
    assert row.greedy == tuple(t.id for t in own)
    assert "Greedy would write" in page.greedy.text()


def test_temperature_zero_is_greedy(page: SamplingPage, qtbot: QtBot) -> None:
    page.rules.temperature.setValue(0)
    qtbot.mouseClick(page.roll, LEFT)
    row = waited(page, qtbot, 1)
    assert row.bench.drawn[0].rank == 1 and row.bench.drawn[0].probability == 1.0
    assert row.greedy[0] == row.bench.drawn[0].id


def test_streaming_rolls_on_until_it_is_stopped(page: SamplingPage, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.stream, LEFT)
    qtbot.waitUntil(lambda: page.row is not None and len(page.row.bench.drawn) >= 5)
    assert not page.roll.isEnabled()
    qtbot.mouseClick(page.stream, LEFT)
    qtbot.waitUntil(page.roll.isEnabled, timeout=WAIT_MS)
    assert not page.stream.isChecked()


def test_the_truth_streams_to_the_end_of_its_story_and_stops(
    page: SamplingPage, lab: Lab, qtbot: QtBot
) -> None:
    assert lab.corpus is not None
    page.context.set_text(lab.corpus.held_out[0][:-12])
    choose(page, qtbot, "truth")
    qtbot.mouseClick(page.stream, LEFT)
    qtbot.waitUntil(lambda: page.row is not None and page.row.bench.closed, timeout=WAIT_MS)
    assert not page.stream.isChecked() and not page.roll.isEnabled()
    last = page.strip.chip_text(page.strip.count() - 1)
    assert last == "⟨end of text⟩"
    qtbot.mouseClick(page.back, LEFT)
    qtbot.waitUntil(page.roll.isEnabled, timeout=WAIT_MS)


def test_what_was_drawn_can_be_kept_as_the_text(page: SamplingPage, lab: Lab, qtbot: QtBot) -> None:
    choose(page, qtbot, "truth")
    qtbot.mouseClick(page.roll, LEFT)
    row = waited(page, qtbot, 1)
    assert lab.tokenizer is not None
    written = lab.tokenizer.tokenizer.decode([row.bench.drawn[0].id])
    qtbot.mouseClick(page.keep, LEFT)
    assert page.context.text == START + written
    qtbot.waitUntil(lambda: page.row is not None and not page.row.bench.drawn)


def test_an_undefined_distribution_is_said_and_cannot_be_rolled(
    page: SamplingPage, qtbot: QtBot
) -> None:
    choose(page, qtbot, "truth")
    page.context.set_text("zzzz")
    qtbot.waitUntil(lambda: page.row is not None and bool(page.row.undefined))
    assert page.sampled is None and not page.roll.isEnabled() and not page.stream.isEnabled()
    page.grab()


def test_hovering_over_the_sum_tells_whose_piece_it_is(page: SamplingPage, qtbot: QtBot) -> None:
    choose(page, qtbot, "ngram")
    sampled = page.sampled
    assert sampled is not None
    for share in (0.0, 0.3, 0.99):
        told = page.dice.told_at(QPoint(int(share * page.dice.width()), 5))
        low, high = (float(x) for x in told.rpartition("from ")[2].split(" up to "))
        assert low - 1e-3 <= share <= high + 1e-2
    assert page.dice.told_at(QPoint(-5, 5)) == ""


def test_other_tokens_start_the_bench_over(page: SamplingPage, lab: Lab, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.stream, LEFT)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    row = waited(page, qtbot, 0)
    assert row.bench.table.tokenizer is lab.tokenizer
    assert not page.stream.isChecked()


def test_the_dice_of_a_bench_are_those_of_one_generator() -> None:
    from typing import Any, cast

    anything = cast(Any, None)
    bench = Bench(anything, anything, (), 9)
    expected = np.random.default_rng(9).random(3)
    token = cast(Any, object())
    for n in range(3):
        assert Bench(anything, anything, (), 9, (token,) * n).next_u == expected[n]
    assert bench.next_u == expected[0]
