"""How large a vocabulary? One training run, measured at every size that it passes through.

BPE learns one merge after another, so a run to 32,768 tokens contains every smaller vocabulary.
What a merge does to the text is known exactly when it is made: n places where (a, b) becomes c
make the text n tokens shorter, c occurs n times from then on, and a and b n times less. Adding
this up gives the text's length, and how often each token is used, at *every* size, without
encoding anything again. The held-out text is encoded once with all merges, in the order of their
ranks; the state after rank r is the encoding by the vocabulary that ends there. Word level needs
no more than the rank of each held-out word among the training words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Ids, to_utf8
from engine.tokenizers.bpe import BPETokenizer, base_alphabet, training_sequences
from engine.tokenizers.bpe_encode import encode_linked, is_ordered, rank_table
from engine.tokenizers.bpe_train import Merge, StopReason, learn_merges
from engine.tokenizers.linked import LinkedSequences, Positions, flatten
from engine.tokenizers.pretokenize import count_words

LARGEST = 32_768
"""The size up to which a sweep learns: where the vocabularies of today's models begin."""

FEW = 10
"""A token seen fewer times than this has hardly anything to learn its vector from."""

GRID = 24
"""At how many sizes the costly measures are taken."""

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VocabularySweep:
    """What every vocabulary size does to a corpus. Arrays are over ``sizes``, shape (S,)."""

    tokenizer: BPETokenizer
    """The largest; ``truncated(size)`` gives any other."""
    sizes: Counts
    """Every vocabulary size passed through, from the base vocabulary on, in steps of one."""
    train_tokens: Counts
    """Tokens of the training documents, end-of-text not counted."""
    held_out_tokens: Counts
    """Tokens of the held-out documents."""
    made: Counts
    """How often each token of the largest vocabulary stood in the training text when it was new:
    a base symbol before any merge, another right after its own. Shape (largest,)."""
    few: Counts
    """Tokens of the vocabulary that stand fewer than FEW times in the training text."""
    unknown_share: Shares
    """Share of the held-out words that a word-level vocabulary of this size (``<unk>`` included)
    does not hold; NaN where nothing is held out."""
    n_words: int
    """Distinct words of the training documents: the word level's vocabulary ends here."""
    n_train_bytes: int
    n_held_out_bytes: int

    @property
    def stop_reason(self) -> StopReason:
        """Why learning ended."""
        return self.tokenizer.stop_reason

    @property
    def smallest(self) -> int:
        """|Σ₀|."""
        return int(self.sizes[0])

    @property
    def largest(self) -> int:
        """The size at which learning ended."""
        return int(self.sizes[-1])

    def index(self, size: int) -> int:
        """Where a size stands in the arrays; sizes outside are drawn to the nearer end."""
        return min(max(size, self.smallest), self.largest) - self.smallest

    def token_count(self, token: int, size: int) -> int:
        """How often a token stands in the training text under the vocabulary of a size: as often
        as when it was new, less what later merges took of it."""
        merges = self.tokenizer.merges[: self.index(size)]
        made = self.made[self.smallest : self.smallest + len(merges)]
        taken = [(merge.left == token) + (merge.right == token) for merge in merges]
        return int(self.made[token] - np.dot(made, np.array(taken, np.int64)))


def embedding_parameters(vocab_size: int, width: int) -> int:
    """Numbers in the embedding matrix W: one row of d for each token, V · d."""
    return vocab_size * width


def sweep_sizes(smallest: int, largest: int, count: int = GRID) -> list[int]:
    """At most ``count`` sizes from the smallest to the largest, evenly spread in their logarithm.

    >>> sweep_sizes(256, 2048, 4)
    [256, 512, 1024, 2048]
    """
    if largest <= smallest or count < 2:
        return [smallest]
    spread = np.geomspace(max(smallest, 1), largest, count)
    return sorted({smallest, largest, *np.rint(spread).astype(int).tolist()})


def sweep_vocabulary(
    train: Sequence[str], held_out: Sequence[str], largest: int = LARGEST, job: Job = NO_JOB
) -> VocabularySweep:
    """Learn byte-level BPE (merges inside words) and measure every size on the way.

    Args:
        train: documents to learn from.
        held_out: documents that are only measured.
        largest: where to stop, if pairs still occur twice.
        job: progress and cancellation.

    Raises:
        LabError: if ``largest`` is smaller than the 256 bytes.
        JobCancelled: if the work was asked to stop.
    """
    alphabet = base_alphabet(train, "bytes")
    words = count_words(train, job)
    symbols, lengths = alphabet.encode_many(list(words))
    weights = list(words.values())
    use = _Use(symbols, lengths, weights, alphabet.size)
    BPETokenizer.train("", largest)  # refuses a size that makes no sense, in its own words
    learned = learn_merges(
        flatten(symbols, lengths, weights),
        alphabet.tokens,
        largest,
        "smallest_ids",
        job,
        use.merged,
    )
    tokenizer = BPETokenizer(alphabet, learned.merges, True, "smallest_ids", learned.stop_reason)
    sizes = np.arange(alphabet.size, tokenizer.vocab_size + 1, dtype=np.int64)
    held_words = count_words(held_out, job)
    return VocabularySweep(
        tokenizer=tokenizer,
        sizes=sizes,
        train_tokens=np.array(use.lengths, dtype=np.int64),
        held_out_tokens=lengths_by_size(tokenizer, held_out, job),
        made=np.array(use.made, dtype=np.int64),
        few=np.array(use.few, dtype=np.int64),
        unknown_share=unknown_shares(words, held_words, sizes),
        n_words=len(words),
        n_train_bytes=sum(len(to_utf8(document)) for document in train),
        n_held_out_bytes=sum(len(to_utf8(document)) for document in held_out),
    )


