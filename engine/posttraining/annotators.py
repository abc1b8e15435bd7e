"""Simulated annotators with stated biases: comparisons by the thousand.

An annotator finds an answer worth u = Σ weight · feature, and prefers A with probability
σ(u(A) − u(B)): their own Bradley–Terry model. Some of their clicks are made without looking.
Since the law behind the clicks is known, so is the best that any model of them can do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.posttraining.bradley_terry import sigmoid
from engine.posttraining.features import (
    FORMAT,
    KEYWORDS,
    LENGTH,
    REPEATS,
    TRUE,
    Feature,
    feature_table,
)
from engine.posttraining.preferences import Choice, Pair, Preference

Floats = npt.NDArray[np.float64]

TIPS = 0.5
"""A bias shows if it differs by so much, in log-odds, between the two answers of a pair (root mean
square): it then tips an even choice to 62 %. On small sums a point for each token differs by 0.3,
and 500 comparisons did not tell it from nothing."""

REFERENCE_SPREADS: dict[str, dict[str, float]] = {
    LENGTH: {
        "sums": 0.32,
        "letters": 1.07,
        "scratchpad": 4.0,
        "replies": 5.2,
        "stories": 3.8,
        "refusals": 0.61,
    },
    FORMAT: {
        "sums": 0.0,
        "letters": 0.0,
        "scratchpad": 0.0,
        "replies": 0.1,
        "stories": 0.16,
        "refusals": 0.0,
    },
    KEYWORDS: {"replies": 1.6},
    REPEATS: {
        "sums": 0.31,
        "letters": 0.27,
        "scratchpad": 0.22,
        "replies": 0.18,
        "stories": 0.09,
        "refusals": 0.0,
    },
}
"""By feature and task: the root mean square difference between two answers of the reference policy
to one prompt, measured on 48 prompts with 4 answers each."""


@dataclass(frozen=True)
class Influence:
    """How much of what an annotator looks at can be seen in some answers."""

    key: str
    title: str
    weight: float
    spread: float
    """The feature's root mean square difference between the two answers of a pair."""
    differing: float
    """The share of pairs in which it differs at all."""

    @property
    def pull(self) -> float:
        """What it adds to the margin between two answers, root mean square, in log-odds."""
        return abs(self.weight) * self.spread

    @property
    def shows(self) -> bool:
        """Whether it can be told from their clicks."""
        return self.pull >= TIPS


@dataclass(frozen=True)
class Annotator:
    """What an annotator looks at: a difference of 1 in weight · feature is preferred in 73 % of
    their clicks, one of 2 in 88 %.

    Raises:
        LabError: on construction, if a number makes no sense.
    """

    true: float = 4.0
    """Weight of the true score, 0 … 1."""
    length: float = 0.0
    """Weight of each token written: the length bias."""
    format: float = 0.0
    """Weight of looking like an answer, right or wrong."""
    keywords: float = 0.0
    """Weight of each keyword, for tasks in words."""
    repeats: float = 0.0
    """Weight of the share that repeats what came before."""
    noise: float = 0.0
    """Share of clicks made without looking, half of them for each side."""
    tie: float = 0.0
    """Says "equal" where the two are worth the same to within so much. 0: never."""

    def __post_init__(self) -> None:
        weights = (self.true, self.length, self.format, self.keywords, self.repeats, self.tie)
        if not all(math.isfinite(w) and abs(w) <= 100 for w in weights) or self.tie < 0:
            raise LabError("An annotator's weights must be numbers from −100 to 100.")
        if not 0 <= self.noise <= 1:
            raise LabError("The share of clicks without looking must be 0 to 1.")

    def weight_of(self, key: str) -> float:
        """The weight of a feature by its key; 0 for what this annotator does not look at."""
        return {
            TRUE: self.true,
            LENGTH: self.length,
            FORMAT: self.format,
            KEYWORDS: self.keywords,
            REPEATS: self.repeats,
        }.get(key, 0.0)

    def margins(self, features: Sequence[Feature], pairs: Sequence[Pair]) -> Floats:
        """u(A) − u(B) of each pair, (n,)."""
        seen = [f for f in features if self.weight_of(f.key)]
        if not seen or not pairs:
            return np.zeros(len(pairs))
        prompts = [pair.prompt for pair in pairs]
        a = feature_table(seen, prompts, [pair.a for pair in pairs])  # (n, k)
        b = feature_table(seen, prompts, [pair.b for pair in pairs])  # (n, k)
        result: Floats = (a - b) @ np.array([self.weight_of(f.key) for f in seen])
        return result

    def influences(
        self, features: Sequence[Feature], pairs: Sequence[Pair]
    ) -> tuple[Influence, ...]:
        """What this annotator looks at and how much of it differs in these pairs, the strongest
        pull first."""
        seen = [f for f in features if self.weight_of(f.key)]
        if not seen or not pairs:
            return ()
        prompts = [pair.prompt for pair in pairs]
        a = feature_table(seen, prompts, [pair.a for pair in pairs])  # (n, k)
        b = feature_table(seen, prompts, [pair.b for pair in pairs])  # (n, k)
        gap = a - b  # (n, k)
        found = [
            Influence(
                feature.key,
                feature.title,
                self.weight_of(feature.key),
                float(np.sqrt((gap[:, i] ** 2).mean())),
                float((gap[:, i] != 0).mean()),
            )
            for i, feature in enumerate(seen)
        ]
        return tuple(sorted(found, key=lambda one: -one.pull))

    def shows_in(self, key: str) -> tuple[str, ...]:
        """The keys of the tasks in whose answers this annotator's weight on a feature shows, the
        clearest first; by the reference policies' answers."""
        spreads = REFERENCE_SPREADS.get(key, {})
        clear = [task for task in spreads if abs(self.weight_of(key)) * spreads[task] >= TIPS]
        return tuple(sorted(clear, key=lambda task: -spreads[task]))

    def probabilities(self, features: Sequence[Feature], pairs: Sequence[Pair]) -> Floats:
        """p(this annotator prefers A) where they say which is better, (n,)."""
        margin = self.margins(features, pairs)  # (n,)
        chance = (1 - self.noise) * sigmoid(margin) + self.noise / 2  # (n,)
        # Of such a pair they say "equal" whenever they look.
        result: Floats = np.where(np.abs(margin) < self.tie, 0.5, chance)
        return result

    def compare(
        self, features: Sequence[Feature], pairs: Sequence[Pair], seed: int
    ) -> tuple[Preference, ...]:
        """What this annotator clicks on each pair."""
        rng = np.random.default_rng(seed)
        n = len(pairs)
        margin = self.margins(features, pairs)  # (n,)
        looks = rng.random(n) >= self.noise
        first = rng.random(n) < np.where(looks, sigmoid(margin), 0.5)
        tied = looks & (np.abs(margin) < self.tie)
        found = []
        for pair, a, tie in zip(pairs, first.tolist(), tied.tolist(), strict=True):
            choice: Choice = "tie" if tie else "a" if a else "b"
            found.append(Preference(pair, choice))
        return tuple(found)

    def best_accuracy(
        self, features: Sequence[Feature], preferences: Sequence[Preference]
    ) -> float:
        """The accuracy that a model expects on these pairs if it knows this annotator's law
        exactly, mean of max(p, 1 − p); 0.5 without a pair that was decided."""
        pairs = [p.pair for p in preferences if p.choice in ("a", "b")]
        if not pairs:
            return 0.5
        chance = self.probabilities(features, pairs)
        return float(np.maximum(chance, 1 - chance).mean())
