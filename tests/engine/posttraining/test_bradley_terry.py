"""Bradley–Terry against a logistic regression of others, and against its own definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from engine.errors import LabError
from engine.posttraining.bradley_terry import fit, gradient, loss, sigmoid


def data(seed: int, n: int = 120, k: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    d = rng.normal(size=(n, k))
    p = 1 / (1 + np.exp(-d @ rng.normal(size=k)))
    return d, (rng.random(n) < p).astype(np.float64)


@pytest.mark.parametrize("l2", [0.1, 1.0, 10.0])
def test_the_weights_are_those_of_a_logistic_regression_through_the_origin(l2: float) -> None:
    d, y = data(0)
    other = LogisticRegression(C=1 / l2, fit_intercept=False, tol=1e-12, max_iter=10_000)
    other.fit(d, y.astype(int))
    np.testing.assert_allclose(fit(d, y, l2), other.coef_[0], rtol=1e-5, atol=1e-7)


def test_a_tie_is_half_a_win_for_each() -> None:
    d, y = data(1)
    y[::3] = 0.5
    doubled = np.concatenate([d, d[::3]])
    wins = np.concatenate([np.where(y == 0.5, 1, y), np.zeros(len(d[::3]))]).astype(int)
    share = np.concatenate([np.where(y == 0.5, 0.5, 1.0), np.full(len(d[::3]), 0.5)])
    other = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-12, max_iter=10_000)
    other.fit(doubled, wins, sample_weight=share)
    np.testing.assert_allclose(fit(d, y, 1.0), other.coef_[0], rtol=1e-5, atol=1e-7)


def test_the_gradient_is_that_of_the_loss() -> None:
    d, y = data(2)
    y[:10] = 0.5
    w = np.random.default_rng(3).normal(size=4)
    h = 1e-6
    measured = [
        (loss(w + h * e, d, y, 0.7) - loss(w - h * e, d, y, 0.7)) / (2 * h) for e in np.eye(4)
    ]
    np.testing.assert_allclose(gradient(w, d, y, 0.7), measured, rtol=1e-5, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000))
def test_swapping_a_and_b_changes_nothing(seed: int) -> None:
    d, y = data(seed, n=30, k=3)
    np.testing.assert_allclose(fit(d, y), fit(-d, 1 - y), rtol=1e-6, atol=1e-7)


def test_the_slope_is_zero_at_the_weights_also_where_nothing_is_in_doubt() -> None:
    d = np.array([[1.0], [2.0], [0.5]])
    w = fit(d, np.ones(3), 1e-3)
    assert np.isfinite(w).all() and w[0] > 3
    assert abs(gradient(w, d, np.ones(3), 1e-3)[0]) < 1e-7


def test_the_sigmoid_neither_overflows_nor_loses_its_tail() -> None:
    z = np.array([-800.0, -40.0, 0.0, 40.0, 800.0])
    found = sigmoid(z)
    assert found[0] == 0 and found[-1] == 1 and found[2] == 0.5
    assert found[1] == pytest.approx(np.exp(-40), rel=1e-12)


def test_what_cannot_be_learned_is_told() -> None:
    with pytest.raises(LabError, match="above 0"):
        fit(np.ones((2, 1)), np.ones(2), 0.0)
    with pytest.raises(LabError, match="no comparison"):
        fit(np.ones((0, 1)), np.ones(0))
