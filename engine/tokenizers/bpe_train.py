"""Learning BPE merges: again and again, the most frequent pair of neighbours becomes a token.

Gage (1994) for compression, Sennrich, Haddow & Birch (2016) for translation, and the
tutorial's Part 1. A pair's count is the number of places where it stands, overlaps included
("aaa" holds "aa" twice), as in minbpe and Hugging Face ``tokenizers``; it is then replaced
from left to right ("aaa" becomes "aa" "a"). Learning ends when the vocabulary is full or no
pair occurs twice.

``reference.train_merges`` says the same in a few slow lines. Here counts and places of all
pairs are kept up to date, and a heap knows the largest count, so that a merge costs time in
proportion to its occurrences.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.jobs import NO_JOB, Job
from engine.tokenizers.linked import LinkedSequences, Positions, Replaced

TieRule = Literal["first_seen", "smallest_ids"]
"""Which of several equally frequent pairs is merged: the one that stands first in the text
(minbpe, the tutorial), or the one with the smallest ids, left before right (Hugging Face)."""

StopReason = Literal["vocabulary full", "no pair occurs twice", "tokens too long"]

MIN_COUNT = 2
"""A pair that stands only once is not merged: nothing would be learned from it."""

MAX_TOKEN_BYTES = 64 * 2**20
"""Bytes that all tokens of one vocabulary may have together. Only texts that repeat
themselves at great length come near it."""

_YIELD_SECONDS = 0.015

# A pair in one integer, and a heap entry (count, tie, pair) in one integer: they compare
# several times faster than tuples.
_ID_BITS = 24
_PAIR_BITS = 2 * _ID_BITS
_TIE_BITS = 32
_COUNT_SHIFT = _PAIR_BITS + _TIE_BITS
_ID_MASK = (1 << _ID_BITS) - 1
_PAIR_MASK = (1 << _PAIR_BITS) - 1
_TIE_MASK = (1 << _TIE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Merge:
    """One step of learning. Its rank is its place in the history."""

    left: int
    """Id of the left parent."""
    right: int
    """Id of the right parent."""
    id: int
    """Id of the token that the two become. If its string existed already, that token's id."""
    count: int
    """How often the pair stood in the text when it was chosen."""


class Learned(NamedTuple):
    """The outcome of learning."""

    merges: list[Merge]
    tokens: list[bytes]
    """The bytes of every token: the base vocabulary, then the new ones in order."""
    stop_reason: StopReason


