"""The transformer. Its config needs no torch; the rest is imported when it is first named."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.models.transformer.config import (
    TransformerConfig,
    flops_per_token,
    parameter_counts,
)

if TYPE_CHECKING:
    from engine.models.transformer.cache import KVCache
    from engine.models.transformer.initial import initialise
    from engine.models.transformer.model import TransformerModel
    from engine.models.transformer.module import Transformer
    from engine.models.transformer.points import Recorder, SwitchedOff, point_names

__all__ = [
    "KVCache",
    "Recorder",
    "SwitchedOff",
    "Transformer",
    "TransformerConfig",
    "TransformerModel",
    "flops_per_token",
    "initialise",
    "parameter_counts",
    "point_names",
]

_HOMES = {
    "KVCache": "cache",
    "Recorder": "points",
    "SwitchedOff": "points",
    "Transformer": "module",
    "TransformerModel": "model",
    "initialise": "initial",
    "point_names": "points",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
