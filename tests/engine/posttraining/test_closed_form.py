"""The best policy in closed form, against perturbation, identities and brute descent."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import LabError
from engine.posttraining.closed_form import (
    kl_divergence,
    log_sum_exp,
    objective_value,
    optimum,
    usual_stationary_point,
)
from engine.posttraining.enumeration import AnswerTree

rewards_of = arrays(np.float64, 6, elements=st.floats(-3, 3))
scores_of = arrays(np.float64, 6, elements=st.floats(-4, 4))


def logs(scores: np.ndarray) -> np.ndarray:
    return np.asarray(scores - log_sum_exp(scores))


@given(scores_of, rewards_of, scores_of, st.floats(0.05, 5))
@settings(max_examples=60, deadline=None)
def test_no_policy_does_better_and_the_shortfall_is_beta_kl(
    reference: np.ndarray, rewards: np.ndarray, other: np.ndarray, beta: float
) -> None:
    ref, pi = logs(reference), logs(other)
    best = optimum(ref, rewards, beta)
    assert np.exp(best.log_probs).sum() == pytest.approx(1)
    assert objective_value(best.log_probs, ref, rewards, beta) == pytest.approx(best.value)
    value = objective_value(pi, ref, rewards, beta)
    assert value <= best.value + 1e-9
    assert value == pytest.approx(best.value - beta * kl_divergence(pi, best.log_probs), abs=1e-8)


def test_the_gradient_vanishes_at_the_optimum_and_nowhere_near_it() -> None:
    rng = np.random.default_rng(0)
    ref, rewards = logs(rng.normal(size=8)), rng.normal(size=8)

    def slope(at: np.ndarray) -> float:
        scores = torch.tensor(at, requires_grad=True)
        log_pi = scores.log_softmax(dim=0)
        gap = torch.tensor(rewards) - 0.7 * (log_pi - torch.tensor(ref))
        (gradient,) = torch.autograd.grad((log_pi.exp() * gap).sum(), [scores])
        return float(gradient.abs().max())

    best = optimum(ref, rewards, 0.7).log_probs
    assert slope(best) < 1e-12
    for _ in range(5):
        assert slope(best + 0.1 * rng.normal(size=8)) > 1e-4


def test_small_beta_gives_the_best_answers_and_large_beta_the_reference() -> None:
    ref, rewards = logs(np.array([0.0, 1.0, 2.0])), np.array([1.0, 1.0, 0.0])
    greedy = np.exp(optimum(ref, rewards, 1e-3).log_probs)
    assert greedy == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e), 0.0])
    assert np.exp(optimum(ref, rewards, 1e6).log_probs) == pytest.approx(np.exp(ref), abs=1e-5)


@pytest.mark.parametrize("beta", [0.0, -1.0, float("nan")])
def test_without_a_price_there_is_no_single_best_policy(beta: float) -> None:
    flat = np.log(np.full(3, 1 / 3))
    with pytest.raises(LabError, match="Raise β"):
        optimum(flat, np.arange(3.0), beta)
    with pytest.raises(LabError, match="Raise β"):
        usual_stationary_point(flat, np.arange(3.0), beta, 2, 1)


def _mean_push(
    scores: list[torch.Tensor], ref: list[torch.Tensor], rewards: torch.Tensor, beta: float
) -> list[torch.Tensor]:
    """The usual settings' mean gradient by summing over all answers of AnswerTree(2, 2) and all
    their tokens, for tabular policies: scores at the beginnings "", "a", "b", (3,) each."""
    pi = [s.detach().softmax(0) for s in scores]
    answers = AnswerTree(2, 2).tokens()
    steps = [[(0 if k == 0 else 1 + y[0], t) for k, t in enumerate(y)] for y in answers]
    probability = torch.stack([torch.stack([pi[s][t] for s, t in y]).prod() for y in steps])
    mean = (probability * rewards).sum()
    sigma = (probability * (rewards - mean) ** 2).sum().sqrt()
    total = torch.zeros((), dtype=torch.float64)
    for y, p, r in zip(steps, probability, rewards, strict=True):
        for s, t in y:
            log_p, log_ref = scores[s].log_softmax(0)[t], ref[s].log_softmax(0)[t]
            k3 = (log_ref - log_p).exp() - (log_ref - log_p) - 1
            total = total + p * ((r - mean) / sigma * log_p - beta * k3)
    return list(torch.autograd.grad(total, scores))


@pytest.mark.parametrize("beta", [0.05, 0.5])
def test_the_usual_settings_rest_where_their_mean_gradient_is_zero(beta: float) -> None:
    rng = np.random.default_rng(1)
    tree = AnswerTree(2, 2)
    rewards = rng.normal(size=len(tree))
    ref = [torch.tensor(rng.normal(size=3)) for _ in range(3)]

    def whole(scores: list[torch.Tensor]) -> np.ndarray:
        rows = [s.log_softmax(0).numpy() for s in scores]
        return np.array(
            [
                sum(rows[0 if k == 0 else 1 + y[0]][t] for k, t in enumerate(y))
                for y in tree.tokens()
            ]
        )

    rest = usual_stationary_point(whole(ref), rewards, beta, 2, 2)
    assert np.exp(rest).sum() == pytest.approx(1)
    p = dict(zip(tree.tokens(), np.exp(rest).tolist(), strict=True))
    first = [sum(v for y, v in p.items() if y[0] == a) for a in range(3)]
    after = [[p[a, t] / first[a] for t in range(3)] for a in range(2)]
    at_rest = [torch.tensor(np.log(row), requires_grad=True) for row in (first, *after)]
    pushes = _mean_push(at_rest, ref, torch.tensor(rewards), beta)
    assert max(float(g.abs().max()) for g in pushes) < 1e-6
    away = [torch.tensor(r.numpy(), requires_grad=True) for r in ref]
    pushes = _mean_push(away, ref, torch.tensor(rewards), beta)
    assert max(float(g.abs().max()) for g in pushes) > 1e-2
    assert kl_divergence(rest, optimum(whole(ref), rewards, beta).log_probs) > 1e-3


def test_equal_rewards_leave_the_reference_as_it_is() -> None:
    ref = logs(np.arange(7.0))
    assert usual_stationary_point(ref, np.ones(7), 0.5, 2, 2) is ref


def test_divergences_know_zero_and_infinity() -> None:
    half, sure = np.log([0.5, 0.5]), np.array([0.0, -np.inf])
    assert kl_divergence(sure, half) == pytest.approx(np.log(2))
    assert kl_divergence(half, sure) == np.inf
    assert kl_divergence(half, half) == 0
