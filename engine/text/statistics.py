"""What can be counted in a text: characters, bytes, words, and Zipf's law of their ranks.

A word is a run of letters, digits and their combining marks; one apostrophe or hyphen between
two such runs joins them ("don't", "well-known"). Words are counted without regard to case.
Scripts that put no spaces between words (Chinese, Japanese, Thai) come out as long runs: there
this counts stretches between punctuation, not words.

G. K. Zipf, Human Behavior and the Principle of Least Effort, 1949: the r-th most frequent word
occurs about 1/r as often as the most frequent one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import regex

from engine.jobs import NO_JOB, Job
from engine.text.corpus import Corpus
from engine.tokenizers.base import to_utf8

_WINDOW = 1 << 16  # characters searched between two yield points
_TOP_WORDS = 1_000

# One rule twice: the standard library's engine is faster, but \w there leaves out the
# combining marks that Hindi, Arabic, Hebrew or decomposed accents are written with.
_WORD = regex.compile(r"[\p{L}\p{N}\p{M}_]+(?:['’\-][\p{L}\p{N}\p{M}_]+)*")
_ASCII_WORD = re.compile(r"[a-z0-9_]+(?:['\-][a-z0-9_]+)*")
_BETWEEN_WORDS = re.compile(r"[\s.,;:!?。，！？]")


@dataclass(frozen=True)
class WordCount:
    """A word, in lower case, and how often it occurs."""

    word: str
    count: int


@dataclass(frozen=True)
class TextStatistics:
    """Counts of a text."""

    n_documents: int
    n_characters: int
    """Unicode code points."""
    n_bytes: int
    """UTF-8 bytes."""
    n_words: int
    n_distinct_words: int
    n_words_seen_once: int
    """Distinct words that occur once (hapax legomena): the tail that no count can learn."""
    frequencies: npt.NDArray[np.int64]
    """How often the word of each rank occurs, rank 1 first, shape (n_distinct_words,);
    read-only. Zipf's law has this near frequencies[0] / rank."""
    top_words: tuple[WordCount, ...]
    """The 1,000 most frequent words, most frequent first; ties in alphabetical order."""


def corpus_statistics(corpus: Corpus, job: Job = NO_JOB) -> TextStatistics:
    """Counts over both halves of a corpus."""
    return text_statistics((*corpus.train, *corpus.held_out), job)


def text_statistics(documents: Iterable[str], job: Job = NO_JOB) -> TextStatistics:
    """Counts over documents. Any str is accepted; a lone surrogate is a character of three
    bytes (it is read as U+FFFD) and part of no word."""
    counts: Counter[str] = Counter()
    n_documents = n_characters = n_bytes = 0
    for document in documents:
        n_documents += 1
        for window in _windows(document):
            counts.update(words(window))
            n_characters += len(window)
            n_bytes += len(to_utf8(window))
            job.progress(n_characters, None, "Counting words")
    frequencies = np.sort(np.fromiter(counts.values(), np.int64, len(counts)))[::-1].copy()
    frequencies.setflags(write=False)
    return TextStatistics(
        n_documents=n_documents,
        n_characters=n_characters,
        n_bytes=n_bytes,
        n_words=int(frequencies.sum()),
        n_distinct_words=len(counts),
        n_words_seen_once=int(np.count_nonzero(frequencies == 1)),
        frequencies=frequencies,
        top_words=_top(counts),
    )


def words(text: str) -> list[str]:
    """The words of a text in order, in lower case.

    >>> words("Don't stop: it's half-past 3!")
    ["don't", 'stop', "it's", 'half-past', '3']
    """
    lowered = text.lower()
    found: list[str] = (_ASCII_WORD if lowered.isascii() else _WORD).findall(lowered)
    return found


def _windows(text: str) -> Iterator[str]:
    """The text in stretches of about 64,000 characters, cut only where no word is cut."""
    start = 0
    while len(text) - start > _WINDOW:
        match = _BETWEEN_WORDS.search(text, start + _WINDOW)
        if match is None:
            break
        yield text[start : match.end()]
        start = match.end()
    yield text[start:]


def _top(counts: Counter[str]) -> tuple[WordCount, ...]:
    """The most frequent words. Python's own most_common leaves ties in the order of first
    sight; in alphabetical order they don't depend on how the text was split."""
    if len(counts) > _TOP_WORDS:
        threshold = sorted(counts.values(), reverse=True)[_TOP_WORDS - 1]
        kept = [(word, count) for word, count in counts.items() if count >= threshold]
    else:
        kept = list(counts.items())
    kept.sort(key=lambda item: (-item[1], item[0]))
    return tuple(WordCount(word, count) for word, count in kept[:_TOP_WORDS])
