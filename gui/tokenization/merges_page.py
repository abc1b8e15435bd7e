"""Byte-pair encoding: learning merges from a text, and using them on unseen text."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.tokenization.merges_learn import LearnPane
from gui.tokenization.merges_unseen import UnseenPane
from gui.widgets.page_switch import PageSpec, PageSwitch

if TYPE_CHECKING:
    from gui.lab import Lab


class MergesPage(QWidget):
    """Byte-pair encoding, by hand: two parts, the second with what the first has learned.

    Args:
        lab: what all tabs share.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.learning = LearnPane(lab)
        self.unseen = UnseenPane(lab)
        self.unseen.set_learned(self.learning.walk, self.learning.settings)
        self.learning.walk_changed.connect(self.unseen.set_learned)
        self.unseen.bytes_wanted.connect(self._start_from_bytes)
        self.parts = PageSwitch(
            "Parts of this page",
            (
                PageSpec(
                    "learn",
                    "Learn the merges",
                    "Merge the most frequent pair, again and again.",
                    partial(_made, self.learning),
                ),
                PageSpec(
                    "unseen",
                    "Encode unseen text",
                    "Apply the learned merges to a sentence of yours, rule by rule.",
                    partial(_made, self.unseen),
                ),
            ),
            keys=False,
            scrolls=False,
        )
        self.parts.page("unseen")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.parts)

    @Slot()
    def _start_from_bytes(self) -> None:
        self.learning.source.start_from("bytes")


def _made(pane: QWidget) -> QWidget:
    return pane
