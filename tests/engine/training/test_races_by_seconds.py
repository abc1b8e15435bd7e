"""Races by seconds on a clock of ours: equal times whatever the pace, and arms that repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import Job, JobCancelled
from engine.runs import Catalogue
from engine.tokenizers import CharacterTokenizer
from engine.training import Recipe, Trainer
from engine.training.answers import times_told
from engine.training.experiment_keeping import keep_arm
from engine.training.experiment_runs import ExperimentRun, Standing
from engine.training.experiments import Arm, Experiment
from engine.training.pace import Pace
from engine.training.runs import Recorder
from engine.training.timetable import Timetable
from engine.workspace import MadeFrom, MadeTokenizer, Streams
from engine.workspace.choices import TokenizerSpec
from tests.engine.training.test_experiments import Watching
from tests.engine.training.toy import HELD_OUT, TRAIN, small

TOKENIZER = CharacterTokenizer.train("abcdefgh ")
COST = {16: 0.2, 32: 0.6}
"""Seconds of a step by width, as they are measured before the race."""
RECIPES = {"quick": small(width=16, eval_every=4), "slow": small(width=32, eval_every=4)}
SECONDS = 12.0
PaceOf = Callable[[int, float], float]
"""Seconds of a step by width and the time that all arms have had together."""


class OurClock:
    """Every step takes what ``pace`` says, every evaluation ten seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pace: PaceOf) -> None:
        self.total = 0.0
        step, evaluate = Trainer.step, Trainer.evaluate

        def paces(experiment, train, held_out, job):
            return tuple(Pace(COST[arm.recipe.width], 0.01, 1.0) for arm in experiment.arms)

        def one_step(trainer: Trainer, job: Job):
            record = replace(step(trainer, job), seconds=pace(trainer.recipe.width, self.total))
            trainer.history.cut(trainer.step_count - 1)
            trainer.history.add(record)
            self.total += record.seconds
            return record

        def one_evaluation(trainer: Trainer, job: Job):
            self.evaluations += 1
            return evaluate(trainer, job)

        self.evaluations = 0
        monkeypatch.setattr("engine.training.experiment_runs.paces", paces)
        monkeypatch.setattr(Trainer, "step", one_step)
        monkeypatch.setattr(Trainer, "evaluate", one_evaluation)


def steady(width: int, _: float) -> float:
    return COST[width]


def slower(width: int, total: float) -> float:
    """Three times as slow from the middle on, and only the machine is."""
    return COST[width] * (3.0 if total > SECONDS else 1.0)


def uneven(width: int, total: float) -> float:
    """The clock that once gave one arm 31.6 seconds and the other 14.3."""
    return COST[width] * ((2.2 if width == 16 else 1.0) if total > 1.0 else 1.0)


def quicker(width: int, total: float) -> float:
    return COST[width] / (3.0 if total > SECONDS else 1.0)


def a_race(recipes: dict[str, Recipe] | None = None, seconds: float = SECONDS) -> ExperimentRun:
    arms = tuple(Arm(name, recipe) for name, recipe in (recipes or RECIPES).items())
    experiment = Experiment("race", "Race", "", "", arms, by="seconds", seconds=seconds)
    return ExperimentRun(experiment, TRAIN, HELD_OUT, TOKENIZER)


def test_at_a_steady_pace_the_plan_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    OurClock(monkeypatch, steady)
    standing = a_race().run()
    assert [arm.step for arm in standing.arms] == [60, 20]
    assert [arm.replanned for arm in standing.arms] == [0, 0]
    assert "quick 12.0 s (60 steps); slow 12.0 s (20 steps)." in times_told(standing)


@pytest.mark.parametrize("pace", [slower, quicker, uneven])
def test_whatever_the_pace_does_all_have_their_time(
    monkeypatch: pytest.MonkeyPatch, pace: PaceOf
) -> None:
    OurClock(monkeypatch, pace)
    job = Watching()
    work = a_race()
    standing = work.run(job)
    for arm, run in zip(standing.arms, work.arms, strict=True):
        longest = float(max(r.seconds for r in run.trainer.history.steps))
        assert abs(arm.seconds - SECONDS) <= 0.03 * SECONDS + longest / 2
        assert arm.state == "finished" and arm.step == arm.arm.recipe.steps
        assert int(arm.evaluations["step"][-1]) == arm.step
        table = run.trainer.timetable
        assert table.position(arm.step) == pytest.approx(table.first)
        first = arm.arm.recipe.but(steps=table.first)
        for step, record in enumerate(run.trainer.history.steps):
            factor = first.learning_rate_factor(table.position(step))
            assert record.learning_rate == first.learning_rate * factor
    if pace is not uneven:
        assert all(arm.replanned for arm in standing.arms)
    for seen in job.seen:
        spent = [arm.seconds for arm in seen.arms]
        assert abs(spent[0] - spent[1]) <= 1.8 + 0.06 * SECONDS
    assert "unlike" not in times_told(standing) and "planned anew" in times_told(standing)


