"""One reason for a reward: a program, a model of preferences, or a rubric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.posttraining.prompts import Answer, Prompt

Floats = npt.NDArray[np.float64]
Kind = Literal["verifiable", "preferences", "rubric"]
"""Who judges: a program that checks (RLVR), a model learned from comparisons (RLHF), or several
criteria with a scale each."""


@dataclass(frozen=True)
class RewardTerm:
    """One reason for a reward. Two terms are equal if key, title and sentence are, so what judges
    otherwise needs another key."""

    key: str
    title: str
    sentence: str
    """What it rewards, for the learner."""
    score: Callable[[Prompt, Answer], float] = field(compare=False)
    kind: Kind = "verifiable"
    scores: Callable[[Sequence[Prompt], Sequence[Answer]], Floats] | None = field(
        default=None, compare=False
    )
    """Scores many answers at once, (N,); without it each is scored by itself."""
    reason: Callable[[Prompt, Answer], str] | None = field(default=None, compare=False)
    """Why an answer got its score; without it ``explain`` tells the rule and the score."""
    made: object | None = field(default=None, compare=False)
    """The reward model or the rubric that judges, to be kept with a run (``reward_files``); None
    for a program that its key names."""

    def score_many(self, prompts: Sequence[Prompt], answers: Sequence[Answer]) -> Floats:
        """The scores of N answers, each to its own prompt, weight not included: (N,).

        Raises:
            ValueError: if there are more of one than of the other.
        """
        if self.scores is not None and len(prompts) == len(answers):
            return np.asarray(self.scores(prompts, answers), dtype=np.float64)  # (N,)
        pairs = zip(prompts, answers, strict=True)
        return np.array([self.score(p, a) for p, a in pairs], dtype=np.float64)  # (N,)

    def explain(self, prompt: Prompt, answer: Answer) -> str:
        """Why this answer gets this score, in a sentence or two."""
        if self.reason is not None:
            return self.reason(prompt, answer)
        return f"{self.sentence} Here {self.score(prompt, answer):.3g}."
