"""One interface for every way of cutting text into tokens: f : Σ₀* → Σ* in the tutorial."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
"""Token ids, shape (T,)."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokenizer(ABC):
    """Cuts text into tokens and puts it together again.

    ``decode(encode(text)) == text`` for every text of Unicode scalar values, unless
    ``lossless`` is false (word level: what is not in the vocabulary becomes ``<unk>``, which is
    counted and shown). Lone surrogates are no characters: ``encode`` reads each as U+FFFD.
    Tokenizers are immutable once made, and safe to share between threads.
    """

    kind: str
    """Short machine name of the sort: "characters", "bytes", "words", "bpe"."""

    lossless: bool = True
    """Whether decode(encode(text)) == text for every text."""

    crosses_words: bool = False
    """Whether one token may hold parts of two pre-tokens (see ``pretokenize``). Where it may,
    a distribution over words cannot be lifted to tokens."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the learner reads, such as "BPE, 512 tokens"."""

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """|Σ|, the number of ids: 0 … vocab_size − 1. Holds no end-of-text token."""

    @property
    def unknown_id(self) -> int | None:
        """The id of ``<unk>``, or None where nothing is ever unknown."""
        return None

    @abstractmethod
    def encode_array(self, text: str) -> Ids:
        """The ids of the text's tokens, shape (T,), int32. Never raises for any str."""

    def encode(self, text: str) -> list[int]:
        """The ids of the text's tokens. Never raises for any str."""
        ids: list[int] = self.encode_array(text).tolist()
        return ids

    @abstractmethod
    def token_bytes(self, token_id: int) -> bytes:
        """The UTF-8 bytes that the token stands for (not always whole characters).

        Raises:
            IndexError: if there is no such id.
        """

    def decode(self, ids: Sequence[int] | Iterable[int] | Ids) -> str:
        """The text of the ids. Bytes that are no UTF-8 become U+FFFD; never raises for
        ids inside the vocabulary."""
        return b"".join(self.token_bytes(int(i)) for i in ids).decode("utf-8", errors="replace")

    @abstractmethod
    def byte_spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of ``encode(text)`` stands, as (start, end) in the text's UTF-8
        bytes (lone surrogates read as U+FFFD). The spans tile the bytes from first to last."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of ``encode(text)`` stands, as (start, end) in code points.

        The spans tile the text. A character that several tokens share belongs to the token
        that holds its first byte; the others get an empty span just behind it.

        >>> ByteTokenizer().spans("é!")
        [(0, 1), (1, 1), (1, 2)]
        """
        return code_point_spans(text, self.byte_spans(text))

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Everything that makes this tokenizer, as JSON values, with "kind" and "version"."""


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each surrogate: those are code units, no characters."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def to_utf8(text: str) -> bytes:
    """The text's UTF-8 bytes, each lone surrogate read as U+FFFD."""
    return without_surrogates(text).encode("utf-8")


def code_point_spans(text: str, byte_spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn spans over UTF-8 bytes that tile the text into spans over code points that do."""
    data = np.frombuffer(to_utf8(text), dtype=np.uint8)
    starts_character = (data & 0xC0) != 0x80  # (bytes,)
    # characters_before[b] = number of characters whose first byte lies before byte b
    characters_before = np.concatenate(([0], np.cumsum(starts_character)))
    return [(int(characters_before[a]), int(characters_before[b])) for a, b in byte_spans]
