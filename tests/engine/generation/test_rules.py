"""Sampling rules: against the definitions written out, closed forms, and counted draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.generation import Cut, SamplingRules, is_defined

P = np.array([0.1, 0.4, 0.05, 0.25, 0.2])


def logs(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(p)


def by_definition(p: list[float], temperature: float, k: int | None, top_p: float | None):
    """The rules one after another, with plain Python and no shared code."""
    heated = [x ** (1 / temperature) for x in p]
    heated = [x / sum(heated) for x in heated]
    ranked = sorted(range(len(p)), key=lambda i: (-p[i], i))
    ranked = [i for i in ranked if heated[i] > 0]
    if k is not None:
        ranked = ranked[:k]
    if top_p is not None and top_p < 1:
        mass = sum(heated[i] for i in ranked)
        kept: list[int] = []
        while sum(heated[i] for i in kept) / mass < top_p - 1e-12 and len(kept) < len(ranked):
            kept.append(ranked[len(kept)])
        ranked = kept
    mass = sum(heated[i] for i in ranked)
    return [heated[i] / mass if i in ranked else 0.0 for i in range(len(p))]


distributions = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=12).map(
    lambda weights: [weight / sum(weights) for weight in weights]
)


@given(
    distributions,
    st.floats(0.2, 5),
    st.none() | st.integers(1, 15),
    st.none() | st.floats(0.01, 1),
)
def test_the_rules_are_their_definitions(
    p: list[float], temperature: float, k: int | None, top_p: float | None
) -> None:
    sampled = SamplingRules(temperature, k, top_p).apply(np.log(p))
    expected = by_definition(p, temperature, k, top_p)
    np.testing.assert_allclose(sampled.probabilities, expected, rtol=1e-9, atol=1e-15)
    assert sampled.probabilities.sum() == pytest.approx(1, abs=1e-12)
    np.testing.assert_array_equal(sampled.probabilities > 0, sampled.cut == Cut.KEPT)
    assert sorted(sampled.kept) == np.flatnonzero(sampled.cut == Cut.KEPT).tolist()


def test_what_each_rule_cuts() -> None:
    sampled = SamplingRules(top_k=4, top_p=0.85).apply(logs(np.append(P, 0.0)))
    # Of 0.95 left by top-k, 0.4 + 0.25 + 0.2 = 0.85 is a share of 0.895.
    assert sampled.kept.tolist() == [1, 3, 4]
    cuts = [Cut(value) for value in sampled.cut]
    kept = Cut.KEPT
    assert cuts == [Cut.TOP_P, kept, Cut.TOP_K, kept, kept, Cut.IMPOSSIBLE]
    np.testing.assert_allclose(sampled.probabilities, [0, 8 / 17, 0, 5 / 17, 4 / 17, 0])


@pytest.mark.parametrize(
    ("top_p", "n_kept"), [(1e-9, 1), (0.4, 1), (0.41, 2), (0.65, 2), (0.85, 3), (0.96, 5), (1.0, 5)]
)
def test_top_p_keeps_the_smallest_set_that_reaches_it(top_p: float, n_kept: int) -> None:
    assert SamplingRules(top_p=top_p).apply(logs(P)).n_kept == n_kept


def test_top_p_of_one_cuts_nothing_however_unlikely() -> None:
    p = np.array([1 - 1e-15, 1e-15, 1e-300])
    assert SamplingRules(top_p=1.0).apply(logs(p)).n_kept == 3


def test_temperature_closed_forms() -> None:
    np.testing.assert_allclose(SamplingRules(1.0).apply(logs(P)).probabilities, P)
    squared = SamplingRules(0.5).apply(logs(P)).probabilities
    np.testing.assert_allclose(squared, P**2 / np.sum(P**2))
    flat = SamplingRules(1e6).apply(logs(P)).probabilities
    np.testing.assert_allclose(flat, 0.2, atol=1e-5)
    for tiny in (0.0, 1e-300, 5e-324):
        sharp = SamplingRules(tiny).apply(logs(P))
        assert sharp.probabilities.tolist() == [0, 1, 0, 0, 0]
    # A constant added to all log-probabilities changes nothing: logits will do.
    np.testing.assert_allclose(SamplingRules(0.7).apply(logs(P) + 900).probabilities.sum(), 1)


def test_greedy_takes_the_smaller_id_of_equals() -> None:
    sampled = SamplingRules(0, top_k=3, top_p=0.9).apply(logs(np.array([0.2, 0.3, 0.3, 0.2])))
    assert sampled.kept.tolist() == [1]
    assert {sampled.draw(np.random.default_rng(seed))[0] for seed in range(20)} == {1}


def test_top_k_keeps_exactly_k_of_equals() -> None:
    sampled = SamplingRules(top_k=2).apply(logs(np.full(5, 0.2)))
    assert sampled.kept.tolist() == [0, 1]


@given(distributions, st.floats(0, 1, exclude_max=True))
def test_the_number_rolled_falls_on_its_tokens_piece(p: list[float], u: float) -> None:
    sampled = SamplingRules().apply(np.log(p))
    token = sampled.token_at(u)
    place = sampled.ranked.tolist().index(token)
    lower = sampled.cumulative[place - 1] if place else 0.0
    assert lower <= u < sampled.cumulative[place]
    assert sampled.cumulative[-1] == 1


def test_numbers_off_the_scale() -> None:
    sampled = SamplingRules().apply(logs(P))
    for u in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match=r"\[0, 1\)"):
            sampled.token_at(u)


def test_tokens_come_as_often_as_they_should() -> None:
    """Pearson's χ² over 20 000 draws with a fixed seed; 18.47 is its 99.9 % point for 4 degrees
    of freedom."""
    rng = np.random.default_rng(12)
    sampled = SamplingRules(0.8).apply(logs(P))
    n = 20_000
    counts = np.bincount([sampled.draw(rng)[0] for _ in range(n)], minlength=5)
    expected = n * P ** (1 / 0.8) / np.sum(P ** (1 / 0.8))
    assert np.sum((counts - expected) ** 2 / expected) < 18.47


def test_a_draw_takes_one_number() -> None:
    sampled = SamplingRules().apply(logs(P))
    drawn = [sampled.draw(rng)[1] for rng in [np.random.default_rng(4)] for _ in range(5)]
    assert drawn == np.random.default_rng(4).random(5).tolist()


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": math.inf}, "temperature"),
        ({"top_k": 0}, "Top-k"),
        ({"top_k": 1.5}, "Top-k"),
        ({"top_k": True}, "Top-k"),
        ({"top_p": 0.0}, "Top-p"),
        ({"top_p": 1.1}, "Top-p"),
        ({"top_p": math.nan}, "Top-p"),
    ],
)
def test_rules_that_mean_nothing(rules: dict[str, float], says: str) -> None:
    with pytest.raises(LabError, match=says):
        SamplingRules(**rules)


@pytest.mark.parametrize("row", [[-np.inf, -np.inf], [0.0, np.nan], [np.inf, 0.0], []])
def test_rows_that_are_no_distribution(row: list[float]) -> None:
    assert not is_defined(np.array(row))
    with pytest.raises(ValueError, match="no distribution"):
        SamplingRules().apply(np.array(row))
