"""The probabilities of n-gram models: against slow references, and as distributions."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.lm import MLE, Lidstone
from nltk.lm.preprocessing import padded_everygram_pipeline

from engine.models import NGramModel
from engine.models.ngram import NGramCounts, Smoothing
from engine.models.ngram.counting import document_stream
from engine.models.ngram.reference import ReferenceKneserNey
from tests.engine.ngram.corpora import tiny_corpora

SMOOTHINGS: list[Smoothing] = ["maximum_likelihood", "add_k", "kneser_ney"]
any_smoothing = st.sampled_from(SMOOTHINGS)
orders = st.integers(1, 5)


def texts(vocab_size: int) -> st.SearchStrategy[list[int]]:
    """Any ids, end-of-text inside them too."""
    return st.lists(st.integers(0, vocab_size - 1), max_size=12)


@given(tiny_corpora(), orders, st.data())
def test_kneser_ney_equals_the_reference(
    corpus: tuple[list[list[int]], int], order: int, data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    model = NGramModel.train(documents, order, "kneser_ney", vocab_size=vocab_size)
    reference = ReferenceKneserNey(documents, vocab_size, order)
    np.testing.assert_allclose(model.discounts, reference.discounts[1:], rtol=1e-12)
    context = data.draw(st.lists(st.integers(0, vocab_size - 2), max_size=8))
    window = (vocab_size - 1, *context)[-(order - 1) :] if order > 1 else ()
    expected = [reference.probability(window, token) for token in range(vocab_size)]
    assert sum(expected) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(np.exp(model.next_log_probs(context)), expected, rtol=1e-10)


def test_kneser_ney_equals_the_reference_where_discounts_are_estimated() -> None:
    """A Zipf-like text, long enough for counts of 1, 2, 3 and 4 on every order."""
    rng = np.random.default_rng(11)
    documents = [(rng.zipf(1.5, size=400) % 60).tolist() for _ in range(4)]
    train, held_out = documents[:3], documents[3]
    model = NGramModel.train(train, 4, "kneser_ney", vocab_size=61)
    reference = ReferenceKneserNey(train, 61, 4)
    assert (0.5, 1.0, 1.5) not in model.discounts
    np.testing.assert_allclose(model.discounts, reference.discounts[1:], rtol=1e-12)
    tokens = [60, *held_out]
    expected = [
        reference.probability(tuple(tokens[max(0, t - 3) : t]), tokens[t])
        for t in range(1, len(tokens))
    ]
    np.testing.assert_allclose(np.exp(model.token_log_probs(held_out)), expected, rtol=1e-10)


@given(tiny_corpora(), st.integers(2, 5), st.floats(0.01, 5), st.data())
def test_maximum_likelihood_and_add_k_equal_nltk(
    corpus: tuple[list[list[int]], int], order: int, k: float, data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    named = [*map(str, range(vocab_size - 1)), "</s>"]
    # nltk counts <s> and <UNK> among the outcomes. Here two ids that never occur stand in.
    known, total = named[:-1], vocab_size + 2
    context = data.draw(st.lists(st.integers(0, len(known) - 1), max_size=6))
    window = (["<s>"] * (order - 1) + [str(i) for i in context])[-(order - 1) :]
    for reference, smoothing in ((MLE(order), "maximum_likelihood"), (Lidstone(k, order), "add_k")):
        sentences = [[str(i) for i in document] for document in documents]
        reference.fit(padded_everygram_pipeline(order, sentences)[0], ["<s>", *named])
        assert len(reference.vocab) == total
        model = NGramModel.train(documents, order, smoothing, k, vocab_size=total)
        p = np.exp(model.next_log_probs(context))
        expected = [reference.score(name, window) for name in named]
        got = [*p[: len(known)], p[model.end_of_text]]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@given(tiny_corpora(), orders, st.floats(0.01, 5), st.data())
def test_counting_by_hand(
    corpus: tuple[list[list[int]], int], order: int, k: float, data: st.DataObject
) -> None:
    """Maximum likelihood and add-k from a scan of the text for the context."""
    documents, vocab_size = corpus
    end = vocab_size - 1
    context = data.draw(st.lists(st.integers(0, end - 1), max_size=6))
    window = [end, *context][-(order - 1) :] if order > 1 else []
    followers: Counter[int] = Counter()
    for document in documents:
        tokens = [end, *document, end]
        for place in range(1, len(tokens)):
            if place >= len(window) and tokens[place - len(window) : place] == window:
                followers[tokens[place]] += 1
    total = followers.total()

    model = NGramModel.train(documents, order, "add_k", k, vocab_size=vocab_size)
    expected = [(followers[w] + k) / (total + k * vocab_size) for w in range(vocab_size)]
    np.testing.assert_allclose(np.exp(model.next_log_probs(context)), expected, rtol=1e-12)

    model = NGramModel.train(documents, order, "maximum_likelihood", vocab_size=vocab_size)
    row = model.next_log_probs(context)
    if not total:
        assert np.all(row == -np.inf)
    else:
        expected = [followers[w] / total for w in range(vocab_size)]
        np.testing.assert_allclose(np.exp(row), expected, rtol=1e-12)


@given(tiny_corpora(), orders, any_smoothing, st.data())
def test_three_ways_to_ask_agree(
    corpus: tuple[list[list[int]], int], order: int, smoothing: Smoothing, data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    model = NGramModel.train(documents, order, smoothing, 0.5, vocab_size=vocab_size)
    ids = data.draw(texts(vocab_size))
    table = model.log_probs(ids)
    assert table.shape == (len(ids), vocab_size)
    picked = model.token_log_probs(ids)
    writing = model.continuation([])
    for t, token in enumerate(ids):
        row = model.next_log_probs(ids[:t])
        np.testing.assert_array_equal(table[t], row)
        np.testing.assert_array_equal(writing.next_log_probs(), row)
        np.testing.assert_allclose(picked[t], row[token], rtol=1e-12)
        writing.append(token)


@given(tiny_corpora(), orders, any_smoothing, st.data())
def test_every_context_has_a_distribution(
    corpus: tuple[list[list[int]], int], order: int, smoothing: Smoothing, data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    model = NGramModel.train(documents, order, smoothing, 0.3, vocab_size=vocab_size)
    for context in ([], data.draw(texts(vocab_size))):
        row = model.next_log_probs(context)
        if smoothing == "maximum_likelihood" and not model.seen(model.history(context)):
            assert np.all(row == -np.inf)
        else:
            assert np.exp(row).sum() == pytest.approx(1, abs=1e-12)
        if smoothing != "maximum_likelihood":
            assert np.all(np.isfinite(row))


def test_a_context_never_seen() -> None:
    documents, context = [[0, 1, 0, 1, 2]], [2, 0, 3]
    for smoothing in SMOOTHINGS:
        model = NGramModel.train(documents, 4, smoothing, vocab_size=5)
        p = np.exp(model.next_log_probs(context))
        assert p.sum() == pytest.approx(0 if smoothing == "maximum_likelihood" else 1)
    add_one = NGramModel.train(documents, 4, "add_k", vocab_size=5)
    np.testing.assert_allclose(np.exp(add_one.next_log_probs(context)), 1 / 5)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_probabilities_of_all_strings_add_up_to_one(smoothing: Smoothing, order: int) -> None:
    """What is not given to strings of up to T tokens is given to those that go on longer."""
    model = NGramModel.train([[0, 1, 1], [1, 0]], order, smoothing, vocab_size=3)
    longest = 5
    total = 0.0
    for length in range(longest + 1):
        for string in itertools.product(range(2), repeat=length):
            total += math.exp(model.token_log_probs([*string, 2]).sum())
    for string in itertools.product(range(2), repeat=longest + 1):
        total += math.exp(model.token_log_probs(string).sum())
    assert total == pytest.approx(1, abs=1e-12)


def test_a_stream_is_scored_as_its_documents_one_by_one() -> None:
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 6, size=n) for n in (0, 1, 40, 3, 0, 200)]
    stream = document_stream(documents, 7)
    for smoothing in SMOOTHINGS:
        model = NGramModel.train(documents[:4], 3, smoothing, vocab_size=7)
        alone = [model.token_log_probs(ids) for ids in stream.documents()]
        np.testing.assert_array_equal(model.stream_log_probs(stream), np.concatenate(alone))


def test_long_texts_are_scored_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 4, size=500)
    for smoothing, order in itertools.product(SMOOTHINGS, (1, 4)):
        model = NGramModel.train([ids[:300]], order, smoothing, vocab_size=5)
        whole = model.token_log_probs(ids)
        with monkeypatch.context() as patch:
            patch.setattr("engine.models.ngram.lookup.SCORING_BLOCK", 7)
            np.testing.assert_array_equal(model.token_log_probs(ids), whole)


def test_one_count_serves_all_lower_orders() -> None:
    documents = [[0, 1, 2, 0, 1, 1, 2], [2, 2, 0, 1]]
    counts = NGramCounts.count(document_stream(documents, 4), 5)
    for order, smoothing in itertools.product(range(1, 6), SMOOTHINGS):
        fresh = NGramModel.train(documents, order, smoothing, vocab_size=4)
        shared = NGramModel(counts, order, smoothing)
        np.testing.assert_array_equal(shared.log_probs([0, 1, 2, 3]), fresh.log_probs([0, 1, 2, 3]))
    with pytest.raises(ValueError, match="order 5"):
        NGramModel(counts, 6)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_ids_outside_the_vocabulary(smoothing: Smoothing) -> None:
    model = NGramModel.train([[0, 1]], 2, smoothing, vocab_size=3)
    for ask in (model.next_log_probs, model.log_probs, model.token_log_probs, model.continuation):
        for wrong in ([3], [-1], [0, 7, 0]):
            with pytest.raises(ValueError, match="0 … 2"):
                ask(wrong)
