"""What a plot computes before it draws: fewer points, smoothed values, places of labels."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.widgets.decimate import dashes, decimate
from gui.widgets.label_places import spread
from gui.widgets.numbers import format_log_probability, format_number, format_probability
from gui.widgets.plot_axis import DirectAxis, log_ticks
from gui.widgets.smoothing import Smoother

values = st.lists(st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf), max_size=700)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=600), st.integers(1, 60))
def test_no_peak_of_any_column_is_lost(ys: list[float], columns: int) -> None:
    x, y = np.arange(float(len(ys))), np.asarray(ys)
    kept_x, kept_y, column = decimate(x, y, 0.0, float(len(ys)), columns)
    assert len(kept_x) == len(kept_y) == len(column) <= max(2 * columns + 4, 0)
    assert (np.diff(kept_x) >= 0).all()
    true_column = (x * columns / len(ys)).astype(int)
    for c in np.unique(true_column):
        wanted, got = y[true_column == c], kept_y[column == c]
        assert (got.min(), got.max()) == (wanted.min(), wanted.max())


def test_a_column_of_gaps_is_a_gap_and_edges_keep_a_neighbour() -> None:
    y = np.ones(1000)
    y[200:400] = np.nan
    _, kept, column = decimate(np.arange(1000.0), y, 0.0, 1000.0, 10)
    assert np.isnan(kept[(column >= 2) & (column < 4)]).all()
    x, _, _ = decimate(np.arange(100.0), np.zeros(100), 40.5, 42.5, 50)
    assert x.tolist() == [40.0, 41.0, 42.0, 43.0]
    assert len(decimate(np.empty(0), np.empty(0), 0.0, 1.0, 10)[0]) == 0


def test_dashes_by_pixel_columns() -> None:
    assert dashes(np.arange(7), 2, 3).tolist() == [1, 1, 0, 0, 0, 1, 1]


@given(values, st.sampled_from([0.0, 0.5, 0.98, 0.9999]), st.integers(0, 700))
def test_smoothing_is_the_formula_also_piece_by_piece(
    ys: list[float], weight: float, known: int
) -> None:
    y = np.asarray(ys, np.float64)
    smoother = Smoother(weight)
    smoother(y[:known])
    out = smoother(y)
    total = weights = 0.0
    for value, smooth in zip(ys, out.tolist(), strict=True):
        total, weights = total * weight, weights * weight
        if math.isfinite(value):
            total, weights = total + value, weights + 1.0
        if weights > 0.0:
            assert smooth == pytest.approx(total / weights, rel=1e-9, abs=1e-6)
        else:
            assert math.isnan(smooth)


def test_smoothing_forgets_a_curve_that_was_replaced() -> None:
    smoother = Smoother(0.9)
    smoother(np.ones(10))
    assert smoother(np.full(4, 3.0)).tolist() == pytest.approx([3.0] * 4)
    # A run that is begun again with the same seed repeats the values of the one before.
    assert smoother(np.empty(0)).tolist() == []
    assert smoother(np.full(5, 3.0)).tolist() == pytest.approx([3.0] * 5)
    with pytest.raises(ValueError, match="less than 1"):
        Smoother(1.0)


@given(st.lists(st.floats(-50, 250), max_size=15), st.floats(1, 40), st.floats(1, 300))
def test_labels_never_overlap_or_leave(wanted: list[float], size: float, height: float) -> None:
    places = spread(wanted, size, 0.0, height)
    kept = sorted(p for p in places if p is not None)
    assert len(kept) == min(len(wanted), int(height / size))
    assert all(b - a >= size - 1e-6 for a, b in pairwise(kept))
    assert all(size / 2 - 1e-6 <= p <= height - size / 2 + 1e-6 for p in kept)
    order = [i for i, p in enumerate(places) if p is not None]
    for i in order:
        for j in order:
            if wanted[i] < wanted[j]:
                assert places[i] <= places[j]  # type: ignore[operator]


def test_labels_far_apart_stay_where_they_are_wanted() -> None:
    assert spread([80.0, 20.0], 10.0, 0.0, 100.0) == [80.0, 20.0]
    assert spread([50.0, 50.0], 10.0, 0.0, 100.0) == [45.0, 55.0]


@given(st.floats(-8, 8), st.floats(0.1, 12), st.integers(2, 12))
def test_log_ticks_are_few_and_in_view(low: float, width: float, most: int) -> None:
    ticks = log_ticks(low, low + width, most)
    assert all(low <= t <= low + width for t in ticks)
    assert len(ticks) <= most + 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567.0, "1,234,567"),
        (2.34567, "2.346"),
        (-0.5, "−0.5"),
        (1.23e-6, "1.23×10⁻⁶"),
        (1e21, "1×10²¹"),
        (math.nan, "not a number"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (999999.5, "999,999.5"),
    ],
)
def test_numbers_as_people_write_them(value: float, text: str) -> None:
    assert format_number(value, 7 if value == 999999.5 else 4) == text


def test_small_probabilities_keep_their_exponent() -> None:
    assert format_probability(0.25) == "0.250"
    assert format_probability(3.14e-9) == "3.14×10⁻⁹"
    assert format_probability(0.0) == "0"
    assert format_log_probability(-2000.0) == "2.58×10⁻⁸⁶⁹"
    assert format_log_probability(-math.inf) == "0"
    assert format_log_probability(math.log(0.5)) == "0.500"


@given(st.floats(-1e5, 0.0))
def test_log_probabilities_agree_with_decimal_arithmetic(log_probability: float) -> None:
    from decimal import Decimal

    text = format_log_probability(log_probability)
    digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    number = Decimal(text.replace("×10", "E").translate(digits))
    exact = Decimal(log_probability).exp()
    assert abs(number - exact) <= abs(exact) * Decimal("0.006") + Decimal("0.0005") * (exact > 1e-3)


def test_an_axis_writes_its_numbers_in_one_notation() -> None:
    axis = DirectAxis("bottom")
    assert axis.tickStrings([0.0, 1e8, 1.2e8], 1.0, 2e7) == ["0", "10⁸", "1.2×10⁸"]
    assert axis.tickStrings([0.0, 5e5, 1e6], 1.0, 5e5) == ["0", "500,000", "1,000,000"]
    axis.setLogMode(True)
    told = axis.tickStrings([2.0, 5.0, math.log10(2e7), 8.0], 1.0, 1.0)
    assert told == ["100", "10⁵", "2×10⁷", "10⁸"]
    assert axis.tickStrings([0.0, 2.0, 6.0], 1.0, 1.0) == ["1", "100", "1,000,000"]


@pytest.mark.parametrize("ends", [(0.0, 3e7), (-1e300, 1e300), (-math.inf, 3.0), (2.0, math.nan)])
def test_ticks_of_a_range_that_no_number_holds_are_few(ends: tuple[float, float]) -> None:
    ticks = log_ticks(*ends, most=8)
    assert len(ticks) <= 12 and all(abs(t) <= 308 for t in ticks)
