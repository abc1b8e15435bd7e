"""What the models at the table say of one context. Runs on the compute thread; no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models import LanguageModel, NGramModel, Tokens
from engine.models.comparison import NextToken, next_token
from engine.tokenizers.base import Ids, Tokenizer, to_utf8
from gui.language_models.models import Seat, Table
from gui.widgets.token_text import display_text

LONGEST_CONTEXT = 100_000
"""Characters of a context that are read; of a longer one the last of them."""
_LONGEST_QUOTE = 40


@dataclass(frozen=True)
class Cut:
    """A context as the models see it."""

    text: str
    ids: Ids
    """Shape (T,), begin-of-text not among them."""
    byte_spans: tuple[tuple[int, int], ...] | None
    """Where each token stands in the text's bytes; None where the tokenizer is lossless."""
    source: bytes
    shortened: bool
    """Whether the text was longer than LONGEST_CONTEXT."""


@dataclass(frozen=True)
class Answer:
    """One model's word on what comes next."""

    seat: Seat
    next: NextToken
    undefined: str = ""
    """Why there is no distribution, where there is none."""


@dataclass(frozen=True)
class Answers:
    """All models' words on one context."""

    table: Table
    cut: Cut
    answers: tuple[Answer, ...]

    def of(self, kind: str) -> Answer | None:
        """The answer of a kind of model."""
        return next((answer for answer in self.answers if answer.seat.kind == kind), None)


def cut(text: str, tokenizer: Tokenizer) -> Cut:
    """A text as tokens."""
    shortened = len(text) > LONGEST_CONTEXT
    text = text[-LONGEST_CONTEXT:]
    spans = None if tokenizer.lossless else tuple(tokenizer.byte_spans(text))
    return Cut(text, tokenizer.encode_array(text), spans, to_utf8(text), shortened)


def ask(table: Table, text: str, job: Job = NO_JOB) -> Answers:
    """Every present model's distribution over the token after ``text``.

    Raises:
        LabError: if there is no tokenizer yet.
    """
    if table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    tokenizer = table.tokenizer.tokenizer
    pieces = cut(text, tokenizer)
    answers = []
    for seat in table.present:
        job.yield_point()
        answers.append(_answer(seat, pieces.ids, tokenizer))
    return Answers(table, pieces, tuple(answers))


def _answer(seat: Seat, ids: Ids, tokenizer: Tokenizer) -> Answer:
    model = seat.model
    assert model is not None
    try:
        said = next_token(model, ids)
    except LabError as error:  # the truth, after too many unknown words in a row
        return Answer(seat, NextToken(np.full(model.vocab_size, -np.inf)), str(error))
    return Answer(seat, said, "" if said.defined else why_undefined(model, ids, tokenizer))


def why_undefined(model: LanguageModel, ids: Tokens, tokenizer: Tokenizer) -> str:
    """Why a model has no distribution after a context, in words."""
    if isinstance(model, NGramModel):
        history = model.history(ids)
        words = [i for i in history if i != model.end_of_text]
        quote = display_text(b"".join(map(tokenizer.token_bytes, words)), _LONGEST_QUOTE)
        return (
            f"Never seen: the training text has nowhere the tokens “{quote}” with something "
            "after them, so the counts say 0 ÷ 0. Smoothing (Kneser–Ney, add-k) or a lower "
            "order mends this."
        )
    if model.kind == "truth":
        return (
            "No story of the language begins like this, so nothing is true of what comes next. "
            "The other models guess all the same."
        )
    if model.kind == "hmm":
        return "This text has probability 0 under the HMM, so it says nothing of what comes next."
    return "The transformer's numbers are no longer finite: its training went astray."
