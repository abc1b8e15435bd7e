"""Numbers that grow row by row, on disk: only appended to, and readable after any crash.

A table is a text file of JSON values, one a line. The first line names the columns, every other
one is a row:

    ["step","loss"]
    [1,5.545]

NaN is written as null, ±∞ as ±1e999, which JSON readers take for it. A line that a crash left
half written ends the table: what comes after it was never promised. A journal is the same with
JSON objects, for things that happen now and then.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.files import cannot_write, sync_folder, write_bytes

Floats = npt.NDArray[np.float64]
ENDING = ".jsonl"
MAX_TABLE_BYTES = 400_000_000
"""Three million rows of a few columns."""
_MAX_COLUMNS = 1_000


class Columns:
    """A table as it was read: equally long columns of float64 by name, never written to."""

    def __init__(self, names: Sequence[str], data: Floats) -> None:
        """
        Args:
            names: the columns' names.
            data: (columns, rows).
        """
        self._names, self._data = tuple(names), data
        data.flags.writeable = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return self._names

    def __len__(self) -> int:
        return int(self._data.shape[1])

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Floats:
        """A column, (rows,), read-only.

        Raises:
            KeyError: if there is no such column.
        """
        if name not in self._names:
            raise KeyError(name)
        column: Floats = self._data[self._names.index(name)]
        return column


class Lines:
    """A file that is only appended to. A write that fails is tried again with the next."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[bytes] = []
        self._good: int | None = None
        """Bytes at the file's start that are whole lines; None until it was looked at."""

    def append(self, line: bytes) -> None:
        """Add a line, without its end; ``flush`` writes it."""
        self._waiting.append(line)

    def flush(self, sync: bool = False) -> None:
        """Write what waits.

        Args:
            sync: whether to wait until it is on the disk.

        Raises:
            LabError: if it can't be written; it goes on waiting.
        """
        if not self._waiting and not sync:
            return
        try:
            new = not self.path.exists()
            with self.path.open("ab") as file:
                if self._good is None:
                    self._good = _whole_lines(self.path)
                if file.tell() != self._good:  # half a line of a write that failed, or a crash
                    file.truncate(self._good)
                data = b"".join(line + b"\n" for line in self._waiting)
                file.write(data)
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            self._good += len(data)
            self._waiting.clear()
            if new and sync:
                sync_folder(self.path.parent)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def replace(self, lines: Sequence[bytes]) -> None:
        """Put other lines in place of all, those that wait included, in one go.

        Raises:
            LabError: if they can't be written; the file is then as it was.
        """
        data = b"".join(line + b"\n" for line in lines)
        write_bytes(self.path, data)
        self._good = len(data)
        self._waiting.clear()

    def read(self) -> list[bytes]:
        """The whole lines that are on the disk, without their ends.

        Raises:
            LabError: if the file is there but can't be read.
        """
        return read_lines(self.path)


