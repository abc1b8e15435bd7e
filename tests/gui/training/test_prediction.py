"""The question before a run: asked, dropped, kept, and answered by the run's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from engine.training.records import EVALUATION_COLUMNS, STEP_COLUMNS
from engine.training.tables import Table
from gui.lab import Lab
from gui.training.news import News
from gui.training.prediction import EARLY, LATE, NEVER, outcome
from gui.training.session import Phase
from gui.training.tab import TrainingTab
from tests.gui.training.conftest import OTHER, a_recipe

Until = Callable[[Callable[[], bool]], None]


def news_of(steps: int, scored: list[tuple[int, float]]) -> News:
    """A run of ten steps, of which some are taken, with a held-out loss at some of them."""
    taken, evaluations = Table(*STEP_COLUMNS), Table(*EVALUATION_COLUMNS)
    for step in range(1, steps + 1):
        taken.append((step, 3.0, 0.1, 1.0, step, step, 1.0))
    for step, loss in scored:
        evaluations.append((step, loss, 0.0, step))
    return News(a_recipe(10), taken.view(), evaluations.view(), Table("step").view())


@pytest.mark.parametrize(
    ("steps", "scored", "choice", "told"),
    [
        (10, [(0, 5.0), (5, 1.9), (10, 1.5)], EARLY, "step 5 of 10 the held-out loss was 1.900"),
        (10, [(0, 5.0), (5, 2.0), (10, 1.99)], LATE, "step 10 of 10"),
        (10, [(0, 5.0), (5, 2.0), (10, 2.5)], NEVER, "2.000 at step 5, above the bigram's 2.000"),
        (10, [(0, 5.0), (3, 1.9), (10, 2.5)], EARLY, "step 3"),  # and above it again: it did pass
        (6, [(0, 5.0), (5, 1.9)], EARLY, "step 5"),  # stopped, but it is decided
        (6, [(0, 5.0), (5, 2.1)], None, ""),
        (10, [], None, ""),
    ],
)
def test_the_answer_is_the_first_evaluation_below_the_line(
    steps: int, scored: list[tuple[int, float]], choice: int | None, told: str
) -> None:
    found = outcome(news_of(steps, scored), 2.0)
    assert (found and found.choice) == choice
    assert found is None or told in found.why


@pytest.fixture
def tab(tab: TrainingTab, until: Until) -> TrainingTab:
    """With its question asked."""
    tab.setup.steps.setValue(4)
    until(lambda: tab.prediction.state == "asking")
    return tab


def bigram(tab: TrainingTab, lab: Lab) -> float:
    assert lab.streams is not None
    lines = tab.landmarks.of(lab.streams.made_from)
    return next(line.nats_per_token for line in lines if line.key == "bigram")


def test_it_is_asked_locked_in_by_keys_and_answered_at_the_end(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    card = tab.prediction
    assert f"{bigram(tab, lab):.2f} nats per token" in card.question.text()
    qtbot.keyClick(card, Qt.Key.Key_3)
    qtbot.keyClick(card, Qt.Key.Key_Return)
    qtbot.mouseClick(tab.transport.start, Qt.MouseButton.LeftButton)
    assert card.state == "locked" and card.line.isVisible() and not card.isVisible()
    until(lambda: tab.session.phase is Phase.FINISHED)
    news = tab.session.news
    assert news is not None
    lowest = float(news.evaluations["loss"].min())
    assert lowest > bigram(tab, lab)  # four steps are too few
    assert card.state == "revealed" and card.score == (1, 1)
    assert f"{lowest:.3f}" in card.verdict.text() and card.verdict.text().startswith("Right.")
    tab.setup.steps.setValue(5)  # another run: another question
    assert card.state == "asking" and card.choice() is None


def test_start_does_not_wait_for_it(tab: TrainingTab, until: Until, qtbot: Any) -> None:
    qtbot.mouseClick(tab.transport.start, Qt.MouseButton.LeftButton)
    assert not tab.prediction.isVisible()
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.prediction.score == (0, 0) and not tab.prediction.isVisible()
    tab.setup.steps.setValue(5)
    assert tab.prediction.state == "asking"  # it was dropped, not refused


def test_skipped_it_stays_away_until_the_text_is_another(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    qtbot.mouseClick(tab.prediction.skip_button, Qt.MouseButton.LeftButton)
    tab.setup.steps.setValue(5)
    tab.setup.recipe.setCurrentIndex(1)
    assert tab.prediction.state == "skipped" and not tab.prediction.isVisible()
    lab.choose_corpus(OTHER)
    until(lambda: tab.prediction.state == "asking")
    assert f"{bigram(tab, lab):.2f}" in tab.prediction.question.text()


def test_a_run_that_is_stopped_too_early_tells_nothing_until_it_goes_on(
    tab: TrainingTab, until: Until, qtbot: Any
) -> None:
    tab.prediction.choose(NEVER)
    tab.prediction.lock()
    qtbot.mouseClick(tab.transport.step, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.PAUSED)
    qtbot.mouseClick(tab.transport.stop, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.STOPPED)
    assert tab.prediction.state == "locked" and tab.prediction.line.isVisible()
    qtbot.mouseClick(tab.transport.resume, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.prediction.state == "revealed"


def test_a_new_run_drops_the_prediction_for_the_one_before(
    tab: TrainingTab, until: Until, qtbot: Any
) -> None:
    tab.prediction.choose(EARLY)
    tab.prediction.lock()
    qtbot.mouseClick(tab.transport.step, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.PAUSED)
    qtbot.mouseClick(tab.transport.stop, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.STOPPED)
    qtbot.mouseClick(tab.transport.start, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.prediction.score == (0, 0) and not tab.prediction.isVisible()
