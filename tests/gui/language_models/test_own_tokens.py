"""A transformer that reads other tokens than the lab's: by itself, or said why it cannot join."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.generation import SamplingRules
from engine.models.comparison import NextToken
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.model import TransformerModel
from engine.tokenizers import CharacterTokenizer
from engine.workspace.choices import TokenizerSpec
from engine.workspace.made import MadeTokenizer, TrainedRun, tokenizer_fingerprint
from gui.lab import Lab
from gui.language_models.bars import BarTable, Column
from gui.language_models.bench_bars import BenchBars
from gui.language_models.tab import LanguageModelsTab
from gui.transformer.inside_page import InsidePage
from gui.widgets.token_text import Vocabulary
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton
NAME = "Speller @ step 40"


@pytest.fixture
def speller(lab: Lab, tab: LanguageModelsTab) -> TrainedRun:
    """A run of single characters, in a lab of byte-pair tokens."""
    assert lab.corpus is not None and lab.streams is not None
    tokenizer = CharacterTokenizer.train("".join(lab.corpus.train))
    made = MadeTokenizer(
        tokenizer,
        TokenizerSpec("characters"),
        tokenizer_fingerprint(tokenizer),
        lab.streams.made_from,
    )
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size + 1, context=64, layers=1, heads=2, width=16
    )
    model = TransformerModel.untrained(config, seed=3)
    return lab.add_run(TrainedRun(NAME, model, made, lab.streams.made_from))


def chosen(tab: LanguageModelsTab, qtbot: QtBot) -> None:
    """Choose it in the row of models, by its name."""
    box = tab.pages.page("next").model_bar.run  # type: ignore[attr-defined]
    index = box.findData(NAME)
    assert box.itemText(index) == f"{NAME} (own tokens)"
    box.setCurrentIndex(index)
    box.activated.emit(index)
    qtbot.waitUntil(lambda: tab.models.run is not None and tab.models.run.name == NAME)


def test_it_is_offered_but_never_taken_unasked(tab: LanguageModelsTab, speller: TrainedRun) -> None:
    assert speller in tab.models.runs and tab.models.run is not speller
    assert [seat.kind for seat in tab.models.table.present] == ["ngram", "transformer", "truth"]


def test_it_has_the_bars_to_itself_with_its_own_tokens(
    tab: LanguageModelsTab, speller: TrainedRun, lab: Lab, qtbot: QtBot
) -> None:
    chosen(tab, qtbot)
    table = tab.models.table
    assert [seat.kind for seat in table.present] == ["transformer", "truth"]
    assert table.tokenizer is speller.tokenizer
    ngram, mine = table.seat("ngram"), table.seat("transformer")
    assert ngram is not None and "cannot join" in ngram.missing
    assert mine is not None and "tokens of its own" in mine.note
    page = tab.pages.page("next")
    tab.context.set_text("One morning")
    qtbot.waitUntil(
        lambda: (
            page.answers is not None  # type: ignore[attr-defined]
            and page.answers.table is tab.models.table  # type: ignore[attr-defined]
            and page.answers.cut.text == "One morning"
        ),  # type: ignore[attr-defined]
        timeout=WAIT_MS,
    )
    answer = page.answers.of("transformer")  # type: ignore[attr-defined]
    ids = speller.tokenizer.tokenizer.encode("One morning")
    assert len(ids) == len("One morning")
    np.testing.assert_allclose(
        answer.next.log_probs, speller.model.next_log_probs(ids), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("key", ["sampling", "generate", "ledger", "quiz"])
def test_pages_that_need_one_model_work_with_it(
    tab: LanguageModelsTab, speller: TrainedRun, qtbot: QtBot, key: str
) -> None:
    chosen(tab, qtbot)
    tab.pages.show_page(key)
    page = tab.pages.page(key)
    done: dict[str, Callable[[], bool]] = {
        "sampling": lambda: (
            page.row is not None and page.row.bench.table.tokenizer is speller.tokenizer
        ),
        "generate": lambda: bool(page.panels["transformer"].ended.text()),
        "ledger": lambda: (
            page.sentence is not None and len(page.sentence.ids) == len("He is hungry") + 1
        ),
        "quiz": lambda: page.own.table.rowCount() == 2,
    }
    if key == "generate":
        page.length.setValue(5)
        qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(done[key], timeout=WAIT_MS)


@pytest.mark.parametrize("key", ["counts", "factors", "reach"])
def test_pages_about_n_grams_say_why_it_cannot_join(
    tab: LanguageModelsTab, speller: TrainedRun, qtbot: QtBot, key: str
) -> None:
    chosen(tab, qtbot)
    tab.pages.show_page(key)
    page = tab.pages.page(key)
    if key == "reach":
        qtbot.mouseClick(page.start, LEFT)
        qtbot.waitUntil(lambda: "tokens chosen above" in page.said.text(), timeout=WAIT_MS)
        assert page.probed is None
    else:
        qtbot.waitUntil(lambda: "cannot join" in page.said.text(), timeout=WAIT_MS)


def test_it_can_be_looked_into(
    tab: LanguageModelsTab, speller: TrainedRun, lab: Lab, qtbot: QtBot
) -> None:
    chosen(tab, qtbot)
    inside = InsidePage(lab, tab.models, tab.context)
    qtbot.addWidget(inside)
    inside.show()
    qtbot.waitUntil(lambda: inside.look is not None, timeout=WAIT_MS)
    assert inside.look is not None and inside.look.run is speller


def test_choosing_tokens_brings_the_models_of_these_tokens_back(
    tab: LanguageModelsTab, speller: TrainedRun, lab: Lab, qtbot: QtBot
) -> None:
    chosen(tab, qtbot)
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    qtbot.waitUntil(lambda: ready(lab) and lab.tokenizer.spec.kind == "bytes", timeout=WAIT_MS)
    assert tab.models.run is None
    assert tab.models.table.tokenizer is lab.tokenizer


def test_the_same_ids_of_another_vocabulary_get_other_chips(qtbot: QtBot) -> None:
    said = NextToken(np.log([0.6, 0.4]))
    column = Column("ngram", "3-gram", "3-gram", said, "")
    bench = SamplingRules().apply(said.log_probs)
    letters, digits = Vocabulary([b"a", b"b"].__getitem__), Vocabulary([b"1", b"2"].__getitem__)
    pictures = []
    for vocabularies in ((letters, digits), (digits,)):
        bars, rules = BarTable(), BenchBars()
        for widget in (bars, rules):
            qtbot.addWidget(widget)
            widget.resize(500, 300)
        shown = []
        for vocabulary in vocabularies:
            bars.show_rows([0, 1], [column], vocabulary)
            rules.show_rules(said.log_probs, bench, "ngram", vocabulary)
            shown = [widget.grab().toImage() for widget in (bars, rules)]
        pictures.append(shown)
    assert pictures[0] == pictures[1]
