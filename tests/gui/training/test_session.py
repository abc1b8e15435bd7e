"""One run, driven in every order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runs import Catalogue, Limits, RunDescription
from engine.training import Trainer, gpt2_style
from engine.training.records import EVALUATION_COLUMNS, STEP_COLUMNS
from gui.lab import Lab
from gui.training.news import News
from gui.training.session import Phase, TrainingSession
from tests.gui.shell.helpers import endless
from tests.gui.training.conftest import OTHER, a_recipe, an_order

Until = Callable[[Callable[[], bool]], None]
LONG = a_recipe(steps=100_000, every=1_000)
"""More steps than a test waits for."""


def news_of(session: TrainingSession) -> News:
    assert session.news is not None
    return session.news


def in_phase(session: TrainingSession, phase: Phase) -> Callable[[], bool]:
    return lambda: session.phase is phase


def begun(session: TrainingSession, steps: int = 1) -> Callable[[], bool]:
    return lambda: session.news is not None and session.news.step >= steps


def losses_of_a_script(lab: Lab, steps: int, scale_at: dict[int, float] | None = None) -> Any:
    """What a script with no window gets: the trainer's own history."""
    assert lab.streams is not None
    trainer = Trainer(a_recipe(), lab.streams.train, lab.streams.held_out)
    for _ in trainer.run(max_steps=steps):
        if scale_at and trainer.step_count in scale_at:
            trainer.set_learning_rate_scale(scale_at[trainer.step_count])
    return trainer.history.columns()


def test_a_run_from_start_to_end_shows_what_a_script_would_get(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    assert session.start(an_order(lab))
    until(in_phase(session, Phase.FINISHED))
    news, expected = news_of(session), losses_of_a_script(lab, 12)
    for name in ("step", "loss", "learning_rate", "gradient_norm", "tokens"):
        np.testing.assert_array_equal(news.steps[name], expected[name])
    assert np.all(np.diff(news.steps["seconds"]) > 0)
    np.testing.assert_array_equal(news.evaluations["step"], expected["evaluation_step"])
    np.testing.assert_array_equal(news.evaluations["loss"], expected["evaluation_loss"])
    tokens_per_step = news.steps["tokens"][0]
    np.testing.assert_array_equal(
        news.evaluations["tokens"], news.evaluations["step"] * tokens_per_step
    )
    assert len(STEP_COLUMNS) == 7 and len(EVALUATION_COLUMNS) == 4


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    curves = []
    for seed in (3, 3, 4):
        session.start(an_order(lab, a_recipe().but(seed=seed)))
        until(in_phase(session, Phase.FINISHED))
        curves.append(news_of(session).steps["loss"].copy())
    np.testing.assert_array_equal(curves[0], curves[1])
    assert not np.array_equal(curves[0], curves[2])


def test_pausing_and_stepping_change_nothing_about_the_curve(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab), steps=1)
    until(in_phase(session, Phase.PAUSED))
    for step in range(2, 6):
        session.step()
        until(lambda step=step: session.phase is Phase.PAUSED and news_of(session).step == step)
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    expected = losses_of_a_script(lab, 12)
    np.testing.assert_array_equal(news_of(session).steps["loss"], expected["loss"])
    np.testing.assert_array_equal(news_of(session).evaluations["loss"], expected["evaluation_loss"])


def test_a_step_in_a_pause_of_the_running_job_is_exactly_one(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session))
    session.pause()
    assert session.phase is Phase.PAUSING
    until(in_phase(session, Phase.PAUSED))
    live = session._live
    assert live is not None and live.latest is not None
    before = live.latest.step
    session.step()
    until(lambda: session.phase is Phase.PAUSED and session.job is None)
    assert news_of(session).step == before + 1
    session.step()
    until(lambda: session.phase is Phase.PAUSED and news_of(session).step == before + 2)
    session.resume()
    until(begun(session, before + 10))
    assert session.phase is Phase.RUNNING


def test_stop_keeps_the_model_and_the_run_can_go_on(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session, 5))
    session.stop()
    assert session.phase is Phase.STOPPING and not session.can_start
    until(in_phase(session, Phase.STOPPED))
    (run,) = lab.runs
    news = news_of(session)
    assert run.name == session.run_name == "Modern, tiny"
    assert run.model is news.model and news.model_step == news.step
    assert run.facts["Steps"] == f"{news.step:,}"
    at = news.step
    session.resume()
    until(begun(session, at + 3))
    session.stop()
    until(in_phase(session, Phase.STOPPED))
    assert [r.name for r in lab.runs] == ["Modern, tiny"]
    assert lab.runs[0].facts["Steps"] == f"{news_of(session).step:,}"


def test_stopping_a_paused_run(session: TrainingSession, lab: Lab, until: Until) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session))
    session.pause()
    until(in_phase(session, Phase.PAUSED))
    session.stop()
    until(in_phase(session, Phase.STOPPED))
    session.start(an_order(lab), steps=1)
    until(in_phase(session, Phase.PAUSED))
    assert session.job is None  # paused between two jobs
    session.stop()
    until(in_phase(session, Phase.STOPPED))
    assert {r.name for r in lab.runs} == {"Modern, tiny", "Modern, tiny (2)"}


