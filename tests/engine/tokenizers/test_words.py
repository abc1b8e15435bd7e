"""Word-level tokens, and what they do not know."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import WordTokenizer
from engine.tokenizers.pretokenize import PATTERN
from tests.engine.tokenizers.texts import PROSE, few_letters


def test_hello_world_is_three_words() -> None:
    tokenizer = WordTokenizer.train("Hello world!")
    ids = tokenizer.encode("Hello world!")
    assert [tokenizer.token_bytes(i) for i in ids] == [b"Hello", b" world", b"!"]


@settings(max_examples=100, deadline=None)
@given(text=few_letters, max_size=st.one_of(st.none(), st.integers(1, 12)))
def test_the_most_frequent_words_first_seen_first(text: str, max_size: int | None) -> None:
    counted = Counter(PATTERN.findall(text)).most_common()  # stable: ties as first seen
    kept = counted if max_size is None else counted[: max_size - 1]
    tokenizer = WordTokenizer.train(text, max_size)
    assert tokenizer.words == tuple(word for word, _ in kept)
    assert tokenizer.counts == tuple(count for _, count in kept)
    assert tokenizer.vocab_size == len(kept) + 1
    expected = [
        tokenizer.words.index(word) if word in tokenizer.words else tokenizer.unknown_id
        for word in PATTERN.findall(text)
    ]
    assert tokenizer.encode(text) == expected


def test_unknown_words_keep_their_place() -> None:
    tokenizer = WordTokenizer.train("the cat the dog", max_size=3)
    text = "the größe the"
    assert tokenizer.words == ("the", " cat")
    assert tokenizer.encode(text) == [0, 2, 2]
    assert tokenizer.byte_spans(text) == [(0, 3), (3, 11), (11, 15)]
    assert tokenizer.spans(text) == [(0, 3), (3, 9), (9, 13)]
    assert tokenizer.decode([0, 2, 1]) == "the<unk> cat"


def test_truncating_is_training_smaller() -> None:
    full = WordTokenizer.train(PROSE)
    for size in (1, 2, 30, full.vocab_size, full.vocab_size + 10):
        small = full.truncated(size)
        assert small.to_dict() == WordTokenizer.train(PROSE, size).to_dict()


def test_a_vocabulary_has_at_least_the_unknown_token() -> None:
    with pytest.raises(LabError, match="at least one token"):
        WordTokenizer.train(PROSE, 0)
    with pytest.raises(LabError, match="at least one token"):
        WordTokenizer.train(PROSE).truncated(0)


def test_contradictory_vocabularies_are_refused() -> None:
    with pytest.raises(LabError, match="twice"):
        WordTokenizer(["a", "a"])
    with pytest.raises(LabError, match="empty word"):
        WordTokenizer([""])
    with pytest.raises(LabError, match="one count"):
        WordTokenizer(["a"], [1, 2])
    with pytest.raises(LabError, match="surrogates"):
        WordTokenizer(["\ud800"])
