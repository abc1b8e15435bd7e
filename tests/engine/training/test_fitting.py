"""What a machine is spared: runs beyond its memory, and steps that cannot be left."""

from __future__ import annotations

import pytest

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.training import SIZES, Recipe, Trainer, gpt2_style, modern, sized
from engine.training.fitting import (
    Memory,
    refusal,
    refusal_together,
    said_bytes,
    this_machine,
    worth_trying,
)
from engine.training.memory import training_bytes
from engine.training.pace import measure_pace
from tests.engine.training.toy import HELD_OUT, TRAIN, small

SCHOOL = Memory(total=8 * 10**9, available=5 * 10**9)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", [modern, gpt2_style])
def test_the_labs_own_sizes_fit_a_small_machine(make, size):
    recipe = sized(make(), size)
    assert refusal(recipe, 8000, Memory(2 * 10**9, 10**9)) == ""
    assert worth_trying(recipe, 513)


def test_a_batch_beyond_the_memory_is_refused_with_both_figures():
    recipe = sized(modern(), "small").but(batch_size=4096, context=4096)
    said = refusal(recipe, 513, SCHOOL)
    assert said_bytes(training_bytes(recipe, 513)) in said and "8.0 GB" in said
    assert said_bytes(SCHOOL.for_training) in said
    assert "the batch size or the context" in said
    assert not worth_trying(recipe, 513, 1e11)


def test_what_is_turned_down_is_what_takes_the_memory():
    wide = modern().but(width=1024, heads=16, layers=12, batch_size=1, context=8)
    said = refusal(wide, 513, Memory(4 * 10**9, 2 * 10**9))
    assert "the width or the number of layers" in said


def test_room_is_left_for_the_rest_of_the_machine():
    assert SCHOOL.for_training < SCHOOL.available < SCHOOL.total
    assert Memory(10**10, 10**10).for_training < 8 * 10**9
    here = this_machine()
    assert 0 < here.for_training < here.total


def test_a_step_that_could_not_be_left_for_minutes_is_refused_even_if_it_fits():
    recipe = modern().but(width=64, heads=1, layers=1, batch_size=60_000, context=256)
    rich = Memory(10**15, 10**15)
    said = refusal(recipe, 513, rich)
    assert said.startswith("One step would take about") and "batch size" in said
    assert refusal(recipe, 513, rich, flops_per_second=1e15) == ""
    assert refusal(recipe.but(device="cuda"), 513, SCHOOL) == ""


def test_one_block_more_makes_no_step_harder_to_leave():
    rich = Memory(10**15, 10**15)
    shallow = modern().but(width=128, heads=2, layers=1, batch_size=2500, context=64)
    assert refusal(shallow, 64, rich) == "" == refusal(shallow.but(layers=16), 64, rich)


def test_no_transformer_no_answer():
    with pytest.raises(LabError):
        refusal(modern().but(width=100, heads=3), 513, SCHOOL)


def test_how_large_a_model_is_depends_on_the_vocabulary_that_it_is_checked_for():
    recipe = modern().but(width=4096, layers=8, heads=32)
    with pytest.raises(LabError) as with_few:
        recipe.validated()
    with pytest.raises(LabError) as with_all:
        recipe.validated(513)
    with pytest.raises(LabError) as built:
        recipe.model_config(513)
    assert str(with_all.value) == str(built.value) != str(with_few.value)


def test_bounds_are_written_as_people_do():
    with pytest.raises(LabError, match="from 0 to 1,000,000,000"):
        Recipe(learning_rate=-1.0).validated()


class StopsAt(Job):
    def __init__(self, last):
        self.points, self.last = 0, last

    def yield_point(self):
        self.points += 1
        if self.points == self.last:
            raise JobCancelled


def steps_taken(monkeypatch):
    taken = []
    step = Trainer.step

    def counted(self, *args):
        record = step(self, *args)
        taken.append(record)
        return record

    monkeypatch.setattr(Trainer, "step", counted)
    return taken


@pytest.mark.parametrize("last", [1, 2, 3, 5])
def test_measuring_is_left_also_inside_a_step(monkeypatch, last):
    taken = steps_taken(monkeypatch)
    with pytest.raises(JobCancelled):
        measure_pace(small(layers=3), TRAIN, HELD_OUT, StopsAt(last))
    assert taken == []


def test_of_very_long_steps_fewer_are_measured(monkeypatch):
    now = 0.0

    def clock():
        nonlocal now
        now += 60.0
        return now

    taken = steps_taken(monkeypatch)
    monkeypatch.setattr("engine.training.trainer.time.perf_counter", clock)
    pace = measure_pace(small(), TRAIN, HELD_OUT)
    assert len(taken) == 1 and pace.step_seconds == taken[0].seconds


def test_recipes_in_turns_are_refused_together_where_each_alone_would_fit():
    large = modern().but(width=512, heads=8, layers=12, batch_size=8, context=64)
    memory = Memory(8 * 10**9, 2 * 10**9)
    assert training_bytes(large, 513) < memory.for_training < 4 * training_bytes(large, 513)
    assert refusal_together({"one": large}, 513, memory) == ""
    said = refusal_together({f"seed {i}": large.but(seed=i) for i in range(4)}, 513, memory)
    assert said.startswith("Training these 4 in turns") and "8.0 GB" in said
    assert "fewer" in said and said_bytes(memory.for_training) in said


def test_only_one_of_recipes_in_turns_is_at_work():
    batch = modern().but(width=64, heads=1, layers=1, batch_size=512, context=256)
    one = training_bytes(batch, 513)
    memory = Memory(10**12, int(1.2 * one / 0.9))
    assert one < memory.for_training < 2 * one
    assert refusal_together({"a": batch, "b": batch.but(seed=1)}, 513, memory) == ""


def test_of_recipes_in_turns_the_one_that_never_fits_is_named():
    vast = sized(modern(), "small").but(batch_size=4096, context=4096)
    said = refusal_together({"small": small(), "vast": vast}, 513, SCHOOL)
    assert said == f"“vast”: {refusal(vast, 513, SCHOOL)}"
    assert refusal_together({"there": vast.but(device="cuda")}, 513, SCHOOL) == ""
