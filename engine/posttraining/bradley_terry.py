"""The Bradley–Terry model of comparisons, fitted by maximum likelihood.

    p(A ≻ B) = σ(r(A) − r(B)),    σ(z) = 1/(1 + e⁻ᶻ)

With r(y) = w·f(y) this is a logistic regression of "A won" on f(A) − f(B) without an intercept,
since swapping A and B must turn p into 1 − p. A tie counts as half a win for each, so that it
pulls r(A) and r(B) together. Added to the loss is ½λ|w|² (L2): without it the weights grow
without end as soon as some direction tells all comparisons apart.

Sources: Bradley & Terry 1952, "Rank analysis of incomplete block designs"; Christiano et al.
2017, "Deep reinforcement learning from human preferences" (equal choices as half and half, end
of section 2.2.3); Ouyang et al. 2022, "InstructGPT" (eq. 1). Left out: models with a parameter
for ties of its own (Rao & Kupper 1967; Davidson 1970).

Shapes: n comparisons, k features.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import LabError

Floats = npt.NDArray[np.float64]

_MOST_STEPS = 100
_TOLERANCE = 1e-9


def sigmoid(z: Floats) -> Floats:
    """1/(1 + e⁻ᶻ), without overflow at either end."""
    result: Floats = np.exp(-np.logaddexp(0.0, -z))
    return result


def loss(weights: Floats, differences: Floats, outcomes: Floats, l2: float) -> float:
    """−Σ [y log σ(d·w) + (1 − y) log σ(−d·w)] + ½λ|w|², in nats.

    Args:
        weights: w, (k,).
        differences: f(A) − f(B), (n, k).
        outcomes: y: 1 where A was preferred, 0 where B was, ½ for a tie, (n,).
        l2: λ.
    """
    z = differences @ weights  # (n,)
    data = outcomes * np.logaddexp(0, -z) + (1 - outcomes) * np.logaddexp(0, z)  # (n,)
    return float(data.sum() + 0.5 * l2 * weights @ weights)


def gradient(weights: Floats, differences: Floats, outcomes: Floats, l2: float) -> Floats:
    """∂loss/∂w = Σ (σ(d·w) − y)·d + λw, (k,)."""
    result: Floats = differences.T @ (sigmoid(differences @ weights) - outcomes) + l2 * weights
    return result


def fit(differences: Floats, outcomes: Floats, l2: float = 1.0) -> Floats:
    """The weights of the greatest likelihood, (k,), by Newton's method.

    The loss is strictly convex for λ > 0, so there is one solution; a step that does not lower
    it is halved until it does.

    Raises:
        LabError: if λ is not above 0, or there is nothing to learn from.
    """
    if not l2 > 0:
        raise LabError("The L2 penalty must be above 0: otherwise the weights may grow forever.")
    if not len(differences):
        raise LabError("There is no comparison to learn from yet.")
    n, k = differences.shape
    w = np.zeros(k)
    value = loss(w, differences, outcomes, l2)
    for _ in range(_MOST_STEPS):
        slope = gradient(w, differences, outcomes, l2)  # (k,)
        if np.abs(slope).max(initial=0.0) <= _TOLERANCE * max(n, 1):
            break
        p = sigmoid(differences @ w)  # (n,)
        weighted = differences * (p * (1 - p))[:, None]  # (n, k)
        curvature = weighted.T @ differences + l2 * np.eye(k)  # (k, k)
        step = np.linalg.solve(curvature, slope)  # (k,)
        size = 1.0
        while size > 1e-8:
            after = loss(w - size * step, differences, outcomes, l2)
            if after <= value:
                break
            size /= 2
        else:
            break  # at the limit of what float64 can tell apart
        w, value = w - size * step, after
    return w
