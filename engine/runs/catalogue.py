"""All runs that are kept: listed, named, pinned, compared, deleted with undo, and bounded.

    FOLDER/
      20261123-190811-a1b2c3/     a run (``engine.runs.kept``)
      shared/                     what several runs need (``engine.runs.store``)
      trash/                      runs that were deleted, until the next start

A catalogue keeps nothing in memory: two of them, or two processes, may use the same folder. Its
methods may be called from any thread; a run that is being trained is written by its ``KeptRun``.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.files import cannot_write, remove_tree, sync_folder, tree_bytes, write_json
from engine.runs.checkpoints import Checkpoints
from engine.runs.description import (
    MAX_NAME,
    MAX_NOTE,
    Card,
    RunDescription,
    RunSummary,
    this_process,
)
from engine.runs.kept import (
    CARD,
    DESCRIPTION,
    KeptRun,
    begin,
    read_card,
    read_description,
    read_state,
    read_summary,
    read_tables,
)
from engine.runs.store import Store
from engine.runs.tables import ENDING, Columns, read_journal

SHARED, TRASH = "shared", "trash"
_KEY = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Limits:
    """How much may be kept."""

    runs: int = 200
    bytes: int = 4_000_000_000
    """Of all runs together, checkpoints and shared files included."""


@dataclass(frozen=True)
class Listing:
    """The kept runs, and what could not be read."""

    runs: tuple[RunSummary, ...]
    """Oldest first."""
    damaged: tuple[str, ...] = ()
    """A sentence for each folder that was skipped."""

    def run(self, key: str) -> RunSummary | None:
        """The run of that key, if it is listed."""
        return next((r for r in self.runs if r.key == key), None)


class Catalogue:
    """The runs in one folder, which need not be there yet."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self.store = Store(folder / SHARED)

    # -------------------------------------------------------------------------------- reading
    def runs(self, kind: str | None = None) -> Listing:
        """The runs of a kind, or all, from their descriptions alone. Never raises: a damaged
        folder is skipped with a sentence."""
        runs, damaged = [], []
        for folder in self._folders(self.folder):
            try:
                summary = read_summary(folder)
            except LabError as error:
                damaged.append(f"The run in {folder} is left out. {error}")
            else:
                if kind is None or summary.description.kind == kind:
                    runs.append(summary)
        return Listing(tuple(runs), tuple(damaged))

    def summary(self, key: str) -> RunSummary:
        """One run.

        Raises:
            LabError: if it is gone or damaged.
        """
        return read_summary(self._existing(key))

    def curves(self, key: str) -> dict[str, Columns]:
        """All tables of a run by name; the rows may be behind those in memory by a second.

        Raises:
            LabError: if the run is gone or its tables can't be read.
        """
        return read_tables(self._existing(key))

    def journal(self, key: str, name: str) -> list[dict[str, Any]]:
        """What happened to a run, in order: a journal's entries.

        Raises:
            LabError: if the run is gone or the journal can't be read.
        """
        return read_journal(self._existing(key) / f"{name}{ENDING}")

    def interrupted(self, kind: str) -> tuple[RunSummary, ...]:
        """The runs of a kind whose process died while they ran and that can go on, newest
        first."""
        found = [r for r in self.runs(kind).runs if r.mark == "interrupted" and r.checkpoints]
        return tuple(reversed(found))

    # ------------------------------------------------------------------------------ beginning
    def create(self, description: RunDescription) -> KeptRun:
        """Begin to keep a run, as one that this process is running.

        Raises:
            LabError: if it can't be written.
        """
        if not description.created:
            description = replace(description, created=time.time())
        return begin(self.new_folder(), description)

    def open(self, key: str) -> KeptRun:
        """Take over a run to go on with it. The next ``mark`` or ``keep`` says so on disk.

        Raises:
            LabError: if it is gone or damaged, or another process is running it.
        """
        folder = self._existing(key)
        if read_state(folder).standing == "running" and not _mine(folder):
            raise LabError("Another window of the lab is running this run. Stop it there first.")
        return KeptRun(folder)

    # ------------------------------------------------------------------- what a person says
    def rename(self, key: str, name: str) -> None:
        """Call a run something else; an empty name gives it its first one back.

        Raises:
            LabError: if the name is too long, or it can't be written.
        """
        if len(name) > MAX_NAME:
            raise LabError(f"A run's name has at most {MAX_NAME} characters.")
        self._say(key, name=" ".join(name.split()))

    def set_note(self, key: str, note: str) -> None:
        """Write a note beside a run.

        Raises:
            LabError: if it is too long, or can't be written.
        """
        if len(note) > MAX_NOTE:
            raise LabError(f"A note has at most {MAX_NOTE:,} characters.")
        self._say(key, note=note)

    def pin(self, key: str, pinned: bool = True) -> None:
        """Pin a run as a baseline, or take the pin out. Others stay as they are.

        Raises:
            LabError: if it can't be written.
        """
        self._say(key, pinned=pinned)

    def settle(self, key: str) -> None:
        """Keep an interrupted run as it is: it counts as stopped from now on.

        Raises:
            LabError: if it is gone, or that can't be written.
        """
        run = self.open(key)
        run.mark("stopped", run.state.step)

    def _say(self, key: str, **changes: Any) -> None:
        folder = self._existing(key)
        card: Card = replace(read_card(folder), **changes)
        write_json(folder / CARD, card.to_dict())

    # ------------------------------------------------------------------------------- deleting
    def delete(self, key: str) -> None:
        """Move a run to the trash, from where ``restore`` brings it back.

        Raises:
            LabError: if a process is running it, or it can't be moved.
        """
        folder = self._existing(key)
        if read_state(folder).standing == "running":
            raise LabError("This run is not at its end. Stop it before you delete it.")
        self._move(folder, self.folder / TRASH / key)

    def restore(self, key: str) -> None:
        """Bring a deleted run back.

        Raises:
            LabError: if it is no longer in the trash, or can't be moved.
        """
        folder = self.folder / TRASH / key
        if not _KEY.fullmatch(key) or not folder.is_dir():
            raise LabError("This run was deleted for good and can't be brought back.")
        self._move(folder, self.folder / key)

    def deleted(self) -> Listing:
        """The runs in the trash."""
        runs = []
        for folder in self._folders(self.folder / TRASH):
            with contextlib.suppress(LabError):
                runs.append(read_summary(folder))
        return Listing(tuple(runs))

    def empty_trash(self) -> None:
        """Delete what lies in the trash for good, and shared files that no run needs; done at
        the start, when there is nothing to undo."""
        for folder in self._folders(self.folder / TRASH):
            remove_tree(folder)
        self._drop_unshared()

    def _move(self, source: Path, target: Path) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            for parent in (source.parent, target.parent):
                sync_folder(parent)
        except OSError as error:
            raise cannot_write(target, error) from error

    # ------------------------------------------------------------------------------ its bounds
    def make_room(self, spared: Collection[str] = ()) -> tuple[str, ...]:
        """Keep within the limits: the trash goes first, then the oldest runs' checkpoints but
        for the best and the last, then whole runs, oldest first. Never a pinned one, one that is
        running or was interrupted, or a spared one.

        Args:
            spared: keys of runs that are in use.

        Returns:
            A sentence for each run that was dropped.
        """
        sizes = {folder: tree_bytes(folder) for folder in self._folders(self.folder)}
        shared, trash = tree_bytes(self.store.folder), tree_bytes(self.folder / TRASH)

        def too_much() -> bool:
            return len(sizes) > self.limits.runs or (
                shared + trash + sum(sizes.values()) > self.limits.bytes
            )

        if trash and too_much():
            self.empty_trash()
            shared, trash = tree_bytes(self.store.folder), 0
        going = [f for f in sizes if f.name not in spared and _may_go(f)]
        for folder in going:
            if shared + sum(sizes.values()) > self.limits.bytes:
                Checkpoints(folder, read_state(folder).losses).thin()
                sizes[folder] = tree_bytes(folder)
        sentences = []
        for folder in going:
            if not too_much():
                break
            sentences.append(_farewell(folder))
            remove_tree(folder)
            del sizes[folder]
            self._drop_unshared()
            shared = tree_bytes(self.store.folder)
        return tuple(sentences)

    def _drop_unshared(self) -> None:
        """Delete shared files that no run names, unless some run can't be read."""
        names: set[str] = set()
        for parent in (self.folder, self.folder / TRASH):
            for folder in self._folders(parent):
                try:
                    names |= set(read_description(folder).attachments.values())
                except LabError:
                    return
        self.store.keep_only(names)

    # --------------------------------------------------------------------------------- places
    def new_folder(self) -> Path:
        """Where the next run goes: a name that no run has; later ones sort after earlier ones."""
        now = time.time()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
        return self.folder / f"{stamp}-{int(now % 1 * 1e6):05x}{secrets.randbelow(16):x}"

    def _existing(self, key: str) -> Path:
        folder = self.folder / key
        if not _KEY.fullmatch(key) or not folder.is_dir():
            raise LabError("This run is no longer there.")
        return folder

    @staticmethod
    def _folders(parent: Path) -> Iterable[Path]:
        """The runs' folders in ``parent``, oldest first. Nothing else that lies there is among
        them."""
        try:
            found = [p for p in parent.iterdir() if _KEY.fullmatch(p.name)]
            return sorted(p for p in found if p.is_dir() and not p.is_symlink())
        except OSError:
            return []


def _may_go(folder: Path) -> bool:
    if not (folder / DESCRIPTION).is_file():
        return False  # whatever it is, no run wrote it
    return not read_card(folder).pinned and read_state(folder).standing not in (
        "running",
        "interrupted",
    )


def _mine(folder: Path) -> bool:
    return read_state(folder).process == this_process()


def _farewell(folder: Path) -> str:
    try:
        name = read_summary(folder).name
    except LabError:
        name = folder.name
    return f"To make room, the run “{name}”, one of the oldest, was deleted. Pin runs to keep them."
