"""Sequences of symbols in which pairs of neighbours are replaced: what all of BPE works on.

A doubly linked list over fixed positions, so that replacing a pair costs time in proportion to
its occurrences, however long the text. A merged symbol stays at the position of its left part.
Few occurrences are replaced one by one, many in whole-array steps; both do the same.

All sequences lie one behind the other, with ``SEPARATOR`` before, between and after them, so
that no pair crosses from one to the next.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.tokenizers.base import Ids

SEPARATOR = -1
_DEAD = -2  # a position whose symbol has become part of the one before it

_FEW = 24  # up to this many occurrences the plain loop is quicker than whole-array steps

Positions = list[int] | Ids
"""Where a pair stands: positions of its left symbol, in order. May hold stale ones."""


class Neighbours(NamedTuple):
    """What one replacement did on one side, for one neighbouring symbol."""

    symbol: int
    """The neighbour."""
    gain: int
    """How often it stands there, each sequence counted by its weight."""
    positions: Positions
    """Positions of the new pairs' left symbols."""


class Replaced(NamedTuple):
    """What replacing the pair (a, b) by c did.

    Counted as if it were done one by one from left to right: for a ``left`` neighbour s,
    ``gain`` pairs (s, a) became (s, c); for a ``right`` neighbour s, (b, s) became (c, s).
    In "abab" the second merge finds the first one's c on its left: (c, a) comes and goes.
    """

    positions: Positions
    """Where the new symbol stands."""
    left: list[Neighbours]
    right: list[Neighbours]


class LinkedSequences:
    """Symbols to be merged, with a weight for each sequence (how often a word occurs)."""

    def __init__(self, symbols: Ids, weights: Ids | None = None) -> None:
        """Take over flat sequences.

        Args:
            symbols: shape (n,), the sequences with ``SEPARATOR`` around each.
            weights: shape (n,), for each position how much it counts; None for 1 everywhere.
        """
        n = len(symbols)
        self._symbols = array("i", symbols.astype(np.int32).tobytes())
        self._next = array("i", np.arange(1, n + 1, dtype=np.int32).tobytes())
        self._previous = array("i", np.arange(-1, n - 1, dtype=np.int32).tobytes())
        self._weights = None if weights is None else array("i", weights.astype(np.int32).tobytes())
        # Views of the same memory for whole-array steps.
        self._symbols_view = np.frombuffer(self._symbols, dtype=np.int32)
        self._next_view = np.frombuffer(self._next, dtype=np.int32)
        self._previous_view = np.frombuffer(self._previous, dtype=np.int32)
        self._weights_view = (
            None if self._weights is None else np.frombuffer(self._weights, dtype=np.int32)
        )

    def symbols(self) -> Ids:
        """The sequences as they stand now, separators included."""
        standing: Ids = self._symbols_view[self._symbols_view != _DEAD]
        return standing

    def positions(self) -> Ids:
        """The position of each of ``symbols()``."""
        return np.flatnonzero(self._symbols_view != _DEAD).astype(np.int32)

    def pairs(self) -> Iterator[tuple[int, int, int, Ids]]:
        """(left, right, count, positions) of every pair. Only before anything is replaced."""
        symbols = self._symbols_view
        places = np.flatnonzero((symbols[:-1] >= 0) & (symbols[1:] >= 0)).astype(np.int32)
        if not len(places):
            return
        base = int(symbols.max()) + 1
        keys: npt.NDArray[np.integer[Any]]
        if base <= 256:  # 16-bit keys are sorted by radix, in a tenth of the time
            keys = symbols[places].astype(np.uint16)
            keys *= np.uint16(base)
            keys += symbols[places + 1].astype(np.uint16)
        else:
            keys = symbols[places].astype(np.int64) * base + symbols[places + 1]
        order = np.argsort(keys, kind="stable")
        places, keys = places[order], keys[order]
        starts = _run_starts(keys)
        firsts = places[starts]
        yield from zip(
            symbols[firsts].tolist(),
            symbols[firsts + 1].tolist(),
            self._weigh(places, starts),
            _split(places, starts),
            strict=True,
        )

    def first(self, a: int, b: int, positions: Positions) -> int:
        """The index in ``positions`` of the first where the pair (a, b) still stands.

        Raises:
            LookupError: if it stands at none of them.
        """
        symbols, following = self._symbols, self._next
        for i, p in enumerate(positions):
            if symbols[p] == a and symbols[following[p]] == b:
                return i
        raise LookupError

    def standing(self, a: int, b: int, positions: Positions) -> list[int]:
        """Those of ``positions`` where the pair (a, b) still stands."""
        symbols, following = self._symbols, self._next
        listed = positions.tolist() if isinstance(positions, np.ndarray) else positions
        return [p for p in listed if symbols[p] == a and symbols[following[p]] == b]

    def replace(self, a: int, b: int, c: int, positions: Positions) -> Replaced:
        """Replace (a, b) by c wherever it stands among ``positions``, greedily from the left."""
        if len(positions) <= _FEW:
            few = positions.tolist() if isinstance(positions, np.ndarray) else positions
            return self._replace_few(a, b, c, few)
        return self._replace_many(a, b, c, np.asarray(positions, dtype=np.int32))

    def _replace_few(self, a: int, b: int, c: int, positions: list[int]) -> Replaced:
        symbols, following, previous = self._symbols, self._next, self._previous
        done: list[int] = []
        left: dict[int, list[int]] = {}
        right: dict[int, list[int]] = {}
        for p in positions:
            if symbols[p] != a:
                continue
            q = following[p]
            if symbols[q] != b:
                continue
            before, behind = previous[p], following[q]
            symbols[p] = c
            symbols[q] = _DEAD
            following[p] = behind
            previous[behind] = p
            done.append(p)
            s = symbols[before]
            if s >= 0:
                if s in left:
                    left[s].append(before)
                else:
                    left[s] = [before]
            s = symbols[behind]
            if s >= 0:
                if s in right:
                    right[s].append(p)
                else:
                    right[s] = [p]
        weigh = self._weigh_few
        return Replaced(
            done,
            [Neighbours(s, weigh(places), places) for s, places in left.items()],
            [Neighbours(s, weigh(places), places) for s, places in right.items()],
        )

    def _weigh_few(self, positions: list[int]) -> int:
        if self._weights is None:
            return len(positions)
        return sum(map(self._weights.__getitem__, positions))

    def _replace_many(self, a: int, b: int, c: int, p: Ids) -> Replaced:
        symbols, following, previous = self._symbols_view, self._next_view, self._previous_view
        p = p[symbols[p] == a]
        q = following[p]
        standing = symbols[q] == b
        p, q = p[standing], q[standing]
        if a == b and len(p):
            kept = _every_second(p, q)
            p, q = p[kept], q[kept]
        before, behind = previous[p], following[q]
        left, right = symbols[before], symbols[behind]
        # Where one occurrence follows upon another, its left neighbour is the new symbol.
        chained = np.flatnonzero(before[1:] == q[:-1]) + 1
        left[chained] = c
        before[chained] = p[chained - 1]
        symbols[p] = c
        symbols[q] = _DEAD
        following[p] = behind
        previous[behind] = p
        return Replaced(p, self._grouped(left, before), self._grouped(right, p))

    def _grouped(self, neighbours: Ids, positions: Ids) -> list[Neighbours]:
        inside = neighbours >= 0
        neighbours, positions = neighbours[inside], positions[inside]
        if not len(neighbours):
            return []
        order = np.argsort(neighbours, kind="stable")
        neighbours, positions = neighbours[order], positions[order]
        starts = _run_starts(neighbours)
        gains = self._weigh(positions, starts)
        split = _split(positions, starts)
        return list(map(Neighbours, neighbours[starts].tolist(), gains, split))

    def _weigh(self, positions: Ids, starts: npt.NDArray[np.int64]) -> list[int]:
        """The weight of each run of ``positions``."""
        if self._weights_view is None:
            counts: list[int] = np.diff(starts, append=len(positions)).tolist()
            return counts
        weights = self._weights_view[positions].astype(np.int64)
        sums: list[int] = np.add.reduceat(weights, starts).tolist()
        return sums


