"""Reversed models: the same sums as counting reversed documents, and the identity of directions."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.models import NGramModel
from engine.models.ngram.counting import document_stream
from engine.models.reversed import EDGE, ReversedModel, both_ways, product, reverse_stream

V = 4  # three words and end-of-text
WORDS = st.lists(st.integers(0, V - 2), max_size=5)
TEXTS = st.lists(WORDS, min_size=1, max_size=6).filter(any)  # some text must hold a word
LETTERS = st.lists(st.text("abc", max_size=5), min_size=1, max_size=6)


def reversed_ngram(documents: list[list[int]], order: int, smoothing: str) -> ReversedModel:
    stream = reverse_stream(document_stream(documents, V))
    return ReversedModel(NGramModel.train(stream, order, smoothing))  # type: ignore[arg-type]


@given(TEXTS)
def test_a_reversed_stream_holds_the_documents_backwards(documents: list[list[int]]) -> None:
    stream = document_stream(documents, V)
    backwards = reverse_stream(stream)
    found = [ids[:-1].tolist() for ids in backwards.documents()]
    assert found == [document[::-1] for document in reversed(documents)]
    assert backwards.n_targets == stream.n_targets
    assert backwards.ids[0] == backwards.ids[-1] == V - 1


@given(TEXTS, st.data())
@settings(max_examples=60, deadline=None)
def test_what_came_before_is_counted(documents: list[list[int]], data: st.DataObject) -> None:
    """p(a | b …) of the reversed bigram = times a stood before b ÷ times b stood anywhere."""
    model = reversed_ngram(documents, 2, "maximum_likelihood")
    following = data.draw(WORDS)
    edge = V - 1
    pairs = Counter(pair for d in documents for pair in itertools.pairwise([edge, *d, edge]))
    right = following[0] if following else edge
    total = sum(n for (_, b), n in pairs.items() if b == right)
    row = np.exp(model.previous_log_probs(following))
    expected = [pairs[a, right] / total if total else 0.0 for a in range(V)]
    assert row == pytest.approx(expected, abs=1e-12)


@given(TEXTS, st.integers(1, 4), st.data())
@settings(max_examples=80, deadline=None)
def test_maximum_likelihood_gives_a_text_the_same_probability_both_ways(
    documents: list[list[int]], order: int, data: st.DataObject
) -> None:
    """For every order, not the bigram alone: numerators and denominators are the same counts."""
    text = data.draw(st.one_of(st.sampled_from(documents), WORDS))
    forward = NGramModel.train(document_stream(documents, V), order, "maximum_likelihood")
    backward = reversed_ngram(documents, order, "maximum_likelihood")
    ahead = float(np.sum(forward.token_log_probs([*text, V - 1])))
    behind = float(np.sum(backward.document_log_probs(text)))
    assert behind == pytest.approx(ahead, abs=1e-9) or ahead == behind == -math.inf


@given(LETTERS, st.data())
def test_the_identity_in_exact_fractions(documents: list[str], data: st.DataObject) -> None:
    text = data.draw(st.one_of(st.sampled_from(documents), st.text("abc", max_size=5)))
    pairs = both_ways(documents, text)
    ahead = product([pair.forward for pair in pairs])
    behind = product([pair.backward for pair in pairs])
    assert ahead == behind
    known = all(letter in "".join(documents) for letter in text)
    assert (ahead is not None) == known
    assert [pair.left for pair in pairs] == [EDGE, *text]
    assert [pair.right for pair in pairs] == [*text, EDGE]


@given(TEXTS, st.data())
@settings(max_examples=40, deadline=None)
def test_the_fractions_are_the_bigrams(documents: list[list[int]], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(documents))
    pairs = both_ways([[str(i) for i in d] for d in documents], [str(i) for i in text])
    forward = NGramModel.train(document_stream(documents, V), 2, "maximum_likelihood")
    backward = reversed_ngram(documents, 2, "maximum_likelihood")
    ahead = np.exp(forward.token_log_probs([*text, V - 1]))
    behind = np.exp(backward.document_log_probs(text))
    assert ahead == pytest.approx([float(pair.forward or 0) for pair in pairs])
    # The model's first factor is that the text begins; so is the first pair's.
    assert behind == pytest.approx([float(pair.backward or 0) for pair in pairs])


def test_conditionals_differ_where_totals_agree() -> None:
    pairs = both_ways(["ab", "cb", "ab", "aa"], "ab")
    assert [pair.forward for pair in pairs] == [Fraction(3, 4), Fraction(2, 4), Fraction(1)]
    assert [pair.backward for pair in pairs] == [Fraction(3, 4), Fraction(2, 3), Fraction(3, 4)]
    assert product([pair.forward for pair in pairs]) == Fraction(3, 8)
    assert product([pair.backward for pair in pairs]) == Fraction(3, 8)


@given(TEXTS, st.data())
@settings(max_examples=30, deadline=None)
def test_add_k_keeps_the_identity_for_bigrams(
    documents: list[list[int]], data: st.DataObject
) -> None:
    text = data.draw(WORDS)
    forward = NGramModel.train(document_stream(documents, V), 2, "add_k")
    backward = reversed_ngram(documents, 2, "add_k")
    ahead = float(np.sum(forward.token_log_probs([*text, V - 1])))
    assert float(np.sum(backward.document_log_probs(text))) == pytest.approx(ahead)


def test_kneser_ney_breaks_the_identity() -> None:
    documents = [[0, 1], [2, 1], [0, 1, 1], [0, 0], [0, 2, 1, 0, 1]]
    forward = NGramModel.train(document_stream(documents, V), 2, "kneser_ney")
    backward = reversed_ngram(documents, 2, "kneser_ney")
    ahead = float(np.sum(forward.token_log_probs([0, 2, V - 1])))
    assert abs(ahead - float(np.sum(backward.document_log_probs([0, 2])))) > 1e-3


@pytest.mark.parametrize("smoothing", ["add_k", "kneser_ney"])
def test_a_reversed_model_is_a_distribution_over_texts(smoothing: str) -> None:
    """Σ over all texts of up to 7 tokens comes to 1 less the mass of longer ones."""
    documents = [[0, 1], [1], [], [0], [1, 0]]
    v = 3
    stream = reverse_stream(document_stream(documents, v))
    model = ReversedModel(NGramModel.train(stream, 2, smoothing))  # type: ignore[arg-type]
    total = 0.0
    open_mass = 0.0
    for length in range(8):
        for text in itertools.product(range(v - 1), repeat=length):
            factors = model.document_log_probs(text)
            total += math.exp(float(np.sum(factors)))
            if length == 7:  # what is left when the text goes on: its tokens, and no beginning
                begins = math.exp(factors[0])
                open_mass += math.exp(float(np.sum(factors[1:]))) * (1 - begins)
    assert total + open_mass == pytest.approx(1.0, abs=1e-9)


def test_reading_order_and_running_backwards_are_the_same_numbers() -> None:
    documents = [[0, 1, 2], [2, 1], [0, 2, 2, 1]]
    model = reversed_ngram(documents, 3, "kneser_ney")
    text = [0, 2, 1]
    factors = model.document_log_probs(text)
    for t, token in enumerate(text):
        assert factors[t + 1] == pytest.approx(model.previous_log_probs(text[t + 1 :])[token])
    assert factors[0] == pytest.approx(model.previous_log_probs(text)[V - 1])
    assert model.token_log_probs([1, 2, 0, V - 1]) == pytest.approx(factors[::-1])
    held_out = document_stream([text], V)
    scored = model.stream_log_probs(reverse_stream(held_out))
    assert float(scored.sum()) == pytest.approx(float(factors.sum()))
    going = model.continuation([1])
    going.append(2)
    assert going.next_log_probs() == pytest.approx(model.previous_log_probs([2, 1]))
    assert model.log_probs([1, 2])[1] == pytest.approx(model.next_log_probs([1]))
    assert model.name == "trigram, Kneser–Ney, reversed" and model.kind == "ngram"


def test_ids_outside_the_vocabulary_are_refused() -> None:
    model = reversed_ngram([[0]], 1, "add_k")
    with pytest.raises(ValueError, match="token ids"):
        model.previous_log_probs([V])
    with pytest.raises(ValueError, match="token ids"):
        model.document_log_probs([-1])
