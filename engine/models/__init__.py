"""Language models: everything that is a distribution over the next token, behind one interface.

The neural model and the story language's truth load on first use, so that whoever needs counts
alone never imports torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens
from engine.models.hmm import HiddenMarkovModel, HmmParameters
from engine.models.ngram import NGramModel

if TYPE_CHECKING:
    from engine.models.story import StoryModel
    from engine.models.transformer import TransformerModel

__all__ = [
    "Continuation",
    "HiddenMarkovModel",
    "HmmParameters",
    "LanguageModel",
    "LogProbs",
    "NGramModel",
    "StoryModel",
    "Tokens",
    "TransformerModel",
]

_LAZY = {"StoryModel": "engine.models.story", "TransformerModel": "engine.models.transformer"}


def __getattr__(name: str) -> Any:
    """Import a model when it is first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value
