"""Keys and values of the tokens read so far, so that a new token costs one position's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from engine.models.transformer.config import TransformerConfig


class KVCache:
    """Room for ``context`` keys and values per layer, filled from the left.

    Keys are kept rotated, so nothing needs to be touched again when tokens follow.
    """

    def __init__(
        self, config: TransformerConfig, batch: int = 1, device: torch.device | None = None
    ) -> None:
        shape = (config.layers, batch, config.heads, config.context, config.head_width)
        self.keys = torch.empty(shape, device=device)  # (L, B, H, context, d)
        self.values = torch.empty(shape, device=device)  # (L, B, H, context, d)
        self.length = 0
        """Tokens read; ``Transformer.forward`` raises it after the last layer."""

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add one layer's k and v (B, H, T, d); get all of them, (B, H, length + T, d)."""
        end = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]
