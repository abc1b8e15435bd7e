"""All parameters of a model in one long vector, so that an optimizer's step is a few operations.

Each nn.Parameter becomes a view into it, and its .grad a view into a second one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Slot:
    """Where one parameter lies in the vector."""

    name: str
    shape: torch.Size
    start: int
    end: int


class FlatParameters:
    """values and gradients, shape (N,) each, in this order: matrices of the blocks, grouped by
    part over all layers (so that those of one shape lie side by side), then embeddings and
    output, then vectors."""

    def __init__(self, module: nn.Module) -> None:
        named = list(module.named_parameters())
        ordered = sorted(named, key=lambda item: (_rank(*item), _part(item[0])))
        self.slots: list[Slot] = []
        at = 0
        for name, p in ordered:
            self.slots.append(Slot(name, p.shape, at, at + p.numel()))
            at += p.numel()
        device = ordered[0][1].device
        self.values = torch.empty(at, device=device)  # (N,)
        self.gradients = torch.zeros(at, device=device)  # (N,)
        for slot, (_, p) in zip(self.slots, ordered, strict=True):
            view = self.values[slot.start : slot.end].view(slot.shape)
            view.copy_(p.detach())
            p.data = view
            p.grad = self.gradients[slot.start : slot.end].view(slot.shape)
        ranks = [_rank(slot.name, p) for slot, (_, p) in zip(self.slots, ordered, strict=True)]
        self.matrices = sum(
            s.end - s.start for s, r in zip(self.slots, ranks, strict=True) if r < 1
        )
        """How many of the first numbers belong to the matrices of the blocks."""
        self.decayed = sum(s.end - s.start for s, r in zip(self.slots, ranks, strict=True) if r < 2)
        """How many of the first numbers belong to anything with two dimensions."""

    def __len__(self) -> int:
        return len(self.values)


def _rank(name: str, p: Tensor) -> int:
    if p.dim() < 2:
        return 2
    return 0 if name.startswith("blocks.") else 1


def _part(name: str) -> tuple[str, int]:
    """("attention.qkv.weight", 3) for "blocks.3.attention.qkv.weight"."""
    if not name.startswith("blocks."):
        return name, 0
    _, layer, part = name.split(".", 2)
    # qkv before out before the FFN: (3·D, D) and (D, D) then form one stack of (D, D)
    return part.replace("attention.qkv", "attention.1qkv"), int(layer)
