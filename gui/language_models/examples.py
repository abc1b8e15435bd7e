"""Beginnings to try: unfinished documents out of the text that nothing was trained on."""

from __future__ import annotations

import re

import numpy as np

from engine.text import Corpus

LONGEST = 320
"""Characters of a beginning, roughly; it starts where a document does."""


def beginning(corpus: Corpus, number: int, seed: int = 0) -> str:
    """The number-th beginning of a corpus, cut in front of a word; always the same for a seed.

    Where a language with known facts wrote the text, it ends in front of a word that words
    further back have settled, so that there is something to know.
    """
    documents = corpus.held_out or corpus.train
    if not documents:
        return ""
    document = documents[number % len(documents)]
    rng = np.random.default_rng([seed, number])
    if corpus.language is not None:
        story = corpus.language.read(document)
        settled = [] if story is None else [d for f in story.facts for d in f.dependents]
        far = [d for d in settled if d.distance >= 4]
        if story is not None and far:
            chosen = far[int(rng.integers(len(far)))]
            return "".join(story.words[: chosen.position])
    head = document[:LONGEST]
    cuts = [m.start() for m in re.finditer(r"(?<=\S)\s+\S", head)]
    if not cuts:
        return head[: len(head) // 2]
    return head[: cuts[int(rng.integers(len(cuts) // 2, len(cuts)))]]
