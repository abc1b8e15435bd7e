"""One step, slowly: the page, as a person uses it, on a small text."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from engine.training import gpt2_style
from gui.lab import Lab
from gui.training import step_words as words
from gui.training.session import Phase
from gui.training.step_page import StepPage
from gui.training.step_run import FAR_TOO_LARGE
from gui.training.tab import TrainingTab
from tests.gui.training.conftest import an_order

Until = Callable[[Callable[[], bool]], None]
LINES = "The feral cat\nCat 7 bit"


@pytest.fixture
def tab(tab: TrainingTab) -> TrainingTab:
    """With the page in front, and three steps of the recipe that is easiest to follow."""
    tab.setup.recipe.setCurrentIndex(tab.setup.recipe.findData("gpt2"))
    tab.setup.steps.setValue(3)
    tab.show_page("step")
    return tab


@pytest.fixture
def page(tab: TrainingTab) -> StepPage:
    found = tab.pages.page("step")
    assert isinstance(found, StepPage)
    found.text.set_text(LINES)
    return found


def press(qtbot: Any, button: Any) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def taken(page: StepPage) -> Any:
    assert page._found is not None
    return page._found[1]


def test_the_page_has_the_room_of_the_runs_controls(tab: TrainingTab, page: StepPage) -> None:
    assert not tab.driving.isVisible()
    tab.show_page("curves")
    assert tab.driving.isVisible()


def test_sentences_of_the_text_are_there_at_once(tab: TrainingTab, lab: Lab, qtbot: Any) -> None:
    page = tab.pages.page("step")
    assert isinstance(page, StepPage) and lab.corpus is not None
    first = page.text.text()
    assert len(first.split("\n")) == 2
    assert all(line in "".join(lab.corpus.train) for line in first.split("\n"))
    press(qtbot, page.other_button)
    assert page.text.text() != first


def test_predict_see_explain(page: StepPage, until: Until, qtbot: Any) -> None:
    press(qtbot, page.take_button)
    until(lambda: page.card.state == "asking")
    assert not page.results.isVisible()  # nothing is given away
    assert "has been taken" in page.nothing.text() and page.nothing.isVisible()
    page.card.choose(2)
    page.card.lock()
    (step,) = taken(page)
    assert page.card.score == (1, 1)  # GPT-2's embedding is the output matrix too
    assert (step.rows > 0).all()
    assert page.results.isVisible()
    assert "rose" in page.results.headline.text()
    table = page.results.places
    assert table.rowCount() == step.batch.tokens == len(LINES.replace("\n", "").encode())
    assert table.item(0, 0).text() == "begin"
    assert table.item(1, 0).text() == table.item(0, 1).text()  # shifted by one
    row = next(r for r in range(table.rowCount()) if r != table.currentRow())
    table.setCurrentCell(row, 1)
    line, place = words.places(step)[row]
    after, before = page.results.bars.shown_models()
    np.testing.assert_allclose(after.log_probs, step.after[line, place])
    np.testing.assert_allclose(before.log_probs, step.before[line, place])
    press(qtbot, page.take_button)  # the same is not asked twice
    until(lambda: page.results.isVisible() and not page.card.isVisible())


def test_a_rate_far_too_large_is_asked_about_and_shown(
    page: StepPage, until: Until, qtbot: Any
) -> None:
    page.rate.set_value(5)
    press(qtbot, page.far_button)
    until(lambda: page.card.state == "asking")
    page.card.choose(2)
    page.card.lock()
    near, far = taken(page)
    assert far.rate == pytest.approx(FAR_TOO_LARGE * near.rate)
    assert not far.gain > 0
    assert page.card.score == (1, 1)
    said = page.results.headline.text()
    assert "fell" in said or "no numbers" in said


def test_the_recipes_own_optimizer(page: StepPage, until: Until, qtbot: Any) -> None:
    page.rule_box.setCurrentIndex(1)
    assert page.rate.value() == gpt2_style().learning_rate
    press(qtbot, page.take_button)
    until(lambda: page.card.state == "asking")
    page.card.skip()
    assert page.results.isVisible()
    assert "∇ log p · Δθ" in page.results.headline.text()
    assert not page.results.formula.isVisible()


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Write a sentence"), ("   \n", "Write a sentence"), ("cat " * 40, "tokens long")],
)
def test_bad_text_is_explained_in_place(
    page: StepPage, until: Until, qtbot: Any, text: str, said: str
) -> None:
    page.text.set_text(text)
    press(qtbot, page.take_button)
    until(lambda: said in page.problem.text)
    page.text.set_text(LINES)
    press(qtbot, page.take_button)
    until(lambda: page.card.state == "asking")
    assert not page.problem.isVisible()


def test_a_rate_that_is_no_number_is_explained(page: StepPage, qtbot: Any) -> None:
    page.rate.box.lineEdit().setText("much")
    press(qtbot, page.take_button)
    assert "no number" in page.problem.text


def test_the_run_at_hand_takes_the_step_and_stays_as_it_is(
    tab: TrainingTab, page: StepPage, until: Until, qtbot: Any
) -> None:
    tab.show_page("curves")
    press(qtbot, tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    tab.show_page("step")
    assert page.model_box.currentData() == "run"
    assert "3 steps" in page.model_box.currentText()
    order = page.order()
    news = tab.session.news
    assert news is not None and order.model is news.model and news.model is not None
    kept = [p.clone() for p in news.model.module.parameters()]
    press(qtbot, page.take_button)
    until(lambda: page.card.state == "asking")
    for before, now in zip(kept, news.model.module.parameters(), strict=True):
        assert (before == now).all()


def test_the_tables_are_written_as_they_read(
    page: StepPage, until: Until, qtbot: Any, tmp_path: Path
) -> None:
    press(qtbot, page.take_button)
    until(lambda: page.card.state == "asking")
    page.card.skip()
    page.results.matrices.export_csv(tmp_path / "matrices.csv")
    with (tmp_path / "matrices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0][1:]) == words.MATRIX_COLUMNS
    assert [row[0] for row in rows[1:]] == [m.name for m in taken(page)[0].matrices]
    page.results._save(page.results.matrices, "csv", str(tmp_path / "none" / "x.csv"))
    assert "could not be written" in page.problem.text


def test_right_answers_are_those_of_the_numbers() -> None:
    assert words.right_far(0.1, -2.0, 100)[0] == (2,)
    assert words.right_far(0.1, math.nan, 100)[0] == (2,)
    assert words.right_far(0.1, 0.4, 100)[0] == (1,)
    assert words.right_far(0.001, 0.09, 100)[0] == (0,)


def test_sentences_are_offered_that_the_model_reads(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    page = tab.pages.page("step")
    tab.session.start(an_order(lab), steps=1)  # its context is 16 bytes
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert page.model_box.currentData() == "run"
    assert page.model_box.currentText() == "the run, when last scored, after 0 steps"
    lines = page.text.text().split("\n")
    assert all(0 < len(line.encode()) <= 16 for line in lines)
    assert lines[0] == "The feral cat"
    press(qtbot, page.take_button)
    until(lambda: page._found is not None or bool(page.problem.text))
    assert page.problem.text == ""
    page.text.set_text(LINES)  # one's own text is left alone
    tab.session.step()
    until(lambda: tab.session.news is not None and tab.session.news.step == 2)
    assert page.text.text() == LINES
