"""Texts and workspaces that the tests share."""

from __future__ import annotations

from engine.text import Corpus
from engine.workspace import (
    CorpusChoice,
    NGramSettings,
    TokenizerSpec,
    Workspace,
    make_ngram,
    make_tokenizer,
)

TALE = "".join(
    f"The cat number {i} sat on the mat. Then the dog came, and it ran {i % 7} times round.\n\n"
    for i in range(60)
)
OTHER = "".join(f"Rain fell on day {i}; nobody sang, and the river rose.\n\n" for i in range(60))


def corpus_of(text: str) -> tuple[CorpusChoice, Corpus]:
    choice = CorpusChoice("text", text=text)
    return choice, choice.load()


def filled(spec: TokenizerSpec | None = None) -> Workspace:
    """A workspace with a text, a tokenizer and an n-gram, all fitting."""
    workspace = Workspace()
    choice, corpus = corpus_of(TALE)
    workspace.adopt_corpus(choice, corpus)
    workspace.adopt_tokenizer(make_tokenizer(spec or TokenizerSpec(vocab_size=300), corpus))
    workspace.adopt_ngram(make_ngram(NGramSettings(order=2), workspace.streams()))
    return workspace
