"""Encodings: Python's own codecs write the files, and the text must come back as it was."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.text.encodings import decode_text, encoding_name

SAMPLES = {
    "cp1252": "Le café était très agréable : où êtes-vous, garçon ? “Ça va”, dit-il à l’hôtel. ",
    "latin-1": "Größe und Übung, schöne Straße, für Mädchen und Jungen. ",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Zażółć gęślą jaźń. ",
    "cp1251": "Съешь ещё этих мягких французских булок, да выпей чаю. Привет, мир! ",
    "koi8-r": "Съешь ещё этих мягких французских булок, да выпей чаю. Привет, мир! ",
    "cp1253": "Καλημέρα κόσμε, τι κάνεις σήμερα; Η γάτα κοιμάται. ",
    "cp1254": "Bugün hava çok güzel. Kedi uyuyor, çünkü öğle oldu; ışık şimdi içeri giriyor. ",
    "cp1256": "اليوم الجو جميل جدا. القطة نائمة على النافذة والشمس مشرقة. ",
    "cp866": "Съешь ещё этих мягких французских булок, да выпей чаю. Привет, мир! ",
    "cp874": "วันนี้อากาศดีมาก แมวกำลังนอนหลับ ",
    "cp1255": "שלום עולם, מה שלומך היום? החתול ישן. ",
    "shift_jis": "今日はいい天気ですね。吾輩は猫である。名前はまだ無い。カタカナも。",
    "euc_jp": "今日はいい天気ですね。吾輩は猫である。名前はまだ無い。カタカナも。",
    "iso2022_jp": "今日はいい天気ですね。吾輩は猫である。名前はまだ無い。カタカナも。",
    "gb18030": "今天天气很好。我有一只猫,它叫小白。我们去公园玩吧。",
    "big5": "今天天氣很好。我有一隻貓,牠叫小白。我們去公園玩吧。",
    "euc_kr": "안녕하세요. 오늘은 날씨가 좋습니다. 고양이가 자고 있어요. ",
}

MARKED = {
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16-le",
    "utf-32": "utf-32-le",
}

# What a text file may hold: anything but surrogates, control codes and carriage returns.
plain_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\t\n"), min_size=1
)


@pytest.mark.parametrize("repeats", [3, 2000])
@pytest.mark.parametrize("encoding", sorted(SAMPLES))
def test_other_encodings_come_back_as_they_were_and_are_announced(
    encoding: str, repeats: int
) -> None:
    text = SAMPLES[encoding] * repeats  # 2000 repeats: larger than what the detector sees
    decoded = decode_text(text.encode(encoding))
    assert decoded.text == text
    assert any(encoding_name(decoded.encoding) in note for note in decoded.notes)
    assert any("may be wrong" in note for note in decoded.notes)


@pytest.mark.parametrize("word", ["café", "naïve", "“so”", "— ", "£5", "fiancée", "Müller"])
def test_few_foreign_words_in_much_english_do_not_mislead(word: str) -> None:
    lines = [f"The quick brown fox number {i} jumps over the lazy dog.\n" for i in range(3000)]
    lines[::300] = [f"Here {word} stands among plain words, and nothing else.\n"] * 10
    text = "".join(lines)
    assert decode_text(text.encode("cp1252")).text == text


@given(plain_text)
def test_utf8_is_read_without_remark(text: str) -> None:
    text = "x" + text  # whatever else it starts with, it is no byte-order mark
    decoded = decode_text(text.encode())
    assert (decoded.text, decoded.encoding, decoded.notes) == (text, "utf-8", ())


@pytest.mark.parametrize("encoding", sorted(MARKED))
@given(text=plain_text)
def test_a_byte_order_mark_settles_the_encoding(encoding: str, text: str) -> None:
    text = "x" + text
    data = text.encode(encoding)
    assert decode_text(data).text == text
    if encoding == "utf-16":
        swapped = codecs.BOM_UTF16_BE + text.encode("utf-16-be")
        assert decode_text(swapped).text == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told_by_its_zeros(encoding: str) -> None:
    decoded = decode_text("Plain words, and a café.\n".encode(encoding))
    assert decoded.text == "Plain words, and a café.\n"
    assert decoded.encoding == encoding


@pytest.mark.parametrize("text", ["café", "été", "naïve café", "£5", "“Hi”, said Zoë.", "Straße"])
def test_a_text_too_short_to_tell_is_taken_as_western(text: str) -> None:
    decoded = decode_text(text.encode("cp1252"))
    assert decoded.text == text
    assert "Windows-1252" in decoded.notes[0]


@given(st.lists(st.sampled_from(["a", "é", "\n", "\r", "\r\n", "\u2028"]), min_size=1))
def test_newlines_are_normalised_as_python_does(pieces: list[str]) -> None:
    text = "x" + "".join(pieces)
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    decoded = decode_text(text.encode())
    assert decoded.text == expected
    assert bool(decoded.notes) == ("\r" in text)


def test_a_pair_of_carriage_return_and_newline_split_by_a_chunk_stays_one_line_end() -> None:
    text = "x" * ((1 << 20) - 1) + "\r\ny"
    assert decode_text(text.encode()).text == "x" * ((1 << 20) - 1) + "\ny"


def test_characters_split_by_a_chunk_stay_whole() -> None:
    text = "x" * ((1 << 20) - 1) + "é😀" * 1000
    assert decode_text(text.encode()).text == text


def test_a_file_cut_in_mid_character_loses_only_that_character() -> None:
    decoded = decode_text("Ein schöner Tag, größer".encode() + "ß".encode()[:1])
    assert decoded.text == "Ein schöner Tag, größer"
    assert decoded.notes == (
        "The file ends in the middle of a character; that piece was left out.",
    )


def test_a_little_damage_leaves_utf8_utf8() -> None:
    decoded = decode_text(("é" * 50).encode() + b"\xe9 and " + ("ß" * 50).encode())
    assert decoded.text == "é" * 50 + "\ufffd and " + "ß" * 50
    assert decoded.encoding == "utf-8"
    assert any("One place could not be read" in note for note in decoded.notes)


def test_a_lone_surrogate_in_utf16_becomes_a_replacement_character() -> None:
    data = codecs.BOM_UTF16_LE + ("word " * 300).encode("utf-16-le") + b"\x00\xd8"
    assert decode_text(data).text == "word " * 300 + "\ufffd"


def test_surrogates_written_as_utf8_never_reach_the_text() -> None:
    data = ("é" * 80).encode() + "\ud800".encode("utf-8", "surrogatepass")
    assert decode_text(data).text.startswith("é" * 80 + "\ufffd")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"some\x00text", "f holds a NUL character, which no plain text does"),
        (b"\x00\x00\x01\x02text\x00", "f holds 3 NUL characters"),
        (b"\xff\xfe" + "a\0b".encode("utf-16-le"), "f holds a NUL character"),
        (bytes(range(1, 9)) * 10 + b"text", "f looks like a binary file: 80 of its 84"),
        (b"%PDF-1.7\n...", "f is a PDF document, not plain text"),
        (b"PK\x03\x04....", "an office document"),
        (b"\x89PNG\r\n\x1a\n....", "f is a PNG image"),
    ],
)
def test_binary_files_are_refused_with_what_they_are(data: bytes, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        decode_text(data, "f")


def test_random_bytes_are_refused() -> None:
    data = bytes(b or 1 for b in random.Random(0).randbytes(5000))
    with pytest.raises(LabError, match="f looks like a binary file"):
        decode_text(data, "f")


def test_bytes_in_no_encoding_are_refused() -> None:
    data = bytes(random.Random(1).choices([*range(0x80, 0x100)], k=4000))
    with pytest.raises(LabError, match="save it as UTF-8"):
        decode_text(data, "f")


@given(st.binary(max_size=200))
def test_any_bytes_are_text_without_surrogates_or_refused_in_a_sentence(data: bytes) -> None:
    try:
        decoded = decode_text(data, "f")
    except LabError as refusal:
        assert str(refusal).startswith("f ")
    else:
        decoded.text.encode()  # would raise on a lone surrogate
        assert "\r" not in decoded.text
