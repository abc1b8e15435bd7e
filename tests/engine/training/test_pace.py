"""What fits into a given time, and what a run takes: arithmetic with a known clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training import gpt2_style, modern, sized
from engine.training.memory import give_back, optimizer_numbers, training_bytes
from engine.training.pace import Pace, measure_pace, recipe_for, run_seconds, with_steps
from tests.engine.training.toy import HELD_OUT, TRAIN


@given(
    st.floats(1.0, 3600.0),
    st.floats(1e-4, 2.0),
    st.floats(1e-3, 5.0),
)
def test_a_run_planned_for_a_time_takes_about_that_time(
    seconds: float, step: float, evaluation: float
) -> None:
    pace = Pace(step, evaluation, 1e9)
    recipe = recipe_for(seconds, modern(), pace)
    assert recipe.steps >= 1 and recipe.eval_every >= 1
    if seconds > 20 * evaluation and seconds > 200 * step:
        assert run_seconds(recipe, pace) == pytest.approx(seconds, rel=0.25)


def test_planned_steps_have_two_digits_so_that_runs_repeat() -> None:
    planned = [
        recipe_for(30.0, modern(), Pace(step, 0.3, 1e9)).steps for step in (0.0101, 0.0102, 0.0103)
    ]
    assert planned[0] == planned[1] and all(steps % 100 == 0 for steps in planned)


def test_the_warm_up_never_fills_a_short_run() -> None:
    assert with_steps(gpt2_style(), 200).warmup == 20
    assert with_steps(gpt2_style(), 5000).warmup == 100
    assert with_steps(gpt2_style(), 1).warmup == 0
    for steps in (1, 7, 500, 100_000):
        recipe = with_steps(modern(), steps).validated()
        assert recipe.steps == steps and steps / recipe.eval_every <= 30


@pytest.mark.parametrize(("steps", "evaluations"), [(470, 7), (440, 4), (97, 4), (5000, 30)])
def test_the_last_look_at_the_held_out_text_does_not_come_twice(steps, evaluations):
    every = with_steps(modern(), steps, evaluations).eval_every
    looks = list(range(every, steps + 1, every))
    assert len(looks) <= evaluations
    assert looks[-1] == steps or steps - looks[-1] > every / 4


def test_a_pace_is_scaled_by_operations() -> None:
    small, pace = modern(), Pace(0.01, 0.5, 1e9)
    twice = pace.scaled(small, small.but(batch_size=24), 512)
    assert twice.step_seconds == pytest.approx(0.02)
    assert twice.evaluation_seconds == pytest.approx(0.5)
    wide = pace.scaled(small, sized(small, "medium"), 512)
    assert wide.step_seconds > 3 * pace.step_seconds
    assert pace.tokens_per_second(small) == pytest.approx(12 * 64 / 0.01)


def test_a_pace_is_measured_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that moves 10 ms a look, whatever the machine does."""
    from engine.training import pace as module
    from engine.training import trainer

    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.01
        return now

    monkeypatch.setattr(trainer.time, "perf_counter", clock)
    monkeypatch.setattr(module.time, "perf_counter", clock)
    recipe = modern().but(layers=1, heads=2, width=16, context=8, batch_size=2)
    pace = measure_pace(recipe, TRAIN, HELD_OUT)
    assert pace.step_seconds == pytest.approx(0.01)
    assert pace.evaluation_seconds == pytest.approx(0.01)
    assert pace.flops_per_second > 0


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_the_optimizers_numbers_are_counted_as_they_are(optimizer: str) -> None:
    from engine.models.transformer.module import Transformer
    from engine.training.flat import FlatParameters
    from engine.training.optimizers import make_optimizer

    recipe = gpt2_style().but(optimizer=optimizer, layers=2, width=32)
    flat = FlatParameters(Transformer(recipe.model_config(50)))
    kept = make_optimizer(flat, recipe).state().values()
    assert sum(t.numel() for t in kept) == pytest.approx(optimizer_numbers(recipe, 50), rel=0.02)


def test_memory_grows_with_every_size() -> None:
    base = modern()
    for change in ({"layers": 8}, {"width": 256}, {"batch_size": 64}, {"context": 256}):
        assert training_bytes(base.but(**change), 512) > training_bytes(base, 512)
    assert training_bytes(base, 5000) > training_bytes(base, 512)


def test_giving_memory_back_does_no_harm_where_there_is_no_such_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert give_back() in (True, False)
    monkeypatch.setattr("engine.training.memory.ctypes.CDLL", lambda _: object())
    assert not give_back()
    monkeypatch.setattr("engine.training.memory.sys.platform", "darwin")
    assert not give_back()
