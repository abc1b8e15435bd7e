"""States on disk: what is kept, what is dropped, and what a crash leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.runs.checkpoints import MOST_CHECKPOINTS, Checkpoint, Checkpoints, superfluous


def mark(text: str = "x"):
    return lambda folder: (folder / "state").write_text(text)


def steps(kept: Checkpoints) -> list[int]:
    return [c.step for c in kept.all]


def test_only_a_few_are_kept_and_they_are_spread(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    for step in range(31):
        kept.keep(step, abs(step - 3) / 10, mark())  # step 3 is the best
    assert len(steps(kept)) == MOST_CHECKPOINTS
    assert steps(kept)[0] == 0 and steps(kept)[-1] == 30 and 3 in steps(kept)
    assert max(np.diff(steps(kept))) <= 31 / MOST_CHECKPOINTS * 3
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"step-{s:08d}" for s in steps(kept)]
    best = kept.best()
    assert best is not None and best.step == 3
    again = Checkpoints(tmp_path, kept.losses)
    assert again.all == kept.all
    again.thin()
    assert steps(Checkpoints(tmp_path)) == [3, 30]


def test_the_same_step_again_replaces_the_checkpoint(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(0, 2.0, mark("old"))
    kept.keep(0, 1.0, mark("new"))
    assert [(c.step, c.loss) for c in kept.all] == [(0, 1.0)]
    assert (kept.at(0).folder / "state").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000000"]


def test_what_came_after_can_be_forgotten(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path)
    for step in range(4):
        kept.keep(step, 1.0, mark())
    kept.forget_after(1)
    assert steps(kept) == steps(Checkpoints(tmp_path)) == [0, 1]
    with pytest.raises(LabError, match="no checkpoint at step 3"):
        kept.at(3)


def test_what_a_crash_left_half_done_is_cleared_away_or_put_back(tmp_path: Path) -> None:
    Checkpoints(tmp_path).keep(0, 1.0, mark())
    (tmp_path / ".new-00000005").mkdir()
    (tmp_path / "step-00000009").write_text("no folder")
    (tmp_path / "step-00000007").symlink_to(tmp_path / "step-00000000")
    (tmp_path / ".old-00000003").mkdir()  # its successor never came
    (tmp_path / ".old-00000000").mkdir()  # its successor is there
    assert steps(Checkpoints(tmp_path)) == [0, 3]
    assert (tmp_path / "step-00000000" / "state").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("failing", ["os.rename", "os.fsync", "os.mkdir"])
def test_a_save_that_fails_leaves_the_ones_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    kept = Checkpoints(tmp_path)
    kept.keep(1, 1.0, mark("old"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for step in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(failing, full)
            with pytest.raises(LabError, match="No space left"):
                kept.keep(step, 1.0, mark("new"))
    assert steps(kept) == steps(Checkpoints(tmp_path)) == [1]
    assert (tmp_path / "step-00000001" / "state").read_text() == "old"


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=20, unique=True), st.integers(0, 19))
def test_first_last_and_best_are_never_dropped(numbers: list[int], place: int) -> None:
    best = sorted(numbers)[place % len(numbers)]
    kept = [Checkpoint(s, 0.0 if s == best else 1.0, Path()) for s in sorted(numbers)]
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
