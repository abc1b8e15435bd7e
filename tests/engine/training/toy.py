"""Small texts and small models, for tests that must be quick."""

from __future__ import annotations

import numpy as np

from engine.tokenizers.stream import TokenStream
from engine.training import Recipe, gpt2_style, modern

SMALL = {"layers": 1, "heads": 2, "width": 16, "context": 8, "batch_size": 4, "eval_every": 0,
         "threads": 1, "steps": 40}  # fmt: skip


def stream(text: str, alphabet: str = "abcdefgh ") -> TokenStream:
    """A text as one document of characters."""
    end = len(alphabet)
    ids = [end, *(alphabet.index(c) for c in text), end]
    return TokenStream(np.array(ids, dtype=np.int32), end, len(text))


def random_stream(length: int, seed: int = 0) -> TokenStream:
    """A document of random characters."""
    letters = np.random.default_rng(seed).integers(0, 9, length)
    return stream("".join("abcdefgh "[i] for i in letters))


TRAIN = stream("abcd efgh " * 40)
HELD_OUT = stream("efgh abcd " * 7 + "efg")


def small(recipe: Recipe | None = None, **changes) -> Recipe:
    """A recipe for seconds, the modern one unless told otherwise."""
    return (recipe or modern()).but(**{**SMALL, **changes})


def small_gpt2(**changes) -> Recipe:
    return small(gpt2_style().but(warmup=2), **changes)
