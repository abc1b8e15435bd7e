"""What a sentence comes to under each model, and beside it the sentences to compare with."""

from __future__ import annotations

import math

from engine.models.scores import Score
from gui.language_models.ledger_table import lost
from gui.language_models.sentence import Sentence
from gui.widgets.numbers import format_number
from gui.widgets.plain_table import PlainTable as PlainTable
from gui.widgets.titled_table import TitledTable
from gui.widgets.token_text import display_text, isolate

ROWS = (
    ("p(x)", "The probability of the whole text: the product of all its conditionals."),
    ("bits per token", "−log₂ p(x) ÷ tokens. It depends on how the text is cut."),
    (
        "bits per byte",
        "−log₂ p(x) ÷ bytes of the text: comparable between models whose tokens differ.",
    ),
    (
        "perplexity",
        "2 to the power of the bits per token: as unsure as among so many equally likely tokens.",
    ),
)


def fill_totals(table: TitledTable, sentence: Sentence) -> None:
    """The totals of a sentence under each model."""
    entries = [entry for entry in sentence.entries if entry.ledger is not None]
    scores = [entry.ledger.score for entry in entries if entry.ledger is not None]
    undefined = [
        lost(entry.ledger, len(sentence.ids)) for entry in entries if entry.ledger is not None
    ]
    rows = []
    for number, (title, tip) in enumerate(ROWS):
        cells = [
            "undefined" if bad else total(score, number)
            for score, bad in zip(scores, undefined, strict=True)
        ]
        rows.append((title, tip, cells))
    table.fill([entry.seat.title for entry in entries], rows)


def total(score: Score, row: int) -> str:
    """One of the four totals."""
    if row == 0:
        return str(score.probability)
    value = (score.bits_per_token, score.bits_per_byte, score.perplexity)[row - 1]
    return "–" if math.isnan(value) else format_number(value, 3 if row < 3 else 4)


def fill_comparison(table: TitledTable, sentence: Sentence) -> None:
    """The probabilities of the sentences to compare with."""
    rows = []
    for text, scores in sentence.others:
        shown = isolate(display_text(text.encode("utf-8", "replace"), 40).replace("␣", " "))
        cells = ["–" if score is None else str(score.probability) for score in scores]
        rows.append((shown, "p of this text under each model", cells))
    table.fill([entry.seat.title for entry in sentence.entries], rows)
