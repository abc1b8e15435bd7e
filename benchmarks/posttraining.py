"""Post-training: how long GRPO takes from a bundled policy to nine right answers in ten."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from benchmarks.row import Row
from engine.posttraining.grpo import GRPO
from engine.posttraining.policies import bundled_policy
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Letters, Sums, Task

GOAL = 0.90
SEEDS = (0, 1, 2)
SCORE_EVERY = 10


def seconds_to_goal(task: Task, seed: int, limit: float) -> tuple[float, int, float, float]:
    """Seconds of updates (scoring on all held-out prompts between them not counted), updates,
    and the true score at temperature 1 at the start and at the end."""
    reward = RewardMix(((TERMS[0], 1.0),))
    run = GRPO(bundled_policy(task), task, reward, GRPOSettings(seed=seed))
    start = score = run.evaluate()
    seconds, updates = 0.0, 0
    while score < GOAL and seconds < limit:
        began = time.perf_counter()
        for _ in range(SCORE_EVERY):
            run.update()
        seconds += time.perf_counter() - began
        updates += SCORE_EVERY
        score = run.evaluate()
    return seconds, updates, start, score


def learned(make: type[Task], budget: float, path: Path | None = None) -> list[Row]:
    """Exact-match reward, default settings, one row for each seed."""
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for seed in SEEDS:
        task = make()
        seconds, updates, start, score = seconds_to_goal(task, seed, 2 * budget)
        rows.append(
            Row(
                f"grpo-{task.key}-seed-{seed}",
                f"{task.title}: GRPO until {GOAL:.0%} of held-out answers are right",
                seconds,
                "s",
                None,
                "",
                None,
                f"≤ {budget:g} s on two cores",
                score >= GOAL and seconds <= budget,
                f"{start:.1%} to {score:.1%} at temperature 1 in {updates} updates",
            )
        )
    return rows


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "grpo-sums": partial(learned, Sums, 40.0),
    "grpo-letters": partial(learned, Letters, 90.0),
}
