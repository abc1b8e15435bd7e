"""What a reward model has really learned, and how well.

Everything here is measured: on comparisons whose prompts it never saw, and on a pool of answers
whose true scores are known. Since only differences between answers to one prompt count, each
prompt's mean is taken off before anything is correlated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.posttraining.bradley_terry import sigmoid
from engine.posttraining.candidates import Candidates
from engine.posttraining.features import TRUE, Feature, feature_table
from engine.posttraining.preferences import Preference
from engine.posttraining.prompts import Answer
from engine.posttraining.reward_model import (
    L2,
    Comparisons,
    FeatureReader,
    Reader,
    RewardModel,
    learn,
    read_comparisons,
)

if TYPE_CHECKING:
    from engine.posttraining.tasks.task import Task

Floats = npt.NDArray[np.float64]
BINS = 5
_CURVE = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_LENGTHENED = 96
_MOST_LENGTHS = 10
Z95 = 1.96
"""Standard errors to each side of a 95 % interval."""


@dataclass(frozen=True)
class Accuracy:
    """How often the preferred answer has the greater reward; ties and skips are left out, equal
    rewards count half."""

    value: float
    n: int
    low: float
    """Wilson's 95 % interval."""
    high: float

    @property
    def may_be_chance(self) -> bool:
        """Whether the 95 % interval holds 50 %: then nothing is shown to have been learned."""
        return self.low <= 0.5 <= self.high


@dataclass(frozen=True)
class Point:
    """Held-out accuracy after so many comparisons."""

    comparisons: int
    accuracy: Accuracy


@dataclass(frozen=True)
class Bin:
    """Held-out comparisons with about the same prediction."""

    predicted: float
    observed: float
    """Share in which the side that the model favours was preferred; a tie counts half."""
    n: int


@dataclass(frozen=True)
class Learned:
    """How one feature goes with the reward."""

    key: str
    title: str
    unit: str
    weight: float
    """What one unit adds to r, the other features held."""
    effect: float
    """What one standard deviation (among answers to one prompt) adds to r."""
    correlation: float
    """With r, among answers to one prompt; 0 where the feature does not vary."""
    error: float = 0.0
    """The standard error of the effect, from the comparisons learned from."""

    @property
    def margin(self) -> float:
        """Half the effect's 95 % interval."""
        return Z95 * self.error

    @property
    def certain(self) -> bool:
        """Whether the 95 % interval leaves out 0."""
        return self.effect != 0 and abs(self.effect) > self.margin


@dataclass(frozen=True)
class Report:
    """A reward model, examined."""

    model: RewardModel
    train: Accuracy
    held_out: Accuracy
    best: float | None
    """The best that the annotator's own chance allows; None where the annotator is a person."""
    curve: tuple[Point, ...]
    bins: tuple[Bin, ...]
    agreement: Accuracy
    """Of two answers to one prompt of which one is truly better: how often it has the greater r."""
    learned: tuple[Learned, ...]
    """The greatest effect first."""
    explained: float
    """R²: how much of r within prompts the features' weights explain; 1 for the linear model."""
    rewards: Floats
    """r of the pool's answers, (N,)."""
    true: Floats
    """Their true scores, (N,)."""
    lengths: Floats
    """Their tokens, (N,)."""
    lengthened: tuple[tuple[int, float], ...]
    """(tokens, mean r) of the same answers cut or written on, over and over, to that length."""