class _Trainer:
    """Pair counts and places, kept up to date through the merges."""

    def __init__(self, sequences: LinkedSequences, tie_rule: TieRule) -> None:
        self._sequences = sequences
        self._first_seen = tie_rule == "first_seen"
        self._counts: dict[int, int] = {}
        self._places: dict[int, Positions] = {}
        self._heap: list[int] = []
        for left, right, count, positions in sequences.pairs():
            pair = left << _ID_BITS | right
            self._counts[pair] = count
            self._places[pair] = positions
            if count >= MIN_COUNT:
                tie = int(positions[0]) if self._first_seen else 0
                self._heap.append(_entry(count, tie, pair))
        heapq.heapify(self._heap)

    def most_frequent(self) -> tuple[int, int, int] | None:
        """(left, right, count) of the pair to merge next, or None if none occurs twice."""
        heap = self._heap
        while heap:
            entry = heapq.heappop(heap)
            pair = entry & _PAIR_MASK
            count = self._counts.get(pair, 0)
            if count == -(entry >> _COUNT_SHIFT) and self._is_current(entry, pair):
                return pair >> _ID_BITS, pair & _ID_MASK, count
            # Entries are not updated when counts fall, only when they come up.
            if count >= MIN_COUNT:
                self._push(pair, count)
        return None

    def _is_current(self, entry: int, pair: int) -> bool:
        """Whether the entry's place is still the pair's first.

        An unchanged count means unchanged places, unless a merge has remade an old token.
        """
        if not self._first_seen:
            return True
        place = entry >> _PAIR_BITS & _TIE_MASK
        left, right = pair >> _ID_BITS, pair & _ID_MASK
        return bool(self._sequences.standing(left, right, [place]))

    def _push(self, pair: int, count: int) -> None:
        tie = 0
        if self._first_seen:
            places = self._places[pair]
            index = self._sequences.first(pair >> _ID_BITS, pair & _ID_MASK, places)
            if index:
                self._places[pair] = places = places[index:]
            tie = int(places[0])
        heapq.heappush(self._heap, _entry(count, tie, pair))

    def merge(self, a: int, b: int, c: int) -> None:
        """Replace (a, b) by c and bring all counts up to date."""
        pair = a << _ID_BITS | b
        replaced = self._sequences.replace(a, b, c, self._places.pop(pair))
        changed = self._update(a, b, c, replaced)
        self._counts.pop(pair, None)  # greedy replacement leaves none, not even in "aaa"
        for new in changed:
            count = self._counts[new]
            if count >= MIN_COUNT:
                self._push(new, count)

    def _update(self, a: int, b: int, c: int, replaced: Replaced) -> list[int]:
        counts, places = self._counts, self._places
        changed = []
        # Right before left: what comes on the right of one merge may go on the left of the
        # next, where merges stand side by side.
        for s, gain, positions in replaced.right:
            counts[b << _ID_BITS | s] -= gain
            new = c << _ID_BITS | s
            if new in counts:
                self._add_places(new, positions)
                counts[new] += gain
            else:
                counts[new] = gain
                places[new] = positions
            changed.append(new)
        for s, gain, positions in replaced.left:
            counts[s << _ID_BITS | a] -= gain
            new = s << _ID_BITS | c
            if new in counts:
                self._add_places(new, positions)
                counts[new] += gain
            else:
                counts[new] = gain
                places[new] = positions
            changed.append(new)
        return changed

    def _add_places(self, pair: int, positions: Positions) -> None:
        """Only where a merge remakes an old token: its pairs may have places already."""
        self._places[pair] = sorted({*map(int, self._places[pair]), *map(int, positions)})


def _entry(count: int, tie: int, pair: int) -> int:
    return (-count << _COUNT_SHIFT) + (tie << _PAIR_BITS) + pair


def learn_merges(
    sequences: LinkedSequences,
    base_tokens: Sequence[bytes],
    vocab_size: int,
    tie_rule: TieRule,
    job: Job = NO_JOB,
) -> Learned:
    """Learn merges until there are ``vocab_size`` tokens or no pair occurs twice.

    Args:
        sequences: the text in base symbols; merged in place.
        base_tokens: the bytes of each base symbol.
        vocab_size: tokens wanted in all.
        tie_rule: which of equally frequent pairs goes first.
        job: told of progress.
    """
    tokens = list(base_tokens)
    id_of = {token: i for i, token in enumerate(tokens)}
    total_bytes = sum(map(len, tokens))
    merges: list[Merge] = []
    trainer = _Trainer(sequences, tie_rule)
    last_yield = time.perf_counter()
    while len(tokens) < vocab_size:
        best = trainer.most_frequent()
        if best is None:
            return Learned(merges, tokens, "no pair occurs twice")
        left, right, count = best
        total_bytes += len(tokens[left]) + len(tokens[right])
        if total_bytes > MAX_TOKEN_BYTES:
            return Learned(merges, tokens, "tokens too long")
        token = tokens[left] + tokens[right]
        new = id_of.setdefault(token, len(tokens))
        if new == len(tokens):
            tokens.append(token)
        merges.append(Merge(left, right, new, count))
        trainer.merge(left, right, new)
        if time.perf_counter() - last_yield > _YIELD_SECONDS:
            job.progress(len(tokens), vocab_size, "Learning merges (tokens)")
            last_yield = time.perf_counter()
    return Learned(merges, tokens, "vocabulary full")
