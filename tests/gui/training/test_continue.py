"""A run that was interrupted is gone on with, whatever has become of its text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import Job, JobCancelled
from engine.runs import Catalogue
from gui.lab import Lab
from gui.training.live import LiveRun
from gui.training.news import News, Order
from gui.training.recording import reopened
from gui.training.session import Phase, TrainingSession
from tests.gui.training.conftest import OTHER, a_recipe, an_order

Until = Callable[[Callable[[], bool]], None]


class Closing(Job):
    """A job that is cancelled at its n-th yield point: the window is closed."""

    def __init__(self, points: int) -> None:
        self._left = points

    def yield_point(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise JobCancelled

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self.yield_point()


def the_order(lab: Lab, folder: Path) -> Order:
    recipe = a_recipe(steps=30, every=6).but(checkpoint_every=4)
    return replace(an_order(lab, recipe), catalogue=Catalogue(folder))


def train_some(live: LiveRun) -> None:
    """Seventeen steps, with the learning rate halved after nine."""
    live.train(9)
    live.set_rate_scale(0.5)
    live.train(8)


def die(catalogue: Catalogue) -> str:
    """Let the run look as a process that was killed left it."""
    [found] = catalogue.runs().runs
    path = found.folder / "state.json"
    state = json.loads(path.read_text())
    assert state["mark"] == "running"
    path.write_text(json.dumps({**state, "process": [999_999_999, 1]}))
    return found.key


def lose_what_was_not_forced(catalogue: Catalogue, key: str, step: int) -> None:
    """Drop the checkpoints after a step: the process was killed later than the last of them."""
    kept = Catalogue(catalogue.folder).summary(key)
    for checkpoint in kept.checkpoints:
        if checkpoint.step > step:
            for path in checkpoint.folder.iterdir():
                path.unlink()
            checkpoint.folder.rmdir()


def same(news: News, expected: News) -> None:
    for name in ("step", "loss", "learning_rate", "gradient_norm", "tokens"):
        np.testing.assert_array_equal(news.steps[name], expected.steps[name])
    np.testing.assert_array_equal(news.evaluations["loss"], expected.evaluations["loss"])
    np.testing.assert_array_equal(news.updates["step"], expected.updates["step"])
    for name in expected.updates.names:
        np.testing.assert_array_equal(news.updates[name], expected.updates[name])
    assert news.samples == expected.samples and news.events == expected.events
    assert news.model is not None and expected.model is not None
    for p, q in zip(
        news.model.module.parameters(), expected.model.module.parameters(), strict=True
    ):
        assert bool((p == q).all())


@pytest.mark.parametrize("last", [4, 12, 17])
def test_it_goes_on_bit_for_bit_with_what_was_done_by_hand(
    lab: Lab, tmp_path: Path, last: int
) -> None:
    whole = LiveRun(the_order(lab, tmp_path / "whole"))
    train_some(whole)
    whole.train()
    broken = LiveRun(the_order(lab, tmp_path / "broken"))
    train_some(broken)
    catalogue = Catalogue(tmp_path / "broken")
    key = die(catalogue)
    lose_what_was_not_forced(catalogue, key, last)
    assert [r.key for r in catalogue.interrupted("training")] == [key]
    again = LiveRun(reopened(catalogue, key))
    ended = again.train()
    expected = whole.keep()
    news = again.keep()
    assert ended.reason == "finished" and news is not None and expected is not None
    same(news, expected)
    assert news.unsaved == "" and news.key == key
    assert catalogue.summary(key).mark == "finished" and not catalogue.interrupted("training")
    mine, other = catalogue.curves(key), Catalogue(tmp_path / "whole").curves(expected.key)
    assert set(mine) == set(other) == {"steps", "held_out", "updates"}
    for table, columns in other.items():
        assert mine[table].names == columns.names
        np.testing.assert_array_equal(mine[table]["step"], columns["step"])
    assert catalogue.journal(key, "samples") == Catalogue(tmp_path / "whole").journal(
        expected.key, "samples"
    )


@pytest.mark.parametrize("points", [3, 10, 25])
def test_closing_the_window_loses_no_step(lab: Lab, tmp_path: Path, points: int) -> None:
    live = LiveRun(the_order(lab, tmp_path))
    with pytest.raises(JobCancelled):
        live.train(job=Closing(points))
    catalogue = Catalogue(tmp_path)
    key = die(catalogue)
    assert live._trainer is not None
    assert catalogue.summary(key).checkpoint_step == live._trainer.step_count
    assert len(LiveRun(reopened(catalogue, key)).train(0).news.steps) == live._trainer.step_count


def test_the_text_of_the_lab_does_not_matter(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    order = the_order(lab, tmp_path)
    train_some(LiveRun(order))
    catalogue = Catalogue(tmp_path)
    key = die(catalogue)
    lab.choose_corpus(OTHER)
    until(lambda: lab.preparing is None)
    assert session.continue_kept(catalogue, key)
    until(lambda: session.phase is Phase.FINISHED)
    assert session.order is not None and session.news is not None
    assert session.order.streams.made_from == order.streams.made_from
    assert session.order.tokenizer.fingerprint == order.tokenizer.fingerprint
    assert session.order.title == order.title and session.news.step == 30
    np.testing.assert_array_equal(session.order.streams.train.ids, order.streams.train.ids)
    [run] = lab.runs
    assert run.made_from == order.streams.made_from and run.resumable


def test_what_is_missing_is_said_and_nothing_happens(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    train_some(LiveRun(the_order(lab, tmp_path)))
    catalogue = Catalogue(tmp_path)
    key = die(catalogue)
    for path in (tmp_path / "shared").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    assert session.continue_kept(catalogue, key)
    until(lambda: bool(session.problem))
    assert "text or its tokenizer" in session.problem
    assert session.phase is Phase.EMPTY and session.can_start


def test_a_run_at_work_is_not_pushed_aside(
    session: TrainingSession, lab: Lab, until: Until, tmp_path: Path
) -> None:
    session.start(an_order(lab), steps=1)
    until(lambda: session.phase is Phase.PAUSED)
    assert not session.continue_kept(Catalogue(tmp_path), "20260101-000000-000000")
    assert "Stop the present run first" in session.problem and session.phase is Phase.PAUSED


def test_a_damaged_checkpoint_is_told_while_the_run_goes_on(lab: Lab, tmp_path: Path) -> None:
    train_some(LiveRun(the_order(lab, tmp_path)))
    catalogue = Catalogue(tmp_path)
    key = die(catalogue)
    last = catalogue.summary(key).checkpoints[-1].folder / "checkpoint.safetensors"
    last.write_bytes(last.read_bytes()[:-7])
    ended = LiveRun(reopened(catalogue, key)).train()
    assert "step 17 is damaged" in ended.news.unsaved and "at step 16" in ended.news.unsaved
    assert ended.news.step == 30 and catalogue.summary(key).step == 30
