"""How a tokenizer does on a text: lengths, unknown tokens, and how often each token is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Ids, Tokenizer, to_utf8, without_surrogates
from engine.tokenizers.bpe import BPETokenizer
from engine.tokenizers.bpe_encode import encode_linked, is_ordered, rank_table
from engine.tokenizers.linked import flatten
from engine.tokenizers.pretokenize import count_words
from engine.tokenizers.words import WordTokenizer

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """Counts for one text under one tokenizer."""

    tokens: int
    characters: int
    """Code points of the text."""
    n_bytes: int
    """UTF-8 bytes of the text."""
    unknown: int
    """Tokens that are ``<unk>``."""
    distinct: int
    """Different tokens in use."""

    @property
    def characters_per_token(self) -> float:
        """NaN for an empty text."""
        return self.characters / self.tokens if self.tokens else float("nan")

    @property
    def bytes_per_token(self) -> float:
        """NaN for an empty text."""
        return self.n_bytes / self.tokens if self.tokens else float("nan")

    @property
    def unknown_rate(self) -> float:
        """The share of tokens that are ``<unk>``; NaN for an empty text."""
        return self.unknown / self.tokens if self.tokens else float("nan")


def token_statistics(tokenizer: Tokenizer, text: str, ids: Ids | None = None) -> TokenStatistics:
    """Count a text's tokens; pass ``ids`` if they are encoded already."""
    encoded = tokenizer.encode_array(text) if ids is None else ids
    unknown = tokenizer.unknown_id
    return TokenStatistics(
        tokens=len(encoded),
        characters=len(text),
        n_bytes=len(to_utf8(text)),
        unknown=0 if unknown is None else int(np.count_nonzero(encoded == unknown)),
        distinct=len(np.unique(encoded)),
    )


def token_counts(ids: Ids, vocab_size: int) -> Counts:
    """How often each token occurs, shape (vocab_size,)."""
    return np.bincount(ids, minlength=vocab_size).astype(np.int64)


def count_tokens(tokenizer: Tokenizer, documents: Sequence[str], job: Job = NO_JOB) -> Counts:
    """How often each token stands in documents that are encoded one by one, shape (vocab_size,).

    Equal words are equal tokens, so where no token crosses a word each distinct word is encoded
    once and counts as often as it stands there.

    Raises:
        JobCancelled: if the work was asked to stop.
    """
    if isinstance(tokenizer, WordTokenizer):
        return _count_known_words(tokenizer, count_words(documents, job))
    if isinstance(tokenizer, BPETokenizer):
        return _count_merged(tokenizer, documents, job)
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    for done, document in enumerate(documents):
        if done % 64 == 0:
            job.progress(done, len(documents), "Counting tokens")
        counts += token_counts(tokenizer.encode_array(document), tokenizer.vocab_size)
    return counts


def _count_known_words(tokenizer: WordTokenizer, words: dict[str, int]) -> Counts:
    known = np.array([words.get(word, 0) for word in tokenizer.words], np.int64)
    return np.append(known, sum(words.values()) - known.sum())  # <unk> comes last


def _count_merged(tokenizer: BPETokenizer, documents: Sequence[str], job: Job) -> Counts:
    if tokenizer.pre_tokenize:
        words = count_words(documents, job)
        pieces, weights = list(words), list(words.values())
    else:
        pieces = [without_surrogates(document) for document in documents]
        weights = [1] * len(pieces)
    sequences = flatten(*tokenizer.alphabet.encode_many(pieces), weights)
    ranks = rank_table(tokenizer.merges)
    job.progress(0, None, "Counting tokens")
    merged = encode_linked(sequences, ranks, is_ordered(ranks), lambda _, __: job.yield_point())
    # A separator, below 0, stands before each piece and after the last.
    is_token = merged >= 0
    piece = np.cumsum(~is_token) - 1
    per_token = np.asarray(weights, np.int64)[piece[is_token]]
    counts = np.zeros(tokenizer.vocab_size, np.int64)
    np.add.at(counts, merged[is_token], per_token)
    return counts
