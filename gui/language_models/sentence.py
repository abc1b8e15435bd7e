"""One sentence under every model at the table. Runs on the compute thread; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.comparison import next_token
from engine.models.ledger import Ledger, ledger, ledger_ids
from engine.models.scores import Score, score_text
from gui.language_models.answers import Answer, Answers, Cut, cut, why_undefined
from gui.language_models.models import Seat, Table

LONGEST = 400
"""Tokens of a sentence that are written out; of a longer text the first ones."""


@dataclass(frozen=True)
class Entry:
    """A model's ledger of the sentence, or why it has none."""

    seat: Seat
    ledger: Ledger | None
    failure: str = ""


@dataclass(frozen=True)
class Sentence:
    """The ledgers of one sentence."""

    table: Table
    cut: Cut
    ids: tuple[int, ...]
    """With end-of-text behind, if it is closed."""
    closed: bool
    too_long: bool
    entries: tuple[Entry, ...]
    others: tuple[tuple[str, tuple[Score | None, ...]], ...]
    """The sentences to compare with, each with its score under each model of ``entries``."""


def read(
    table: Table,
    text: str,
    closed: bool,
    compare: Sequence[str] = (),
    job: Job = NO_JOB,
) -> Sentence:
    """Write the chain rule out for a sentence under every present model.

    Raises:
        LabError: if there is no tokenizer yet.
    """
    if table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    tokenizer = table.tokenizer.tokenizer
    pieces = cut(text, tokenizer)
    too_long = len(pieces.ids) > LONGEST
    if too_long:
        end = tokenizer.byte_spans(pieces.text)[LONGEST - 1][1]
        pieces = cut(pieces.source[:end].decode("utf-8", "ignore"), tokenizer)
        closed = False  # the text goes on
    entries = []
    for seat in table.present:
        assert seat.model is not None
        try:
            made = ledger(seat.model, tokenizer, pieces.text, closed, job)
        except LabError as error:
            entries.append(Entry(seat, None, str(error)))
        else:
            entries.append(Entry(seat, made))
    others = []
    for other in compare:
        scores: list[Score | None] = []
        for seat in table.present:
            assert seat.model is not None
            try:
                scores.append(score_text(seat.model, tokenizer, other, closed))
            except LabError:
                scores.append(None)
            job.yield_point()
        others.append((other, tuple(scores)))
    ids = tuple(ledger_ids(tokenizer, pieces.text, closed).tolist())
    return Sentence(table, pieces, ids, closed, too_long, tuple(entries), tuple(others))


def alternatives(sentence: Sentence, place: int, job: Job = NO_JOB) -> Answers:
    """What every model expected in a place of the sentence."""
    made = sentence.table.tokenizer
    assert made is not None
    before = sentence.ids[:place]
    answers = []
    for entry in sentence.entries:
        model = entry.seat.model
        if model is None or entry.ledger is None:
            continue
        job.yield_point()
        said = next_token(model, before)
        why = "" if said.defined else why_undefined(model, before, made.tokenizer)
        answers.append(Answer(entry.seat, said, why))
    return Answers(sentence.table, sentence.cut, tuple(answers))
