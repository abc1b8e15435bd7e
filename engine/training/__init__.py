"""Training. Recipes and records need no torch; the trainer is imported when first named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.training.recipe import Knob, Recipe
from engine.training.recipes import SIZES, gpt2_style, modern, modern_long, sized
from engine.training.records import Diverged, Evaluation, History, Snapshot, StepRecord

if TYPE_CHECKING:
    from engine.training.checkpoint import load_checkpoint_model
    from engine.training.trainer import Trainer

__all__ = [
    "SIZES",
    "Diverged",
    "Evaluation",
    "History",
    "Knob",
    "Recipe",
    "Snapshot",
    "StepRecord",
    "Trainer",
    "gpt2_style",
    "load_checkpoint_model",
    "modern",
    "modern_long",
    "sized",
]

_HOMES = {"Trainer": "trainer", "load_checkpoint_model": "checkpoint"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
