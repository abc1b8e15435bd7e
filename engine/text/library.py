"""The corpora that come with the lab."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text import python_docs, reader
from engine.text.corpus import Corpus

STORY_BYTES = 1_000_000
"""How much text is drawn from the story language."""


@dataclass(frozen=True)
class BundledCorpus:
    """An entry of the corpus menu; ``load_corpus(key)`` makes the corpus itself."""

    key: str
    title: str
    origin: str
    """Where the text comes from, in a sentence."""


_BUNDLED = (
    BundledCorpus(
        "stories",
        "Stories",
        "Short stories drawn from a small language whose true probabilities are known exactly.",
    ),
    BundledCorpus("reader", reader.TITLE, reader.ORIGIN),
    BundledCorpus("python", python_docs.TITLE, python_docs.ORIGIN),
)


def bundled_corpora() -> tuple[BundledCorpus, ...]:
    """What comes with the lab, in the menu's order, without making any of it."""
    return _BUNDLED


def load_corpus(key: str, seed: int = 0, job: Job = NO_JOB) -> Corpus:
    """One of the bundled corpora.

    Args:
        key: "stories", "reader" or "python".
        seed: draws the stories; the other two are the same for every seed.

    Raises:
        LabError: if there is no such corpus, or its texts are missing.
    """
    match key:
        case "stories":
            # Imported when needed: the grammar takes a moment to build.
            from engine.text.story import StoryLanguage

            return StoryLanguage().corpus(n_bytes=STORY_BYTES, seed=seed, job=job)
        case "reader":
            return reader.reader_corpus(job=job)
        case "python":
            return python_docs.python_corpus(job)
        case _:
            known = ", ".join(entry.key for entry in _BUNDLED)
            raise LabError(f"There is no corpus named “{key}”. Choose one of: {known}.")
