"""Reward hacking on purpose and the closed form: how long each takes to show itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.row import Row
from engine.jobs import NO_JOB
from engine.posttraining.aiming import Aiming
from engine.posttraining.arms import ArmRuns
from engine.posttraining.experiments import experiment_task, experiments
from engine.posttraining.hacking import hack_of
from engine.posttraining.policies import bundled_policy
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.tasks.pairs import Pairs

SEEDS = (0, 1, 2)
LIMIT = 180.0
"""Seconds for both arms of an experiment."""


def hacked(path: Path | None = None) -> list[Row]:
    """Every ready-made experiment, both arms to their end, by the stated rule."""
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for experiment in experiments():
        for seed in SEEDS:
            task = experiment_task(experiment)
            policy = bundled_policy(task)
            began = time.perf_counter()
            runs = ArmRuns(policy, task, experiment.arms(task, policy, seed, NO_JOB))
            *_, (careless, better) = runs.go_on(experiment.updates)
            seconds = time.perf_counter() - began
            wrong, right = hack_of(careless), hack_of(better)
            true = [s.looks[-1].true_score for s in (careless, better)]
            at = "not hacked" if wrong is None else f"hacked from update {wrong.noticed} on"
            rows.append(
                Row(
                    f"hack-{experiment.key}-seed-{seed}",
                    f"{experiment.title}: {experiment.updates} updates of both arms",
                    seconds,
                    "s",
                    None,
                    "",
                    None,
                    f"careless arm hacked, the other not, in ≤ {LIMIT:g} s on two cores",
                    seconds <= LIMIT and wrong is not None and right is None,
                    f"{at}; held-out true score {true[0]:.0%} careless, {true[1]:.0%} better, "
                    f"{careless.looks[0].true_score:.0%} at the start",
                )
            )
    return rows


def closed_form(path: Path | None = None) -> list[Row]:
    """KL(π ‖ π*) after 120 updates of the run that aims at it, and of the usual settings."""
    torch.set_num_threads(os.cpu_count() or 1)
    task = Pairs()
    reward = RewardMix(((TERMS[0], 1.0),))
    rows = []
    for seed in SEEDS:
        began = time.perf_counter()
        *_, state = Aiming(bundled_policy(task), task, reward, 0.5, seed).go_on(120)
        seconds = time.perf_counter() - began
        start, (aims, usual) = state.divergence[0, 0].mean(), state.divergence[-1].mean(axis=1)
        gap = float(np.mean(state.target.values - state.values[-1, 0]))
        rows.append(
            Row(
                f"closed-form-seed-{seed}",
                "Mean KL(π ‖ π*) of the run that aims at the closed form, β = 0.5",
                float(aims),
                "nats",
                float(usual),
                "the usual settings",
                float(aims / usual),
                "≤ 0.005 nats, and ≤ 1/4 of the usual settings'",
                bool(aims <= 0.005 and aims <= usual / 4),
                f"{start:.3f} nats at the start, {gap:.4f} below β log Z, {seconds:.0f} s",
            )
        )
    return rows


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {
    "reward-hacking": hacked,
    "closed-form": closed_form,
}
