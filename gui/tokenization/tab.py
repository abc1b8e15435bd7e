"""The Tokenization tab: how text becomes tokens, on pages in the order of the lesson."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.widgets.page_switch import PageSpec, PageSwitch
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from gui.lab import Lab

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """One page of this tab. Its class is imported, and called with the lab, when first shown."""

    key: str
    title: str
    tip: str
    module: str
    name: str


PAGES: tuple[Page, ...] = (
    Page(
        "numbers",
        "1 Numbers",
        "How a computer sees, hears and reads: everything is numbers.",
        "gui.tokenization.numbers_page",
        "NumbersPage",
    ),
    Page(
        "text",
        "2 Tokens",
        "A text of yours as characters, code points, bytes, and the tokens of many tokenizers.",
        "gui.tokenization.text_page",
        "TextPage",
    ),
    Page(
        "merges",
        "3 Byte-pair encoding",
        "How a vocabulary is learned, merge by merge, and used on unseen text.",
        "gui.tokenization.merges_page",
        "MergesPage",
    ),
    Page(
        "sizes",
        "4 Vocabulary size",
        "How large should a vocabulary be? Every size of one text, measured and scrubbed through.",
        "gui.tokenization.sizes_page",
        "SizesPage",
    ),
    Page(
        "optimal",
        "5 Is BPE optimal?",
        "The best vocabulary of a small text, solved exactly, beside byte-pair encoding’s.",
        "gui.tokenization.optimal_page",
        "OptimalPage",
    ),
)
"""The pages, in order; one whose module is not there is left out."""

FIRST_PAGE = "text"


class TokenizationTab(QWidget):
    """All pages about tokenization.

    Args:
        lab: what all tabs share; handed to each page.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        there = [page for page in PAGES if find_spec(page.module) is not None]
        self._page_keys = tuple(page.key for page in there)
        specs = [PageSpec(p.key, p.title, p.tip, _factory(p, lab)) for p in there]
        self.switch = PageSwitch("Pages about tokenization", specs, FIRST_PAGE)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.switch)
        lab.theme.changed.connect(self._dress)
        self._dress()

    @property
    def page_keys(self) -> tuple[str, ...]:
        """The keys of the pages that are there, in order."""
        return self._page_keys

    def show_page(self, key: str) -> None:
        """Bring a page to the front, made if it was never shown."""
        self.switch.show_page(key)

    @Slot()
    def _dress(self) -> None:
        gap = theme.current().space(1)
        self._column.setContentsMargins(2 * gap, gap, 2 * gap, gap)


def _factory(page: Page, lab: Lab) -> Callable[[], QWidget]:
    def make() -> QWidget:
        try:
            widget: QWidget = getattr(importlib.import_module(page.module), page.name)(lab)
        except Exception as error:  # one broken page must not take the others along
            lab.errors.report_exception(error)
            apology = plain_label("This page could not be opened. The bar above says why.")
            apology.setAlignment(Qt.AlignmentFlag.AlignCenter)
            return apology
        # A page may have imported pyqtgraph, which changes hooks and needs our colours.
        lab.errors.claim_hooks()
        theme.prepare_pyqtgraph()
        return widget

    return make
