"""A question to be answered before the experiment shows its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from gui.theme import make_primary, set_text_role
from gui.tokenization.numbers.controls import SideBySide, push_button
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

SKIPPED = -1


@dataclass(frozen=True)
class Question:
    """A question with its choices."""

    text: str
    choices: Sequence[str]
    right: int
    """The index of the right choice."""
    why: str
    """One or two sentences, shown with the outcome."""
    onward: str
    """What the button says that leads on; empty where nothing follows."""


class QuestionCard(QFrame):
    """Asks, then says whether the answer was right, and why."""

    answered = Signal(int)
    """The choice made, SKIPPED if the learner would rather see."""
    onward = Signal()
    """The learner wants to go on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Prediction")
        self._question: Question | None = None
        self.title = plain_label()
        set_text_role(self.title, "caption", "accent")
        self.text = plain_label(wrap=True)
        set_text_role(self.text, "strong")
        self.outcome = plain_label(wrap=True)
        self.why = plain_label(wrap=True)
        self._row = FlowRow()
        self.choices: list[QPushButton] = []
        self.skip = push_button("Just show me", "See what happens without a guess.", self._skip)
        self.skip.setFlat(True)
        self.skip.setParent(self)  # it is in a row only once something was asked
        self.next = push_button("Next", "Go on with the next move.", self.onward.emit)
        make_primary(self.next)
        self._verdict = SideBySide(narrow=40)
        said = QWidget()
        words = QVBoxLayout(said)
        words.setContentsMargins(0, 0, 0, 0)
        words.addWidget(self.outcome)
        words.addWidget(self.why)
        self._verdict.add(said, 1)
        onward = FlowRow()
        onward.add(self.next)
        self._verdict.add(onward, 0)
        layout = QVBoxLayout(self)
        layout.setSpacing(layout.spacing() // 2)
        for widget in (self.title, self.text, self._row, self._verdict):
            layout.addWidget(widget)

    def ask(self, question: Question, title: str) -> None:
        """Ask a question; the last one and its outcome go away."""
        self._question = question
        self.title.setText(title)
        self.text.setText(question.text)
        flow = self._row.layout()
        assert flow is not None
        had_focus = self.next.hasFocus()
        for button in (*self.choices, self.skip):
            flow.removeWidget(button)
        for button in self.choices:
            button.hide()
            button.deleteLater()
        self.choices = []
        for choice in question.choices:
            button = push_button(choice, "Answer with this.", self._chosen)
            self._row.add(button)
            self.choices.append(button)
        self._row.add(self.skip)
        self._row.show()
        self.skip.show()
        self._verdict.hide()
        if had_focus:
            self.choices[0].setFocus()

    @property
    def open(self) -> bool:
        """Whether an answer is awaited."""
        return not self._row.isHidden()

    @Slot()
    def _chosen(self) -> None:
        self._answer(self.choices.index(self.sender()))  # type: ignore[arg-type]

    @Slot()
    def _skip(self) -> None:
        self._answer(SKIPPED)

    def _answer(self, choice: int) -> None:
        question = self._question
        if question is None or not self.open:
            return
        self._row.hide()
        right = question.choices[question.right]
        if choice == SKIPPED:
            tint, said = "muted", f"The answer: {right}."
        elif choice == question.right:
            tint, said = "good", f"You said “{right}”, and that is right."
        else:
            tint, said = "bad", f"You said “{question.choices[choice]}”. It is “{right}”."
        # Shown before its words change: what changes while it is hidden is not measured anew.
        self._verdict.show()
        set_text_role(self.outcome, "strong", tint)
        self.outcome.setText(said)
        self.why.setText(question.why)
        self.next.setText(question.onward)
        self.next.setVisible(bool(question.onward))
        if question.onward:
            self.next.setFocus()
        self.answered.emit(choice)
