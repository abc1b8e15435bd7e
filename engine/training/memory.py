"""How much memory a training run takes, by arithmetic, and giving back what it no longer needs.

Imports no torch.
"""

from __future__ import annotations

import ctypes
import sys

from engine.models.transformer.config import parameter_counts
from engine.training.recipe import Recipe

_BYTES = 4
"""Of a float32."""
_BUFFERS = 20_000_000
"""Bytes that torch's products need besides, whatever the model: measured on two cores."""


def optimizer_numbers(recipe: Recipe, vocab_size: int) -> int:
    """Numbers that the optimizer keeps from step to step: SGD one for each parameter (its
    momentum), AdamW two (the means of gradient and square); Muon one for those in the blocks'
    matrices and Adam's two for the rest."""
    counts = parameter_counts(recipe.model_config(vocab_size))
    total, matrices = counts["total"], counts["attention"] + counts["ffn"]
    if recipe.optimizer == "sgd":
        return total
    if recipe.optimizer == "adamw":
        return 2 * total
    return matrices + 2 * (total - matrices)


def training_bytes(recipe: Recipe, vocab_size: int) -> int:
    """Bytes of memory that training takes, besides the program itself: an estimate.

    Counted are the parameters, their gradients, the optimizer's numbers, a copy of parameters
    and optimizer to go back to, and what the forward pass keeps for the backward pass: for each
    token of a batch and each layer about 12 vectors of the width and 3 of the FFN's, and at the
    end three tables of scores for every token of the vocabulary.

    Args:
        recipe: what is trained.
        vocab_size: V, end-of-text included.

    Raises:
        LabError: if there is no such transformer.
    """
    config = recipe.model_config(vocab_size)
    total = parameter_counts(config)["total"]
    numbers = 3 * total + 2 * optimizer_numbers(recipe, vocab_size)
    per_layer = 12 * config.width + 3 * config.hidden
    tokens = recipe.batch_size * recipe.context
    numbers += tokens * (config.layers * per_layer + 3 * vocab_size)
    return numbers * _BYTES + _BUFFERS


def give_back() -> bool:
    """Hand freed memory back to the system, where the C library is GNU's: it keeps much of what
    the first passes of several models used and freed, 105 MB after the fifteen of the scaling
    law. Returns whether anything was handed back."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # another C library
        return False
    return bool(trim(ctypes.c_size_t(0)))
