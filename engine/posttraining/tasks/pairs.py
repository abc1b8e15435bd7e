"""Two letters to swap or sort: so few answers that all of them can be listed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.posttraining.prompts import Prompt
from engine.posttraining.tasks.task import Split, Task, split_prompts


class Pairs(Task):
    """Swap or sort two letters: "<ab=" → "ba", ">ba=" → "ab".

    With six characters, the unknown one and at most four tokens there are 2,801 answers: 400
    that end by themselves and 2,401 that are cut off. Every expectation over them can be summed.
    """

    key = "pairs"
    title = "Two letters"
    description = "After < write the two letters backwards, after > in the order of the alphabet."
    alphabet = "abc<>="
    max_answer = 4

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return _split()[int(held_out)]

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """The wrong order, a letter lost, one too many, or another letter."""
        a, b = prompt.target[0], prompt.target[1]
        other = "abc"[int(rng.integers(3))]
        wrong = [w for w in (b + a, a, b, a + b + b, a + a + b, a + other) if w != prompt.target]
        return wrong[int(rng.integers(len(wrong)))]


@cache
def _split() -> Split:
    words = [a + b for a in "abc" for b in "abc"]
    every = [Prompt(f"<{w}=", w[::-1]) for w in words]
    every += [Prompt(f">{w}=", "".join(sorted(w))) for w in words]
    return split_prompts(every, seed=2026)
