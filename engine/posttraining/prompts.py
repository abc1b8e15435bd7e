"""A question, an answer, and a judge's criterion: what tasks and rewards share. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import LabError

TOP_SCORE = 2
"""The best a rubric's criterion gives; 0 is the worst."""


@dataclass(frozen=True)
class Prompt:
    """One question."""

    text: str
    """What the policy reads."""
    target: str
    """The right answer; an example of one where several are right."""


@dataclass(frozen=True)
class Answer:
    """An answer as a reward sees it."""

    text: str
    finished: bool
    """Whether it ended by itself, rather than at the limit."""
    length: int
    """Tokens, end-of-text included."""


@dataclass(frozen=True)
class Verdict:
    """What a criterion says of an answer.

    Raises:
        LabError: on construction, if the score is not 0, 1 or 2.
    """

    score: int
    """0, 1 or 2."""
    reason: str
    """A sentence with what was found in this answer."""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= TOP_SCORE:
            raise LabError(f"A verdict is 0 to {TOP_SCORE}, not {self.score}.")


@dataclass(frozen=True)
class Criterion:
    """One line of a rubric, judged by a program with a stated rule."""

    key: str
    title: str
    rule: str
    """The rule by which it judges, for the learner."""
    judge: Callable[[Prompt, Answer], Verdict]
