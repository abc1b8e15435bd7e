"""One token for each word: short sequences, a large vocabulary, and words that are unknown."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Ids
from engine.tokenizers.pretokenize import count_words, pretokenize, pretokens_by_segment
from engine.tokenizers.table import UNKNOWN_BYTES, TableTokenizer


class WordTokenizer(TableTokenizer):
    """The most frequent words of a text; all others are ``<unk>``, the last id.

    A word is a pre-token (see ``pretokenize``): with the space before it, and punctuation by
    itself, so that joining the tokens gives the text again, unknown words apart.

    >>> words = WordTokenizer.train("Hello world! Hello all!")
    >>> [words.token_bytes(i) for i in words.encode("Hello world!")]
    [b'Hello', b' world', b'!']
    """

    kind = "words"

    def __init__(self, words: Sequence[str], counts: Sequence[int] | None = None) -> None:
        """Make it from its words, by id.

        Args:
            words: the known words.
            counts: how often each occurred in training, if known.

        Raises:
            LabError: if a word is empty or comes twice, or the counts are not one a word.
        """
        self._words = tuple(words)
        self._counts = None if counts is None else tuple(counts)
        self._id_of = {word: i for i, word in enumerate(self._words)}
        if len(self._id_of) != len(self._words) or "" in self._id_of:
            raise LabError("A word vocabulary must not hold an empty word, or a word twice.")
        if self._counts is not None and len(self._counts) != len(self._words):
            raise LabError("A word vocabulary must have one count for each word.")
        try:
            tokens = [word.encode("utf-8") for word in self._words]
        except UnicodeEncodeError:
            raise LabError("A word vocabulary cannot hold surrogates.") from None
        super().__init__([*tokens, UNKNOWN_BYTES], unknown_id=len(self._words))

    @classmethod
    def train(
        cls, text: str | Sequence[str], max_size: int | None = None, job: Job = NO_JOB
    ) -> WordTokenizer:
        """The tokenizer of a text's words, most frequent first, ties as first seen.

        Args:
            text: what to learn the words from, one text or several documents.
            max_size: the largest vocabulary wanted, ``<unk>`` included; None for every word.
            job: told of progress.

        Raises:
            LabError: if ``max_size`` is below 1.
        """
        if max_size is not None and max_size < 1:
            raise LabError("A word vocabulary has at least one token, <unk>: ask for 1 or more.")
        counted = count_words([text] if isinstance(text, str) else text, job)
        ranked = sorted(counted.items(), key=lambda item: -item[1])
        kept = ranked if max_size is None else ranked[: max_size - 1]
        return cls([word for word, _ in kept], [count for _, count in kept])

    @property
    def name(self) -> str:
        return f"Words, {self.vocab_size:,} tokens"

    @property
    def words(self) -> tuple[str, ...]:
        """The known words; the i-th has id i."""
        return self._words

    @property
    def counts(self) -> tuple[int, ...] | None:
        """How often each known word occurred in training, if this was trained here."""
        return self._counts

    def truncated(self, max_size: int) -> WordTokenizer:
        """The same with only the first words: what training with ``max_size`` would give.

        Raises:
            LabError: if ``max_size`` is below 1.
        """
        if max_size < 1:
            raise LabError("A word vocabulary has at least one token, <unk>: ask for 1 or more.")
        kept = max_size - 1
        return WordTokenizer(self._words[:kept], self._counts and self._counts[:kept])

    def encode_array(self, text: str) -> Ids:
        unknown = itertools.repeat(len(self._words))
        parts = [
            np.fromiter(map(self._id_of.get, pieces, unknown), np.int32, len(pieces))
            for pieces in pretokens_by_segment(text)
        ]
        return np.concatenate([np.empty(0, np.int32), *parts])

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        unknown = [piece for piece in pretokenize(text) if piece not in self._id_of]
        return np.fromiter((len(p.encode("utf-8")) for p in unknown), np.int64, len(unknown))

    def to_dict(self) -> dict[str, Any]:
        counts = None if self._counts is None else list(self._counts)
        return {"kind": self.kind, "version": 1, "words": list(self._words), "counts": counts}
