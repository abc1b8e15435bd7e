"""What holds for every tokenizer, on every text."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    pretokenize,
    to_utf8,
    tokenizer_from_dict,
)
from engine.tokenizers.base import without_surrogates
from tests.engine.tokenizers.texts import HOSTILE, PROSE, any_string, few_letters

TOKENIZERS: dict[str, Tokenizer] = {
    "characters": CharacterTokenizer.train(PROSE),
    "characters, byte fallback": CharacterTokenizer.train(PROSE, byte_fallback=True),
    "bytes": ByteTokenizer(),
    "words": WordTokenizer.train(PROSE, max_size=60),
    "bpe": BPETokenizer.train(PROSE, 400),
    "bpe across words": BPETokenizer.train(PROSE, 400, pre_tokenize=False),
    "bpe of characters": BPETokenizer.train(PROSE, 100, base="characters"),
    "bpe of characters across words": BPETokenizer.train(
        PROSE, 100, base="characters", pre_tokenize=False
    ),
    "bpe of characters, byte fallback": BPETokenizer.train(
        PROSE, 400, base="characters", byte_fallback=True
    ),
    "bpe of nothing": BPETokenizer.train("", 1, base="characters"),
    "words of nothing": WordTokenizer.train(""),
    "characters of nothing": CharacterTokenizer.train(""),
}


@pytest.fixture(params=list(TOKENIZERS))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return TOKENIZERS[request.param]


def check(tokenizer: Tokenizer, text: str) -> None:
    """Everything that must hold of one text."""
    ids = tokenizer.encode(text)
    data = to_utf8(text)
    array = tokenizer.encode_array(text)
    assert array.dtype == np.int32
    assert array.tolist() == ids
    assert all(0 <= i < tokenizer.vocab_size for i in ids)

    spans = tokenizer.byte_spans(text)
    assert len(spans) == len(ids)
    position = 0
    for token_id, (start, end) in zip(ids, spans, strict=True):
        assert start == position < end
        position = end
        if token_id != tokenizer.unknown_id:
            assert tokenizer.token_bytes(token_id) == data[start:end]
    assert position == len(data)

    position = 0
    for start, end in tokenizer.spans(text):
        assert start == position <= end
        position = end
    assert position == len(text)

    if tokenizer.unknown_id not in ids:
        assert tokenizer.decode(ids) == without_surrogates(text)
        assert tokenizer.decode(array) == without_surrogates(text)
    else:
        assert not tokenizer.lossless


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts(tokenizer: Tokenizer, text: str) -> None:
    check(tokenizer, text)
    check(tokenizer, text * 40)  # long enough for the whole-array paths


@pytest.mark.parametrize("name", TOKENIZERS)
@settings(max_examples=60, deadline=None)
@given(text=st.one_of(any_string, few_letters))
def test_any_text(name: str, text: str) -> None:
    check(TOKENIZERS[name], text)


def test_own_training_text_is_never_unknown() -> None:
    for name, tokenizer in TOKENIZERS.items():
        if "nothing" not in name and name != "words":
            check(tokenizer, PROSE)
            assert tokenizer.unknown_id not in tokenizer.encode(PROSE), name


def test_lossless_is_what_has_no_unknown_token(tokenizer: Tokenizer) -> None:
    assert tokenizer.lossless == (tokenizer.unknown_id is None)


def test_surrogates_read_as_the_replacement_character() -> None:
    text = "a\ud83d\ude00b\udfff"
    assert to_utf8(text).decode() == "a\ufffd\ufffdb\ufffd"
    for tokenizer in (ByteTokenizer(), TOKENIZERS["bpe"], CharacterTokenizer.train(text)):
        assert tokenizer.decode(tokenizer.encode(text)) == "a\ufffd\ufffdb\ufffd"
        assert tokenizer.spans(text)[-1][1] == len(text)


def test_survives_json(tokenizer: Tokenizer) -> None:
    data = json.loads(json.dumps(tokenizer.to_dict()))
    again = tokenizer_from_dict(data)
    assert type(again) is type(tokenizer)
    assert again.to_dict() == tokenizer.to_dict()
    assert again.name == tokenizer.name
    assert again.vocab_size == tokenizer.vocab_size
    assert again.unknown_id == tokenizer.unknown_id
    assert again.crosses_words == tokenizer.crosses_words
    for text in (PROSE, *HOSTILE.values()):
        assert again.encode(text) == tokenizer.encode(text)


def test_ids_outside_the_vocabulary_are_refused(tokenizer: Tokenizer) -> None:
    for bad in (-1, tokenizer.vocab_size):
        with pytest.raises(IndexError):
            tokenizer.token_bytes(bad)
        with pytest.raises(IndexError):
            tokenizer.decode([bad])
        with pytest.raises(IndexError):
            tokenizer.decode(np.array([bad]))


def test_decoding_half_a_character_does_not_raise() -> None:
    assert ByteTokenizer().decode([0xF0, 0x9F, 0x41]) == "\ufffdA"
    emoji = TOKENIZERS["bpe"].encode("😀")
    assert TOKENIZERS["bpe"].decode(emoji[:-1]) == "\ufffd"


@settings(max_examples=40, deadline=None)
@given(ids=st.lists(st.integers(0, TOKENIZERS["bpe"].vocab_size - 1)))
def test_decoding_any_ids_does_not_raise(ids: list[int]) -> None:
    assert isinstance(TOKENIZERS["bpe"].decode(ids), str)


def test_working_segment_by_segment_changes_nothing(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [PROSE, *HOSTILE.values()]
    whole = [tokenizer.encode(text) for text in texts]
    learned = WordTokenizer.train(texts).to_dict(), BPETokenizer.train(texts, 500).to_dict()
    monkeypatch.setattr(pretokenize, "_SEGMENT", 7)
    assert [tokenizer.encode(text) for text in texts] == whole
    assert learned == (
        WordTokenizer.train(texts).to_dict(),
        BPETokenizer.train(texts, 500).to_dict(),
    )


def test_texts_of_ten_megabytes_on_one_line() -> None:
    # Nothing is quadratic: at ten megabytes, a quadratic path would take hours.
    line = "a" * 10_000_000
    for name in ("characters", "bytes", "words"):
        assert len(TOKENIZERS[name].encode_array(line)) in (1, len(line))
    for name in ("bpe", "bpe across words"):
        assert len(TOKENIZERS[name].encode_array(line)) == len(line)  # PROSE merges no "aa"
