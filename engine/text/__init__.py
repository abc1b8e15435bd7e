"""Corpora: texts to learn from, each split into a training half and a held-out half."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.text.corpus import Corpus
from engine.text.files import MAX_TEXT_BYTES, FileText, read_text_file
from engine.text.library import BundledCorpus, bundled_corpora, load_corpus
from engine.text.own import corpus_from_file, corpus_from_text
from engine.text.splits import Split, split_text
from engine.text.statistics import TextStatistics, corpus_statistics, text_statistics

if TYPE_CHECKING:
    from engine.text.story import StoryLanguage

__all__ = [
    "MAX_TEXT_BYTES",
    "BundledCorpus",
    "Corpus",
    "FileText",
    "Split",
    "StoryLanguage",
    "TextStatistics",
    "bundled_corpora",
    "corpus_from_file",
    "corpus_from_text",
    "corpus_statistics",
    "load_corpus",
    "read_text_file",
    "split_text",
    "text_statistics",
]


def __getattr__(name: str) -> Any:
    # The story language is imported at its first use, so that those who only read files or
    # count words don't pay for its grammar.
    if name == "StoryLanguage":
        from engine.text.story import StoryLanguage

        return StoryLanguage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
