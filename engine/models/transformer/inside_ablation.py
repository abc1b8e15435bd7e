"""What a part is worth: the loss on held-out text with it and without.

A part that is switched off leaves the rest to work on inputs it was never trained on (zero
ablation), so the loss that follows is an upper bound of what the part does, not a measure of
what the model could have learned without it (McGrath et al. 2023, "The Hydra effect").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import NOTHING_OFF
from engine.models.transformer.points import SwitchedOff
from engine.tokenizers.base import Ids
from engine.tokenizers.stream import TokenStream


@dataclass(frozen=True)
class Ablation:
    """Held-out loss of a model whole and with parts switched off, over the same tokens."""

    off: SwitchedOff
    whole: float
    """Mean −log₂ p of a token under the whole model, in bits."""
    without: float
    """The same with the parts off."""
    error: float
    """Standard error of the mean of (without − whole), paired by document; NaN for one."""
    tokens: int
    documents: int

    @property
    def difference(self) -> float:
        """Bits per token that switching off costs; negative where it helps."""
        return self.without - self.whole


def ablate(
    model: TransformerModel,
    off: SwitchedOff,
    stream: TokenStream,
    most_tokens: int | None = None,
    job: Job = NO_JOB,
) -> Ablation:
    """Score documents from the stream's start with and without parts of a model.

    Args:
        model: the model; parts that are already off in it come back on.
        off: what to switch off.
        stream: held-out text in the model's tokens.
        most_tokens: how many tokens suffice, rounded up to whole documents but cut at twice as
            many; None for all.
        job: progress counts tokens, each scored twice.

    Raises:
        LabError: if the model has no such part.
        ValueError: if the stream has no token to predict, or other tokens.
    """
    documents = sample(stream, most_tokens)
    without = model.without(off)  # refuses parts that there are not, before anything is scored
    tokens = sum(map(len, documents))
    total = 2 * tokens
    whole = document_losses(model.without(NOTHING_OFF), documents, job, 0, total)
    part = document_losses(without, documents, job, tokens, total)
    return compared(off, documents, whole, part)


def sample(stream: TokenStream, most_tokens: int | None = None) -> list[Ids]:
    """Documents from a stream's start that hold enough tokens.

    Args:
        stream: held-out text.
        most_tokens: how many tokens suffice, rounded up to whole documents but cut at twice as
            many; None for all.

    Raises:
        ValueError: if the stream has no token to predict.
    """
    limit = stream.n_targets if most_tokens is None else min(most_tokens, stream.n_targets)
    if limit < 1:
        raise ValueError("no token to predict")
    found: list[Ids] = []
    done = 0
    for ids in stream.documents():
        if done >= limit:
            break
        if most_tokens is not None:
            ids = ids[: 2 * limit - done]
        if len(ids):
            found.append(ids)
            done += len(ids)
    return found


def document_losses(
    model: TransformerModel,
    documents: Sequence[Ids],
    job: Job = NO_JOB,
    done: int = 0,
    total: int | None = None,
) -> NDArray[np.float64]:
    """−log₂ p of each document (documents,), in bits.

    Args:
        model: the model, with what is off in it.
        documents: token ids of each.
        job: progress counts tokens; a yield point before every batch of windows.
        done: tokens of the same work that were scored before.
        total: tokens of all the work; those of these documents if None.

    Raises:
        ValueError: if a token is none of the model's.
    """
    quiet, total = _YieldOnly(job), done + sum(map(len, documents)) if total is None else total
    bits = []
    for ids in documents:
        job.progress(done, total, "Scoring held-out text")
        bits.append(-float(np.sum(model.token_log_probs(ids, quiet))) / math.log(2.0))
        done += len(ids)
    return np.array(bits)


def compared(
    off: SwitchedOff,
    documents: Sequence[Ids],
    whole: NDArray[np.float64],
    without: NDArray[np.float64],
) -> Ablation:
    """What switching off costs, from both models' bits (documents,) for the same documents."""
    counts = np.array([len(ids) for ids in documents], float)
    tokens, n = float(counts.sum()), len(documents)
    before, after = float(whole.sum()) / tokens, float(without.sum()) / tokens
    # The ratio estimator's variance (Cochran 1977, eq. 6.9): documents differ in length.
    left = without - whole - counts * (after - before)  # (documents,)
    error = math.sqrt(n / (n - 1) * float(left @ left)) / tokens if n > 1 else math.nan
    return Ablation(off, before, after, error, int(tokens), n)


class _YieldOnly(Job):
    """Another job's yield points, without the progress of each document."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def yield_point(self) -> None:
        self._job.yield_point()
