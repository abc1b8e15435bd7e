"""Records of updates that nobody made, to be told about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from engine.posttraining.arm_records import Arm, ArmState
from engine.posttraining.objective import advantages
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import Group, UpdateRecord
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.settings import GRPOSettings


def group(
    rewards: Sequence[float], settings: GRPOSettings, terms: Sequence[float] | None = None
) -> Group:
    """A group with these rewards; ``terms`` is what they were before a price was taken off."""
    n = len(rewards)
    given = np.array(rewards, dtype=np.float64)
    one = tuple(np.full(1, -0.5) for _ in range(n))
    found = advantages(torch.tensor([list(rewards)], dtype=torch.float64), settings.baseline)
    return Group(
        prompt=Prompt("1+1=", "2"),
        answers=tuple(Answer(str(i), True, 1) for i in range(n)),
        tokens=tuple((0,) for _ in range(n)),
        terms=np.array(rewards if terms is None else terms, dtype=np.float64)[:, None],
        true_scores=np.zeros(n),
        rewards=given,
        advantages=found[0].numpy(),
        before=one,
        reference=one,
        after=one,
    )


def record(update: int, settings: GRPOSettings | None = None, **numbers: Any) -> UpdateRecord:
    """An update with these numbers; all others are 0."""
    settings = settings or GRPOSettings()
    values: dict[str, Any] = {
        "reward": 0.0,
        "reward_std": 0.0,
        "penalty": 0.0,
        "true_score": 0.0,
        "true_error": 0.0,
        "tokens": 10,
        "length": 3.0,
        "entropy": 0.0,
        "kl": 0.0,
        "answer_kl": 0.0,
        "silent_groups": 0.0,
        "clipped": 0.0,
        "loss": 0.0,
        "gradient_norm": 0.0,
        "seconds": 0.0,
    }
    values.update(numbers)
    return UpdateRecord(
        update=update,
        terms=(values["reward"],),
        reward_mix=(("Exactly right", 1.0),),
        group=group((0.0, 1.0), settings),
        **values,
    )


def arm(settings: GRPOSettings | None = None, **series: Any) -> ArmState:
    """An arm whose updates have these numbers, one of each a record."""
    settings = settings or GRPOSettings()
    n = len(next(iter(series.values())))
    records = tuple(
        record(i + 1, settings, **{name: float(values[i]) for name, values in series.items()})
        for i in range(n)
    )
    return ArmState(Arm("arm", "About.", RewardMix(((TERMS[0], 1.0),)), settings), (), records)
