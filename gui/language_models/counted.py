"""What was counted after a context, and where. Runs on the compute thread; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models import NGramModel
from engine.models.ngram.model import Share
from gui.language_models.answers import Cut, cut_for
from gui.language_models.models import Table

MOST_FOLLOWERS = 200
MOST_PLACES = 50
AROUND = 24
"""Tokens shown before and behind a place."""


@dataclass(frozen=True)
class Follower:
    """A token that followed the context in training."""

    token: int
    count: int
    probability: float
    """Under the model, smoothing and all."""


@dataclass(frozen=True)
class Place:
    """A place of the training text where the context and its follower stand."""

    before: tuple[int, ...]
    hit: tuple[int, ...]
    behind: tuple[int, ...]


@dataclass(frozen=True)
class Counted:
    """The counts after the last tokens of a context."""

    table: Table
    cut: Cut
    model: NGramModel
    history: tuple[int, ...]
    """The tokens looked at, begin-of-text (as the id of end-of-text) among them."""
    times: int
    """How often they were followed by anything in training."""
    distinct: int
    """By how many different tokens."""
    followers: tuple[Follower, ...]
    """The most frequent, at most MOST_FOLLOWERS."""
    asked: int | None
    """The token asked about: by default the most frequent follower."""
    asked_count: int
    asked_probability: float
    shares: tuple[Share, ...]
    """How each order adds to its probability under the model."""
    places: tuple[Place, ...]
    """Where it followed in training, at most MOST_PLACES."""


def look_up(
    table: Table, text: str, looked_at: int | None, asked: int | None, job: Job = NO_JOB
) -> Counted:
    """Look the context's last tokens up in the counts.

    Args:
        table: its n-gram is asked.
        text: the context.
        looked_at: how many tokens to look at, fewer than the order; None for all that the model
            looks at.
        asked: the token to explain; None for the most frequent follower.
        job: may be dropped in between.

    Raises:
        LabError: if there is no n-gram yet.
    """
    seat = table.seat("ngram")
    model = seat.model if seat is not None else None
    if not isinstance(model, NGramModel):
        raise LabError("The n-grams are still being counted.")
    pieces = cut_for(table, text)
    history = model.history(pieces.ids)
    if looked_at is not None:
        history = history[max(0, len(history) - looked_at) :]
    job.yield_point()
    tokens, counts = model.count_table(history)
    row = model.next_log_probs(pieces.ids)
    followers = tuple(
        Follower(int(token), int(count), math.exp(row[token]))
        for token, count in zip(
            tokens[:MOST_FOLLOWERS].tolist(), counts[:MOST_FOLLOWERS].tolist(), strict=True
        )
    )
    if asked is None and followers:
        asked = followers[0].token
    shares: tuple[Share, ...] = ()
    places: tuple[Place, ...] = ()
    if asked is not None:
        shares = tuple(model.interpolation_shares(pieces.ids, asked))
        job.yield_point()
        places = _places(model, (*history, asked))
    return Counted(
        table=table,
        cut=pieces,
        model=model,
        history=history,
        times=int(counts.sum()),
        distinct=len(tokens),
        followers=followers,
        asked=asked,
        asked_count=int(counts[tokens == asked].sum()) if asked is not None else 0,
        asked_probability=math.exp(row[asked]) if asked is not None else 0.0,
        shares=shares,
        places=places,
    )


def _places(model: NGramModel, ngram: tuple[int, ...]) -> tuple[Place, ...]:
    ids = model.counts.stream.ids
    found = []
    for start in model.occurrences(ngram, MOST_PLACES).tolist():
        end = start + len(ngram)
        found.append(
            Place(
                tuple(ids[max(0, start - AROUND) : start].tolist()),
                tuple(ids[start:end].tolist()),
                tuple(ids[end : end + AROUND].tolist()),
            )
        )
    return tuple(found)
