"""Noticing a loss that runs away without ceasing to be a number. No Qt."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.training import Trainer

RECENT_STEPS = 20
DEAD = 1e-3
"""Nats from ln V within which all of the last RECENT_STEPS losses lie in a network that is dead."""
HUGE = 1e3
RISE = 1.5
"""Nats above its lowest at which the mean loss of the last RECENT_STEPS counts as run away."""


class RunawayWatch:
    """Looks at the last losses of a run."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=RECENT_STEPS)
        self._lowest = math.inf
        self.sentence = ""
        """What to tell, while the loss has run away."""

    def clear(self) -> None:
        """The run went back: begin anew."""
        self._recent.clear()
        self._lowest, self.sentence = math.inf, ""

    def add(self, loss: float, trainer: Trainer) -> None:
        """Look at one more loss, in nats per token."""
        self._recent.append(loss)
        if len(self._recent) < RECENT_STEPS:
            return
        mean = sum(self._recent) / len(self._recent)
        self._lowest = min(self._lowest, mean)
        self.sentence = ""
        guessing = math.log(trainer.module.config.vocab_size)
        if mean > self._lowest + RISE:
            self.sentence = (
                f"The loss rose from {self._lowest:.2f} to {mean:.2f} nats per token: the steps "
                "are too large. Go back to a good state and lower the learning rate."
            )
        elif all(abs(loss - guessing) < DEAD for loss in self._recent) and _huge(trainer):
            self.sentence = (
                "The loss has stuck at that of guessing: the steps were too large, and the "
                "network's numbers have run away. Go back and lower the learning rate a lot."
            )


def _huge(trainer: Trainer) -> bool:
    """Whether some parameter is larger than training ever makes one."""
    return any(float(p.detach().abs().max()) > HUGE for p in trainer.module.parameters())
