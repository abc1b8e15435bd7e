"""Every knob of a post-training run. Imports no torch, so that a window can check them early."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.errors import LabError

Baseline = Literal["none", "mean", "mean_std"]
Weights = Literal["tokens", "sequences"]
Penalty = Literal["loss", "reward"]


@dataclass(frozen=True)
class GRPOSettings:
    """All knobs of a post-training run, a sentence each.

    Raises:
        LabError: on construction, if a value makes no sense.
    """

    prompts: int = 64
    """P: prompts in each update."""
    group: int = 8
    """G: answers to each prompt, compared with one another."""
    temperature: float = 1.0
    """Of the policy that writes and is improved."""
    baseline: Baseline = "mean_std"
    """What a reward is compared with: nothing (REINFORCE), the group's mean, or that and the
    group's standard deviation."""
    weights: Weights = "tokens"
    """Whether every token of the batch weighs the same, or every answer."""
    clip: float = 0.2
    """ε: how far a token's probability may move within one batch."""
    updates_per_batch: int = 1
    """Gradient steps on one batch of samples. With one, clipping never acts."""
    beta: float = 0.0
    """β: the price of moving away from the model that training started from."""
    penalty: Penalty = "loss"
    """Where β acts: as k3 in the loss, or taken off the reward, r − β log π/π_ref."""
    learning_rate: float = 7e-4
    """Of the matrices; embedding, output matrix and gains learn six times as fast."""
    grad_clip: float = 1.0
    """Longest gradient that is followed in full; 0 for no limit."""
    seed: int = 0

    def __post_init__(self) -> None:
        whole = {"prompts": 512, "group": 256, "updates_per_batch": 16}
        for name, most in whole.items():
            if not 1 <= getattr(self, name) <= most:
                raise LabError(f"“{name}” must be 1 to {most}, not {getattr(self, name)}.")
        if not (math.isfinite(self.temperature) and 0 < self.temperature <= 10):
            raise LabError("The temperature must be above 0 and at most 10.")
        if not (math.isfinite(self.learning_rate) and 0 < self.learning_rate <= 10):
            raise LabError("The learning rate must be above 0 and at most 10.")
        if not (0 < self.clip <= 1 and 0 <= self.beta <= 100 and self.grad_clip >= 0):
            raise LabError("ε must be above 0 and at most 1, β from 0 to 100.")
