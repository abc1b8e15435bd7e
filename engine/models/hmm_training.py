"""Expectation maximisation for hidden Markov models (Baum–Welch), over many documents at once.

Documents run through the forward and backward recursions side by side, longest first, so that
one step of the recursion is one matrix product for all documents that are still going on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.hmm import Floats, HiddenMarkovModel, HmmParameters
from engine.tokenizers.base import Ids
from engine.tokenizers.stream import TokenStream

MIN_STATES, MAX_STATES = 2, 64
TOKENS_AT_ONCE = 60_000
"""Tokens whose state probabilities are held in memory together: 60,000 × K × 8 bytes twice."""


@dataclass(frozen=True)
class EmRound:
    """One round of expectation maximisation."""

    iteration: int
    """1, 2, …"""
    nats_per_token: float
    """−log p(training text) ÷ tokens under the parameters that the round started from."""
    model: HiddenMarkovModel
    """The model after the round."""


@dataclass
class _Counts:
    """Expected counts over all documents: how often each event happened, in expectation."""

    start: Floats
    transition: Floats
    emission: Floats
    log_likelihood: float = 0.0


def initial_parameters(stream: TokenStream, states: int, seed: int) -> HmmParameters:
    """A random point to start from: near the unigram distribution, every state a bit different.

    Equal states would stay equal for ever; expectation maximisation climbs from differences.
    """
    rng = np.random.default_rng(seed)
    unigram = np.bincount(stream.ids[1:], minlength=stream.vocab_size) + 0.01
    emission = unigram * rng.gamma(1.0, size=(states, stream.vocab_size))
    return HmmParameters(
        start=rng.dirichlet(np.full(states, 5.0)),
        transition=rng.dirichlet(np.full(states, 1.0), size=states),
        emission=emission / emission.sum(axis=1, keepdims=True),
    )


def train_hmm(
    stream: TokenStream,
    states: int,
    iterations: int = 30,
    seed: int = 0,
    pseudo_count: float = 1e-3,
    initial: HmmParameters | None = None,
    job: Job = NO_JOB,
) -> Iterator[EmRound]:
    """Fit a hidden Markov model to documents, one round of EM at a time.

    Each round raises the likelihood of the training text (with a pseudo-count: its posterior).

    Args:
        stream: the training documents.
        states: K, 2 … 64.
        iterations: rounds; the caller may stop earlier by not asking for more.
        seed: of the random start.
        pseudo_count: added to every expected emission count, so that no token of the
            vocabulary is impossible in any state. 0 is plain maximum likelihood.
        initial: start from these parameters instead.
        job: progress and cancellation, several times a round.

    Raises:
        LabError: if the number of states is out of range, or there is no text.
    """
    if not MIN_STATES <= states <= MAX_STATES:
        raise LabError(f"Choose {MIN_STATES} to {MAX_STATES} hidden states.")
    if stream.n_targets < 1 or len(stream.boundaries) < 2:
        raise LabError("There is no training text. Choose a corpus with some text first.")
    parameters = initial or initial_parameters(stream, states, seed)
    documents = sorted(stream.documents(), key=len, reverse=True)
    for iteration in range(1, iterations + 1):
        counts = _expected_counts(documents, parameters, job, iteration, iterations)
        emission = counts.emission + pseudo_count
        parameters = HmmParameters(
            start=_normalized(counts.start[None], parameters.start[None])[0],
            transition=_normalized(counts.transition, parameters.transition),
            emission=_normalized(emission, parameters.emission),
        )
        nats = -counts.log_likelihood / stream.n_targets
        yield EmRound(iteration, nats, HiddenMarkovModel(parameters))


def _normalized(counts: Floats, otherwise: Floats) -> Floats:
    """Rows as distributions; a state that was never visited keeps the row it had."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.where(totals > 0, counts / np.where(totals > 0, totals, 1.0), otherwise)


def _expected_counts(
    documents: Sequence[Ids], parameters: HmmParameters, job: Job, iteration: int, iterations: int
) -> _Counts:
    """The E step over all documents, longest first, in batches that fit in memory."""
    k, v = parameters.emission.shape
    counts = _Counts(np.zeros(k), np.zeros((k, k)), np.zeros((k, v)))
    total = sum(map(len, documents))
    done = first = 0
    while first < len(documents):
        last, tokens = first, 0
        while last < len(documents) and (last == first or tokens < TOKENS_AT_ONCE):
            tokens += len(documents[last])
            last += 1
        _add_batch(documents[first:last], parameters, counts, job)
        first, done = last, done + tokens
        rounds_done = iteration - 1 + done / total
        job.progress(rounds_done, iterations, "Fitting the hidden Markov model")
    return counts


def _add_batch(
    documents: Sequence[Ids], parameters: HmmParameters, counts: _Counts, job: Job
) -> None:
    """Forward and backward over documents side by side; adds their expected counts.

    Rows are ordered by time step, then document: step t holds the documents longer than t,
    which are the first n_t ones, since the longest come first.
    """
    transition, emission_of = parameters.transition, np.ascontiguousarray(parameters.emission.T)
    lengths = np.array([len(document) for document in documents])
    steps = int(lengths[0])
    alive = np.searchsorted(-lengths, -np.arange(steps), side="left")  # n_t
    offsets = np.concatenate(([0], np.cumsum(alive)))
    tokens = np.empty(int(offsets[-1]), dtype=np.int64)
    for d, document in enumerate(documents):
        tokens[offsets[: len(document)] + d] = document
    emitted = emission_of[tokens]  # (N, K)
    forward = np.empty_like(emitted)  # p(zₜ | x_≤t)
    scale = np.empty(len(tokens))  # p(xₜ | x_<t)

    predicted = np.broadcast_to(parameters.start, (alive[0], len(parameters.start)))
    for t in range(steps):
        rows = slice(offsets[t], offsets[t + 1])
        joint = predicted[: alive[t]] * emitted[rows]
        # A document that has become impossible adds nothing more (its scale is taken as 1).
        total = joint.sum(axis=1)
        scale[rows] = total
        forward[rows] = joint / np.where(total > 0, total, 1.0)[:, None]
        predicted = forward[rows] @ transition
        if t % 200 == 0:
            job.yield_point()
    with np.errstate(divide="ignore"):
        counts.log_likelihood += float(np.log(scale).sum())

    safe = np.where(scale > 0, scale, 1.0)
    # weight[t] = B(·, xₜ) β(t) / p(xₜ | x_<t): what the rest of the document says of zₜ
    weight = emitted / safe[:, None]
    gamma = forward.copy()  # p(zₜ | x₁:T)
    for t in range(steps - 2, -1, -1):
        later = slice(offsets[t + 1], offsets[t + 2])
        n_later = alive[t + 1]
        backward = weight[later] @ transition.T  # β(t), for documents that go on
        rows = slice(offsets[t], offsets[t] + n_later)
        weight[rows] *= backward
        gamma[rows] *= backward
        if t % 200 == 0:
            job.yield_point()

    counts.start += gamma[: alive[0]].sum(axis=0)
    goes_on = np.concatenate(
        [np.arange(offsets[t], offsets[t] + alive[t + 1]) for t in range(steps - 1)]
        or [np.empty(0, dtype=np.int64)]
    )
    joint_counts = forward[goes_on].T @ weight[offsets[1] :]  # (K, K)
    counts.transition += transition * joint_counts
    order = np.argsort(tokens, kind="stable")
    present, first = np.unique(tokens[order], return_index=True)
    counts.emission[:, present] += np.add.reduceat(gamma[order], first, axis=0).T
