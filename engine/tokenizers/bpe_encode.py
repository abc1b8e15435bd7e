"""Applying BPE merges to new text: always the pair of lowest rank first, the leftmost of them.

Two ways, with one outcome:

- ``encode_short``: one merge after the other, looking through the whole sequence for each.
  Right for words.
- ``encode_linked``: a heap of ranks, and for each rank all its places at once. Right for
  texts that were not cut into words, of any length.

All places at once is the same as one at a time only if no merge can bring back a pair of
lower rank. That holds whenever each token is made before it is used; where two merges make the
same token it may not, and places are then taken one at a time.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from engine.tokenizers.base import Ids
from engine.tokenizers.bpe_train import Merge
from engine.tokenizers.linked import LinkedSequences, Positions

Ranks = Mapping[tuple[int, int], tuple[int, int]]
"""For each pair that merges: its rank, and the id that it becomes."""


def rank_table(merges: Sequence[Merge]) -> dict[tuple[int, int], tuple[int, int]]:
    """The ranks of a history. A pair learned twice (after its token was remade) keeps its
    first rank."""
    ranks: dict[tuple[int, int], tuple[int, int]] = {}
    for rank, merge in enumerate(merges):
        ranks.setdefault((merge.left, merge.right), (rank, merge.id))
    return ranks


def is_ordered(ranks: Ranks) -> bool:
    """Whether every token is made by all its merges before any merge uses it."""
    last_made: dict[int, int] = {}
    for rank, new in ranks.values():
        last_made[new] = max(rank, last_made.get(new, -1))
    return all(
        last_made.get(left, -1) < rank and last_made.get(right, -1) < rank
        for (left, right), (rank, _) in ranks.items()
    )


def encode_short(symbols: Sequence[int], ranks: Ranks) -> list[int]:
    """The tokens of one short sequence of base symbols; quadratic in its length."""
    ids = list(symbols)
    get = ranks.get
    # The rule for each pair of neighbours, or None: kept up to date beside the symbols.
    rules = [get(pair) for pair in itertools.pairwise(ids)]
    while True:
        best = min((rule for rule in rules if rule is not None), default=None)
        if best is None:
            return ids
        i = rules.index(best)
        ids[i : i + 2] = [best[1]]
        del rules[i]
        if i > 0:
            rules[i - 1] = get((ids[i - 1], ids[i]))
        if i < len(rules):
            rules[i] = get((ids[i], ids[i + 1]))


def encode_linked(
    sequences: LinkedSequences,
    ranks: Ranks,
    ordered: bool,
    seen: Callable[[int, Positions], None] | None = None,
) -> Ids:
    """The tokens of all sequences, with their separators. ``sequences`` is merged in place.

    Args:
        sequences: base symbols.
        ranks: what merges.
        ordered: what ``is_ordered`` says of the ranks.
        seen: told of every step: its rank, and where its new tokens stand.
    """
    steps = _by_rank(sequences, ranks) if ordered else _one_by_one(sequences, ranks)
    for rank, positions in steps:
        if seen is not None and len(positions):
            seen(rank, positions)
    return sequences.symbols()


class _Waiting:
    """Merges that can be made now, by rank."""

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._of_rank: dict[int, tuple[int, int, int, Positions]] = {}

    def add(self, rule: tuple[int, int] | None, left: int, right: int, places: Positions) -> None:
        """Remember where a pair stands, if a rule merges it."""
        if rule is None:
            return
        rank, new = rule
        if rank in self._of_rank:  # a token made by several merges has its pairs in several lots
            known = self._of_rank[rank][3]
            self._of_rank[rank] = (left, right, new, sorted({*map(int, known), *map(int, places)}))
        else:
            heapq.heappush(self._heap, rank)
            self._of_rank[rank] = (left, right, new, places)

    def __bool__(self) -> bool:
        return bool(self._heap)

    def pop(self) -> tuple[int, int, int, int, Positions]:
        """(rank, left, right, new, places) of the lowest rank."""
        rank = heapq.heappop(self._heap)
        return rank, *self._of_rank.pop(rank)


def _by_rank(sequences: LinkedSequences, ranks: Ranks) -> Iterator[tuple[int, Positions]]:
    waiting = _Waiting()
    for left, right, _, found in sequences.pairs():
        waiting.add(ranks.get((left, right)), left, right, found)
    while waiting:
        rank, a, b, c, positions = waiting.pop()
        replaced = sequences.replace(a, b, c, positions)
        for s, _, places in replaced.left:
            waiting.add(ranks.get((s, c)), s, c, places)
        for s, _, places in replaced.right:
            waiting.add(ranks.get((c, s)), c, s, places)
        yield rank, replaced.positions


def _one_by_one(sequences: LinkedSequences, ranks: Ranks) -> Iterator[tuple[int, Positions]]:
    heap: list[tuple[int, int, int, int, int]] = []  # rank, place, left, right, new
    for left, right, _, positions in sequences.pairs():
        rule = ranks.get((left, right))
        if rule is not None:
            heap += [(rule[0], p, left, right, rule[1]) for p in positions.tolist()]
    heapq.heapify(heap)
    while heap:
        rank, place, a, b, c = heapq.heappop(heap)
        replaced = sequences.replace(a, b, c, [place])
        for s, _, places in replaced.left:
            rule = ranks.get((s, c))
            if rule is not None:
                heapq.heappush(heap, (rule[0], int(places[0]), s, c, rule[1]))
        for s, _, places in replaced.right:
            rule = ranks.get((c, s))
            if rule is not None:
                heapq.heappush(heap, (rule[0], int(places[0]), c, s, rule[1]))
        yield rank, replaced.positions
