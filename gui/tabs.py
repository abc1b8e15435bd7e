"""The tabs, in order. Each is imported and made when it is first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from gui.pages import GuestPage, RunChoice, SharedContext

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


def _from(module: str, name: str, *guests: GuestPage) -> Factory:
    """A factory that imports its tab when it is called, and hands it pages of other folders."""

    def make(lab: Lab) -> QWidget:
        given = (guests,) if guests else ()
        widget: QWidget = getattr(importlib.import_module(module), name)(lab, *given)
        return widget

    return make


def _inside(lab: Lab, runs: RunChoice, context: SharedContext) -> QWidget:
    from gui.transformer.inside_page import InsidePage

    return InsidePage(lab, runs, context)


INSIDE = GuestPage(
    "inside",
    "Inside the transformer",
    "The same text through the transformer, down to the arithmetic.",
    _inside,
)
"""It needs the model and the context of the language models' tab, so it is a page there."""


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
        _from("gui.language_models.tab", "LanguageModelsTab", INSIDE),
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
