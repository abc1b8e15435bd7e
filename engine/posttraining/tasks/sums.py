"""Sums of two numbers of two digits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.posttraining.prompts import Prompt
from engine.posttraining.tasks.task import Split, Task, split_prompts


class Sums(Task):
    """Two-digit sums: "37+48=" → "85"."""

    key = "sums"
    title = "Small sums"
    description = "Add two numbers of two digits. The policy has read a careless class's homework."
    alphabet = "0123456789+="
    max_answer = 4

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return _split()[int(held_out)]

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """A slip in one place, or a carry forgotten or made up."""
        total = int(prompt.target)
        slips = [total + d for d in (-10, -9, -2, -1, 1, 2, 9, 10) if total + d >= 0]
        return str(slips[int(rng.integers(len(slips)))])


@cache
def _split() -> Split:
    every = [Prompt(f"{a}+{b}=", str(a + b)) for a in range(10, 100) for b in range(10, 100)]
    return split_prompts(every, seed=2024)
