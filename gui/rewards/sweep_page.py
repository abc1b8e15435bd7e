"""β swept: one run for each price, and the trade-off between reward and distance."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QShowEvent
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
from engine.posttraining.arm_records import ArmState, beta_sweep
from gui import theme
from gui.colours import SERIES
from gui.lab import Lab
from gui.rewards.arms_work import make_sweep
from gui.rewards.drive import Drive
from gui.rewards.looks_sheet import LooksSheet
from gui.rewards.setup import SetupPanel
from gui.rewards.sweep_told import (
    NOTHING_TO_TRADE,
    Point,
    careless_term,
    is_true_score,
    point_of,
    spread,
)
from gui.rewards.work import Work
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import mixed
from gui.widgets.notice import Notice
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

BETAS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
UPDATES = 30
REWARD, TRUE = "reward (without the penalty)", "true score"
BAND = ("− error", "+ error")
"""Names of the lines a standard error below and above each curve."""
FAINT = 0.5
"""How much of the ground is in their colour."""
PRESS_RUN = "Press Start: seven runs in turns, each with a different β."
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
        self.whose = plain_label("", self, wrap=True)
        self.whose.setAccessibleName("What these runs were")
        theme.set_text_role(self.whose, "caption", "muted")
        self.whose.hide()
        self.problem = Notice(self)
        self.advice = Notice(self)
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
        self.plot.set_empty_text(PRESS_RUN)
        self.apart = plain_label("", self, wrap=True)
        self.apart.setAccessibleName("Whether the differences are more than chance")
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
        left = QWidget(self)
        drawn = QVBoxLayout(left)
        drawn.setContentsMargins(0, 0, 0, 0)
        drawn.addWidget(self.plot, 1)
        drawn.addWidget(self.apart)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setSizes([1000, 1000])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (about, row, self.whose, self.problem, self.advice):
            column.addWidget(widget)
        column.addWidget(self.splitter, 1)
        self.drive.start_pressed.connect(self._start)
        self.drive.news.connect(self._take)
        self.drive.stage_changed.connect(self._stage_changed)
        self.against.currentIndexChanged.connect(self._redraw)
        self.slider.valueChanged.connect(self._look_into)
        self.advice.pressed.connect(self._be_careless)
        setup.reward_changed.connect(self._advise)
        setup.task_changed.connect(self._advise)
        self._advise()
        self._redraw()

    @property
    def states(self) -> tuple[ArmState, ...]:
        """How far the runs have come, the smallest β first."""
        return self._states

    @Slot()
    def _advise(self) -> None:
        """Say beforehand that what is rewarded has nothing to trade off; once a sweep has begun
        its curves need the room."""
        idle = not self.drive.busy and not self._states and is_true_score(self._setup.reward)
        action = ""
        if idle:
            key = careless_term(self._setup.task)
            title = next(t.title for t, _ in self._setup.reward.terms if t.key == key)
            action = f"Reward “{title}” alone"
        self.advice.say(NOTHING_TO_TRADE if idle else "", "info", action)

    @Slot()
    def _be_careless(self) -> None:
        """Reward a careless term in place of being right."""
        for key, weight in ((careless_term(self._setup.task), 1.0), ("exact", 0.0)):
            self._setup.weights[key].set_value(weight)
        self._advise()

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
        self.apart.clear()
        title = f"β sweep: {order.task.title}"
        self.plot.title = title
        each = int(self.updates.value())
        self.whose.setText(
            f"These runs: “{order.task.title}”, rewarded by {order.reward.words()}, "
            f"{each:,} {'update' if each == 1 else 'updates'} each. What is chosen above is for "
            "the next ones."
        )
        self.whose.show()
        make = partial(make_sweep, order.task, arms)
        self.drive.begin(Work(make, each, title))

    @Slot()
    def _stage_changed(self) -> None:
        self.problem.say(self.drive.problem, "error")
        self.plot.set_empty_text("The runs are getting ready …" if self.drive.busy else PRESS_RUN)
        self._advise()
        self._tell_apart()

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

    @property
    def points(self) -> list[Point]:
        """Where each run stands that has begun, the smallest β first."""
        return [p for p in map(point_of, self._states) if p is not None]

    def _place(self, point: Point) -> float:
        by_kl = self.against.currentData() == "kl"
        return point.found.kl if by_kl else point.found.beta

    def _draw(self) -> None:
        points = sorted(self.points, key=self._place)
        if not points:
            return
        xs = np.array([self._place(p) for p in points])
        drawn = (
            (REWARD, "policy", "o", [(p.found.reward, p.reward_error) for p in points]),
            (TRUE, "truth", "star", [(p.found.true_score, p.found.true_error) for p in points]),
        )
        for name, kind, marker, values in drawn:
            mean, error = np.array(values).T
            self.plot.set_series(name, xs, mean, kind=kind, marker=marker)
            faint = mixed(QColor(SERIES[kind].light), QColor("white"), FAINT).name()
            short = name.partition(" (")[0]
            for sign, side in zip((-1, 1), BAND, strict=True):
                self.plot.set_series(
                    f"{short} {side}", xs, mean + sign * error,
                    kind=faint, line=Qt.PenStyle.DotLine, marker="x",
                )  # fmt: skip
        self._tell_apart()
        self._look_into()

    def _tell_apart(self) -> None:
        """Once all runs have come equally far, whether they differ by more than chance."""
        even = len({len(s.records) for s in self._states}) == 1
        self.apart.setText(spread(self.points) if even and not self.drive.busy else "")

    @Slot()
    def _look_into(self) -> None:
        i = self.slider.value()
        self.which.setText(f"&β = {BETAS[i]:g}")
        marks = []
        for j, state in enumerate(self._states):
            point = point_of(state)
            if point is None:
                continue
            words, chosen = point.words(len(state.records)), i == j
            kind = "policy" if chosen else "neutral"
            marks.append(Mark(self._place(point), f"β = {point.found.beta:g}", words, kind))
            if chosen:
                self.reached.setText(words)
        self.plot.set_marks(marks)
        if i < len(self._states) and self._states[i].looks:
            self.looks.set_states((self._states[i],))
