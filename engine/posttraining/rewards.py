"""Verifiable rewards: programs that score an answer, mixed with weights (reward shaping)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.posttraining.prompts import Answer, Prompt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RewardTerm:
    """One reason for a reward."""

    key: str
    title: str
    sentence: str
    """What it rewards, for the learner."""
    score: Callable[[Prompt, Answer], float]


def exact(prompt: Prompt, answer: Answer) -> float:
    """1 if the answer is right to the last character and then ends, else 0 (RLVR)."""
    return float(answer.finished and answer.text == prompt.target)


def partial_credit(prompt: Prompt, answer: Answer) -> float:
    """The share of places, counted from the left, that hold the right character."""
    right = sum(a == b for a, b in zip(answer.text, prompt.target, strict=False))
    return right / max(len(prompt.target), len(answer.text), 1)


def well_formed(prompt: Prompt, answer: Answer) -> float:
    """1 if the answer ends by itself and uses only characters that a right answer has."""
    allowed = set("0123456789") if prompt.target.isdigit() else set(prompt.target)
    return float(answer.finished and answer.text != "" and set(answer.text) <= allowed)


def length(prompt: Prompt, answer: Answer) -> float:
    """The number of tokens; a positive weight asks for longer answers, a negative for shorter."""
    return float(answer.length)


TERMS: tuple[RewardTerm, ...] = (
    RewardTerm("exact", "Exactly right", "1 if the answer is right, else 0.", exact),
    RewardTerm(
        "partial",
        "Partial credit",
        "The share of characters that are right in their place.",
        partial_credit,
    ),
    RewardTerm(
        "format", "Format", "1 if the answer ends by itself and looks like one.", well_formed
    ),
    RewardTerm("length", "Length", "1 for every token written.", length),
)


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
        """What each term adds, weight included: shape (N, terms)."""
        return np.array(
            [
                [weight * term.score(prompt, answer) for term, weight in self.terms]
                for prompt, answer in zip(prompts, answers, strict=True)
            ],
            dtype=np.float64,
        ).reshape(len(answers), len(self.terms))
