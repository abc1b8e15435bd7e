"""Policies to start from: small transformers that do a task sometimes."""

from __future__ import annotations

from collections.abc import Iterator

from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.posttraining.tasks import Task
from engine.tokenizers import encode_documents
from engine.training import Recipe, Trainer
from engine.training.recipes import modern
from engine.training.records import Snapshot

DOCUMENTS = 60_000
"""Questions with answers that a policy reads, each about once."""


def policy_recipe(task: Task, seed: int = 0) -> Recipe:
    """A transformer of the task's size (3 layers × 64 for most) and context. Its norms have gains:
    with them GRPO got from 27 to 71 % on the sums in 100 updates, without them to 63 %."""
    return modern().but(
        name=task.title,
        layers=task.layers,
        heads=task.width // 16,
        width=task.width,
        context=max(32, task.context),
        norm_gain=True,
        steps=task.steps,
        batch_size=64,
        eval_every=0,
        seed=seed,
    )


class Pretraining:
    """Maximum likelihood on a task's text; afterwards ``policy`` is what RL starts from."""

    def __init__(self, task: Task, recipe: Recipe) -> None:
        documents = task.pretraining_documents(DOCUMENTS, recipe.seed)
        held_out = task.pretraining_documents(1_000, recipe.seed + 1)
        tokenizer = task.tokenizer
        self._trainer = Trainer(
            recipe,
            encode_documents(tokenizer, documents),
            encode_documents(tokenizer, held_out),
        )

    def run(self, job: Job = NO_JOB) -> Iterator[Snapshot]:
        """Train to the recipe's end."""
        return self._trainer.run(job)

    @property
    def policy(self) -> TransformerModel:
        """The model as it is now, as a copy."""
        return self._trainer.frozen_model()
