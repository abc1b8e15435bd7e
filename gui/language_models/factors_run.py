"""One text through several factorizations of p(x). Runs on the compute thread; no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models import NGramModel
from engine.models.comparison import NextToken
from engine.models.hmm import HiddenMarkovModel
from engine.models.ledger import ledger
from engine.models.reversed import ReversedModel, reverse_stream
from engine.models.scores import Score, spelling_nats
from engine.tokenizers.base import to_utf8
from engine.workspace.choices import NGramSettings
from engine.workspace.made import Streams
from gui.language_models.answers import Cut, cut
from gui.language_models.models import Seat, Table

LONGEST = 400
"""Tokens of a text that are read here; a longer one is cut."""
BACKWARDS = "right to left"
"""How the reversed n-gram takes p(x) apart."""
FAVOURITES = 6
"""Tokens named for each hidden state."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ReversedNGram:
    """The n-gram at the table, counted on the same text backwards."""

    streams: Streams
    settings: NGramSettings
    model: ReversedModel


@dataclass(frozen=True)
class Total:
    """What the text comes to under one model."""

    kind: str
    title: str
    direction: str
    """How the model takes p(x) apart, in a few words."""
    score: Score | None
    failure: str = ""


@dataclass(frozen=True)
class HiddenStates:
    """What the hidden Markov model makes of the text."""

    model: HiddenMarkovModel
    smoothed: Floats | None
    """p(z_t | x), shape (T + 1, K), end-of-text's state last; None where p(x) = 0."""
    emits: tuple[tuple[tuple[int, float], ...], ...]
    """For each state its most probable tokens."""


@dataclass(frozen=True)
class Factored:
    """The text, its totals, and the factors of both directions."""

    table: Table
    cut: Cut
    too_long: bool
    backwards: ReversedNGram
    totals: tuple[Total, ...]
    ahead: Floats
    """log p(x_t | x_<t) of the n-gram, shape (T + 1,); the last is the end."""
    behind: Floats
    """log p(x_t | x_>t) of the reversed n-gram, shape (T + 1,); the first is the beginning."""
    states: HiddenStates | None


def needed_ngram(table: Table) -> tuple[Seat, NGramModel]:
    """The n-gram at the table.

    Raises:
        LabError: if it is still being counted.
    """
    seat = table.seat("ngram")
    if seat is None or not isinstance(seat.model, NGramModel) or table.tokenizer is None:
        raise LabError("The n-grams are still being counted.")
    return seat, seat.model


def count_backwards(table: Table, streams: Streams, job: Job = NO_JOB) -> ReversedNGram:
    """Count the n-gram at the table once more, on the training text backwards.

    Raises:
        LabError: if the n-gram is still being counted.
    """
    _, model = needed_ngram(table)
    stream = reverse_stream(streams.train)
    counted = NGramModel.train(stream, model.order, model.smoothing, model.k, job)
    return ReversedNGram(streams, settings_of(model), ReversedModel(counted))


def settings_of(model: NGramModel) -> NGramSettings:
    """What an n-gram was made with."""
    return NGramSettings(model.order, model.smoothing, model.k)


