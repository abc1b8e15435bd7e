"""The page of experiments, driven by its own buttons on a small text."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.jobs import Job
from engine.training.experiment_runs import ExperimentRun, Standing
from engine.training.experiments import Arm, Experiment, Question
from engine.training.fitting import Memory
from engine.training.pace import Pace, run_seconds
from engine.training.records import StepRecord
from engine.training.scaling import fit
from engine.training.trainer import Trainer
from engine.workspace import CorpusChoice
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.experiments_page import ExperimentsPage, law_said
from gui.training.experiments_session import ExperimentSession
from gui.training.experiments_table import COLUMNS
from gui.training.paces import Landmarks, Paces
from gui.training.wishes import Wishes
from tests.gui.training.conftest import a_recipe

Until = Callable[[Callable[[], bool]], None]


def toy(**changes: Any) -> Experiment:
    arms = (
        Arm("slow", a_recipe().but(learning_rate=1e-6, embedding_learning_rate=1e-6)),
        Arm("right", a_recipe()),
    )
    question = Question("lowest", "Which ends lower?", ("slow", "right"))
    made = Experiment("race", "Toy", "Two rates.", "The gap.", arms, question)
    return replace(made, **changes)


@pytest.fixture
def page(lab: Lab, qtbot: Any) -> ExperimentsPage:
    session, landmarks = ExperimentSession(lab, lab), Landmarks(lab, lab)
    made = ExperimentsPage(lab, session, landmarks, Paces(lab, lab), Wishes(lab))
    qtbot.addWidget(made)
    made.resize(1100, 900)
    made.show()
    made.offer(toy())
    return made


def test_predicted_run_scored_and_kept(page: ExperimentsPage, until: Until) -> None:
    assert page.card.state == "asking"
    page.card.choose(0)
    page.card.lock()
    page.start.click()
    until(lambda: page.session.outcome is not None)
    assert page.card.state == "revealed" and page.card.score == (0, 1)
    assert "right is lowest by" in page.card.verdict.text()
    assert page.plot.series_names() == ["slow", "right"]
    assert page.table.rowCount() == 2
    texts = [page.table.item(1, c).text() for c in range(len(COLUMNS))]
    assert texts[2] == "12 of 12" and texts[-1] == "finished"
    kept = catalogue().runs("training").runs
    assert [run.name for run in kept] == ["slow (race)", "right (race)"]
    wished: list[object] = []
    page._wishes.compare.connect(wished.append)
    page.kept.button.click()
    assert wished == [{run.key for run in kept}]


def test_the_table_and_the_plot_say_what_the_arms_did(page: ExperimentsPage, until: Until) -> None:
    page.start.click()
    until(lambda: page.session.outcome is not None)
    standing = page.session.standing
    assert standing is not None
    for row, arm in enumerate(standing.arms):
        item = page.table.item(row, list(COLUMNS).index("Held-out loss"))
        assert item.text() == f"{arm.loss:.3f}"
    assert page.card.state == "skipped"
    assert "Held-out losses at the end" in page.found.label.text()


def test_without_an_answer_nothing_is_scored(page: ExperimentsPage, until: Until) -> None:
    page.start.click()
    until(lambda: page.session.outcome is not None)
    assert page.card.score == (0, 0)


def test_stopped_half_way_it_is_taken_up_again(page: ExperimentsPage, until: Until) -> None:
    long = a_recipe(120, 40)
    page.offer(toy(arms=(Arm("a", long), Arm("b", long.but(width=8)))))
    page.start.click()
    until(lambda: page.session.standing is not None and page.session.standing.arms[0].step > 3)
    assert not page.start.isEnabled() and not page.choice.isEnabled()
    page.stop.click()
    until(lambda: not page.session.running)
    assert page.session.outcome is None and page.resume.isEnabled()
    assert page.words.text().startswith("Stopped at ")
    before = page.session.standing.arms[0].step  # type: ignore[union-attr]
    page.resume.click()
    until(lambda: page.session.standing.arms[0].step > before)  # type: ignore[union-attr]
    page.pause.click()
    until(lambda: page.session.state == "paused")
    page.resume.click()
    until(lambda: page.session.outcome is not None)


def test_an_impossible_experiment_is_refused_in_place(page: ExperimentsPage) -> None:
    arms = (Arm("a", a_recipe()), Arm("b", a_recipe().but(heads=3)))
    page.offer(toy(arms=arms))
    page.start.click()
    assert "can't be shared evenly" in page.problem.label.text()
    assert not page.session.running


def test_arms_that_do_not_fit_the_memory_together_are_refused_in_place(
    page: ExperimentsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.training.experiments_page.this_machine", lambda: Memory(10**8, 10**7))
    page.start.click()
    assert "this computer has 100 MB" in page.problem.label.text()
    assert not page.session.running
    monkeypatch.undo()
    page.start.click()
    assert page.session.running and not page.problem.label.text()
    page.stop.click()


def test_curves_of_another_experiment_are_told_as_such(page: ExperimentsPage, until: Until) -> None:
    page.start.click()
    until(lambda: page.session.outcome is not None)
    assert not page.whose.isVisible()
    page.choice.setCurrentIndex(page.choice.currentIndex() + 1)
    title = page.session.trial.experiment.title  # type: ignore[union-attr]
    assert page.whose.isVisible() and f"“{title}”" in page.whose.text()
    assert f"“{title}”" in page.kept.text, "not “this experiment”, which is another now"
    page.choice.setCurrentIndex(page.choice.currentIndex() - 1)
    assert not page.whose.isVisible()


def test_units_and_axes_follow_the_choice(page: ExperimentsPage, until: Until) -> None:
    page.start.click()
    until(lambda: page.session.outcome is not None)
    page.unit.setCurrentIndex(1)
    page.along.setCurrentIndex(3)
    page.training_too.setChecked(True)
    page.plot.redraw()
    assert page.plot._content.y.label == "held-out loss (bits per byte)"
    assert page.plot._content.axis.label == "floating-point operations"
    names = page.plot.series_names()
    assert "slow, training batches" in names
    arm = page.session.standing.arms[1]  # type: ignore[union-attr]
    curve = page.plot._curves["right"]
    assert curve.x[-1] == arm.flops
    streams = page.session.trial.streams  # type: ignore[union-attr]
    per_byte = streams.held_out.n_targets / streams.held_out.n_bytes
    assert curve.y[-1] == pytest.approx(arm.loss * per_byte / 0.6931471805599453)


def test_a_sweep_is_drawn_over_the_rates_with_the_failed_ones_marked(
    page: ExperimentsPage, until: Until
) -> None:
    rates = (1e-3, 1e-2, 1e9)
    adam = a_recipe().but(optimizer="adamw", norm_gain=True)
    arms = tuple(Arm(f"{r:g}", adam.but(learning_rate=r)) for r in rates)
    page.offer(toy(arms=arms, shape="sweep", question=None))
    page.start.click()
    until(lambda: page.session.outcome is not None)
    page.plot.redraw()
    assert page.plot._content.axis.log
    drawn = page.plot._curves["held-out loss"]
    assert drawn.x.tolist() == list(rates) and drawn.y[2] != drawn.y[2]
    assert page.plot._curves["worse than guessing"].x.tolist() == [1e9]
    assert not page.along.isEnabled()
    assert not catalogue().runs("training").runs


def test_sizes_are_fitted_and_the_law_is_drawn_and_told(
    page: ExperimentsPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.training.experiments_session.fit", partial(fit, repeats=3))
    arms = tuple(
        Arm(f"{g}, {w}", a_recipe().but(width=w, steps=steps * 32 // w, eval_every=0), group=g)
        for g, steps in (("few", 6), ("many", 24))
        for w in (8, 16, 32)
    )
    page.offer(toy(arms=arms, shape="scaling", question=None))
    page.start.click()
    until(lambda: page.session.outcome is not None)
    law = page.session.outcome.law  # type: ignore[union-attr]
    assert law is not None and not page.session.outcome.no_law  # type: ignore[union-attr]
    assert law_said(law) in page.found.label.text()
    assert {"few operations", "law at few", "law at many"} <= set(page.plot.series_names())


def test_all_of_the_ready_made_ones_are_offered_for_the_text_in_force(
    page: ExperimentsPage, tmp_path: Path
) -> None:
    assert page.choice.count() == 8
    for index in range(page.choice.count()):
        page.choice.setCurrentIndex(index)
        assert page.card.state == "asking" and page.about.text() and page.look_for.text()
        page.plot.export_csv(tmp_path / "plot.csv")


def test_another_text_while_the_page_is_open_is_another_trial(
    page: ExperimentsPage, lab: Lab, until: Until
) -> None:
    before = page.trial
    assert before is not None and before == page.trial
    lab.choose_corpus(CorpusChoice("text", text="Rain fell, and the river rose. " * 40))
    until(lambda: lab.preparing is None and page.trial is not None and page.trial != before)
    assert page.card.state == "asking" and page.about.text()


def test_a_window_that_does_not_keep_up_holds_the_newest_standing_only(
    page: ExperimentsPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Standing]] = []
    many = threading.Event()
    original = ExperimentRun.standing

    def noted(run: ExperimentRun) -> Standing:
        standing = original(run)
        made.append(weakref.ref(standing))
        if len(made) >= 20:
            many.set()
        return standing

    monkeypatch.setattr(ExperimentRun, "standing", noted)
    page.start.click()
    assert many.wait(60)  # meanwhile the event loop stands still
    alive = sum(ref() is not None for ref in made)
    # the newest, the one before it while they are exchanged, the one shown, one being made
    assert alive <= 4
    until(lambda: page.session.outcome is not None)


def test_the_models_are_let_go_once_the_experiment_has_ended(
    page: ExperimentsPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Trainer]] = []
    original = Trainer.__init__

    def noted(trainer: Trainer, *args: Any) -> None:
        made.append(weakref.ref(trainer))
        original(trainer, *args)

    monkeypatch.setattr(Trainer, "__init__", noted)
    page.start.click()
    until(lambda: page.session.outcome is not None)
    gc.collect()
    assert len(made) >= 2 and not any(ref() for ref in made)


def test_an_estimate_is_there_before_all_settings_are_measured(
    page: ExperimentsPage, lab: Lab, until: Until
) -> None:
    trial = page.trial
    assert trial is not None
    page.times.want(None)
    assert page.times.estimate(trial) is None
    assert "is measured once this computer is free" in page.words.text()
    recipe = trial.experiment.arms[0].recipe
    page._paces.want(recipe.but(layers=2), trial.streams)
    until(lambda: page._paces.pace(recipe, trial.streams) is not None)
    known, exact = page._paces.pace(recipe, trial.streams)  # type: ignore[misc]
    assert not exact
    rough = sum(run_seconds(arm.recipe, known) for arm in trial.experiment.arms)
    assert page.times.estimate(trial) == pytest.approx(rough)
    assert "estimated from one measured setting" in page.words.text()
    page.times.want(trial)
    until(lambda: page.times.seconds(trial) is not None)
    assert "measured on this computer" in page.words.text()


def test_a_race_by_seconds_says_what_each_had_and_keeps_its_true_steps(
    page: ExperimentsPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a clock of ours, which slows down threefold after it was measured."""
    step = Trainer.step

    def on_our_clock(trainer: Trainer, job: Job) -> StepRecord:
        record = replace(step(trainer, job), seconds=0.1 if trainer.step_count <= 10 else 0.3)
        trainer.history.cut(trainer.step_count - 1)
        trainer.history.add(record)
        return record

    def paces(experiment: Experiment, *_: object) -> tuple[Pace, ...]:
        return tuple(Pace(0.1, 0.01, 1.0) for _ in experiment.arms)

    monkeypatch.setattr(Trainer, "step", on_our_clock)
    monkeypatch.setattr("engine.training.experiment_runs.paces", paces)
    page.offer(toy(by="seconds", seconds=4.0))
    assert "of training steps each; scoring comes on top" in page.words.text()
    page.start.click()
    until(lambda: page.session.outcome is not None)
    standing = page.session.standing
    assert standing is not None and page.along.currentData() == "seconds"
    told = page.found.label.text()
    for row, arm in enumerate(standing.arms):
        assert arm.seconds == pytest.approx(4.0, rel=0.05) and 18 <= arm.step <= 22
        assert f"{arm.arm.name} {arm.seconds:.1f} s ({arm.step} steps, planned anew" in told
        assert page.table.item(row, 2).text() == f"{arm.step} of {arm.step}"
    for run, arm in zip(catalogue().runs("training").runs, standing.arms, strict=True):
        assert run.description.steps == run.step == arm.step
        assert run.description.details["timetable"][0] == 40
        assert run.mark == "finished"
