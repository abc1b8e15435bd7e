"""The tokens behind a strip of chips: their faces, their places in the text, their words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.tokenizers.base import Ids
from gui.widgets.chip_painter import ChipFace, ChipPainter
from gui.widgets.numbers import format_probability
from gui.widgets.token_text import Piece, Vocabulary, display_pieces, hex_bytes, isolate

_LONGEST_TOLD = 200
"""Characters of a token that hovering over it writes out."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What is known of a token at its place, beside its id and bytes. None: not told."""

    count: int | None = None
    """How often it occurs in the corpus."""
    probability: float | None = None
    rank: int | None = None
    """1 for the most probable."""
    lines: tuple[str, ...] = ()
    """Sentences of the tab's own."""


class ChipText:
    """T tokens, and the bytes that each stands for."""

    def __init__(
        self,
        ids: Ids,
        vocabulary: Vocabulary,
        spans: npt.NDArray[np.int64] | None = None,
        source: bytes = b"",
    ) -> None:
        if spans is not None and spans.shape != (len(ids), 2):
            raise ValueError("byte_spans needs one (start, end) for each token")
        self.ids = ids  # (T,)
        self._vocabulary = vocabulary
        self._given_spans = spans
        self._source = source
        self._distinct, inverse = np.unique(ids, return_inverse=True)  # (U,), (T,)
        self._which = inverse
        self._bytes = [vocabulary.bytes_of(i) for i in self._distinct.tolist()]
        newline = [data.endswith(b"\n") for data in self._bytes]
        self.ends_line = np.asarray(newline, np.bool_)[inverse]  # (T,)
        unknown = [i in vocabulary.unknown_ids for i in self._distinct.tolist()]
        self._unknown = np.asarray(unknown, np.bool_)[inverse]  # (T,)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def byte_spans(self) -> npt.NDArray[np.int64]:
        """(T, 2): where each token stands in the text's UTF-8 bytes."""
        if self._given_spans is None:
            lengths = np.asarray([len(data) for data in self._bytes], np.int64)[self._which]
            ends = np.cumsum(lengths)
            self._given_spans = np.stack((ends - lengths, ends), axis=1)
        return self._given_spans

    def is_unknown(self, index: int) -> bool:
        """Whether a token stands for something that is not in the vocabulary."""
        return bool(self._unknown[index])

    def bytes_at(self, index: int) -> bytes:
        """The bytes that the token at ``index`` stands for; those of the text if unknown."""
        if self._unknown[index] and self._source:
            start, end = self.byte_spans[index].tolist()
            return self._source[start:end]
        return self._bytes[int(self._which[index])]

    def text(self, start: int, stop: int) -> str:
        """The text of the tokens start … stop − 1; bytes that are no text become U+FFFD."""
        return b"".join(map(self.bytes_at, range(start, stop))).decode("utf-8", "replace")

    def faces(self, painter: ChipPainter, limit: int) -> list[ChipFace]:
        """The face of every token, T of them."""
        of_distinct = [self._face(painter, i, limit) for i in range(len(self._bytes))]
        faces = [of_distinct[i] for i in self._which.tolist()]
        if self._source:
            for index in np.flatnonzero(self._unknown).tolist():
                data = self.bytes_at(index)
                faces[index] = painter.face(("unknown", data), display_pieces(data, limit))
        return faces

    def _face(self, painter: ChipPainter, which: int, limit: int) -> ChipFace:
        data = self._bytes[which]
        known = painter.known_face(data) if data else None
        if known is not None:
            return known
        token_id = int(self._distinct[which])
        pieces: list[Piece] = self._vocabulary.pieces(token_id, limit)
        return painter.face(data or "".join(p.text for p in pieces), pieces)

    def describe(self, index: int, info: TokenInfo | None = None) -> str:
        """All that is known of a token, one fact a line."""
        token_id = int(self.ids[index])
        data = self.bytes_at(index)
        vocabulary = self._vocabulary
        if token_id in vocabulary.names:
            lines = [f"⟨{vocabulary.names[token_id]}⟩"]
        else:
            shown = "".join(p.text for p in display_pieces(data, _LONGEST_TOLD))
            lines = [isolate(shown) or "empty"]
        if self._unknown[index]:
            lines.append("not in the vocabulary: read as an unknown token")
        lines.append(f"token {index + 1:,} of {len(self.ids):,}, id {token_id}")
        if data:
            noun = "byte" if len(data) == 1 else "bytes"
            lines.append(f"{len(data)} {noun}: {hex_bytes(data)}")
        if info is not None:
            if info.count is not None:
                lines.append(f"count {info.count:,}")
            if info.probability is not None:
                lines.append(f"probability {format_probability(info.probability)}")
            if info.rank is not None:
                lines.append(f"rank {info.rank:,}")
            lines.extend(info.lines)
        return "\n".join(lines)
