"""BPE's loss and its two parts, against brute force."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.tokenizers import BPETokenizer
from engine.tokenizers.optimal import encoded_length
from engine.tokenizers.optimal_gap import (
    MAX_NEW_TOKENS,
    Found,
    find_gap,
    optimality_gap,
    words_of,
)
from tests.engine.tokenizers.test_optimal import cuts, fewest_by_trying_all

words_with_counts = st.dictionaries(
    st.text(alphabet="abc", min_size=1, max_size=6), st.integers(1, 6), min_size=1, max_size=4
)


@settings(max_examples=60, deadline=None)
@given(words_with_counts, st.integers(1, 3))
def test_the_loss_and_its_parts_are_those_of_brute_force(words: dict[str, int], k: int) -> None:
    try:
        gap = optimality_gap(words, k)
    except LabError:  # only if no pair stands twice
        pairs = [
            w[i : i + 2] for w, n in words.items() for _ in range(n) for i in range(len(w) - 1)
        ]
        assert len(pairs) == len(set(pairs))
        return
    vocabulary = set(gap.bpe_tokens)
    assert gap.bpe_shortest == sum(n * min(map(len, cuts(w, vocabulary))) for w, n in words.items())
    assert gap.optimum.n_tokens == fewest_by_trying_all(words, len(vocabulary))
    assert gap.optimum.proved
    assert gap.encoding_loss >= 0
    assert gap.vocabulary_loss >= 0
    assert gap.loss == gap.encoding_loss + gap.vocabulary_loss == gap.bpe - gap.optimum.n_tokens
    for word, _ in gap.words:
        for cut in (gap.bpe_cuts[word], gap.shortest_cut(word), gap.optimal_cut(word)):
            assert "".join(cut) == word


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="ab c", min_size=4, max_size=40), st.integers(1, 4))
def test_bpe_is_the_one_that_training_on_the_text_gives(text: str, k: int) -> None:
    words = words_of(text)
    try:
        gap = optimality_gap(words, k, 5.0)
    except LabError:
        return
    size = len(set(text)) + 1 + k  # and <unk>
    trained = BPETokenizer.train(text, size, base="characters")
    assert gap.bpe_tokens == tuple(trained.token_bytes(m.id).decode() for m in trained.merges)
    assert gap.bpe == len(trained.encode(text))
    assert gap.characters == len(text)
    assert gap.vocab_size == len(set(text)) + len(gap.bpe_tokens)


def test_both_parts_of_the_loss_are_told_apart() -> None:
    """A text found by trying: BPE's tokens could cut it shorter than BPE does, and other tokens
    shorter still."""
    letters = ["aab", "abb", "bba", "abab", "baab", "abba", "aabb", "bab", "babb"]
    tried = (
        optimality_gap(dict(zip(names, counts, strict=True)), 3)
        for names in combinations(letters, 3)
        for counts in ((2, 2, 2), (3, 2, 2), (4, 3, 2), (5, 2, 3))
    )
    found = next(gap for gap in tried if gap.encoding_loss and gap.vocabulary_loss)
    known = set(found.bpe_tokens)
    assert any(len(found.shortest_cut(w)) < len(found.bpe_cuts[w]) for w, _ in found.words)
    assert encoded_length(dict(found.words), known) == found.bpe_shortest


def test_where_bpe_stops_early_the_best_has_no_more_tokens_than_it() -> None:
    gap = optimality_gap({"abab": 1, "xyz": 1}, 9)
    assert gap.bpe_tokens == ("ab",)
    assert gap.asked == 9
    assert len(gap.optimum.new_tokens) == 1


def test_without_time_the_best_found_is_never_worse_than_bpe() -> None:
    text = "she sells sea shells by the sea shore the shells she sells are sea shells"
    gap = optimality_gap(words_of(text), 6, time_limit=0.0)
    assert gap.vocabulary_loss >= 0
    assert gap.optimum.bound <= optimality_gap(words_of(text), 6).optimum.n_tokens


@pytest.mark.parametrize(
    ("sentence", "words", "k"),
    [
        ("no word", {}, 3),
        ("no word", {"": 4, "a": 0}, 3),
        ("1 to", {"abab": 1}, 0),
        ("1 to", {"abab": 1}, MAX_NEW_TOKENS + 1),
        ("repeats something", {"abc": 1}, 3),
        ("too many", {"ab" * 300: 1}, 3),
    ],
)
def test_what_cannot_be_compared_is_refused(sentence: str, words: dict[str, int], k: int) -> None:
    with pytest.raises(LabError, match=sentence):
        optimality_gap(words, k)


STORY = (
    "The mill stood by the river. The miller milled, and the mill said nothing. Nothing said the "
    "river, and nothing said the miller's other mill. Another river, another mill.\n"
)


class Listening(Job):
    def __init__(self) -> None:
        self.found: list[Any] = []

    def publish(self, snapshot: Any) -> None:
        self.found.append(snapshot)


def test_an_example_is_found_in_the_corpus_proved_and_published_as_it_improves() -> None:
    job = Listening()
    found = find_gap([STORY * 3, "", " \n"], seed=1, stretches=12, job=job)
    assert isinstance(found, Found)
    assert found.text in STORY * 3
    assert found is job.found[-1]
    clear = [one.clearness for one in job.found]
    assert clear == sorted(clear)
    again = optimality_gap(words_of(found.text), found.new_tokens)
    assert again.loss == found.gap.loss > 0
    assert again.optimum.proved
    assert found.general
    same = find_gap([STORY * 3, "", " \n"], seed=1, stretches=12)
    assert same is not None
    assert (same.text, same.new_tokens) == (found.text, found.new_tokens)


def test_where_there_is_nothing_to_find_none_is_found() -> None:
    assert find_gap([], stretches=3) is None
    assert find_gap(["abcdefg"], stretches=3) is None


def test_the_search_can_be_stopped() -> None:
    class Stopped(Job):
        def yield_point(self) -> None:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        find_gap([STORY], job=Stopped())
