"""Numbers that grow step by step on one thread while another draws them.

A ``Table`` is only appended to. What it hands out is a ``View`` of the rows so far: no copy, and
yet immutable, for those rows are never written again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_FIRST_ROOM = 256


class View:
    """The first rows of a table, as they were when it was asked for."""

    def __init__(self, names: tuple[str, ...], data: Floats, rows: int) -> None:
        self._names, self._data, self._rows = names, data, rows

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return self._names

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> Floats:
        """A column, (rows,), read-only.

        Raises:
            ValueError: if there is no such column.
        """
        column = self._data[self._names.index(name), : self._rows]
        column.flags.writeable = False
        return column


class Table:
    """Named columns of float64 that grow by one row at a time."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._data: Floats = np.empty((len(names), _FIRST_ROOM))  # (columns, room)
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, values: Sequence[float]) -> None:
        """Add a row, a value for each name."""
        room = self._data.shape[1]
        if self._rows == room:
            grown = np.empty((len(self.names), 2 * room))
            grown[:, :room] = self._data
            self._data = grown
        self._data[:, self._rows] = values
        self._rows += 1

    def cut(self, rows: int) -> None:
        """Keep only the first rows. They move to a place of their own: views handed out before
        go on showing the rows that are dropped here."""
        if rows < self._rows:
            self._data = self._data.copy()
            self._rows = rows

    def view(self) -> View:
        """The rows so far."""
        return View(self.names, self._data, self._rows)
