"""A run's folder on disk: what the run is, and some of its states, so that nothing is lost.

    FOLDER/
      run.json              what was chosen; written first
      step-00000240/        a checkpoint (``engine.training.checkpoint``)

A checkpoint appears under its name only when it is whole. No more than a few are kept: the
first, the best on held-out text, the last, and others spread evenly between them.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import LabError
from engine.files import write_json
from engine.tokenizers.stream import TokenStream

if TYPE_CHECKING:
    from engine.training.trainer import Trainer

DESCRIPTION = "run.json"
MOST_CHECKPOINTS = 8
MAX_DESCRIPTION_BYTES = 4_000_000
_NAME = re.compile(r"step-(\d{8,12})")
MOST_RUNS = 20
"""Runs' folders that ``drop_old_runs`` leaves."""
_RUN_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Checkpoint:
    """One state that was kept."""

    step: int
    """Steps taken before it."""
    loss: float
    """Held-out loss in nats per token; NaN if it is not known."""
    folder: Path


class RunFolder:
    """The folder of one run. All its methods must be called from one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Use a folder; see ``create`` for a new one."""
        self.folder = folder
        self._kept: list[Checkpoint] = []
        with contextlib.suppress(OSError):
            for path in sorted(folder.iterdir()):
                found = _NAME.fullmatch(path.name)
                if found and path.is_dir():
                    self._kept.append(Checkpoint(int(found[1]), float("nan"), path))

    @classmethod
    def create(cls, folder: Path, description: dict[str, Any]) -> RunFolder:
        """Make the folder and write down what the run is.

        Raises:
            LabError: if it can't be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        write_json(folder / DESCRIPTION, description)
        return cls(folder)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The states that can be gone back to, by step."""
        return tuple(self._kept)

    def description(self) -> dict[str, Any]:
        """What the run is, as it was written.

        Raises:
            LabError: if it is missing or damaged.
        """
        path = self.folder / DESCRIPTION
        try:
            if path.stat().st_size > MAX_DESCRIPTION_BYTES:
                raise ValueError("too large")
            value = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise LabError(f"{path} can't be read, so this run can't be offered.") from error
        if not isinstance(value, dict):
            raise LabError(f"{path} doesn't describe a training run.")
        return value

    def keep(self, trainer: Trainer, loss: float) -> Checkpoint:
        """Write the trainer's state, then drop what there are too many of.

        Raises:
            LabError: if it can't be written; the checkpoints before it are untouched.
        """
        step = trainer.step_count
        folder = self.folder / f"step-{step:08d}"
        part = self.folder / f".new-{step:08d}"
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(parents=True)
            trainer.save(part)
            if folder.exists():
                shutil.rmtree(folder)
            part.rename(folder)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        kept = Checkpoint(step, loss, folder)
        others = [c for c in self._kept if c.step != step]
        self._kept = sorted([*others, kept], key=lambda c: c.step)
        while len(self._kept) > MOST_CHECKPOINTS:
            self._drop(superfluous(self._kept))
        return kept

    def forget_after(self, step: int) -> None:
        """Drop the checkpoints of later steps: the run goes another way from here."""
        for kept in [c for c in self._kept if c.step > step]:
            self._drop(kept)

    def load(self, step: int, train: TokenStream, held_out: TokenStream) -> Trainer:
        """The run as it was after ``step`` steps.

        Raises:
            LabError: if there is no such checkpoint, or it is damaged, or of other texts.
        """
        from engine.training.trainer import Trainer

        for kept in self._kept:
            if kept.step == step:
                return Trainer.load(kept.folder, train, held_out)
        raise LabError(f"There is no checkpoint at step {step:,}.")

    def best(self) -> Checkpoint | None:
        """The checkpoint of the lowest held-out loss; None if none is known."""
        known = [c for c in self._kept if c.loss == c.loss]
        return min(known, key=lambda c: c.loss) if known else None

    def remove(self) -> None:
        """Delete the folder and all in it, as far as that is possible."""
        self._kept = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def _drop(self, checkpoint: Checkpoint) -> None:
        self._kept = [c for c in self._kept if c is not checkpoint]
        shutil.rmtree(checkpoint.folder, ignore_errors=True)


def run_folders(parent: Path) -> list[Path]:
    """The folders in ``parent`` that a run wrote, by their names' times, oldest first. Nothing
    else that lies there is among them."""
    try:
        found = [p for p in parent.iterdir() if _RUN_NAME.fullmatch(p.name)]
        return sorted(p for p in found if (p / DESCRIPTION).is_file() and not p.is_symlink())
    except OSError:
        return []


def drop_old_runs(parent: Path, spared: Collection[Path] = (), most: int = MOST_RUNS) -> None:
    """Delete the oldest runs' folders, as far as that is possible, until ``most`` are left.

    Args:
        parent: where the runs' folders lie.
        spared: folders that stay, however old; they count among ``most``.
        most: how many to leave.
    """
    folders = run_folders(parent)
    superfluous_ones = max(0, len(folders) - most)
    for folder in [f for f in folders if f not in spared][:superfluous_ones]:
        shutil.rmtree(folder, ignore_errors=True)


def superfluous(kept: Sequence[Checkpoint]) -> Checkpoint:
    """Of three or more checkpoints in order, the one whose going leaves the smallest gap; never
    the first, the last or the best."""
    known = [c for c in kept if c.loss == c.loss]
    best = min(known, key=lambda c: c.loss) if known else None
    inner = [i for i in range(1, len(kept) - 1) if kept[i] is not best]
    return kept[min(inner, key=lambda i: kept[i + 1].step - kept[i - 1].step)]


def _cannot_write(folder: Path, error: OSError) -> LabError:
    reason = error.strerror or type(error).__name__
    return LabError(f"{folder} can't be written ({reason}).")
