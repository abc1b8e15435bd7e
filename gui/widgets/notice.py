"""Messages in place: what is so, what is wrong, what to do first."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.colours import Colours
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_label

Tone = Literal["info", "good", "warning", "error"]

SIDE_BY_SIDE_EMS = 45.0
"""From this width on the button stands beside the sentence, not below it."""
_SIGNS: dict[str, str] = {"info": "i", "good": "✓", "warning": "!", "error": "✕"}


def _ground(tone: str, colours: Colours) -> tuple[str, str]:
    """The fill and the edge of a tone."""
    return {
        "info": (colours.accent_soft, colours.accent),
        "good": (colours.good_soft, colours.good),
        "warning": (colours.warning_soft, colours.warning),
        "error": (colours.bad_soft, colours.bad),
    }[tone]


class Notice(FittingFrame):
    """A sentence where it belongs, with a button if something can be done about it.

    Hidden while it has nothing to say. The tone is told by a sign too, not by colour alone.
    A closable one has a small button (or Escape) that takes the sentence away.
    """

    pressed = Signal()
    """The button was pressed."""
    closed = Signal()
    """A person closed it; it says nothing any more."""

    _ready = False

    def __init__(self, parent: QWidget | None = None, *, closable: bool = False) -> None:
        super().__init__(parent)
        self._tone: Tone = "info"
        self._put_away = ""
        self.label = plain_label("", self, wrap=True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.button = QPushButton(self)
        self.button.clicked.connect(self.pressed)
        self._row = FlowRow(self)
        self._row.add(self.button)
        self.close_button = QToolButton(self)
        self.close_button.setText("✕")
        self.close_button.setAutoRaise(True)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.close_button.setAccessibleName("Close this message")
        self.close_button.setToolTip("Close this message (Esc).")
        self.close_button.clicked.connect(self.put_away)
        self._closable = closable
        self.close_button.setVisible(closable)
        self._said = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._said.addWidget(self.label, 1)
        self._said.addWidget(self._row)
        layout = QHBoxLayout(self)
        layout.addLayout(self._said, 1)
        layout.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self._ready = True
        self._space()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.hide()

    def _space(self) -> None:
        unit = round(em(self.font()))
        layout = self.layout()
        if layout is not None:
            across = unit // 4 if self._closable else unit // 2
            layout.setContentsMargins(unit * 2, across, unit // 2, across)
            layout.setSpacing(unit // 2)
            self._said.setSpacing(unit // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide = self.width() >= em(self.font()) * SIDE_BY_SIDE_EMS
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if way != self._said.direction():
            self._said.setDirection(way)
            layout = self.layout()
            if layout is not None:
                layout.invalidate()  # it remembers the height of the other direction
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._closable and self.text:
            self.put_away()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._ready and event.type() == QEvent.Type.FontChange:
            self._space()

    def say(self, text: str, tone: Tone = "info", action: str = "") -> None:
        """Say a sentence; hide if it is empty.

        Args:
            text: plain text, whatever it holds.
            tone: "info", "good", "warning" or "error".
            action: what the button says; none if empty.
        """
        self._tone = tone
        self.label.setText(text)
        self.button.setText(action)
        self._row.setVisible(bool(action))
        word = "" if tone in ("info", "good") else f"{tone}: "
        self.setAccessibleName(word + text)
        self.setVisible(bool(text))
        self.fit()
        self.update()

    def say_while_so(self, text: str, tone: Tone = "info", action: str = "") -> None:
        """Like ``say``, of what stays so and is told again and again: once a person has closed
        it, it is not said again before it has been otherwise."""
        if text != self._put_away:
            self._put_away = ""
        if not self._put_away and (text, tone, action) != (self.text, self._tone, self._action):
            self.say(text, tone, action)

    @property
    def _action(self) -> str:
        return self.button.text()

    @property
    def text(self) -> str:
        """What is being said; empty if nothing."""
        return self.label.text()

    @property
    def tone(self) -> Tone:
        """The tone of what is being said."""
        return self._tone

    def clear(self) -> None:
        """Say nothing."""
        self.say("")

    @Slot()
    def put_away(self) -> None:
        """What the small button does: the sentence has been read."""
        self._put_away = self.text
        self.clear()
        self.closed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours, unit = colours_of(self.palette()), em(self.font())
        fill, edge = (QColor(name) for name in _ground(self._tone, colours))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(edge, 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        place = self.label.geometry()
        spare = max(0, place.height() - self.label.heightForWidth(place.width()))
        sign = QRectF(unit * 0.5, place.top() + spare / 2, unit, unit)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(edge)
        painter.drawEllipse(sign)
        painter.setPen(fill)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(sign, Qt.AlignmentFlag.AlignCenter.value, _SIGNS[self._tone])


class EmptyState(QWidget):
    """What to do where there is nothing yet: a sign, a title, a sentence, one button."""

    pressed = Signal()
    """The button was pressed."""

    def __init__(
        self,
        title: str,
        text: str,
        action: str = "",
        sign: str = "◌",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.sign = plain_label(sign, self)
        self.title = plain_label(title, self, wrap=True)
        self.text = plain_label(text, self, wrap=True)
        self.button = QPushButton(action, self)
        self.button.setVisible(bool(action))
        self.button.clicked.connect(self.pressed)
        theme.make_primary(self.button)
        theme.set_text_role(self.sign, "display", "muted")
        theme.set_text_role(self.title, "subtitle")
        theme.set_text_role(self.text, "body", "muted")
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for label in (self.sign, self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(label)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint().expandedTo(QSize(round(em(self.font()) * 10), 0))
