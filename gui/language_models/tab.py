"""The tab "N-gram vs transformer": what a language model is, on one text, in several pages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.counts_page import CountsPage
from gui.language_models.factors_page import FactorsPage
from gui.language_models.generate_page import GeneratePage
from gui.language_models.ledger_page import LedgerPage
from gui.language_models.limits_page import LimitsPage
from gui.language_models.models import ModelSet
from gui.language_models.next_token_page import NextTokenPage
from gui.language_models.page import Page
from gui.language_models.quiz_page import QuizPage
from gui.language_models.race_page import RacePage
from gui.language_models.reach_page import ReachPage
from gui.language_models.sampling_page import SamplingPage
from gui.pages import GuestPage
from gui.widgets.page_switch import PageSpec, PageSwitch

PAGES: tuple[tuple[str, str, str, str, type[Page]], ...] = (
    (
        "Predict",
        "next",
        "Next token",
        "One text, and what each model says comes next.",
        NextTokenPage,
    ),
    (
        "Predict",
        "sampling",
        "Sampling",
        "Temperature, top-k and top-p at work, and the dice that pick a token.",
        SamplingPage,
    ),
    (
        "Predict",
        "generate",
        "Generate",
        "Let each model write on from the same text.",
        GeneratePage,
    ),
    (
        "Score",
        "ledger",
        "Sentence ledger",
        "The chain rule on a sentence: what each token adds, under every model.",
        LedgerPage,
    ),
    (
        "Score",
        "factors",
        "Other factorizations",
        "From the end to the beginning, and with hidden states: the same text, other products.",
        FactorsPage,
    ),
    (
        "Count",
        "counts",
        "Counts",
        "What followed a context in the text, where, and what smoothing makes of it.",
        CountsPage,
    ),
    (
        "Count",
        "limits",
        "Limits of counting",
        "What happens to n-grams as n grows.",
        LimitsPage,
    ),
    (
        "Compare",
        "race",
        "Race",
        "Every kind of model on the same text, a little of it or much.",
        RacePage,
    ),
    (
        "Compare",
        "reach",
        "Memory",
        "What the n-gram cannot see: words that are settled far back.",
        ReachPage,
    ),
    (
        "Compare",
        "quiz",
        "Everything is autocompletion",
        "Questions, gaps, riddles and translations, answered by continuing a prompt.",
        QuizPage,
    ),
)
"""Heading, key, title, a sentence, and the page's class, in the order of the buttons."""

GUEST_HEADING = "Look inside"
"""Pages of other folders stand under it."""


class LanguageModelsTab(QWidget):
    """The pages, and what they share: the models at the table and the context."""

    def __init__(self, lab: Lab, guests: Sequence[GuestPage] = ()) -> None:
        """
        Args:
            lab: the shared state.
            guests: pages of other folders, shown behind the tab's own.
        """
        super().__init__()
        self.models = ModelSet(lab, self)
        self.context = Context(self.models, self)
        self.pages = PageSwitch(
            "Pages about language models",
            [
                PageSpec(key, title, tip, partial(page, lab, self.models, self.context), heading)
                for heading, key, title, tip, page in PAGES
            ]
            + [
                PageSpec(
                    guest.key,
                    guest.title,
                    guest.tip,
                    partial(guest.factory, lab, self.models, self.context),
                    GUEST_HEADING,
                )
                for guest in guests
            ],
        )
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.pages)
        theme.current().changed.connect(self._dress)
        self._dress()

    @property
    def page_keys(self) -> tuple[str, ...]:
        """The lasting names of the pages, in order."""
        return tuple(page.key for page in self.pages.pages)

    def show_page(self, key: str) -> None:
        """Bring a page to the front; keys that no page has change nothing."""
        self.pages.show_page(key)

    @Slot()
    def _dress(self) -> None:
        gap = theme.current().space(1)
        self._column.setContentsMargins(2 * gap, gap, gap, gap)
