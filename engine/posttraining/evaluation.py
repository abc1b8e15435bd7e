"""Reading and scoring what a policy writes: held-out scores, answers to one prompt, next tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.jobs import NO_JOB, Job
from engine.models.transformer.module import Transformer
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards import Floats
from engine.posttraining.sampling import Answers, sample_answers
from engine.posttraining.tasks import Task
from engine.tokenizers import Tokenizer

_EVALUATED_AT_ONCE = 256


def read_answers(sampled: Answers, tokenizer: Tokenizer) -> list[Answer]:
    """The N sampled answers as texts, without their end-of-text."""
    end = sampled.end_of_text
    return [
        Answer(tokenizer.decode([t for t in row[:n] if t != end]), done, n)
        for row, n, done in zip(
            sampled.tokens.tolist(),
            sampled.lengths.int().tolist(),
            sampled.finished.tolist(),
            strict=True,
        )
    ]


def true_scores(task: Task, prompts: Sequence[Prompt], answers: Sequence[Answer]) -> Floats:
    """How good each answer really is, (N,). One that does not end by itself is not right."""
    return np.array(
        [
            task.true_score(prompt, answer.text) if answer.finished else 0.0
            for prompt, answer in zip(prompts, answers, strict=True)
        ],
        dtype=np.float64,
    )


def held_out_score(
    module: Transformer,
    task: Task,
    n: int | None = None,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    job: Job = NO_JOB,
) -> float:
    """Mean true score on held-out prompts, one answer to each.

    Args:
        n: how many prompts, the same ones every time; all if None.
        seed: of the sampling; the same for the same scores.
        temperature: 1 for the policy as it samples, 0 for its most probable answers.
    """
    prompts = spread_out(task.prompts(held_out=True), n)
    generator = torch.Generator().manual_seed(seed)
    scores: list[float] = []
    for i in range(0, len(prompts), _EVALUATED_AT_ONCE):
        batch = prompts[i : i + _EVALUATED_AT_ONCE]
        ids = [task.tokenizer.encode(p.text) for p in batch]
        sampled = sample_answers(
            module, ids, 1, task.max_answer, generator, temperature, job
        )  # fmt: skip
        scores += true_scores(task, batch, read_answers(sampled, task.tokenizer)).tolist()
    return float(np.mean(scores))


def spread_out(prompts: Sequence[Prompt], n: int | None) -> list[Prompt]:
    """n prompts, evenly from all; all if there are no more, or n is None."""
    if n is None or n >= len(prompts):
        return list(prompts)
    return [prompts[i * len(prompts) // n] for i in range(n)]


def answers_to(
    module: Transformer,
    task: Task,
    prompt: Sequence[int],
    n: int,
    *,
    seed: int = 0,
    temperature: float = 1.0,
    job: Job = NO_JOB,
) -> list[Answer]:
    """n answers to a prompt's token ids; the same ones for the same module each time."""
    generator = torch.Generator().manual_seed(seed)
    sampled = sample_answers(module, [prompt], n, task.max_answer, generator, temperature, job)
    return read_answers(sampled, task.tokenizer)


@torch.no_grad()
def first_token_log_probs(
    module: Transformer, prompt: Sequence[int], temperature: float = 1.0
) -> Floats:
    """log p of an answer's first token at a temperature, (V,)."""
    end = module.config.vocab_size - 1
    logits = module(torch.tensor([[end, *prompt]]))[0, -1].double()  # (V,)
    result: Floats = (logits / temperature).log_softmax(dim=-1).numpy()
    return result
