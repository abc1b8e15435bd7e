"""Counting what a tokenizer makes of a text."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs import Job, JobCancelled
from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
)
from engine.tokenizers.statistics import count_tokens, token_counts, token_statistics
from tests.engine.tokenizers.texts import PROSE, TUTORIAL, any_string, few_letters, rule_breakers


class Cancelled(Job):
    def yield_point(self) -> None:
        raise JobCancelled


def test_counts_of_one_text() -> None:
    tokenizer = CharacterTokenizer.train("abc")
    counted = token_statistics(tokenizer, "aab€é")
    assert counted.tokens == 5
    assert counted.characters == 5
    assert counted.n_bytes == 8
    assert counted.unknown == 2
    assert counted.distinct == 3
    assert counted.characters_per_token == 1
    assert counted.bytes_per_token == 8 / 5
    assert counted.unknown_rate == 2 / 5
    again = token_statistics(tokenizer, "aab€é", tokenizer.encode_array("aab€é"))
    assert again == counted


def test_an_empty_text_has_no_ratios() -> None:
    counted = token_statistics(ByteTokenizer(), "")
    assert (counted.tokens, counted.unknown, counted.distinct) == (0, 0, 0)
    assert math.isnan(counted.characters_per_token)
    assert math.isnan(counted.bytes_per_token)
    assert math.isnan(counted.unknown_rate)


def test_how_often_each_token_occurs() -> None:
    ids = np.array([2, 0, 2, 2], dtype=np.int32)
    assert token_counts(ids, 5).tolist() == [1, 0, 3, 0, 0]
    assert token_counts(ids[:0], 3).tolist() == [0, 0, 0]


def one_by_one(tokenizer: Tokenizer, documents: list[str]) -> list[int]:
    counted = Counter(token for document in documents for token in tokenizer.encode(document))
    return [counted[token] for token in range(tokenizer.vocab_size)]


@given(
    st.lists(st.one_of(few_letters, rule_breakers, any_string), max_size=4),
    st.lists(st.one_of(few_letters, rule_breakers, any_string), max_size=4),
    st.integers(0, 5),
)
def test_counts_are_those_of_documents_encoded_one_by_one(
    learned_from: list[str], documents: list[str], which: int
) -> None:
    tokenizer: Tokenizer = [
        lambda: ByteTokenizer(),
        lambda: CharacterTokenizer.train(learned_from),
        lambda: WordTokenizer.train(learned_from, 5),
        lambda: BPETokenizer.train(learned_from, 280),
        lambda: BPETokenizer.train(learned_from, 280, pre_tokenize=False),
        lambda: BPETokenizer.train(learned_from, 1_000, base="characters", pre_tokenize=False),
    ][which]()
    assert count_tokens(tokenizer, documents).tolist() == one_by_one(tokenizer, documents)


def test_counts_of_prose_and_of_merges_out_of_order() -> None:
    documents = [PROSE, TUTORIAL, PROSE[100:]]
    for tokenizer in (
        WordTokenizer.train(PROSE, 50),
        BPETokenizer.train(PROSE, 400),
        BPETokenizer.train(PROSE, 400, pre_tokenize=False),
        BPETokenizer.train("aaaa aaa abab" * 3, 1_000, base="characters", pre_tokenize=False),
    ):
        assert count_tokens(tokenizer, documents).tolist() == one_by_one(tokenizer, documents)


def test_counting_can_be_stopped() -> None:
    for tokenizer in (ByteTokenizer(), WordTokenizer.train(PROSE), BPETokenizer.train(PROSE, 300)):
        with pytest.raises(JobCancelled):
            count_tokens(tokenizer, [PROSE], Cancelled())
