"""Predict first: a question, a choice locked in, then the answer, the score and the reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

RIGHT, WRONG = "✓", "✕"
MARKED, OPEN = "●", "○"


class PredictionCard(FittingFrame):
    """Asks before something is revealed, and keeps score.

    Asking, then locked, then revealed: ``ask`` → the person chooses and locks in (``locked``) →
    whoever asked finds out and calls ``reveal``. Skipping is always possible and costs nothing.
    The keys 1 … 9 choose, Enter locks in, Escape skips.
    """

    locked = Signal(int)
    """The choice that was locked in; now reveal."""
    skipped = Signal()
    """The question was skipped; now show without asking."""
    scored = Signal(bool)
    """Whether the prediction was right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._right = self._asked = 0
        self._choices: list[str] = []
        self._state = "idle"
        self.question = plain_label("", self, wrap=True)
        theme.set_text_role(self.question, "strong")
        self._row = FlowRow(self)
        self._group = QButtonGroup(self)
        self._group.idToggled.connect(self._chosen)
        self.lock_button = QPushButton("Lock in", self)
        self.lock_button.setToolTip("Fix your prediction, then see (Enter).")
        self.lock_button.clicked.connect(self.lock)
        theme.make_primary(self.lock_button)
        self.skip_button = QPushButton("Skip", self)
        self.skip_button.setToolTip("See without predicting (Esc).")
        self.skip_button.clicked.connect(self.skip)
        self.verdict = plain_label("", self, wrap=True)
        self.score_label = plain_label("", self)
        theme.set_text_role(self.score_label, "caption", "muted")
        tools = FlowRow(self)
        for widget in (self.lock_button, self.skip_button, self.score_label):
            tools.add(widget)
        layout = QVBoxLayout(self)
        for part in (self.question, self._row, self.verdict, tools):
            layout.addWidget(part)
        self.hide()

    @property
    def state(self) -> str:
        """ "idle", "asking", "locked", "revealed" or "skipped"."""
        return self._state

    @property
    def score(self) -> tuple[int, int]:
        """(right, asked) since the start or the last ``reset_score``."""
        return self._right, self._asked

    def reset_score(self) -> None:
        """Count from zero again."""
        self._right = self._asked = 0
        self._show_score()

    def ask(self, question: str, choices: Sequence[str]) -> None:
        """Ask, and show the card; a question asked before and not answered is dropped.

        Args:
            question: plain text.
            choices: at least two, plain text each.
        """
        if len(choices) < 2:
            raise ValueError("a prediction needs at least two choices")
        for button in self._group.buttons():
            self._group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        self._choices = list(choices)
        for index, choice in enumerate(choices):
            button = QPushButton(_written(OPEN, choice), self._row)
            button.setCheckable(True)
            button.setAccessibleName(f"{index + 1}: {choice}")
            if index < 9:
                button.setToolTip(f"Key {index + 1}")
            self._group.addButton(button, index)
            self._row.add(button)
            button.show()
        self.question.setText(question)
        self.setAccessibleName(question)
        self._enter("asking")
        self.verdict.clear()
        self.verdict.hide()
        self.show()

    def choose(self, index: int) -> None:
        """Mark a choice, not yet locked in."""
        button = self._group.button(index)
        if self._state == "asking" and button is not None:
            button.setChecked(True)

    def choice(self) -> int | None:
        """The choice that is marked, None for none."""
        index = self._group.checkedId()
        return index if index >= 0 else None

    def lock(self) -> None:
        """Fix the choice; nothing happens before one is marked."""
        index = self.choice()
        if self._state == "asking" and index is not None:
            self._enter("locked")
            self.locked.emit(index)

    def skip(self) -> None:
        """Drop the question."""
        if self._state in ("asking", "locked"):
            self._enter("skipped")
            self.hide()
            self.skipped.emit()

    def reveal(self, correct: int | Sequence[int], explanation: str) -> None:
        """Tell the answer, score it, and say why; only after it was locked in.

        Args:
            correct: the right choice, or all that count as right.
            explanation: one or two sentences, plain text.
        """
        if self._state != "locked":
            return
        right = {correct} if isinstance(correct, int) else set(correct)
        won = self.choice() in right
        self._asked += 1
        self._right += won
        for index, choice in enumerate(self._choices):
            button = self._group.button(index)
            if index in right or button.isChecked():
                sign = RIGHT if index in right else WRONG
                button.setText(_written(sign, choice))
        self.verdict.setText(f"{'Right.' if won else 'Not quite.'} {explanation}")
        theme.set_text_role(self.verdict, "body", "good" if won else "bad")
        self.verdict.show()
        self.setAccessibleDescription(self.verdict.text())
        self._enter("revealed")
        self._show_score()
        self.scored.emit(won)

    def _enter(self, state: str) -> None:
        self._state = state
        # Not disabled, which would grey out what is now to be read.
        for button in self._group.buttons():
            still = state != "asking"
            button.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, still)
            policy = Qt.FocusPolicy.NoFocus if still else Qt.FocusPolicy.StrongFocus
            button.setFocusPolicy(policy)
        self.lock_button.setEnabled(state == "asking" and self.choice() is not None)
        self.lock_button.setVisible(state in ("asking", "locked"))
        self.skip_button.setVisible(state in ("asking", "locked"))
        self.fit_soon()

    def _chosen(self, index: int, checked: bool) -> None:
        sign = MARKED if checked else OPEN
        self._group.button(index).setText(_written(sign, self._choices[index]))
        self.lock_button.setEnabled(self._state == "asking" and self.choice() is not None)

    def _show_score(self) -> None:
        text = f"{self._right} of {self._asked} right so far" if self._asked else ""
        self.score_label.setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = event.key() - Qt.Key.Key_1
        if 0 <= digit < min(9, len(self._choices)):
            self.choose(digit)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._state == "asking":
            self.lock()
        elif event.key() == Qt.Key.Key_Escape and self._state in ("asking", "locked"):
            self.skip()
        else:
            super().keyPressEvent(event)


def _written(sign: str, choice: str) -> str:
    """A button's text; an ampersand is one, not a shortcut."""
    return f"{sign} {choice}".replace("&", "&&")