def wilson(right: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927); (0, 1) for n = 0."""
    if n == 0:
        return 0.0, 1.0
    p = right / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy_of(margins: Floats, outcomes: Floats) -> Accuracy:
    """Of r(A) − r(B) (n,) against 1, 0 or ½ (n,)."""
    decided = outcomes != 0.5
    z, y = margins[decided], outcomes[decided]
    right = float(((z > 0) == (y == 1))[z != 0].sum() + 0.5 * (z == 0).sum())
    n = len(y)
    return Accuracy(right / n if n else 0.5, n, *wilson(right, n))


def margins_of(model: RewardModel, comparisons: Comparisons) -> Floats:
    """r(A) − r(B), (n,)."""
    return model.of_numbers(comparisons.a) - model.of_numbers(comparisons.b)


def examine(
    reader: Reader,
    task: Task,
    features: Sequence[Feature],
    train: Sequence[Preference],
    held_out: Sequence[Preference],
    pool: Candidates,
    best: float | None = None,
    job: Job = NO_JOB,
) -> Report:
    """Train a reward model on more and more comparisons, and look into the last.

    Args:
        reader: the kind of model.
        task: whose answers these are.
        features: what is looked for in what it has learned; one of them the true score.
        train: comparisons to learn from.
        held_out: comparisons of other prompts; may be empty.
        pool: answers to look at, at least two to a prompt.
        best: the accuracy that the annotator's own chance allows, where it is known.
        job: progress over the comparisons learned from.

    Raises:
        LabError: if there is nothing to learn from.
        JobCancelled: at a yield point.
    """
    job.progress(0, 3, "Reading answers")
    told = read_comparisons(reader, train, job)
    aside = read_comparisons(reader, held_out, job)
    job.progress(1, 3, "Learning from comparisons")
    total = len(told.outcomes)
    curve = []
    for n in [n for n in _CURVE if n < total]:
        job.yield_point()
        some = learn(reader, told.first(n))
        curve.append(Point(n, accuracy_of(margins_of(some, aside), aside.outcomes)))
    model = learn(reader, told)
    outside = accuracy_of(margins_of(model, aside), aside.outcomes)
    curve.append(Point(total, outside))
    job.progress(2, 3, "Looking into the reward model")
    table = feature_table(features, pool.each, pool.answers)  # (N, k)
    read = _read(reader, pool, job)  # (N, m): what the model sees
    rewards = model.of_numbers(read)  # (N,)
    true = table[:, [f.key for f in features].index(TRUE)]  # (N,)
    learned, explained = what_it_learned(model, features, table, read, pool.group, told)
    return Report(
        model=model,
        train=accuracy_of(margins_of(model, told), told.outcomes),
        held_out=outside,
        best=best,
        curve=tuple(curve),
        bins=calibration(model.preference(aside), aside.outcomes),
        agreement=agreement(rewards, true, pool.group),
        learned=learned,
        explained=explained,
        rewards=rewards,
        true=true,
        lengths=np.array([float(a.length) for a in pool.answers]),
        lengthened=by_length(model, task, pool, job),
    )


def calibration(chance: Floats, outcomes: Floats) -> tuple[Bin, ...]:
    """Predictions p(A ≻ B) (n,) beside outcomes (n,), in bins from 50 to 100 %; each pair is
    looked at from the side that the model favours. Empty bins are left out."""
    favoured = np.maximum(chance, 1 - chance)  # (n,)
    came = np.where(chance >= 0.5, outcomes, 1 - outcomes)  # (n,)
    place = np.clip(((favoured - 0.5) * 2 * BINS).astype(int), 0, BINS - 1)  # (n,)
    return tuple(
        Bin(float(favoured[place == i].mean()), float(came[place == i].mean()), int(n))
        for i, n in enumerate(np.bincount(place, minlength=BINS).tolist())
        if n
    )


def agreement(rewards: Floats, true: Floats, group: int) -> Accuracy:
    """Over all pairs of answers to one prompt whose true scores (N,) differ: how often the truly
    better has the greater reward (N,). This is the area under the ROC curve, prompt by prompt.
    Its interval takes the pairs for independent, and is narrower than it should be."""
    r, t = rewards.reshape(-1, group), true.reshape(-1, group)  # (P, G)
    i, j = np.triu_indices(group, 1)
    margins, gap = (r[:, i] - r[:, j]).ravel(), (t[:, i] - t[:, j]).ravel()
    return accuracy_of(margins, np.where(gap > 0, 1.0, np.where(gap < 0, 0.0, 0.5)))


def covariance(model: RewardModel, learned_from: Comparisons) -> Floats:
    """How uncertain the weights are, per standard deviation of each number, (m, m).

    The inverse of the loss's curvature at its least value: the weights' covariance where the
    penalty is taken for a normal prior (Laplace's approximation; its intervals for a penalised fit
    are those of Wahba 1983 and Wood 2006). Comparisons count as independent.
    """
    differences = (learned_from.a - learned_from.b) / model.scale  # (n, m)
    p = sigmoid(differences @ model.weights)  # (n,)
    weighted = differences * (p * (1 - p))[:, None]  # (n, m)
    curvature = weighted.T @ differences + L2[model.kind] * np.eye(len(model.weights))  # (m, m)
    result: Floats = np.linalg.inv(curvature).astype(np.float64)
    return result


def what_it_learned(
    model: RewardModel,
    features: Sequence[Feature],
    table: Floats,
    read: Floats,
    group: int,
    learned_from: Comparisons,
) -> tuple[tuple[Learned, ...], float]:
    """The features' parts in r with their errors, the greatest first, and R².

    The linear model's weights are its own. Another model's reward is explained by the least
    squares fit of a linear one to it, which may leave much of it unexplained. Either way an effect
    is linear in the model's weights, effect = M·w, so its variance is that of M·w.

    Args:
        model: trained on ``learned_from``.
        features: k of them.
        table: the features of N answers, G to a prompt, (N, k).
        read: what the model's reader makes of the same answers, (N, m).
        group: G.
        learned_from: the comparisons that the model learned from.
    """
    f = _centred(table, group)  # (N, k)
    seen = _centred(read, group) / model.scale  # (N, m)
    r = seen @ model.weights  # (N,)
    spread = np.sqrt((f**2).mean(axis=0))  # (k,)
    varies = spread > 1e-9
    effects_of = np.zeros((len(features), len(model.weights)))  # M, (k, m)
    reader = model.reader
    total = float((r**2).sum())
    if isinstance(reader, FeatureReader) and reader.features == tuple(features):
        np.fill_diagonal(effects_of, spread / model.scale)
        explained, weights = 1.0, model.weights_in_units
    else:
        scaled = f[:, varies] / spread[varies]  # (N, k')
        square = scaled.T @ scaled + 1e-6 * len(f) * np.eye(scaled.shape[1])
        effects_of[varies] = np.linalg.solve(square, scaled.T @ seen)
        weights = np.zeros(len(features))
        weights[varies] = (effects_of @ model.weights)[varies] / spread[varies]
        left = float(((r - f @ weights) ** 2).sum())
        explained = 1 - left / total if total > 0 else 0.0
    effects = weights * spread  # (k,)
    uncertain = effects_of @ covariance(model, learned_from)  # (k, m)
    errors = np.sqrt(np.maximum((uncertain * effects_of).sum(axis=1), 0.0))  # (k,)
    found = []
    for i, feature in enumerate(features):
        norm = math.sqrt(float((f[:, i] ** 2).sum()) * total)
        together = float(f[:, i] @ r) / norm if varies[i] and norm > 0 else 0.0
        found.append(
            Learned(
                feature.key,
                feature.title,
                feature.unit,
                float(weights[i]),
                float(effects[i]),
                together,
                float(errors[i]),
            )
        )
    return tuple(sorted(found, key=lambda one: -abs(one.effect))), explained


def by_length(
    model: RewardModel, task: Task, pool: Candidates, job: Job = NO_JOB
) -> tuple[tuple[int, float], ...]:
    """Partial dependence on length (Friedman 2001): the same answers, each cut to a length or
    written on by repeating itself, and the mean of r at each length."""
    chosen = [i for i, a in enumerate(pool.answers) if a.text][:_LENGTHENED]
    if not chosen:
        return ()
    each = pool.each
    prompts = [each[i] for i in chosen]
    tokens = [task.tokenizer.encode(pool.answers[i].text) for i in chosen]
    longest = task.max_answer
    lengths = sorted({round(x) for x in np.linspace(2, longest, min(_MOST_LENGTHS, longest - 1))})
    found = []
    for length in lengths:
        answers = []
        for ids in tokens:
            written = [ids[k % len(ids)] for k in range(length - 1)]
            answers.append(Answer(task.tokenizer.decode(written), True, length))
        found.append((length, float(model.score_many(prompts, answers, job).mean())))
    return tuple(found)


def _read(reader: Reader, pool: Candidates, job: Job) -> Floats:
    """What a reader makes of N answers, (N, m); equal answers to one prompt are read once."""
    pairs = list(zip(pool.each, pool.answers, strict=True))
    places = {pair: i for i, pair in enumerate(dict.fromkeys(pairs))}
    each = reader.read([p for p, _ in places], [a for _, a in places], job)
    result: Floats = each[[places[pair] for pair in pairs]]
    return result


def _centred(table: Floats, group: int) -> Floats:
    """(N, k) less each prompt's mean over its G answers."""
    grouped = table.reshape(-1, group, table.shape[1])  # (P, G, k)
    result: Floats = (grouped - grouped.mean(axis=1, keepdims=True)).reshape(table.shape)
    return result
