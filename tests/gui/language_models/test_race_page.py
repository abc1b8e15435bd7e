"""The page "Race": a real race on a little text, told plainly."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.jobs import Job
from engine.models import NGramModel
from engine.models.scores import held_out_score
from engine.tokenizers.stream import TokenStream
from engine.training.pace import Pace
from engine.training.race import Lap
from engine.training.recipe import Recipe
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from engine.workspace.made import TrainedRun
from gui.lab import Lab
from gui.language_models.race_page import RacePage
from gui.language_models.race_run import Standing, leaders, size, verdict
from gui.language_models.tab import LanguageModelsTab
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab) -> RacePage:
    """A short race."""
    tab.pages.show_page("race")
    made = tab.pages.page("race")
    assert isinstance(made, RacePage)
    made.time.setCurrentIndex(made.time.findData(0.0))
    made.steps.setValue(2)
    made.amounts.setValue(2)
    made.states.setValue(2)
    return made


def bet_on(page: RacePage, choice: int, qtbot: QtBot) -> None:
    qtbot.mouseClick(page.bet.card.buttons[choice], LEFT)
    qtbot.mouseClick(page.bet.card.lock_button, LEFT)
    assert page.stop.isEnabled()


def run(page: RacePage, qtbot: QtBot) -> Standing:
    qtbot.mouseClick(page.start, LEFT)
    assert page.stop.isEnabled()
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=2 * WAIT_MS)
    assert page.standing is not None
    return page.standing


def test_the_race_shows_what_each_model_scores(page: RacePage, lab: Lab, qtbot: QtBot) -> None:
    bet_on(page, 0, qtbot)
    qtbot.waitUntil(lambda: page.bet.card.state == "revealed", timeout=2 * WAIT_MS)
    standing = page.standing
    assert standing is not None
    assert lab.streams is not None and lab.corpus is not None and lab.corpus.language is not None
    last = standing.laps[-1]
    assert isinstance(last, Lap) and last.share == 1.0 and len(standing.laps) == 2
    for order in (1, 5, 8):
        alone = held_out_score(NGramModel.train(lab.streams.train, order), lab.streams.held_out)
        assert last.ngrams[order - 1] == pytest.approx(alone.bits_per_byte)
    nats = lab.corpus.language.true_nats(lab.corpus.held_out)
    expected = nats / math.log(2) / lab.streams.held_out.n_bytes
    assert standing.truth == pytest.approx(expected)
    mine = lab.runs[0].model
    assert standing.own == pytest.approx(
        held_out_score(mine, lab.streams.held_out).bits_per_byte, rel=1e-5
    )
    assert page.bet.card.verdict.text().startswith("Right.")  # two steps teach nothing
    assert (
        page.said.text() == verdict(standing) and verdict(standing) in page.bet.card.verdict.text()
    )
    assert set(page.plot.series_names()) >= {"best n-gram", "HMM", "transformer"}
    table = page.table.table
    assert table.columnCount() == 2
    assert table.verticalHeaderItem(table.rowCount() - 1).text() == "truth"
    page.grab()


def test_a_time_decides_the_steps(
    page: RacePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert page.steps.isEnabled()
    page.time.setCurrentIndex(page.time.findData(20.0))
    assert not page.steps.isEnabled() and "42 s" in page.start.toolTip()
    page.amounts.setValue(1)
    paces: list[float] = []

    def slow(recipe: Recipe, train: TokenStream, held_out: TokenStream, job: Job) -> Pace:
        paces.append(4.0)
        return Pace(step_seconds=4.0, evaluation_seconds=1.0, flops_per_second=1e9)

    monkeypatch.setattr("engine.training.pace.measure_pace", slow)
    standing = run(page, qtbot)
    assert paces == [4.0] and standing.steps == 5
    (lap,) = standing.laps
    assert isinstance(lap, Lap) and 1 <= lap.steps <= 5
    assert page.table.table.rowCount() > 3


def test_a_bet_that_was_wrong_is_said(page: RacePage, qtbot: QtBot) -> None:
    page.amounts.setValue(1)
    bet_on(page, 2, qtbot)
    qtbot.waitUntil(lambda: page.bet.card.state == "revealed", timeout=2 * WAIT_MS)
    assert page.bet.card.verdict.text().startswith("Not quite.")
    page.steps.setValue(3)  # another race: another bet
    assert page.bet.card.state == "asking" and page.bet.card.score == (0, 1)


def test_a_race_can_be_stopped_and_keeps_its_laps(page: RacePage, qtbot: QtBot) -> None:
    page.steps.setValue(20_000)
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: page.standing is not None, timeout=WAIT_MS)
    qtbot.mouseClick(page.stop, LEFT)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert page.said.text() == "Stopped."


def test_other_tokens_end_the_race(page: RacePage, lab: Lab, qtbot: QtBot) -> None:
    page.steps.setValue(20_000)
    qtbot.mouseClick(page.start, LEFT)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not page.stop.isEnabled(), timeout=WAIT_MS)
    assert page.standing is None and not page.plot.series_names()


def test_too_little_text_says_so(page: RacePage, lab: Lab, qtbot: QtBot) -> None:
    lab.choose_corpus(CorpusChoice("text", text="abc"))
    qtbot.waitUntil(
        lambda: ready(lab) and lab.corpus is not None and lab.corpus.key == "text",
        timeout=WAIT_MS,
    )
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: "held-out" in page.said.text(), timeout=WAIT_MS)


def test_the_verdict_is_plain_either_way(
    page: RacePage, lab: Lab, qtbot: QtBot, add_run: Callable[..., TrainedRun]
) -> None:
    page.amounts.setValue(1)
    standing = run(page, qtbot)

    def told(*laps: Lap) -> str:
        return verdict(dataclasses.replace(standing, laps=laps))

    behind = Lap(0.5, 10, 500, (2.0, 1.0), transformer=3.0, epochs=4.0)
    ahead = Lap(1.0, 20, 1_000, (2.0, 1.0), transformer=0.5, epochs=2.0)
    lost = dataclasses.replace(ahead, transformer=math.nan, diverged="Gone astray.")
    assert "counting wins" in told(behind) and "n = 2, 1 bits" in told(behind)
    early = dataclasses.replace(ahead, n_bytes=250)
    assert told(early, behind).endswith("It was ahead on 250 bytes.")
    assert "It was ahead" not in told(behind)
    assert "overtook it, and leads from 1 kB on" in told(behind, ahead)
    assert "leads at every amount" in told(ahead)
    assert "fell out: Gone astray." in told(lost)
    assert told() == ""
    states = dataclasses.replace(ahead, hmm=0.25)
    assert told(states).startswith("On 1 kB of text the HMM (0.25 bits) is ahead")
    winners = [leaders(dataclasses.replace(standing, laps=(lap,))) for lap in (behind, ahead, lost)]
    assert winners == [[0], [2], [0]]
    assert leaders(dataclasses.replace(standing, laps=(states,))) == [1]


def test_sizes_as_words() -> None:
    assert [size(n) for n in (12, 1_500, 899_000, 1_234_567)] == [
        "12 bytes",
        "1.5 kB",
        "899 kB",
        "1.23 MB",
    ]
