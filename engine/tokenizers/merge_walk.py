"""BPE on one text, merge by merge, forward and back: what a learner steps through.

Two walks: ``MergeWalk.learning`` learns merges from the text itself (each step merges the most
frequent pair), ``MergeWalk.encoding`` applies a tokenizer's merges to it (each step applies the
rule of lowest rank). Every state can be asked for at once, in any order: what each step did is
noted when the walk is made, so that a state is put together in whole-array steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.alphabet import Alphabet
from engine.tokenizers.base import Ids, code_point_spans, without_surrogates
from engine.tokenizers.bpe import Base, BPETokenizer, base_alphabet
from engine.tokenizers.bpe_encode import encode_linked, is_ordered, rank_table
from engine.tokenizers.bpe_train import MIN_COUNT, Merge, StopReason, TieRule, learn_merges
from engine.tokenizers.linked import LinkedSequences, Positions, flatten
from engine.tokenizers.pretokenize import pretokenize

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairCount:
    """A pair of neighbouring tokens in one state of a walk."""

    left: int
    right: int
    count: int
    """How often it stands in the text, overlaps included."""
    first: int
    """Index of the token where it first stands."""
    rank: int | None
    """The rank of the walk's merge that joins it, if there is one."""


@dataclass(frozen=True)
class MergeState:
    """The text after some steps of a walk."""

    step: int
    """How many steps were made."""
    ids: Ids
    """The tokens, shape (T,)."""
    byte_spans: list[tuple[int, int]]
    """Where each token stands in the text's UTF-8 bytes."""
    spans: list[tuple[int, int]]
    """Where each token stands in code points (see ``Tokenizer.spans``)."""
    pairs: tuple[PairCount, ...]
    """All pairs that may be merged: most frequent first, equals by the walk's tie rule."""
    last: Merge | None
    """The merge that led here; None at the start."""
    next: Merge | None
    """The merge that comes next; None at the end."""
    fresh: Ids
    """Indices of the tokens that the last step made, shape (n,)."""

    @property
    def ties(self) -> tuple[PairCount, ...]:
        """The most frequent pairs, if any stands twice: the next merge is one of them."""
        if not self.pairs or self.pairs[0].count < MIN_COUNT:
            return ()
        top = self.pairs[0].count
        return tuple(pair for pair in self.pairs if pair.count == top)

    def choice(self, rule: TieRule) -> PairCount | None:
        """Which of the most frequent pairs a tie rule takes; None if no pair stands twice."""
        key = _first_seen if rule == "first_seen" else _smallest_ids
        return min(self.ties, key=key, default=None)


def _first_seen(pair: PairCount) -> tuple[int, ...]:
    return (pair.first,)


def _smallest_ids(pair: PairCount) -> tuple[int, ...]:
    return (pair.left, pair.right)


