"""How often every n-gram of a text occurs, for all orders up to a highest one.

The n-grams form a trie. Level m holds the distinct m-grams as *nodes*, numbered 0, 1, … in the
order of their keys; the key of an m-gram is

    key = (node of its first m − 1 tokens on level m − 1) · V + last token,

so that keys fit 64 bits whatever the order, the m-grams with one context lie side by side, and
a level is counted with one sort. Level 1 is dense: the node of a token is the token.

A document is [E, x₁, …, x_T, E]: the E in front is read (begin-of-text, KenLM's ``<s>``), never
predicted; the E behind is predicted (``</s>``), never read. An n-gram therefore holds E at its
first or its last place only, and none spans two documents. On level 1 the one node E plays both
parts without conflict: its counts are those of the end, its children the first tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.base import Tokens, check_ids
from engine.tokenizers.base import Ids
from engine.tokenizers.stream import TokenStream

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

HIGHEST_ORDER = 16
"""The largest n that can be asked for."""

MAX_NGRAMS = 20_000_000
"""The most distinct n-grams, of all orders together, that are kept: about 0.5 GB."""

UNSEEN = -1
"""Stands for the node of an n-gram that does not occur."""

SEARCH_BLOCK = 1 << 16
"""Look-ups made at a time, so that long work can be stopped between them."""

PACKED_BITS = 63
"""Keys and places are sorted as one number where both fit into so many bits."""


@dataclass(frozen=True)
class Level:
    """The distinct n-grams of one order m, as parallel arrays over its nodes."""

    keys: Int64s
    """Ascending: node of the context on level m − 1, times V, plus the last token."""
    counts: Int32s
    """How often each occurs."""
    suffixes: Int32s
    """The node, on level m − 1, of the same n-gram without its first token."""
    continuations: Int32s
    """N₁₊(•g): before how many distinct tokens (E among them) it occurs; 0 for n-grams that
    start with E, and for all on the highest level counted, where nothing longer is known."""

    def __len__(self) -> int:
        return len(self.keys)


class TooManyNGramsError(LabError):
    """A text has more distinct n-grams than are kept; ``order`` is the highest that fits."""

    def __init__(self, order: int) -> None:
        super().__init__(
            f"This text holds more than {MAX_NGRAMS // 1_000_000} million distinct n-grams of "
            f"up to {order + 1} tokens, too many to keep in memory. "
            f"Choose an order of {order} or lower, or a shorter text."
        )
        self.order = order


class NGramCounts:
    """All n-grams of orders 1 … ``order`` in a text, with their counts. Immutable.

    One count serves models of every order up to its own and of every smoothing.
    """

    def __init__(self, stream: TokenStream, levels: Sequence[Level]) -> None:
        self.stream = stream
        self.levels = tuple(levels)

    @classmethod
    def count(cls, stream: TokenStream, order: int, job: Job = NO_JOB) -> NGramCounts:
        """Count the n-grams of a text, in time O(order · N log N).

        Raises:
            LabError: if the order is not 1 … 16, or the text holds no token.
            TooManyNGramsError: if there are more than ``MAX_NGRAMS`` distinct n-grams.
            ValueError: if the stream does not start and end with E, or holds other ids.
        """
        check_order(order)
        ids, vocab_size, end = stream.ids, stream.vocab_size, stream.end_of_text
        check_ids(ids, vocab_size)
        if not np.any(ids != end):
            raise LabError("The training text is empty. An n-gram model needs text to count.")
        if ids[0] != end or ids[-1] != end:
            raise ValueError("a stream starts and ends with end-of-text")

        n_tokens = len(ids)
        depth = _depths(ids, end)  # (N,) tokens before each, back to and including its E
        places = np.arange(1, n_tokens, dtype=np.int32)  # ends of the n-grams of this level
        nodes = ids  # (N,) node of the n-gram that ends at each place
        total = 0
        levels = [
            Level(
                keys=np.arange(vocab_size, dtype=np.int64),
                counts=np.bincount(ids[1:], minlength=vocab_size).astype(np.int32),
                suffixes=np.zeros(vocab_size, dtype=np.int32),
                continuations=np.zeros(vocab_size, dtype=np.int32),
            )
        ]
        for m in range(2, order + 1):
            job.progress(m - 1, order, "Counting n-grams")
            places = places[depth[places] >= m - 1]
            # The context of the m-gram ending at i is the (m−1)-gram ending at i − 1.
            job.yield_point()
            keys = nodes[places - 1].astype(np.int64)
            keys *= vocab_size
            keys += ids[places]
            job.yield_point()
            unique, counts, ranks, order_of, starts = _rank(keys, job)
            del keys
            job.yield_point()
            suffixes = nodes[places[order_of[starts]]]
            shorter = levels[-1]
            levels[-1] = Level(
                keys=shorter.keys,
                counts=shorter.counts,
                suffixes=shorter.suffixes,
                continuations=np.bincount(suffixes, minlength=len(shorter)).astype(np.int32),
            )
            levels.append(
                Level(
                    keys=unique,
                    counts=counts,
                    suffixes=suffixes,
                    continuations=np.zeros(len(unique), dtype=np.int32),
                )
            )
            total += len(unique)
            if total > MAX_NGRAMS:
                raise TooManyNGramsError(m - 1)
            nodes = np.full(n_tokens, UNSEEN, dtype=np.int32)
            job.yield_point()
            nodes[places[order_of]] = ranks
        return cls(stream, levels)

    @property
    def order(self) -> int:
        """The highest order counted."""
        return len(self.levels)

    @property
    def vocab_size(self) -> int:
        """V, end-of-text included."""
        return self.stream.vocab_size

    def n_grams(self, order: int) -> int:
        """How many distinct n-grams of the order occur (those that end in a predicted token)."""
        level = self.levels[order - 1]
        return int(np.count_nonzero(level.counts)) if order == 1 else len(level)

    def node(self, ngram: Tokens) -> int:
        """The node of an n-gram of 1 … ``order`` tokens on its level, or ``UNSEEN``.

        Every single token has a node, whether it occurs or not.
        """
        tokens = check_ids(ngram, self.vocab_size).tolist()
        node: int = tokens[0]
        for level, token in zip(self.levels[1:], tokens[1:], strict=False):
            key = node * self.vocab_size + token
            node = int(np.searchsorted(level.keys, key))
            if node == len(level) or level.keys[node] != key:
                return UNSEEN
        return node

    def children(self, order: int, context: int) -> slice:
        """The nodes on level ``order`` whose context is the given node one level down."""
        if order == 1:
            return slice(0, self.vocab_size)
        bounds = np.array([context, context + 1], dtype=np.int64) * self.vocab_size
        start, end = np.searchsorted(self.levels[order - 1].keys, bounds)
        return slice(int(start), int(end))

    def child_tokens(self, order: int, nodes: slice) -> Int64s:
        """The last tokens of the given nodes."""
        tokens: Int64s = self.levels[order - 1].keys[nodes] % self.vocab_size
        return tokens

    def descend(self, order: int, contexts: Int32s, tokens: Ids, job: Job = NO_JOB) -> Int32s:
        """Nodes on level ``order`` of many (context node, token) pairs at once, or ``UNSEEN``."""
        keys = self.levels[order - 1].keys
        nodes = np.full(len(tokens), UNSEEN, dtype=np.int32)
        if not len(keys):
            return nodes
        known = np.flatnonzero(contexts != UNSEEN)
        for start in range(0, len(known), SEARCH_BLOCK):
            job.yield_point()
            at = known[start : start + SEARCH_BLOCK]
            wanted = contexts[at].astype(np.int64) * self.vocab_size + tokens[at]
            found = np.searchsorted(keys, wanted)
            found[found == len(keys)] = 0
            hit = keys[found] == wanted
            nodes[at[hit]] = found[hit]
        return nodes

    def walk(self, ids: Ids, order: int, job: Job = NO_JOB) -> Iterator[tuple[Int32s, Int32s]]:
        """Walk any text down the trie: for m = 1 … order, (contexts, nodes), each of shape (T,).

        ``contexts[t]`` is the node on level m − 1 of the m − 1 tokens before xₜ (0, the root,
        for m = 1), ``nodes[t]`` that of the m-gram which xₜ ends; ``UNSEEN`` where there is
        none. The text is read as if E stood before it; an E inside it starts a new document.
        """
        nodes = ids
        yield np.zeros(len(ids), dtype=np.int32), nodes
        for m in range(2, order + 1):
            # Nothing longer than E alone ends where the text begins.
            opening = self.stream.end_of_text if m == 2 else UNSEEN
            contexts = np.concatenate(([opening], nodes))[:-1].astype(np.int32)
            nodes = self.descend(m, contexts, ids, job)
            yield contexts, nodes

    def occurrences(self, ngram: Tokens, limit: int | None = None) -> Int64s:
        """Where an n-gram stands in ``stream.ids``: its first token's positions, ascending.

        Args:
            ngram: one or more ids; E only as the first (begin-of-text) or last (end-of-text).
            limit: at most so many positions, the first ones.
        """
        tokens = check_ids(ngram, self.vocab_size)
        ids, end = self.stream.ids, self.stream.end_of_text
        if not len(tokens) or np.any(tokens[1:-1] == end):
            return np.empty(0, dtype=np.int64)
        at = np.flatnonzero(ids[: len(ids) - len(tokens) + 1] == tokens[0])
        if len(tokens) == 1 and tokens[0] == end:
            at = at[1:]  # the opening E is not a prediction
        for offset, token in enumerate(tokens.tolist()):
            at = at[ids[at + offset] == token]
        return at[:limit].astype(np.int64)


def check_order(order: int) -> None:
    """Raises LabError unless the order is a whole number from 1 to ``HIGHEST_ORDER``."""
    whole = isinstance(order, int | np.integer) and not isinstance(order, bool)
    if not whole or not 1 <= order <= HIGHEST_ORDER:
        raise LabError(
            f"The order of an n-gram model must be a whole number from 1 to {HIGHEST_ORDER}, "
            f"not {order}."
        )


def document_stream(documents: Sequence[Tokens], vocab_size: int) -> TokenStream:
    """Join documents' ids (without end-of-text) into a stream; its bytes are not known: 0.

    Raises:
        ValueError: if an id lies outside 0 … vocab_size − 2.
    """
    marker = np.array([vocab_size - 1], dtype=np.int32)
    parts = [marker]
    for document in documents:
        parts += [check_ids(document, vocab_size - 1), marker]
    return TokenStream(ids=np.concatenate(parts), end_of_text=vocab_size - 1, n_bytes=0)


def _depths(ids: Ids, end: int) -> Int32s:
    """For each place, how many tokens lie before it in its document, the opening E included.

    >>> _depths(np.array([9, 5, 6, 9, 7, 9]), 9).tolist()
    [0, 1, 2, 3, 1, 2]
    """
    depths = np.arange(len(ids), dtype=np.int32)
    last_end = np.maximum.accumulate(np.where(ids == end, depths, 0))
    depths[1:] -= last_end[:-1]
    return depths


def _rank(keys: Int64s, job: Job = NO_JOB) -> tuple[Int64s, Int32s, Int32s, Int64s, Int64s]:
    """Sort keys: (distinct keys, their counts, ranks of the sorted keys, the order that sorts
    them, where in it each distinct key starts). Equal keys stay in the order of their places.
    Uses up ``keys`` as working space.

    >>> [array.tolist() for array in _rank(np.array([7, 3, 7]))]
    [[3, 7], [1, 2], [0, 1, 1], [1, 0, 2], [0, 1]]
    """
    shift = len(keys).bit_length()
    if int(keys.max(initial=0)).bit_length() + shift <= PACKED_BITS:
        # Key and place in one number: sorting numbers is several times faster than argsort.
        keys <<= shift
        keys |= np.arange(len(keys), dtype=np.int64)
        job.yield_point()
        keys.sort()
        job.yield_point()
        order = keys & ((1 << shift) - 1)
        keys >>= shift
    else:
        job.yield_point()
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
    job.yield_point()
    is_new = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    starts = np.flatnonzero(is_new)
    counts = np.diff(starts, append=len(keys)).astype(np.int32)
    unique = keys[starts]
    job.yield_point()
    ranks = np.cumsum(is_new, dtype=np.int32)
    ranks -= 1
    return unique, counts, ranks, order, starts
