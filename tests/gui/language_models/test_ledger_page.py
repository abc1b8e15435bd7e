"""The page "Sentence ledger": the cells are the chain rule's, whatever the sentence is."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.models.ledger import ledger
from engine.models.scores import score_text
from engine.workspace.choices import NGramSettings, TokenizerSpec
from gui.lab import Lab
from gui.language_models.ledger_page import LedgerPage
from gui.language_models.ledger_table import QUANTITIES, Quantity
from gui.language_models.presets import TUTORIAL
from gui.language_models.sentence import LONGEST, Sentence
from gui.language_models.tab import LanguageModelsTab
from gui.widgets.numbers import format_log_probability
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab, qtbot: QtBot) -> LedgerPage:
    tab.pages.show_page("ledger")
    made = tab.pages.page("ledger")
    assert isinstance(made, LedgerPage)
    return made


def read_now(page: LedgerPage, qtbot: QtBot, text: str | None = None) -> Sentence:
    """Type a sentence, and wait for its ledgers."""
    if text is not None:
        page.field.setText(text)
    wanted = page.field.text().replace("\ud800", "\ufffd")

    def shown() -> bool:
        sentence = page.sentence
        return (
            sentence is not None
            and sentence.table is page.models.table
            and wanted.startswith(sentence.cut.text)
            and (sentence.too_long or sentence.cut.text == wanted)
            and (sentence.too_long or sentence.closed == page.closed.isChecked())
        )

    qtbot.waitUntil(shown, timeout=WAIT_MS)
    assert page.sentence is not None
    return page.sentence


def cell(page: LedgerPage, row: int, column: int) -> str:
    return str(page.rows.data(page.rows.index(row, column)))


def test_cells_and_totals_are_the_engines(page: LedgerPage, lab: Lab, qtbot: QtBot) -> None:
    sentence = read_now(page, qtbot, "Otto went to the lake.")
    assert lab.tokenizer is not None
    tokenizer = lab.tokenizer.tokenizer
    kinds = [entry.seat.kind for entry in sentence.entries]
    assert kinds == ["ngram", "transformer", "truth"]
    for column, entry in enumerate(sentence.entries[:2], 1):
        model = entry.seat.model
        assert model is not None and entry.ledger is not None
        own = ledger(model, tokenizer, "Otto went to the lake.")
        for row in range(len(sentence.ids)):
            assert cell(page, row, column) == format_log_probability(own.log_probs[row])
        score = score_text(model, tokenizer, "Otto went to the lake.")
        assert page.totals.table.item(0, column - 1).text() == str(score.probability)
        bits = float(page.totals.table.item(1, column - 1).text())
        assert bits == pytest.approx(score.bits_per_token, rel=0.01)


def test_each_quantity_follows_from_the_conditionals(page: LedgerPage, qtbot: QtBot) -> None:
    sentence = read_now(page, qtbot, "Otto went")
    made = sentence.entries[0].ledger
    assert made is not None
    for number, (quantity, _, _) in enumerate(QUANTITIES):
        qtbot.mouseClick(page.quantities.button(number), LEFT)
        shown = [cell(page, row, 1) for row in range(len(sentence.ids))]
        if quantity is Quantity.RUNNING:
            expected = [format_log_probability(x) for x in np.cumsum(made.log_probs)]
        elif quantity is Quantity.BITS:
            expected = [f"{-x / math.log(2):.2f}" for x in made.log_probs]
        elif quantity is Quantity.RANK:
            expected = [f"{r:,}" for r in made.ranks]
        else:
            expected = [format_log_probability(x) for x in made.log_probs]
        assert shown == expected


def test_the_tutorials_sentences_stand_in_the_tutorials_order(
    page: LedgerPage, qtbot: QtBot
) -> None:
    sentence = read_now(page, qtbot)
    assert tuple(text for text, _ in sentence.others) == TUTORIAL
    ngram = [scores[0] for _, scores in sentence.others]
    nats = [score.nats for score in ngram if score is not None]
    assert len(nats) == 3 and nats == sorted(nats)
    assert page.comparison.table.item(2, 0).text() == str(ngram[2].probability if ngram[2] else "")


def test_probabilities_are_never_shown_as_zero_because_they_are_small(
    page: LedgerPage, qtbot: QtBot
) -> None:
    sentence = read_now(page, qtbot, "xq" * 180)
    made = sentence.entries[0].ledger
    assert made is not None and made.score.nats > 800  # exp(−800) is 0 as a float
    assert "10⁻" in page.totals.table.item(0, 0).text()
    page.rows.set_quantity(Quantity.RUNNING)
    assert "10⁻" in cell(page, len(sentence.ids) - 1, 1)


def test_impossible_then_undefined_is_said_as_it_is(
    page: LedgerPage, tab: LanguageModelsTab, lab: Lab, qtbot: QtBot
) -> None:
    tab.models.choose_ngram(NGramSettings(3, "maximum_likelihood"))
    qtbot.waitUntil(lambda: lab.ngram is not None and lab.ngram.settings.order == 3)
    qtbot.waitUntil(
        lambda: lab.ngram is not None and lab.ngram.settings.smoothing == "maximum_likelihood"
    )
    sentence = read_now(page, qtbot, "Qzx Qzx")
    shown = [cell(page, row, 1) for row in range(len(sentence.ids))]
    first = shown.index("0")
    assert "undefined" in shown[first + 1 :]
    page.rows.set_quantity(Quantity.RUNNING)
    assert all(cell(page, row, 1) == "0" for row in range(first, len(shown)))
    assert page.totals.table.item(0, 0).text() == "0" and page.totals.table.item(3, 0).text() == "∞"


def test_a_click_on_a_token_shows_what_was_expected_there(page: LedgerPage, qtbot: QtBot) -> None:
    sentence = read_now(page, qtbot, "Otto went to")
    spot = page.table.visualRect(page.rows.index(1, 1)).center()
    qtbot.mouseClick(page.table.viewport(), LEFT, pos=spot)
    qtbot.waitUntil(lambda: page.answers is not None, timeout=WAIT_MS)
    assert page.answers is not None
    made = sentence.entries[0].ledger
    assert made is not None
    said = page.answers.answers[0].next
    token = sentence.ids[1]
    assert said.log_probs[token] == pytest.approx(made.log_probs[1])
    assert token in page.bars.rows and "Token 2" in page.asked.text()


def test_open_ended_texts_leave_the_end_out(page: LedgerPage, qtbot: QtBot) -> None:
    closed = read_now(page, qtbot, "Otto")
    qtbot.mouseClick(page.closed, LEFT)
    qtbot.waitUntil(lambda: page.sentence is not closed, timeout=WAIT_MS)
    opened = read_now(page, qtbot)
    assert opened.ids == closed.ids[:-1]


def test_presets_put_their_sentence_in(page: LedgerPage, lab: Lab, qtbot: QtBot) -> None:
    texts = []
    for button in page.preset_row.findChildren(type(page.model_bar.fit)):
        qtbot.mouseClick(button, LEFT)
        texts.append(page.field.text())
        read_now(page, qtbot)
    assert tuple(texts[:3]) == TUTORIAL
    assert lab.corpus is not None and any(texts[3] in d for d in lab.corpus.held_out)
    assert sorted(texts[3].split()) == sorted(texts[4].split()) and texts[3] != texts[4]
    sentence = page.sentence
    assert sentence is not None


@pytest.mark.parametrize(
    "text",
    ["", "👩‍👩‍👧‍👦", "e\u0301\u0301", "a\ud800b", "שלום \u202eabc", "<b>x</b>", "word " * 4_000],
)
def test_hostile_sentences(page: LedgerPage, qtbot: QtBot, text: str) -> None:
    sentence = read_now(page, qtbot, text)
    assert page.rows.rowCount() == len(sentence.ids) <= LONGEST + 1
    if len(text) > LONGEST * 5:
        assert sentence.too_long and "Only the first" in page.said.text()
    page.grab()


def test_unknown_words_are_said_to_be_cheap(page: LedgerPage, lab: Lab, qtbot: QtBot) -> None:
    lab.choose_tokenizer(TokenizerSpec("words", 100))
    qtbot.waitUntil(lambda: ready(lab), timeout=WAIT_MS)
    read_now(page, qtbot, "zebra zebra zebra")
    assert "<unk>" in page.said.text()


def test_the_ledger_is_saved_with_all_digits(
    page: LedgerPage, tmp_path: Path, qtbot: QtBot
) -> None:
    sentence = read_now(page, qtbot, "He is hungry")
    made = sentence.entries[0].ledger
    assert made is not None
    for quantity, wanted in (
        (Quantity.CONDITIONAL, np.exp(made.log_probs)),
        (Quantity.BITS, -np.asarray(made.log_probs) / np.log(2)),
        (Quantity.RANK, made.ranks),
    ):
        page.rows.set_quantity(quantity)
        page.export_button.wanted.emit("csv", str(tmp_path / "ledger.csv"))
        text = (tmp_path / "ledger.csv").read_text(encoding="utf-8")
        header, *rows = csv.reader(io.StringIO(text))
        assert header[:2] == ["token", sentence.entries[0].seat.title]
        assert len(rows) == len(sentence.ids)
        assert [float(row[1]) for row in rows] == pytest.approx(list(wanted), rel=1e-12)
