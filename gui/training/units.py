"""The units of the loss plot: what losses are told in, and what they are drawn along. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.models.landmarks import Landmark
from engine.tokenizers.stream import TokenStream
from engine.workspace import MadeTokenizer, Streams
from gui.training.news import News, Order

Floats = npt.NDArray[np.float64]

LOSSES = {
    "nats": "nats per token",
    "bits": "bits per byte",
    "perplexity": "perplexity",
}
"""Units of the loss, by key."""
LOSS_TIPS = {
    "nats": "−ln p of the token that came, on average: what training makes smaller.",
    "bits": "The same, per byte of text: comparable between different tokenizers.",
    "perplexity": "exp(nats per token): as unsure as if choosing among so many equal tokens.",
}
ALONG = {
    "step": "steps",
    "tokens": "tokens read",
    "seconds": "seconds",
    "flops": "floating-point operations",
}
"""What curves are drawn along, by key."""


@dataclass(frozen=True)
class LossUnit:
    """Turns nats per token into what is shown."""

    key: str
    tokens_per_byte: float = 1.0
    """Of the text that the loss was measured on."""
    spelling_bits: float = 0.0
    """Bits per byte that a lossy tokenizer pays for spelling its unknown tokens."""

    def __call__(self, nats: Floats) -> Floats:
        """The losses in this unit, same shape."""
        if self.key == "bits":
            return nats * (self.tokens_per_byte / math.log(2)) + self.spelling_bits
        if self.key == "perplexity":
            with np.errstate(over="ignore"):
                return np.exp(nats)
        return nats

    def of_landmark(self, line: Landmark) -> float:
        """A landmark's height in this unit: bits per byte are those it was measured with."""
        if self.key == "bits":
            return line.bits_per_byte
        return float(self(np.array([line.nats_per_token]))[0])


def tokens_per_byte(stream: TokenStream) -> float:
    """How many tokens are predicted for each byte of a text."""
    return stream.n_targets / max(1, stream.n_bytes)


def units_of(
    key: str, order: Order, lines: tuple[Landmark, ...]
) -> tuple[LossUnit | None, LossUnit]:
    """How the training and the held-out loss of a run are shown.

    In bits per byte a lossy tokenizer pays for the spelling of its unknown tokens. What that
    costs on held-out text is known from the landmarks; on the training text it is not, and that
    curve is left out (None).
    """
    held_out = held_out_unit(key, order.streams, order.tokenizer, lines)
    if key != "bits" or order.tokenizer.tokenizer.lossless:
        return LossUnit(key, tokens_per_byte(order.streams.train)), held_out
    return None, held_out


def held_out_unit(
    key: str, streams: Streams, tokenizer: MadeTokenizer, lines: tuple[Landmark, ...]
) -> LossUnit:
    """How a held-out loss is shown, the spelling of unknown tokens included (see ``units_of``).
    Where no text is held out, that of the training text."""
    scored = streams.held_out if streams.held_out.n_targets else streams.train
    bare = LossUnit(key, tokens_per_byte(scored))
    if key != "bits" or tokenizer.tokenizer.lossless or not lines:
        return bare
    shared = lines[0].nats_per_token * bare.tokens_per_byte / math.log(2)
    return LossUnit(key, bare.tokens_per_byte, lines[0].bits_per_byte - shared)


def along(key: str, news: News, steps: Floats) -> Floats:
    """The places of steps 0, 1, … on the x axis, same shape."""
    if key == "step" or not len(news.steps):
        return steps
    if key == "flops":
        return steps * float(news.flops_per_step)
    column = news.steps["tokens" if key == "tokens" else "seconds"]
    table = np.concatenate(([0.0], column))  # (steps + 1,)
    places: Floats = table[np.minimum(steps, len(column)).astype(np.int64)]
    return places