def test_the_status_bars_pause_and_stop_are_the_same(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session))
    handle = lab.compute.running
    assert handle is not None
    handle.pause()
    until(in_phase(session, Phase.PAUSED))
    handle.resume()
    until(in_phase(session, Phase.RUNNING))
    handle.stop()
    until(in_phase(session, Phase.STOPPED))


def test_what_makes_no_sense_now_does_nothing(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    for act in (session.pause, session.resume, session.step, session.stop, session.go_back):
        act()
    session.set_rate_scale(0.5)
    assert session.phase is Phase.EMPTY and not lab.compute.jobs
    session.start(an_order(lab))
    assert not session.start(an_order(lab))
    session.resume()
    session.step()
    until(in_phase(session, Phase.FINISHED))
    for act in (session.pause, session.resume, session.step, session.stop):
        act()
    assert session.phase is Phase.FINISHED and not lab.compute.jobs
    assert len(lab.runs) == 1


def test_stop_before_it_began(session: TrainingSession, lab: Lab, until: Until) -> None:
    ahead = lab.compute.submit(endless, title="Ahead")  # or the run may begin before the stop
    session.start(an_order(lab))
    session.stop()
    until(in_phase(session, Phase.EMPTY))
    assert lab.runs == () and session.can_start
    ahead.stop()


def test_a_learning_rate_of_a_million_is_told_and_survived(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    small = gpt2_style().but(
        layers=1, heads=2, width=16, context=16, batch_size=4, steps=120, eval_every=40, warmup=0
    )
    session.start(an_order(lab, small), steps=50)
    until(in_phase(session, Phase.PAUSED))
    before = news_of(session).steps["loss"][:50].copy()
    session.set_rate_scale(1e9)
    session.resume()
    until(in_phase(session, Phase.DIVERGED))
    news = news_of(session)
    assert "no longer a number" in session.problem and "learning rate" in session.problem
    assert news.step == 50 and news.events[-1].kind == "back" and news.events[-1].step == 50
    np.testing.assert_array_equal(news.steps["loss"], before)
    assert np.isfinite(lab.runs[0].model.next_log_probs([])).all()
    session.set_rate_scale(1.0)
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    assert news_of(session).step == 120 and len(lab.runs) == 1
    assert news_of(session).steps["loss"][-20:].mean() < before[-20:].mean()


def test_going_back_from_a_running_run_pauses_at_a_good_state(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session, 60))
    session.go_back(rate=0.1 * LONG.learning_rate)
    until(in_phase(session, Phase.PAUSED))
    news = news_of(session)
    assert news.rate_scale == pytest.approx(0.1) and news.step % 25 == 0
    assert len(news.steps) == news.step and news.steps["step"][-1] == news.step
    session.step()
    until(lambda: news_of(session).step == news.step + 1)
    scale = LONG.learning_rate_factor(news.step) * 0.1 * LONG.learning_rate
    assert news_of(session).steps["learning_rate"][-1] == pytest.approx(scale)


def test_a_learning_rate_set_in_a_pause_takes_effect_at_the_next_step_and_is_marked(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab), steps=3)
    until(in_phase(session, Phase.PAUSED))
    for scale in (0.7, 0.5):
        session.set_rate_scale(scale)
    until(lambda: news_of(session).rate_scale == 0.5)
    assert [(e.step, e.kind) for e in news_of(session).events] == [(3, "rate")]
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    expected = losses_of_a_script(lab, 12, {3: 0.5})
    np.testing.assert_array_equal(
        news_of(session).steps["learning_rate"], expected["learning_rate"]
    )
    np.testing.assert_array_equal(news_of(session).steps["loss"], expected["loss"])


def test_the_model_is_there_for_other_tabs_from_the_first_evaluation_on(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    models = []
    lab.runs_changed.connect(lambda: models.append([r.model for r in lab.runs]))
    session.start(an_order(lab), steps=1)
    until(in_phase(session, Phase.PAUSED))
    assert [r.facts["Steps"] for r in lab.runs] == ["0"]
    first = lab.runs[0].model.log_probs([1, 2, 3])
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    assert [r.facts["Steps"] for r in lab.runs] == ["12"]
    assert all(len(seen) == 1 for seen in models)  # never two, never none
    assert not np.array_equal(first, lab.runs[0].model.log_probs([1, 2, 3]))
    loss = news_of(session).evaluations["loss"][-1]
    assert lab.runs[0].facts["Held-out loss"] == f"{loss:.3f} nats per token"


def test_samples_are_written_at_each_evaluation_from_the_prompt_then_in_force(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, prompt="The"), steps=1)
    until(in_phase(session, Phase.PAUSED))
    session.set_prompt("A \x00 🙂")
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    samples = news_of(session).samples
    assert [s.step for s in samples] == [0, 4, 8, 12]
    assert [s.prompt for s in samples] == ["The", *["A \x00 🙂"] * 3]


