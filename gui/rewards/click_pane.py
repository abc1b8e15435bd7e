"""Which answer is better? Two answers side by side, by click or by key."""

from __future__ import annotations

from collections import Counter

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.posttraining.preferences import Choice, Pair, Preference
from engine.posttraining.prompts import Answer
from gui import theme
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

_CHOICES: tuple[tuple[Choice, str, str, tuple[str, ...]], ...] = (
    ("a", "← A is better", "The answer at the left is better (A or ←).", ("A", "Left")),
    ("tie", "↓ Tie", "Both are as good (T or ↓).", ("T", "Down")),
    ("b", "B is better →", "The answer at the right is better (B or →).", ("B", "Right")),
    ("skip", "S Skip", "Say nothing about this pair (S or the space bar).", ("S", "Space")),
)


DRAWING = "Drawing answers …"
_ROOM = 6.0
"""Between the pane's edge and what stands in it, at 100 %."""


class _Card(FittingFrame):
    """One answer."""

    def __init__(self, letter: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        head = plain_label(letter, self)
        theme.set_text_role(head, "strong", "muted")
        self.text = plain_label("", self, wrap=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.text, "subtitle")
        self.about = plain_label("", self, wrap=True)
        theme.set_text_role(self.about, "caption", "muted")
        column = QVBoxLayout(self)
        for widget in (head, self.text):
            column.addWidget(widget)
        column.addStretch(1)
        column.addWidget(self.about)
        self._letter = letter

    def show_answer(self, answer: Answer | None) -> None:
        """Show an answer; nothing for None."""
        self.fit_soon()
        if answer is None:
            self.text.setText("")
            self.about.setText("")
            return
        shown = answer.text.strip() or "(empty)"
        self.text.setText(shown if answer.finished else f"{shown} …")
        end = "ends by itself" if answer.finished else "cut off at the limit"
        tokens = "token" if answer.length == 1 else "tokens"
        self.about.setText(f"{answer.length} {tokens}, {end}")
        self.setAccessibleName(f"Answer {self._letter}: {self.text.text()}")


class ClickPane(FittingFrame):
    """A prompt with two answers, four buttons with keys, and undo. Keeps all clicks."""

    clicked = Signal()
    """A comparison was made or taken back."""
    used_up = Signal()
    """No pair is left to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Compare two answers")
        self.preferences: list[Preference] = []
        """All comparisons so far, the newest last."""
        self._waiting: list[Pair] = []
        self._empty = DRAWING
        self.prompt = plain_label("", self, wrap=True)
        theme.set_text_role(self.prompt, "strong")
        self.a, self.b = _Card("A", self), _Card("B", self)
        cards = QHBoxLayout()
        cards.addWidget(self.a, 1)
        cards.addWidget(self.b, 1)
        row = FlowRow(self)
        self.buttons: dict[Choice, QPushButton] = {}
        for choice, words, tip, keys in _CHOICES:
            button = self._button(row, words, tip, keys)
            button.setProperty("choice", choice)
            button.clicked.connect(self._pressed)
            self.buttons[choice] = button
        self.undo = self._button(
            row, "U Undo", "Take the last comparison back and show its pair again (U).", ("U",)
        )
        self.undo.clicked.connect(self.take_back)
        self.counter = plain_label("", self, wrap=True)
        self.counter.setAccessibleName("Comparisons so far")
        theme.set_text_role(self.counter, "caption", "muted")
        self._column = column = QVBoxLayout(self)
        column.addWidget(self.prompt)
        column.addLayout(cards)
        column.addWidget(row)
        column.addWidget(self.counter)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._show()

    @Slot()
    def _dress(self) -> None:
        """Text of another size needs other heights: of the cards, then of what holds them. Around
        them is room for the mark of the focus."""
        room = theme.current().px(_ROOM)
        self._column.setContentsMargins(room, room, room, room)
        for frame in (self.a, self.b, self):
            frame.fit_soon()

    def _button(self, row: FlowRow, words: str, tip: str, keys: tuple[str, ...]) -> QPushButton:
        button = QPushButton(words, row)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for key in keys:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(button.click)
        row.add(button)
        return button

    @property
    def pair(self) -> Pair | None:
        """The pair that is shown."""
        return self._waiting[0] if self._waiting else None

    def set_pairs(self, pairs: tuple[Pair, ...], empty: str = "") -> None:
        """Show these, one after the other, in place of those not compared yet.

        Args:
            pairs: in the order in which they come.
            empty: what to say where there are none; without it they are being drawn.
        """
        self._waiting = list(pairs)
        self._empty = empty or DRAWING
        self._show()

    def set_preferences(self, preferences: tuple[Preference, ...]) -> None:
        """Other comparisons, such as those of a file."""
        self.preferences = list(preferences)
        self._show()
        self.clicked.emit()

    def choose(self, choice: Choice) -> None:
        """Say which is better; nothing happens without a pair."""
        pair = self.pair
        if pair is None:
            return
        self.preferences.append(Preference(pair, choice))
        del self._waiting[0]
        self._empty = DRAWING
        self._show()
        self.clicked.emit()
        if not self._waiting:
            self.used_up.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            thick = max(2.0, theme.current().px(2))
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.current().colours.color("accent"), thick))
            area = QRectF(self.rect()).adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2)
            painter.drawRoundedRect(area, 4, 4)

    @Slot()
    def take_back(self) -> None:
        """Undo the last comparison."""
        if self.preferences:
            self._waiting.insert(0, self.preferences.pop().pair)
            self._show()
            self.clicked.emit()

    @Slot()
    def _pressed(self) -> None:
        self.choose(self.sender().property("choice"))
        # The keys work while the focus is here; a greyed-out button would lose it.
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show(self) -> None:
        pair = self.pair
        text = self._empty if pair is None else pair.prompt.text
        self.prompt.setText(text)
        self.a.show_answer(pair.a if pair is not None else None)
        self.b.show_answer(pair.b if pair is not None else None)
        for button in self.buttons.values():
            button.setEnabled(pair is not None)
        self.undo.setEnabled(bool(self.preferences))
        self.counter.setText(counted(self.preferences))
        self.fit_soon()


def counted(preferences: list[Preference]) -> str:
    """How many comparisons there are, such as "12 comparisons: 5 × A, 4 × B, 2 equal, 1
    skipped"."""
    if not preferences:
        return (
            "No comparison yet. Which answer is better? Decide as you like: it need not be truth."
        )
    n = Counter(p.choice for p in preferences)
    word = "comparison" if len(preferences) == 1 else "comparisons"
    return (
        f"{len(preferences):,} {word}: {n['a']} × A, {n['b']} × B, {n['tie']} equal, "
        f"{n['skip']} skipped"
    )
