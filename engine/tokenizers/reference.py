"""BPE in its slow, obvious form: what the fast paths are tested against, and good to read first.

Everything is recomputed at every step. A megabyte would take minutes here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from engine.tokenizers.bpe_train import MIN_COUNT, Merge, TieRule

Pair = tuple[int, int]


def pair_counts(sequences: Sequence[Sequence[int]], weights: Sequence[int]) -> dict[Pair, int]:
    """How often each pair of neighbours stands, in the order in which they are first seen."""
    counts: dict[Pair, int] = {}
    for sequence, weight in zip(sequences, weights, strict=True):
        for pair in itertools.pairwise(sequence):
            counts[pair] = counts.get(pair, 0) + weight
    return counts


def replace_pair(sequence: Sequence[int], pair: Pair, new: int) -> list[int]:
    """Put ``new`` wherever ``pair`` stands, from left to right.

    >>> replace_pair([0, 0, 0, 1], (0, 0), 2)
    [2, 0, 1]
    """
    result: list[int] = []
    i = 0
    while i < len(sequence):
        if tuple(sequence[i : i + 2]) == pair:
            result.append(new)
            i += 2
        else:
            result.append(sequence[i])
            i += 1
    return result


def train_merges(
    sequences: Sequence[Sequence[int]],
    weights: Sequence[int],
    base_tokens: Sequence[bytes],
    vocab_size: int,
    tie_rule: TieRule,
) -> tuple[list[Merge], list[bytes]]:
    """The merges and the bytes of all tokens (see ``bpe_train.learn_merges``)."""
    tokens = list(base_tokens)
    merges: list[Merge] = []
    while len(tokens) < vocab_size:
        counts = pair_counts(sequences, weights)
        top = max(counts.values(), default=0)
        if top < MIN_COUNT:
            break
        tied = [pair for pair, count in counts.items() if count == top]
        pair = tied[0] if tie_rule == "first_seen" else min(tied)
        token = tokens[pair[0]] + tokens[pair[1]]
        if token not in tokens:
            tokens.append(token)
        new = tokens.index(token)
        merges.append(Merge(*pair, new, top))
        sequences = [replace_pair(sequence, pair, new) for sequence in sequences]
    return merges, tokens


def encode(symbols: Sequence[int], ranks: Mapping[Pair, tuple[int, int]]) -> list[int]:
    """Apply merges to one sequence: always the one of lowest rank, the leftmost first.

    Args:
        symbols: base symbols.
        ranks: for each pair that merges, its rank and the id it becomes.
    """
    ids = list(symbols)
    while True:
        candidates = [
            (ranks[pair][0], i) for i, pair in enumerate(itertools.pairwise(ids)) if pair in ranks
        ]
        if not candidates:
            return ids
        _, i = min(candidates)
        ids[i : i + 2] = [ranks[ids[i], ids[i + 1]][1]]
