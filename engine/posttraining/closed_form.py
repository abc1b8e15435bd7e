"""What reinforcement learning with a KL penalty is after, in closed form.

For one prompt x with answers y, reward r and reference π_ref the objective

    J(π) = E_{y ~ π}[r(y)] − β KL(π ‖ π_ref)

has one maximiser, π*(y) = π_ref(y) exp(r(y)/β) / Z with Z = Σ_y π_ref(y) exp(r(y)/β), and the
greatest value J(π*) = β log Z; in between, J(π) = β log Z − β KL(π ‖ π*). Sources: Ziebart et
al. 2008; Peters and Schaal 2007; Rafailov et al. 2023 ("DPO", eq. 4).

GRPO's usual settings are after something else, also computed here. Dividing the advantages by
their group's standard deviation σ turns r into r/σ, so that β counts for less the smaller the
spread. And the gradient of k3 in the loss is, on average over the policy's own samples, that of
KL(π_ref(·|s) ‖ π(·|s)) at each beginning s of an answer, and not of KL(π ‖ π_ref) (Tang and Munos
2025, "On a few pitfalls in KL divergence gradient estimation for RL"). Numpy only, no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError

Floats = npt.NDArray[np.float64]


def kl_divergence(log_p: Floats, log_q: Floats) -> float:
    """KL(p ‖ q) in nats of two distributions given as log-probabilities, (N,) each. Where p is 0
    nothing is added; where only q is 0 it is infinite."""
    p = np.exp(log_p)
    some = p > 0
    return float((p[some] * (log_p[some] - log_q[some])).sum())


def objective_value(log_pi: Floats, log_reference: Floats, rewards: Floats, beta: float) -> float:
    """J(π) = E_π[r] − β KL(π ‖ π_ref); all (N,)."""
    expected = float(np.exp(log_pi) @ rewards)
    return expected - beta * kl_divergence(log_pi, log_reference) if beta else expected


@dataclass(frozen=True)
class Optimum:
    """The best policy for one prompt."""

    log_probs: Floats
    """log π*, (N,)."""
    value: float
    """J(π*) = β log Z."""


def optimum(log_reference: Floats, rewards: Floats, beta: float) -> Optimum:
    """π* ∝ π_ref exp(r/β).

    >>> import numpy as np
    >>> best = optimum(np.log([0.5, 0.5]), np.array([1.0, 0.0]), beta=1.0)
    >>> np.exp(best.log_probs).round(3)  # e/(e + 1), 1/(e + 1)
    array([0.731, 0.269])

    Raises:
        LabError: if β is not above 0: without a price there is no single best policy.
    """
    if not beta > 0:
        raise LabError("With β = 0 any policy that only gives best answers is best. Raise β.")
    tilted = log_reference + rewards / beta  # (N,)
    log_z = log_sum_exp(tilted)
    return Optimum(tilted - log_z, beta * log_z)


def usual_stationary_point(
    log_reference: Floats, rewards: Floats, beta: float, characters: int, max_tokens: int
) -> Floats:
    """Where GRPO's usual settings come to rest, log-probabilities (N,), for large groups.

    Setting the mean gradient at every beginning s of an answer to 0 gives

        π(a|s) = β π_ref(a|s) / (β + V(s) − Q(s, a)),

    Q and V being the mean advantages (r − mean)/σ of answers that go on with a from s, or from s
    at all; so policies are found from the answers' ends to their beginnings, and σ, the spread of
    the rewards under the policy so found, by repetition.

    Args:
        log_reference: log π_ref of all answers in ``AnswerTree``'s order.
        rewards: r, in the same order.
        beta: β > 0.
        characters: C of the tree.
        max_tokens: L of the tree.

    Raises:
        LabError: if β is not above 0.
    """
    if not beta > 0:
        raise LabError("With β = 0 nothing holds the policy: it never comes to rest. Raise β.")
    ref = np.exp(log_reference)
    if np.ptp(rewards) == 0:
        return log_reference
    levels, values = _levels(ref, characters, max_tokens), _levels(rewards, characters, max_tokens)
    sigma = _spread(ref, rewards)
    probabilities = ref
    for _ in range(500):
        probabilities = _at_rest(levels, values, beta * sigma, characters)
        spread = _spread(probabilities, rewards)
        if abs(spread - sigma) <= 1e-9 * sigma:
            break
        sigma = math.sqrt(sigma * spread)  # damped: half-way on a logarithmic scale
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def _spread(probabilities: Floats, rewards: Floats) -> float:
    """The standard deviation of the rewards under a policy, kept above 0."""
    mean = float(probabilities @ rewards)
    return math.sqrt(max(float(probabilities @ (rewards - mean) ** 2), 1e-12))


_Levels = tuple[list[Floats], Floats]
"""What belongs to the answers that end after 0, 1, … characters, and to those cut off."""


def _levels(table: Floats, characters: int, most: int) -> _Levels:
    parts, start = [], 0
    for k in range(most):
        parts.append(table[start : start + characters**k])
        start += characters**k
    return parts, table[start:]


def _at_rest(reference: _Levels, rewards: _Levels, price: float, characters: int) -> Floats:
    """The stationary policy's probabilities at the price β·σ per nat of reward, (N,)."""
    ended, cut_off = reference
    mass, worth = cut_off, rewards[1]  # of all answers with each beginning, from the ends
    steps: list[Floats] = []
    for k in reversed(range(len(ended))):
        masses = np.concatenate([mass.reshape(-1, characters), ended[k][:, None]], axis=1)
        q = np.concatenate([worth.reshape(-1, characters), rewards[0][k][:, None]], axis=1)
        mass = masses.sum(axis=1)  # (C^k,)
        ref = masses / np.maximum(mass, 1e-300)[:, None]  # π_ref(a|s): (C^k, C + 1)
        pi = _pull(ref, q, price)
        steps.append(pi)
        worth = (pi * q).sum(axis=1)  # V(s): (C^k,)
    reached = np.ones(1)
    parts = []
    for pi in reversed(steps):
        parts.append(reached * pi[:, -1])
        reached = (reached[:, None] * pi[:, :-1]).ravel()
    return np.concatenate([*parts, reached])


def _pull(ref: Floats, q: Floats, price: float) -> Floats:
    """π(a) = price·π_ref(a)/(λ − q(a)), λ such that it adds up to 1, row by row: (S, A).

    The sum falls with λ and is convex, and is at least 1 where the largest term alone is 1: from
    there Newton's steps approach λ from below without ever passing it.
    """
    weight = price * ref  # (S, A)
    level = np.where(ref > 0, q + weight, -np.inf).max(axis=1)  # λ: (S,)
    level = np.where(np.isfinite(level), level, 0.0)
    for _ in range(60):
        gap = np.maximum(level[:, None] - q, 1e-300)
        terms = np.where(ref > 0, weight / gap, 0.0)  # (S, A)
        surplus = terms.sum(axis=1) - 1  # (S,)
        slope = (terms / gap).sum(axis=1)
        step = np.divide(surplus, slope, out=np.zeros_like(surplus), where=slope > 0)
        level = level + step
        if np.abs(step).max() <= 1e-13 * max(price, 1e-12):
            break
    gap = np.maximum(level[:, None] - q, 1e-300)
    pi = np.where(ref > 0, weight / gap, 0.0)
    sums = pi.sum(axis=1, keepdims=True)
    return np.asarray(pi / np.where(sums > 0, sums, 1.0))


def log_sum_exp(values: Floats) -> float:
    """log Σ exp, without overflow."""
    top = float(values.max())
    if not np.isfinite(top):
        return top
    return top + float(np.log(np.exp(values - top).sum()))
