"""Several runs from one policy, in turns: the arms of an experiment, or a sweep of β.

Arms differ in reward or settings and in nothing else: the same task, the same start, the same
seed, so that their first batches are the same answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.posttraining.arm_records import Arm, ArmState, Look
from engine.posttraining.evaluation import read_answers, true_scores
from engine.posttraining.grpo import GRPO
from engine.posttraining.prompts import Prompt
from engine.posttraining.records import UpdateRecord
from engine.posttraining.sampling import sample_answers
from engine.posttraining.tasks import Task

SHOWN_PROMPTS = 8
"""Held-out prompts whose answers are kept to be looked at."""
SAMPLED_EVERY = 5
"""Updates between two looks at the held-out prompts' answers."""
SCORED_PROMPTS = 128


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
