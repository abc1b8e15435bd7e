"""Reward hacking on purpose: predict, run a careless reward beside a better one, see."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.posttraining.arm_records import ArmState
from engine.posttraining.experiments import Experiment, experiments
from engine.posttraining.hacking import Direction, hack_of, length_direction
from gui import theme
from gui.lab import Lab
from gui.rewards.arm_view import PLOT_ROW, ArmView
from gui.rewards.arms_work import make_experiment
from gui.rewards.drive import Drive, Stage
from gui.rewards.hacking_told import why_hacked, why_length
from gui.rewards.looks_sheet import LooksSheet
from gui.rewards.work import Work
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label

HACKED = ("Yes: reward up, true score down", "No: the true score does not fall")
LENGTHS: tuple[tuple[Direction, str], ...] = (
    ("longer", "They get longer"),
    ("same", "About the same"),
    ("shorter", "They get shorter"),
)

PLOT_EMS = 17
"""The least height of the curves with their legend and tools, in lines of text."""


class HackingPage(QWidget):
    """Two arms side by side, asked about before they run."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._all = experiments()
        self._states: tuple[ArmState, ...] = ()
        self.choice = QComboBox(self)
        for experiment in self._all:
            self.choice.addItem(experiment.title, experiment.key)
        self.choice.setAccessibleName("Experiment")
        self.choice.setToolTip("What goes wrong, and how to shape it better.")
        self.choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        name = QLabel("Experimen&t")
        name.setBuddy(self.choice)
        row = FlowRow(self)
        row.add(name)
        row.add(self.choice)
        self.drive = Drive(lab, row)
        row.add(self.drive)
        self.story = plain_label("", self, wrap=True)
        self.problem = Notice(self)
        self.hacked = PredictionCard(self)
        self.length = PredictionCard(self)
        self.lesson = plain_label("", self, wrap=True)
        theme.set_text_role(self.lesson, "body", "muted")
        self.views = (ArmView("Careless reward", self), ArmView("Better reward", self))
        self.looks = LooksSheet(self)
        self._arms = arms = QGridLayout()
        for place, view in enumerate(self.views):
            view.stand_in(arms, place)
        cards = QHBoxLayout()
        for card in (self.hacked, self.length):
            cards.addWidget(card, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (row, self.story, self.problem):
            column.addWidget(widget)
        column.addLayout(cards)
        column.addLayout(arms, 3)
        column.addWidget(self.lesson)
        column.addWidget(self.looks, 2)
        self.choice.currentIndexChanged.connect(self._chosen)
        self.drive.start_pressed.connect(self._start)
        self.drive.news.connect(self._take)
        self.drive.stage_changed.connect(self._stage_changed)
        self.hacked.locked.connect(self._reveal)
        self.length.locked.connect(self._reveal)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._chosen()

    @Slot()
    def _dress(self) -> None:
        """Leave the curves room enough to be read: the page scrolls where it has less."""
        self._arms.setRowMinimumHeight(PLOT_ROW, round(em(theme.current().font("body")) * PLOT_EMS))

    @property
    def experiment(self) -> Experiment:
        """The one that is chosen."""
        return self._all[self.choice.currentIndex()]

    @property
    def states(self) -> tuple[ArmState, ...]:
        """How far both arms have come."""
        return self._states

    @Slot()
    def _chosen(self) -> None:
        experiment = self.experiment
        self.story.setText(experiment.story)
        self._clear()
        for view, title in zip(self.views, ("The careless reward", "Shaped better"), strict=True):
            view.announce(title, "")
        self._ask()

    def _clear(self) -> None:
        self._states = ()
        self.lesson.clear()
        self.looks.clear()

    def _ask(self) -> None:
        self.hacked.ask("Will the careless reward be hacked?", HACKED)
        self.length.ask("Which way will its answers' length go?", [w for _, w in LENGTHS])

    @Slot()
    def _start(self) -> None:
        self._clear()
        for view in self.views:
            view.announce(view.title.text(), "")
        if "revealed" in (self.hacked.state, self.length.state):
            self._ask()
        experiment = self.experiment
        make = partial(make_experiment, experiment, self._lab.seed)
        title = f"Reward hacking: {experiment.title}"
        self.drive.begin(Work(make, experiment.updates, title))

    @Slot(object)
    def _take(self, states: tuple[ArmState, ...]) -> None:
        self._states = states
        if self.isVisible():
            self._draw()

    @Slot()
    def _stage_changed(self) -> None:
        self.problem.say(self.drive.problem, "error")
        self.choice.setEnabled(not self.drive.busy)
        if self.drive.stage is Stage.DONE:
            self._draw()
            self._reveal()

    def _draw(self) -> None:
        ended = self.drive.stage is Stage.DONE
        for view, state in zip(self.views, self._states, strict=False):
            view.show_state(state, ended)
        if self._states:
            self.looks.set_states(self._states)
        self.lesson.setText(self.experiment.lesson if ended else "")

    @Slot()
    def _reveal(self) -> None:
        """Score what was predicted, once the runs have ended; what is still asked then has been
        answered on screen."""
        if self.drive.stage is not Stage.DONE or not self._states:
            return
        for card in (self.hacked, self.length):
            if card.state == "asking":
                card.skip()
        careless = self._states[0]
        self.hacked.reveal(0 if hack_of(careless) is not None else 1, why_hacked(careless))
        way = length_direction(careless.series("length"))
        right = [key for key, _ in LENGTHS].index(way)
        self.length.reveal(right, why_length(careless))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._states:
            self._draw()
