"""A corpus: documents to learn from, and documents held out to be tested on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.tokenizers.base import to_utf8

if TYPE_CHECKING:
    from engine.text.story import StoryLanguage


@dataclass(frozen=True)
class Corpus:
    """Texts split by document: no document, and no part of one, is in both halves."""

    key: str
    """Machine name: "stories", "reader", "python", "file" or "text" (the learner's own)."""
    title: str
    """What the learner reads in the corpus menu."""
    origin: str
    """Where the text comes from, in a sentence."""
    train: tuple[str, ...]
    """Documents to learn from."""
    held_out: tuple[str, ...]
    """Documents that nothing is ever trained on. Empty where a text is too short for it."""
    language: StoryLanguage | None = None
    """The language whose true probabilities are known, if this text was drawn from one."""
    notes: tuple[str, ...] = ()
    """What was done to the text on reading it, a sentence each (encoding, odd characters)."""

    @property
    def text(self) -> str:
        """The training documents in order, a blank line between two."""
        return "\n\n".join(self.train)

    @cached_property
    def n_train_bytes(self) -> int:
        """UTF-8 bytes of the training documents, separators not counted."""
        return sum(len(to_utf8(document)) for document in self.train)

    @cached_property
    def n_held_out_bytes(self) -> int:
        """UTF-8 bytes of the held-out documents, separators not counted."""
        return sum(len(to_utf8(document)) for document in self.held_out)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of both halves: equal exactly when both hold the same documents in
        the same order. What was made from a corpus remembers it by this."""
        digest = hashlib.sha256()
        for half in (self.train, self.held_out):
            digest.update(documents_digest(half))
        return digest.hexdigest()


def documents_digest(documents: Iterable[str]) -> bytes:
    """SHA-256 of a sequence of documents: each one's length goes before it, so that no two
    ways of cutting the same text collide."""
    digest = hashlib.sha256()
    for document in documents:
        data = to_utf8(document)
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
