"""The vocabulary-size page: measure, guess, scrub, use; through real clicks and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from engine.text import corpus_from_text
from engine.tokenizers import BPETokenizer
from engine.tokenizers.statistics import count_tokens
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.settings import Preferences
from gui.theme import Theme
from gui.tokenization.sizes_page import SizesPage, right_choice
from gui.tokenization.sizes_scrubber import SizeScrubber
from tests.gui.conftest import WAIT_MS, flush_deletes

TEXT = "\n\n".join(
    f"The feral cat number {i} attacked my cat. My cat bit the attacking cat {i} times, and ran."
    for i in range(60)
)


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: Any) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    made.choose_tokenizer(TokenizerSpec("bytes"))
    made.choose_corpus(CorpusChoice("text", text=TEXT))
    qtbot.waitUntil(lambda: made.preparing is None and not compute.jobs, timeout=WAIT_MS)
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def page(lab: Lab, qtbot: Any) -> SizesPage:
    made = SizesPage(lab)
    qtbot.addWidget(made)
    made.resize(1000, 900)
    made.show()
    return made


@pytest.fixture
def measured(page: SizesPage, qtbot: Any) -> SizesPage:
    qtbot.waitUntil(lambda: page.result is not None and page.result.complete, timeout=WAIT_MS)
    return page


def test_a_text_of_ordinary_size_is_measured_when_the_page_is_shown(lab: Lab, qtbot: Any) -> None:
    page = SizesPage(lab)
    qtbot.addWidget(page)
    page.show()  # and no event before the assertions, which may bring the first curves
    assert page.stop.isVisible() and not page.measure.isVisible()
    assert page.empty.isVisible() and "five curves" in page.empty.text.text()
    assert not page.body.isVisible()
    assert not page.card.isVisible()


def test_a_large_text_is_measured_only_when_asked(
    lab: Lab, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.tokenization.sizes_page.MEASURED_UNASKED", 1_000)
    page = SizesPage(lab)
    qtbot.addWidget(page)
    page.show()
    assert page.measure.isVisible() and not lab.compute.jobs
    assert "Not measured yet" in page.said.text()
    assert "This takes about 1 second " in page.empty.text.text()
    qtbot.mouseClick(page.measure, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.result is not None and page.result.complete, timeout=WAIT_MS)
    assert not page.empty.isVisible()


def test_curves_come_after_the_guess_which_is_judged_by_the_measurement(
    measured: SizesPage, qtbot: Any
) -> None:
    assert measured.result is not None
    sweep = measured.result.sweep
    assert measured.card.isVisible()
    assert not measured.body.isVisible()
    right = right_choice(sweep.train_tokens[0] / sweep.train_tokens[-1])
    qtbot.mouseClick(measured.card.buttons[right], Qt.MouseButton.LeftButton)
    assert measured.card.verdict.text().startswith("Right. ")
    assert measured.body.isVisible()
    qtbot.mouseClick(measured.card.next_button, Qt.MouseButton.LeftButton)
    assert not measured.card.isVisible() and measured.body.isVisible()
    assert "no pair occurs twice" in measured.said.text()


@pytest.mark.parametrize(
    ("ratio", "choice"), [(1.0, 0), (1.99, 0), (2.0, 1), (3.5, 2), (5.0, 3), (40.0, 3)]
)
def test_the_right_choice_is_that_of_the_ratio(ratio: float, choice: int) -> None:
    assert right_choice(ratio) == choice


def test_a_move_tells_the_exact_values_everywhere(measured: SizesPage, lab: Lab) -> None:
    measured.body.show()
    measured.spin.setValue(300)
    assert measured.scrubber.size_ == 300
    corpus = lab.corpus
    assert corpus is not None
    tokenizer = BPETokenizer.train(corpus.train, 300)
    n = sum(len(tokenizer.encode(document)) for document in corpus.train)
    said = {plot.spec.key: plot.value.text() for plot in measured.plots}
    assert f"{n:,} tokens to train on" in said["length"]
    assert "300 × 768 = 230,400" in said["embedding"]
    assert "of 300 tokens" in said["few"]
    assert "bits per byte" in said["bits"]
    assert measured.plots[0].plot._content.marks[-1].x == 300


@pytest.mark.parametrize("sentence", ["", "cat", "The cat bit 你好 twice.", "x" * 300])
def test_the_sentence_is_cut_as_the_vocabulary_of_that_size_cuts_it(
    measured: SizesPage, sentence: str
) -> None:
    assert measured.result is not None
    measured.sentence.setText(sentence)
    for size in (256, 280, measured.result.sweep.largest):
        measured.choose_size(size)
        ids = measured.result.sweep.tokenizer.truncated(size).encode(sentence)
        assert measured.tokens._tokens.ids.tolist() == ids
        assert measured.token_count.text().startswith(f"{len(ids):,} tokens")


def test_hovering_tells_how_often_a_token_stands_at_that_size(
    measured: SizesPage, lab: Lab
) -> None:
    assert measured.result is not None and lab.corpus is not None
    measured.sentence.setText("The cat bit 你.")
    for size in (256, 280, measured.result.sweep.largest):
        measured.choose_size(size)
        counts = count_tokens(measured.result.sweep.tokenizer.truncated(size), lab.corpus.train)
        for index in range(measured.tokens.count()):
            count = int(counts[measured.tokens.token_id(index)])
            assert f"count {count:,}" in measured.tokens.info_text(index).splitlines()


def test_the_size_becomes_the_tokenizer_of_all_tabs(
    measured: SizesPage, lab: Lab, qtbot: Any
) -> None:
    measured.body.show()
    measured.choose_size(290)
    with qtbot.waitSignal(lab.tokenizer_changed, timeout=WAIT_MS):
        qtbot.mouseClick(measured.use, Qt.MouseButton.LeftButton)
    assert lab.tokenizer is not None
    assert lab.tokenizer.spec == TokenizerSpec("bpe", 290)
    qtbot.waitUntil(lambda: lab.preparing is None, timeout=WAIT_MS)


def test_another_text_clears_the_page(measured: SizesPage, lab: Lab, qtbot: Any) -> None:
    old = measured.result
    measured.hide()
    lab.choose_corpus(CorpusChoice("text", text=TEXT[:2000]))
    qtbot.waitUntil(lambda: lab.preparing is None, timeout=WAIT_MS)
    assert measured.result is None and not lab.compute.jobs
    measured.show()
    qtbot.waitUntil(lambda: measured.result is not None, timeout=WAIT_MS)
    assert measured.result is not old


def test_stop_keeps_what_was_measured(page: SizesPage, lab: Lab, qtbot: Any) -> None:
    qtbot.mouseClick(page.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not lab.compute.jobs, timeout=WAIT_MS)
    assert page.measure.isVisible()
    assert not page.stop.isVisible()


def test_a_text_in_which_nothing_repeats_has_one_size(
    page: SizesPage, lab: Lab, qtbot: Any
) -> None:
    lab.choose_corpus(CorpusChoice("text", text="abc"))
    qtbot.waitUntil(lambda: lab.preparing is None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: page.result is not None and page.result.complete, timeout=WAIT_MS)
    assert page.body.isVisible()
    assert page.spin.value() == 256
    assert corpus_from_text("abc").train == lab.corpus.train  # type: ignore[union-attr]


def test_the_page_leaves_nothing_behind(lab: Lab, dies: Callable[[QWidget], None]) -> None:
    dies(SizesPage(lab))


# The scrubber


@pytest.fixture
def scrubber(look: Theme, qtbot: Any) -> SizeScrubber:
    made = SizeScrubber()
    qtbot.addWidget(made)
    made.resize(800, 60)
    made.set_bounds(256, 10_000)
    made.show()
    return made


def test_keys_move_the_size_and_the_ends_are_exact(scrubber: SizeScrubber, qtbot: Any) -> None:
    told: list[int] = []
    scrubber.size_chosen.connect(told.append)
    qtbot.keyClick(scrubber, Qt.Key.Key_End)
    assert scrubber.size_ == 10_000
    qtbot.keyClick(scrubber, Qt.Key.Key_Home)
    assert scrubber.size_ == 256
    qtbot.keyClick(scrubber, Qt.Key.Key_PageUp)
    assert scrubber.size_ == 512
    assert told == [10_000, 256, 512]
    assert scrubber.accessibleDescription() == "512 tokens"


@pytest.mark.parametrize("size", [256, 700, 4096, 10_000])
def test_a_click_on_the_ruler_goes_there(scrubber: SizeScrubber, qtbot: Any, size: int) -> None:
    place = QPoint(round(scrubber.place(size)), 30)
    qtbot.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=place)
    assert abs(scrubber.place(scrubber.size_) - scrubber.place(size)) <= 1.5


def test_beyond_the_learned_sizes_the_largest_is_chosen(scrubber: SizeScrubber, qtbot: Any) -> None:
    place = QPoint(round(scrubber.place(60_000)), 30)
    qtbot.mouseClick(scrubber, Qt.MouseButton.LeftButton, pos=place)
    assert scrubber.size_ == 10_000
