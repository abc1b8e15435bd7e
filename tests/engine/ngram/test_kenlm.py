"""Modified Kneser–Ney against KenLM's own output on a small corpus."""

from __future__ import annotations

import numpy as np
import pytest

from engine.models import NGramModel
from tests.engine.ngram.corpora import Words, small_corpus, small_kenlm

KENLM = small_kenlm()


@pytest.fixture(params=sorted(KENLM))
def order(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def words() -> Words:
    return Words(small_corpus()[0])


@pytest.fixture
def model(order: int, words: Words) -> NGramModel:
    train = [words.encode(line) for line in small_corpus()[0]]
    return NGramModel.train(train, order, "kneser_ney", vocab_size=words.vocab_size)


def test_counts(model: NGramModel, order: int) -> None:
    counts = [model.n_grams(n) for n in range(1, order + 1)]
    counts[0] += 2  # KenLM lists <s> and <unk> among the unigrams
    assert counts == KENLM[order]["ngram_counts"]


def test_discounts(model: NGramModel, order: int) -> None:
    # KenLM prints six digits.
    np.testing.assert_allclose(model.discounts, KENLM[order]["discounts"], rtol=6e-6)


def test_every_log_probability(model: NGramModel, order: int, words: Words) -> None:
    for line, expected in zip(small_corpus()[1], KENLM[order]["log10_p"], strict=True):
        ids = [*words.encode(line), words.end]
        # KenLM keeps log10 p in single precision.
        at_once = model.token_log_probs(ids) / np.log(10)
        np.testing.assert_allclose(at_once, expected, atol=5e-7)
        one_by_one = [model.next_log_probs(ids[:t])[token] for t, token in enumerate(ids)]
        np.testing.assert_allclose(np.array(one_by_one) / np.log(10), expected, atol=5e-7)


def test_perplexities(model: NGramModel, order: int, words: Words) -> None:
    lines = [[*words.encode(line), words.end] for line in small_corpus()[1]]
    scores = np.concatenate([model.token_log_probs(ids) for ids in lines])
    unknown = np.concatenate(lines) == words.unknown
    figures = KENLM[order]
    assert len(scores) == figures["test_tokens"]
    assert np.count_nonzero(unknown) == figures["oov"]
    assert np.exp(-scores.mean()) == pytest.approx(figures["perplexity_including_oov"], rel=1e-6)
    known = scores[~unknown]
    assert np.exp(-known.mean()) == pytest.approx(figures["perplexity_excluding_oov"], rel=1e-6)
