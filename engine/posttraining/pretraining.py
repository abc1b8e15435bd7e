"""Policies to start from: small transformers that do a task sometimes."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.posttraining.tasks import Task
from engine.tokenizers import encode_documents
from engine.training import Recipe, Trainer
from engine.training.recipes import modern
from engine.training.records import Snapshot

DOCUMENTS = 60_000
"""Questions with answers that a policy reads in each of its lessons, each about once."""


def policy_recipe(task: Task, seed: int = 0) -> Recipe:
    """A transformer of the task's size (3 layers × 64 for most) and context. Its norms have gains:
    with them GRPO got from 27 to 71 % on the sums in 100 updates, without them to 63 %."""
    return modern().but(
        name=task.title,
        layers=task.layers,
        heads=task.width // 16,
        width=task.width,
        context=max(32, task.read_at_once * task.context),
        norm_gain=True,
        learning_rate=task.learning_rate,
        steps=task.steps,
        batch_size=max(1, 64 // task.read_at_once),
        eval_every=0,
        seed=seed,
    )


class Pretraining:
    """Maximum likelihood on a task's text; afterwards ``policy`` is what RL starts from.

    Where the task has a textbook, its right answers alone are read first: among careless ones
    they are too few to learn reading a question from. What is read last, the careless text,
    decides how the policy behaves; what it could do is still in it, and rewards bring it out.
    """

    def __init__(self, task: Task, recipe: Recipe) -> None:
        seed, slower = recipe.seed, task.careless_rate if task.textbook_steps else 1.0
        careless = recipe.but(
            learning_rate=recipe.learning_rate * slower,
            embedding_learning_rate=recipe.embedding_learning_rate * slower,
        )
        self._lessons = [
            Trainer(
                lesson,
                encode_documents(task.tokenizer, written(DOCUMENTS, seed)),
                encode_documents(task.tokenizer, written(1_000, seed + 1)),
            )
            for lesson, written in (
                (recipe.but(steps=task.textbook_steps), task.textbook_documents),
                (careless, task.pretraining_documents),
            )
            if lesson.steps
        ]

    def run(self, job: Job = NO_JOB) -> Iterator[Snapshot]:
        """Train to the end of the last lesson."""
        before: Trainer | None = None
        for lesson in self._lessons:
            if before is not None:
                _hand_over(before, lesson)
            yield from lesson.run(job)
            before = lesson

    @property
    def policy(self) -> TransformerModel:
        """The model as the last lesson has it now, as a copy."""
        return self._lessons[-1].frozen_model()


def _hand_over(before: Trainer, after: Trainer) -> None:
    """Let the second go on from where the first has come to."""
    with torch.no_grad():
        for new, old in zip(after.module.parameters(), before.module.parameters(), strict=True):
            new.copy_(old)
