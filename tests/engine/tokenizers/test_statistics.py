"""Counting what a tokenizer makes of a text."""

from __future__ import annotations

import math

import numpy as np

from engine.tokenizers import ByteTokenizer, CharacterTokenizer
from engine.tokenizers.statistics import token_counts, token_statistics


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
