"""GRPO's arithmetic against closed forms and enumeration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.posttraining.objective import (
    advantages,
    k3,
    no_spread,
    policy_objective,
    token_log_probs,
    without_signal,
)

V, L = 4, 3
END = V - 1

rewards = arrays(np.float32, (3, 5), elements=st.floats(-5, 5, width=32))


@given(rewards)
def test_advantages_are_trls(r: np.ndarray) -> None:
    given_, mean = torch.from_numpy(r), r.mean(axis=1, keepdims=True)
    std = r.astype(np.float64).std(axis=1, ddof=1, keepdims=True)
    assert advantages(given_, "none").numpy() == pytest.approx(r)
    assert advantages(given_, "mean").numpy() == pytest.approx(r - mean, abs=1e-5)
    expected = (r - mean) / (std + 1e-4)
    # The mean of equal numbers is rounded; divided by 1e-4 that shows.
    assert advantages(given_, "mean_std").numpy() == pytest.approx(expected, abs=2e-2, rel=1e-3)


def test_a_group_of_one_teaches_nothing_but_divides_by_nothing_either() -> None:
    one = torch.tensor([[3.0], [1.0]])
    assert advantages(one, "mean_std").tolist() == [[0.0], [0.0]]


def test_groups_without_spread_are_told() -> None:
    assert no_spread(torch.tensor([[1.0, 1.0], [0.0, 1.0]])).tolist() == [True, False]


def test_a_group_has_no_signal_if_its_advantages_are_0() -> None:
    rewards = torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    for baseline in ("mean", "mean_std"):
        assert without_signal(advantages(rewards, baseline)).tolist() == [True, True, False]
    assert without_signal(advantages(rewards, "none")).tolist() == [False, True, False]


def test_without_spread_advantages_are_0_however_the_mean_is_rounded() -> None:
    even = torch.full((1, 7), 0.1) * torch.tensor([[1.0], [3.0], [7.0]])
    assert bool((even.mean(dim=1, keepdim=True) != even).any())  # rounding shows somewhere
    for baseline in ("mean", "mean_std"):
        assert not advantages(even, baseline).any()


def answers() -> list[list[int]]:
    """Every answer of up to L tokens over V − 1 letters and the end."""
    found: list[list[int]] = []

    def extend(prefix: list[int]) -> None:
        for token in range(V):
            answer = [*prefix, token]
            if token == END or len(answer) == L:
                found.append(answer)
            else:
                extend(answer)

    extend([])
    return found


class TablePolicy(torch.nn.Module):
    """A policy that is one table of logits a prefix: every distribution over answers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.prefixes = {(): 0}
        for answer in answers():
            for k in range(1, len(answer)):
                self.prefixes.setdefault(tuple(answer[:k]), len(self.prefixes))
        generator = torch.Generator().manual_seed(seed)
        size = (len(self.prefixes), V)
        self.table = torch.nn.Parameter(torch.randn(size, generator=generator, dtype=torch.float64))

    def log_probs(self, every: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, L) log-probabilities and mask."""
        rows = [[self.prefixes.get(tuple(answer[:k]), 0) for k in range(L)] for answer in every]
        tokens = torch.tensor([[*answer, *[END] * (L - len(answer))] for answer in every])
        mask = torch.tensor([[float(k < len(answer)) for k in range(L)] for answer in every])
        logs = token_log_probs(self.table[torch.tensor(rows)], tokens)
        return logs * mask, mask


def test_answers_are_a_distribution() -> None:
    logs, _ = TablePolicy(0).log_probs(answers())
    assert float(logs.detach().sum(dim=1).exp().sum()) == pytest.approx(1.0)


def test_the_gradient_is_that_of_the_expected_reward() -> None:
    """Σ_y π(y) r(y) ∇ log π(y) = ∇ Σ_y π(y) r(y), over all answers instead of samples."""
    every = answers()
    r = torch.linspace(-1, 2, len(every), dtype=torch.float64)
    exact = TablePolicy(1)
    logs, _ = exact.log_probs(every)
    (logs.sum(dim=1).exp() * r).sum().backward()

    policy = TablePolicy(1)
    logs, mask = policy.log_probs(every)
    probability = logs.detach().sum(dim=1).exp()
    weight = r * probability * len(every)  # as if each answer had been drawn so often
    objective = policy_objective(logs, logs.detach(), weight, mask, weights="sequences")
    objective.loss.backward()
    assert policy.table.grad is not None and exact.table.grad is not None
    assert -policy.table.grad.numpy() == pytest.approx(exact.table.grad.numpy(), abs=1e-12)


def test_with_one_update_the_loss_starts_at_minus_the_length_weighted_advantage() -> None:
    logs, mask = TablePolicy(2).log_probs(answers())
    a = torch.linspace(-1, 1, len(logs), dtype=torch.float64)
    lengths = mask.sum(dim=1)
    objective = policy_objective(logs, logs.detach(), a, mask)
    assert float(objective.loss.detach()) == pytest.approx(
        -float((lengths * a).sum() / lengths.sum())
    )
    assert float(objective.clipped) == 0


def test_clipping_stops_the_push_beyond_epsilon_and_only_that() -> None:
    new = torch.tensor([[0.5, -0.5]], requires_grad=True)
    old, mask = torch.zeros(1, 2), torch.ones(1, 2)
    up = policy_objective(new, old, torch.tensor([1.0]), mask, clip=0.2)
    up.loss.backward()
    assert new.grad is not None
    # γ = e^0.5 > 1.2: no further up. γ = e^−0.5 < 0.8: back up, in full.
    assert new.grad[0].tolist() == pytest.approx([0.0, -float(np.exp(-0.5)) / 2])
    assert float(up.clipped) == 0.5
    new.grad = None
    policy_objective(new, old, torch.tensor([-1.0]), mask, clip=0.2).loss.backward()
    assert new.grad[0].tolist() == pytest.approx([float(np.exp(0.5)) / 2, 0.0])


@given(st.integers(0, 500), st.integers(501, 999))
def test_k3_has_the_kl_divergence_as_its_mean(one: int, two: int) -> None:
    every = answers()
    with torch.no_grad():
        logs, _ = TablePolicy(one).log_probs(every)
        reference, _ = TablePolicy(two).log_probs(every)
    log_p, log_q = logs.sum(dim=1), reference.sum(dim=1)
    estimate = k3(log_p, log_q)
    assert float(estimate.min()) >= 0
    kl = float((log_p.exp() * (log_p - log_q)).sum())
    assert float((log_p.exp() * estimate).sum()) == pytest.approx(kl)


def test_the_penalty_is_added_and_needs_a_reference() -> None:
    logs, mask = TablePolicy(3).log_probs(answers())
    with torch.no_grad():
        reference, _ = TablePolicy(4).log_probs(answers())
    zero = torch.zeros(len(logs), dtype=torch.float64)
    with_kl = policy_objective(logs, logs.detach(), zero, mask, reference=reference, beta=0.5)
    mean_k3 = float((k3(logs.detach(), reference) * mask).sum() / mask.sum())
    assert float(with_kl.loss.detach()) == pytest.approx(0.5 * mean_k3)
    assert float(with_kl.kl) == pytest.approx(mean_k3)
    with pytest.raises(ValueError, match="reference"):
        policy_objective(logs, logs.detach(), zero, mask, beta=0.5)