def _run_starts(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Where each run of equal values starts."""
    changes = np.empty(len(values), dtype=np.bool_)
    changes[0] = True
    np.not_equal(values[1:], values[:-1], out=changes[1:])
    return np.flatnonzero(changes)


def _split(positions: Ids, starts: npt.NDArray[np.int64]) -> list[Ids]:
    """The runs themselves (as ``np.split``, in a third of the time)."""
    bounds = [*starts.tolist(), len(positions)]
    return [positions[start:end] for start, end in itertools.pairwise(bounds)]


def _every_second(p: Ids, q: Ids) -> npt.NDArray[np.bool_]:
    """In runs of overlapping occurrences ("aaaa"), those that going from the left merges."""
    overlaps = np.concatenate(([False], q[:-1] == p[1:]))
    index = np.arange(len(p))
    run_start = np.maximum.accumulate(np.where(overlaps, 0, index))
    even: npt.NDArray[np.bool_] = (index - run_start) % 2 == 0
    return even


def flatten(
    symbols: Ids, lengths: npt.NDArray[np.int64], weights: Iterable[int] | None = None
) -> LinkedSequences:
    """Sequences that lie one behind the other, with separators put around each.

    Args:
        symbols: shape (n,), the symbols of all sequences.
        lengths: shape (sequences,), how many each has.
        weights: how much each counts; None for 1.
    """
    count = len(lengths)
    flat = np.full(len(symbols) + count + 1, SEPARATOR, dtype=np.int32)
    flat[np.arange(len(symbols)) + np.repeat(np.arange(1, count + 1), lengths)] = symbols
    if weights is None:
        return LinkedSequences(flat)
    each = np.fromiter(weights, np.int32, count)
    return LinkedSequences(flat, np.append(np.repeat(each, lengths + 1), 0))
