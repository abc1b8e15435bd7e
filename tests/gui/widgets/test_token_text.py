"""The written form of tokens: nothing hides, nothing is invented."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.widgets.token_text import (
    ELLIPSIS,
    Vocabulary,
    display_pieces,
    display_text,
    hex_bytes,
    isolate,
)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" cat", "␣cat"),
        (b"a\tb\r\n", "a⇥b␍⏎"),
        ("☃".encode()[:2], "⟨E2 98⟩"),
        (b"ok\xff\xfe!", "ok⟨FF FE⟩!"),
        ("e\u0301".encode(), "e\u0301"),
        ("\u0301".encode(), "◌\u0301"),
        (" \u0301".encode(), "␣◌\u0301"),
        ("a\u200bb".encode(), "a⟨U+200B⟩b"),
        ("\u202eabc".encode(), "⟨U+202E⟩abc"),
        ("\u00a0".encode(), "⟨U+00A0⟩"),
        (b"\x00", "⟨U+0000⟩"),
        ("\u200d".encode(), "⟨U+200D⟩"),
        ("👩\u200d🚀".encode(), "👩\u200d🚀"),
        ("👩🏽\u200d🚀".encode(), "👩🏽\u200d🚀"),
        ("❤\ufe0f1\ufe0f\u20e3".encode(), "❤\ufe0f1\ufe0f\u20e3"),
        ("x\ufe0f".encode(), "x⟨U+FE0F⟩"),
        ("1\u200d2".encode(), "1⟨U+200D⟩2"),
        ("我喜欢".encode(), "我喜欢"),
        ("\ufffd".encode(), "\ufffd"),  # the real character is no broken byte
        (b"\xed\xa0\x80", "⟨ED A0 80⟩"),  # a surrogate is no UTF-8
        (b"", ""),
    ],
)
def test_written_form(data: bytes, shown: str) -> None:
    assert display_text(data) == shown


@given(st.binary(max_size=40) | st.text(max_size=20).map(lambda t: t.encode("utf-8", "replace")))
def test_nothing_shapeless_is_left_but_joiners_of_emoji(data: bytes) -> None:
    for character in display_text(data):
        if character not in "\u200d\ufe0f":
            assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
            assert not character.isspace() or character == " "  # between the bytes in hexadecimal


@given(st.text(alphabet=st.characters(categories=["L", "Nd", "Po", "Sm"]), max_size=30))
def test_ordinary_text_is_its_own_form(text: str) -> None:
    if not any(0x1100 <= ord(c) <= 0x11FF or ord(c) in (0x3164, 0xFFA0) for c in text):
        assert display_text(text.encode()) == text


@given(st.binary(max_size=60))
def test_pieces_keep_text_apart_from_stand_ins(data: bytes) -> None:
    pieces = display_pieces(data)
    assert "".join(p.text for p in pieces) == display_text(data)
    assert all(a.kind != b.kind for a, b in itertools.pairwise(pieces))
    own = "".join(p.text for p in pieces if p.kind == "text").replace("◌", "")
    assert own.encode() in data or not set(own) - set(data.decode("utf-8", "ignore"))


@given(st.binary(max_size=400), st.integers(4, 40))
def test_a_limit_bounds_the_length_and_is_told(data: bytes, limit: int) -> None:
    whole, cut = display_text(data), display_text(data, limit)
    assert len(cut) <= 2 * limit + 12  # one stand-in may overshoot
    if cut != whole:
        assert ELLIPSIS in cut


def test_a_huge_token_is_written_at_once() -> None:
    assert display_text(b"x" * 5_000_000, 40) == "x" * 40 + ELLIPSIS
    assert len(display_text(b"\xff" * 300_000)) == 3 * 300_000 + 1


def test_hex_and_isolates() -> None:
    assert hex_bytes(b"\x00\xab") == "00 AB"
    assert hex_bytes(bytes(20), 2) == "00 00 …"
    assert isolate("שלום") == "\u2068שלום\u2069"


def test_vocabulary_tells_names_unknowns_and_empty_tokens() -> None:
    table = [b" cat", b"<unk>", b""]
    vocabulary = Vocabulary(table.__getitem__, unknown_ids=[1], names={3: "end of text"})
    assert [vocabulary.text(i) for i in range(4)] == ["␣cat", "<unk>", "⟨empty⟩", "⟨end of text⟩"]
    assert vocabulary.bytes_of(3) == b""
    assert vocabulary.unknown_ids == {1}
