"""What the curves say: overfitting, and memorising. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.training.tables import View

Floats = npt.NDArray[np.float64]
RISEN = 0.02
"""Share by which the held-out loss must have risen above its best to count as overfitting."""
BELOW = 0.97
"""Share of the true entropy below which the mean training loss counts as memorising."""
LAST = 50
"""Steps over which the training loss is averaged."""


@dataclass(frozen=True)
class Judgement:
    """What to mark on the curves."""

    best_step: int | None = None
    """Where the held-out loss was lowest, once it has risen again: overfitting since."""
    best_loss: float = 0.0
    memorising_step: int | None = None
    """The first step at which the mean training loss lay clearly below the true entropy."""


def judge(steps: View, evaluations: View, truth: float | None) -> Judgement:
    """Look at the curves.

    Args:
        steps: with a column "loss".
        evaluations: with columns "step" and "loss", of held-out text.
        truth: the true entropy in nats per token, if it is known.
    """
    best_step, best_loss = None, 0.0
    losses = evaluations["loss"]
    if len(losses) > 2:
        best = int(np.argmin(losses))
        later = losses[best + 1 :]
        if (
            len(later) >= 2
            and np.all(later > losses[best])
            and later[-1] > losses[best] * (1 + RISEN)
        ):
            best_step, best_loss = int(evaluations["step"][best]), float(losses[best])
    memorising = None
    if truth is not None and len(steps) >= LAST:
        sums = np.concatenate(([0.0], np.cumsum(steps["loss"])))
        means = (sums[LAST:] - sums[:-LAST]) / LAST  # (steps − LAST + 1,)
        below = np.flatnonzero(means < BELOW * truth)
        if len(below):
            memorising = int(below[0]) + LAST
    return Judgement(best_step, best_loss, memorising)