def read_lines(path: Path) -> list[bytes]:
    """The whole lines of a file, without their ends; none if there is no file.

    Raises:
        LabError: if it can't be read, or is larger than a table can be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TABLE_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LabError(f"{path.name} couldn't be read ({error.strerror or error}).") from error
    if len(data) > MAX_TABLE_BYTES:
        raise LabError(f"{path.name} in {path.parent} is larger than such a file can be.")
    return data.split(b"\n")[:-1]


class TableFile:
    """A table that a run writes while it goes on."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        """Go on with the table of a file, or begin one.

        Raises:
            LabError: if the file holds a table of other columns, or can't be read.
        """
        self.names = tuple(names)
        self._lines = Lines(path)
        head = json.dumps(list(names)).encode()
        present = self._lines.read()
        if not present:
            self._lines.append(head)
        elif _decoded(present[0]) != list(names):
            raise LabError(f"{path.name} holds other columns than this run writes.")

    def append(self, values: Sequence[float]) -> None:
        """Add a row, a value for each column."""
        if len(values) != len(self.names):
            raise ValueError(f"{len(values)} values for {len(self.names)} columns")
        self._lines.append(_encoded(values))

    def replace(self, rows: Sequence[Sequence[float]]) -> None:
        """Put other rows in place of all, in one go.

        Raises:
            LabError: if they can't be written.
        """
        head = json.dumps(list(self.names)).encode()
        self._lines.replace([head, *map(_encoded, rows)])

    def flush(self, sync: bool = False) -> None:
        """As ``Lines.flush``."""
        self._lines.flush(sync)

    def cut(self, step: float) -> None:
        """Drop the rows whose first value is above ``step``.

        Raises:
            LabError: if that can't be written.
        """
        self._lines.flush()
        rows = self._lines.read()
        kept = [row for row in rows[1:] if _first(row) <= step]
        if len(kept) < len(rows) - 1:
            self._lines.replace([rows[0], *kept])


class Journal:
    """Things that happened, each a JSON object with the ``step`` at which it did."""

    def __init__(self, path: Path) -> None:
        self._lines = Lines(path)

    def append(self, entry: dict[str, Any], sync: bool = True) -> None:
        """Write an entry down, at once.

        Raises:
            LabError: if it can't be written; it waits for the next entry then.
        """
        self._lines.append(json.dumps(entry, separators=(",", ":")).encode("ascii"))
        self._lines.flush(sync)

    def flush(self, sync: bool = False) -> None:
        """As ``Lines.flush``."""
        self._lines.flush(sync)

    def replace(self, entries: Sequence[dict[str, Any]]) -> None:
        """Put other entries in place of all, in one go.

        Raises:
            LabError: if they can't be written.
        """
        self._lines.replace([json.dumps(e, separators=(",", ":")).encode("ascii") for e in entries])


def read_table(path: Path) -> Columns:
    """The whole rows of a table; none, and no columns, if there is no file.

    Raises:
        LabError: if it can't be read, or doesn't begin as a table.
    """
    lines = read_lines(path)
    if not lines:
        return Columns((), np.empty((0, 0)))
    names = _decoded(lines[0])
    named = isinstance(names, list) and all(isinstance(n, str) for n in names)
    if not named or not 1 <= len(names) <= _MAX_COLUMNS:
        raise LabError(f"{path.name} in {path.parent} doesn't begin with the names of columns.")
    rows = _rows(lines[1:], len(names))
    return Columns(names, np.array(rows, dtype=np.float64).reshape(-1, len(names)).T.copy())


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The whole entries of a journal; none if there is no file.

    Raises:
        LabError: if it can't be read.
    """
    entries = []
    for line in read_lines(path):
        value = _decoded(line)
        if not isinstance(value, dict):
            break
        entries.append(value)
    return entries


def _rows(lines: Sequence[bytes], width: int) -> list[list[float]]:
    """The rows up to the first that is damaged."""
    with contextlib.suppress(ValueError, RecursionError, TypeError):
        # all at once is ten times as fast; lines are looked at one by one only after a crash
        values = json.loads(b"[" + b",".join(lines) + b"]")
        if len(values) == len(lines) and all(_is_row(v, width) for v in values):
            return [_row(v) for v in values]
    rows: list[list[float]] = []
    for line in lines:
        value = _decoded(line)
        if not _is_row(value, width):
            break
        rows.append(_row(value))
    return rows


def _is_row(value: Any, width: int) -> bool:
    if type(value) is not list or len(value) != width:
        return False
    return all(type(v) in (float, int) or v is None for v in value)


def _row(value: list[Any]) -> list[float]:
    return [math.nan if v is None else _float(v) for v in value]


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of 400 digits
        return math.inf if value > 0 else -math.inf


def _encoded(values: Sequence[float]) -> bytes:
    return ("[" + ",".join(map(_number, values)) + "]").encode()


def _number(value: float) -> str:
    value = float(value)
    if math.isfinite(value):
        whole = value.is_integer() and 0 < abs(value) < 2**53
        return str(int(value)) if whole else repr(value)
    return "null" if math.isnan(value) else ("1e999" if value > 0 else "-1e999")


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _first(row: bytes) -> float:
    value = _decoded(row)
    good = isinstance(value, list) and value and type(value[0]) in (int, float)
    return value[0] if good else math.inf


def _whole_lines(path: Path) -> int:
    """Bytes up to the end of the last line that is whole and decodes."""
    good = 0
    for line in _lines_of(path):
        if not line.endswith(b"\n") or _decoded(line) is None:
            break
        good += len(line)
    return good


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file
