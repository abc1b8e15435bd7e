"""The tabs, in order. Each is imported and made when it is first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from gui.lab import Lab

Factory = Callable[["Lab"], QWidget]


@dataclass(frozen=True)
class TabSpec:
    """One tab: its lasting name, its title, a sentence, and how it is made."""

    key: str
    title: str
    tip: str
    factory: Factory


def _from(module: str, name: str) -> Factory:
    """A factory that imports its tab when it is called."""

    def make(lab: Lab) -> QWidget:
        widget: QWidget = getattr(importlib.import_module(module), name)(lab)
        return widget

    return make


TABS: tuple[TabSpec, ...] = (
    TabSpec(
        "tokenization",
        "Tokenization",
        "How text becomes tokens.",
        _from("gui.tokenization.tab", "TokenizationTab"),
    ),
    TabSpec(
        "language_models",
        "N-gram vs transformer",
        "What comes next: counting against a neural network.",
        _from("gui.language_models.tab", "LanguageModelsTab"),
    ),
    TabSpec(
        "training",
        "Training",
        "Watch a transformer learn, and steer it.",
        _from("gui.training.tab", "TrainingTab"),
    ),
    TabSpec(
        "rewards",
        "RL reward shaping",
        "How rewards bend a trained model.",
        _from("gui.rewards.tab", "RewardsTab"),
    ),
)
