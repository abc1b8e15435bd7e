"""Held-out bits per byte of a quick n-gram at several vocabulary sizes.

Longer tokens mean fewer guesses, each among more tokens and from fewer examples. Loss per token
cannot say which wins, for its token is another one at every size; bits per byte of the same
held-out text can. The model is an interpolated modified Kneser–Ney trigram.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.models.ngram import NGramModel
from engine.models.scores import held_out_score
from engine.tokenizers.base import to_utf8
from engine.tokenizers.stream import encode_documents
from engine.tokenizers.sweep import LARGEST, VocabularySweep, sweep_sizes, sweep_vocabulary

ORDER = 3
"""The field's n: each token is predicted from the two before it."""

MAX_TRAIN_BYTES = 1_000_000
MAX_HELD_OUT_BYTES = 200_000
"""Of larger corpora the n-gram sees the first documents up to so many bytes: it is to be quick."""


@dataclass(frozen=True, eq=False)
class SweepResult:
    """A sweep and the n-gram's scores so far."""

    sweep: VocabularySweep
    bit_sizes: npt.NDArray[np.int64]
    """Sizes at which the n-gram was scored, ascending, shape (n,)."""
    bits_per_byte: npt.NDArray[np.float64]
    """Its held-out bits per byte there, shape (n,)."""
    counted_bytes: int
    """Bytes of text that the n-gram was counted on."""
    complete: bool
    """Whether all sizes were scored."""


def first_documents(documents: Sequence[str], most_bytes: int) -> list[str]:
    """As many documents from the start as fit; of a first one that doesn't fit, its beginning."""
    kept: list[str] = []
    room = most_bytes
    for document in documents:
        size = len(to_utf8(document))
        if size > room:
            if not kept:
                kept.append(to_utf8(document)[:room].decode("utf-8", "ignore"))
            break
        kept.append(document)
        room -= size
    return kept


def bits_per_byte(
    sweep: VocabularySweep,
    train: Sequence[str],
    held_out: Sequence[str],
    size: int,
    job: Job = NO_JOB,
) -> float:
    """The trigram's bits per byte on the held-out documents at one size; NaN without any."""
    if not held_out or not train:
        return float("nan")
    tokenizer = sweep.tokenizer.truncated(size)
    model = NGramModel.train(encode_documents(tokenizer, train, job), ORDER, job=job)
    return held_out_score(model, encode_documents(tokenizer, held_out, job), job).bits_per_byte


def measure_sizes(
    train: Sequence[str], held_out: Sequence[str], largest: int = LARGEST, job: Job = NO_JOB
) -> SweepResult:
    """Sweep all sizes, then score the n-gram at some, coarse sizes first.

    Args:
        train: documents to learn from.
        held_out: documents to measure on.
        largest: where to stop, if pairs still occur twice.
        job: progress, partial results (SweepResult), cancellation.

    Raises:
        LabError: if ``largest`` makes no sense.
        JobCancelled: if the work was asked to stop.
    """
    sweep = sweep_vocabulary(train, held_out, largest, job)
    counted = first_documents(train, MAX_TRAIN_BYTES)
    scored = first_documents(held_out, MAX_HELD_OUT_BYTES)
    counted_bytes = sum(len(to_utf8(document)) for document in counted)
    sizes = sweep_sizes(sweep.smallest, sweep.largest)
    found: dict[int, float] = {}

    def result(complete: bool) -> SweepResult:
        ordered = sorted(found)
        values = np.array([found[size] for size in ordered], dtype=np.float64)
        places = np.array(ordered, dtype=np.int64)
        return SweepResult(sweep, places, values, counted_bytes, complete)

    job.publish(result(False))
    for done, size in enumerate(_coarse_first(sizes)):
        job.progress(done, len(sizes), "Scoring the n-gram (sizes)")
        found[size] = bits_per_byte(sweep, counted, scored, size, _Quiet(job))
        job.publish(result(False))
    return result(True)


def _coarse_first(sizes: Sequence[int]) -> Iterator[int]:
    """Both ends, then ever finer steps, so that the curve has its shape early."""
    seen: set[int] = set()
    for step in (len(sizes) - 1 or 1, 8, 4, 2, 1):
        for size in sizes[::step]:
            if size not in seen:
                seen.add(size)
                yield size


class _Quiet(Job):
    """Can be stopped and waits like the job itself, without telling progress of its own."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def yield_point(self) -> None:
        self._job.yield_point()
