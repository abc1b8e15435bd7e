"""What the models at the table say of one context. Runs on the compute thread; no Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import LabError
from engine.generation import SamplingRules, generate
from engine.jobs import NO_JOB, Job
from engine.models import LanguageModel, NGramModel, Tokens
from engine.models.comparison import NextToken, next_token
from engine.tokenizers.base import Ids, Tokenizer, to_utf8
from gui.language_models.models import Seat, Table
from gui.widgets.token_text import display_text

LONGEST_CONTEXT = 20_000
"""Characters of a context that are read; of a longer one the last of them."""
_LONGEST_QUOTE = 40
_MOST_SUGGESTED = 12


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
    seen: Mapping[str, int] = field(default_factory=dict)
    """How many tokens each kind of model looks back on, begin-of-text counted; kinds that look
    at all of them are left out."""


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
    suggestion: str = ""
    """What the suggesting model would write on up to the end of a word."""
    suggested_by: str = ""
    """The title of that model."""

    def of(self, kind: str) -> Answer | None:
        """The answer of a kind of model."""
        return next((answer for answer in self.answers if answer.seat.kind == kind), None)


def cut(text: str, tokenizer: Tokenizer) -> Cut:
    """A text as tokens."""
    shortened = len(text) > LONGEST_CONTEXT
    text = text[-LONGEST_CONTEXT:]
    spans = None if tokenizer.lossless else tuple(tokenizer.byte_spans(text))
    return Cut(text, tokenizer.encode_array(text), spans, to_utf8(text), shortened)


def cut_for(table: Table, text: str) -> Cut:
    """A text as the models at the table see it.

    Raises:
        LabError: if there is no tokenizer yet.
    """
    if table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    pieces = cut(text, table.tokenizer.tokenizer)
    seen = {}
    for seat in table.present:
        if isinstance(seat.model, NGramModel):
            seen[seat.kind] = len(seat.model.history(pieces.ids))
        elif seat.kind == "transformer":
            from engine.models.transformer.model import TransformerModel, window_start

            assert isinstance(seat.model, TransformerModel)
            n = len(pieces.ids)
            seen[seat.kind] = n + 1 - window_start(n, seat.model.config.context)
    return replace(pieces, seen=seen)


def ask(table: Table, text: str, suggest_by: Sequence[str] = (), job: Job = NO_JOB) -> Answers:
    """Every present model's distribution over the token after ``text``.

    Args:
        table: the models.
        text: the context.
        suggest_by: kinds of models, of which the first that has a distribution writes on to
            the end of a word; none for no suggestion.
        job: may be dropped between two models.

    Raises:
        LabError: if there is no tokenizer yet.
    """
    pieces = cut_for(table, text)
    assert table.tokenizer is not None
    tokenizer = table.tokenizer.tokenizer
    answers = []
    for seat in table.present:
        job.yield_point()
        answers.append(_answer(seat, pieces.ids, tokenizer))
    said = {a.seat.kind: a.seat for a in answers if a.next.defined}
    who = next((said[kind] for kind in suggest_by if kind in said), None)
    if who is None or who.model is None:
        return Answers(table, pieces, tuple(answers))
    word = suggested(who.model, pieces.ids, tokenizer, job)
    return Answers(table, pieces, tuple(answers), word, who.title if word else "")


def suggested(model: LanguageModel, ids: Ids, tokenizer: Tokenizer, job: Job = NO_JOB) -> str:
    """The likeliest token, and so on, up to the end of a word; text only.

    Empty where the model would end the document, or writes nothing that is text.
    """
    text = ""
    written: list[int] = []
    try:
        for token in generate(model, ids, SamplingRules(temperature=0), 0, _MOST_SUGGESTED, job):
            written.append(token.id)
            data = b"".join(map(tokenizer.token_bytes, written))
            text = data.decode("utf-8", "ignore")
            word = re.match(r"\s*\S+(?=\s)", text)
            if word:
                return word[0]
    except LabError:
        return ""
    return text


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
