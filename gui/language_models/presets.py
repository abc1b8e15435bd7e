"""Sentences to begin with: fluent, odd, and scrambled. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from engine.text import Corpus

TUTORIAL = ("He is hungry", "I'm not a cat", "Dog the asd@sdf 1124 !?")
"""The tutorial's three, from likely to unlikely."""


@dataclass(frozen=True)
class Preset:
    """A sentence on a button."""

    title: str
    text: str
    tip: str
    ends: bool = True
    """Whether the text ends behind it; a sentence out of a document goes on."""


def presets(corpus: Corpus | None) -> tuple[Preset, ...]:
    """The tutorial's sentences; one from the text's held-out part, and its words shuffled."""
    found = [
        Preset("fluent", TUTORIAL[0], "A plain sentence, the tutorial's first."),
        Preset("odd", TUTORIAL[1], "A grammatical sentence that hardly anybody writes."),
        Preset("scrambled", TUTORIAL[2], "No sentence at all."),
    ]
    sentence = _sentence(corpus)
    if sentence:
        words = sentence.split(" ")
        order = np.random.default_rng(0).permutation(len(words))
        shuffled = " ".join(words[i] for i in order)
        found += [
            Preset("from the text", sentence, "A sentence that no model was trained on.", False),
            Preset("its words shuffled", shuffled, "The same words in another order.", False),
        ]
    return tuple(found)


def _sentence(corpus: Corpus | None) -> str:
    """The first sentence of a held-out document that has a usual length."""
    if corpus is None:
        return ""
    for document in (corpus.held_out or corpus.train)[:20]:
        match = re.match(r"\s*([^\n.!?]{20,160}[.!?])(\s|$)", document)
        if match and match[1].count(" ") >= 3:
            return match[1]
    return ""
