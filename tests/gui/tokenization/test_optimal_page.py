"""The page that sets BPE beside the best vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QScrollArea, QWidget

from engine.tokenizers.optimal import OptimalVocabulary
from engine.tokenizers.optimal_gap import Gap, find_gap, optimality_gap, words_of
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.settings import Preferences
from gui.theme import Theme
from gui.tokenization import optimal_page
from gui.tokenization.optimal_page import LONGEST_TEXT, PRESETS, OptimalPage
from gui.tokenization.optimal_result import bound_in_words, loss_in_words, order_in_words
from tests.gui.conftest import WAIT_MS, flush_deletes

STORY = (
    "The mill stood by the river. The miller milled, and the mill said nothing. Nothing said the "
    "river, and nothing said the miller's other mill.\n\n"
) * 8


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: Any) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    made.choose_tokenizer(TokenizerSpec("bytes"))
    made.choose_corpus(CorpusChoice("text", text=STORY))
    qtbot.waitUntil(lambda: made.preparing is None and not compute.jobs, timeout=WAIT_MS)
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def page(lab: Lab, qtbot: Any) -> OptimalPage:
    made = OptimalPage(lab)
    qtbot.addWidget(made)
    made.resize(1000, 900)
    made.show()
    return made


def click(qtbot: Any, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def idle(page: OptimalPage, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: page._job is None, timeout=WAIT_MS)


def test_the_trivial_problem_is_asked_first(page: OptimalPage, qtbot: Any) -> None:
    assert not page.body.isVisible()
    click(qtbot, page.card.buttons[2])
    assert page.card.verdict.text().startswith("Right. With the whole text")
    click(qtbot, page.card.next_button)
    idle(page, qtbot)
    assert page.view.isVisible()
    assert not page.card.isVisible()


@pytest.mark.parametrize("index", range(len(PRESETS)))
def test_each_preset_is_solved_and_shown_as_it_is(
    page: OptimalPage, qtbot: Any, index: int
) -> None:
    page.body.show()
    page._choose_preset(index)
    click(qtbot, page.solve)
    idle(page, qtbot)
    _, text, k = PRESETS[index]
    gap = optimality_gap(words_of(text), k)
    assert page.view.bpe.count.text() == f"{gap.bpe} tokens"
    assert page.view.best.count.text() == f"{gap.optimum.n_tokens} tokens"
    assert len(page.view.bpe.text._tokens) == gap.bpe
    assert len(page.view.best.text._tokens) == gap.optimum.n_tokens
    assert sum(count for _, count in page.view.bar.parts) == gap.bpe
    assert "Proved" in page.view.bound.text()


def test_an_example_is_found_in_the_corpus(
    page: OptimalPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimal_page, "find_gap", partial(find_gap, stretches=8))
    page.body.show()
    click(qtbot, page.search)
    idle(page, qtbot)
    assert page.view.isVisible()
    assert page.text.toPlainText() in STORY
    assert "found in this corpus" in page.said.text()


def test_stop_gives_the_controls_back(page: OptimalPage, qtbot: Any) -> None:
    page.body.show()
    click(qtbot, page.search)
    assert page.stop.isVisible()
    click(qtbot, page.stop)
    idle(page, qtbot)
    assert page.solve.isVisible()
    assert page.said.text() == "Stopped."


@pytest.mark.parametrize("text", ["", "   ", "x" * (LONGEST_TEXT + 1)])
def test_what_is_empty_or_too_long_cannot_be_solved(page: OptimalPage, text: str) -> None:
    page.text.setPlainText(text)
    assert not page.solve.isEnabled()
    page.start()
    assert page._job is None


@pytest.mark.parametrize(
    ("text", "sentence"), [("abc", "repeats something"), ("ab" * 400, "too many")]
)
def test_what_cannot_be_solved_gets_a_sentence(
    page: OptimalPage, qtbot: Any, text: str, sentence: str
) -> None:
    page.body.show()
    page.text.setPlainText(text)
    click(qtbot, page.solve)
    idle(page, qtbot)
    assert sentence in page.said.text()


def gap(bpe: int, shortest: int, best: int, bound: int) -> Gap:
    cuts = {"abc": ("ab", "c")}
    optimum = OptimalVocabulary(("bc",), best, bound, 0.1)
    return Gap((("abc", 1),), 3, 1, ("ab",), cuts, bpe, shortest, optimum)


def test_a_bound_that_was_not_reached_is_said_as_it_is() -> None:
    said = bound_in_words(gap(40, 38, 31, 30))
    assert "best found 31, no fewer than 30 possible" in said
    assert "at least 9" in loss_in_words(gap(40, 38, 31, 30))
    assert "7 because its vocabulary" in loss_in_words(gap(40, 38, 31, 30))
    assert "2 because it replays" in loss_in_words(gap(40, 38, 31, 30))
    assert loss_in_words(gap(31, 31, 31, 31)) == "No loss: BPE is the best here."
    assert loss_in_words(gap(31, 31, 31, 30)) == "No loss: Nothing better was found."


def test_only_what_is_proved_is_called_the_best(page: OptimalPage) -> None:
    for bound, title in ((30, "The best vocabulary found"), (31, "The best vocabulary")):
        page.view.show_gap("abc", gap(40, 38, 31, bound))
        assert page.view.best.title.text() == title


def test_the_example_is_named_only_while_it_stands_there(page: OptimalPage) -> None:
    assert page.presets.currentIndex() == 0
    text = page.text.toPlainText()
    page.text.setPlainText(text + " More.")
    assert page.presets.currentIndex() == -1
    page.text.setPlainText(text)
    assert page.presets.currentIndex() == 0
    page.presets.activated.emit(2)
    assert page.presets.currentIndex() == 2 and page.text.toPlainText() != text


def test_a_word_that_merge_order_cuts_badly_is_shown() -> None:
    worse = Gap(
        (("abcd", 2),),
        4,
        3,
        ("bc", "ab", "cd"),
        {"abcd": ("a", "bc", "d")},
        6,
        4,
        OptimalVocabulary(("abcd",), 2, 2, 0.1),
    )
    assert "“a” + “bc” + “d”" in order_in_words(worse)
    assert "“ab” + “cd”" in order_in_words(worse)
    assert order_in_words(gap(3, 3, 3, 3)) == ""


def test_the_comparison_is_saved_as_a_picture(page: OptimalPage, tmp_path: Path) -> None:
    page.body.show()
    text = "abab baab abba"
    page.view.show_gap(text, optimality_gap(words_of(text), 1, 5.0))
    page.view.show()
    path = tmp_path / "loss.png"
    page.view.export.wanted.emit("png", str(path))
    shot = QImage(str(path))
    scale = page.view.devicePixelRatioF()
    assert shot.width() >= page.view.width() * scale and shot.height() >= page.view.height()
    row = page.view.bar.geometry().center().y() * shot.height() // page.view.height()
    assert len({shot.pixel(x, row) for x in range(shot.width())}) > 1


def test_the_page_leaves_nothing_behind(lab: Lab, dies: Callable[[QWidget], None]) -> None:
    dies(OptimalPage(lab))


def test_the_reason_is_scrolled_into_view(lab: Lab, qtbot: Any) -> None:
    page, area = OptimalPage(lab), QScrollArea()
    area.setWidgetResizable(True)
    area.setWidget(page)
    qtbot.addWidget(area)
    area.resize(500, 150)
    with qtbot.waitExposed(area):
        area.show()
    page.card.skip()
    seen = area.viewport().rect()
    verdict = page.card.verdict
    bottom = verdict.mapTo(area.viewport(), verdict.rect().bottomLeft())
    assert page.card.height() > seen.height() and seen.contains(bottom)
