"""One arm of an experiment: its curves, and the moment at which its reward was hacked."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.posttraining.arm_records import ArmState
from engine.posttraining.hacking import RULE, hack_of
from gui import theme
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.safe_text import plain_label

REWARD, TRUE = "reward, 0 = start, 1 = best", "true score"


class ArmView(QWidget):
    """Reward and true score of one arm over its updates."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = plain_label("", self, wrap=True)
        theme.set_text_role(self.title, "strong")
        self.sentence = plain_label("", self, wrap=True)
        theme.set_text_role(self.sentence, "caption", "muted")
        self.plot = CurvePlot(name, "update", "reward (start … best), true score (0 … 1)", self)
        self.plot.set_empty_text("Predict, then press Run.")
        self.verdict = plain_label("", self, wrap=True)
        self.verdict.setToolTip(RULE)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.title)
        column.addWidget(self.sentence)
        column.addWidget(self.plot, 1)
        column.addWidget(self.verdict)

    def announce(self, title: str, sentence: str) -> None:
        """What the arm will reward, before it runs."""
        self.title.setText(title)
        self.sentence.setText(sentence)
        self.verdict.clear()
        self.plot.clear()

    def show_state(self, state: ArmState, ended: bool) -> None:
        """Draw how far the arm has come; the verdict is given when it has ended."""
        self.announce_only(state)
        n = len(state.records)
        if not n:
            return
        x = np.arange(1, n + 1, dtype=np.float64)
        reward = state.task_reward
        low, high = float(reward[0]), float(reward.max())
        scaled = (reward - low) / (high - low) if high > low else np.zeros(n)
        self.plot.set_series(REWARD, x, scaled, kind="policy")
        self.plot.set_series(
            TRUE, x, state.series("true_score"), kind="truth", line=Qt.PenStyle.DashLine
        )
        hack = hack_of(state)
        marks = []
        if hack is not None:
            why = f"From here the true score stays below its best. {RULE}"
            marks = [Mark(hack.noticed, "hacked", why)]
        self.plot.set_marks(marks)
        if not ended:
            self.verdict.clear()
            return
        span = f"Reward {reward[0]:.2f} → {reward[-1]:.2f}"
        if hack is None:
            first, last = state.records[0].true_score, state.records[-1].true_score
            self.verdict.setText(f"Not hacked. {span}, true score {first:.0%} → {last:.0%}.")
        else:
            self.verdict.setText(
                f"Hacked from update {hack.noticed} on. {span}, while the true score fell from "
                f"{hack.true_before:.0%} to {hack.true_after:.0%}."
            )
        theme.set_text_role(self.verdict, "strong", "good" if hack is None else "bad")

    def announce_only(self, state: ArmState) -> None:
        """Title and sentence of the arm."""
        self.title.setText(state.arm.title)
        self.sentence.setText(f"{state.arm.sentence} r = {state.arm.reward.words()}")
