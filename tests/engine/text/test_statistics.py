"""Statistics against counts that are made the slow, obvious way."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text import corpus_from_text, corpus_statistics, text_statistics
from engine.text.statistics import words

# Every code point, lone surrogates and NUL among them.
anything = st.text(st.characters(exclude_categories=()), max_size=80)


def slow_words(text: str) -> list[str]:
    """The module's rule, character by character."""

    def in_word(c: str) -> bool:
        return unicodedata.category(c)[0] in "LNM" or c == "_"

    text = text.lower()
    found: list[str] = []
    word = ""
    for i, c in enumerate(text):
        joins = c in "'’-" and word and i + 1 < len(text) and in_word(text[i + 1])
        if in_word(c) or joins:
            word += c
        elif word:
            found.append(word)
            word = ""
    return [*found, word] if word else found


@given(st.text(st.sampled_from("aBcé3_'’-. \ne\u0301שָׁहि"), max_size=60))
def test_words_follow_their_rule(text: str) -> None:
    assert words(text) == slow_words(text)


def test_words_of_several_scripts_keep_their_marks() -> None:
    assert words("Don't stop: it's half-past 3!") == ["don't", "stop", "it's", "half-past", "3"]
    assert words("e\u0301te\u0301 हिन्दी שָׁלוֹם") == ["e\u0301te\u0301", "हिन्दी", "שָׁלוֹם"]


@given(st.lists(anything, max_size=6))
def test_counts_of_any_text_agree_with_plain_counting(documents: list[str]) -> None:
    found = text_statistics(documents)
    counts = Counter(word for document in documents for word in words(document))
    assert found.n_documents == len(documents)
    assert found.n_characters == sum(map(len, documents))
    assert found.n_words == counts.total()
    assert found.n_distinct_words == len(counts)
    assert found.n_words_seen_once == list(counts.values()).count(1)
    assert found.frequencies.tolist() == sorted(counts.values(), reverse=True)
    assert [w.count for w in found.top_words] == found.frequencies[:1000].tolist()
    assert all(counts[w.word] == w.count for w in found.top_words)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=80))
def test_bytes_are_utf8_bytes(text: str) -> None:
    assert text_statistics([text]).n_bytes == len(text.encode())


def test_a_lone_surrogate_counts_as_the_replacement_character() -> None:
    assert text_statistics(["a\ud800"]).n_bytes == 4


@pytest.mark.parametrize("separator", [" ", "", "。"])
def test_long_texts_are_counted_in_windows_without_cutting_a_word(separator: str) -> None:
    text = separator.join(f"don't{i}é" for i in range(40_000))
    found = text_statistics([text])
    assert found.n_characters == len(text)
    assert found.n_bytes == len(text.encode())
    assert found.n_words == len(words(text))


def test_ranks_of_equal_count_are_in_alphabetical_order_and_few_enough_to_show() -> None:
    found = text_statistics([" ".join(f"w{i:05}" for i in reversed(range(3000))) + " w00007"])
    assert [w.word for w in found.top_words[:3]] == ["w00007", "w00000", "w00001"]
    assert len(found.top_words) == 1000
    assert found.n_distinct_words == 3000


def test_statistics_of_nothing_and_of_a_corpus() -> None:
    nothing = text_statistics([])
    assert (nothing.n_words, nothing.n_bytes, nothing.frequencies.shape) == (0, 0, (0,))
    corpus = corpus_from_text("The cat. The dog.\n" + "A line with several words.\n" * 100)
    found = corpus_statistics(corpus)
    assert found.n_documents == len(corpus.train) + len(corpus.held_out)
    assert found.n_words == 4 + 500
    with pytest.raises(ValueError, match="read-only"):
        found.frequencies[0] = np.int64(1)
