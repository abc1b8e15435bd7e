"""Scores of texts: closed forms, impossibly small probabilities, and lossy tokenizers."""

from __future__ import annotations

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs import Job
from engine.models import NGramModel
from engine.models.scores import (
    Score,
    TinyNumber,
    document_scores,
    held_out_score,
    score_ids,
    score_text,
    spelling_nats,
)
from engine.tokenizers import ByteTokenizer, CharacterTokenizer, WordTokenizer
from engine.tokenizers.stream import encode_documents

DOCUMENTS = ["the cat sat on the mat", "", "a café, naïve", "the mat"]


def test_a_uniform_model_in_closed_form() -> None:
    # Add-k with a k so large that counts do not matter.
    tokenizer = ByteTokenizer()
    model = NGramModel.train(encode_documents(tokenizer, DOCUMENTS), 2, "add_k", 1e12)
    score = score_text(model, tokenizer, "é!")
    assert (score.tokens, score.n_bytes, score.impossible) == (4, 3, 0)
    assert score.nats == pytest.approx(4 * math.log(257))
    assert score.nats_per_token == pytest.approx(math.log(257))
    assert score.bits_per_token == pytest.approx(math.log2(257))
    assert score.bits_per_byte == pytest.approx(4 / 3 * math.log2(257))
    assert score.perplexity == pytest.approx(257)
    assert float(f"{score.probability.mantissa}e{score.probability.exponent}") == pytest.approx(
        257.0**-4
    )
    prefix = score_text(model, tokenizer, "é!", closed=False)
    assert (prefix.tokens, prefix.nats) == (3, pytest.approx(3 * math.log(257)))


def test_documents_add_up_to_the_stream() -> None:
    tokenizer = CharacterTokenizer.train("".join(DOCUMENTS))
    stream = encode_documents(tokenizer, DOCUMENTS)
    model = NGramModel.train(stream, 3)
    each = document_scores(model, tokenizer, DOCUMENTS)
    whole = held_out_score(model, stream)
    assert [score.n_bytes for score in each] == [len(d.encode()) for d in DOCUMENTS]
    assert [score.tokens for score in each] == [len(d) + 1 for d in DOCUMENTS]
    total = sum(each[1:], each[0])
    assert total.nats == pytest.approx(whole.nats)
    assert (total.tokens, total.n_bytes) == (whole.tokens, whole.n_bytes)
    assert total.tokens == stream.n_targets
    ids = tokenizer.encode(DOCUMENTS[0])
    assert score_ids(model, [*ids, model.end_of_text], 22) == each[0]


def test_the_default_of_any_model_scores_a_stream_by_documents() -> None:
    from engine.models.base import LanguageModel

    tokenizer = CharacterTokenizer.train("".join(DOCUMENTS))
    stream = encode_documents(tokenizer, DOCUMENTS)
    model = NGramModel.train(stream, 2)
    seen: list[float] = []

    class Watching(Job):
        def progress(self, done: float, total: float | None = None, message: str = "") -> None:
            seen.append(done)

    plain = LanguageModel.stream_log_probs(model, stream, Watching())
    np.testing.assert_allclose(plain, model.stream_log_probs(stream))
    assert seen == [0, 1, 2, 3]


def test_impossible_texts() -> None:
    tokenizer = CharacterTokenizer.train("ab")
    model = NGramModel.train(encode_documents(tokenizer, ["ab"]), 2, "maximum_likelihood")
    score = score_text(model, tokenizer, "aab")
    assert score.nats == math.inf
    assert score.impossible == 1
    assert score.perplexity == math.inf
    assert score.probability == TinyNumber(0.0, 0)
    assert str(score.probability) == "0"
    certain = score_text(model, tokenizer, "ab")
    assert (certain.nats, certain.perplexity) == (0, 1)
    assert math.copysign(1, certain.nats) == 1  # not −0
    assert str(certain.probability) == "1.0 × 10⁰"


@given(st.floats(0, 1e6))
def test_tiny_numbers_are_never_zero(nats: float) -> None:
    getcontext().prec = 40
    number = TinyNumber.from_nats(nats)
    assert 1 <= number.mantissa < 10
    exact = (-Decimal(nats)).exp()
    ours = Decimal(number.mantissa) * Decimal(10) ** number.exponent
    assert abs(ours / exact - 1) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("nats", "digits", "shown"),
    [
        (0.0, 2, "1.0 × 10⁰"),
        (1e5, 3, "3.56 × 10⁻⁴³⁴³⁰"),
        (-math.log(9.96e-7), 2, "1.0 × 10⁻⁶"),
        (-math.log(9.94e-7), 2, "9.9 × 10⁻⁷"),
        (-math.log(0.5), 1, "5 × 10⁻¹"),
        (math.nan, 2, "undefined"),
    ],
)
def test_how_tiny_numbers_are_written(nats: float, digits: int, shown: str) -> None:
    assert TinyNumber.from_nats(nats).format(digits) == shown


def test_nothing_to_score() -> None:
    empty = Score(nats=0.0, tokens=0, n_bytes=0)
    assert math.isnan(empty.nats_per_token)
    assert math.isnan(empty.bits_per_byte)
    assert math.isnan(empty.perplexity)
    assert Score(nats=1e6, tokens=1, n_bytes=1).perplexity == math.inf


def test_unknown_words_are_spelled() -> None:
    tokenizer = WordTokenizer.train("the cat sat on the mat")
    assert spelling_nats(tokenizer, "the cat") == 0
    # " dög" is 5 bytes and a stop; "," one and a stop.
    assert spelling_nats(tokenizer, "the dög sat,") == pytest.approx(8 * math.log(257))
    assert spelling_nats(ByteTokenizer(), "the dög") == 0
    model = NGramModel.train(encode_documents(tokenizer, ["the cat sat on the mat"]), 2)
    score = score_text(model, tokenizer, "the dög")
    plain = score_ids(model, [*tokenizer.encode("the dög"), model.end_of_text], 8)
    assert score.nats_per_token == plain.nats_per_token
    assert score.bits_per_byte == pytest.approx(plain.bits_per_byte + 6 * math.log2(257) / 8)


def test_spelling_makes_lossy_models_distributions_over_texts() -> None:
    """Σ p(text) over unknown words of one byte cannot exceed p(<unk>): 256 of them, 1/257² each."""
    tokenizer = WordTokenizer.train("the cat")
    one_byte_words = [chr(c) for c in range(33, 127)]
    spelled = sum(math.exp(-spelling_nats(tokenizer, word)) for word in one_byte_words)
    assert spelled == pytest.approx(len(one_byte_words) / 257**2)