def test_evaluations_come_at_equal_times_and_are_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = OurClock(monkeypatch, slower)
    standing = a_race().run()
    assert clock.evaluations == sum(len(arm.evaluations) for arm in standing.arms)
    for arm in standing.arms:
        apart = np.diff(arm.evaluations["seconds"])
        assert apart.max() <= 0.15 * SECONDS + 1e-9
        assert arm.seconds == pytest.approx(SECONDS, rel=0.1)


def test_an_arm_is_run_again_bit_for_bit_from_its_timetable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        OurClock(patch, slower)
        work = a_race()
        work.run()
    for arm in work.arms:
        assert arm.trainer is not None and arm.trainer.timetable.changes
        again = Trainer(arm.arm.recipe, TRAIN, HELD_OUT, arm.trainer.timetable)
        for _ in again.run():
            pass
        same_run(again, arm.trainer)


def same_run(one: Trainer, other: Trainer) -> None:
    for name in ("step", "loss", "learning_rate", "gradient_norm"):
        values = [[getattr(r, name) for r in t.history.steps] for t in (one, other)]
        assert values[0] == values[1], name
    scored = [[(e.step, e.loss) for e in t.history.evaluations] for t in (one, other)]
    assert scored[0] == scored[1]
    pairs = zip(one.module.parameters(), other.module.parameters(), strict=True)
    assert all((p == q).all() for p, q in pairs)


class Stopping(Watching):
    """Stops in the middle of a step, again and again."""

    def yield_point(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise JobCancelled


@pytest.mark.parametrize("every", [23, 101])
def test_stopped_and_taken_up_again_it_is_the_same_race(
    monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """A step that was broken off costs no time; pauses are no part of a step's seconds."""
    with monkeypatch.context() as patch:
        OurClock(patch, slower)
        whole = a_race()
        whole.run()
    OurClock(monkeypatch, slower)
    work, standing = a_race(), None
    for _ in range(2000):
        try:
            standing = work.run(Stopping(every))
            break
        except JobCancelled:
            pass
    assert standing is not None and standing.finished
    for arm, other in zip(work.arms, whole.arms, strict=True):
        assert arm.trainer is not None and other.trainer is not None
        assert arm.trainer.timetable == other.trainer.timetable
        same_run(arm.trainer, other.trainer)


def test_a_kept_arm_tells_its_true_steps_and_goes_on_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    OurClock(monkeypatch, slower)
    work = a_race()
    standing = work.run()
    catalogue, streams, tokenizer = Catalogue(tmp_path), *materials()
    arm, shown = work.arms[0], standing.arms[0]
    key = keep_arm(arm, standing.experiment, catalogue, streams, tokenizer)
    about = catalogue.summary(key).description
    assert about.steps == about.settings["steps"] == shown.step == catalogue.summary(key).step
    assert about.details["seconds"] == SECONDS
    assert arm.trainer is not None
    assert Timetable.from_json(about.details["timetable"]) == arm.trainer.timetable
    planned = [e for e in catalogue.journal(key, "events") if e["kind"] == "plan"]
    assert [e["step"] for e in planned] == [c.step for c in arm.trainer.timetable.changes]
    assert f"{shown.step:,} steps in all" in planned[-1]["text"]
    _, again, said = Recorder.resume(catalogue.open(key), TRAIN, HELD_OUT)
    assert not said and again.finished and again.timetable == arm.trainer.timetable
    for trainer in (again, arm.trainer):
        for _ in trainer.run(max_steps=5):
            pass
    same_run(again, arm.trainer)


def test_a_checkpoint_in_the_middle_keeps_to_the_timetable(tmp_path: Path) -> None:
    whole = Trainer(small(steps=20, eval_every=5), TRAIN, HELD_OUT)
    part = Trainer(small(steps=20, eval_every=5), TRAIN, HELD_OUT)
    for trainer, steps in ((whole, 8), (part, 8)):
        for _ in trainer.run(max_steps=steps):
            pass
        trainer.replan(14)
    for _ in part.run(max_steps=2):
        pass
    part.save(tmp_path)
    loaded = Trainer.load(tmp_path, TRAIN, HELD_OUT)
    assert loaded.recipe.steps == 14 and loaded.timetable == whole.timetable
    for trainer in (whole, loaded):
        for _ in trainer.run():
            pass
    assert whole.finished and whole.step_count == 14
    same_run(whole, loaded)


def test_times_that_cannot_be_equal_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    OurClock(monkeypatch, lambda width, _: COST[width] * 15)
    standing: Standing = a_race(seconds=6.0).run()
    assert [arm.step for arm in standing.arms] == [2, 1]
    assert "slow 9.0 s (1 steps" in times_told(standing) and "unlike" in times_told(standing)


def materials() -> tuple[Streams, MadeTokenizer]:
    made_from = MadeFrom("c", "Text", "t", "Characters")
    spec = TokenizerSpec("characters")
    return Streams(TRAIN, HELD_OUT, made_from), MadeTokenizer(TOKENIZER, spec, "t", made_from)
