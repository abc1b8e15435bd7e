"""What can be said of an answer in numbers: what annotators look at, and what a linear reward
model learns weights for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.posttraining.keywords import keyword_count
from engine.posttraining.prompts import TOP_SCORE, Answer, Prompt
from engine.posttraining.words import words_of

if TYPE_CHECKING:
    from engine.posttraining.tasks.task import Task

Floats = npt.NDArray[np.float64]
LENGTH, TRUE, FORMAT = "length", "true", "format"
"""Keys of the features that every task has."""
ENDS, REPEATS, KEYWORDS = "ends", "repeats", "keywords"


@dataclass(frozen=True)
class Feature:
    """A number that describes an answer."""

    key: str
    title: str
    unit: str
    """What 1 of it is, such as "token"."""
    sentence: str
    value: Callable[[Prompt, Answer], float]


def longest_run(text: str) -> int:
    """How often the most repeated piece of one to four characters stands in a row, at least 1
    for a text that is not empty.

    >>> longest_run("abcabcab"), longest_run("855555"), longest_run("bac"), longest_run("")
    (2, 5, 1, 0)
    """
    best = min(len(text), 1)
    for size in range(1, 5):
        same = 0
        for i in range(size, len(text)):
            same = same + 1 if text[i] == text[i - size] else 0
            best = max(best, same // size + 1)
    return best


def repeated_share(text: str) -> float:
    """The share of words that stood in the text before; of a text with fewer than two words, of
    characters that repeat the one before."""
    words = words_of(text)
    if len(words) >= 2:
        return 1 - len(set(words)) / len(words)
    if len(text) < 2:
        return 0.0
    return sum(a == b for a, b in pairwise(text)) / (len(text) - 1)


def features_of(task: Task) -> tuple[Feature, ...]:
    """The features of a task's answers: length, right or not, format, and what else its texts
    have; the task's own criteria are features too, by their score 0 … 2."""

    def true(prompt: Prompt, answer: Answer) -> float:
        return task.true_score(prompt, answer.text) if answer.finished else 0.0

    def formed(prompt: Prompt, answer: Answer) -> float:
        return float(task.is_well_formed(prompt, answer.text))

    found = [
        Feature(LENGTH, "Length", "token", "Tokens written.", lambda _, a: float(a.length)),
        Feature(TRUE, "True score", "point", "The task's own score, 0 … 1.", true),
        Feature(FORMAT, "Format", "yes", "Whether it looks like an answer of this task.", formed),
        Feature(
            ENDS,
            "Ends by itself",
            "yes",
            "Whether it ended rather than being cut off at the limit.",
            lambda _, a: float(a.finished),
        ),
        Feature(
            REPEATS,
            "Repetition",
            "share",
            "Share of words (or characters) that repeat what came before.",
            lambda _, a: repeated_share(a.text),
        ),
    ]
    keywords = task.keywords
    if keywords:
        found.append(
            Feature(
                KEYWORDS,
                "Keywords",
                "word",
                f"How many of its words are among: {', '.join(keywords)}.",
                lambda _, a: float(keyword_count(a.text, keywords)),
            )
        )
    for criterion in task.criteria():
        found.append(
            Feature(
                f"criterion {criterion.key}",
                criterion.title,
                "point",
                f"{criterion.rule} 0 … {TOP_SCORE}.",
                lambda p, a, judge=criterion.judge: float(judge(p, a).score),  # type: ignore[misc]
            )
        )
    return tuple(found)


def feature_table(
    features: Sequence[Feature], prompts: Sequence[Prompt], answers: Sequence[Answer]
) -> Floats:
    """The features of N answers, (N, k)."""
    rows = [
        [feature.value(prompt, answer) for feature in features]
        for prompt, answer in zip(prompts, answers, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(answers), len(features))
