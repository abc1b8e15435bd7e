"""Post-training: how long GRPO takes from a bundled policy to a clearly better true score."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.row import Row
from engine.posttraining.grpo import GRPO
from engine.posttraining.policies import bundled_policy
from engine.posttraining.rewards import RewardMix, terms_for
from engine.posttraining.tasks import (
    Letters,
    Refusals,
    Replies,
    Scratchpad,
    Stories,
    Sums,
    Task,
)

SEEDS = (0, 1, 2)
SCORE_EVERY = 10
ASKED = 400
"""Held-out prompts by which the use of the scratchpad is counted."""


@dataclass(frozen=True)
class Course:
    """How far a run got, and how long it took."""

    seconds: float
    """Of updates; scoring on all held-out prompts between them is not counted."""
    updates: int
    start: float
    """True score at temperature 1 on all held-out prompts before the first update."""
    end: float
    worked_start: float
    """Share of answers that use the scratchpad before the first update."""
    worked_end: float


def to_goal(task: Task, seed: int, goal: float, limit: float) -> Course:
    """Update on the reward for right answers alone, in the task's settings, until the true score
    has reached the goal or the seconds are over."""
    right = terms_for(task)[0]
    settings = replace(task.settings(), seed=seed)
    run = GRPO(bundled_policy(task), task, RewardMix(((right, 1.0),)), settings)
    start = score = run.evaluate()
    worked = _worked_share(run)
    seconds, updates = 0.0, 0
    while score < goal and seconds < limit:
        began = time.perf_counter()
        for _ in range(SCORE_EVERY):
            run.update()
        seconds += time.perf_counter() - began
        updates += SCORE_EVERY
        score = run.evaluate()
    return Course(seconds, updates, start, score, worked, _worked_share(run))


def _worked_share(run: GRPO) -> float:
    if not run.task.scratchpad:
        return 0.0
    answers = [
        run.answers(run.module, run.task.tokenizer.encode(p.text), 4)
        for p in run.task.examples(ASKED // 4)
    ]
    return float(np.mean([run.task.answer_of(a.text) != a.text for row in answers for a in row]))


def learned(make: type[Task], goal: float, budget: float, path: Path | None = None) -> list[Row]:
    """One row for each seed."""
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for seed in SEEDS:
        task = make()
        c = to_goal(task, seed, goal, 2 * budget)
        note = f"{c.start:.1%} to {c.end:.1%} at temperature 1 in {c.updates} updates"
        if task.scratchpad:
            note += f"; scratchpad used in {c.worked_start:.0%} of answers, then {c.worked_end:.0%}"
        rows.append(
            Row(
                f"grpo-{task.key}-seed-{seed}",
                f"{task.title}: GRPO until {goal:.0%} of held-out answers are right",
                c.seconds,
                "s",
                None,
                "",
                None,
                f"≤ {budget:g} s on two cores",
                c.end >= goal and c.seconds <= budget,
                note,
            )
        )
    return rows


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "grpo-sums": partial(learned, Sums, 0.90, 40.0),
    "grpo-letters": partial(learned, Letters, 0.90, 90.0),
    "grpo-replies": partial(learned, Replies, 0.85, 90.0),
    "grpo-scratchpad": partial(learned, Scratchpad, 0.80, 90.0),
    "grpo-stories": partial(learned, Stories, 0.85, 90.0),
    "grpo-refusals": partial(learned, Refusals, 0.90, 60.0),
}
