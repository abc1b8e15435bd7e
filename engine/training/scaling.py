"""A small scaling law: how the held-out loss falls with model size and with text read.

    L(N, D) = E + A·N^−α + B·D^−β        (Hoffmann et al. 2022, equation 2 and approach 3)

N are the model's parameters, D the tokens trained on, E the loss that no model can go below. For
the story language E is known exactly, the true entropy; elsewhere it is fitted too. With
C ≈ 6·N·D the loss at equal compute is lowest where N ∝ C^a, a = β ÷ (α + β) (their equation 4).

For given α and β the rest is linear least squares with coefficients ≥ 0, so only the two
exponents are searched: over a grid, then ever finer around its best. Errors are relative ones,
which to first order are those of log L, as in the paper; theirs are Huber's, ours are squared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job

Floats = npt.NDArray[np.float64]
LOWEST_EXPONENT, HIGHEST_EXPONENT = 0.02, 3.0
FEWEST_RUNS = 6
POOR_ERROR = 0.05
"""Root mean square of the relative errors above which a fit is called poor."""
POOR_WIDTH = 0.4
"""Width of the exponent's interval from which on a fit is called poor: a lies within 0 … 1."""
_AT_LIMIT = 1.01
_GRID = 28
_MOST_ZOOMS = 60
_FINEST = 1e-3
"""Distance of the exponents' logarithms at which the search ends."""
_FINE = 7
REPEATS = 200
COVERED = 0.9
"""Of the bootstrap's values lie in an interval."""


@dataclass(frozen=True)
class Run:
    """One finished run."""

    parameters: float
    """N."""
    tokens: float
    """D."""
    loss: float
    """Held-out, in nats per token."""


@dataclass(frozen=True)
class Law:
    """L(N, D) = floor + a·N^−alpha + b·D^−beta."""

    floor: float
    a: float
    alpha: float
    b: float
    beta: float

    def loss(self, parameters: Floats, tokens: Floats) -> Floats:
        """L in nats per token, shape as the two broadcast."""
        with np.errstate(over="ignore", divide="ignore"):
            result: Floats = (
                self.floor + self.a * parameters**-self.alpha + self.b * tokens**-self.beta
            )
        return result

    @property
    def exponent(self) -> float:
        """a in "the best N grows like C^a"."""
        return self.beta / (self.alpha + self.beta)

    def best_parameters(self, flops: float) -> float:
        """The N with the lowest loss where 6·N·D = ``flops`` (equation 4); NaN where one of the
        two terms is 0, so that there is no such N."""
        if self.a <= 0 or self.b <= 0:
            return math.nan
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1 / (self.alpha + self.beta))
        return float(ratio * (flops / 6) ** self.exponent)


