"""Counting n-grams: against dictionaries, at the edges, and under cancellation."""

from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.models.ngram
from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models import NGramModel
from engine.models.ngram import NGramCounts, counting, lookup
from engine.models.ngram.counting import TooManyNGramsError, document_stream
from engine.tokenizers.stream import TokenStream
from tests.engine.ngram.corpora import tiny_corpora


def counted(documents: list[list[int]], end: int, order: int) -> Counter[tuple[int, ...]]:
    """All n-grams of one order that end in a predicted token."""
    result: Counter[tuple[int, ...]] = Counter()
    for document in documents:
        tokens = [end, *document, end]
        for last in range(1, len(tokens)):
            if last - order + 1 >= 0:
                result[tuple(tokens[last - order + 1 : last + 1])] += 1
    return result


@given(tiny_corpora(), st.integers(1, 6), st.booleans())
def test_counts_equal_those_of_a_dictionary(
    corpus: tuple[list[list[int]], int], order: int, pack: bool
) -> None:
    documents, vocab_size = corpus
    end = vocab_size - 1
    with pytest.MonkeyPatch.context() as patch:
        if not pack:  # as if keys and places together did not fit 64 bits
            patch.setattr(counting, "PACKED_BITS", 0)
        counts = NGramCounts.count(document_stream(documents, vocab_size), order)
    for n in range(1, order + 1):
        expected = counted(documents, end, n)
        assert counts.n_grams(n) == len(expected)
        level = counts.levels[n - 1]
        assert np.all(np.diff(level.keys) > 0)
        assert level.counts.sum() == expected.total()
        for ngram, count in expected.items():
            node = counts.node(ngram)
            assert level.counts[node] == count
            if n > 1:
                assert level.suffixes[node] == counts.node(ngram[1:])
            if n < order:
                before = {g[0] for g in counted(documents, end, n + 1) if g[1:] == ngram}
                assert level.continuations[node] == len(before)


@given(tiny_corpora(), st.data())
def test_occurrences_are_where_the_n_gram_stands(
    corpus: tuple[list[list[int]], int], data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    end = vocab_size - 1
    model = NGramModel.train(documents, 3, vocab_size=vocab_size)
    ids = model.counts.stream.ids.tolist()
    ngram = data.draw(st.lists(st.integers(0, end), min_size=1, max_size=5))
    found = model.occurrences(ngram).tolist()
    inside = end not in ngram[1:-1]
    places = range(1 if ngram == [end] else 0, len(ids))
    expected = [i for i in places if inside and ids[i : i + len(ngram)] == ngram]
    assert found == expected
    assert model.occurrences(ngram, limit=2).tolist() == expected[:2]
    assert len(found) == counted(documents, end, len(ngram))[tuple(ngram)]


def test_documents_do_not_touch() -> None:
    model = NGramModel.train([[0], [1]], 3, "maximum_likelihood", vocab_size=3)
    assert not model.seen([0, 1])
    assert model.count_table([0])[0].tolist() == [2]
    assert model.occurrences([0, 2, 1]).tolist() == []


def test_an_order_longer_than_every_document() -> None:
    model = NGramModel.train([[0], [1, 0]], 16, vocab_size=3)
    assert [model.n_grams(n) for n in range(1, 7)] == [3, 4, 3, 1, 0, 0]
    assert np.exp(model.next_log_probs([1, 0])).sum() == pytest.approx(1)


def test_a_large_vocabulary_and_a_high_order_fit_64_bits() -> None:
    rng = np.random.default_rng(5)
    vocab_size = 2**31 - 1  # not as a dense table: keys only
    keys = rng.integers(0, 2**31, size=1000) * vocab_size
    keys = np.concatenate((keys, keys[::2]))
    unique, counts, ranks, order, starts = counting._rank(keys.copy())
    expected, expected_counts = np.unique(keys, return_counts=True)
    np.testing.assert_array_equal(unique, expected)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_array_equal(unique[ranks], keys[order])
    np.testing.assert_array_equal(keys[order[starts]], unique)


@pytest.mark.parametrize("order", [0, -1, 17, 2.0, True, "3", None, float("nan")])
def test_orders_that_are_none(order: object) -> None:
    with pytest.raises(LabError, match="whole number from 1 to 16"):
        NGramModel.train([[0, 1]], order, vocab_size=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("k", [0.0, -1.0, float("nan"), float("inf")])
def test_k_that_is_none(k: float) -> None:
    with pytest.raises(LabError, match="k above 0"):
        NGramModel.train([[0, 1]], 2, "add_k", k, vocab_size=3)
    NGramModel.train([[0, 1]], 2, "kneser_ney", k, vocab_size=3)  # ignored there


def test_a_smoothing_that_is_none() -> None:
    with pytest.raises(LabError, match="good_turing"):
        NGramModel.train([[0, 1]], 2, "good_turing", vocab_size=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_texts_without_tokens(documents: list[list[int]]) -> None:
    with pytest.raises(LabError, match="empty"):
        NGramModel.train(documents, 2, vocab_size=3)


def test_streams_that_are_none() -> None:
    unopened = TokenStream(np.array([0, 1, 2], dtype=np.int32), end_of_text=2, n_bytes=2)
    with pytest.raises(ValueError, match="starts and ends"):
        NGramModel.train(unopened, 2)
    foreign = TokenStream(np.array([2, 7, 2], dtype=np.int32), end_of_text=2, n_bytes=2)
    with pytest.raises(ValueError, match="0 … 2"):
        NGramModel.train(foreign, 2)
    with pytest.raises(TypeError, match="vocab_size"):
        NGramModel.train([[0, 1]], 2)
    with pytest.raises(ValueError, match="0 … 1"):
        NGramModel.train([[0, 2]], 2, vocab_size=3)  # the end is not for callers to write


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_NGRAMS", 150)
    text = [np.random.default_rng(2).integers(0, 10, size=200)]
    NGramModel.train(text, 2, vocab_size=11)  # 11 · 11 bigrams at most
    with pytest.raises(TooManyNGramsError, match="order of 2") as caught:
        NGramModel.train(text, 3, vocab_size=11)
    assert caught.value.order == 2


class StoppingJob(Job):
    """Cancels at the n-th yield point."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def yield_point(self) -> None:
        self.calls -= 1
        if self.calls < 0:
            raise JobCancelled


def test_counting_and_scoring_stop_when_asked() -> None:
    ids = np.random.default_rng(3).integers(0, 5, size=300)
    for calls in range(8):
        with pytest.raises(JobCancelled):
            NGramModel.train([ids], 4, "kneser_ney", 1.0, StoppingJob(calls), vocab_size=6)
    model = NGramModel.train([ids], 4, vocab_size=6)
    for calls in range(4):
        with pytest.raises(JobCancelled):
            model.token_log_probs(ids, StoppingJob(calls))


def test_examples_in_docstrings() -> None:
    for module in (engine.models.ngram, counting, lookup, engine.models.ngram.reference):
        result = doctest.testmod(module)
        assert result.attempted and not result.failed, module.__name__
