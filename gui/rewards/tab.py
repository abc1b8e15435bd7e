"""The tab "RL reward shaping": bend a trained model with rewards, and see every number."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.rewards import RewardMix
from engine.runs import RunSummary
from gui import theme
from gui.lab import Lab
from gui.rewards.aim_page import AimPage
from gui.rewards.compare_page import ComparePage
from gui.rewards.curves_page import CurvesPage
from gui.rewards.group_page import GroupPage
from gui.rewards.hacking_page import HackingPage
from gui.rewards.kept_page import KeptPage
from gui.rewards.live import kept_order
from gui.rewards.objective_page import ObjectivePage
from gui.rewards.preferences_page import PreferencesPage
from gui.rewards.rubric_page import RubricPage
from gui.rewards.samples_page import SamplesPage
from gui.rewards.session import Phase, RewardsSession
from gui.rewards.setup import SetupPanel
from gui.rewards.sweep_page import SweepPage
from gui.rewards.transport import Transport
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.page_switch import PageSpec, PageSwitch

PAGE_EMS = 20.0
"""The least height of a page, in lines of text."""
AT_REST = frozenset({Phase.PAUSED, Phase.STOPPED, Phase.FINISHED})
OWN_SETUP = frozenset({"closed", "hacking", "kept"})
"""Pages that choose task and reward themselves."""
OWN_RUNS = OWN_SETUP | {"sweep", "preferences", "rubric"}
"""Pages that have runs of their own, or none."""


class RewardsTab(QWidget):
    """Set up, drive and look into one post-training run at a time."""

    page_keys = (
        "curves",
        "samples",
        "compare",
        "kept",
        "group",
        "objective",
        "preferences",
        "rubric",
        "hacking",
        "sweep",
        "closed",
    )

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.session = RewardsSession(lab, self)
        self.setup = SetupPanel(lab, self)
        self.transport = Transport(self.session, self)
        self.problem = Notice(self)
        self.curves = CurvesPage(self)
        self.group = GroupPage(lab, self)
        self.samples = SamplesPage(self)
        self.compare = ComparePage(self.session, self)
        self.kept = KeptPage(lab, self.session.catalogue, self)
        self.objective = ObjectivePage(lab, self)
        self.aim = AimPage(lab, self)
        self.hacking = HackingPage(lab, self)
        self.sweep = SweepPage(lab, self.setup, self)
        self.preferences = PreferencesPage(lab, self.session, self)
        self.rubric = RubricPage(lab, self.session, self)
        self._stale = True
        for page in (
            self.preferences,
            self.rubric,
            self.curves,
            self.group,
            self.samples,
            self.compare,
            self.kept,
            self.objective,
            self.aim,
            self.hacking,
            self.sweep,
        ):
            page.hide()  # until the switch shows it in its place
        self.pages = PageSwitch(
            "Pages of the rewards tab",
            (
                PageSpec(
                    "curves",
                    "&Curves",
                    "Reward, true score and what else changes, update by update.",
                    partial(_same, self.curves),
                    "Run",
                ),
                PageSpec(
                    "samples",
                    "&Samples",
                    "Answers to the same prompts over time, policy beside reference.",
                    partial(_same, self.samples),
                    "Run",
                ),
                PageSpec(
                    "compare",
                    "&Before and after",
                    "Policy and reference on the same prompt.",
                    partial(_same, self.compare),
                    "Run",
                ),
                PageSpec(
                    "kept",
                    "&Kept runs",
                    "Runs of before: compare, resume, export.",
                    partial(_same, self.kept),
                    "Run",
                ),
                PageSpec(
                    "group",
                    "One &group",
                    "Answers, rewards, advantages, and the push on every token.",
                    partial(_same, self.group),
                    "Look inside",
                ),
                PageSpec(
                    "objective",
                    "&Formula",
                    "What is maximised, with its numbers.",
                    partial(_same, self.objective),
                    "Look inside",
                ),
                PageSpec(
                    "preferences",
                    "Prefere&nces",
                    "Compare answers, train a reward model, and see what it has learned.",
                    partial(_same, self.preferences),
                    "Reward",
                ),
                PageSpec(
                    "rubric",
                    "Rubr&ic",
                    "Criteria with weights, each verdict with its reason.",
                    partial(_same, self.rubric),
                    "Reward",
                ),
                PageSpec(
                    "hacking",
                    "Reward &hacking",
                    "Careless rewards that go wrong, beside better ones.",
                    partial(_same, self.hacking),
                    "Experiments",
                ),
                PageSpec(
                    "sweep",
                    "β s&weep",
                    "One run for each price of moving away: the trade-off.",
                    partial(_same, self.sweep),
                    "Experiments",
                ),
                PageSpec(
                    "closed",
                    "C&losed form",
                    "The best policy computed, and training that aims at it.",
                    partial(_same, self.aim),
                    "Experiments",
                ),
            ),
            parent=self,
        )
        self.driving = QWidget(self)
        above = QVBoxLayout(self.driving)
        above.setContentsMargins(0, 0, 0, 0)
        for widget in (self.setup, self.transport, self.problem):
            above.addWidget(widget)
        self.pages.put_above_pages(self.driving)
        column = QVBoxLayout(self)
        column.addWidget(self.pages)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.transport.start_pressed.connect(self._start)
        self.transport.step_pressed.connect(self._step)
        self.setup.reward_changed.connect(self._reward_changed)
        panel = self.setup.panel
        panel.page_wished.connect(self.show_page)
        self.preferences.model_trained.connect(panel.set_model)
        self.preferences.use_alone.connect(self._preferences_alone)
        self.rubric.rubric_changed.connect(panel.set_rubric)
        self.rubric.use_alone.connect(self._rubric_alone)
        for page in (self.preferences, self.rubric):
            page.set_task(self.setup.task)
        self.session.began.connect(self._began)
        self.session.news_changed.connect(self._show_news)
        self.session.phase_changed.connect(self._show_problem)
        self.pages.shown.connect(self._page_shown)
        self.compare.set_task(self.setup.task)
        self.setup.task_changed.connect(self._task_changed)
        self.kept.resume_wished.connect(self._resume_kept)

    def show_page(self, key: str) -> None:
        """Bring a page to the front; keys that no page has change nothing."""
        self.pages.show_page(key)

    # ----------------------------------------------------------------------------- what to do
    def continue_run(self, key: str) -> None:
        """Open a kept run of the app's catalogue, paused at its newest checkpoint."""
        try:
            run = self.session.catalogue.summary(key)
        except LabError as error:
            self.problem.say(str(error), "error")
        else:
            self._resume_kept(run)

    @Slot()
    def _start(self) -> None:
        self._begin(None)

    @Slot()
    def _step(self) -> None:
        if self.session.phase is Phase.EMPTY:
            self._begin(1)
        else:
            self.session.step()

    @Slot(object)
    def _resume_kept(self, run: RunSummary) -> None:
        """Put a kept run in place of the present one, paused where it stood."""
        try:
            order = kept_order(run, self.setup.reward, int(self.setup.numbers["updates"].value()))
        except LabError as error:
            self.kept.problem.say(str(error), "error")
            return
        if self.session.open_kept(order, run.key):
            self.show_page("curves")
        else:
            self.kept.problem.say("A run is under way. Stop it before you resume another.", "error")

    def _begin(self, updates: int | None) -> None:
        try:
            order = self.setup.order()
        except LabError as error:
            self.problem.say(str(error), "error")
            return
        self.session.start(order, updates)

    @Slot()
    def _preferences_alone(self) -> None:
        self.setup.panel.use_alone("preferences")

    @Slot()
    def _rubric_alone(self) -> None:
        self.setup.panel.use_alone("rubric")

    @Slot(object)
    def _reward_changed(self, reward: RewardMix) -> None:
        """A weight was turned: the run at work takes it, unless it has another task."""
        order = self.session.order
        if order is not None and order.task.key == self.setup.task.key:
            self.session.set_reward(reward)

    # --------------------------------------------------------------------------------- showing
    @Slot()
    def _began(self) -> None:
        order = self.session.order
        for page in (self.curves, self.group, self.samples, self.compare, self.objective):
            page.clear()
        if order is not None:
            self.compare.set_task(order.task)
        self._show_problem()

    @Slot()
    def _task_changed(self) -> None:
        for page in (self.preferences, self.rubric):
            page.set_task(self.setup.task)
        if self.session.order is None:
            self.compare.set_task(self.setup.task)

    @Slot()
    def _show_problem(self) -> None:
        self.group.set_at_rest(self.session.phase in AT_REST)
        self.problem.say(self.session.problem, "error")

    @Slot(str)
    def _page_shown(self, key: str) -> None:
        """Pages with runs of their own need the room, and would only be confused with the
        buttons of the run above."""
        self.setup.setVisible(key not in OWN_SETUP)
        self.transport.setVisible(key not in OWN_RUNS)
        self._show_news()

    @Slot()
    def _show_news(self) -> None:
        """Draw the newest news on the page in front, or remember to when the tab is seen."""
        news = self.session.news
        if not self.isVisible():
            self._stale = True
            return
        self._stale = False
        if news is None:
            return
        match self.pages.current_key:
            case "curves":
                self.curves.show_news(news)
            case "group":
                self.group.show_news(news)
            case "kept":
                pass  # it reads the disk when it is shown
            case "samples":
                self.samples.show_news(news)
            case "compare":
                self.compare.news()
            case "objective":
                self.objective.show_news(news)

    @Slot()
    def _dress(self) -> None:
        """Leave the pages enough room for a plot: the window scrolls where it has less."""
        self.pages.setMinimumHeight(round(em(theme.current().font("body")) * PAGE_EMS))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setup.get_tasks_ready()
        if self._stale:
            self._show_news()


def _same(widget: QWidget) -> QWidget:
    """The factory of a page that is there already."""
    return widget
