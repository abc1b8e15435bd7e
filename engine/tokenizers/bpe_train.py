"""Learning BPE merges: again and again, the most frequent pair of neighbours becomes a token.

Gage (1994) for compression, Sennrich, Haddow & Birch (2016) for translation, and the
tutorial's Part 1. A pair's count is the number of places where it stands, overlaps included
("aaa" holds "aa" twice), as in minbpe and Hugging Face ``tokenizers``; it is then replaced
from left to right ("aaa" becomes "aa" "a"). Learning ends when the vocabulary is full or no
pair occurs twice.

Learning never makes the same string twice, so every merge has a new id: merges act inside a
stretch of text whose borders last just as they do in any other stretch with the same string,
so all of them become the token at the same step. (Merges from elsewhere may make a string
twice; see ``bpe.assign_ids``.)

``reference.train_merges`` says the same in a few slow lines. Here counts and places of all
pairs are kept up to date, and a heap knows the largest count, so that a merge costs time in
proportion to its occurrences.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.jobs import NO_JOB, Job
from engine.tokenizers.linked import LinkedSequences, Positions

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
    """Id of the token that the two become: the next free one, or, if a token with this string
    exists already (which happens only in merges learned elsewhere), that token's."""
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
            if count == -(entry >> _COUNT_SHIFT):
                return pair >> _ID_BITS, pair & _ID_MASK, count
            # Entries are not updated when counts fall, only when they come up. (Counts only
            # fall, and with an unchanged count the places are unchanged too.)
            if count >= MIN_COUNT:
                self._push(pair, count)
        return None

    def _push(self, pair: int, count: int) -> None:
        tie = 0
        if self._first_seen:
            places = self._places[pair]
            index = self._sequences.first(pair >> _ID_BITS, pair & _ID_MASK, places)
            if index:
                self._places[pair] = places = places[index:]
            tie = int(places[0])
        heapq.heappush(self._heap, _entry(count, tie, pair))

    def merge(self, a: int, b: int, c: int) -> Positions:
        """Replace (a, b) by c, bring all counts up to date, and say where c now stands."""
        pair = a << _ID_BITS | b
        replaced = self._sequences.replace(a, b, c, self._places.pop(pair))
        # Right before left: what comes on the right of one merge may go on the left of the
        # next, where merges stand side by side.
        for s, gain, positions in replaced.right:
            self._counts[b << _ID_BITS | s] -= gain
            self._counts[c << _ID_BITS | s] = gain
            self._places[c << _ID_BITS | s] = positions
        for s, gain, positions in replaced.left:
            self._counts[s << _ID_BITS | a] -= gain
            self._counts[s << _ID_BITS | c] = gain
            self._places[s << _ID_BITS | c] = positions
        del self._counts[pair]  # greedy replacement leaves none, not even in "aaa"
        for new in [
            *(c << _ID_BITS | s for s, _, _ in replaced.right),
            *(s << _ID_BITS | c for s, _, _ in replaced.left),
        ]:
            count = self._counts[new]
            if count >= MIN_COUNT:
                self._push(new, count)
        return replaced.positions


def _entry(count: int, tie: int, pair: int) -> int:
    return (-count << _COUNT_SHIFT) + (tie << _PAIR_BITS) + pair


def learn_merges(
    sequences: LinkedSequences,
    base_tokens: Sequence[bytes],
    vocab_size: int,
    tie_rule: TieRule,
    job: Job = NO_JOB,
    seen: Callable[[Merge, Positions], None] | None = None,
) -> Learned:
    """Learn merges until there are ``vocab_size`` tokens or no pair occurs twice.

    Args:
        sequences: the text in base symbols; merged in place.
        base_tokens: the bytes of each base symbol.
        vocab_size: tokens wanted in all.
        tie_rule: which of equally frequent pairs goes first.
        job: told of progress.
        seen: told of every merge, and where its new tokens stand.
    """
    tokens = list(base_tokens)
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
        merges.append(Merge(left, right, len(tokens), count))
        positions = trainer.merge(left, right, len(tokens))
        tokens.append(tokens[left] + tokens[right])
        if seen is not None:
            seen(merges[-1], positions)
        if time.perf_counter() - last_yield > _YIELD_SECONDS:
            job.progress(len(tokens), vocab_size, "Learning merges (tokens)")
            last_yield = time.perf_counter()
    return Learned(merges, tokens, "vocabulary full")
