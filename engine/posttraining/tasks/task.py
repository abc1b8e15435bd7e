"""What a policy is post-trained to do: prompts, a true score, and a text to be pre-trained on.

A task's true score says how good an answer really is. The reward that a learner sets up need not
equal it; that they can come apart is what reward hacking is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from engine.posttraining.prompts import Criterion, Prompt
from engine.tokenizers import CharacterTokenizer


class Task(ABC):
    """A family of prompts with right answers, over an alphabet of its own."""

    key: str
    title: str
    description: str
    """A sentence for the learner."""
    alphabet: str
    """All characters that prompts and answers are written in."""
    max_answer: int
    """Tokens that an answer may have, end-of-text included."""
    right_share = 0.3
    """Share of right answers in the text a policy is pre-trained on: what never occurs cannot be
    reinforced."""

    @property
    def tokenizer(self) -> CharacterTokenizer:
        """One token a character; the alphabet alone, so equal for every run."""
        return CharacterTokenizer(self.alphabet)

    @property
    def context(self) -> int:
        """Tokens that the longest prompt and answer take, begin-of-text included."""
        return 1 + max(len(p.text) for p in self.prompts(held_out=False)) + self.max_answer

    @abstractmethod
    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        """All prompts to train on, or all that are held out; none is in both."""

    def criteria(self) -> tuple[Criterion, ...]:
        """What a rubric for this task may judge, beside what suits every task."""
        return ()

    @abstractmethod
    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """A wrong answer of the sort that people give."""

    def true_score(self, prompt: Prompt, answer: str) -> float:
        """How good an answer is, 0 … 1."""
        return float(answer == prompt.target)

    def pretraining_documents(self, n: int, seed: int, right: float | None = None) -> list[str]:
        """Questions with answers as a careless class would write them: a share ``right`` (or
        the task's own) is right, the rest holds the mistakes people make. Held-out prompts
        never occur."""
        rng = np.random.default_rng(seed)
        right = self.right_share if right is None else right
        prompts = self.prompts(held_out=False)
        documents = []
        for _ in range(n):
            prompt = prompts[int(rng.integers(len(prompts)))]
            answer = prompt.target if rng.random() < right else self.mistake(prompt, rng)
            documents.append(prompt.text + answer)
        return documents


def split_prompts(
    prompts: list[Prompt], seed: int
) -> tuple[tuple[Prompt, ...], tuple[Prompt, ...]]:
    """Nine tenths to train on, one tenth held out, always the same."""
    order = np.random.default_rng(seed).permutation(len(prompts)).tolist()
    cut = max(1, len(prompts) // 10)
    held_out = tuple(prompts[i] for i in sorted(order[:cut]))
    return tuple(prompts[i] for i in sorted(order[cut:])), held_out