def position_weights(lengths: Counts, weights: Sequence[int]) -> Counts:
    """How much each position of ``flatten(symbols, lengths, weights)`` counts, shape (n,)."""
    each = np.asarray(weights, dtype=np.int64)
    return np.append(np.repeat(each, lengths + 1), 0)


class _Use:
    """The length of the text and the number of rare tokens, brought up to date at each merge."""

    def __init__(
        self, symbols: Ids, lengths: Counts, weights: Sequence[int], base_size: int
    ) -> None:
        self._weights = position_weights(lengths, weights)
        per_symbol = np.repeat(np.asarray(weights, dtype=np.int64), lengths)
        counted = np.bincount(symbols, weights=per_symbol, minlength=base_size)
        self._counts: list[int] = np.rint(counted).astype(np.int64).tolist()
        self.made = list(self._counts)
        self.lengths = [int(per_symbol.sum())]
        self.few = [sum(count < FEW for count in self._counts)]

    def merged(self, merge: Merge, positions: Positions) -> None:
        """(left, right) became a new token at these positions."""
        made = int(self._weights[np.asarray(positions, dtype=np.int64)].sum())
        counts, few = self._counts, self.few[-1]
        for parent in (merge.left, merge.right):
            before = counts[parent]
            counts[parent] = before - made
            few += (before - made < FEW) - (before < FEW)
        counts.append(made)
        self.made.append(made)
        self.few.append(few + (made < FEW))
        self.lengths.append(self.lengths[-1] - made)


def lengths_by_size(tokenizer: BPETokenizer, documents: Sequence[str], job: Job = NO_JOB) -> Counts:
    """Tokens of the documents under ``tokenizer.truncated(size)`` for every size from the base
    vocabulary to all of it, shape (S,).

    Of a tokenizer learned here, whose every merge makes a new token.
    """
    base = tokenizer.alphabet.size
    saved = np.zeros(tokenizer.vocab_size - base + 1, dtype=np.int64)
    if not documents:
        return saved
    weights: Counts | None = None
    sequences: LinkedSequences
    if tokenizer.pre_tokenize:
        words = count_words(documents, job)
        symbols, lengths = tokenizer.alphabet.encode_many(list(words))
        counted = list(words.values())
        weights = position_weights(lengths, counted)
        sequences = flatten(symbols, lengths, counted)
        saved[0] = -int(weights[np.flatnonzero(sequences.symbols() >= 0)].sum())
    else:
        sequences = training_sequences(documents, tokenizer.alphabet, False, job)
        saved[0] = -int(np.count_nonzero(sequences.symbols() >= 0))
    ranks = rank_table(tokenizer.merges)

    def seen(rank: int, positions: Positions) -> None:
        made = len(positions)
        if weights is not None:
            made = int(weights[np.asarray(positions, dtype=np.int64)].sum())
        saved[rank + 1] += made
        if rank % 64 == 0:
            job.progress(rank, len(tokenizer.merges), "Measuring the held-out text (merges)")

    encode_linked(sequences, ranks, is_ordered(ranks), seen)
    return -np.cumsum(saved)


def unknown_shares(
    train_words: dict[str, int], held_out_words: dict[str, int], sizes: Counts
) -> Shares:
    """Share of held-out words unknown to the word level of each size, shape (S,): of V tokens
    one is ``<unk>``, so the V − 1 most frequent training words are known."""
    total = sum(held_out_words.values())
    if not total:
        return np.full(len(sizes), np.nan)
    ranked = sorted(train_words.items(), key=lambda item: -item[1])  # ties as first seen
    known = np.zeros(len(ranked) + 1, dtype=np.int64)
    for rank, (word, _) in enumerate(ranked, start=1):
        known[rank] = held_out_words.get(word, 0)
    known_by_size = np.cumsum(known)
    shares: Shares = 1.0 - known_by_size[np.minimum(sizes - 1, len(ranked))] / total
    return shares
