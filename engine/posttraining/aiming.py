"""Two runs beside the closed form: one that really aims at it, one with the usual settings.

Aiming at π* ∝ π_ref exp(r/β) takes the plain policy gradient of E[r] − β KL(π ‖ π_ref): the
group's mean as baseline and no division by the standard deviation, every answer weighing the
same, temperature 1, and the KL divergence inside the reward, r − β log π/π_ref. The usual
settings divide by the standard deviation and take k3 as a term of the loss, averaged over tokens;
where they come to rest is ``closed_form.usual_stationary_point``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.posttraining.closed_form import (
    kl_divergence,
    objective_value,
    optimum,
    usual_stationary_point,
)
from engine.posttraining.enumeration import (
    Enumerated,
    enumerate_prompt,
    exact_log_probs,
    tree_of,
)
from engine.posttraining.grpo import GRPO
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

LOWEST_BETA, HIGHEST_BETA = 0.05, 10.0
MEASURED_EVERY = 4
"""Updates between two exact looks at both policies."""


def aiming_settings(beta: float, seed: int = 0) -> GRPOSettings:
    """Those whose expected step is the gradient of E[r] − β KL(π ‖ π_ref), but for a factor."""
    return GRPOSettings(
        prompts=32,
        group=16,
        baseline="mean",
        weights="sequences",
        penalty="reward",
        beta=beta,
        seed=seed,
    )


def usual_settings(beta: float, seed: int = 0) -> GRPOSettings:
    """GRPO as it is mostly run: division by std, k3 in the loss, a mean over tokens."""
    return GRPOSettings(prompts=32, group=16, beta=beta, seed=seed)


@dataclass(frozen=True)
class Target:
    """What does not change while the runs go on. P prompts, N answers."""

    asked: tuple[Enumerated, ...]
    beta: float
    reference: Floats
    """log π_ref, (P, N)."""
    best: Floats
    """log π*, (P, N)."""
    values: Floats
    """β log Z of each prompt, (P,): the greatest value of the objective."""
    rest: Floats
    """Where the usual settings come to rest, log-probabilities (P, N)."""


@dataclass(frozen=True)
class AimState:
    """How far both runs have come: row 0 aims at π*, row 1 has the usual settings."""

    target: Target
    updates: tuple[int, ...]
    """After how many updates there was a look, (looks,)."""
    divergence: Floats
    """KL(π ‖ π*) in nats per answer, exact, (looks, 2, P)."""
    values: Floats
    """E_π[r] − β KL(π ‖ π_ref), exact, (looks, 2, P)."""
    log_probs: Floats
    """log π at the newest look, (2, P, N)."""


def make_target(
    policy: TransformerModel,
    task: Task,
    reward: RewardMix,
    beta: float,
    reference: Floats | None = None,
    job: Job = NO_JOB,
) -> Target:
    """Everything exact that can be known before training.

    Args:
        policy: the reference.
        task: whose training prompts are taken, all of them.
        reward: of every answer.
        beta: β.
        reference: log π_ref, (P, N), where it is known from an earlier target.
        job: yields between two prompts.

    Raises:
        LabError: if the task has too many answers to list, or β lies outside 0.05 … 10.
    """
    if not LOWEST_BETA <= beta <= HIGHEST_BETA:
        raise LabError(f"β must be {LOWEST_BETA:g} to {HIGHEST_BETA:g} here.")
    tree = tree_of(task)
    asked = tuple(enumerate_prompt(task, p, reward) for p in task.prompts(held_out=False))
    if reference is None:
        reference = exact_log_probs(policy.module, task, [a.ids for a in asked], job=job)
    best, rest = [], []
    for ref, one in zip(reference, asked, strict=True):
        job.yield_point()
        best.append(optimum(ref, one.rewards, beta))
        rest.append(
            usual_stationary_point(ref, one.rewards, beta, tree.characters, tree.max_tokens)
        )
    return Target(
        asked,
        beta,
        reference,
        np.array([b.log_probs for b in best]),
        np.array([b.value for b in best]),
        np.array(rest),
    )


class Aiming:
    """Both runs, in turns, from the same policy. Call from one thread at a time."""

    def __init__(
        self,
        policy: TransformerModel,
        task: Task,
        reward: RewardMix,
        beta: float,
        seed: int = 0,
    ) -> None:
        """
        Raises:
            LabError: as ``make_target``, or if the policy does not fit the task.
        """
        self.task = task
        self.target = make_target(policy, task, reward, beta)
        self._runs = (
            GRPO(policy, task, reward, aiming_settings(beta, seed)),
            GRPO(policy, task, reward, usual_settings(beta, seed)),
        )
        self._looks: list[int] = []
        self._divergence: list[Floats] = []
        self._values: list[Floats] = []
        self._newest: Floats = np.stack([self.target.reference] * 2)

    @property
    def updates_made(self) -> int:
        """Updates that both runs have made."""
        return min(run.update_count for run in self._runs)

    def go_on(self, updates: int, job: Job = NO_JOB) -> Iterator[AimState]:
        """Make updates until both runs have made ``updates``, with an exact look now and then.

        Raises:
            LabError: if a policy has blown up.
            JobCancelled: at a yield point; an update begun is then undone.
        """
        while True:
            at = self.updates_made
            job.progress(at, updates, "Post-training")
            due = at % MEASURED_EVERY == 0 or at >= updates
            if due and (not self._looks or self._looks[-1] < at):
                self._look(at, job)
                yield self.state
            if at >= updates:
                return
            for run in self._runs:
                if run.update_count == at:
                    run.update(job)

    @property
    def state(self) -> AimState:
        """How far both have come, as of the newest look."""
        p = len(self.target.asked)
        return AimState(
            self.target,
            tuple(self._looks),
            np.array(self._divergence).reshape(-1, 2, p),
            np.array(self._values).reshape(-1, 2, p),
            self._newest,
        )

    def _look(self, at: int, job: Job) -> None:
        target = self.target
        ids = [a.ids for a in target.asked]
        now = np.stack([exact_log_probs(r.module, self.task, ids, job=job) for r in self._runs])
        self._divergence.append(
            np.array(
                [
                    [kl_divergence(p, q) for p, q in zip(rows, target.best, strict=True)]
                    for rows in now
                ]
            )
        )
        self._values.append(
            np.array(
                [
                    [
                        objective_value(p, ref, a.rewards, target.beta)
                        for p, ref, a in zip(rows, target.reference, target.asked, strict=True)
                    ]
                    for rows in now
                ]
            )
        )
        self._looks.append(at)
        self._newest = now
