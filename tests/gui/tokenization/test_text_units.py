"""A text as characters, code points and bytes: against Python's own codecs and known counts."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from engine.tokenizers.base import to_utf8
from engine.tokenizers.pretokenize import pretokenize
from gui.tokenization.text_cost import Size, forward_operations, operations_in_words
from gui.tokenization.text_presets import PRESETS
from gui.tokenization.text_units import CutText, name_of

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates and NUL included
FAMILY = "👩‍👩‍👧‍👦"


def test_the_tutorials_two_words_have_12_characters_and_count_as_3() -> None:
    preset = PRESETS[0]
    cut = CutText(preset.text)
    assert preset.text == "Hello world!"
    assert (cut.n_characters, cut.n_codes, cut.n_bytes) == (12, 12, 12)
    assert pretokenize(preset.text) == ["Hello", " world", "!"]


def test_the_presets_are_those_of_the_lesson() -> None:
    texts = [preset.text for preset in PRESETS]
    assert texts[1] == "The government shutdown was delayed indefinitely"
    assert "我喜欢吃苹果" in texts and "昨日友達と映画を見に行きました" in texts
    assert any("\u200d" in text for text in texts), "no joined emoji"
    assert any("\t" in text and "\n" in text for text in texts), "no code"
    names = {unicodedata.name(c, "none").split()[0] for text in texts for c in text}
    assert {"ARABIC", "DEVANAGARI", "COMBINING"} <= names


@pytest.mark.parametrize(
    ("text", "characters", "codes", "n_bytes"),
    [
        ("", 0, 0, 0),
        ("e\u0301", 1, 2, 3),
        ("é", 1, 1, 2),
        (FAMILY, 1, 7, 25),
        ("🇺🇳", 1, 2, 8),
        ("我喜欢吃苹果", 6, 6, 18),
        ("\r\n", 1, 2, 2),
        ("a\0b", 3, 3, 3),
    ],
)
def test_known_counts(text: str, characters: int, codes: int, n_bytes: int) -> None:
    cut = CutText(text)
    assert (cut.n_characters, cut.n_codes, cut.n_bytes) == (characters, codes, n_bytes)


@given(ANY_TEXT)
def test_every_row_tiles_the_same_bytes(text: str) -> None:
    cut = CutText(text)
    clean = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    data = clean.encode()
    assert cut.data == data == to_utf8(text)
    assert cut.surrogates == sum("\ud800" <= c <= "\udfff" for c in text)
    pieces = {
        "characters": [c.encode() for c in regex.findall(r"\X", clean)],
        "codes": [c.encode() for c in clean],
        "bytes": [bytes([b]) for b in data],
    }
    rows = {"characters": cut.characters(), "codes": cut.code_points(), "bytes": cut.bytes()}
    for name, units in rows.items():
        spans = units.byte_spans.tolist()
        assert [data[a:b] for a, b in spans] == pieces[name]
        assert [a for a, _ in spans] == [0, *(b for _, b in spans)][: len(spans)]
        assert [units.vocabulary.bytes_of(i) for i in units.ids.tolist()] == pieces[name]
        assert units.describe is not None and units.fills is not None
        assert len(units.fills) == len(units.ids)
        for index in range(len(units.ids)):
            assert units.describe(index)


@given(st.text(max_size=30), st.data())
def test_places_in_qts_units_are_those_of_utf16(text: str, data: st.DataObject) -> None:
    cut = CutText(text)
    first = data.draw(st.integers(0, len(text)))
    last = data.draw(st.integers(first, len(text)))
    utf16 = tuple(len(text[:i].encode("utf-16-le")) // 2 for i in (first, last))
    in_bytes = tuple(len(text[:i].encode()) for i in (first, last))
    assert cut.bytes_of_utf16(*utf16) == in_bytes
    if first < last:
        assert cut.utf16_span(*in_bytes) == utf16


def test_half_a_character_is_told_as_such() -> None:
    cut = CutText("é👍")
    assert cut.utf16_span(1, 2) == (0, 1)  # a byte inside é lights up all of é
    assert cut.utf16_span(3, 4) == (1, 3)
    describe = cut.bytes().describe
    assert describe is not None and "byte 2 of the 4 of \u2068👍\u2069" in describe(3)
    assert "part of U+1F44D" in cut.place_in_words(3, 4)
    assert "part of" not in cut.place_in_words(2, 6)


def test_names_of_what_has_none() -> None:
    assert name_of(0xE9) == "LATIN SMALL LETTER E WITH ACUTE"
    assert name_of(10) == "NEW LINE (control character)"
    assert name_of(0xE000) == "for private use"
    assert name_of(0x0378) == "not assigned to any character"


def test_the_cost_is_that_of_the_matrices() -> None:
    """Against counting every product of a forward pass, two operations a multiply-add."""
    tokens, vocab, size = 7, 100, Size(layers=3, width=16)
    d = size.width
    products = [(tokens, d, d)] * 4  # queries, keys, values, output
    products += [(tokens, d, tokens), (tokens, tokens, d)]  # scores, weighted sums
    products += [(tokens, d, 4 * d), (tokens, 4 * d, d)]  # feed-forward
    per_layer = sum(2 * m * k * n for m, k, n in products)
    expected = size.layers * per_layer + 2 * tokens * d * vocab
    assert forward_operations(tokens, vocab, size) == expected


def test_operations_in_words_round_into_the_next_word() -> None:
    assert operations_in_words(999_600) == "1.00 million"
    assert operations_in_words(0) == "0"
    assert operations_in_words(12_340_000_000_000) == "12.3 trillion"