@dataclass(frozen=True)
class Interval:
    """Where the middle nine tenths of the bootstrap's values lie."""

    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """A law with its uncertainty."""

    law: Law
    exponent: Interval
    alpha: Interval
    beta: Interval
    error: float
    """Root mean square of the relative errors, such as 0.01 for 1 %."""
    floor_known: bool
    resampled: tuple[Law, ...]
    """The laws of the bootstrap, for drawing how far they spread."""

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the fit is poor, each reason a clause; empty where nothing speaks against it."""
        found = []
        if self.error > POOR_ERROR:
            found.append(f"the runs lie {self.error:.1%} off it, more than {POOR_ERROR:.0%}")
        ends = {"α": self.alpha, "β": self.beta}
        for name, interval in ends.items():
            low = interval.low <= LOWEST_EXPONENT * _AT_LIMIT
            if low or interval.high >= HIGHEST_EXPONENT / _AT_LIMIT:
                limit = LOWEST_EXPONENT if low else HIGHEST_EXPONENT
                found.append(f"the interval of {name} reaches {limit:g}, where the search ends")
        if self.exponent.high - self.exponent.low > POOR_WIDTH:
            found.append(f"the interval of a is wider than {POOR_WIDTH:g}")
        if self.law.a <= 0 or self.law.b <= 0:
            found.append("one of its terms is 0, so that no size is the best")
        return tuple(found)


def fit(
    runs: Sequence[Run],
    floor: float | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
    job: Job = NO_JOB,
) -> Fit:
    """Fit the law, and again to ``repeats`` samples drawn from the runs with replacement.

    The bootstrap over runs (Efron 1979) takes in how far runs scatter about the law, seeds
    included, since each run stands for one draw of its seed; it cannot tell whether the law
    itself holds beyond the sizes tried.

    Args:
        runs: at least FEWEST_RUNS, of at least three sizes; those with a loss that is not
            finite or not above the floor are left out.
        floor: E where it is known.
        repeats: how many samples.
        seed: of the resampling.
        job: sees progress.

    Raises:
        LabError: if too few runs are left.
    """
    least = 0.0 if floor is None else floor
    kept = [r for r in runs if math.isfinite(r.loss) and r.loss > least]
    if len(kept) < FEWEST_RUNS or len({r.parameters for r in kept}) < 3:
        raise LabError(
            f"A scaling law needs {FEWEST_RUNS} finished runs of three sizes; there are only "
            f"{len(kept)}."
        )
    table = _Table(kept, floor)
    law = table.law(np.ones(len(kept)))
    random = np.random.default_rng(seed)
    laws = []
    for done in range(repeats):
        job.progress(done, repeats, "Drawing runs again")
        drawn = random.integers(0, len(kept), len(kept))
        counts = np.bincount(drawn, minlength=len(kept)).astype(np.float64)
        if len({kept[i].parameters for i in drawn.tolist()}) >= 3:  # else nothing fixes α
            laws.append(table.law(counts))
    predicted = law.loss(table.parameters, table.tokens)
    error = float(np.sqrt(np.mean((predicted / table.losses - 1) ** 2)))
    return Fit(
        law=law,
        exponent=_interval([one.exponent for one in laws], law.exponent),
        alpha=_interval([one.alpha for one in laws], law.alpha),
        beta=_interval([one.beta for one in laws], law.beta),
        error=error,
        floor_known=floor is not None,
        resampled=tuple(laws),
    )


def _interval(values: list[float], fitted: float) -> Interval:
    if not values:
        return Interval(fitted, fitted)
    low, high = np.quantile(values, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return Interval(float(low), float(high))


class _Table:
    """The runs as columns, and the search for the best exponents."""

    def __init__(self, runs: Sequence[Run], floor: float | None) -> None:
        self.parameters = np.array([r.parameters for r in runs])  # (R,)
        self.tokens = np.array([r.tokens for r in runs])  # (R,)
        self.losses = np.array([r.loss for r in runs])  # (R,)
        self._floor = floor
        # in units of the geometric mean, so that the normal equations stay well conditioned
        self._units = (
            float(np.exp(np.log(self.parameters).mean())),
            float(np.exp(np.log(self.tokens).mean())),
        )

    def law(self, weights: Floats) -> Law:
        """The best law where run r counts ``weights[r]`` times."""
        low, high = math.log(LOWEST_EXPONENT), math.log(HIGHEST_EXPONENT)
        alphas = betas = np.linspace(low, high, _GRID)
        width = (high - low) / (_GRID - 1)
        best: tuple[float, float, Floats] | None = None
        for _ in range(_MOST_ZOOMS):
            alpha, beta = (g.ravel() for g in np.meshgrid(np.exp(alphas), np.exp(betas)))
            errors, solved = self._solve(alpha, beta, weights)
            at = int(np.argmin(errors))
            last, best = best, (float(alpha[at]), float(beta[at]), solved[at])
            # The errors lie in a narrow valley, along which the best may be far from a grid's:
            # look closer only once it stays where it is.
            if last is None or last[:2] == best[:2]:
                width /= 1.0 if last is None else (_FINE - 1) / 2
                if width < _FINEST:
                    break
            span = np.linspace(-width, width, _FINE)
            alphas = np.clip(math.log(best[0]) + span, low, high)
            betas = np.clip(math.log(best[1]) + span, low, high)
        assert best is not None
        alpha_, beta_, (a, b, e) = best
        return Law(
            floor=float(e) if self._floor is None else self._floor,
            a=float(a) * self._units[0] ** alpha_,
            alpha=alpha_,
            b=float(b) * self._units[1] ** beta_,
            beta=beta_,
        )

    def _solve(self, alpha: Floats, beta: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """For each pair of exponents the least squared relative error, (G,), and its A, B and
        E ≥ 0, (G, 3)."""
        base = np.stack(
            [
                (self.parameters[None] / self._units[0]) ** -alpha[:, None],
                (self.tokens[None] / self._units[1]) ** -beta[:, None],
                np.ones((len(alpha), len(self.losses))),
            ],
            axis=2,
        )  # (G, R, 3)
        root = np.sqrt(weights) / self.losses  # (R,)
        columns = base * root[None, :, None]  # (G, R, 3)
        target = (self.losses - (self._floor or 0.0)) * root  # (R,)
        free = 3 if self._floor is None else 2
        errors = np.full(len(alpha), np.inf)
        solved = np.zeros((len(alpha), 3))
        # The best non-negative solution is an unconstrained one on some subset of columns.
        subsets = (s for n in range(1, free + 1) for s in itertools.combinations(range(free), n))
        for subset in subsets:
            part = columns[:, :, subset]  # (G, R, K)
            gram = part.transpose(0, 2, 1) @ part  # (G, K, K)
            gram += 1e-12 * np.eye(len(subset))  # a column may equal another
            found = np.linalg.solve(gram, part.transpose(0, 2, 1) @ target[:, None])  # (G, K, 1)
            error = ((part @ found)[:, :, 0] - target) ** 2  # (G, R)
            total = np.where((found[:, :, 0] >= 0).all(axis=1), error.sum(axis=1), np.inf)
            better = total < errors - 1e-15
            errors[better] = total[better]
            solved[better] = 0.0
            for place, column in enumerate(subset):
                solved[better, column] = found[better, place, 0]
        return errors, solved
