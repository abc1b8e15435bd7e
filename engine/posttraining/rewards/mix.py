"""Terms with weights: the reward as the learner shapes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards.term import Floats, RewardTerm


@dataclass(frozen=True)
class RewardMix:
    """r = Σ weight · term.

    Raises:
        LabError: on construction, if there is no term, or a weight is not a finite number.
    """

    terms: tuple[tuple[RewardTerm, float], ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise LabError("Choose at least one thing to reward.")
        if not all(np.isfinite(weight) for _, weight in self.terms):
            raise LabError("Every weight of the reward must be a number.")

    def words(self) -> str:
        """The mix in a line, such as "1 × Exactly right − 0.1 × Length"."""
        parts = [(weight, term.title) for term, weight in self.terms if weight != 0]
        if not parts:
            return "nothing"
        line = " ".join(f"{'−' if w < 0 else '+'} {abs(w):g} × {title}" for w, title in parts)
        return line.removeprefix("+ ")

    def breakdown(self, prompts: Sequence[Prompt], answers: Sequence[Answer]) -> Floats:
        """What each term adds, weight included: shape (N, terms). A term with weight 0 is not
        even asked.

        Raises:
            ValueError: if there are more prompts than answers, or fewer.
        """
        if len(prompts) != len(answers):
            raise ValueError("as many prompts as answers are needed")
        shares = np.zeros((len(answers), len(self.terms)))  # (N, terms)
        for j, (term, weight) in enumerate(self.terms):
            if weight != 0:
                shares[:, j] = weight * term.score_many(prompts, answers)  # (N,)
        return shares
