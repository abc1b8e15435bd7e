"""The places inside a transformer that a viewer can look at, and what can be switched off.

Both cost nothing while nobody uses them: the forward pass asks ``if record is not None``.
The names follow TransformerLens; with the tutorial's symbols in brackets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor

from engine.errors import LabError
from engine.models.transformer.config import TransformerConfig

LAYER_POINTS: dict[str, str] = {
    "resid_pre": "(B, T, D) the residual stream that enters the layer [xₜ]",
    "q": "(B, H, T, d) queries as they enter the product: after QK-norm and rotation [qₜ]",
    "k": "(B, H, T, d) keys, likewise [kₜ]",
    "v": "(B, H, T, d) values [vₜ]",
    "scores": "(B, H, T, T) q·k/√d before mask and softmax",
    "pattern": "(B, H, T, T) after mask and softmax: rows sum to 1 [attention]",
    "z": "(B, H, T, d) each head's weighted sum of values [Σⱼ attention·vⱼ]",
    "attn_out": "(B, T, D) all heads through W_O",
    "resid_mid": "(B, T, D) the residual stream between attention and FFN [oₜ]",
    "mlp_pre": "(B, T, F) FFN before its activation [xW₁]",
    "mlp_gate": "(B, T, F) SwiGLU only: what the activation is multiplied with [xW₂]",
    "mlp_post": "(B, T, F) FFN after its activation (and gate)",
    "mlp_out": "(B, T, D) the FFN's output [FFN(oₜ)]",
    "resid_post": "(B, T, D) the residual stream that leaves the layer [FFN(oₜ) + oₜ]",
}
"""Points that every layer has, with shape and meaning; layer 2's pattern is "2.pattern"."""

MODEL_POINTS: dict[str, str] = {
    "embedding": "(B, T, D) rows of the embedding matrix, before learned positions are added",
    "final": "(B, T, D) the last residual stream after the final norm",
    "logits": "(B, T, V) scores of every next token before softmax",
}
"""Points outside the layers."""


def point_names(config: TransformerConfig) -> list[str]:
    """Every point of a model, in the order in which it is computed."""
    names = ["embedding"]
    for layer in range(config.layers):
        names += [
            f"{layer}.{point}"
            for point in LAYER_POINTS
            if point != "mlp_gate" or config.ffn == "swiglu"
        ]
    return [*names, "final", "logits"]


class Recorder:
    """Keeps the activations that were asked for during one forward pass.

    >>> record = Recorder(["0.pattern", "logits"])
    >>> _ = model(ids, record=record)
    >>> record["0.pattern"].shape
    torch.Size([1, 4, 12, 12])
    """

    def __init__(self, points: Collection[str] | None = None) -> None:
        """Ask for the named points, or for all of them."""
        self._wanted = None if points is None else frozenset(points)
        self.activations: dict[str, Tensor] = {}

    def keep(self, point: str, value: Tensor) -> None:
        """Called by the forward pass at each point. Keeps a copy apart from the graph."""
        if self._wanted is None or point in self._wanted:
            self.activations[point] = value.detach().clone()

    def __getitem__(self, point: str) -> Tensor:
        return self.activations[point]


@dataclass(frozen=True)
class SwitchedOff:
    """Parts of a model to leave out of a forward pass, to see what they are for."""

    heads: frozenset[tuple[int, int]] = frozenset()
    """(layer, head): the head's weighted sum z becomes 0."""
    attentions: frozenset[int] = frozenset()
    """Layers whose attention adds nothing (all heads, and the output bias)."""
    ffns: frozenset[int] = frozenset()
    """Layers whose FFN adds nothing."""
    residuals: frozenset[int] = frozenset()
    """Layers whose two sublayers replace the residual stream instead of adding to it."""
    positions: bool = False
    """No learned vectors are added and nothing is rotated."""

    def check(self, config: TransformerConfig) -> None:
        """Raises:
        LabError: if a part is named that the model doesn't have.
        """
        named = self.attentions | self.ffns | self.residuals | {layer for layer, _ in self.heads}
        if any(not 0 <= layer < config.layers for layer in named):
            raise LabError(f"The model has layers 0 to {config.layers - 1}, no others.")
        if any(not 0 <= head < config.heads for _, head in self.heads):
            raise LabError(f"Each layer has heads 0 to {config.heads - 1}, no others.")
