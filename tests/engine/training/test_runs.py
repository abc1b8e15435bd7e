"""Runs on disk: what is kept, what is dropped, and going on bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.training import Trainer
from engine.training.runs import (
    MOST_CHECKPOINTS,
    MOST_RUNS,
    Checkpoint,
    RunFolder,
    drop_old_runs,
    run_folders,
    superfluous,
)
from tests.engine.training.toy import HELD_OUT, TRAIN, small


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(small(), TRAIN, HELD_OUT)


def test_a_checkpoint_goes_on_bit_for_bit(trainer: Trainer, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {"title": "a run"})
    for _ in range(5):
        trainer.step()
    kept = run.keep(trainer, 1.5)
    assert (kept.step, kept.loss) == (5, 1.5)
    expected = [trainer.step().loss for _ in range(5)]
    again = RunFolder(tmp_path / "run")
    assert again.description() == {"title": "a run"}
    loaded = again.load(5, TRAIN, HELD_OUT)
    np.testing.assert_array_equal([loaded.step().loss for _ in range(5)], expected)


def test_only_a_few_are_kept_and_they_are_spread(trainer: Trainer, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {})
    for step in range(31):
        run.keep(trainer, loss=abs(step - 3) / 10)  # step 3 is the best
        trainer.step()
    steps = [c.step for c in run.checkpoints]
    assert len(steps) == MOST_CHECKPOINTS
    assert steps[0] == 0 and steps[-1] == 30 and 3 in steps
    assert max(np.diff(steps)) <= 31 / MOST_CHECKPOINTS * 3
    names = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert names == ["run.json", *[f"step-{s:08d}" for s in steps]]
    best = run.best()
    assert best is not None and best.step == 3


def test_the_same_step_again_replaces_the_checkpoint(trainer: Trainer, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {})
    run.keep(trainer, 2.0)
    run.keep(trainer, 1.0)
    assert [(c.step, c.loss) for c in run.checkpoints] == [(0, 1.0)]


def test_what_came_after_can_be_forgotten(trainer: Trainer, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {})
    for _ in range(4):
        run.keep(trainer, 1.0)
        trainer.step()
    run.forget_after(1)
    assert [c.step for c in RunFolder(tmp_path / "run").checkpoints] == [0, 1]
    with pytest.raises(LabError, match="no checkpoint at step 3"):
        run.load(3, TRAIN, HELD_OUT)


def test_what_a_crash_left_half_written_is_not_offered(trainer: Trainer, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", {})
    run.keep(trainer, 1.0)
    (tmp_path / "run" / ".new-00000005").mkdir()
    (tmp_path / "run" / "step-00000009").write_text("no folder")
    assert [c.step for c in RunFolder(tmp_path / "run").checkpoints] == [0]


@pytest.mark.parametrize("text", [None, "{", "[1]", "[" * 100_000])
def test_a_description_that_is_damaged_is_told(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(LabError):
        RunFolder(tmp_path).description()


def test_a_place_that_cannot_be_written_is_told(trainer: Trainer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="can't be written"):
        RunFolder.create(tmp_path / "file" / "run", {})
    run = RunFolder.create(tmp_path / "run", {})
    run.remove()
    (tmp_path / "run").write_text("in the way")
    with pytest.raises(LabError):
        run.keep(trainer, 1.0)


def test_the_oldest_runs_go_when_there_are_too_many(tmp_path: Path) -> None:
    runs = [tmp_path / f"202601{day:02}-120000-{day:06x}" for day in range(1, 26)]
    for folder in reversed(runs):
        RunFolder.create(folder, {"title": folder.name})
        (folder / "step-00000001").mkdir()
    for mine in ("notes", "20250101-120000-holiday", "20250101-120000-aaaaaa"):
        (tmp_path / mine).mkdir()  # older by name, but no run wrote them
        (tmp_path / mine / "mine.txt").write_text("precious")
    assert run_folders(tmp_path) == runs
    drop_old_runs(tmp_path, (runs[1], runs[-1]))
    assert run_folders(tmp_path) == [runs[1], *runs[6:]]  # 20, with the spared old one
    assert len(list(tmp_path.glob("*/mine.txt"))) == 3
    drop_old_runs(tmp_path)
    assert len(run_folders(tmp_path)) == MOST_RUNS
    drop_old_runs(tmp_path, runs, most=1)
    assert len(run_folders(tmp_path)) == MOST_RUNS  # all are in use
    drop_old_runs(tmp_path / "none")


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=20, unique=True), st.integers(0, 19))
def test_first_last_and_best_are_never_dropped(steps: list[int], place: int) -> None:
    best = sorted(steps)[place % len(steps)]
    kept = [Checkpoint(s, 0.0 if s == best else 1.0, Path()) for s in sorted(steps)]
    inner = [c for c in kept[1:-1] if c.step != best]
    if inner:
        dropped = superfluous(kept)
        assert dropped in inner
        at = kept.index(dropped)
        gap = kept[at + 1].step - kept[at - 1].step
        assert all(
            gap <= kept[i + 1].step - kept[i - 1].step
            for i in range(1, len(kept) - 1)
            if kept[i].step != best
        )
