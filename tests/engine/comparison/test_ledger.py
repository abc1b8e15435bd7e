"""The chain rule's ledger adds up, against the models' own scores and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models import NGramModel
from engine.models.ledger import ledger, ledger_ids
from engine.models.scores import score_text
from engine.tokenizers import ByteTokenizer, WordTokenizer, encode_documents

TEXTS = ["the cat sat", "the dog sat down", "a cat"]
BYTES = ByteTokenizer()
MODEL = NGramModel.train(encode_documents(BYTES, TEXTS), 3)
COUNTS = NGramModel.train(encode_documents(BYTES, TEXTS), 2, "maximum_likelihood")


@given(st.text(max_size=30), st.booleans())
def test_the_lines_add_up_to_the_score(text: str, closed: bool) -> None:
    made = ledger(MODEL, BYTES, text, closed)
    assert made.score == score_text(MODEL, BYTES, text, closed)
    if len(made.log_probs):
        assert -made.running[-1] == pytest.approx(made.score.nats)
    assert len(made.log_probs) == len(ledger_ids(BYTES, text, closed))


@given(st.text("abcdehost ", min_size=1, max_size=12))
def test_ranks_count_the_tokens_that_are_more_probable(text: str) -> None:
    made = ledger(MODEL, BYTES, text)
    ids = ledger_ids(BYTES, text, True).tolist()
    for t, token in enumerate(ids):
        row = MODEL.next_log_probs(ids[:t])
        assert made.ranks[t] == 1 + sum(p > row[token] for p in row)


def test_by_hand() -> None:
    # After begin-of-text: "t" 2 of 3, "a" 1 of 3. After "a": "t" 4 of 5, " " 1 of 5.
    made = ledger(COUNTS, BYTES, "at", closed=False)
    np.testing.assert_allclose(np.exp(made.log_probs), [1 / 3, 4 / 5])
    assert math.exp(made.running[1]) == pytest.approx(4 / 15)
    assert made.ranks.tolist() == [2, 1]


def test_impossible_and_undefined_are_told_apart() -> None:
    made = ledger(COUNTS, BYTES, "tzt", closed=False)
    # "z" never follows "t": 0, but defined. Nothing ever follows "z": undefined.
    assert made.defined.tolist() == [True, True, False]
    assert made.log_probs[1] == made.log_probs[2] == -math.inf
    assert made.ranks[1] > 1 and made.ranks[2] == 0
    assert made.score.impossible == 2 and str(made.score.probability) == "0"


def test_unknown_words_pay_for_their_spelling_in_bits_per_byte() -> None:
    words = WordTokenizer.train(TEXTS, max_size=4)
    model = NGramModel.train(encode_documents(words, TEXTS), 2)
    made = ledger(model, words, "the zebra")
    assert made.score == score_text(model, words, "the zebra")
    assert made.score.spelling_nats > 0


def test_an_empty_text_has_the_empty_product() -> None:
    made = ledger(MODEL, BYTES, "", closed=False)
    assert made.score.nats == 0 and made.score.tokens == 0 and len(made.ranks) == 0
