"""Nothing is lost: kills at random moments, full disks, damaged files. What goes on afterwards
is compared bit for bit with a run that nothing happened to."""

from __future__ import annotations

import math
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.runs import Catalogue
from engine.training.checkpoint import CHECKPOINT_FILE
from engine.training.runs import HELD_OUT as HELD_OUT_TABLE
from engine.training.runs import STEPS, Recorder
from engine.training.trainer import Trainer
from tests.engine.training.killed import BY_HAND, begin, go_on, recipe
from tests.engine.training.toy import HELD_OUT, TRAIN

FACTS = ("step", "loss", "learning_rate", "gradient_norm", "tokens")
"""Columns that don't depend on how fast the machine was."""


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trainer, Catalogue]:
    catalogue = Catalogue(tmp_path_factory.mktemp("undisturbed"))
    recorder, trainer = begin(catalogue)
    go_on(recorder, trainer)
    return trainer, catalogue


def same(trainer: Trainer, expected: Trainer) -> None:
    assert trainer.step_count == expected.step_count == recipe().steps
    for (name, p), q in zip(
        trainer.module.named_parameters(), expected.module.parameters(), strict=True
    ):
        assert torch.equal(p, q), name
    assert trainer.learning_rate_scale == expected.learning_rate_scale


def last_state(catalogue: Catalogue) -> tuple[str, Trainer]:
    [found] = [r for r in catalogue.runs().runs if r.checkpoints]
    kept = catalogue.open(found.key)
    return found.key, Trainer.load(kept.checkpoints.all[-1].folder, TRAIN, HELD_OUT)


def same_curves(catalogue: Catalogue, key: str, expected: Catalogue) -> None:
    mine, theirs = catalogue.curves(key), expected.curves(expected.runs().runs[0].key)
    for name in FACTS:
        np.testing.assert_array_equal(mine[STEPS][name], theirs[STEPS][name])
    for name in ("step", "loss", "tokens"):
        np.testing.assert_array_equal(mine[HELD_OUT_TABLE][name], theirs[HELD_OUT_TABLE][name])
    assert mine[STEPS]["step"].tolist() == list(range(1, recipe().steps + 1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children")
def test_a_run_killed_again_and_again_ends_as_if_nothing_had_happened(
    undisturbed: tuple[Trainer, Catalogue], tmp_path: Path
) -> None:
    seed = random.randrange(1000)
    command = [sys.executable, "-m", "tests.engine.training.killed", str(tmp_path), str(seed), "6"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) == 6, f"seed {seed}"
    catalogue = Catalogue(tmp_path)
    key, trainer = last_state(catalogue)
    expected, other = undisturbed
    same(trainer, expected)
    same_curves(catalogue, key, other)
    events = [(e["step"], e["scale"]) for e in catalogue.journal(key, "events")]
    assert events == list(BY_HAND.items())
    assert catalogue.summary(key).mark == "finished"


class Disk:
    """A disk that is full at some of the moments at which something is written."""

    def __init__(self, seed: int, share: float) -> None:
        self._random, self._share = random.Random(seed), share
        self.failures = 0

    def breaking(self, real: Any) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            if self._random.random() < self._share:
                self.failures += 1
                raise OSError(28, "No space left on device")
            return real(*args, **more)

        return call


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.02, 0.2, 0.6]))
def test_a_disk_that_fills_at_random_loses_only_what_it_did_not_take(
    undisturbed: tuple[Trainer, Catalogue],
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    share: float,
) -> None:
    catalogue = Catalogue(tmp_path_factory.mktemp("full"))
    recorder, trainer = begin(catalogue)
    disk, sentences = Disk(seed, share), []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("os.fsync", "os.replace", "os.rename", "os.mkdir"):
            patch.setattr(name, disk.breaking(getattr(os, name.removeprefix("os."))))
        stop = 10 + seed % 50
        while trainer.step_count < stop:  # then the process is gone
            step = trainer.step_count
            for work in ("change", "save", "note"):
                try:
                    if work == "change" and step in BY_HAND:
                        trainer.set_learning_rate_scale(BY_HAND[step])
                        recorder.changed(trainer, "rate", "x")
                    elif work == "save" and recorder.due(trainer):
                        recorder.save(trainer)
                    elif work == "note":
                        for _ in trainer.run(max_steps=1):
                            pass
                        recorder.note(trainer)
                except LabError as error:
                    sentences.append(str(error))
    assert all("No space left on device" in s for s in sentences)
    assert bool(disk.failures) or not sentences
    [found] = catalogue.runs().runs
    assert not list(found.folder.glob("**/.new-*/*.new*"))
    again, trainer, said = Recorder.resume(catalogue.open(found.key), TRAIN, HELD_OUT)
    assert said == ""
    # what was changed by hand after the checkpoint may not have reached the disk: redo it
    go_on(again, trainer)
    same(trainer, undisturbed[0])
    same_curves(catalogue, found.key, undisturbed[1])