def factor(table: Table, known: ReversedNGram, text: str, job: Job = NO_JOB) -> Factored:
    """Score a text under every factorization.

    Args:
        table: the models.
        known: the table's n-gram, reversed.
        text: one whole text: it begins and ends here, for only whole texts have a probability
            in both directions.
        job: may be dropped in between.

    Raises:
        LabError: if the n-gram is still being counted.
    """
    seat, _ = needed_ngram(table)
    assert table.tokenizer is not None
    tokenizer = table.tokenizer.tokenizer
    pieces = cut(text, tokenizer)
    too_long = len(pieces.ids) > LONGEST
    if too_long:
        end = tokenizer.byte_spans(pieces.text)[LONGEST - 1][1]
        pieces = cut(pieces.source[:end].decode("utf-8", "ignore"), tokenizer)
    job.yield_point()
    behind = known.model.document_log_probs(pieces.ids)
    score = Score(
        nats=0.0 - float(np.sum(behind)),
        tokens=len(behind),
        n_bytes=len(to_utf8(pieces.text)),
        impossible=int(np.count_nonzero(np.isneginf(behind))),
        spelling_nats=spelling_nats(tokenizer, pieces.text),
    )
    totals, ahead = [], np.empty(0)
    for each in table.present:
        assert each.model is not None
        job.yield_point()
        direction = "Σ over hidden states" if each.kind == "hmm" else "left to right"
        try:
            made = ledger(each.model, tokenizer, pieces.text, True, job)
        except LabError as error:
            totals.append(Total(each.kind, each.title, direction, None, str(error)))
            continue
        totals.append(Total(each.kind, each.title, direction, made.score))
        if each.kind == "ngram":
            ahead = made.log_probs
            totals.append(Total("ngram", f"{seat.title}, reversed", BACKWARDS, score))
    hmm = table.seat("hmm")
    states = None
    if hmm is not None and isinstance(hmm.model, HiddenMarkovModel):
        states = _states(hmm.model, pieces.ids.tolist())
    return Factored(table, pieces, too_long, known, tuple(totals), ahead, behind, states)


def _states(model: HiddenMarkovModel, ids: Sequence[int]) -> HiddenStates:
    try:
        smoothed = model.smoothed_states([*ids, model.end_of_text])
    except ValueError:  # p(x) = 0: no state emitted it
        smoothed = None
    emits = tuple(tuple(model.favourite_tokens(k, FAVOURITES)) for k in range(model.n_states))
    return HiddenStates(model, smoothed, emits)


@dataclass(frozen=True)
class Neighbours:
    """What each direction says of one token's place."""

    made: Factored
    place: int
    """Index of the token; T for the end of the text."""
    ahead: NextToken
    """The n-gram's distribution given what stands before."""
    behind: NextToken
    """The reversed n-gram's given what stands behind."""


def neighbours(made: Factored, place: int, job: Job = NO_JOB) -> Neighbours:
    """The distributions of both directions over the token in a place."""
    _, model = needed_ngram(made.table)
    ids = made.cut.ids
    job.yield_point()
    return Neighbours(
        made,
        place,
        NextToken(model.next_log_probs(ids[:place])),
        NextToken(made.backwards.model.previous_log_probs(ids[place + 1 :])),
    )


def more_probable(made: Factored) -> int | None:
    """Which direction gives the text the higher probability: 0 for left to right, 1 for right to
    left, 2 if it is the same; None where one of the two has no score."""
    scores = [t.score for t in made.totals if t.kind == "ngram" and t.score is not None]
    if len(scores) != 2:
        return None
    ahead, behind = scores[0].nats, scores[1].nats
    same = ahead == behind or math.isclose(ahead, behind, rel_tol=1e-9)
    return 2 if same else int(behind < ahead)


def in_words(made: Factored) -> str:
    """What the two directions come to, in a sentence."""
    scores = {t.direction: t.score for t in made.totals if t.kind == "ngram" and t.score}
    ahead, behind = scores.get("left to right"), scores.get("right to left")
    if ahead is None or behind is None:
        return ""
    smoothing = made.backwards.settings.smoothing
    if not (math.isfinite(ahead.nats) and math.isfinite(behind.nats)):
        return (
            "By counting alone this text has probability 0 or none at all, from either end: it "
            "holds something that never stood in the training text."
        )
    apart = abs(ahead.nats - behind.nats) / math.log(2)
    if apart < 1e-6:
        why = {
            "maximum_likelihood": "By maximum likelihood that is so for every text: both "
            "directions multiply and divide the same counts (see “On a small table”).",
            "add_k": "Add-k keeps that identity for n of 1 and 2.",
        }.get(smoothing, "")
        return f"From either end the n-gram gives the text the same probability. {why}".strip()
    return (
        f"The two directions of the n-gram differ by {apart:.3g} bits on this text. Both are "
        "distributions over texts; smoothing treats what stands before a token and what stands "
        "behind it differently. With maximum likelihood they would agree exactly."
    )
