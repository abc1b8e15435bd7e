"""Several runs from one policy, in turns: the arms of an experiment, or a sweep of β.

Arms differ in reward or settings and in nothing else: the same task, the same start, the same
seed, so that their first batches are the same answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.posttraining.evaluation import read_answers, true_scores
from engine.posttraining.grpo import GRPO
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.sampling import sample_answers
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

SHOWN_PROMPTS = 8
"""Held-out prompts whose answers are kept to be looked at."""
SAMPLED_EVERY = 5
"""Updates between two looks at the held-out prompts' answers."""
SCORED_PROMPTS = 128


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


@dataclass
class _Running:
    run: GRPO
    prompts: tuple[Prompt, ...]
    scored: tuple[Prompt, ...]
    records: list[UpdateRecord] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)


class ArmRuns:
    """Makes the updates of all arms in turns. Call from one thread at a time."""

    def __init__(self, policy: TransformerModel, task: Task, arms: Sequence[Arm]) -> None:
        """
        Raises:
            LabError: if there is no arm, or the policy does not fit the task.
        """
        if not arms:
            raise LabError("There is nothing to run.")
        self.task, self.arms = task, tuple(arms)
        scored = task.examples(SCORED_PROMPTS)
        shown = task.examples(SHOWN_PROMPTS)
        self._all = [
            _Running(GRPO(policy, task, arm.reward, arm.settings), shown, scored) for arm in arms
        ]

    @property
    def updates_made(self) -> int:
        """Updates that every arm has made."""
        return min(len(one.records) for one in self._all)

    @property
    def runs(self) -> tuple[GRPO, ...]:
        """The runs behind the arms, in their order."""
        return tuple(one.run for one in self._all)

    @property
    def states(self) -> tuple[ArmState, ...]:
        """How far all arms have come."""
        return tuple(
            ArmState(arm, one.prompts, tuple(one.records), tuple(one.looks))
            for arm, one in zip(self.arms, self._all, strict=True)
        )

    def go_on(self, updates: int, job: Job = NO_JOB) -> Iterator[tuple[ArmState, ...]]:
        """Make updates until each arm has made ``updates``; can be called again after a stop,
        and goes on where it stood.

        Raises:
            LabError: if an arm's policy has blown up.
            JobCancelled: at a yield point; an update begun is then undone.
        """
        total = updates * len(self._all)
        while True:
            made = sum(len(one.records) for one in self._all)
            job.progress(made, total, "Post-training")
            one = min(self._all, key=lambda each: len(each.records))
            if not one.looks or one.looks[-1].update != len(one.records):
                self._look_if_due(one, updates, job)
            if len(one.records) >= updates:
                for each in self._all:
                    self._look_if_due(each, updates, job)
                yield self.states
                return
            one.records.append(one.run.update(job))
            self._look_if_due(one, updates, job)
            yield self.states

    def _look_if_due(self, one: _Running, updates: int, job: Job) -> None:
        at = len(one.records)
        due = at % SAMPLED_EVERY == 0 or at == updates
        if due and not (one.looks and one.looks[-1].update == at):
            one.looks.append(self._look(one, job))

    def _look(self, one: _Running, job: Job) -> Look:
        task, run = self.task, one.run
        prompts = [*one.prompts, *one.scored]
        sampled = sample_answers(
            run.module,
            [task.tokenizer.encode(p.text) for p in prompts],
            1,
            task.max_answer,
            torch.Generator().manual_seed(run.settings.seed + 1),
            run.settings.temperature,
            job,
        )
        answers = read_answers(sampled, task.tokenizer)
        rewards = run.reward.breakdown(prompts, answers).sum(axis=1)
        right = true_scores(task, prompts, answers)
        n = len(one.prompts)
        return Look(
            update=len(one.records),
            answers=tuple(answers[:n]),
            rewards=rewards[:n],
            true_scores=right[:n],
            true_score=float(right[n:].mean()),
            reward=float(rewards[n:].mean()),
        )


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
