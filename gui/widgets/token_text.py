"""How a token's bytes are written on screen, the same in every tab. No Qt.

A token is a string of bytes: usually whole characters, sometimes half of one, sometimes what no
eye can see. ``display_text`` writes all of it visibly and in one line:

* a space is ␣, a newline ⏎, a tab ⇥, a carriage return ␍;
* bytes that are no UTF-8 stand in hexadecimal between angle brackets, ⟨E2 98⟩;
* what has no shape of its own (controls, bidirectional marks, zero-width characters, private and
  unassigned code points) stands as its code point, ⟨U+200B⟩, so that it can neither hide nor
  reorder what is around it. A joiner or variation selector inside an emoji is kept;
* a combining mark with nothing before it to sit on gets a dotted circle, ◌́.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from engine.tokenizers.base import Tokenizer

SPACE, NEWLINE, TAB, RETURN = "␣", "⏎", "⇥", "␍"
ELLIPSIS = "…"
DOTTED_CIRCLE = "◌"

PieceKind = Literal["text", "stand-in", "bytes"]
"""Whether a piece is written as it is, something visible stands in for it, or it is bytes that
are no text, in hexadecimal."""

_VISIBLE = {" ": SPACE, "\n": NEWLINE, "\t": TAB, "\r": RETURN}
_SHAPELESS_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"}
# Letters and marks by category that are drawn as nothing (Unicode's Default_Ignorable_Code_Point
# outside the categories above).
_SHAPELESS = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800}
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_SELECTOR = "\ufe0f"
_PICTURES = {"So", "Sk"}  # categories of emoji and of their skin tones


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a token's display text, either its own characters or stand-ins."""

    text: str
    kind: PieceKind


def display_text(data: bytes, limit: int | None = None) -> str:
    """The token's bytes as one visible line.

    Args:
        data: any bytes, also none and also no UTF-8.
        limit: if given, at most about this many characters, the rest told by an ellipsis.

    >>> display_text(b" cat")
    '␣cat'
    >>> display_text("☃".encode()[:2])
    '⟨E2 98⟩'
    """
    return "".join(piece.text for piece in display_pieces(data, limit))


def display_pieces(data: bytes, limit: int | None = None) -> list[Piece]:
    """``display_text`` in pieces, so that stand-ins can be drawn fainter than text."""
    cut = False
    if limit is not None and len(data) > 4 * limit:  # a character has at most four bytes
        data, cut = data[: 4 * limit], True
    pieces: list[Piece] = []
    length = 0
    for text, kind in _written(data, limit):
        if limit is not None and length + len(text) > limit and pieces:
            cut = True
            break
        length += len(text)
        if pieces and pieces[-1].kind == kind:
            pieces[-1] = Piece(pieces[-1].text + text, kind)
        else:
            pieces.append(Piece(text, kind))
    if cut:
        pieces.append(Piece(ELLIPSIS, "stand-in"))
    return pieces


def hex_bytes(data: bytes, limit: int = 16) -> str:
    """The bytes in hexadecimal, "E2 98 83", with an ellipsis after ``limit`` of them."""
    shown = data[:limit].hex(" ").upper()
    return f"{shown} {ELLIPSIS}" if len(data) > limit else shown


def isolate(text: str) -> str:
    """The text between Unicode isolates, so that its direction stays its own matter when it
    stands in a sentence (labels, tooltips, tables)."""
    return f"\u2068{text}\u2069"


def _written(data: bytes, limit: int | None) -> Iterator[tuple[str, PieceKind]]:
    """What to write for each character, or run of bytes that make none, from first to last."""
    most_bytes = len(data) if limit is None else max(1, limit // 3)  # three characters each
    # Bytes that are no UTF-8 come out as U+DC80 … U+DCFF, which no UTF-8 decodes to.
    for escaped, group in groupby(data.decode("utf-8", "surrogateescape"), key=_is_escape):
        run = "".join(group)
        if escaped:
            yield f"⟨{hex_bytes(run.encode('utf-8', 'surrogateescape'), most_bytes)}⟩", "bytes"
            continue
        before = ""
        for i, character in enumerate(run):
            after = run[i + 1] if i + 1 < len(run) else ""
            if character in _VISIBLE:
                yield _VISIBLE[character], "stand-in"
            elif _is_shapeless(character) and not _joins_emoji(before, character, after):
                yield f"⟨U+{ord(character):04X}⟩", "stand-in"
                before = ""
                continue
            elif unicodedata.category(character)[0] == "M" and before in ("", *_VISIBLE):
                yield DOTTED_CIRCLE + character, "text"
            else:
                yield character, "text"
            before = character


def _is_escape(character: str) -> bool:
    return "\udc80" <= character <= "\udcff"


def _is_shapeless(character: str) -> bool:
    """Whether a character draws nothing, or is no character to draw."""
    code = ord(character)
    return (
        unicodedata.category(character) in _SHAPELESS_CATEGORIES
        or code in _SHAPELESS
        or 0xFE00 <= code <= 0xFE0F  # variation selectors
        or 0xE0100 <= code <= 0xE01EF
        or 0x180B <= code <= 0x180F  # Mongolian variation selectors
    )


def _joins_emoji(before: str, character: str, after: str) -> bool:
    """Whether a joiner or selector stands where it builds one picture out of several."""
    if character == _ZERO_WIDTH_JOINER:
        return before != "" and _category(before) in _PICTURES and _category(after) in _PICTURES
    # A selector also turns digits (keycaps), arrows and punctuation into pictures.
    return character == _EMOJI_SELECTOR and _category(before) in _PICTURES | {"Nd", "Sm", "Po"}


def _category(character: str) -> str:
    if character == _EMOJI_SELECTOR:
        return "So"  # it stands behind a picture and counts as its end
    return unicodedata.category(character) if character else ""


class Vocabulary:
    """What every id looks like, for widgets that show ids: bytes, text, and special names.

    Args:
        token_bytes: the bytes of an id.
        unknown_ids: ids that stand for whatever is not in the vocabulary.
        names: ids that stand for no bytes, such as end-of-text, with what to call them.
    """

    def __init__(
        self,
        token_bytes: Callable[[int], bytes],
        *,
        unknown_ids: Collection[int] = (),
        names: Mapping[int, str] | None = None,
    ) -> None:
        self._token_bytes = token_bytes
        self.unknown_ids = frozenset(unknown_ids)
        self.names: dict[int, str] = dict(names or {})

    @classmethod
    def of(cls, tokenizer: Tokenizer, end_of_text: bool = True) -> Vocabulary:
        """A tokenizer's vocabulary; with ``end_of_text`` also the id that language models
        put behind it (V − 1 = |Σ|)."""
        unknown = () if tokenizer.unknown_id is None else (tokenizer.unknown_id,)
        names = {tokenizer.vocab_size: "end of text"} if end_of_text else {}
        return cls(tokenizer.token_bytes, unknown_ids=unknown, names=names)

    def bytes_of(self, token_id: int) -> bytes:
        """The bytes of an id; none for an id that has a name instead."""
        return b"" if token_id in self.names else self._token_bytes(token_id)

    def pieces(self, token_id: int, limit: int | None = None) -> list[Piece]:
        """The display text of an id, in pieces."""
        if token_id in self.names:
            return [Piece(f"⟨{self.names[token_id]}⟩", "stand-in")]
        data = self._token_bytes(token_id)
        if not data:
            return [Piece("⟨empty⟩", "stand-in")]
        return display_pieces(data, limit)

    def text(self, token_id: int, limit: int | None = None) -> str:
        """The display text of an id."""
        return "".join(piece.text for piece in self.pieces(token_id, limit))
