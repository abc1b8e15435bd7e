"""Samples over time: what arms answer on the same held-out prompts, by a slider."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from engine.posttraining.arm_records import ArmState
from gui import theme
from gui.rewards.sheet import Column, Sheet
from gui.widgets.safe_text import plain_label

CUT_OFF = "An answer that ends in … ran to the limit without ending by itself."


class LooksSheet(QWidget):
    """A row for each prompt; for each arm its answer, reward and true score."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._states: tuple[ArmState, ...] = ()
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.slider.setAccessibleName("Update whose answers are shown")
        self.slider.setToolTip("After how many updates; at the right end the newest.")
        self.which = QLabel("Answers after up&date –")
        self.which.setBuddy(self.slider)
        self.sheet = Sheet("Answers of the arms", self)
        self.sheet.set_placeholder("Answers to the same held-out prompts come here.")
        head = QHBoxLayout()
        head.addWidget(self.which)
        head.addWidget(self.slider, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.sheet, 1)
        self.cut = plain_label("", self)
        theme.set_text_role(self.cut, "caption", "muted")
        column.addWidget(self.cut)
        self.cut.hide()
        self.slider.valueChanged.connect(self._draw)

    def clear(self) -> None:
        """No answers yet."""
        self._states = ()
        self.cut.hide()
        self.slider.setEnabled(False)
        self.slider.setRange(0, 0)
        self.which.setText("Answers after up&date –")
        self.sheet.set_table((), ())

    def set_states(self, states: Sequence[ArmState]) -> None:
        """Show these arms; the slider follows the newest unless someone went back."""
        follows = self.slider.value() == self.slider.maximum()
        self._states = tuple(states)
        looks = min((len(s.looks) for s in states), default=0)
        if not looks:
            return
        before = self.slider.value()
        self.slider.blockSignals(True)
        self.slider.setEnabled(looks > 1)
        self.slider.setRange(0, looks - 1)
        self.slider.setValue(looks - 1 if follows else before)
        self.slider.blockSignals(False)
        self._draw()

    @Slot()
    def _draw(self) -> None:
        states, at = self._states, self.slider.value()
        if not states or any(at >= len(s.looks) for s in states):
            return
        self.which.setText(f"Answers after up&date {states[0].looks[at].update}")
        columns = [Column("Prompt", "Held out: never trained on."), Column("Right", "An example.")]
        for state in states:
            columns += [
                Column(state.arm.title, "What this arm's policy answers; … : cut off."),
                Column("reward", "What this arm's reward gives."),
                Column("true", "How good it really is, 0 … 1."),
            ]
        rows: list[list[str | float]] = []
        limits = 0
        for i, prompt in enumerate(states[0].prompts):
            row: list[str | float] = [prompt.text, prompt.target]
            for state in states:
                look = state.looks[at]
                answer = look.answers[i]
                text = answer.text if answer.finished else f"{answer.text}…"
                limits += not answer.finished
                row += [text or "(empty)", float(look.rewards[i]), float(look.true_scores[i])]
            rows.append(row)
        self.sheet.set_table(columns, rows)
        self.cut.setText(CUT_OFF)
        self.cut.setVisible(limits > 0)
