"""Splits: nothing lost, nothing in both halves, the same for the same seed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.text import corpus_from_text
from engine.text.splits import (
    MIN_CHARACTERS,
    cut_documents,
    document_length,
    hold_out_documents,
    split_text,
)

# Texts long enough to be split, of pieces that make every kind of boundary.
pieces = st.lists(
    st.sampled_from(
        [
            "word ",
            "Another sentence. ",
            "line\n",
            "\n\n",
            "\n \t\n",
            "終わり。",
            "x" * 200,
            "é ",
            " ",
        ]
    )
    | st.text(max_size=30),
    max_size=60,
)
texts = st.builds(
    lambda parts, n: "".join(parts) * n, pieces, st.integers(min_value=1, max_value=60)
)


def without_space(text: str) -> str:
    return "".join(text.split())


@given(texts, st.integers(min_value=1, max_value=400))
def test_documents_are_the_text_in_order_but_for_white_space(text: str, length: int) -> None:
    documents = cut_documents(text, length)
    assert without_space("".join(documents)) == without_space(text)
    at = 0
    for document in documents:
        assert document.strip()
        start = text.index(document, at)
        assert not text[at:start].strip()  # only white space lies between two documents
        at = start + len(document)
    assert not text[at:].strip()


@given(texts, st.integers(min_value=0, max_value=2**70))
def test_a_split_loses_nothing_and_shares_nothing(text: str, seed: int) -> None:
    split = split_text(text, seed)
    assert not set(split.train) & set(split.held_out)
    assert split == split_text(text, seed)
    assert bool(text.strip()) == bool(split.train)
    # Both halves, put back in the text's order, are the text.
    halves = sorted(without_space("".join((*split.train, *split.held_out))))
    assert halves == sorted(without_space(text))
    if len(text) >= MIN_CHARACTERS and not split.held_out:
        documents = cut_documents(text, document_length(len(text)))
        # The only excuses: copies, or hardly any text between the white space.
        assert len(set(documents)) < len(documents) or len(text.strip()) < 100


@given(st.lists(st.text(min_size=1, max_size=40), max_size=60), st.integers(0, 1000))
def test_whole_documents_are_held_out_and_copies_never(documents: list[str], seed: int) -> None:
    split = hold_out_documents(documents, seed)
    held = set(split.held_out)
    assert split.held_out == tuple(d for d in documents if d in held)
    assert split.train == tuple(d for d in documents if d not in held)
    assert all(documents.count(d) == 1 for d in held)
    assert bool(split.notes) == (len(set(documents)) < len(documents))
    assert split.train or not documents
    if held:  # no further from a tenth than holding nothing out would be
        total = sum(len(d.encode()) for d in documents)
        assert 0 < sum(len(d.encode()) for d in held) < 0.2 * total


def test_about_a_tenth_is_held_out_and_the_seed_chooses_what() -> None:
    documents = [f"Document {i}. " + "text " * (i % 17) for i in range(400)]
    choices = {hold_out_documents(documents, seed).held_out for seed in range(5)}
    assert len(choices) == 5
    total = sum(map(len, documents))
    for held_out in choices:
        assert abs(sum(map(len, held_out)) / total - 0.1) < 0.01


def numbered(n: int, form: str) -> str:
    return "".join(form.format(i=i) for i in range(n))


@pytest.mark.parametrize(
    ("form", "ending"),
    [
        ("Paragraph {i}\nhas two lines. And more.\n\n", r"lines\. And more\."),  # blank lines
        ("Line {i} has no full stop\n", r"has no full stop"),  # lines
        ("Sentence {i} is here. ", r"is here\."),  # sentences
        ("文{i}です。", r"です。"),  # sentences without spaces
        ("word{i} ", r"word\d+"),  # words
    ],
)
def test_documents_end_at_the_best_boundary_there_is(form: str, ending: str) -> None:
    text = numbered(3000, form)
    documents = cut_documents(text, document_length(len(text)))
    assert len(documents) > 20
    for document in documents:
        assert re.search(rf"(?:{ending})\Z", document)
        assert len(document) >= document_length(len(text)) // 2


@pytest.mark.parametrize("n", [1_000, 5_000, 50_000, 400_000])
def test_documents_are_long_enough_for_context_and_many_enough_to_choose(n: int) -> None:
    text = "A short sentence stands here.\n\n" * (n // 31)
    documents = cut_documents(text, document_length(len(text)))
    assert 10 <= len(documents) <= 120
    if n >= 50_000:
        assert min(map(len, documents)) >= 1_000 // 2


@pytest.mark.parametrize("text", ["a", "ab", "é", "😀", "\0", "The cat.", "x" * 999])
def test_a_text_too_short_to_split_is_trained_on_whole(text: str) -> None:
    corpus = corpus_from_text(text)
    assert corpus.train == (text,)
    assert corpus.held_out == ()
    assert any("too short to hold a part of it out" in note for note in corpus.notes)


def test_one_enormous_line_is_cut_near_nine_tenths() -> None:
    line = "".join(chr(0x61 + (i * i // 7) % 26) for i in range(100_000))
    split = split_text(line)
    assert len(split.train) == len(split.held_out) == 1
    assert split.train[0] + split.held_out[0] == line
    assert abs(len(split.held_out[0]) / len(line) - 0.1) < 0.03
    assert len(split.notes) == 1


def test_the_last_resort_does_not_part_a_letter_from_its_accent() -> None:
    line = "e\u0301\u0323\u0302" * 1000
    (head,), (tail,) = split_text(line).train, split_text(line).held_out
    assert head + tail == line
    assert not unicodedata.combining(tail[0])


def test_a_text_that_only_repeats_itself_holds_nothing_out_and_says_so() -> None:
    split = split_text("the same again\n" * 2000)
    assert split.held_out == ()
    assert split.notes and "copies of one another" in split.notes[0]


def test_own_text_is_cleaned_and_says_so() -> None:
    corpus = corpus_from_text("a\ud800b\r\nc\rd", title="Mine")
    assert corpus.train == ("a\ufffdb\nc\nd",)
    assert corpus.title == "Mine"
    assert any("lone surrogates" in note for note in corpus.notes)


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff"])
def test_own_text_without_text_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="There is no text here yet"):
        corpus_from_text(text)