def test_a_file_as_large_as_the_system_allows_is_told(tmp_path: Path) -> None:
    recorder, trainer = begin(Catalogue(tmp_path))
    trainer.step()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))  # a real EFBIG
        with pytest.raises(LabError, match="could not be written"):
            recorder.save(trainer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    [found] = Catalogue(tmp_path).runs().runs
    assert [c.step for c in found.checkpoints] == [0]
    recorder.save(trainer)
    assert [c.step for c in Catalogue(tmp_path).summary(found.key).checkpoints] == [0, 1]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """A run that stands at step 40 with several checkpoints."""
    catalogue = Catalogue(tmp_path_factory.mktemp("stopped"))
    recorder, trainer = begin(catalogue)
    while trainer.step_count < 40:
        step = trainer.step_count
        if step in BY_HAND:
            trainer.set_learning_rate_scale(BY_HAND[step])
            recorder.changed(trainer, "rate", "x")
        for _ in trainer.run(max_steps=1):
            pass
        if trainer.step_count % 8 == 0:
            recorder.save(trainer)
    return catalogue


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.floats(0, 1, exclude_max=True), cut=st.booleans(), damaged=st.integers(1, 3))
def test_damaged_checkpoints_are_passed_over_with_a_sentence(
    undisturbed: tuple[Trainer, Catalogue],
    stopped: Catalogue,
    tmp_path_factory: pytest.TempPathFactory,
    place: float,
    cut: bool,
    damaged: int,
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "runs"
    shutil.copytree(stopped.folder, folder)
    catalogue = Catalogue(folder)
    [found] = catalogue.runs().runs
    steps = [c.step for c in found.checkpoints]
    for checkpoint in found.checkpoints[-damaged:]:
        path = checkpoint.folder / CHECKPOINT_FILE
        data = bytearray(path.read_bytes())
        at = int(place * len(data))
        data[at] ^= 1 << (at % 8)  # one bit
        path.write_bytes(data[:at] if cut else data)
    recorder, trainer, said = Recorder.resume(catalogue.open(found.key), TRAIN, HELD_OUT)
    assert trainer.step_count == steps[-damaged - 1]
    assert f"step {steps[-1]}" in said and f"step {trainer.step_count}" in said
    assert "damaged" in said
    go_on(recorder, trainer)
    same(trainer, undisturbed[0])


def test_where_no_checkpoint_is_whole_the_curves_are_still_there(
    stopped: Catalogue, tmp_path: Path
) -> None:
    shutil.copytree(stopped.folder, tmp_path / "runs")
    catalogue = Catalogue(tmp_path / "runs")
    [found] = catalogue.runs().runs
    for checkpoint in found.checkpoints:
        (checkpoint.folder / CHECKPOINT_FILE).write_bytes(b"")
    with pytest.raises(LabError, match="No checkpoint of this run can be used"):
        Recorder.resume(catalogue.open(found.key), TRAIN, HELD_OUT)
    assert len(catalogue.curves(found.key)[STEPS]) == 40
    with pytest.raises(LabError, match="another text"):
        Recorder.resume(Catalogue(stopped.folder).open(found.key), HELD_OUT, TRAIN)


def test_a_run_that_cannot_be_written_any_more_goes_on(stopped: Catalogue, tmp_path: Path) -> None:
    shutil.copytree(stopped.folder, tmp_path / "runs")
    [found] = Catalogue(tmp_path / "runs").runs().runs
    kept = Catalogue(tmp_path / "runs").open(found.key)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(30, "Read-only file system")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.mkstemp", full)
        _, trainer, said = Recorder.resume(kept, TRAIN, HELD_OUT)
        trainer.step()
    assert "Read-only file system" in said and "Training goes on" in said


def test_going_back_forgets_what_was_done_after(stopped: Catalogue, tmp_path: Path) -> None:
    shutil.copytree(stopped.folder, tmp_path / "runs")
    catalogue = Catalogue(tmp_path / "runs")
    [found] = catalogue.runs().runs
    recorder, trainer, _ = Recorder.resume(catalogue.open(found.key), TRAIN, HELD_OUT)
    path = recorder.kept.checkpoints.at(8).folder
    trainer = Trainer.load(path, TRAIN, HELD_OUT)
    recorder.kept.mark("finished", 40)
    recorder.went_back(trainer, "went back from step 40")
    after = catalogue.summary(found.key)
    assert (after.mark, after.step) == ("running", 8)  # it is at work again
    assert [c.step for c in after.checkpoints] == [0, 8]
    assert catalogue.curves(found.key)[STEPS]["step"].tolist() == list(range(1, 9))
    assert [(e["step"], e["kind"]) for e in catalogue.journal(found.key, "events")] == [(8, "back")]
    trainer.set_learning_rate_scale(2.0)
    recorder.changed(trainer, "rate", "x2")
    again, trainer, _ = Recorder.resume(
        Catalogue(catalogue.folder).open(found.key), TRAIN, HELD_OUT
    )
    assert (trainer.step_count, trainer.learning_rate_scale) == (8, 2.0)
    assert [e["scale"] for e in again.events] == [1.0, 2.0]


def test_another_turn_of_the_knob_while_catching_up_replaces_what_was_to_come(
    stopped: Catalogue, tmp_path: Path
) -> None:
    shutil.copytree(stopped.folder, tmp_path / "runs")
    catalogue = Catalogue(tmp_path / "runs")
    [found] = catalogue.runs().runs
    kept = catalogue.open(found.key)
    kept.checkpoints.forget_after(8)
    recorder, trainer, _ = Recorder.resume(kept, TRAIN, HELD_OUT)
    trainer.set_learning_rate_scale(9.0)
    recorder.changed(trainer, "rate", "x9")
    while trainer.step_count < 35:
        recorder.replay(trainer)
        trainer.step()
    assert trainer.learning_rate_scale == 9.0
    assert [(e["step"], e["scale"]) for e in catalogue.journal(found.key, "events")] == [(8, 9.0)]


def test_checkpoints_come_by_steps_and_by_seconds_but_not_too_often(tmp_path: Path) -> None:
    now = [0.0]
    recorder, trainer = begin(Catalogue(tmp_path))
    recorder._clock = lambda: now[0]
    recorder._saved_at = recorder._saving_took = 0.0
    trainer.recipe = trainer.recipe.but(checkpoint_every=5, checkpoint_seconds=2.0)
    due = []
    for _ in range(12):
        trainer.step()
        now[0] += 0.5
        if recorder.due(trainer):
            due.append(trainer.step_count)
            recorder.save(trainer)
    assert due == [4, 5, 9, 10]
    recorder._saving_took = 1.0  # 1 s to write: once in 33 s is enough
    now[0] += 20
    assert not recorder.due(trainer)
    now[0] += 20
    assert recorder.due(trainer)
    trainer.recipe = trainer.recipe.but(checkpoint_seconds=0.0)
    assert not recorder.due(trainer)


def test_figures_are_the_runs_own(undisturbed: tuple[Trainer, Catalogue]) -> None:
    trainer, catalogue = undisturbed
    shown = catalogue.runs().runs[0].figures
    losses = [e.loss for e in trainer.history.evaluations]
    assert shown["held_out"] == losses[-1] and shown["best_held_out"] == min(losses)
    assert shown["best_step"] == 15 * int(np.argmin(losses))
    assert shown["tokens"] == 60 * trainer.tokens_per_step
    assert math.isclose(shown["seconds"], sum(r.seconds for r in trainer.history.steps))
