"""Cutting text into pre-tokens: words with the space before them, numbers, runs of signs.

The rule is GPT-2's (Radford et al. 2019), the usual one of byte-level BPE: merges never cross
a pre-token's border. ``PATTERN`` states it; ``pretokenize`` computes the same from character
classes in whole-array steps, several times faster on large texts.

>>> pretokenize("Hello world, it's 1984!")
['Hello', ' world', ',', ' it', "'s", ' 1984', '!']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import regex

from engine.jobs import NO_JOB, Job
from engine.tokenizers.alphabet import code_points
from engine.tokenizers.base import without_surrogates

PATTERN = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
"""GPT-2's rule. Alternatives are tried in order, each as long as it can be."""

_SIGN, _LETTER, _NUMBER, _SPACE = range(4)
_CLASSES = regex.compile(r"(\p{L})|(\p{N})|(\s)")

_SHORT = 2_000  # characters below which the pattern itself is quicker than whole-array steps
_SEGMENT = 4_000_000  # characters worked on at a time, to bound memory
_FIRST_SURROGATE = 0xD800  # the first code point that cannot be decoded from UTF-32


def pretokenize(text: str) -> list[str]:
    """The text's pre-tokens, in order; joined they are the text (surrogates as U+FFFD)."""
    return [piece for pieces in pretokens_by_segment(text) for piece in pieces]


def pretokens_by_segment(text: str) -> Iterator[list[str]]:
    """The same a few million characters at a time, so that a large text never stands in
    memory as so many small strings."""
    return map(_pretokenize_segment, segments(text))


def count_words(texts: Iterable[str], job: Job = NO_JOB) -> dict[str, int]:
    """How often each pre-token occurs, in the order in which they are first seen."""
    counts: Counter[str] = Counter()
    for text in texts:
        done = 0
        for segment in segments(text):
            job.progress(done, len(text), "Cutting the text into words")
            counts.update(_pretokenize_segment(segment))
            done += len(segment)
    return counts


def segments(text: str, size: int | None = None) -> Iterator[str]:
    """Cut a long text where a pre-token surely ends: after a word, before white space.

    The rule never looks back, and looks ahead only from inside white space, so the segments'
    pre-tokens are the text's.
    """
    size = _SEGMENT if size is None else size
    start = 0
    while len(text) - start > size:
        cut = _WORD_END.search(text, start + size)
        if cut is None:
            break
        yield text[start : cut.end()]
        start = cut.end()
    if start < len(text):
        yield text[start:]


_WORD_END = regex.compile(r"\S(?=\s)")


def _pretokenize_segment(text: str) -> list[str]:
    if len(text) < _SHORT:
        return _by_pattern(text)
    codes = code_points(text)
    present = np.flatnonzero(np.bincount(codes))
    # Put a code point that the text does not have before each pre-token, then split at it.
    gaps = np.flatnonzero(present != np.arange(len(present)))
    mark = int(gaps[0]) if len(gaps) else len(present)
    if mark >= _FIRST_SURROGATE:  # a text of more than 55,000 different characters
        return _by_pattern(text)
    starts = pretoken_starts(codes, present)
    narrow = max(int(present[-1]), mark) < 256
    marked = np.full(len(codes) + int(starts.sum()), mark, np.uint8 if narrow else np.uint32)
    marked[np.arange(len(codes)) + np.cumsum(starts)] = codes
    return marked[1:].tobytes().decode("latin-1" if narrow else "utf-32-le").split(chr(mark))


def _by_pattern(text: str) -> list[str]:
    found: list[str] = PATTERN.findall(without_surrogates(text))
    return found


def pretoken_starts(
    codes: npt.NDArray[np.uint32], present: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Where pre-tokens start, by character, for a text of at least one character.

    Args:
        codes: the text's code points, shape (n,), without surrogates.
        present: the distinct ones, sorted.
    """
    class_of = np.zeros(int(present[-1]) + 1, dtype=np.uint8)
    for code in present.tolist():
        match = _CLASSES.match(chr(code))
        class_of[code] = match.lastindex if match else _SIGN
    classes = class_of[codes]  # (n,)
    blank = classes == _SPACE
    starts = np.empty(len(codes), dtype=np.bool_)
    starts[0] = True
    # Letters, numbers and signs run on while their class lasts.
    np.not_equal(classes[1:], classes[:-1], out=starts[1:])
    # `\s+(?!\S)`: a run of white space leaves its last character to what follows it.
    last_of_run = blank[:-1] & ~blank[1:]
    starts[:-1] |= last_of_run
    # ` ?\p{L}+` and its like: that last character, if it is a space, joins what follows.
    starts[1:] &= ~(last_of_run & (codes[:-1] == ord(" ")))
    _cut_contractions(codes, starts)
    return starts


def _cut_contractions(codes: npt.NDArray[np.uint32], starts: npt.NDArray[np.bool_]) -> None:
    """`'s|'t|'re|…`: an apostrophe that starts a pre-token takes these letters, and no more."""
    apostrophes = np.flatnonzero(starts & (codes == ord("'")))
    for letters in ("s", "t", "re", "ve", "m", "ll", "d"):
        end = 1 + len(letters)
        found = apostrophes[apostrophes + end <= len(codes)]
        for offset, letter in enumerate(letters, start=1):
            found = found[codes[found + offset] == ord(letter)]
        starts[found + 1] = False
        behind = found + end
        starts[behind[behind < len(codes)]] = True
