"""The pages of the training tab: what they are called, and what they are grouped under."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QWidget

from gui.widgets.page_switch import PageSpec

PAGES = (
    ("The run", "curves", "&Curves", "The loss, and what the model writes."),
    (
        "The run",
        "rates",
        "Rates an&d updates",
        "Learning rate, gradient, updates and speed.",
    ),
    ("The run", "settings", "All sett&ings", "Every knob of the recipe."),
    (
        "Look closely",
        "step",
        "One step, slowl&y",
        "A batch that can be read, one gradient step on it, and all it changed.",
    ),
    (
        "Look closely",
        "scale",
        "Ho&w far from a real one?",
        "This run beside a large language model, in powers of ten.",
    ),
    (
        "Side by side",
        "experiments",
        "&Experiments",
        "Settings side by side: predict which does better, then see.",
    ),
    (
        "Side by side",
        "compare",
        "Co&mpare",
        "All kept runs: drawn over one another, renamed, raced, deleted.",
    ),
)
"""Heading, key, title and tip of each."""
KEYS = tuple(key for _, key, _, _ in PAGES)
OF_THEIR_OWN = ("step", "experiments", "compare")
"""Pages that do not show the run at hand, and so have the room of its controls."""


def page_specs(factories: Mapping[str, Callable[[], QWidget]]) -> tuple[PageSpec, ...]:
    """All pages.

    Args:
        factories: how each is made, by its key.
    """
    return tuple(
        PageSpec(key, title, tip, factories[key], heading) for heading, key, title, tip in PAGES
    )
