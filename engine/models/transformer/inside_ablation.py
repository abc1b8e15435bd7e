"""What a part is worth: the loss on held-out text with it and without.

A part that is switched off leaves the rest to work on inputs it was never trained on (zero
ablation), so the loss that follows is an upper bound of what the part does, not a measure of
what the model could have learned without it (McGrath et al. 2023, "The Hydra effect").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import NOTHING_OFF
from engine.models.transformer.points import SwitchedOff
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
        job: progress counts tokens.

    Raises:
        LabError: if the model has no such part.
        ValueError: if the stream has no token to predict, or other tokens.
    """
    whole, without = model.without(NOTHING_OFF), model.without(off)
    limit = stream.n_targets if most_tokens is None else min(most_tokens, stream.n_targets)
    if limit < 1:
        raise ValueError("no token to predict")
    losses: list[tuple[float, float, int]] = []
    done = 0
    for ids in stream.documents():
        if done >= limit:
            break
        if most_tokens is not None:
            ids = ids[: 2 * limit - done]
        job.progress(done, limit, "Scoring held-out text")
        if not len(ids):
            continue
        a = -float(np.sum(whole.token_log_probs(ids)))
        job.progress(done + len(ids) // 2, max(limit, done + len(ids)), "Scoring held-out text")
        b = -float(np.sum(without.token_log_probs(ids)))
        losses.append((a, b, len(ids)))
        done += len(ids)
    table = np.array(losses)  # (documents, 3)
    counts = table[:, 2]
    bits = table[:, :2].sum(axis=0) / counts.sum() / math.log(2.0)  # (2,)
    # The ratio estimator's variance (Cochran 1977, eq. 6.9): documents differ in length.
    n = len(table)
    gaps = (table[:, 1] - table[:, 0]) / math.log(2.0)  # (documents,)
    left = gaps - counts * (bits[1] - bits[0])
    error = math.sqrt(n / (n - 1) * float(left @ left)) / counts.sum() if n > 1 else math.nan
    return Ablation(off, float(bits[0]), float(bits[1]), float(error), done, n)
