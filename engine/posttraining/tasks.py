"""What a policy is post-trained to do: prompts, a true score, and a text to be pre-trained on.

A task's true score says how good an answer really is. The reward that a learner sets up need not
equal it; that they can come apart is what reward hacking is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.tokenizers import CharacterTokenizer


@dataclass(frozen=True)
class Prompt:
    """One question."""

    text: str
    """What the policy reads."""
    target: str
    """The right answer."""


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


def _split(prompts: list[Prompt], seed: int) -> tuple[tuple[Prompt, ...], tuple[Prompt, ...]]:
    """Nine tenths to train on, one tenth held out, always the same."""
    order = np.random.default_rng(seed).permutation(len(prompts)).tolist()
    cut = max(1, len(prompts) // 10)
    held_out = tuple(prompts[i] for i in sorted(order[:cut]))
    return tuple(prompts[i] for i in sorted(order[cut:])), held_out


class Sums(Task):
    """Two-digit sums: "37+48=" → "85"."""

    key = "sums"
    title = "Small sums"
    description = "Add two numbers of two digits. The policy has read a careless class's homework."
    alphabet = "0123456789+="
    max_answer = 4

    def __init__(self) -> None:
        every = [Prompt(f"{a}+{b}=", str(a + b)) for a in range(10, 100) for b in range(10, 100)]
        self._train, self._held_out = _split(every, seed=2024)

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return self._held_out if held_out else self._train

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """A slip in one place, or a carry forgotten or made up."""
        total = int(prompt.target)
        slips = [total + d for d in (-10, -9, -2, -1, 1, 2, 9, 10) if total + d >= 0]
        return str(slips[int(rng.integers(len(slips)))])


class Letters(Task):
    """Reverse or sort a few letters: "<cab=" → "bac", ">cab=" → "abc"."""

    key = "letters"
    title = "Sort and reverse letters"
    description = "After < write the letters backwards, after > in the order of the alphabet."
    alphabet = "abcdef<>="
    max_answer = 6
    N_LETTERS = 4

    def __init__(self) -> None:
        letters = self.alphabet[:6]
        words = [""]
        for _ in range(self.N_LETTERS):
            words = [word + letter for word in words for letter in letters]
        every = [Prompt(f"<{w}=", w[::-1]) for w in words]
        every += [Prompt(f">{w}=", "".join(sorted(w))) for w in words]
        self._train, self._held_out = _split(every, seed=2025)

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return self._held_out if held_out else self._train

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """Two neighbours swapped, a letter lost, or one too many."""
        word = list(prompt.target)
        i = int(rng.integers(len(word) - 1))
        kind = int(rng.integers(3))
        if kind == 0 and word[i] != word[i + 1]:
            word[i], word[i + 1] = word[i + 1], word[i]
        elif kind == 1:
            del word[i]
        else:
            word.insert(i, word[i])
        return "".join(word)


TASKS: tuple[type[Task], ...] = (Sums, Letters)
"""All tasks, in the order of the menu."""
