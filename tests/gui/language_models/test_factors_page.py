"""The page "Other factorizations": its figures are the engine's, its small table exact."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.models import NGramModel
from engine.models.reversed import ReversedModel, reverse_stream
from engine.workspace.choices import NGramSettings
from gui.lab import Lab
from gui.language_models.factors_page import FactorsPage
from gui.language_models.factors_run import Factored, in_words
from gui.language_models.tab import LanguageModelsTab
from tests.gui.language_models.conftest import WAIT_MS

TEXT = "One morning, Otto went to the market."
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab) -> FactorsPage:
    tab.pages.show_page("factors")
    made = tab.pages.page("factors")
    assert isinstance(made, FactorsPage)
    return made


def factored(page: FactorsPage, qtbot: QtBot, text: str = TEXT) -> Factored:
    def ready() -> bool:
        made = page.factored
        return made is not None and made.cut.text == text and made.table is page.models.table

    page.field.setText(text)
    qtbot.waitUntil(ready, timeout=WAIT_MS)
    assert page.factored is not None
    return page.factored


def test_totals_are_the_models_own(page: FactorsPage, lab: Lab, qtbot: QtBot) -> None:
    made = factored(page, qtbot)
    assert lab.tokenizer is not None and lab.streams is not None
    ids = lab.tokenizer.tokenizer.encode(TEXT)
    settings = page.models.ngram_settings
    end = lab.streams.train.end_of_text
    ahead = NGramModel.train(lab.streams.train, settings.order)
    behind = ReversedModel(NGramModel.train(reverse_stream(lab.streams.train), settings.order))
    shown = {total.title: total.score for total in made.totals}
    first = shown[f"{settings.order}-gram"]
    second = shown[f"{settings.order}-gram, reversed"]
    assert first is not None and second is not None
    assert first.nats == pytest.approx(-float(np.sum(ahead.token_log_probs([*ids, end]))))
    assert second.nats == pytest.approx(-float(np.sum(behind.document_log_probs(ids))))
    assert second.tokens == first.tokens == len(ids) + 1
    heads = [
        page.totals.table.horizontalHeaderItem(i).text()
        for i in range(page.totals.table.columnCount())
    ]
    assert heads == [total.title for total in made.totals]
    assert page.totals.table.item(1, 1).text() == "?" and not page.said.isVisible()
    qtbot.mouseClick(page.card.buttons[2], LEFT)
    right = 0 if first.nats < second.nats else 1
    assert page.card.buttons[right].text().startswith("✓") and page.card.score == (0, 1)
    assert page.totals.table.item(1, 1).text() == str(second.probability)
    assert in_words(page.factored) in page.card.verdict.text() and not page.said.isVisible()
    table = page.direction.table
    assert table.rowCount() == len(ids) + 2
    assert table.item(0, 1).text() == "" and table.item(len(ids) + 1, 2).text() == ""
    assert float(table.item(1, 1).text()) == pytest.approx(np.exp(made.ahead[0]), rel=0.05)


def test_both_ways_agree_by_maximum_likelihood(page: FactorsPage, lab: Lab, qtbot: QtBot) -> None:
    assert lab.corpus is not None
    page.models.choose_ngram(NGramSettings(3, "maximum_likelihood"))
    qtbot.waitUntil(lambda: "maximum" in page.models.table.seats[0].name, timeout=WAIT_MS)
    text = lab.corpus.train[0][:300]  # cut short: it never ended there, so p = 0 both ways
    made = factored(page, qtbot, text)
    assert all(t.score is None or t.score.nats == np.inf for t in made.totals if t.kind == "ngram")
    page.card.skip()
    assert "probability 0" in page.card.verdict.text()
    whole = min(lab.corpus.train, key=len)
    made = factored(page, qtbot, whole)
    assert not made.too_long and page.said.isVisible()  # another text than the card's
    assert "same probability" in page.said.text()


def test_a_chosen_token_shows_what_came_before_it(page: FactorsPage, qtbot: QtBot) -> None:
    made = factored(page, qtbot)
    page.direction.table.setCurrentCell(3, 0)
    qtbot.waitUntil(lambda: page.direction.previous_bars.rows != [], timeout=WAIT_MS)
    token = int(made.cut.ids[2])
    qtbot.waitUntil(lambda: token in page.direction.previous_bars.rows, timeout=WAIT_MS)
    assert token in page.direction.next_bars.rows
    following = made.cut.ids[3:]
    said = made.backwards.model.previous_log_probs(following)
    told = page.direction.previous_bars.describe(page.direction.previous_bars.rows.index(token))
    assert f"{np.exp(said[token]):.2f}"[:3] in told or "e-" in told or "×" in told


def test_hidden_states_are_fitted_from_their_own_page(page: FactorsPage, qtbot: QtBot) -> None:
    factored(page, qtbot)
    page.looks.show_page("states")
    assert page.states.stack.currentWidget() is page.states.empty
    page.model_bar.states.setValue(3)
    qtbot.mouseClick(page.states.empty.button, LEFT)
    qtbot.waitUntil(lambda: not page.models.hmm.running, timeout=2 * WAIT_MS)
    qtbot.waitUntil(
        lambda: page.factored is not None and page.factored.table is page.models.table,
        timeout=WAIT_MS,
    )
    states = page.factored.states
    assert states is not None and states.smoothed is not None
    assert states.smoothed.shape == (len(page.factored.cut.ids) + 1, 3)
    assert states.smoothed.sum(axis=1) == pytest.approx(1.0)
    assert page.states.emissions.rowCount() == 3
    assert page.states.stack.currentWidget() is page.states.splitter


def test_the_small_table_counts_what_is_typed(page: FactorsPage, qtbot: QtBot) -> None:
    page.looks.show_page("small")
    small = page.small
    assert not page.totals.isVisible()
    small.text.setText("a b / c b / a b / a a")
    small.sentence.setText("a b")
    assert small.said.text().count("3/8") == 2 and "2 of 3 conditionals differ" in small.said.text()
    assert small.table.item(1, 4).text() == "2/4" and small.table.item(1, 5).text() == "2/3"
    small.sentence.setText("a zebra")
    assert "zebra" in small.said.text() and "undefined" in small.said.text()
    small.text.setText(" / ")
    assert "Write a few sentences" in small.said.text()
    page.looks.show_page("directions")
    assert page.totals.isVisible()


def test_no_view_lies_on_another_before_it_is_shown(page: FactorsPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.card.state == "asking", timeout=WAIT_MS)  # it is to be seen
    for view in (page.states, page.small):
        assert not view.isVisible()
    page.looks.show_page("small")
    assert page.small.isVisible() and not page.card.isVisible() and not page.totals.isVisible()
    page.looks.show_page("directions")
    assert page.card.isVisible() and page.totals.isVisible()


def test_both_directions_can_be_taken_along(
    page: FactorsPage, qtbot: QtBot, tmp_path: Path
) -> None:
    made, view = factored(page, qtbot), page.direction
    qtbot.waitUntil(lambda: view.previous_bars.rows != [], timeout=WAIT_MS)
    view.table_export.export("csv", str(tmp_path / "tokens.csv"))
    with (tmp_path / "tokens.csv").open(encoding="utf-8", newline="") as file:
        _, first, *rows, last = csv.reader(file)
    assert first[1] == "" and last[2] == ""
    np.testing.assert_allclose([float(row[1]) for row in (*rows, last)], np.exp(made.ahead))
    np.testing.assert_allclose([float(row[2]) for row in (first, *rows)], np.exp(made.behind))
    view.bar_export.export("csv", str(tmp_path / "bars.csv"))
    with (tmp_path / "bars.csv").open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    assert head == ["shown", "id", "token", "probability"]
    before = [int(line[1]) for line in lines if line[0] == "what came before"]
    assert before == view.previous_bars.rows
    assert len(lines) == len(before) + len(view.next_bars.rows)
