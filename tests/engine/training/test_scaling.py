"""The scaling law against laws that are known, brute force and the paper's own formula."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.training.scaling import Law, Run, fit

SIZES = (3e4, 6e4, 1.2e5, 3e5, 8e5)
BUDGETS = (2.5e11, 5e11, 1e12)


def runs_of(law: Law, noise: float = 0.0, seed: int = 0) -> list[Run]:
    random = np.random.default_rng(seed)
    found = []
    for budget, n in itertools.product(BUDGETS, SIZES):
        d = budget / 6 / n
        loss = float(law.loss(np.array(n), np.array(d)))
        found.append(Run(n, d, loss * math.exp(random.normal(0, noise))))
    return found


TRUE = Law(floor=0.186, a=40.0, alpha=0.35, b=300.0, beta=0.5)


@settings(max_examples=8, deadline=None)
@given(st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_a_law_without_noise_is_found_again(alpha: float, beta: float) -> None:
    law = Law(0.2, 1e5**alpha, alpha, 1e6**beta, beta)
    found = fit(runs_of(law), floor=0.2, repeats=0).law
    assert found.alpha == pytest.approx(alpha, rel=0.02)
    assert found.beta == pytest.approx(beta, rel=0.02)
    assert found.exponent == pytest.approx(beta / (alpha + beta), rel=0.02)


def test_a_floor_that_is_not_known_is_found_too() -> None:
    law = Law(1.7, 40.0, 0.35, 300.0, 0.5)
    found = fit(runs_of(law), repeats=0)
    assert not found.floor_known
    assert found.law.floor == pytest.approx(1.7, abs=0.05)
    assert found.error < 1e-3


def test_no_law_on_a_fine_grid_is_better() -> None:
    """Brute force over exponents, and the coefficients by numpy's own least squares."""
    runs = runs_of(TRUE, noise=0.03)
    n, d, loss = (np.array([getattr(r, f) for r in runs]) for f in ("parameters", "tokens", "loss"))
    found = fit(runs, floor=0.186, repeats=0)
    ours = float(np.sum((found.law.loss(n, d) / loss - 1) ** 2))
    for alpha, beta in itertools.product(np.linspace(0.1, 1.5, 40), repeat=2):
        columns = np.stack([n**-alpha, d**-beta], axis=1) / loss[:, None]
        (a, b), *_ = np.linalg.lstsq(columns, (loss - 0.186) / loss, rcond=None)
        if a >= 0 and b >= 0:
            error = float(np.sum(((0.186 + a * n**-alpha + b * d**-beta) / loss - 1) ** 2))
            assert ours <= error * (1 + 1e-6)


def test_the_best_size_is_where_the_loss_is_lowest_at_equal_compute() -> None:
    sizes = np.logspace(3, 8, 20_001)
    for budget in BUDGETS:
        losses = TRUE.loss(sizes, budget / 6 / sizes)
        assert TRUE.best_parameters(budget) == pytest.approx(sizes[np.argmin(losses)], rel=1e-3)
    grown = TRUE.best_parameters(1e13) / TRUE.best_parameters(1e12)
    assert math.log10(grown) == pytest.approx(TRUE.exponent)


def test_the_intervals_hold_the_truth_about_as_often_as_they_say_and_grow_with_noise() -> None:
    hits, widths = 0, []
    for seed in range(6):
        found = fit(runs_of(TRUE, 0.02, seed), floor=0.186, repeats=40, seed=seed)
        hits += found.exponent.low <= TRUE.exponent <= found.exponent.high
        widths.append(found.exponent.high - found.exponent.low)
        assert found.exponent.low <= found.law.exponent <= found.exponent.high
    assert hits >= 3
    quiet = fit(runs_of(TRUE, 0.002, 0), floor=0.186, repeats=40).exponent
    assert quiet.high - quiet.low < min(widths)


def test_the_same_seed_draws_the_same_samples() -> None:
    runs = runs_of(TRUE, 0.02)
    one, same = (fit(runs, 0.186, repeats=10, seed=5) for _ in range(2))
    assert one == same
    assert fit(runs, 0.186, repeats=10, seed=6).resampled != one.resampled


def test_runs_that_failed_are_left_out_and_too_few_are_refused() -> None:
    runs = runs_of(TRUE)
    failed = [Run(1e5, 1e6, math.inf), Run(1e5, 1e6, math.nan), Run(1e5, 1e6, 0.1)]
    assert fit([*runs, *failed], 0.186, repeats=0) == fit(runs, 0.186, repeats=0)
    with pytest.raises(LabError, match="needs 6 finished runs of three sizes; there are only 5"):
        fit(runs[:5], 0.186)


def test_a_loss_that_does_not_fall_with_size_gives_a_term_of_nothing() -> None:
    law = Law(0.2, 0.0, 0.5, 300.0, 0.5)
    found = fit(runs_of(law), 0.2, repeats=0).law
    at_ends = [found.a * n**-found.alpha for n in (SIZES[0], SIZES[-1])]
    assert at_ends[0] - at_ends[1] < 0.01
    assert math.isnan(law.best_parameters(1e12))


def test_a_sound_fit_is_not_doubted() -> None:
    assert not fit(runs_of(TRUE, noise=0.01), floor=0.186, repeats=20).doubts


def test_runs_that_follow_no_law_are_doubted_in_words() -> None:
    wild = fit(runs_of(TRUE, noise=0.3), floor=0.186, repeats=20)
    assert wild.error > 0.05
    assert any("more than 5%" in doubt for doubt in wild.doubts)


def test_an_interval_that_ends_where_the_search_ends_is_doubted() -> None:
    """A loss that falls like N⁻⁴ is steeper than any exponent that is tried."""
    steep = Law(0.186, 3e4**4.0, 4.0, 300.0, 0.5)
    doubts = fit(runs_of(steep), floor=0.186, repeats=20).doubts
    assert any(doubt.startswith("the interval of α reaches 3") for doubt in doubts)


def test_a_law_without_one_of_its_terms_has_no_best_size() -> None:
    sound = fit(runs_of(TRUE, noise=0.01), floor=0.186, repeats=20)
    (doubt,) = replace(sound, law=replace(sound.law, a=0.0)).doubts
    assert "no size is the best" in doubt
