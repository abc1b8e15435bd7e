"""A sentence in place, with at most one thing to do about it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


class Notice(QFrame):
    """Hidden until there is something to say; Dismiss hides it again."""

    acted = Signal()
    """The offer was taken up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = plain_label(wrap=True)
        self.action = QPushButton()
        self.action.setAutoDefault(False)
        self.dismiss = QPushButton("Dismiss")
        self.dismiss.setAutoDefault(False)
        self.dismiss.setToolTip("Hide this sentence.")
        row = FlowRow()
        row.add(self.action)
        row.add(self.dismiss)
        column = QVBoxLayout(self)
        column.addWidget(self.label)
        column.addWidget(row)
        self.setAutoFillBackground(True)
        self.action.clicked.connect(self._act)
        self.dismiss.clicked.connect(self.hide)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.hide()

    def show_text(self, sentence: str, offer: str = "") -> None:
        """Say something; ``offer`` is what a button then offers to do."""
        self.label.setText(sentence)
        self.setAccessibleName(sentence)
        self.action.setText(offer)
        self.action.setToolTip(offer)
        self.action.setVisible(bool(offer))
        self.show()

    @Slot()
    def _act(self) -> None:
        self.hide()
        self.acted.emit()

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        gap = look.space(1)
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(gap, gap, gap, gap)
        own = QPalette(self.palette())
        own.setColor(QPalette.ColorRole.Window, look.colours.color("warning_soft"))
        self.setPalette(own)
