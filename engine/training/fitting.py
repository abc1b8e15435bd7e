"""What can be trained on this machine at all: its memory, and steps that can still be stopped.

A run that needs more memory than there is does not fail, it brings the whole machine to a stand;
and a step is left only between two blocks of the network, so one block must not take minutes.
Both are worked out beforehand. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from engine.models.transformer.config import TransformerConfig, flops_per_token
from engine.training.memory import training_bytes
from engine.training.recipe import Recipe

_SHARE_OF_ALL, _SHARE_OF_FREE = 0.7, 0.9
_LONGEST_PIECE_SECONDS = 10.0
_LEAST_RATE = 5e10
"""Operations a second; a rate that was measured while the machine was busy refuses no more."""
_CAUTIOUS_RATE = 2e10
"""Operations a second of a slow computer, where no more were measured."""
_LONGEST_TRIED_SECONDS = 2.0


@dataclass(frozen=True)
class Memory:
    """A machine's memory in bytes."""

    total: int
    available: int
    """What programs could have now without pushing one another out."""

    @property
    def for_training(self) -> int:
        """What a run may take: the window and other programs need the rest."""
        return int(min(_SHARE_OF_ALL * self.total, _SHARE_OF_FREE * self.available))


def this_machine() -> Memory:
    """The memory of the machine at hand, as it is now."""
    now = psutil.virtual_memory()
    return Memory(now.total, now.available)


def refusal(
    recipe: Recipe, vocab_size: int, memory: Memory, flops_per_second: float | None = None
) -> str:
    """Why a recipe can't be trained on a machine, and what to turn down; empty if it can.

    On a GPU of its own memory nothing is refused: what doesn't fit there ends with an error.

    Args:
        recipe: what is to be trained.
        vocab_size: V, end-of-text included.
        memory: the machine's.
        flops_per_second: what was measured on it, if anything was.

    Raises:
        LabError: if there is no such transformer.
    """
    if recipe.device == "cuda":
        return ""
    needed = training_bytes(recipe, vocab_size)
    if needed > memory.for_training:
        return (
            f"Training this takes about {said_bytes(needed)} of memory, and this computer has "
            f"{said_bytes(memory.total)}, of which a run may take "
            f"{said_bytes(memory.for_training)} now. Turn down {_largest(recipe, vocab_size)}."
        )
    config = recipe.model_config(vocab_size)
    rate = max(_LEAST_RATE, flops_per_second or 0.0)
    tokens = recipe.batch_size * recipe.context
    if _longest_piece(config) * tokens / rate > _LONGEST_PIECE_SECONDS:
        seconds = flops_per_token(config) * tokens / rate
        return (
            f"One step would take about {_said_seconds(seconds)} on this computer, too long to be "
            f"stopped on the way. Turn down {_largest(recipe, vocab_size)}."
        )
    return ""


def refusal_together(
    recipes: Mapping[str, Recipe],
    vocab_size: int,
    memory: Memory,
    flops_per_second: float | None = None,
) -> str:
    """Why recipes that are trained in turns can't be on a machine; empty if they can. Each keeps
    its parameters and its optimizer's numbers all the time; what a step needs besides, only one
    of them needs at once.

    Args:
        recipes: what is to be trained, by name.
        vocab_size: V, end-of-text included.
        memory: the machine's.
        flops_per_second: what was measured on it, if anything was.

    Raises:
        LabError: if one of them is no transformer.
    """
    standing = at_work = 0
    for name, recipe in recipes.items():
        alone = refusal(recipe, vocab_size, memory, flops_per_second)
        if alone:
            return f"“{name}”: {alone}"
        if recipe.device != "cuda":
            still = training_bytes(recipe.but(batch_size=1, context=1), vocab_size)
            standing += still
            at_work = max(at_work, training_bytes(recipe, vocab_size) - still)
    needed = standing + at_work
    if needed <= memory.for_training:
        return ""
    return (
        f"Training these {len(recipes)} in turns takes about {said_bytes(needed)} of memory, and "
        f"this computer has {said_bytes(memory.total)}, of which they may take "
        f"{said_bytes(memory.for_training)} now. Take fewer, or smaller ones."
    )


def worth_trying(recipe: Recipe, vocab_size: int, flops_per_second: float | None = None) -> bool:
    """Whether a few steps are short enough to be taken only to measure how long they are.

    Args:
        recipe: what is to be measured.
        vocab_size: V, end-of-text included.
        flops_per_second: what was measured on this machine, if anything was.

    Raises:
        LabError: if there is no such transformer.
    """
    per_token = flops_per_token(recipe.model_config(vocab_size))
    work = float(per_token) * recipe.batch_size * recipe.context
    return work / max(_CAUTIOUS_RATE, flops_per_second or 0.0) <= _LONGEST_TRIED_SECONDS


def said_bytes(count: float) -> str:
    """Bytes as a person says them: two digits of MB, or GB with a decimal."""
    if count >= 1e9:
        return f"{count / 1e9:,.1f} GB"
    return f"{float(f'{count / 1e6:.1e}'):.0f} MB"


def _longest_piece(config: TransformerConfig) -> float:
    """Operations for each token of a batch between two points where a step can be left: one block
    on the way back, or the output's scores there and back."""
    scores = 6 * config.vocab_size * config.width
    block = (flops_per_token(config) - scores) / config.layers
    return max(2 / 3 * block, float(scores))


def _largest(recipe: Recipe, vocab_size: int) -> str:
    """What to turn down: what the batch takes, or else the model."""
    one = training_bytes(recipe.but(batch_size=1, context=1), vocab_size)
    if 2 * one > training_bytes(recipe, vocab_size):
        return "the width or the number of layers"
    return "the batch size or the context"


def _said_seconds(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:,.0f} minutes" if seconds < 6000 else f"{seconds / 3600:,.0f} hours"
