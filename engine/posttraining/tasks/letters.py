"""Reversing and sorting letters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.posttraining.prompts import Prompt
from engine.posttraining.tasks.task import Split, Task, split_prompts


class Letters(Task):
    """Reverse or sort a few letters: "<cab=" → "bac", ">cab=" → "abc"."""

    key = "letters"
    title = "Sort and reverse letters"
    description = "After < write the letters backwards, after > in the order of the alphabet."
    alphabet = "abcdef<>="
    max_answer = 6
    N_LETTERS = 4

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return _split()[int(held_out)]

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


@cache
def _split() -> Split:
    letters = Letters.alphabet[:6]
    words = [""]
    for _ in range(Letters.N_LETTERS):
        words = [word + letter for word in words for letter in letters]
    every = [Prompt(f"<{w}=", w[::-1]) for w in words]
    every += [Prompt(f">{w}=", "".join(sorted(w))) for w in words]
    return split_prompts(every, seed=2025)
