"""Looking probabilities up: for one context, for every place of a text, or for its tokens."""

from __future__ import annotations

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.models.ngram.counting import UNSEEN, Int64s, NGramCounts
from engine.models.ngram.estimates import Estimate, Floats
from engine.tokenizers.base import Ids

SCORING_BLOCK = 1 << 18
"""Tokens scored at a time, so that long texts take bounded memory."""


def row(counts: NGramCounts, estimate: Estimate, history: tuple[int, ...]) -> Floats:
    """p(· | history), shape (V,); the history as ``NGramModel.history`` gives it."""
    if not estimate.interpolated:
        node = counts.node(history) if history else 0
        return _row(counts, estimate, [(len(history) + 1, node)])
    steps = [(1, 0)]
    for length in range(1, len(history) + 1):
        node = counts.node(history[-length:])
        if node == UNSEEN:
            break  # nothing longer was seen either
        steps.append((length + 1, node))
    return _row(counts, estimate, steps)


def table(counts: NGramCounts, estimate: Estimate, ids: Ids) -> Floats:
    """p(xₜ = · | x_<t) for every place of a text, shape (T, V)."""
    order = len(estimate.levels)
    p = np.empty((len(ids), counts.vocab_size))
    nodes = np.stack([contexts for contexts, _ in counts.walk(ids, order)], axis=1)  # (T, order)
    used = orders_used(ids, counts.vocab_size - 1, order).tolist()
    for t, contexts in enumerate(nodes.tolist()):
        steps = list(enumerate(contexts, start=1))
        p[t] = _row(counts, estimate, steps if estimate.interpolated else [steps[used[t] - 1]])
    return p


def tokens(counts: NGramCounts, estimate: Estimate, ids: Ids, job: Job = NO_JOB) -> Floats:
    """p(xₜ | x_<t) of a text's own tokens, shape (T,)."""
    order = len(estimate.levels)
    p = np.empty(len(ids))
    for start in range(0, len(ids), SCORING_BLOCK):
        job.progress(start, len(ids), "Scoring")
        end = min(start + SCORING_BLOCK, len(ids))
        # Enough of what came before for the first tokens of the block to see.
        lead = max(0, start - order)
        p[start:end] = _tokens(counts, estimate, ids[lead:end], job)[start - lead :]
    return p


def orders_used(ids: Ids, end: int, order: int) -> Int64s:
    """The order whose context is all that a model of the given order sees, shape (T,): that
    order, or a lower one where a document has just begun.

    >>> orders_used(np.array([5, 6, 9, 7]), 9, order=3)
    array([2, 3, 3, 2])
    """
    places = np.arange(1, len(ids) + 1)  # with E before the text at place 0
    ends = np.where(ids == end, places, 0)
    last_end = np.maximum.accumulate(np.concatenate(([0], ends)))[:-1]
    orders: Int64s = np.minimum(places - last_end + 1, order)
    return orders


def _row(counts: NGramCounts, estimate: Estimate, steps: list[tuple[int, int]]) -> Floats:
    """The distribution, shape (V,), from (order, node of its context), lowest order first."""
    p = np.full(counts.vocab_size, estimate.floor)
    for order, context in steps:
        if context == UNSEEN:
            continue
        level = estimate.levels[order - 1]
        p *= level.remainders[context]
        nodes = counts.children(order, context)
        p[counts.child_tokens(order, nodes)] = level.probabilities[nodes]
    return p


def _tokens(counts: NGramCounts, estimate: Estimate, ids: Ids, job: Job) -> Floats:
    """p(xₜ | x_<t), shape (T,), all in one go."""
    order = len(estimate.levels)
    p = np.full(len(ids), estimate.floor)
    used = orders_used(ids, counts.vocab_size - 1, order)
    steps = zip(counts.walk(ids, order, job), estimate.levels, strict=True)
    for m, ((contexts, nodes), level) in enumerate(steps, start=1):
        job.yield_point()
        seen, found = contexts != UNSEEN, nodes != UNSEEN
        if not estimate.interpolated:
            seen &= used == m
            found &= used == m
        p[seen] *= level.remainders[contexts[seen]]
        p[found] = level.probabilities[nodes[found]]
    return p
