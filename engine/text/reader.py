"""The reader: short pieces of English prose written for this project (assets/corpora/reader).

Each file is ``NN-slug.txt``: the title in the first line, a blank line, then paragraphs. A
piece is a document, its title included. The choice of what is held out never changes, so that
losses on the reader can be compared from one session to the next.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text.corpus import Corpus
from engine.text.files import read_text_file
from engine.text.splits import hold_out_documents

READER_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "corpora" / "reader"

TITLE = "Reader"
ORIGIN = (
    "Short pieces of English prose written for this lab: tales, letters, places, animals, "
    "recipes, conversations and how things work."
)

_FILE_NAME = re.compile(r"\d+-[a-z0-9-]+\.txt")
_HELD_OUT_SEED = 1


@dataclass(frozen=True)
class Piece:
    """One piece of the reader."""

    slug: str
    """Its file's name without the ending, such as "04-the-tides"."""
    title: str
    text: str
    """Title, blank line and paragraphs."""


def reader_pieces(folder: Path = READER_FOLDER, job: Job = NO_JOB) -> tuple[Piece, ...]:
    """All pieces in their order.

    Raises:
        LabError: if the folder is missing or holds no piece, or a piece cannot be read.
    """
    files = sorted(p for p in folder.glob("*.txt") if _FILE_NAME.fullmatch(p.name))
    if not files:
        raise LabError(
            "The reader's texts are missing from this copy of the lab (assets/corpora/reader). "
            "Get a complete copy, or choose another corpus."
        )
    pieces: list[Piece] = []
    for done, file in enumerate(files):
        job.progress(done, len(files), "Reading the reader")
        text = read_text_file(file).text.strip()
        title, _, _ = text.partition("\n")
        pieces.append(Piece(slug=file.stem, title=title.strip(), text=text))
    return tuple(pieces)


def reader_corpus(folder: Path = READER_FOLDER, job: Job = NO_JOB) -> Corpus:
    """The reader as a corpus, about a tenth of its bytes held out in whole pieces.

    Raises:
        LabError: as ``reader_pieces``.
    """
    split = hold_out_documents([p.text for p in reader_pieces(folder, job)], _HELD_OUT_SEED)
    return Corpus(
        key="reader",
        title=TITLE,
        origin=ORIGIN,
        train=split.train,
        held_out=split.held_out,
        notes=split.notes,
    )
