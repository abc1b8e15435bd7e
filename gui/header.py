"""The row above the tabs: what all of them share."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from gui import theme
from gui.lab import Lab
from gui.settings import LARGEST_SEED


class Header(QWidget):
    """The app's name, a place for the shared choices, and the seed."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self._lab = lab
        self.name = QLabel("Next Token Lab")
        theme.set_text_role(self.name, "subtitle", "accent")
        self._bar: QWidget | None = None
        label = QLabel("&Seed")
        theme.set_text_role(label, "body", "muted")
        self.seed = QSpinBox()
        self.seed.setObjectName("seed")
        self.seed.setRange(0, LARGEST_SEED)
        self.seed.setValue(lab.seed)
        self.seed.setKeyboardTracking(False)
        self.seed.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by scrolling over it
        self.seed.setAccessibleName("Seed")
        tip = "Draws all that is random. The same seed gives the same result on this computer."
        self.seed.setToolTip(tip)
        label.setToolTip(tip)
        label.setBuddy(self.seed)
        self.seed.valueChanged.connect(lab.set_seed)
        lab.seed_changed.connect(self._show_seed)
        self._row = QHBoxLayout()
        self._row.addWidget(self.name)
        self._row.addStretch(1)
        self._row.addWidget(label)
        self._row.addWidget(self.seed)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Plain)
        theme.set_text_role(line, "body", "grid")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._row)
        column.addWidget(line)
        theme.current().changed.connect(self._dress)
        self._dress()

    def set_bar(self, bar: QWidget) -> None:
        """Put the shared choices (text, tokenizer) in their place, instead of what is there."""
        if self._bar is not None:
            self._bar.setParent(None)
            self._bar.deleteLater()
        else:
            self._row.takeAt(1)  # the stretch that kept the place
        self._bar = bar
        self._row.insertWidget(1, bar, 1)

    @Slot(int)
    def _show_seed(self, seed: int) -> None:
        self.seed.setValue(seed)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        gap = look.space(1)
        self._row.setContentsMargins(2 * gap, gap, 2 * gap, gap)
        self._row.setSpacing(gap)
        # Long seeds need a wide field; where large text fills the row, six digits must do.
        arrows = self.seed.sizeHint().height()
        self.seed.setMinimumWidth(self.seed.fontMetrics().horizontalAdvance("000000") + arrows)
