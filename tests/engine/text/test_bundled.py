"""The corpora that come with the lab."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from engine.errors import LabError
from engine.text import Corpus, bundled_corpora, load_corpus
from engine.text.python_docs import distinct_documents, python_corpus, python_topics
from engine.text.reader import READER_FOLDER, reader_corpus, reader_pieces


def paragraphs(documents: tuple[str, ...]) -> set[str]:
    """Paragraphs long enough that two copies are no coincidence, spaces made one."""
    found = {" ".join(p.split()) for d in documents for p in d.split("\n\n")}
    return {p for p in found if len(p) >= 60}


def test_the_menu_names_three_corpora() -> None:
    assert [entry.key for entry in bundled_corpora()] == ["stories", "reader", "python"]
    assert all(entry.title and entry.origin.endswith(".") for entry in bundled_corpora())
    with pytest.raises(LabError, match="There is no corpus named “novels”"):
        load_corpus("novels")


@pytest.mark.parametrize("key", ["reader", "python"])
def test_bundled_corpora_share_no_paragraph_between_their_halves(key: str) -> None:
    corpus = load_corpus(key)
    assert corpus.key == key
    assert not paragraphs(corpus.train) & paragraphs(corpus.held_out)
    total = corpus.n_train_bytes + corpus.n_held_out_bytes
    assert 0.05 < corpus.n_held_out_bytes / total < 0.15
    assert load_corpus(key, seed=5).fingerprint == corpus.fingerprint


def test_stories_are_drawn_by_their_seed_and_know_their_language() -> None:
    stories = load_corpus("stories", seed=3)
    assert stories.key == "stories"
    assert stories.language is not None
    assert 990_000 < stories.n_train_bytes + stories.n_held_out_bytes < 1_010_000
    assert not set(stories.train) & set(stories.held_out)
    assert load_corpus("stories", seed=3).fingerprint == stories.fingerprint
    assert load_corpus("stories", seed=4).fingerprint != stories.fingerprint


def test_the_reader_is_as_large_as_promised_and_every_piece_is_whole() -> None:
    pieces = reader_pieces()
    assert sum(len(piece.text.encode()) for piece in pieces) > 80_000
    assert len({piece.title for piece in pieces}) == len(pieces)
    corpus = reader_corpus()
    assert sorted((*corpus.train, *corpus.held_out)) == sorted(p.text for p in pieces)
    for piece in pieces:
        title, blank, body = piece.text.split("\n", 2)
        assert title == piece.title
        assert blank == ""
        assert body.strip()
        assert (READER_FOLDER / f"{piece.slug}.txt").is_file()


def test_a_reader_without_pieces_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("no piece")
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(LabError, match="texts are missing from this copy of the lab"):
            reader_corpus(folder)


def test_the_documentation_keeps_nearly_all_that_is_not_said_twice() -> None:
    topics = python_topics()
    documents = tuple(distinct_documents(topics))
    lost = paragraphs(tuple(topics.values())) - paragraphs(documents)
    # A section's heading is underlined otherwise than in its chapter; nothing else is lost.
    assert all(re.fullmatch(r".{,60} [*=\-^~\"]{4,}", paragraph) for paragraph in lost)
    assert len(documents) < len(topics)


def test_sections_of_a_chapter_are_left_out_and_repeated_paragraphs_too() -> None:
    said = "This paragraph is said in the chapter and, word for word, again elsewhere."
    new = "This paragraph stands in one place only, and so it has to be kept, of course."
    chapter = f"Chapter\n*******\n\n{said}\n\n{'Much more text. ' * 20}"
    topics = {
        "section": f"Section\n=======\n\n{said}",
        "chapter": chapter,
        "mixed": f"Mixed\n\n{said}\n\n{new}",
    }
    assert distinct_documents(topics) == [chapter.rstrip(), f"Mixed\n\n{new}"]


def test_a_python_without_documentation_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(LabError, match="came without its documentation topics"):
        python_corpus()


def test_the_fingerprint_tells_texts_and_cuts_apart() -> None:
    def corpus(train: tuple[str, ...], held_out: tuple[str, ...]) -> Corpus:
        return Corpus("text", "t", "o", train, held_out)

    different = [
        corpus(("ab",), ()),
        corpus(("a", "b"), ()),
        corpus(("a",), ("b",)),
        corpus((), ("a", "b")),
        corpus(("b", "a"), ()),
        corpus(("ab", ""), ()),
    ]
    assert len({c.fingerprint for c in different}) == len(different)
    same = Corpus("file", "other title", "", ("ab",), (), notes=("read",))
    assert same.fingerprint == different[0].fingerprint
    assert corpus(("\ud800",), ()).fingerprint  # a lone surrogate never raises
