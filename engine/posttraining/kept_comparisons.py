"""A person's own comparisons, kept in the lab's data folder, one file a task.

The file is the one that ``preferences`` exports and imports. A file that cannot be read is set
aside under another name and never deleted: hours of somebody's clicking may be in it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LabError
from engine.files import read_bytes, write_bytes
from engine.posttraining.preferences import (
    MOST_PREFERENCES,
    Preference,
    read_preferences,
    write_preferences,
)

FOLDER = "comparisons"
LARGEST_FILE = 32 * 1024 * 1024
"""Bytes; 20,000 comparisons of the lab's tasks need about a quarter."""
_MOST_SET_ASIDE = 1_000


@dataclass(frozen=True)
class Found:
    """What a folder holds of a task."""

    preferences: tuple[Preference, ...] = ()
    told: str = ""
    """What was wrong with the file, and where it is now; empty if nothing was."""


class KeptComparisons:
    """Reads and writes the files of one folder. ``write`` may be called from any thread."""

    def __init__(self, home: Path) -> None:
        """
        Args:
            home: the lab's data folder; a folder of its own in it is made with the first file.
        """
        self._folder = home / FOLDER
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}
        self._stuck: set[str] = set()
        """Tasks whose damaged file could not be moved; it must not be written over."""

    def path(self, task_key: str) -> Path:
        """Where a task's comparisons are.

        Raises:
            ValueError: for a key that is no plain word.
        """
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", task_key):
            raise ValueError(f"{task_key!r} is no task's key")
        return self._folder / f"{task_key}.json"

    def read(self, task_key: str) -> Found:
        """A task's comparisons; none where none were kept. A file that is damaged, too large or of
        another version is moved aside, and said so."""
        path = self.path(task_key)
        with self._lock:
            if not path.exists():
                return Found()
            try:
                text = read_bytes(path, LARGEST_FILE).decode("utf-8")
                return Found(read_preferences(text, task_key))
            except (LabError, UnicodeDecodeError) as error:
                reason = str(error) if isinstance(error, LabError) else "It is no text."
                said = f"The comparisons that were kept could not be read: {reason}"
                aside = _set_aside(path)
                if aside is None:
                    self._stuck.add(task_key)
                    return Found((), f"{said} It is in your way: move {path} yourself.")
                return Found(
                    (), f"{said} The file is whole, now as {aside.name} in {aside.parent}."
                )

    def write(self, task_key: str, preferences: Sequence[Preference], number: int) -> None:
        """Keep these in place of what was kept.

        Args:
            task_key: whose they are.
            preferences: all of the task's; of too many the newest are kept.
            number: grows with every call that is made; a call that comes after a later one, from
                another thread, changes nothing.

        Raises:
            LabError: if the file cannot be written, or a damaged one is in the way; what was kept
                is then untouched.
        """
        with self._lock:
            if number <= self._newest.get(task_key, -1):
                return
            path = self.path(task_key)
            if task_key in self._stuck:
                raise LabError(f"Nothing is kept while {path.name} in {path.parent} is damaged.")
            kept = preferences[-MOST_PREFERENCES:]
            while len(data := _data(task_key, kept)) > LARGEST_FILE and len(kept) > 1:
                kept = kept[len(kept) // 2 :]
            write_bytes(path, data)
            self._newest[task_key] = number


def _data(task_key: str, preferences: Sequence[Preference]) -> bytes:
    # A lone surrogate becomes the escape that JSON has for it.
    return write_preferences(task_key, preferences).encode("utf-8", "backslashreplace")


def _set_aside(path: Path) -> Path | None:
    """Give a file a name that is free; None if that can't be done."""
    for number in range(1, _MOST_SET_ASIDE):
        aside = path.with_name(f"{path.stem}.damaged-{number}.json")
        if not aside.exists():
            try:
                return path.rename(aside)
            except OSError:
                return None
    return None
