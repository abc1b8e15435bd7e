"""Distributions on one axis, against closed forms and brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models import NGramModel
from engine.models.comparison import FAVOURITES, NextToken, common_rows, next_token


def answer(*probabilities: float) -> NextToken:
    with np.errstate(divide="ignore"):
        return NextToken(np.log(np.asarray(probabilities, dtype=np.float64)))


def distributions(v: int) -> st.SearchStrategy[NextToken]:
    weights = st.lists(st.integers(0, 9), min_size=v, max_size=v).filter(any)
    return weights.map(lambda w: answer(*(x / sum(w) for x in w)))


def test_entropy_is_that_of_the_closed_forms() -> None:
    assert answer(0.25, 0.25, 0.25, 0.25).entropy_bits == pytest.approx(2.0)
    assert answer(0.5, 0.25, 0.25, 0.0).entropy_bits == pytest.approx(1.5)
    assert answer(0.0, 1.0).entropy_bits == 0.0
    p = 0.1
    closed = -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
    assert answer(p, 1 - p).entropy_bits == pytest.approx(closed)


def test_what_is_undefined_says_so_everywhere() -> None:
    undefined = answer(0.0, 0.0, 0.0)
    assert not undefined.defined
    assert math.isnan(undefined.entropy_bits) and math.isnan(undefined.probability(1))
    assert not NextToken(np.array([0.0, math.nan])).defined
    assert not NextToken(np.array([0.0, math.inf])).defined
    assert common_rows([undefined], 0, 5) == []
    assert common_rows([undefined], 0, 5, also=[2]) == [2]


def test_ranks_put_equals_in_the_order_of_their_ids() -> None:
    equal = answer(0.2, 0.3, 0.3, 0.2)
    assert equal.ranking.tolist() == [1, 2, 0, 3]
    assert [equal.rank(i) for i in range(4)] == [3, 1, 2, 4]


def test_the_numbers_are_the_models_own() -> None:
    model = NGramModel.train([[0, 1, 2, 0, 1, 1]], 2, vocab_size=4)
    got = next_token(model, [0])
    np.testing.assert_array_equal(got.log_probs, model.next_log_probs([0]))
    assert got.probability(1) == pytest.approx(math.exp(model.next_log_probs([0])[1]))


@given(st.lists(distributions(12), min_size=1, max_size=4), st.data())
def test_rows_are_sorted_complete_and_hold_every_favourite(
    answers: list[NextToken], data: st.DataObject
) -> None:
    leader = data.draw(st.integers(0, len(answers) - 1))
    n = data.draw(st.integers(1, 12))
    also = data.draw(st.lists(st.integers(0, 11), max_size=2))
    rows = common_rows(answers, leader, n, also)
    p = answers[leader].probabilities
    assert len(set(rows)) == len(rows)
    assert all(p[a] >= p[b] for a, b in itertools.pairwise(rows))
    assert set(also) <= set(rows)

    def with_favourites(m: int) -> set[int]:
        kept = set(also)
        for each in answers:
            best = sorted(range(12), key=lambda i: (-each.probabilities[i], i))[:m]
            kept |= {i for i in best if each.probabilities[i] > 0}
        return kept

    fits = [m for m in range(1, FAVOURITES + 1) if len(with_favourites(m)) <= n]
    assert with_favourites(max(fits, default=1)) <= set(rows)
    for token in set(rows) - set(also):
        assert any(each.probabilities[token] > 0 for each in answers)
    assert len(rows) <= max(n, len(with_favourites(1)))
    possible = int(np.count_nonzero(p > 0))
    assert len(rows) >= min(n, possible)


def test_an_undefined_leader_leaves_the_order_to_the_first_that_is_defined() -> None:
    rows = common_rows([answer(0.0, 0.0, 0.0), answer(0.2, 0.7, 0.1)], 0, 3)
    assert rows == [1, 0, 2]


def test_other_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match="one vocabulary"):
        common_rows([answer(1.0), answer(0.5, 0.5)], 0, 3)
