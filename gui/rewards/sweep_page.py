"""β swept: one run for each price, and the trade-off between reward and distance."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.posttraining.arm_records import ArmState, TradeOff, beta_sweep, trade_off
from gui import theme
from gui.lab import Lab
from gui.rewards.arms_work import make_sweep
from gui.rewards.drive import Drive
from gui.rewards.looks_sheet import LooksSheet
from gui.rewards.setup import SetupPanel
from gui.rewards.work import Work
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

BETAS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
UPDATES = 30
REWARD, TRUE = "reward (without the penalty)", "true score"
ABOUT = (
    "One run for each β, with the task, the reward and the settings chosen above: the same start, "
    "the same seed. Small β: far from the reference, and the reward is what counts, hacks "
    "included. Large β: the policy stays what it was."
)


class SweepPage(QWidget):
    """Seven runs in turns; a slider leads through them."""

    def __init__(self, lab: Lab, setup: SetupPanel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._setup = lab, setup
        self._states: tuple[ArmState, ...] = ()
        about = plain_label(ABOUT, self, wrap=True)
        row = FlowRow(self)
        self.updates = NumberField(
            "Updates of each run", UPDATES, low=1, high=500, whole=True, step=10,
            explanation="Seven runs take seven times as long.",
        )  # fmt: skip
        row.add(self.updates)
        self.against = QComboBox(row)
        self.against.addItem("against the distance KL(π ‖ π_ref)", "kl")
        self.against.addItem("against β", "beta")
        self.against.setAccessibleName("What is drawn to the right")
        self.against.setToolTip("Draw what was reached against the distance or against β.")
        self.against.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        row.add(self.against)
        self.drive = Drive(lab, row)
        row.add(self.drive)
        self.problem = Notice(self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, len(BETAS) - 1)
        self.slider.setPageStep(1)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setTickInterval(1)
        self.slider.setAccessibleName("Which β to look into")
        self.slider.setToolTip("Leads through the runs, from β = 0 to the largest.")
        self.which = QLabel("&β = –")
        self.which.setBuddy(self.slider)
        self.reached = plain_label("", self, wrap=True)
        theme.set_text_role(self.reached, "strong")
        self.plot = CurvePlot("Trade-off", "", "mean reward, true score", self)
        self.plot.set_empty_text("Press Run: seven runs in turns, each with another β.")
        self.looks = LooksSheet(self)
        right = QWidget(self)
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(self.which)
        head.addWidget(self.slider, 1)
        beside.addLayout(head)
        beside.addWidget(self.reached)
        beside.addWidget(self.looks, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.plot)
        self.splitter.addWidget(right)
        self.splitter.setSizes([1000, 1000])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (about, row, self.problem):
            column.addWidget(widget)
        column.addWidget(self.splitter, 1)
        self.drive.start_pressed.connect(self._start)
        self.drive.news.connect(self._take)
        self.drive.stage_changed.connect(self._stage_changed)
        self.against.currentIndexChanged.connect(self._redraw)
        self.slider.valueChanged.connect(self._look_into)
        self._redraw()

    @property
    def states(self) -> tuple[ArmState, ...]:
        """How far the runs have come, the smallest β first."""
        return self._states

    @Slot()
    def _start(self) -> None:
        try:
            if not self.updates.is_valid():
                raise LabError("“Updates of each run” doesn't hold a number that fits.")
            order = self._setup.order()
            arms = beta_sweep(order.reward, order.settings, BETAS)
        except LabError as error:
            self.problem.say(str(error), "error")
            return
        self._states = ()
        self.plot.clear()
        self.looks.clear()
        self.reached.clear()
        title = f"β sweep: {order.task.title}"
        make = partial(make_sweep, order.task, arms)
        self.drive.begin(Work(make, int(self.updates.value()), title))

    @Slot()
    def _stage_changed(self) -> None:
        self.problem.say(self.drive.problem, "error")

    @Slot(object)
    def _take(self, states: tuple[ArmState, ...]) -> None:
        self._states = states
        if self.isVisible():
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._draw()

    @Slot()
    def _redraw(self) -> None:
        self.plot.clear()
        by_kl = self.against.currentData() == "kl"
        axis = "KL(π ‖ π_ref) (nats per answer)" if by_kl else "β (per nat)"
        self.plot.set_axis_labels(axis, "mean reward, true score")
        self._draw()

    def _draw(self) -> None:
        found = [f for f in map(trade_off, self._states) if f is not None]
        if not found:
            return
        by_kl = self.against.currentData() == "kl"
        xs = np.array([f.kl if by_kl else f.beta for f in found])
        order = np.argsort(xs, kind="stable")
        reward = np.array([f.reward for f in found])
        true = np.array([f.true_score for f in found])
        self.plot.set_series(REWARD, xs[order], reward[order], kind="policy", marker="o")
        self.plot.set_series(TRUE, xs[order], true[order], kind="truth", marker="star")
        self._look_into()

    @Slot()
    def _look_into(self) -> None:
        i = self.slider.value()
        self.which.setText(f"&β = {BETAS[i]:g}")
        if i >= len(self._states):
            return
        state = self._states[i]
        found = trade_off(state)
        if found is not None:
            self.reached.setText(words_of(found, len(state.records)))
            by_kl = self.against.currentData() == "kl"
            x = found.kl if by_kl else found.beta
            self.plot.set_marks([Mark(x, f"β = {found.beta:g}", self.reached.text())])
        if state.looks:
            self.looks.set_states((state,))


def words_of(found: TradeOff, updates: int) -> str:
    """What one β reached, in a line."""
    return (
        f"After {updates} updates: reward {found.reward:.2f}, true score {found.true_score:.0%} "
        f"± {found.true_error:.0%}, KL {found.kl:.2f} ± {found.kl_error:.2f} nats per answer, "
        f"{found.length:.1f} tokens."
    )
