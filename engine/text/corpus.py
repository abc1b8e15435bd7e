"""A corpus: documents to learn from, and documents held out to be tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.text.story import StoryLanguage


@dataclass(frozen=True)
class Corpus:
    """Texts split by document: no document, and no part of one, is in both halves."""

    key: str
    """Machine name: "stories", "reader", "python", or "file"."""
    title: str
    """What the learner reads in the corpus menu."""
    origin: str
    """Where the text comes from, in a sentence."""
    train: tuple[str, ...]
    """Documents to learn from."""
    held_out: tuple[str, ...]
    """Documents that nothing is ever trained on."""
    language: StoryLanguage | None = None
    """The language whose true probabilities are known, if this text was drawn from one."""
    notes: tuple[str, ...] = ()
    """What was done to the text on reading it, a sentence each (encoding, odd characters)."""

    @property
    def text(self) -> str:
        """The training documents in order, a blank line between two."""
        return "\n\n".join(self.train)
