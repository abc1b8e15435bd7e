"""The Python documentation that ships in the standard library: ``pydoc_data.topics``.

The topics are what ``help("if")`` shows. Many are chapters, and many others are sections of
those same chapters, so a plain split by topic would hold out what is trained on. Topics that
stand in a longer one are therefore left out, and so are single paragraphs that a longer topic
has already said.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text.corpus import Corpus
from engine.text.splits import hold_out_documents

TITLE = "Python documentation"
ORIGIN = "The language reference that comes with Python itself (pydoc_data.topics)."

_HELD_OUT_SEED = 1
_SHORT_PARAGRAPH = 60  # characters; shorter ones, such as "Changed in version 3.2:", may recur
_CONTAINED = 0.8  # a topic of which this share stands elsewhere is a section of that topic
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")


def python_topics() -> dict[str, str]:
    """The standard library's topics, name to text.

    Raises:
        LabError: if this Python came without them.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise LabError(
            "This Python came without its documentation topics (the module pydoc_data). "
            "Install Python's full standard library, or choose another corpus."
        ) from None
    return {str(name): str(text) for name, text in topics.items()}


def distinct_documents(topics: Mapping[str, str]) -> list[str]:
    """The topics as documents that share no paragraph of 60 characters or more, by name."""
    seen: set[str] = set()
    kept: dict[str, str] = {}
    # Longest first, so that chapters stay whole and their sections go.
    for name in sorted(topics, key=lambda n: (-len(topics[n]), n)):
        paragraphs = [p for p in _BLANK_LINES.split(topics[name].strip("\n")) if p.strip()]
        keys = [" ".join(p.split()) for p in paragraphs]
        long = [key for key in keys if len(key) >= _SHORT_PARAGRAPH]
        total = sum(map(len, long))
        repeated = sum(len(key) for key in long if key in seen)
        if repeated and repeated >= _CONTAINED * total:
            continue
        fresh: list[str] = []
        for paragraph, key in zip(paragraphs, keys, strict=True):
            if len(key) >= _SHORT_PARAGRAPH:
                if key in seen:
                    continue
                seen.add(key)
            fresh.append(paragraph.rstrip())
        if fresh:
            kept[name] = "\n\n".join(fresh)
    return [kept[name] for name in sorted(kept)]


def python_corpus(job: Job = NO_JOB) -> Corpus:
    """The documentation as a corpus, about a tenth of its bytes held out in whole topics.

    Raises:
        LabError: if this Python came without its documentation.
    """
    job.progress(0, None, "Reading Python's documentation")
    topics = python_topics()
    documents = distinct_documents(topics)
    split = hold_out_documents(documents, _HELD_OUT_SEED)
    note = (
        f"From Python {platform.python_version()}; {len(topics) - len(documents)} of its "
        f"{len(topics)} topics are sections of others and were left out."
    )
    return Corpus(
        key="python",
        title=TITLE,
        origin=ORIGIN,
        train=split.train,
        held_out=split.held_out,
        notes=(note, *split.notes),
    )
