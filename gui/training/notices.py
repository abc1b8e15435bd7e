"""What the training tab has to say in place, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


class Say(QFrame):
    """A sentence on a soft ground, with a button if something can be done. Hidden while it has
    nothing to say."""

    pressed = Signal()

    def __init__(
        self, tone: str, action: str = "", tip: str = "", parent: QWidget | None = None
    ) -> None:
        """
        Args:
            tone: "good", "bad" or "warning".
            action: the button's text; none if empty.
            tip: the button's tooltip.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self._tone = tone
        self.setAutoFillBackground(True)
        self.label = plain_label("", self, wrap=True)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.set_text_role(self.label, "body", tone)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.label)
        self.button: QPushButton | None = None
        if action:
            row = FlowRow(self)
            self.button = QPushButton(action, row)
            self.button.setToolTip(tip)
            self.button.setAccessibleDescription(tip)
            self.button.clicked.connect(self.pressed)
            row.add(self.button)
            self._column.addWidget(row)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.hide()

    def say(self, text: str) -> None:
        """Say this; nothing if it is empty."""
        if text != self.label.text():
            self.label.setText(text)
            self.setAccessibleName(text)
        self.setVisible(bool(text))

    @property
    def text(self) -> str:
        """What is being said."""
        return self.label.text() if not self.isHidden() else ""

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, look.colours.color(f"{self._tone}_soft"))
        self.setPalette(palette)
        gap = look.space(1)
        self._column.setContentsMargins(gap, gap, gap, gap)
