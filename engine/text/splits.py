"""Cutting one text into documents, and documents into training and held-out halves.

A held-out half is honest only if nothing in it was trained on. So whole documents are held
out, never overlapping windows, and never a document of which there is a second copy.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import to_utf8

HELD_OUT_SHARE = 0.1
"""The part of a corpus's bytes that is held out, about."""

MIN_CHARACTERS = 1_000
"""A text shorter than this is trained on whole: a tenth of it would be too few tokens for a
held-out loss to mean anything."""

# Where a text may be cut, best first. The cut comes at the end of the match. A sentence ends
# in a stop and a space, or in one of the full-width stops, which need no space.
_BOUNDARIES = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n"),
    re.compile(r"[.!?…][\"'”’»)\]]*\s+|[。！？]"),
    re.compile(r"\s+"),
)
_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


@dataclass(frozen=True)
class Split:
    """Two halves that share no document."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What is unusual about this split, a sentence each."""


def split_text(text: str, seed: int = 0, share: float = HELD_OUT_SHARE, job: Job = NO_JOB) -> Split:
    """Cut one text into documents and hold some of them out.

    A text shorter than ``MIN_CHARACTERS`` is one training document, and nothing is held out.
    One that offers no place to cut it at (an enormous line without spaces) keeps its first
    nine tenths for training. Together the halves hold the whole text, but for white space
    between documents.
    """
    if len(text) < MIN_CHARACTERS:
        note = (
            f"The text is too short to hold a part of it out (under {MIN_CHARACTERS:,} "
            "characters), so there is no held-out loss."
        )
        return Split(train=tuple(_trimmed([text])), held_out=(), notes=(note,))
    documents = cut_documents(text, document_length(len(text)), job)
    split = hold_out_documents(documents, seed, share)
    if split.held_out or _repeats(documents):
        return split
    largest = max(range(len(documents)), key=lambda i: len(documents[i]))
    cut = _cut_near(documents[largest], 1 - share)
    head, tail = _trimmed([documents[largest][:cut]]), _trimmed([documents[largest][cut:]])
    note = "The text has few places to cut it at, so the end of its longest stretch is held out."
    return Split(
        train=(*documents[:largest], *head, *documents[largest + 1 :]),
        held_out=tuple(tail),
        notes=(note,),
    )


def document_length(n_characters: int) -> int:
    """The least length of a document, in characters: about a hundred documents, so that a
    tenth can be held out evenly; at least 1,000 characters, so that a model sees long
    contexts (below 20,000 characters, a twentieth of the text); at most 16,000."""
    if n_characters < 20_000:
        return max(1, n_characters // 20)
    return min(max(n_characters // 100, 1_000), 16_000)


def cut_documents(text: str, length: int, job: Job = NO_JOB) -> list[str]:
    """Cut a text into documents of at least ``length`` characters, about.

    Each ends at the first blank line after ``length`` characters; where there is none within
    four times that length, at a line's end; then at a sentence's; then at a space. A stretch
    with none of them stays whole. White space between documents is dropped.
    """
    pieces: list[str] = []
    start = 0
    while len(text) - start > 2 * length:
        job.progress(start, len(text), "Cutting the text into documents")
        end = _next_cut(text, start + length, length, job)
        if end is None:
            break
        pieces.append(text[start:end])
        start = end
    pieces.append(text[start:])
    return _trimmed(pieces)


def hold_out_documents(
    documents: Sequence[str], seed: int = 0, share: float = HELD_OUT_SHARE
) -> Split:
    """Hold out a seeded choice of whole documents with about ``share`` of all bytes.

    A document that occurs more than once is never held out: its copies would have been
    trained on. Both halves keep the documents' order. At least one document is trained on.
    """
    sizes = np.array([len(to_utf8(document)) for document in documents], dtype=np.int64)
    copies = Counter(documents)
    candidates = [i for i, document in enumerate(documents) if copies[document] == 1]
    goal = share * float(sizes.sum())
    chosen: set[int] = set()
    held = 0.0
    order = np.random.default_rng(seed % 2**64).permutation(len(candidates))
    for at in order:
        index = candidates[int(at)]
        size = float(sizes[index])
        # Taken only if that brings the held-out bytes nearer to the goal.
        if abs(held + size - goal) < abs(held - goal) and len(chosen) + 1 < len(documents):
            chosen.add(index)
            held += size
        if held >= goal:
            break
    repeated = len(documents) - len(candidates)
    if 2 * repeated > len(documents):
        # A text that mostly repeats itself: its odd documents may be made of the others.
        trained_on = "".join("".join(d.split()) for i, d in enumerate(documents) if i not in chosen)
        chosen = {i for i in chosen if "".join(documents[i].split()) not in trained_on}
    notes: list[str] = []
    if repeated:
        notes.append(
            f"{repeated:,} of the {len(documents):,} documents are copies of one another; all "
            "of them are in the training half, so that nothing held out was trained on."
        )
    if repeated and not chosen:
        notes.append("What is left is too little to hold out, so there is no held-out loss.")
    return Split(
        train=tuple(d for i, d in enumerate(documents) if i not in chosen),
        held_out=tuple(d for i, d in enumerate(documents) if i in chosen),
        notes=tuple(notes),
    )


def _repeats(documents: Sequence[str]) -> bool:
    return len(set(documents)) < len(documents)


def _next_cut(text: str, earliest: int, length: int, job: Job) -> int | None:
    """The best place to cut at or after ``earliest``, leaving a last document of at least
    half a ``length``; None if there is no place before the text's end."""
    last = len(text) - length // 2
    while earliest < last:
        job.yield_point()
        latest = min(earliest + 3 * length, last)
        for boundary in _BOUNDARIES:
            match = boundary.search(text, earliest, latest)
            if match:
                return match.end()
        earliest = latest
    return None


def _cut_near(document: str, fraction: float) -> int:
    """A place to cut one document, near a fraction of its length: at the best boundary within
    a fiftieth of the text; else between two characters, but not before a combining mark."""
    middle = min(max(1, round(fraction * len(document))), len(document) - 1)
    slack = len(document) // 50
    for boundary in _BOUNDARIES:
        match = boundary.search(document, middle - slack, middle + slack)
        if match and 0 < match.end() < len(document):
            return match.end()
    for position in range(middle, min(middle + 64, len(document))):
        if not _continues(document[position]) and document[position - 1] != "\u200d":
            return position
    return middle


def _continues(character: str) -> bool:
    """Whether a character belongs to the one before it: a combining mark, a variation
    selector, a zero-width joiner or an emoji's skin tone."""
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or character == "\u200d"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _trimmed(pieces: Sequence[str]) -> list[str]:
    """The pieces without blank lines in front and white space behind; blank ones left out.
    The first line's indentation stays: in verse and in programs it means something."""
    trimmed = (_LEADING_BLANK_LINES.sub("", piece).rstrip() for piece in pieces)
    return [piece for piece in trimmed if piece]
