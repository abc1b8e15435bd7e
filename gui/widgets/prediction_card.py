"""Predict first: a question, a choice locked in, then the answer, the score and the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

RIGHT, WRONG = "✓", "✕"
MARKED, OPEN = "●", "○"
SKIPPED = -1


@dataclass(frozen=True)
class Question:
    """A question whose answer is known when it is asked."""

    text: str
    choices: Sequence[str]
    """At least two."""
    right: int
    """The index of the right choice."""
    why: str
    """One or two sentences, shown with the answer."""
    onward: str = ""
    """What the button says that leads on; empty where nothing follows."""


class PredictionCard(FittingFrame):
    """Asks before something is revealed, and keeps score.

    Asking, then locked, then revealed: ``ask`` → the person chooses and locks in (``locked``) →
    whoever asked finds out and calls ``reveal``. Skipping is always possible and costs nothing.
    The keys 1 … 9 choose, Enter locks in, Escape skips.

    Where the answer is known beforehand one click is enough: ``pose`` → the person chooses, or
    asks to be shown → the card itself tells the answer (``answered``) and may lead ``onward``.
    """

    locked = Signal(int)
    """The choice that was locked in; now reveal."""
    skipped = Signal()
    """The question was skipped; now show without asking."""
    scored = Signal(bool)
    """Whether the prediction was right."""
    answered = Signal(int)
    """A posed question was answered with this choice, or SKIPPED; the card tells the answer."""
    onward = Signal()
    """The button that leads on from an answer was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._right = self._asked = 0
        self._choices: list[str] = []
        self._state = "idle"
        self._posed: Question | None = None
        self._title = ""
        self.title = plain_label("", self)
        theme.set_text_role(self.title, "caption", "accent")
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
        self.show_button = QPushButton("Just show me", self._row)
        self.show_button.setFlat(True)
        self.show_button.setToolTip("See without predicting (Esc).")
        self.show_button.clicked.connect(self.skip)
        self.next_button = QPushButton(self._row)
        self.next_button.setToolTip("Go on from here (Enter).")
        self.next_button.setAutoDefault(False)
        self.next_button.clicked.connect(self.onward)
        theme.make_primary(self.next_button)
        self.verdict = plain_label("", self, wrap=True)
        self.score_label = plain_label("", self)
        theme.set_text_role(self.score_label, "caption", "muted")
        self._tools = FlowRow(self)
        for widget in (self.lock_button, self.skip_button, self.score_label):
            self._tools.add(widget)
        layout = QVBoxLayout(self)
        for part in (self.title, self.question, self._row, self.verdict, self._tools):
            layout.addWidget(part)
        self.hide()

    @property
    def state(self) -> str:
        """ "idle", "asking", "locked", "revealed" or "skipped"."""
        return self._state

    @property
    def open(self) -> bool:
        """Whether an answer is awaited."""
        return self._state in ("asking", "locked")

    @property
    def buttons(self) -> list[QPushButton]:
        """The choices, in order."""
        return [b for b in self._group.buttons() if isinstance(b, QPushButton)]

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
        self._ask(question, choices, None, "")

    def pose(self, question: Question, title: str = "Predict first") -> None:
        """Ask a question that one click answers; what was asked before is dropped.

        Args:
            question: the question, its choices and its answer.
            title: a few words above it.
        """
        self._ask(question.text, question.choices, question, title)

    def _ask(
        self, question: str, choices: Sequence[str], posed: Question | None, title: str
    ) -> None:
        if len(choices) < 2:
            raise ValueError("a prediction needs at least two choices")
        had_focus = self.next_button.hasFocus()
        for button in self._group.buttons():
            self._group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        flow = self._row.layout()
        assert flow is not None
        for last in (self.show_button, self.next_button):
            flow.removeWidget(last)
        self._choices, self._posed = list(choices), posed
        for index, choice in enumerate(choices):
            button = QPushButton(_written("" if posed else OPEN, choice), self._row)
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setAccessibleName(f"{index + 1}: {choice}")
            if index < 9:
                button.setToolTip(f"Key {index + 1}")
            self._group.addButton(button, index)
            self._row.add(button)
            button.show()
        for last in (self.show_button, self.next_button):
            self._row.add(last)
        # New buttons would come last of all in the window, behind those that lock and skip.
        order = [self, *self.buttons, self.show_button, self.next_button, self.lock_button]
        for before, after in pairwise([*order, self.skip_button]):
            QWidget.setTabOrder(before, after)
        self._title = title
        self.title.setVisible(bool(title))
        self._show_score()
        self.question.setText(question)
        self.setAccessibleName(question)
        self.setAccessibleDescription("")
        self._enter("asking")
        self.verdict.clear()
        self.verdict.hide()
        self.show()
        if had_focus:  # who went on by keyboard goes on by keyboard
            self.buttons[0].setFocus()

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
            if self._posed is not None:
                self.reveal(self._posed.right, self._posed.why)
                self.answered.emit(index)

    def skip(self) -> None:
        """Drop the question; a posed one is answered without being scored."""
        if not self.open:
            return
        self._enter("skipped")
        if self._posed is None:
            self.hide()
            self.skipped.emit()
            return
        self._mark({self._posed.right})
        self._tell(f"The answer: {self._choices[self._posed.right]}. {self._posed.why}", "text")
        self.skipped.emit()
        self.answered.emit(SKIPPED)

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
        self._mark(right)
        self._show_score()
        self._enter("revealed")
        verdict = f"{'Right.' if won else 'Not quite.'} {explanation}"
        self._tell(verdict, "good" if won else "bad")
        self.scored.emit(won)

    def leave_open(self, explanation: str) -> None:
        """Tell why the answer can't be known after all; only after it was locked in. Nothing is
        scored.

        Args:
            explanation: one or two sentences, plain text.
        """
        if self._state != "locked":
            return
        self._enter("revealed")
        self._tell(f"Not scored. {explanation}", "text")

    def _mark(self, right: set[int]) -> None:
        """Sign the right choices, and the one that was made."""
        for index, choice in enumerate(self._choices):
            button = self._group.button(index)
            if index in right or button.isChecked():
                sign = RIGHT if index in right else WRONG
                button.setText(_written(sign, choice))

    def _tell(self, verdict: str, tint: str) -> None:
        # Shown before its words change: what changes while it is hidden is not measured anew.
        self.verdict.show()
        theme.set_text_role(self.verdict, "body", tint)
        self.verdict.setText(verdict)
        self.setAccessibleDescription(verdict)
        if not self.next_button.isHidden():
            self.next_button.setFocus()
        self.fit_soon()

    def _enter(self, state: str) -> None:
        self._state = state
        # Not disabled, which would grey out what is now to be read.
        for button in self._group.buttons():
            still = state != "asking"
            button.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, still)
            policy = Qt.FocusPolicy.NoFocus if still else Qt.FocusPolicy.StrongFocus
            button.setFocusPolicy(policy)
        posed = self._posed
        self.lock_button.setEnabled(state == "asking" and self.choice() is not None)
        self.lock_button.setVisible(self.open and posed is None)
        self.skip_button.setVisible(self.open and posed is None)
        self.show_button.setVisible(self.open and posed is not None)
        onward = posed.onward if posed is not None and not self.open else ""
        self.next_button.setText(onward)
        self.next_button.setVisible(bool(onward))
        self._tools.setVisible(posed is None)  # a posed question has all its buttons in one row
        self.fit_soon()

    def _chosen(self, index: int, checked: bool) -> None:
        sign = MARKED if checked else OPEN
        self._group.button(index).setText(_written(sign, self._choices[index]))
        self.lock_button.setEnabled(self._state == "asking" and self.choice() is not None)
        if self._posed is not None and checked:
            self.lock()

    def _show_score(self) -> None:
        text = f"{self._right} of {self._asked} right so far" if self._asked else ""
        self.score_label.setText(text)
        several = self._asked > 1  # of one question the verdict has just said so
        self.title.setText(f"{self._title} · {text}" if several else self._title)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        digit = event.key() - Qt.Key.Key_1
        if 0 <= digit < min(9, len(self._choices)):
            self.choose(digit)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._entered()
        elif event.key() == Qt.Key.Key_Escape and self.open:
            self.skip()
        else:
            super().keyPressEvent(event)

    def _entered(self) -> None:
        """Enter: the next thing to do."""
        chosen = next((b for b in (*self.buttons, self.show_button) if b.hasFocus()), None)
        if self._state != "asking":
            if not self.next_button.isHidden():
                self.next_button.click()
        elif self._posed is not None and chosen is not None:
            chosen.click()
        else:
            self.lock()


def _written(sign: str, choice: str) -> str:
    """A button's text; an ampersand is one, not a shortcut."""
    return f"{sign} {choice}".strip().replace("&", "&&")
