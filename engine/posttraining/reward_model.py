"""Reward models: r(x, y) learned from comparisons of answers (RLHF's first half).

A *reader* turns an answer into k numbers, the model learns a weight for each by the
Bradley–Terry model's maximum likelihood (``bradley_terry``). With the features of ``features`` as
reader that is a linear model whose weights can be read; with the pre-trained policy's own inside
(``reward_model_neural``) it is a transformer with a scalar head.

r is in log-odds: where r(A) − r(B) = 1, A is said to be preferred with probability σ(1) = 73 %.
Only differences are learned; the mean over the answers learned from is set to 0.

Sources: Ouyang et al. 2022, "InstructGPT" (section 3.5); Ziegler et al. 2019 (the mean set to 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.posttraining.bradley_terry import fit, sigmoid
from engine.posttraining.features import Feature, feature_table
from engine.posttraining.preferences import Preference, telling
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards import RewardTerm

Floats = npt.NDArray[np.float64]
ModelKind = Literal["linear", "neural"]
L2: dict[ModelKind, float] = {"linear": 1.0, "neural": 10.0}
"""λ for weights of standardised numbers. The transformer's many numbers need more: with 200
comparisons of sums, λ = 10 instead of 1 made 0.59 of 0.56 held-out accuracy (best possible 0.71),
and of letters 0.77 of 0.75."""


class Reader(Protocol):
    """Turns answers into numbers."""

    @property
    def kind(self) -> ModelKind:
        """Which model it makes."""

    def read(
        self, prompts: Sequence[Prompt], answers: Sequence[Answer], job: Job = NO_JOB
    ) -> Floats:
        """N answers → (N, k)."""


@dataclass(frozen=True)
class FeatureReader:
    """Reads what ``features`` say."""

    features: tuple[Feature, ...]
    kind: ModelKind = "linear"

    def read(
        self, prompts: Sequence[Prompt], answers: Sequence[Answer], job: Job = NO_JOB
    ) -> Floats:
        job.yield_point()
        return feature_table(self.features, prompts, answers)


@dataclass(frozen=True)
class Comparisons:
    """Comparisons as numbers: what ``learn`` works on."""

    a: Floats
    """(n, k)"""
    b: Floats
    """(n, k)"""
    outcomes: Floats
    """1 where A was preferred, 0 where B was, ½ for a tie, (n,)."""

    def first(self, n: int) -> Comparisons:
        """The first n of them."""
        return Comparisons(self.a[:n], self.b[:n], self.outcomes[:n])


def read_comparisons(
    reader: Reader, preferences: Sequence[Preference], job: Job = NO_JOB
) -> Comparisons:
    """The comparisons that were not skipped, as numbers."""
    told = telling(preferences)
    prompts = [p.pair.prompt for p in told]
    answers = [p.pair.a for p in told] + [p.pair.b for p in told]
    both = reader.read(prompts + prompts, answers, job)  # (2n, k)
    n = len(told)
    return Comparisons(both[:n], both[n:], np.array([p.outcome for p in told], dtype=np.float64))


@dataclass(frozen=True)
class RewardModel:
    """r(x, y) = Σ w·(f − mean)/scale."""

    reader: Reader
    mean: Floats
    """Of each number over the answers learned from, (k,)."""
    scale: Floats
    """Its standard deviation there; 1 where it never varied. (k,)"""
    weights: Floats
    """Per standard deviation, (k,)."""
    comparisons: int
    """How many it learned from."""

    @property
    def kind(self) -> ModelKind:
        """ "linear" on features, or "neural" on the policy's inside."""
        return self.reader.kind

    @property
    def weights_in_units(self) -> Floats:
        """What one unit of each number adds to r, (k,)."""
        result: Floats = self.weights / self.scale
        return result

    def of_numbers(self, numbers: Floats) -> Floats:
        """r of what the reader read: (N, k) → (N,)."""
        result: Floats = ((numbers - self.mean) / self.scale) @ self.weights
        return result

    def score_many(
        self, prompts: Sequence[Prompt], answers: Sequence[Answer], job: Job = NO_JOB
    ) -> Floats:
        """r of N answers, each to its own prompt, (N,). Equal answers to one prompt, of which a
        policy that is sure of itself writes many, are read once.

        Raises:
            ValueError: if there are more of one than of the other.
        """
        pairs = list(zip(prompts, answers, strict=True))
        if not pairs:
            return np.zeros(0)
        places = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
        each = self.reader.read([p for p, _ in places], [a for _, a in places], job)
        result: Floats = self.of_numbers(each)[[places[pair] for pair in pairs]]
        return result

    def preference(self, comparisons: Comparisons) -> Floats:
        """p(A ≻ B), (n,)."""
        return sigmoid(self.of_numbers(comparisons.a) - self.of_numbers(comparisons.b))


def learn(reader: Reader, comparisons: Comparisons, l2: float | None = None) -> RewardModel:
    """Fit a reward model.

    Args:
        reader: what the comparisons were read by.
        comparisons: at least one.
        l2: λ, on weights of standardised numbers; None for what suits the kind of model.

    Raises:
        LabError: if there is nothing to learn from.
    """
    n = len(comparisons.outcomes)
    if n == 0:
        raise LabError("Compare some answers first: there is nothing to learn from yet.")
    both = np.concatenate([comparisons.a, comparisons.b])  # (2n, k)
    mean, spread = both.mean(axis=0), both.std(axis=0)  # (k,) each
    scale = np.where(spread > 1e-9, spread, 1.0)  # (k,)
    differences = (comparisons.a - comparisons.b) / scale  # (n, k)
    penalty = L2[reader.kind] if l2 is None else l2
    return RewardModel(reader, mean, scale, fit(differences, comparisons.outcomes, penalty), n)


def as_term(model: RewardModel, number: int | None = None) -> RewardTerm:
    """A reward model as a term of the reward.

    Args:
        model: the trained model.
        number: which training this is; models of different trainings are different terms. None
            for a model that was kept with a run.
    """
    name = (
        "the reward model that was kept with a run" if number is None else f"reward model {number}"
    )
    what = "the pre-trained transformer" if model.kind == "neural" else "features"
    linear = model.reader.features if isinstance(model.reader, FeatureReader) else ()

    def score(prompt: Prompt, answer: Answer) -> float:
        return float(model.score_many([prompt], [answer])[0])

    def reason(prompt: Prompt, answer: Answer) -> str:
        if not linear:
            return f"r = {score(prompt, answer):+.2f}, read off the transformer's inside."
        numbers = model.reader.read([prompt], [answer])[0]  # (k,)
        shares = model.weights_in_units * (numbers - model.mean)  # (k,)
        order = np.argsort(-np.abs(shares))[:3].tolist()
        told = [f"{linear[i].title} {shares[i]:+.2f}" for i in order if abs(shares[i]) >= 0.005]
        return f"r = {shares.sum():+.2f}" + (f", mostly {', '.join(told)}." if told else ".")

    return RewardTerm(
        "preferences",
        "Preferences",
        f"r of {name}, learned from {model.comparisons:,} comparisons on {what}, "
        "in log-odds: 1 more is preferred in 73 % of cases.",
        score,
        kind="preferences",
        scores=model.score_many,
        reason=reason,
        made=model,
    )
