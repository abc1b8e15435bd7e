"""The tab "N-gram vs transformer": what a language model is, on one text, in several pages."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from gui import theme
from gui.lab import Lab
from gui.language_models.answers import Cut
from gui.language_models.context import Context, ContextBox
from gui.language_models.generate_page import GeneratePage
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet, Table
from gui.language_models.next_token_page import NextTokenPage
from gui.language_models.page import Page
from gui.language_models.page_bar import PageBar


@dataclass(frozen=True)
class PageSpec:
    """A page's name, a sentence, and what makes it."""

    key: str
    title: str
    tip: str
    factory: type[Page]


PAGES = (
    PageSpec(
        "next",
        "Next token",
        "One text, and what each model says comes next.",
        NextTokenPage,
    ),
    PageSpec(
        "generate",
        "Generate",
        "Let each model write on from the same text.",
        GeneratePage,
    ),
)


class LanguageModelsTab(QWidget):
    """The models, the shared context, and the page that is chosen. Pages are made when they
    are first shown."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.models = ModelSet(lab, self)
        self.context = Context(self.models, self)
        self._lab = lab
        self._pages: dict[str, Page] = {}
        self.page_bar = PageBar([(spec.title, spec.tip) for spec in PAGES])
        self.model_bar = ModelBar(self.models)
        self.model_bar.tab_wished.connect(lab.tab_wished)
        self.context_box = ContextBox(self.context)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        theme.set_text_role(line, "body", "grid")
        self._stack = QStackedWidget()
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.page_bar)
        self._column.addWidget(line)
        self._column.addWidget(self.model_bar)
        self._column.addWidget(self.context_box)
        self._column.addWidget(self._stack, 1)
        self.page_bar.chosen.connect(self._show_page)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._show_page(0)

    def page(self, key: str) -> Page:
        """A page, made if it was never shown.

        Raises:
            KeyError: if there is none of that key.
        """
        if key not in self._pages:
            spec = {spec.key: spec for spec in PAGES}[key]
            page = spec.factory(self._lab, self.models, self.context)
            page.cut_shown.connect(self._show_cut)
            self._pages[key] = page
            self._stack.addWidget(page)
        return self._pages[key]

    def show_page(self, key: str) -> None:
        """Bring a page to the front. Unknown keys change nothing."""
        for index, spec in enumerate(PAGES):
            if spec.key == key:
                self.page_bar.select(index)

    @Slot(int)
    def _show_page(self, index: int) -> None:
        page = self.page(PAGES[index].key)
        self.context_box.setVisible(page.uses_context)
        self._stack.setCurrentWidget(page)

    @Slot(object, object)
    def _show_cut(self, cut: Cut, table: Table) -> None:
        self.context_box.show_cut(cut, table)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        gap = look.space(1)
        self._column.setContentsMargins(2 * gap, gap, 2 * gap, gap)
        self._column.setSpacing(gap)
