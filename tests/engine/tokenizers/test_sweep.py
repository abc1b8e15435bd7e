"""Every size of one training run, against training and encoding at that size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import BPETokenizer, WordTokenizer
from engine.tokenizers.statistics import token_counts
from engine.tokenizers.sweep import (
    FEW,
    embedding_parameters,
    lengths_by_size,
    sweep_sizes,
    sweep_vocabulary,
)
from tests.engine.tokenizers.texts import PROSE, few_letters

documents = st.lists(few_letters, min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(train=documents, held_out=documents)
def test_every_size_is_what_training_and_encoding_at_that_size_give(
    train: list[str], held_out: list[str]
) -> None:
    sweep = sweep_vocabulary(train, held_out, 280)
    assert sweep.sizes.tolist() == list(range(256, sweep.tokenizer.vocab_size + 1))
    for i, size in enumerate(sweep.sizes.tolist()):
        tokenizer = BPETokenizer.train(train, size)
        ids = [tokenizer.encode_array(document) for document in train]
        assert sweep.train_tokens[i] == sum(map(len, ids))
        assert sweep.held_out_tokens[i] == sum(len(tokenizer.encode(d)) for d in held_out)
        counts = token_counts(np.concatenate(ids), size)
        assert sweep.few[i] == np.count_nonzero(counts < FEW)
        if i in (0, 3, len(sweep.sizes) - 1):
            found = [sweep.token_count(token, size) for token in range(size)]
            assert found == counts.tolist()
        words = WordTokenizer.train(train, size)
        held_ids = np.concatenate([words.encode_array(document) for document in held_out])
        if len(held_ids):
            unknown = np.count_nonzero(held_ids == words.unknown_id) / len(held_ids)
            assert sweep.unknown_share[i] == pytest.approx(unknown)
        else:
            assert math.isnan(sweep.unknown_share[i])


def test_unknown_words_are_those_of_the_word_level_where_its_size_matters() -> None:
    words = " ".join(f"w{i % (i // 7 + 1)}x{i}" for i in range(600)) + PROSE
    sweep = sweep_vocabulary([words + " the cat sat" * 20], [PROSE + " w3x7 new words"], 700)
    for size in (256, 300, 500, sweep.largest):
        level = WordTokenizer.train([words + " the cat sat" * 20], size)
        ids = level.encode_array(PROSE + " w3x7 new words")
        share = np.count_nonzero(ids == level.unknown_id) / len(ids)
        assert sweep.unknown_share[sweep.index(size)] == pytest.approx(share)


def test_a_smaller_vocabulary_is_the_one_training_would_give() -> None:
    sweep = sweep_vocabulary([PROSE], [], 400)
    assert sweep.tokenizer.truncated(300).to_dict() == BPETokenizer.train([PROSE], 300).to_dict()


@settings(max_examples=30, deadline=None)
@given(train=few_letters, text=few_letters)
def test_lengths_by_size_hold_across_words_and_over_characters(train: str, text: str) -> None:
    full = BPETokenizer.train(train, 60, base="characters", pre_tokenize=False)
    lengths = lengths_by_size(full, [text, train])
    for i, size in enumerate(range(full.alphabet.size, full.vocab_size + 1)):
        cut = full.truncated(size)
        assert lengths[i] == len(cut.encode(text)) + len(cut.encode(train))


def test_learning_stops_where_no_pair_occurs_twice() -> None:
    sweep = sweep_vocabulary(["abab"], ["ab"])
    assert sweep.stop_reason == "no pair occurs twice"
    assert (sweep.smallest, sweep.largest) == (256, 257)
    assert sweep.train_tokens.tolist() == [4, 2]
    assert sweep.index(9) == 0
    assert sweep.index(10**6) == 1


def test_a_text_that_is_empty_has_one_size_and_no_shares() -> None:
    sweep = sweep_vocabulary([], [])
    assert sweep.train_tokens.tolist() == [0]
    assert np.isnan(sweep.unknown_share).all()


def test_a_sweep_that_ends_below_the_bytes_is_refused() -> None:
    with pytest.raises(LabError, match="no room"):
        sweep_vocabulary(["abc"], [], 100)


def test_sizes_are_spread_evenly_in_their_logarithm() -> None:
    assert sweep_sizes(256, 32_768, 8) == [256 * 2**i for i in range(8)]
    sizes = sweep_sizes(256, 300, 24)
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (256, 300)
    assert sweep_sizes(256, 256) == [256]


def test_the_embedding_matrix_has_a_row_for_each_token() -> None:
    assert embedding_parameters(50_257, 768) == 38_597_376  # GPT-2 small's
