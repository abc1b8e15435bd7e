"""One kept run, as the thread that trains it writes it.

FOLDER/
  run.json            what was chosen; written first, never changed
  card.json           name, note, pin: what a person says about it
  state.json          how it stands; written with every checkpoint
  steps.jsonl         a table (``engine.runs.tables``); others beside it
  step-00000240/      a checkpoint (``engine.runs.checkpoints``)
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.files import read_json, write_json
from engine.runs.checkpoints import Checkpoint, Checkpoints, find
from engine.runs.description import (
    Card,
    Mark,
    RunDescription,
    RunSummary,
    State,
    this_process,
)
from engine.runs.tables import ENDING, Columns, Journal, TableFile, read_journal, read_table

DESCRIPTION, CARD, STATE = "run.json", "card.json", "state.json"
FLUSH_SECONDS = 1.0
"""Rows wait so long for one another before they are written together."""


class KeptRun:
    """A run that is being trained. All methods belong to one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Take over a run's folder, which a ``Catalogue`` made.

        Raises:
            LabError: if its description is missing or damaged.
        """
        self.folder = folder
        self.description = read_description(folder)
        self._state = read_state(folder)
        self.checkpoints = Checkpoints(folder, self._state.losses)
        self._tables: dict[str, TableFile] = {}
        self._journals: dict[str, Journal] = {}
        self._flushed = time.monotonic()

    @property
    def key(self) -> str:
        """The run's name in its catalogue."""
        return self.folder.name

    @property
    def state(self) -> State:
        """How the run stands, as last written."""
        return self._state

    # --------------------------------------------------------------------- numbers and events
    def table(self, name: str, columns: Sequence[str]) -> TableFile:
        """The table of that name, begun or gone on with; its first column counts steps.

        Raises:
            LabError: if it holds other columns, or can't be read.
        """
        if name not in self._tables:
            self._tables[name] = TableFile(self.folder / f"{name}{ENDING}", columns)
        return self._tables[name]

    def journal(self, name: str) -> Journal:
        """The journal of that name."""
        if name not in self._journals:
            self._journals[name] = Journal(self.folder / f"{name}{ENDING}")
        return self._journals[name]

    def entries(self, name: str) -> list[dict[str, Any]]:
        """A journal's entries on the disk.

        Raises:
            LabError: if it can't be read.
        """
        return read_journal(self.folder / f"{name}{ENDING}")

    def flush(self, sync: bool = False) -> None:
        """Write the rows that wait, if the last time was a while ago or ``sync`` asks for it.

        Raises:
            LabError: if they can't be written; they go on waiting.
        """
        now = time.monotonic()
        if sync or now - self._flushed >= FLUSH_SECONDS:
            self._flushed = now
            for table in self._tables.values():
                table.flush(sync)
            for journal in self._journals.values():
                journal.flush(sync)

    def cut(self, step: int) -> None:
        """Drop the rows of all open tables after ``step``.

        Raises:
            LabError: if that can't be written.
        """
        for table in self._tables.values():
            table.cut(step)

    # --------------------------------------------------------------------------------- states
    def keep(
        self,
        step: int,
        save: Callable[[Path], object],
        loss: float = math.nan,
        figures: Mapping[str, float] | None = None,
    ) -> Checkpoint:
        """Write a checkpoint, and everything that waits, to the disk.

        Args:
            step: steps taken.
            save: writes the state into an empty folder.
            loss: what the run is judged by (less is better); NaN if not known now.
            figures: see ``RunSummary``; None leaves them as they are.

        Raises:
            LabError: if it can't be written; the checkpoints before it are untouched.
        """
        self.flush(sync=True)
        kept = self.checkpoints.keep(step, loss, save)
        self.mark("running", step, figures)
        return kept

    def mark(self, mark: Mark, step: int, figures: Mapping[str, float] | None = None) -> None:
        """Write down how the run stands.

        Raises:
            LabError: if it can't be written.
        """
        state = State(
            mark=mark,
            step=step,
            figures=dict(self._state.figures if figures is None else figures),
            process=this_process() if mark == "running" else None,
            losses=self.checkpoints.losses,
        )
        write_json(self.folder / STATE, state.to_dict())
        self._state = state


def begin(folder: Path, description: RunDescription) -> KeptRun:
    """Make a run's folder, with its description and the mark "running".

    Raises:
        LabError: if it can't be written.
    """
    write_json(folder / DESCRIPTION, description.to_dict(), indent=1)
    run = KeptRun(folder)
    run.mark("running", 0)
    return run


def read_description(folder: Path) -> RunDescription:
    """What a run is.

    Raises:
        LabError: if that is missing or damaged.
    """
    return RunDescription.from_dict(read_json(folder / DESCRIPTION))


def read_state(folder: Path) -> State:
    """How a run stands; interrupted, where nothing says how."""
    try:
        return State.from_dict(read_json(folder / STATE))
    except LabError:
        return State("interrupted")


def read_card(folder: Path) -> Card:
    """What a person says about a run; nothing, where that is missing or damaged."""
    try:
        return Card.from_dict(read_json(folder / CARD))
    except LabError:
        return Card()


def read_summary(folder: Path) -> RunSummary:
    """A run as a table of runs shows it, from its descriptions alone.

    Raises:
        LabError: if its description is missing or damaged.
    """
    description = read_description(folder)
    card, state = read_card(folder), read_state(folder)
    return RunSummary(
        key=folder.name,
        folder=folder,
        description=description,
        name=card.name or description.title,
        note=card.note,
        pinned=card.pinned,
        mark=state.standing,
        step=state.step,
        figures=state.figures,
        checkpoints=find(folder, state.losses),
    )


def read_tables(folder: Path) -> dict[str, Columns]:
    """All tables of a run by name. Journals, whose lines are objects, are left out.

    Raises:
        LabError: if one can't be read.
    """
    tables = {}
    for path in sorted(folder.glob(f"*{ENDING}")):
        with path.open("rb") as file:
            is_table = file.read(1) == b"["
        if is_table:
            tables[path.name.removesuffix(ENDING)] = read_table(path)
    return tables
