"""Everything exact, for answers few enough to list: no sampling, no estimate.

With C characters beside end-of-text and at most L tokens an answer is one of C⁰ + … + C^(L−1)
that end by themselves or of C^L that are cut off. Their probabilities add up to 1, so expected
rewards, KL divergences and policy gradients are plain sums, against which sampled ones can be
held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.module import Transformer
from engine.posttraining.evaluation import true_scores
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.reading import SharedPrompts
from engine.posttraining.rewards import Floats, RewardMix
from engine.posttraining.tasks import Task

MOST_ANSWERS = 20_000
"""More are not listed."""


@dataclass(frozen=True)
class AnswerTree:
    """All answers over C characters (ids 0 … C − 1) of at most L tokens, end-of-text (id C)
    included: those that end by themselves by length, then those that are cut off; within a
    length in the order of their ids.

    >>> len(AnswerTree(2, 2))  # "", a, b; aa, ab, ba, bb cut off
    7
    """

    characters: int
    """C"""
    max_tokens: int
    """L"""

    def __post_init__(self) -> None:
        if not (self.characters >= 1 and self.max_tokens >= 1):
            raise LabError("There are answers to list only with a character and a token.")
        if len(self) > MOST_ANSWERS:
            raise LabError(
                f"This task has more than {MOST_ANSWERS:,} possible answers, too many to list."
            )

    def __len__(self) -> int:
        """N, counted no further than needed to see that there are too many."""
        total = 0
        for k in range(self.max_tokens + 1):
            total += self.characters**k
            if total > MOST_ANSWERS:
                break
        return total

    def tokens(self) -> tuple[tuple[int, ...], ...]:
        """Each answer's token ids, end-of-text included where it ends by itself."""
        return _listed(self.characters, self.max_tokens)

    def prefixes(self) -> Tensor:
        """All beginnings of L − 1 characters, (C^(L−1), L − 1) int64, in order."""
        return torch.cartesian_prod(
            *[torch.arange(self.characters) for _ in range(self.max_tokens - 1)]
        ).reshape(self.characters ** (self.max_tokens - 1), self.max_tokens - 1)

    def log_probs(
        self, module: Transformer, prompt: Sequence[int], temperature: float = 1.0
    ) -> Tensor:
        """log π(y|x) of every answer, (N,) float64, with gradient.

        Args:
            module: the policy, whose vocabulary has C + 1 ids.
            prompt: token ids of x, without begin-of-text.
            temperature: at which the policy writes.
        """
        c, most = self.characters, self.max_tokens
        deep = self.prefixes()  # (C^(L−1), L − 1)
        cache = SharedPrompts(module.config, len(deep))  # the prompt is read once
        logits = module(torch.tensor([[c, *prompt]]), cache=cache)[:, -1:]  # (1, 1, V)
        logits = logits.expand(len(deep), -1, -1)  # (C^(L−1), 1, V)
        if most > 1:
            logits = torch.cat([logits, module(deep, cache=cache)], dim=1)  # (C^(L−1), L, V)
        rows = (logits.double() / temperature).log_softmax(dim=-1)
        reached = torch.zeros(1, dtype=torch.float64)  # log-probability of each beginning
        parts = []
        for k in range(most):
            # All deep beginnings that share their first k characters agree here: take the first.
            here = rows[:: c ** (most - 1 - k), k]  # (C^k, V)
            parts.append(reached + here[:, c])
            reached = (reached[:, None] + here[:, :c]).flatten()  # (C^(k+1),)
        return torch.cat([*parts, reached])


@lru_cache(maxsize=8)
def _listed(characters: int, most: int) -> tuple[tuple[int, ...], ...]:
    level: list[tuple[int, ...]] = [()]
    ended: list[tuple[int, ...]] = []
    for _ in range(most):
        ended += [(*answer, characters) for answer in level]
        level = [(*answer, i) for answer in level for i in range(characters)]
    return (*ended, *level)


@dataclass(frozen=True)
class Enumerated:
    """One prompt with all its answers and what each is worth."""

    prompt: Prompt
    ids: tuple[int, ...]
    """The prompt's token ids."""
    answers: tuple[Answer, ...]
    rewards: Floats
    """(N,)"""
    true_scores: Floats
    """(N,)"""

    def label(self, index: int) -> str:
        """An answer as it is shown; one that is cut off ends in an ellipsis."""
        answer = self.answers[index]
        return (answer.text or "(empty)") if answer.finished else f"{answer.text}…"


def tree_of(task: Task) -> AnswerTree:
    """All answers that a task's policy can write.

    Raises:
        LabError: if they are too many to list.
    """
    return AnswerTree(task.tokenizer.vocab_size, task.max_answer)


def enumerate_prompt(task: Task, prompt: Prompt, reward: RewardMix) -> Enumerated:
    """List and score all answers to a prompt.

    Raises:
        LabError: if they are too many to list.
    """
    tree, tokenizer = tree_of(task), task.tokenizer
    end = tree.characters
    answers = tuple(
        Answer(tokenizer.decode([t for t in tokens if t != end]), tokens[-1] == end, len(tokens))
        for tokens in tree.tokens()
    )
    prompts = [prompt] * len(answers)
    return Enumerated(
        prompt,
        tuple(tokenizer.encode(prompt.text)),
        answers,
        reward.breakdown(prompts, answers).sum(axis=1),
        true_scores(task, prompts, answers),
    )


@torch.no_grad()
def exact_log_probs(
    module: Transformer,
    task: Task,
    prompts: Sequence[Sequence[int]],
    temperature: float = 1.0,
    job: Job = NO_JOB,
) -> Floats:
    """log π(y|x) of every answer to every prompt, (P, N)."""
    tree = tree_of(task)
    rows = np.empty((len(prompts), len(tree)))
    for i, prompt in enumerate(prompts):
        job.yield_point()
        rows[i] = tree.log_probs(module, prompt, temperature).numpy()
    return rows


def exact_gradient(
    module: Transformer,
    task: Task,
    asked: Sequence[Enumerated],
    beta: float = 0.0,
    reference: Floats | None = None,
) -> dict[str, Tensor]:
    """∇_θ of the mean over prompts of E_π[r] − β KL(π ‖ π_ref), by summing over all answers.

    The policy gradient theorem is not used: the sum itself is differentiated, so that this can
    stand as an oracle for estimates that do use it.

    Args:
        module: the policy; its gradients are left as they are.
        task: to which the prompts belong.
        asked: prompts with their answers' rewards.
        beta: the price of moving away from the reference.
        reference: log π_ref of every answer, (P, N); needed where beta > 0.

    Raises:
        ValueError: if beta > 0 without a reference.
    """
    if beta > 0 and reference is None:
        raise ValueError("a KL penalty needs the reference's log-probabilities")
    tree = tree_of(task)
    total = torch.zeros((), dtype=torch.float64)
    for i, one in enumerate(asked):
        log_pi = tree.log_probs(module, one.ids)  # (N,)
        worth = torch.from_numpy(one.rewards)
        if reference is not None and beta > 0:
            worth = worth - beta * (log_pi - torch.from_numpy(reference[i]))
        total = total + (log_pi.exp() * worth).sum() / len(asked)
    named = dict(module.named_parameters())
    gradients = torch.autograd.grad(total, list(named.values()))
    return dict(zip(named, gradients, strict=True))
