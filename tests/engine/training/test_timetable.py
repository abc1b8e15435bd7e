"""Schedules spread over steps that are planned anew, and the clock that plans them."""

from __future__ import annotations

import itertools
import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training import modern
from engine.training.timetable import Change, Clock, Timetable


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    made = Timetable(draw(st.integers(1, 500)))
    for _ in range(draw(st.integers(0, 6))):
        last = made.changes[-1].step if made.changes else 0
        if last + 1 >= made.steps:
            break
        step = draw(st.integers(last + 1, made.steps - 1))
        made = made.replanned(step, step + draw(st.integers(1, 400)))
    return made


@given(timetables())
def test_the_schedule_only_goes_forward_and_ends_with_the_last_step(one: Timetable) -> None:
    places = [one.position(step) for step in range(one.steps + 1)]
    assert places[0] == 0 and places[-1] == pytest.approx(one.first, rel=1e-12)
    assert all(a < b for a, b in itertools.pairwise(places))


@given(timetables(), st.integers(1, 50))
def test_what_is_due_every_so_many_steps_is_due_as_often(one: Timetable, every: int) -> None:
    due = [step for step in range(1, one.steps) if one.passes(step, every)]
    passed = one.position(one.steps - 1) // every
    assert len(due) <= passed
    if all(one.position(s) - one.position(s - 1) <= every for s in range(1, one.steps)):
        assert len(due) == passed


@given(timetables())
def test_it_is_written_down_whole(one: Timetable) -> None:
    assert Timetable.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize(
    "data",
    [
        None, 7, [], [7], [0, []], [7, [[1]]], [7, [[3, 2]]], [7, [[0, 9]]], [7, [[True, 9]]],
        [7, [[3, 9], [3, 8]]], [7, [[3.0, 9]]], ["7", []], [7, [["3", 9]]], [7, None],
        [10**9, []], [7, [[n, 10**6] for n in range(1, 20_000)]],
    ],
)  # fmt: skip
def test_what_is_no_timetable_is_refused(data: object) -> None:
    with pytest.raises(ValueError):
        Timetable.from_json(data)


def test_without_changes_the_learning_rates_are_the_recipes_own() -> None:
    for schedule in ("constant", "cosine", "trapezoid"):
        recipe = modern().but(schedule=schedule, steps=70, warmup=9)
        one = Timetable(70)
        for step in range(100):
            place = one.position(step)
            assert recipe.learning_rate_factor(place) == recipe.learning_rate_factor(step)


def test_the_rate_goes_on_from_where_it_is() -> None:
    recipe = modern().but(schedule="trapezoid", steps=100, warmup=0)
    one = Timetable(100).replanned(60, 70)
    factors = [recipe.learning_rate_factor(one.position(step)) for step in range(71)]
    assert factors[:61] == [recipe.learning_rate_factor(step) for step in range(61)]
    assert factors[60] - factors[61] == pytest.approx(4 * (factors[59] - factors[60]))
    assert factors[70] == pytest.approx(recipe.final_share)


def test_ended_at_once_and_planned_before() -> None:
    ended = Timetable(100).replanned(40, 40)
    assert ended.steps == 40 and ended.position(40) == 40 and ended.position(41) == 100
    again = ended.replanned(30, 50)
    assert again.changes == (Change(30, 50),)
    for step, steps in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="cannot be planned"):
            Timetable(9).replanned(step, steps)


def raced(seconds: float, planned: int, pace) -> tuple[float, int, list[tuple[int, int]]]:
    """Seconds and steps of a run on a clock of ours, and the plans made on its way."""
    clock, steps, plans, taken = Clock(seconds, planned), planned, [], 0
    while taken < steps:
        clock.tick(pace(clock.spent, taken))
        taken += 1
        if (again := clock.steps(steps)) != steps:
            plans.append((taken, again))
            steps = again
        assert taken < 100_000
    return clock.spent, taken, plans


@pytest.mark.parametrize("factor", [3.0, 1 / 3])
@pytest.mark.parametrize("after", [0.0, 0.25, 0.5, 0.8, 0.95])
def test_a_pace_that_changes_threefold_costs_steps_not_time(factor: float, after: float) -> None:
    spent, taken, plans = raced(30.0, 600, lambda t, _: 0.05 * (factor if t >= 30 * after else 1))
    assert spent == pytest.approx(30.0, rel=0.025)
    expected = 600 * (after + (1 - after) / factor)
    assert taken == pytest.approx(expected, rel=0.05) and 1 <= len(plans) <= 4


def test_a_steady_pace_keeps_its_plan_whatever_the_first_steps_take() -> None:
    noise = random.Random(1)
    assert raced(30.0, 600, lambda *_: 0.05)[1:] == (600, [])
    wavering = raced(30.0, 600, lambda t, n: 0.15 if n < 2 else 0.05 * noise.uniform(0.8, 1.2))
    assert wavering[0] == pytest.approx(30.0, rel=0.025) and not wavering[2]


@given(st.floats(1.0, 600.0), st.floats(0.001, 0.02), st.floats(0.1, 10.0), st.integers(0, 10**6))
def test_every_race_ends_within_a_few_per_cent(
    seconds: float, share: float, wrong: float, seed: int
) -> None:
    """Whatever was measured before, and however single steps waver."""
    noise, pace = random.Random(seed), share * seconds
    planned = max(1, round(seconds / pace / wrong))
    spent, *_ = raced(seconds, planned, lambda *_: pace * noise.choice([0.7, 1.0, 1.3]))
    assert abs(spent - seconds) <= 0.03 * seconds + 1.3 * pace


def test_a_few_long_steps_end_as_near_as_they_can() -> None:
    assert raced(12.0, 4, lambda *_: 3.0)[:2] == (12.0, 4)
    assert raced(12.0, 4, lambda *_: 9.0)[:2] == (9.0, 1) or raced(12.0, 4, lambda *_: 9.0)[1] <= 2
    assert raced(12.0, 1, lambda *_: 20.0)[:2] == (20.0, 1)


def test_a_step_that_takes_all_the_rest_ends_it() -> None:
    spent, taken, plans = raced(30.0, 600, lambda _, n: 40.0 if n == 100 else 0.05)
    assert taken == 101 and plans[-1] == (101, 101) and math.isclose(spent, 45.0)
