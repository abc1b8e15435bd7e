"""States of a run on disk, to go back to and to go on from.

    FOLDER/step-00000240/     whatever ``save`` wrote

A checkpoint appears under its name only when it is whole and on the disk. No more than a few are
kept: the first, the best, the last, and others spread evenly between them.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LabError
from engine.files import cannot_write, remove_tree, sync_folder

MOST_CHECKPOINTS = 8
_NAME = re.compile(r"step-(\d{8,12})")
_REPLACED = re.compile(r"\.old-(\d{8,12})")


@dataclass(frozen=True)
class Checkpoint:
    """One state that was kept."""

    step: int
    """Steps taken before it."""
    loss: float
    """What the run is judged by, the less the better (a held-out loss); NaN if not known."""
    folder: Path


class Checkpoints:
    """The checkpoints in a run's folder. All methods belong to one thread at a time."""

    def __init__(self, folder: Path, losses: Mapping[int, float] | None = None) -> None:
        """Find what is there, after clearing away what a crash left half done.

        Args:
            folder: the run's.
            losses: of the checkpoints by step, as far as they are known.
        """
        self.folder = folder
        _clear_up(folder)
        self._kept = list(find(folder, losses or {}))

    @property
    def all(self) -> tuple[Checkpoint, ...]:
        """The states that can be gone back to, by step."""
        return tuple(self._kept)

    @property
    def losses(self) -> dict[int, float]:
        """The known losses, by step."""
        return {c.step: c.loss for c in self._kept if c.loss == c.loss}

    def keep(self, step: int, loss: float, save: Callable[[Path], object]) -> Checkpoint:
        """Write a state, then drop what there are too many of.

        Args:
            step: steps taken.
            loss: see ``Checkpoint``; NaN if not known.
            save: writes the state into an empty folder, each file synced.

        Raises:
            LabError: if it can't be written; the checkpoints before it are untouched.
        """
        folder = self.folder / f"step-{step:08d}"
        part = self.folder / f".new-{step:08d}"
        old = self.folder / f".old-{step:08d}"
        try:
            remove_tree(part)
            part.mkdir(parents=True)
            save(part)
            sync_folder(part)
            if folder.exists():
                remove_tree(old)
                folder.rename(old)
            part.rename(folder)
            sync_folder(self.folder)
        except OSError as error:
            raise cannot_write(folder, error) from error
        finally:
            remove_tree(part)
            if folder.exists():
                remove_tree(old)
            elif old.exists():
                with contextlib.suppress(OSError):
                    old.rename(folder)
        kept = Checkpoint(step, loss, folder)
        others = [c for c in self._kept if c.step != step]
        self._kept = sorted([*others, kept], key=lambda c: c.step)
        while len(self._kept) > MOST_CHECKPOINTS:
            self.drop(superfluous(self._kept))
        return kept

    def at(self, step: int) -> Checkpoint:
        """The checkpoint of that step.

        Raises:
            LabError: if there is none.
        """
        for kept in self._kept:
            if kept.step == step:
                return kept
        raise LabError(f"There is no checkpoint at step {step:,}.")

    def best(self) -> Checkpoint | None:
        """The checkpoint of the lowest loss; None if none is known."""
        return best(self._kept)

    def forget_after(self, step: int) -> None:
        """Drop the checkpoints of later steps: the run goes another way from here."""
        for kept in [c for c in self._kept if c.step > step]:
            self.drop(kept)

    def thin(self) -> None:
        """Drop all but the best and the last."""
        best_one = self.best()
        for kept in self._kept[:-1]:
            if kept is not best_one:
                self.drop(kept)

    def drop(self, checkpoint: Checkpoint) -> None:
        """Delete one, as far as that is possible."""
        self._kept = [c for c in self._kept if c is not checkpoint]
        remove_tree(checkpoint.folder)


def find(folder: Path, losses: Mapping[int, float]) -> tuple[Checkpoint, ...]:
    """The checkpoints in a folder, by step; nothing is changed."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            name = _NAME.fullmatch(path.name)
            if name and path.is_dir() and not path.is_symlink():
                step = int(name[1])
                found.append(Checkpoint(step, losses.get(step, math.nan), path))
    return tuple(sorted(found, key=lambda c: c.step))


def best(kept: Sequence[Checkpoint]) -> Checkpoint | None:
    """The checkpoint of the lowest loss; None if none is known."""
    known = [c for c in kept if c.loss == c.loss]
    return min(known, key=lambda c: c.loss) if known else None


def superfluous(kept: Sequence[Checkpoint]) -> Checkpoint:
    """Of three or more checkpoints in order, the one whose going leaves the smallest gap; never
    the first, the last or the best."""
    spared = best(kept)
    inner = [i for i in range(1, len(kept) - 1) if kept[i] is not spared]
    return kept[min(inner, key=lambda i: kept[i + 1].step - kept[i - 1].step)]


def _clear_up(folder: Path) -> None:
    """Undo what was under way when a process died."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            replaced = _REPLACED.fullmatch(path.name)
            if replaced and not (folder / f"step-{replaced[1]}").exists():
                path.rename(folder / f"step-{replaced[1]}")
            elif path.name.startswith((".new-", ".old-")):
                remove_tree(path)
