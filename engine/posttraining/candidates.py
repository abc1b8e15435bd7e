"""Answers of a policy that people or judges look at: G to each of some prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.posttraining.prompts import Answer, Prompt

if TYPE_CHECKING:
    from engine.models.transformer.module import Transformer
    from engine.posttraining.tasks.task import Task


@dataclass(frozen=True)
class Candidates:
    """N = P·G answers, G in a row for each prompt."""

    prompts: tuple[Prompt, ...]
    """(P,)"""
    answers: tuple[Answer, ...]
    """(N,)"""
    group: int

    @property
    def each(self) -> tuple[Prompt, ...]:
        """The prompt of each answer, (N,)."""
        return tuple(prompt for prompt in self.prompts for _ in range(self.group))


def draw_candidates(
    module: Transformer,
    task: Task,
    n_prompts: int,
    group: int,
    *,
    temperature: float = 1.0,
    seed: int = 0,
    held_out: bool = False,
    job: Job = NO_JOB,
) -> Candidates:
    """Let a policy answer some of a task's prompts, ``group`` times each.

    Args:
        module: the policy.
        task: whose prompts.
        n_prompts: P; fewer if the task has fewer. No prompt is drawn twice.
        group: G.
        temperature: of sampling.
        seed: draws prompts and answers.
        held_out: ask held-out prompts instead of those for training.
        job: its yield points lie between two tokens.
    """
    import torch  # not before it is needed: what shows candidates works without

    from engine.posttraining.evaluation import read_answers
    from engine.posttraining.sampling import sample_answers

    pool = task.prompts(held_out=held_out)
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(pool), size=min(n_prompts, len(pool)), replace=False)
    prompts = [pool[int(i)] for i in chosen]
    sampled = sample_answers(
        module,
        [task.tokenizer.encode(p.text) for p in prompts],
        group,
        task.max_answer,
        torch.Generator().manual_seed(seed),
        temperature,
        job,
    )
    return Candidates(tuple(prompts), tuple(read_answers(sampled, task.tokenizer)), group)
