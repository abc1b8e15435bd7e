"""One arm of an experiment: its curves, and the moment at which its reward was hacked."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from engine.posttraining.arm_records import ArmState
from engine.posttraining.hacking import RULE, hack_of
from gui import theme
from gui.rewards.hacking_told import verdict
from gui.widgets.curve_plot import CurvePlot, Landmark, Mark
from gui.widgets.safe_text import plain_label

REWARD, TRUE = "reward, 0 = its lowest, 1 = its best", "true score"
ALL_RIGHT = Landmark("all right", 1.0, "A true score of 1: every answer is right.", "truth")
"""With it, and a reward drawn from 0 to 1, the plots of all arms have one range."""
PLOT_ROW = 3
"""The row of the plots in a grid of arms."""


class ArmView(QObject):
    """Reward and true score of one arm over its updates; ``stand_in`` gives it a place."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = plain_label("", parent, wrap=True)
        theme.set_text_role(self.title, "strong")
        self.sentence = plain_label("", parent, wrap=True)
        theme.set_text_role(self.sentence, "caption", "muted")
        self.verdict = plain_label("", parent, wrap=True)
        self.verdict.setToolTip(RULE)
        self.plot = CurvePlot(name, "update", "reward (lowest … best), true score (0 … 1)", parent)
        self.plot.set_empty_text("Predict, then press Start.")
        self.plot.set_landmarks([ALL_RIGHT])

    def stand_in(self, grid: QGridLayout, column: int) -> None:
        """Take a column of a grid. Arms in one grid are equally high, line by line, so that their
        plots are too; the verdict stands above the plot, where it needs no scrolling."""
        for row, widget in enumerate((self.title, self.sentence, self.verdict)):
            grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.plot, PLOT_ROW, column)
        grid.setRowStretch(PLOT_ROW, 1)
        grid.setColumnStretch(column, 1)

    def announce(self, title: str, sentence: str) -> None:
        """What the arm will reward, before it runs."""
        self.title.setText(title)
        self._say(sentence, "")
        self.plot.clear()

    def _say(self, sentence: str, told: str) -> None:
        for label, text in ((self.sentence, sentence), (self.verdict, told)):
            label.setText(text)
            label.setVisible(bool(text))

    def show_state(self, state: ArmState, ended: bool) -> None:
        """Draw how far the arm has come; the verdict is given when it has ended."""
        self.title.setText(state.arm.title)
        about = f"{state.arm.sentence} r = {state.arm.reward.words()}"
        self._say(about, verdict(state) if ended else "")
        n = len(state.records)
        if not n:
            return
        x = np.arange(1, n + 1, dtype=np.float64)
        reward = state.task_reward
        low, high = float(reward.min()), float(reward.max())
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
        theme.set_text_role(self.verdict, "strong", "good" if hack is None else "bad")
