"""Corpora made from a text of the learner's own: a file, or what they typed or pasted."""

from __future__ import annotations

import os
import re

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text.corpus import Corpus
from engine.text.files import MAX_TEXT_BYTES, read_text_file, too_large
from engine.text.splits import split_text
from engine.tokenizers.base import to_utf8

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def corpus_from_file(path: str | os.PathLike[str], seed: int = 0, job: Job = NO_JOB) -> Corpus:
    """A corpus from a text file of at most 50 MB; ``seed`` chooses what is held out.

    Raises:
        LabError: if the file cannot be used; see ``read_text_file``.
    """
    read = read_text_file(path, job)
    split = split_text(read.text, seed, job=job)
    return Corpus(
        key="file",
        title=read.name,
        origin=f"Your file {read.name}, {read.n_bytes:,} bytes.",
        train=split.train,
        held_out=split.held_out,
        notes=(*read.notes, *split.notes),
    )


def corpus_from_text(
    text: str, title: str = "Your own text", seed: int = 0, job: Job = NO_JOB
) -> Corpus:
    """A corpus from a text that was typed or pasted. Lone surrogates, which are no
    characters, become U+FFFD; line ends become \\n.

    Raises:
        LabError: if there is no text in it, or more than 50 MB.
    """
    notes: list[str] = []
    surrogates = len(_LONE_SURROGATE.findall(text))
    data = to_utf8(text)
    if surrogates:
        text = data.decode()
        notes.append("Half characters (lone surrogates) in the text became \ufffd (U+FFFD).")
    if len(data) > MAX_TEXT_BYTES:
        raise too_large("The text", len(data))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text or text.isspace():
        raise LabError("There is no text here yet. Type or paste some.")
    split = split_text(text, seed, job=job)
    return Corpus(
        key="text",
        title=title,
        origin="A text of your own.",
        train=split.train,
        held_out=split.held_out,
        notes=(*notes, *split.notes),
    )
