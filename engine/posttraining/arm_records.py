"""What arms are, and what they leave behind: a sweep of β, a trade-off. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import LabError
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.settings import GRPOSettings


@dataclass(frozen=True)
class Arm:
    """One run of several."""

    title: str
    sentence: str
    """What it rewards, or what is special about it, for the learner."""
    reward: RewardMix
    settings: GRPOSettings


@dataclass(frozen=True)
class Look:
    """What an arm answers on held-out prompts after some updates."""

    update: int
    answers: tuple[Answer, ...]
    """One to each shown prompt."""
    rewards: Floats
    """Their rewards without any penalty, (shown prompts,)."""
    true_scores: Floats
    """(shown prompts,)"""
    true_score: float
    """Mean on all held-out prompts that are scored."""
    reward: float
    """Mean on the same, without any penalty."""


@dataclass(frozen=True)
class ArmState:
    """How far an arm has come. Immutable."""

    arm: Arm
    prompts: tuple[Prompt, ...]
    """The held-out prompts that are looked at."""
    records: tuple[UpdateRecord, ...] = ()
    looks: tuple[Look, ...] = ()

    def series(self, name: str) -> Floats:
        """One number of every update, (updates,): a field of UpdateRecord."""
        return np.array([getattr(r, name) for r in self.records], dtype=np.float64)

    @property
    def task_reward(self) -> Floats:
        """The reward before any KL penalty was taken off, (updates,)."""
        return self.series("reward") + self.series("penalty")


def beta_sweep(
    reward: RewardMix, settings: GRPOSettings, betas: Sequence[float]
) -> tuple[Arm, ...]:
    """One arm for each β, the smallest first.

    Raises:
        LabError: if a β is given twice, or makes no sense.
    """
    if len(set(betas)) != len(betas):
        raise LabError("Each β is to be tried once.")
    return tuple(
        Arm(f"β = {beta:g}", reward.words(), reward, replace(settings, beta=beta))
        for beta in sorted(betas)
    )


@dataclass(frozen=True)
class TradeOff:
    """What one arm of a sweep reached: the mean of its last updates."""

    beta: float
    kl: float
    """KL(π ‖ π_ref) in nats per answer, by the mean of log π/π_ref."""
    kl_error: float
    reward: float
    """Before any penalty."""
    true_score: float
    true_error: float
    length: float


def trade_off(state: ArmState, last: int = 5) -> TradeOff | None:
    """Where an arm stands after its newest updates; None before the first.

    Args:
        state: of one arm.
        last: over how many updates to take the mean; the error of the KL is that of this mean.
    """
    if not state.records:
        return None
    n = min(last, len(state.records))
    kl = state.series("answer_kl")[-n:]
    errors = state.series("true_error")[-n:]
    return TradeOff(
        beta=state.arm.settings.beta,
        kl=float(kl.mean()),
        kl_error=float(kl.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0,
        reward=float(state.task_reward[-n:].mean()),
        true_score=float(state.series("true_score")[-n:].mean()),
        true_error=float(math.sqrt(float((errors**2).sum())) / n),
        length=float(state.series("length")[-n:].mean()),
    )
