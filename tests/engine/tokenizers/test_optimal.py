"""The exact vocabulary search against trying every vocabulary there is."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.tokenizers.optimal import encoded_length, optimal_vocabulary, shortest_encoding


def cuts(word: str, vocabulary: set[str]) -> list[list[str]]:
    """Every way to cut a word into single characters and tokens of the vocabulary."""
    if not word:
        return [[]]
    heads = [word[:n] for n in range(1, len(word) + 1) if n == 1 or word[:n] in vocabulary]
    return [[head, *rest] for head in heads for rest in cuts(word[len(head) :], vocabulary)]


def candidates(words: dict[str, int]) -> list[str]:
    return sorted({w[i:j] for w in words for i in range(len(w)) for j in range(i + 2, len(w) + 1)})


def fewest_by_trying_all(words: dict[str, int], k: int) -> int:
    tokens = candidates(words)
    choices = combinations(tokens, min(k, len(tokens)))
    return min(
        sum(c * min(map(len, cuts(w, set(choice)))) for w, c in words.items()) for choice in choices
    )


small_words = st.dictionaries(
    st.text(alphabet="abc", min_size=1, max_size=5), st.integers(1, 9), min_size=1, max_size=3
)


@given(st.text(alphabet="ab", max_size=7), st.sets(st.text(alphabet="ab", min_size=2, max_size=4)))
def test_the_shortest_encoding_is_the_shortest_of_all(word: str, vocabulary: set[str]) -> None:
    tokens = shortest_encoding(word, vocabulary)
    assert "".join(tokens) == word
    assert all(len(token) == 1 or token in vocabulary for token in tokens)
    assert len(tokens) == min(map(len, cuts(word, vocabulary)))


@settings(max_examples=60, deadline=None)
@given(small_words, st.integers(1, 3))
def test_the_optimum_is_that_of_trying_every_vocabulary(words: dict[str, int], k: int) -> None:
    answer = optimal_vocabulary(words, k)
    assert answer.proved
    assert len(answer.new_tokens) <= k
    assert answer.n_tokens == encoded_length(words, answer.new_tokens)
    assert answer.n_tokens == fewest_by_trying_all(words, k)


def test_the_whole_text_as_one_word_needs_one_token() -> None:
    answer = optimal_vocabulary({"thewholetext": 1}, 1)
    assert answer.new_tokens == ("thewholetext",)
    assert answer.n_tokens == 1


def test_without_time_the_start_is_kept_and_the_bound_still_holds() -> None:
    words = Counter(["she", "sells", "sea", "shells", "by", "the", "sea", "shore"])
    start = ["sh", "se", "el"]
    answer = optimal_vocabulary(words, 3, time_limit=0.0, start_from=start)
    assert answer.n_tokens <= encoded_length(words, start)
    assert answer.bound <= optimal_vocabulary(words, 3).n_tokens


def test_words_of_one_character_are_already_as_short_as_can_be() -> None:
    answer = optimal_vocabulary({"a": 3, "b": 2}, 4)
    assert (answer.new_tokens, answer.n_tokens, answer.proved) == ((), 5, True)


def test_what_cannot_be_solved_is_refused_in_words() -> None:
    with pytest.raises(LabError, match="no word"):
        optimal_vocabulary({}, 1)
    with pytest.raises(LabError, match="at least one"):
        optimal_vocabulary({"ab": 1}, 0)
    with pytest.raises(LabError, match="too many"):
        optimal_vocabulary({"x" * 1000: 1}, 1)


def test_stop_ends_the_search() -> None:
    class Stopped(Job):
        def yield_point(self) -> None:
            raise JobCancelled

    words = {
        f"{a}{b}{c}{a}{c}{b}": 1 + i % 5
        for i, (a, b, c) in enumerate(
            (a, b, c) for a in "abcdef" for b in "bcdefg" for c in "acegik"
        )
    }
    with pytest.raises(JobCancelled):
        optimal_vocabulary(words, 25, job=Stopped())
