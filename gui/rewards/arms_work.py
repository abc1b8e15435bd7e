"""Experiments' and sweeps' work on the compute thread. No Qt; torch is loaded there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.jobs import Job
from engine.posttraining.arm_records import Arm
from engine.posttraining.tasks import Task

if TYPE_CHECKING:
    from engine.posttraining.arms import ArmRuns
    from engine.posttraining.experiments import Experiment


def make_experiment(experiment: Experiment, seed: int, job: Job) -> ArmRuns:
    """Both arms of an experiment, not begun."""
    from engine.posttraining.arms import ArmRuns
    from engine.posttraining.experiments import experiment_task
    from engine.posttraining.policies import bundled_policy

    task = experiment_task(experiment)
    policy = bundled_policy(task)
    return ArmRuns(policy, task, experiment.arms(task, policy, seed, job))


def make_sweep(task: Task, arms: Sequence[Arm], job: Job) -> ArmRuns:
    """All arms of a sweep, not begun."""
    from engine.posttraining.arms import ArmRuns
    from engine.posttraining.policies import bundled_policy

    return ArmRuns(bundled_policy(task), task, arms)
