"""What the window shows of an n-gram model besides its probabilities."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models import NGramModel
from engine.models.ngram import NGramCounts, Smoothing
from engine.models.ngram.counting import document_stream
from tests.engine.ngram.corpora import tiny_corpora

SMOOTHINGS: list[Smoothing] = ["maximum_likelihood", "add_k", "kneser_ney"]


@given(tiny_corpora(), st.integers(1, 5), st.sampled_from(SMOOTHINGS), st.data())
def test_shares_add_up_to_the_probability(
    corpus: tuple[list[list[int]], int], order: int, smoothing: Smoothing, data: st.DataObject
) -> None:
    documents, vocab_size = corpus
    model = NGramModel.train(documents, order, smoothing, 0.4, vocab_size=vocab_size)
    context = data.draw(st.lists(st.integers(0, vocab_size - 2), max_size=8))
    expected = np.exp(model.next_log_probs(context))
    totals: Counter[int] = Counter()
    for token in range(vocab_size):
        shares = model.interpolation_shares(context, token)
        assert sum(share.contribution for share in shares) == pytest.approx(
            expected[token], rel=1e-10
        )
        for share in shares:
            assert share.weight >= 0
            assert share.own >= 0
            totals[share.order] += share.contribution
        assert shares[0].weight == 1
        lowest = len(model.history(context)) + 1 if smoothing == "maximum_likelihood" else 0
        assert shares[-1].order == lowest
        if smoothing == "kneser_ney":
            orders = [share.order for share in shares]
            assert orders == list(range(len(model.history(context)) + 1, -1, -1))


def test_shares_by_hand() -> None:
    """a b a b a c: after a, twice b and once c. Bigram discounts are the fallback's."""
    a, b, c = 0, 1, 2
    model = NGramModel.train([[a, b, a, b, a, c]], 2, "kneser_ney", vocab_size=4)
    bigram, unigram, uniform = model.interpolation_shares([a], b)
    # D₁ = 0.5, D₂ = 1: of 3 followers of a, b keeps 2 − 1 and leaves, with c's, 1 + 0.5.
    assert (bigram.own, bigram.weight) == pytest.approx((1 / 3, 1))
    # Each of a (after begin and b), b, c, end was seen after 2, 1, 1, 1 tokens.
    assert (unigram.own, unigram.weight) == pytest.approx(((1 - 0.5) / 5, 1.5 / 3))
    assert (uniform.own, uniform.weight) == pytest.approx((1 / 4, 0.5 * (1 + 3 * 0.5) / 5))
    assert np.exp(model.next_log_probs([a])[b]) == pytest.approx(1 / 3 + 0.05 + 0.0625)


@given(tiny_corpora(), st.integers(2, 4), st.data())
def test_count_tables(corpus: tuple[list[list[int]], int], order: int, data: st.DataObject) -> None:
    documents, vocab_size = corpus
    end = vocab_size - 1
    model = NGramModel.train(documents, order, vocab_size=vocab_size)
    first = data.draw(st.lists(st.integers(0, end), max_size=1))
    more = data.draw(st.lists(st.integers(0, end - 1), max_size=order - 1 - len(first)))
    history = first + more
    expected: Counter[int] = Counter()
    for document in documents:
        tokens = [end, *document, end]
        for place in range(max(1, len(history)), len(tokens)):
            if tokens[place - len(history) : place] == history:
                expected[tokens[place]] += 1
    tokens, counts = model.count_table(history)
    ranked = sorted(expected.items(), key=lambda item: (-item[1], item[0]))
    assert list(zip(tokens.tolist(), counts.tolist(), strict=True)) == ranked
    assert model.seen(history) == bool(expected)


def test_count_tables_go_no_further_than_the_order() -> None:
    model = NGramModel.train([[0, 1, 0]], 2, vocab_size=3)
    with pytest.raises(ValueError, match="order 2"):
        model.count_table([0, 1])
    shared = NGramModel(NGramCounts.count(document_stream([[0, 1, 0]], 3), 4), 2)
    with pytest.raises(ValueError, match="order 2"):
        shared.count_table([0, 1])
    assert model.count_table([2, 1][:1])[0].tolist() == [0]  # what opens the document


def test_what_the_model_sees() -> None:
    model = NGramModel.train([[0, 1, 0]], 4, vocab_size=3)
    end = model.end_of_text
    assert model.history([]) == (end,)
    assert model.history([0, 1]) == (end, 0, 1)
    assert model.history([0, 1, 1]) == (0, 1, 1)
    assert model.history([0, 1, 1, 0]) == (1, 1, 0)
    assert model.history([0, 1, end]) == (end,)  # a new document
    assert model.history([0, end, 1]) == (end, 1)
    assert model.history([end, 1, 0]) == (end, 1, 0)
    unigram = NGramModel.train([[0, 1, 0]], 1, vocab_size=3)
    assert unigram.history([0, 1]) == ()


@given(tiny_corpora(), st.integers(1, 5), st.data())
def test_share_of_unseen_contexts(
    corpus: tuple[list[list[int]], int], order: int, data: st.DataObject
) -> None:
    """``seen_orders`` of one model tells what models of all lower orders have seen."""
    documents, vocab_size = corpus
    counts = NGramCounts.count(document_stream(documents, vocab_size), order)
    ids = data.draw(st.lists(st.integers(0, vocab_size - 1), min_size=1, max_size=12))
    seen_orders = NGramModel(counts, order).seen_orders(ids)
    for m in range(1, order + 1):
        model = NGramModel(counts, m, "maximum_likelihood")
        seen = [model.seen(model.history(ids[:t])) for t in range(len(ids))]
        assert (seen_orders >= m).tolist() == seen


def test_names() -> None:
    names = {
        NGramModel.train([[0, 1]], order, smoothing, 0.5, vocab_size=3).name
        for order, smoothing in ((1, "maximum_likelihood"), (2, "add_k"), (5, "kneser_ney"))
    }
    assert names == {"unigram, maximum likelihood", "bigram, add-0.5", "5-gram, Kneser–Ney"}
