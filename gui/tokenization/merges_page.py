"""Byte-pair encoding: learning merges from a text, and using them on unseen text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.tokenization.merges_learn import LearnPane

if TYPE_CHECKING:
    from gui.lab import Lab


class MergesPage(QWidget):
    """Byte-pair encoding, by hand.

    Args:
        lab: what all tabs share.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.learning = LearnPane(lab)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.learning)
