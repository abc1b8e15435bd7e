"""What a run is, and how it stands: small immutable values."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import psutil

from engine.errors import LabError
from engine.runs.checkpoints import Checkpoint

Mark = Literal["running", "stopped", "finished", "diverged", "interrupted"]
"""``interrupted``: it was running when its process died."""
Setting = str | int | float | bool | None
FORMAT = "next-token-lab run"
VERSION = 2
MAX_NAME = 200
MAX_NOTE = 20_000
_MAX_ITEMS = 500


@dataclass(frozen=True)
class Source:
    """Something that a run was made from, such as its text."""

    title: str
    """What the learner reads."""
    fingerprint: str
    """Equal exactly where the things are equal."""


@dataclass(frozen=True)
class RunDescription:
    """What was chosen when the run began. Never changed after that."""

    kind: str
    """What sort of run it is, such as "training" or "post-training"; a word of whoever runs it."""
    title: str
    """What the run is called until someone names it."""
    settings: Mapping[str, Setting]
    """Every knob by its name in the program."""
    steps: int = 0
    """How many steps were planned."""
    seed: int = 0
    device: str = "cpu"
    """Where it computes, such as "cpu" or "cuda"."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """What it was made from, by what the learner calls it: "Text", "Tokenizer"."""
    attachments: Mapping[str, str] = field(default_factory=dict)
    """Files that it needs to go on, such as its tokenizer: the part each plays, and its name in
    the catalogue's store (``Catalogue.store``)."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What else its kind wants to know, as JSON values."""
    created: float = 0.0
    """When, in seconds since 1970 (UTC)."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "kind": self.kind,
            "title": self.title,
            "settings": {n: _to_json(v) for n, v in self.settings.items()},
            "steps": self.steps,
            "seed": self.seed,
            "device": self.device,
            "sources": {n: [s.title, s.fingerprint] for n, s in self.sources.items()},
            "attachments": dict(self.attachments),
            "details": dict(self.details),
            "created": self.created,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunDescription:
        """The description of ``to_dict``'s values.

        Raises:
            LabError: if they describe no run that this version reads.
        """
        if data.get("format") != FORMAT or data.get("version") != VERSION:
            raise LabError("It was kept by another version of the lab.")
        try:
            sources = {_word(n): Source(*map(_word, s)) for n, s in _items(data["sources"])}
            return cls(
                kind=_word(data["kind"]),
                title=_word(data["title"]),
                settings={_word(n): _from_json(v) for n, v in _items(data["settings"])},
                steps=_count(data["steps"]),
                seed=_count(data["seed"]),
                device=_word(data["device"]),
                sources=sources,
                attachments={_word(n): _word(v) for n, v in _items(data["attachments"])},
                details=dict(_items(data["details"])),
                created=_number(data["created"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LabError("Its description is damaged.") from error


@dataclass(frozen=True)
class RunSummary:
    """A kept run as the table of runs shows it: read from its descriptions alone."""

    key: str
    """Names the run in its catalogue for good."""
    folder: Path
    description: RunDescription
    name: str
    note: str = ""
    pinned: bool = False
    """Whether it is pinned as a baseline. Pinned runs are never dropped to make room."""
    mark: Mark = "stopped"
    step: int = 0
    """The last step known to have been taken."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Numbers to show beside it, by name, such as "held_out" or "seconds"."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """By step."""

    @property
    def checkpoint_step(self) -> int | None:
        """The step of the last checkpoint, from which the run can go on; None without one."""
        return self.checkpoints[-1].step if self.checkpoints else None


@dataclass(frozen=True)
class Card:
    """What a person says about a run."""

    name: str = ""
    """Empty: the description's title."""
    note: str = ""
    pinned: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "note": self.note, "pinned": self.pinned}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Card:
        """As far as the values make sense: a damaged card loses a name, not the run."""
        name, note = data.get("name"), data.get("note")
        return cls(
            name[:MAX_NAME] if isinstance(name, str) else "",
            note[:MAX_NOTE] if isinstance(note, str) else "",
            data.get("pinned") is True,
        )


@dataclass(frozen=True)
class State:
    """How a run stands, as whoever trains it last wrote."""

    mark: Mark = "stopped"
    step: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    process: tuple[int, int] | None = None
    """The id and the start (seconds since 1970) of the process that trains it."""
    losses: Mapping[int, float] = field(default_factory=dict)
    """The checkpoints' losses by step, where they are known."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "mark": self.mark,
            "step": self.step,
            "figures": {n: _to_json(float(v)) for n, v in self.figures.items()},
            "process": None if self.process is None else list(self.process),
            "losses": [[s, v] for s, v in self.losses.items() if math.isfinite(v)],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> State:
        """As far as the values make sense. A run that says nothing about itself was interrupted."""
        try:
            mark = data["mark"]
            process = data["process"]
            return cls(
                mark=cast(Mark, mark) if mark in get_args(Mark) else "interrupted",
                step=_count(data["step"]),
                figures={_word(n): _float(v) for n, v in _items(data["figures"])},
                process=None if process is None else (int(process[0]), int(process[1])),
                losses={_count(s): _number(v) for s, v in data["losses"]},
            )
        except (KeyError, TypeError, ValueError, IndexError):
            return cls("interrupted")

    @property
    def standing(self) -> Mark:
        """The mark, and ``interrupted`` where a process said "running" and is no more."""
        if self.mark != "running" or (self.process is not None and is_alive(self.process)):
            return self.mark
        return "interrupted"


def this_process() -> tuple[int, int]:
    """What names this process for good: ids are used again, so the start belongs to it."""
    pid = os.getpid()
    return pid, int(psutil.Process(pid).create_time())


def is_alive(process: tuple[int, int]) -> bool:
    """Whether the process that was named so still is. One that has died and only waits for its
    parent to notice is not."""
    try:
        found = psutil.Process(process[0])
        dead = found.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        return int(found.create_time()) == process[1] and not dead
    except (psutil.Error, ValueError, OverflowError):
        return False


def _items(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict) or len(value) > _MAX_ITEMS:
        raise TypeError("not a table of a few items")
    return list(value.items())


def _word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NOTE:
        raise TypeError("not a text")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError("not a count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _float(value: Any) -> float:
    return float(value) if isinstance(value, str) else _number(value)


def _to_json(value: Setting) -> Setting:
    """JSON has no ∞ and no NaN: they go as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _from_json(value: Any) -> Setting:
    if isinstance(value, str) and value in ("inf", "-inf", "nan"):
        return float(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError("not a setting")
