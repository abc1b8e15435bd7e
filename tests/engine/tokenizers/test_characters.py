"""Characters, bytes and the alphabets beneath them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import ByteTokenizer, CharacterTokenizer
from engine.tokenizers.alphabet import (
    GPT2_BYTE_ORDER,
    ByteAlphabet,
    CharacterAlphabet,
    gpt2_byte_characters,
)
from tests.engine.tokenizers.texts import any_string, any_text


@given(text=any_text)
def test_characters_are_the_texts_by_code_point(text: str) -> None:
    tokenizer = CharacterTokenizer.train(text)
    assert list(tokenizer.characters) == sorted(set(text))
    assert tokenizer.vocab_size == len(set(text)) + 1  # and <unk>
    assert tokenizer.encode(text) == [sorted(set(text)).index(c) for c in text]


def test_unseen_characters_are_unknown() -> None:
    tokenizer = CharacterTokenizer.train("abc")
    assert tokenizer.vocab_size == 4
    assert tokenizer.unknown_id == 3
    assert tokenizer.encode("ab€é") == [0, 1, 3, 3]
    assert tokenizer.decode([0, 1, 3]) == "ab<unk>"
    assert tokenizer.byte_spans("b€é") == [(0, 1), (1, 4), (4, 6)]
    assert tokenizer.spans("b€é") == [(0, 1), (1, 2), (2, 3)]


def test_unseen_characters_fall_back_to_bytes() -> None:
    tokenizer = CharacterTokenizer.train("abc", byte_fallback=True)
    assert tokenizer.vocab_size == 3 + 256
    assert tokenizer.unknown_id is None
    assert tokenizer.encode("aéb") == [0, 3 + 0xC3, 3 + 0xA9, 1]
    assert tokenizer.spans("aéb") == [(0, 1), (1, 2), (2, 2), (2, 3)]


def test_documents_train_as_their_joined_text() -> None:
    assert CharacterTokenizer.train(["abc", "", "xyz"]).characters == tuple("abcxyz")


@given(text=any_text)
def test_bytes_are_the_codecs(text: str) -> None:
    assert ByteTokenizer().encode(text) == list(text.encode("utf-8"))


def test_byte_spans_in_code_points() -> None:
    assert ByteTokenizer().spans("é!") == [(0, 1), (1, 1), (1, 2)]


def test_gpt2_order() -> None:
    # The first and last of GPT-2's own vocabulary: "!" is 0, "A" 32, the space 220.
    assert [GPT2_BYTE_ORDER.index(ord(c)) for c in "!A "] == [0, 32, 220]
    assert sorted(GPT2_BYTE_ORDER) == list(range(256))
    characters = gpt2_byte_characters()
    assert characters[ord(" ")] == "Ġ"
    assert characters[ord("\n")] == "Ċ"
    assert len(set(characters.values())) == 256


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(any_string, max_size=5), known=any_text, fallback=st.booleans())
def test_many_texts_are_encoded_as_each_alone(texts: list[str], known: str, fallback: bool) -> None:
    for alphabet in (
        ByteAlphabet(GPT2_BYTE_ORDER),
        CharacterAlphabet.of_texts([known], fallback),
    ):
        ids, lengths = alphabet.encode_many(texts)
        alone = [alphabet.encode(text).tolist() for text in texts]
        assert ids.tolist() == [i for one in alone for i in one]
        assert lengths.tolist() == [len(one) for one in alone]


@pytest.mark.parametrize("order", [[], range(255), [0] * 256, [*range(255), 256]])
def test_a_byte_order_names_every_byte_once(order: list[int]) -> None:
    with pytest.raises(LabError, match="each of the 256 bytes once"):
        ByteAlphabet(order)


def test_an_alphabet_names_no_character_twice_and_no_surrogate() -> None:
    with pytest.raises(LabError, match="twice"):
        CharacterTokenizer("aba")
    with pytest.raises(LabError, match="surrogates"):
        CharacterTokenizer("a\ud800")
