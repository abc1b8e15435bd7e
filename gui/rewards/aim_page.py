"""The closed form: π* beside training that aims at it, and beside the usual settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QVBoxLayout, QWidget

from engine.posttraining.closed_form import Floats, kl_divergence
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.tasks.pairs import Pairs
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.rewards.aim_work import AimPreview, make_aiming
from gui.rewards.beside import Beside
from gui.rewards.drive import Drive
from gui.rewards.work import Work
from gui.widgets.curve_plot import CurvePlot, Landmark
from gui.widgets.distribution_bars import Distribution, DistributionBars
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

if TYPE_CHECKING:
    from engine.posttraining.aiming import AimState, Target

UPDATES = 120
FIRST_BETA = 0.5
PREVIEW_KEY = "rewards: closed form"
AIMS, USUAL = "aims at π*", "usual settings"
EXACT, PARTIAL, _, LENGTH = TERMS
REWARDS: tuple[tuple[str, RewardMix], ...] = (
    ("exactly right", RewardMix(((EXACT, 1.0),))),
    ("partial credit", RewardMix(((PARTIAL, 1.0),))),
    ("½ for every token", RewardMix(((LENGTH, 0.5),))),
)
ABOUT = (
    "Two letters to swap (<) or sort (>): only 2,801 answers are possible, so the best policy can "
    "be computed. π*(y) = π_ref(y) · exp(r(y)/β) / Z is what maximises E[r] − β KL(π ‖ π_ref); the "
    "greatest value is β log Z."
)
REASON = (
    "Why the usual settings end elsewhere: dividing by the group's standard deviation σ makes β "
    "count as β·σ, less the surer the policy; and k3 in the loss pulls, on average, with the "
    "gradient of KL(π_ref ‖ π) at each token, not of KL(π ‖ π_ref)."
)
REST = "Where the usual settings come to rest, found exactly from their mean gradient."
PRESS_RUN = "Press Start: both runs start at the reference policy."
PREPARING = "Both runs are getting ready …"
PART_EMS = 30
"""The width that bars and curves want, in lines of text."""


class AimPage(QWidget):
    """Choose β, see π*; then train, and see which settings get there."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._task = Pairs()
        self._preview = AimPreview(self._task)
        self._target: Target | None = None
        self._state: AimState | None = None
        self.beta = NumberField(
            "β",
            FIRST_BETA,
            low=0.05,
            high=10,
            geometric=True,
            explanation="The price of moving away from the reference: the smaller, the surer π*.",
        )
        self.reward = self._box("Reward", "What is rewarded here.")
        for words, _ in REWARDS:
            self.reward.addItem(words)
        self.prompt = self._box("Prompt", "Whose answers are drawn.")
        asked = self._task.prompts(held_out=False)
        for prompt in asked:
            self.prompt.addItem(prompt.text)
        # Where nothing has to be swapped or sorted, what is to be done cannot be seen.
        changes = (i for i, p in enumerate(asked) if p.target not in p.text)
        self.prompt.setCurrentIndex(next(changes, 0))
        self.log_y = QCheckBox("KL in powers of ten", self)
        self.log_y.setToolTip("Draw the distance to π* on a logarithmic axis, to see small ones.")
        self.log_y.setChecked(True)
        row = FlowRow(self)
        row.add(self.beta)
        for title, box in (("Rewar&d", self.reward), ("Pro&mpt", self.prompt)):
            cell = QWidget(row)
            label = QLabel(title, cell)
            label.setBuddy(box)
            column = QVBoxLayout(cell)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            column.addWidget(label)
            column.addWidget(box)
            row.add(cell)
        row.add(self.log_y)
        self.drive = Drive(lab, self)
        self.problem = Notice(self)
        about = plain_label(ABOUT, self, wrap=True)
        self.numbers = plain_label("", self, wrap=True)
        theme.set_text_role(self.numbers, "strong")
        self.bars = DistributionBars(self, count=7)
        self.bars.area.set_axis_title("probability of the whole answer")
        self.marked = plain_label("", self, wrap=True)
        theme.set_text_role(self.marked, "caption", "muted")
        self.plot = CurvePlot("Distance to π*", "update", "KL(π ‖ π*) (nats per answer)", self)
        self.plot.set_empty_text(PRESS_RUN)
        self.plot.set_log_y(True)
        reason = plain_label(REASON, self, wrap=True)
        theme.set_text_role(reason, "caption", "muted")
        left = QWidget(self)
        beside = QVBoxLayout(left)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.bars, 1)
        beside.addWidget(self.marked)
        self.splitter = Beside(left, self.plot, self._widths, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (about, row, self.drive, self.problem, self.numbers):
            column.addWidget(widget)
        column.addWidget(self.splitter, 1)
        column.addWidget(reason)
        self.drive.start_pressed.connect(self._start)
        self.drive.news.connect(self._take)
        self.drive.stage_changed.connect(self._stage_changed)
        self.beta.value_changed.connect(self._changed)
        self.reward.currentIndexChanged.connect(self._changed)
        self.prompt.currentIndexChanged.connect(self._draw)
        self.log_y.toggled.connect(self.plot.set_log_y)

    def _widths(self) -> tuple[int, int]:
        wanted = round(em(self.font()) * PART_EMS)
        return wanted, wanted

    def _box(self, name: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return box

    @property
    def mix(self) -> RewardMix:
        """The reward as it is chosen."""
        return REWARDS[self.reward.currentIndex()][1]

    @property
    def target(self) -> Target | None:
        """What is drawn: the run's, while there is one; the chosen one's before."""
        return self._target if self._state is None else self._state.target

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._target is None:
            self._ask()
        self._draw()  # a run may have gone on, or ended, while nobody looked

    # ----------------------------------------------------------------------------- what to do
    @Slot()
    def _changed(self) -> None:
        """Another β or reward: show its π*; a run that was made with the old one is left."""
        if self.drive.busy:
            return
        self._state = None
        self.plot.clear()
        self.plot.set_empty_text(PRESS_RUN)
        self._ask()

    def _ask(self) -> None:
        running = self._lab.compute.running
        if running is None:
            self.numbers.setText("Computing π* …")
        else:
            self.numbers.setText(f"π* is computed as soon as “{running.title}” lets it …")
        self._lab.compute.request(
            PREVIEW_KEY,
            self._preview.target,
            self.mix,
            self.beta.value(),
            title="Computing the best policy",
            with_job=True,
            on_result=self._previewed,
            on_error=self._not_previewed,
        )

    @Slot(object)
    def _previewed(self, target: Target) -> None:
        self._target = target
        self.problem.clear()
        self._draw()

    @Slot(object)
    def _not_previewed(self, failure: Failure) -> None:
        self.numbers.clear()
        self.problem.say(failure.sentence, "error")

    @Slot()
    def _start(self) -> None:
        if not self.beta.is_valid():
            self.problem.say("“β” doesn't hold a number that fits.", "error")
            self.beta.box.setFocus()
            return
        self._state = None
        self.plot.clear()
        make = partial(make_aiming, self._task, self.mix, self.beta.value(), self._lab.seed)
        self.drive.begin(Work(make, UPDATES, "Closed form"))

    @Slot()
    def _stage_changed(self) -> None:
        self.problem.say(self.drive.problem, "error")
        self.plot.set_empty_text(PREPARING if self.drive.busy else PRESS_RUN)
        for widget in (self.beta, self.reward):
            widget.setEnabled(not self.drive.busy)
        self._draw()

    # --------------------------------------------------------------------------------- showing
    @Slot(object)
    def _take(self, state: AimState) -> None:
        self._state = state
        self._draw()

    @Slot()
    def _draw(self) -> None:
        target, i = self.target, self.prompt.currentIndex()
        if target is None or not self.isVisible():
            return
        asked = target.asked[i]
        shown: list[tuple[str, str, Floats]] = [
            ("Reference policy", "reference", target.reference[i]),
            ("π* (closed form)", "truth", target.best[i]),
        ]
        state = self._state
        if state is not None:
            shown += [
                (f"Policy that {AIMS}", "policy", state.log_probs[0, i]),
                ("Policy by usual settings", "neutral", state.log_probs[1, i]),
            ]
        labels = [asked.label(j).encode() for j in range(len(asked.answers))]
        self.bars.set_distributions(
            [Distribution(name, kind, rows) for name, kind, rows in shown],
            Vocabulary(labels.__getitem__),
        )
        right = int(np.argmax(asked.true_scores))
        self.bars.set_marked(right)
        self.marked.setText(f"In blue: {asked.label(right)}, the right answer.")
        away = kl_divergence(target.rest[i], target.best[i])
        words = (
            f"β = {target.beta:g}: greatest value β log Z = {target.values[i]:.3f}; the usual "
            f"settings come to rest at KL(π ‖ π*) = {away:.3g}"
        )
        if state is not None:
            for row, name, kind in ((0, AIMS, "policy"), (1, USUAL, "neutral")):
                self.plot.set_series(name, state.updates, state.divergence[:, row, i], kind=kind)
            aims, usual = state.values[-1, :, i].tolist()
            near, far = state.divergence[-1, :, i].tolist()
            words += (
                f"; after {state.updates[-1]} updates the run that {AIMS} reaches {aims:.3f} "
                f"(KL to π* {near:.3f}), the usual settings {usual:.3f} (KL {far:.3f})"
            )
        self.plot.set_landmarks([Landmark("usual at rest", away, REST, "neutral")])
        self.numbers.setText(f"{words}.")