class MergeWalk:
    """All states of a text from its base symbols to the last merge. Immutable."""

    def __init__(
        self,
        text: str,
        tokens: Sequence[bytes],
        base: _BaseSymbols,
        steps: Sequence[tuple[Merge, Positions]],
        tie_rule: TieRule,
        stop_reason: StopReason | None,
    ) -> None:
        """Use ``learning`` or ``encoding``."""
        self.text = text
        self.tokens = tuple(tokens)
        """The bytes of every token, by id."""
        self.tie_rule: TieRule = tie_rule
        self.stop_reason = stop_reason
        """Why learning ended; None for a walk that encodes."""
        self.merges = tuple(merge for merge, _ in steps)
        """The merge of each step."""
        self._base = base
        sizes = [len(positions) for _, positions in steps]
        self._ends = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))  # (steps + 1,)
        self._made_at = np.concatenate(
            [np.empty(0, np.int64), *(np.asarray(places, np.int64) for _, places in steps)]
        )
        self._made = np.repeat(np.array([merge.id for merge in self.merges], np.int32), sizes)
        # The right parent starts where the left one ends, and is gone from that step on.
        symbols_in = _base_lengths(len(tokens), self.merges)
        left = np.repeat(np.array([merge.left for merge in self.merges], np.int64), sizes)
        self._gone_after = np.full(len(base.ids), len(steps), dtype=np.int64)
        self._gone_after[self._made_at + symbols_in[left]] = np.repeat(np.arange(len(steps)), sizes)

    @classmethod
    def learning(
        cls,
        text: str,
        vocab_size: int | None = None,
        base: Base = "characters",
        pre_tokenize: bool = False,
        tie_rule: TieRule = "first_seen",
        job: Job = NO_JOB,
    ) -> MergeWalk:
        """Learn merges from the text itself; with the defaults, the tutorial's algorithm.

        Args:
            text: any text; up to some 10 kB, all is instant.
            vocab_size: tokens wanted; None to go on until no pair occurs twice.
            base: see ``BPETokenizer.train``, as for the rest.
            pre_tokenize: learn inside pre-tokens only.
            tie_rule: which of equally frequent pairs is merged.
            job: told of progress.

        Raises:
            LabError: if ``base`` is unknown.
        """
        alphabet = base_alphabet([text], base)
        symbols = _BaseSymbols(text, alphabet, pre_tokenize)
        steps: list[tuple[Merge, Positions]] = []
        learned = learn_merges(
            symbols.linked(),
            alphabet.tokens,
            alphabet.size + len(symbols.ids) if vocab_size is None else vocab_size,
            tie_rule,
            job,
            lambda merge, positions: steps.append((merge, positions)),
        )
        return cls(text, learned.tokens, symbols, steps, tie_rule, learned.stop_reason)

    @classmethod
    def encoding(cls, text: str, tokenizer: BPETokenizer) -> MergeWalk:
        """Apply a tokenizer's merges to the text: the last state is ``encode(text)``.

        Only rules that find a pair are steps. Where two merges of the tokenizer make the same
        token, a step may join a pair in one place only (see ``bpe_encode``).
        """
        symbols = _BaseSymbols(text, tokenizer.alphabet, tokenizer.pre_tokenize)
        ranks = rank_table(tokenizer.merges)
        steps: list[tuple[Merge, Positions]] = []
        encode_linked(
            symbols.linked(),
            ranks,
            is_ordered(ranks),
            lambda rank, positions: steps.append((tokenizer.merges[rank], positions)),
        )
        tokens = [tokenizer.token_bytes(i) for i in range(tokenizer.vocab_size)]
        rule = tokenizer.tie_rule or "smallest_ids"
        walk = cls(text, tokens, symbols, steps, rule, None)
        walk._rank_of = {pair: rank for pair, (rank, _) in ranks.items()}
        return walk

    def __len__(self) -> int:
        """How many steps there are; states are 0 … len(walk)."""
        return len(self.merges)

    @property
    def lengths(self) -> Int64:
        """How many tokens the text has after each number of steps, shape (steps + 1,)."""
        return self._base.count - self._ends

    @cached_property
    def _rank_of(self) -> dict[tuple[int, int], int]:
        ranks: dict[tuple[int, int], int] = {}
        for rank, merge in enumerate(self.merges):
            ranks.setdefault((merge.left, merge.right), rank)
        return ranks

    def ids(self, step: int) -> Ids:
        """The tokens after ``step`` steps, shape (T,).

        Raises:
            LabError: if there is no such step.
        """
        return self._standing(step)[0]

    def _standing(self, step: int) -> tuple[Ids, Int64]:
        """The tokens after ``step`` steps, and the position of each among the base symbols."""
        if not 0 <= step <= len(self):
            raise LabError(f"This walk has {len(self)} steps: there is no step {step}.")
        ids = self._base.ids.copy()
        done = self._ends[step]
        # Where a position was made anew several times, numpy keeps the last, which is right.
        ids[self._made_at[:done]] = self._made[:done]
        positions = np.flatnonzero((self._gone_after >= step) & (self._base.ids >= 0))
        return ids[positions], positions

    def step(self, step: int) -> MergeState:
        """The state after ``step`` steps, 0 … len(walk).

        Raises:
            LabError: if there is no such step.
        """
        ids, positions = self._standing(step)
        fresh = self._made_at[self._ends[max(step - 1, 0)] : self._ends[step]]
        starts = self._base.byte_starts[positions].tolist()
        byte_spans = list(itertools.pairwise([*starts, self._base.n_bytes]))
        return MergeState(
            step=step,
            ids=ids,
            byte_spans=byte_spans,
            spans=code_point_spans(self.text, byte_spans),
            pairs=self._pairs(ids, positions),
            last=self.merges[step - 1] if step else None,
            next=self.merges[step] if step < len(self) else None,
            fresh=np.searchsorted(positions, np.sort(fresh)).astype(np.int32),
        )

    def _pairs(self, ids: Ids, positions: Int64) -> tuple[PairCount, ...]:
        if len(ids) < 2:
            return ()
        sequence = self._base.sequence[positions]
        together = np.flatnonzero(sequence[1:] == sequence[:-1])
        keys = ids[together].astype(np.int64) << 32 | ids[together + 1]
        distinct, index, counts = np.unique(keys, return_index=True, return_counts=True)
        firsts = together[index]
        pairs = [
            PairCount(left, right, count, first, self._rank_of.get((left, right)))
            for left, right, count, first in zip(
                (distinct >> 32).tolist(),
                (distinct & 0xFFFFFFFF).tolist(),
                counts.tolist(),
                firsts.tolist(),
                strict=True,
            )
            if not {left, right} & self._base.unmergeable
        ]
        tie = _first_seen if self.tie_rule == "first_seen" else _smallest_ids
        return tuple(sorted(pairs, key=lambda pair: (-pair.count, *tie(pair))))


class _BaseSymbols:
    """A text in base symbols, with separators around each sequence as in ``linked``."""

    def __init__(self, text: str, alphabet: Alphabet, pre_tokenize: bool) -> None:
        clean = without_surrogates(text)
        pieces = pretokenize(clean) if pre_tokenize else [clean]
        symbols, lengths = alphabet.encode_many(pieces)
        self.ids = flatten(symbols, lengths).symbols()
        """Shape (n,), with separators."""
        self.count = len(symbols)
        self.n_bytes = len(clean.encode("utf-8"))
        self.sequence = np.cumsum(self.ids < 0)
        """Which sequence each position belongs to, shape (n,)."""
        inside = self.ids >= 0
        sizes = np.fromiter(map(len, alphabet.tokens), np.int64, alphabet.size)[symbols]
        if alphabet.unknown_id is not None:
            sizes[symbols == alphabet.unknown_id] = alphabet.unknown_byte_lengths(clean)
        self.byte_starts = np.zeros(len(self.ids), dtype=np.int64)
        """Where each base symbol starts in the text's bytes, shape (n,)."""
        self.byte_starts[inside] = np.cumsum(sizes) - sizes
        self.unmergeable = set(range(alphabet.mergeable, alphabet.size))

    def linked(self) -> LinkedSequences:
        """A fresh copy to be merged."""
        return LinkedSequences(self.ids)


def _base_lengths(vocab_size: int, merges: Sequence[Merge]) -> Int64:
    """How many base symbols each token spans."""
    lengths = np.ones(vocab_size, dtype=np.int64)
    for merge in merges:
        lengths[merge.id] = lengths[merge.left] + lengths[merge.right]
    return lengths
