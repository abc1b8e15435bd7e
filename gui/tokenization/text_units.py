"""A text cut in the ways that need no tokenizer: characters, code points, bytes. No Qt."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from engine.tokenizers.alphabet import code_points, utf8_lengths
from engine.tokenizers.base import Ids, to_utf8, without_surrogates
from gui.widgets.token_text import Piece, Vocabulary, display_text, hex_bytes, isolate

Int64 = npt.NDArray[np.int64]

_CLUSTER = regex.compile(r"\X")
_TOLD = 8  # code points of one character that are written out


@dataclass(frozen=True)
class Units:
    """A text as a row of N units of one sort."""

    ids: Ids
    """Shape (N,)."""
    vocabulary: Vocabulary
    byte_spans: Int64
    """Shape (N, 2): where each stands in the text's UTF-8 bytes."""
    fills: Int64 | None = None
    """Shape (N,): the number of the character that each belongs to, for its colour."""
    describe: Callable[[int], str] | None = None
    """All that is known of a unit, one fact a line."""


class CutText:
    """One text, cut into what people see (grapheme clusters), into code points, and bytes.

    Lone surrogates are no characters; each reads as U+FFFD, and ``surrogates`` counts them.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.clean = without_surrogates(text)
        self.surrogates = sum(a != b for a, b in zip(text, self.clean, strict=True))
        self.data = to_utf8(text)
        self.clusters: list[str] = _CLUSTER.findall(self.clean)
        self.codes = code_points(text)  # (code points,)
        sizes = np.fromiter((len(c) for c in self.clusters), np.int64, len(self.clusters))
        self._code_spans = _spans(utf8_lengths(self.codes))
        # The cluster each code point belongs to, and the code point each byte belongs to.
        self._cluster_of = np.repeat(np.arange(len(sizes)), sizes)
        self._code_of = np.repeat(np.arange(len(self.codes)), np.diff(self._code_spans)[:, 0])
        lengths = np.bincount(
            self._cluster_of, weights=np.diff(self._code_spans)[:, 0], minlength=len(sizes)
        )
        self._cluster_spans = _spans(lengths.astype(np.int64))

    @property
    def n_characters(self) -> int:
        """What a person sees as one sign each: extended grapheme clusters (Unicode's UAX 29)."""
        return len(self.clusters)

    @property
    def n_codes(self) -> int:
        """Code points: what Python's len() counts."""
        return len(self.codes)

    @property
    def n_bytes(self) -> int:
        """UTF-8 bytes."""
        return len(self.data)

    def characters(self) -> Units:
        """One unit for each character that a person sees."""
        index = {cluster: i for i, cluster in enumerate(dict.fromkeys(self.clusters))}
        table = [cluster.encode() for cluster in index]
        ids = np.fromiter(map(index.__getitem__, self.clusters), np.int32, len(self.clusters))
        fills = np.arange(len(ids))
        return Units(
            ids, Vocabulary(table.__getitem__), self._cluster_spans, fills, self._character
        )

    def code_points(self) -> Units:
        """One unit for each code point."""
        return Units(
            self.codes.astype(np.int32),
            CodePointVocabulary(),
            self._code_spans,
            self._cluster_of,
            self._code_point,
        )

    def bytes(self) -> Units:
        """One unit for each byte."""
        starts = np.arange(self.n_bytes)
        return Units(
            np.frombuffer(self.data, np.uint8).astype(np.int32),
            ByteVocabulary(),
            np.stack((starts, starts + 1), axis=1),
            self._cluster_of[self._code_of],
            self._byte,
        )

    def utf16_span(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters that hold the bytes start … end − 1 stand in UTF-16 units, in
        which Qt counts a text."""
        starts = self._code_spans[:, 0]
        first = int(np.searchsorted(starts, start, side="right")) - 1
        last = int(np.searchsorted(starts, end, side="left"))
        units = np.concatenate(([0], np.cumsum(1 + (self.codes >= 0x10000))))
        return int(units[max(first, 0)]), int(units[last])

    def bytes_of_utf16(self, start: int, end: int) -> tuple[int, int]:
        """The bytes of the UTF-16 units start … end − 1."""
        units = np.concatenate(([0], np.cumsum(1 + (self.codes >= 0x10000))))
        places = np.concatenate(([0], self._code_spans[:, 1]))
        first, last = np.searchsorted(units, (start, end))
        most = len(places) - 1
        return int(places[min(first, most)]), int(places[min(last, most)])

    # -------------------------------------------------------------------------- in words
    def place_in_words(self, start: int, end: int) -> str:
        """One line about the bytes start … end − 1: the characters there, their code points."""
        first = int(np.searchsorted(self._code_spans[:, 1], start, side="right"))
        last = int(np.searchsorted(self._code_spans[:, 0], end, side="left"))
        data = self.data[start:end]
        shown = isolate(display_text(data, 40))
        where = f"byte {start + 1:,}" if end - start == 1 else f"bytes {start + 1:,}–{end:,}"
        told = [f"U+{code:04X}" for code in self.codes[first : min(last, first + 6)].tolist()]
        if last - first > 6:
            told.append("…")
        whole = self._code_spans[first, 0] == start and self._code_spans[last - 1, 1] == end
        part = "" if whole else "part of "
        return f"{shown} · {where}: {hex_bytes(data, 12)} · {part}{' '.join(told)}"

    def _character(self, index: int) -> str:
        cluster = self.clusters[index]
        data = cluster.encode()
        lines = [
            isolate(display_text(data)),
            f"character {index + 1:,} of {self.n_characters:,}",
            f"{_plural(len(cluster), 'code point')}:",
            *(f"  U+{ord(c):04X} {name_of(ord(c))}" for c in cluster[:_TOLD]),
        ]
        if len(cluster) > _TOLD:
            lines.append(f"  and {len(cluster) - _TOLD:,} more")
        return "\n".join([*lines, f"{_plural(len(data), 'byte')}: {hex_bytes(data)}"])

    def _code_point(self, index: int) -> str:
        code = int(self.codes[index])
        data = chr(code).encode()
        return "\n".join(
            (
                f"U+{code:04X} {name_of(code)}",
                isolate(display_text(data)),
                f"code point {index + 1:,} of {self.n_codes:,}, number {code:,} in Unicode’s table",
                f"{_plural(len(data), 'byte')} in UTF-8: {hex_bytes(data)}",
            )
        )

    def _byte(self, index: int) -> str:
        value = self.data[index]
        which = int(self._code_of[index])
        start, end = self._code_spans[which].tolist()
        shown = isolate(display_text(self.data[start:end]))
        if end - start == 1:
            role = f"all of {shown}"
        else:
            role = (
                f"byte {index - start + 1} of the {end - start} of {shown}: "
                "alone, it is no character"
            )
        return "\n".join(
            (
                f"{value:02X} in hexadecimal, {value} in decimal, {value:08b} in binary",
                role,
                f"byte {index + 1:,} of {self.n_bytes:,}",
            )
        )


class CodePointVocabulary(Vocabulary):
    """Code points by number, written U+0041."""

    def __init__(self) -> None:
        super().__init__(lambda code: chr(code).encode())

    def pieces(self, token_id: int, limit: int | None = None) -> list[Piece]:
        return [Piece(f"U+{token_id:04X}", "text")]


class ByteVocabulary(Vocabulary):
    """Bytes by value, in hexadecimal; those that are part of a longer character are marked."""

    def __init__(self) -> None:
        super().__init__(lambda value: bytes([value]))

    def pieces(self, token_id: int, limit: int | None = None) -> list[Piece]:
        return [Piece(f"{token_id:02X}", "text" if token_id < 0x80 else "stand-in")]


def name_of(code: int) -> str:
    """A code point's name in the Unicode standard, or what it is where it has none."""
    name = unicodedata.name(chr(code), "")
    if name:
        return name
    controls = {0: "NULL", 9: "TAB", 10: "NEW LINE", 13: "CARRIAGE RETURN"}
    if code in controls:
        return f"{controls[code]} (control character)"
    kinds = {"Cc": "control character", "Co": "for private use", "Cs": "surrogate: no character"}
    return kinds.get(unicodedata.category(chr(code)), "not assigned to any character")


def _spans(lengths: Int64) -> Int64:
    """(N, 2) places of pieces of these lengths, one behind the other."""
    ends = np.cumsum(lengths)
    return np.stack((ends - lengths, ends), axis=1)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
