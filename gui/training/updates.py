"""How far a step moved each part of the model, as a share of its size. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from engine.training import Trainer


def part_of(name: str) -> str:
    """Which part a parameter belongs to: "layer 1" for "blocks.0.…", else its first word."""
    words = name.split(".")
    return f"layer {int(words[1]) + 1}" if words[0] == "blocks" else words[0].replace("_", " ")


class UpdateSizes:
    """Measures ‖θ after − θ before‖ ÷ ‖θ before‖ of a step, for each part of a model."""

    def __init__(self, trainer: Trainer) -> None:
        parts: dict[str, None] = {}
        for name, p in trainer.module.named_parameters():
            if p.dim() > 1:  # vectors are few, and may be zero
                parts[part_of(name)] = None
        self.parts = tuple(parts)
        """Their names, in the order of the model."""
        self._before: dict[str, Tensor] | None = None

    def before(self, trainer: Trainer) -> None:
        """Remember the parameters as they are before a step."""
        named = trainer.module.named_parameters()
        self._before = {name: p.detach().clone() for name, p in named if p.dim() > 1}

    def after(self, trainer: Trainer) -> tuple[float, ...] | None:
        """The sizes of what was done since ``before``, in the order of ``parts``; None if that
        was not called. NaN for a part that was zero."""
        if self._before is None:
            return None
        moved, size = dict.fromkeys(self.parts, 0.0), dict.fromkeys(self.parts, 0.0)
        for name, p in trainer.module.named_parameters():
            old = self._before.get(name)
            if old is not None:
                part = part_of(name)
                moved[part] += float((p.detach() - old).square().sum())
                size[part] += float(old.square().sum())
        self._before = None
        return tuple(
            (moved[part] / size[part]) ** 0.5 if size[part] else float("nan") for part in self.parts
        )
