"""Base vocabularies Σ₀: the smallest tokens, characters or bytes, of which texts are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.tokenizers.base import Ids, to_utf8
from engine.tokenizers.table import UNKNOWN_BYTES

Counts = npt.NDArray[np.int64]

_REPLACEMENT = 0xFFFD


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The text's code points, shape (characters,); each surrogate reads as U+FFFD."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    surrogate = (codes & 0xFFFFF800) == 0xD800
    return np.where(surrogate, np.uint32(_REPLACEMENT), codes) if surrogate.any() else codes


def utf8_lengths(codes: npt.NDArray[np.uint32]) -> Counts:
    """How many bytes UTF-8 takes for each code point: 1 to 4."""
    return 1 + (codes >= 0x80).astype(np.int64) + (codes >= 0x800) + (codes >= 0x10000)


class Alphabet(ABC):
    """A base vocabulary: one id for each base token, given text in, base ids out."""

    tokens: tuple[bytes, ...]
    """The bytes of each base token, by id."""
    unknown_id: int | None = None
    """The id of ``<unk>``, or None where every text can be written."""

    @property
    def mergeable(self) -> int:
        """Ids from here on take part in no merge: ``<unk>``, and byte fallback."""
        return self.size

    @abstractmethod
    def encode(self, text: str) -> Ids:
        """The base ids of a text, shape (T₀,)."""

    @abstractmethod
    def encode_many(self, texts: Sequence[str]) -> tuple[Ids, Counts]:
        """The base ids of many texts, one behind the other, and how many each has."""

    def unknown_byte_lengths(self, text: str) -> Counts:
        """UTF-8 lengths of the text's unknown characters, in order."""
        return np.empty(0, dtype=np.int64)

    @property
    def size(self) -> int:
        """|Σ₀|."""
        return len(self.tokens)


class ByteAlphabet(Alphabet):
    """The 256 bytes, in any order."""

    def __init__(self, order: Sequence[int] = range(256)) -> None:
        if sorted(order) != list(range(256)):
            raise LabError("A byte alphabet must name each of the 256 bytes once.")
        self.order = tuple(order)
        self.tokens = tuple(bytes([b]) for b in order)
        self._id_of_byte = np.empty(256, dtype=np.int32)
        self._id_of_byte[list(order)] = np.arange(256, dtype=np.int32)

    def encode(self, text: str) -> Ids:
        return self._id_of_byte[np.frombuffer(to_utf8(text), dtype=np.uint8)]

    def encode_many(self, texts: Sequence[str]) -> tuple[Ids, Counts]:
        data = list(map(to_utf8, texts))
        lengths = np.fromiter(map(len, data), np.int64, len(data))
        return self._id_of_byte[np.frombuffer(b"".join(data), dtype=np.uint8)], lengths


class CharacterAlphabet(Alphabet):
    """Given characters, then either the 256 bytes (byte fallback) or ``<unk>``.

    With byte fallback a character outside the alphabet is written as its UTF-8 bytes, so that
    nothing is ever unknown; without it, it becomes ``<unk>``.
    """

    def __init__(self, characters: Iterable[str], byte_fallback: bool = False) -> None:
        self.characters = tuple(characters)
        self.byte_fallback = byte_fallback
        codes = np.fromiter(map(ord, self.characters), np.int64, len(self.characters))
        if len(np.unique(codes)) != len(codes):
            raise LabError("An alphabet must not name a character twice.")
        if np.any((codes >= 0xD800) & (codes <= 0xDFFF)):
            raise LabError("An alphabet cannot hold surrogates: they are no characters.")
        tokens = [c.encode("utf-8") for c in self.characters]
        self._fallback_start = len(tokens)
        if byte_fallback:
            tokens += [bytes([b]) for b in range(256)]
        else:
            self.unknown_id = len(tokens)
            tokens.append(UNKNOWN_BYTES)
        self.tokens = tuple(tokens)
        # One entry for every code point up to the largest known, −1 where unknown, and one
        # more for everything beyond.
        largest = int(codes.max(initial=-1))
        self._id_of_code = np.full(largest + 2, -1, dtype=np.int32)
        self._id_of_code[codes] = np.arange(len(codes), dtype=np.int32)

    @property
    def mergeable(self) -> int:
        return len(self.characters)

    @classmethod
    def of_texts(cls, texts: Iterable[str], byte_fallback: bool = False) -> CharacterAlphabet:
        """The characters of the texts, by code point."""
        found: set[str] = set()
        for text in texts:
            found |= set(text)
        characters = {
            "\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in found
        }
        return cls(sorted(characters), byte_fallback)

    def _known_ids(self, codes: npt.NDArray[np.uint32]) -> Ids:
        """Ids of the characters, −1 where unknown."""
        beyond = np.uint32(len(self._id_of_code) - 1)
        return self._id_of_code[np.minimum(codes, beyond)]

    def encode(self, text: str) -> Ids:
        return self._spell(code_points(text))[0]

    def encode_many(self, texts: Sequence[str]) -> tuple[Ids, Counts]:
        ids, rooms = self._spell(code_points("".join(texts)))
        characters = np.fromiter(map(len, texts), np.int64, len(texts))
        if len(ids) == len(rooms):
            return ids, characters
        ends = np.concatenate(([0], np.cumsum(rooms)))[np.cumsum(characters)]
        return ids, np.diff(ends, prepend=0)

    def _spell(self, codes: npt.NDArray[np.uint32]) -> tuple[Ids, Counts]:
        """The base ids, shape (T₀,), and how many each character takes, shape (characters,)."""
        ids = self._known_ids(codes)
        rooms = np.ones(len(codes), dtype=np.int64)
        unknown = ids < 0
        if not unknown.any():
            return ids, rooms
        if self.unknown_id is not None:
            ids[unknown] = self.unknown_id
            return ids, rooms
        # Each unknown character makes room for its bytes.
        rooms[unknown] = utf8_lengths(codes[unknown])
        spelled = np.repeat(ids, rooms)
        data = np.frombuffer("".join(map(chr, codes[unknown].tolist())).encode(), dtype=np.uint8)
        spelled[spelled < 0] = data.astype(np.int32) + self._fallback_start
        return spelled, rooms

    def unknown_byte_lengths(self, text: str) -> Counts:
        codes = code_points(text)
        return utf8_lengths(codes[self._known_ids(codes) < 0])


def gpt2_byte_characters() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte: itself where printable, else U+0100 and on.

    Radford et al. (2019) write byte-level tokens with these characters, and so do the files
    of Hugging Face ``tokenizers``.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    stand_in = {b: chr(b) for b in printable}
    others = [b for b in range(256) if b not in stand_in]
    return stand_in | {b: chr(0x100 + i) for i, b in enumerate(others)}


GPT2_BYTE_ORDER = tuple(sorted(range(256), key=gpt2_byte_characters().__getitem__))
"""The bytes in the order of GPT-2's ids (and of Hugging Face's byte-level trainer): first the
printable ones, then the rest. "!" is 0, "A" is 32, the space is 220."""
