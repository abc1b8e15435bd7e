"""The context that the pages share."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from engine.tokenizers.base import without_surrogates
from gui.language_models.examples import beginning
from gui.language_models.models import ModelSet


class Context(QObject):
    """The text so far. A fresh one shows a beginning out of the corpus until it is edited."""

    changed = Signal()

    def __init__(self, models: ModelSet, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._text = ""
        self._number = 0
        self._own = False
        self._corpus = ""
        models.changed.connect(self._follow)
        self._follow()

    @property
    def text(self) -> str:
        """What stands before the next token."""
        return self._text

    def set_text(self, text: str) -> None:
        """Take another text, typed or pasted."""
        self._own = True
        self._put(without_surrogates(text))

    def append(self, text: str) -> None:
        """Write on."""
        if text:
            self.set_text(self._text + text)

    @Slot()
    def next_beginning(self) -> None:
        """Take the next beginning out of the corpus."""
        corpus = self._models.lab.corpus
        if corpus is not None:
            self._number += 1
            self._own = False
            self._put(beginning(corpus, self._number))

    @Slot()
    def _follow(self) -> None:
        """Another corpus brings another beginning, unless the learner wrote their own."""
        corpus = self._models.lab.corpus
        if corpus is not None and corpus.fingerprint != self._corpus:
            self._corpus = corpus.fingerprint
            if not self._own:
                self._put(beginning(corpus, self._number))

    def _put(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.changed.emit()
