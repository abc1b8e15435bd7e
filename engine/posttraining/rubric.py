"""Rubrics: several criteria, each judged 0, 1 or 2 by a program with a stated rule.

A rubric's score is Σ weight · verdict/2 ÷ Σ weight, from 0 to 1. No criterion pretends to
understand a text: each states its rule, and gives its reason for every verdict. A rubric is only
as good as its rules; ``careless`` holds one that can be had without answering.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.posttraining.prompts import TOP_SCORE, Answer, Criterion, Prompt, Verdict
from engine.posttraining.rewards import RewardTerm
from engine.posttraining.rubric_criteria import careless_criterion, general_criteria

if TYPE_CHECKING:
    from engine.posttraining.tasks.task import Task

Floats = npt.NDArray[np.float64]
CARELESS = "careless"
"""How a careless criterion marks itself, somewhere in its rule."""


@dataclass(frozen=True)
class Rubric:
    """Criteria with weights.

    Raises:
        LabError: on construction, if no weight is above 0, or one is below or no number.
    """

    lines: tuple[tuple[Criterion, float], ...]

    def __post_init__(self) -> None:
        weights = [weight for _, weight in self.lines]
        if not all(math.isfinite(w) and w >= 0 for w in weights):
            raise LabError("The weight of a criterion is a number from 0 up.")
        if not any(weights):
            raise LabError("A rubric needs at least one criterion with a weight above 0.")

    @property
    def used(self) -> tuple[tuple[Criterion, float], ...]:
        """The criteria with a weight above 0."""
        return tuple((criterion, weight) for criterion, weight in self.lines if weight > 0)

    def verdicts(self, prompt: Prompt, answer: Answer) -> tuple[Verdict, ...]:
        """What each criterion in use says of an answer, in the order of ``used``."""
        return tuple(criterion.judge(prompt, answer) for criterion, _ in self.used)

    def score(self, prompt: Prompt, answer: Answer) -> float:
        """0 … 1."""
        used = self.used
        found = sum(w * c.judge(prompt, answer).score / TOP_SCORE for c, w in used)
        return found / sum(w for _, w in used)

    def score_many(self, prompts: Sequence[Prompt], answers: Sequence[Answer]) -> Floats:
        """The scores of N answers, each to its own prompt, (N,). Equal answers to one prompt,
        of which a policy that is sure of itself writes many, are judged once."""
        known: dict[tuple[Prompt, Answer], float] = {}
        scores = np.empty(len(answers))  # (N,)
        for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            if (prompt, answer) not in known:
                known[prompt, answer] = self.score(prompt, answer)
            scores[i] = known[prompt, answer]
        return scores

    def explain(self, prompt: Prompt, answer: Answer) -> str:
        """Every verdict with its reason, in a line."""
        told = [
            f"{criterion.title} {verdict.score}: {verdict.reason}"
            for (criterion, _), verdict in zip(
                self.used, self.verdicts(prompt, answer), strict=True
            )
        ]
        return " ".join(told)

    def words(self) -> str:
        """The rubric in a line, such as "(2 × Ends by itself + 1 × Format) ÷ 3, each 0 … 1"."""
        used = self.used
        listed = " + ".join(f"{weight:g} × {criterion.title}" for criterion, weight in used)
        total = sum(weight for _, weight in used)
        return f"({listed}) ÷ {total:g}, each verdict ÷ {TOP_SCORE}"

    def as_term(self) -> RewardTerm:
        """The rubric as a term of the reward, 0 … 1."""
        return RewardTerm(
            "rubric",
            "Rubric",
            f"{self.words()}.",
            self.score,
            kind="rubric",
            scores=self.score_many,
            reason=self.explain,
            made=self,
        )


def criteria_for(task: Task) -> tuple[Criterion, ...]:
    """All that a rubric for this task may judge, what tells most about an answer first: the task's
    own criteria, what suits every task, and what is careless, of which each task has some."""
    own = task.criteria()
    sound = tuple(c for c in own if not is_careless(c))
    careless = tuple(c for c in own if is_careless(c))
    added = careless_criterion(task)
    return (*sound, *general_criteria(task), *careless, *(() if added is None else (added,)))


def is_careless(criterion: Criterion) -> bool:
    """Whether a criterion says of itself that it can be had without a good answer."""
    return CARELESS in criterion.rule.lower()


def sound_rubric(task: Task) -> Rubric:
    """The criteria that are not careless, each with weight 1; the others with 0."""
    every = criteria_for(task)
    return Rubric(tuple((c, 0.0 if is_careless(c) else 1.0) for c in every))


def careless_rubric(task: Task) -> Rubric:
    """Only careless criteria count: to be hacked.

    Raises:
        LabError: for a task without a careless criterion.
    """
    return Rubric(tuple((c, float(is_careless(c))) for c in criteria_for(task)))