def test_another_text_while_training_leaves_the_run_its_own(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, LONG))
    until(begun(session, 3))
    mine = session.order
    assert mine is not None
    lab.choose_corpus(OTHER)
    until(lambda: lab.preparing is None)
    assert lab.streams is not None and lab.streams.made_from != mine.streams.made_from
    at = news_of(session).step
    until(begun(session, at + 3))
    assert session.phase is Phase.RUNNING and lab.runs[0].made_from == mine.streams.made_from


def test_a_text_with_nothing_held_out_is_scored_on_itself(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    from engine.workspace.choices import CorpusChoice

    lab.choose_corpus(CorpusChoice("text", text="x"))
    until(lambda: lab.preparing is None)
    session.start(an_order(lab, a_recipe(), prompt=""))
    until(in_phase(session, Phase.FINISHED))
    assert not session.held_out and "Held-out loss" not in lab.runs[0].facts
    assert len(news_of(session).evaluations) == 4


def test_a_recipe_that_cannot_be_carried_out_is_told_in_place(
    session: TrainingSession, lab: Lab, until: Until
) -> None:
    session.start(an_order(lab, a_recipe().but(heads=3)))
    until(in_phase(session, Phase.FAILED))
    assert "multiple of the number of heads" in session.problem
    assert session.can_start and not session.can_resume
    session.start(an_order(lab))
    until(in_phase(session, Phase.FINISHED))
    assert session.problem == ""


def test_checkpoints_can_be_gone_back_to_and_the_run_goes_on_as_it_would_have(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    session.start(replace(an_order(lab), catalogue=Catalogue(tmp_path / "runs")))
    until(in_phase(session, Phase.FINISHED))
    news = news_of(session)
    assert news.checkpoints == (0, 4, 8, 12) and news.unsaved == ""
    assert lab.runs[0].folder == news.checkpoint and lab.runs[0].resumable
    session.go_back(4)
    until(in_phase(session, Phase.PAUSED))
    assert news_of(session).checkpoints == (0, 4) and news_of(session).step == 4
    assert [s.step for s in news_of(session).samples] == [0, 4]
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    np.testing.assert_array_equal(news_of(session).steps["loss"], news.steps["loss"])
    np.testing.assert_array_equal(news_of(session).evaluations["loss"], news.evaluations["loss"])


def test_a_new_run_drops_the_oldest_but_none_in_use(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    catalogue = Catalogue(tmp_path / "runs", Limits(runs=3))
    old = [catalogue.create(RunDescription("training", f"old {n}", {})) for n in range(3)]
    for run in old:
        run.mark("stopped", 0)
    session.start(replace(an_order(lab), catalogue=catalogue, spared=(old[0].key,)), steps=1)
    until(in_phase(session, Phase.PAUSED))
    assert [r.key for r in catalogue.runs().runs] == [old[0].key, old[2].key, news_of(session).key]
    assert news_of(session).checkpoint is not None
    assert "“old 1”" in news_of(session).unsaved


def test_a_folder_that_cannot_be_written_is_told_and_training_goes_on(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    session.start(replace(an_order(lab), catalogue=Catalogue(tmp_path / "runs")))
    until(in_phase(session, Phase.FINISHED))
    assert "Training goes on" in news_of(session).unsaved
    assert news_of(session).step == 12 and lab.runs[0].folder is None


def test_a_damaged_checkpoint_is_told_and_the_run_stays_where_it_was(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    session.start(replace(an_order(lab), catalogue=Catalogue(tmp_path / "runs")), steps=9)
    until(in_phase(session, Phase.PAUSED))
    for path in tmp_path.glob("runs/*/step-00000004/*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    session.go_back(4)
    until(lambda: bool(session.problem))
    assert "damaged" in session.problem and session.phase is Phase.PAUSED
    assert news_of(session).step == 9
    session.resume()
    until(in_phase(session, Phase.FINISHED))


def test_a_network_that_died_is_noticed_and_can_be_rescued(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    """Muon with a rate of a million: the loss stays a number, that of guessing."""
    wild = a_recipe(steps=300, every=100).but(learning_rate=1e6, embedding_learning_rate=1e6)
    session.start(replace(an_order(lab, wild), catalogue=Catalogue(tmp_path / "runs")), steps=60)
    until(in_phase(session, Phase.PAUSED))
    assert "learning rate" in news_of(session).runaway
    session.go_back(rate=0.02)
    until(lambda: session.phase is Phase.PAUSED and news_of(session).step == 0)
    assert news_of(session).runaway == "" and news_of(session).rate_scale == pytest.approx(2e-8)
    session.resume()
    until(in_phase(session, Phase.FINISHED))
    assert news_of(session).runaway == ""
    assert news_of(session).steps["loss"][-1] < news_of(session).steps["loss"][0] - 1
