"""A number with its name, unit and explanation; and words that explain themselves."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.look import em
from gui.widgets.numbers import UNDEFINED, format_number
from gui.widgets.safe_text import plain_label, plain_tooltip


class Term(QLabel):
    """A word of the field, dotted underneath; its explanation shows on hover and on focus.

    Args:
        text: the word.
        explanation: one or two sentences, plain text.
        parent: the widget that owns it.
    """

    def __init__(self, text: str, explanation: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.WhatsThisCursor)
        self.explain(explanation)

    def explain(self, explanation: str) -> None:
        """Another explanation."""
        self.explanation = explanation
        self.setToolTip(plain_tooltip(explanation))
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(explanation)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            below = self.mapToGlobal(self.rect().bottomLeft())
            QToolTip.showText(below, self.toolTip(), self)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        QToolTip.hideText()
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        role = QPalette.ColorRole
        lit = self.hasFocus() or self.underMouse()
        colour = self.palette().color(role.Highlight if lit else role.PlaceholderText)
        painter.setPen(QPen(colour, max(1.0, em(self.font()) / 14), Qt.PenStyle.DotLine))
        width = self.fontMetrics().horizontalAdvance(self.text())
        y = min(self.height() - 1.0, self.height() / 2 + self.fontMetrics().height() / 2)
        painter.drawLine(QPointF(0.0, y), QPointF(min(width, self.width()), y))


class StatTile(QWidget):
    """A number that matters: its name above, its unit behind, its meaning on hover.

    Args:
        name: what it is.
        unit: behind the number; may be empty.
        explanation: what it means, in a sentence or two.
        parent: the widget that owns it.
    """

    def __init__(
        self, name: str, unit: str = "", explanation: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._unit = unit
        self.name_label: QLabel
        if explanation:
            self.name_label = Term(name, explanation, self)
        else:
            self.name_label = plain_label(name, self)
        self.value_label = plain_label(UNDEFINED, self)
        self.value_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.name_label, "caption", "muted")
        theme.set_text_role(self.value_label, "subtitle")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.name_label)
        layout.addWidget(self.value_label)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.set_value(None)

    def set_value(self, value: float | str | None, digits: int = 4) -> None:
        """Show a number, or a text as it is; None: not known yet."""
        if value is None:
            shown = UNDEFINED
        else:
            shown = value if isinstance(value, str) else format_number(value, digits)
        unit = f" {self._unit}" if self._unit and value is not None else ""
        self.value_label.setText(f"{shown}{unit}")
        said = "not known yet" if value is None else f"{shown}{unit}"
        self.setAccessibleName(f"{self.name_label.text()}: {said}")

    def text(self) -> str:
        """The number as shown, unit included."""
        return self.value_label.text()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
