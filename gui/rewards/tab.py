"""The tab "RL reward shaping": bend a trained model with rewards, and see every number."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
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
from gui.rewards.live import kept_order, task_key
from gui.rewards.news import News
from gui.rewards.objective_page import ObjectivePage
from gui.rewards.preferences_page import PreferencesPage
from gui.rewards.rubric_page import RubricPage
from gui.rewards.samples_page import SamplesPage
from gui.rewards.session import Phase, RewardsSession
from gui.rewards.setup import SetupPanel
from gui.rewards.sweep_page import SweepPage
from gui.rewards.tab_pages import PAGES
from gui.rewards.transport import Transport
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.page_switch import PageSpec, PageSwitch
from gui.widgets.safe_text import plain_label

PAGE_EMS = 20.0
"""The least height of a page, in lines of text."""
ROOMY_EMS = 44.0
"""From this height of the window on, in lines of text, the weights are shown at first."""
AT_REST = frozenset({Phase.PAUSED, Phase.STOPPED, Phase.FINISHED})
OWN_SETUP = frozenset({"closed", "hacking", "kept"})
"""Pages that choose task and reward themselves."""
OWN_RUNS = OWN_SETUP | {"sweep", "preferences", "rubric"}
"""Pages that have runs of their own, or none."""


class RewardsTab(QWidget):
    """Set up, drive and look into one post-training run at a time."""

    page_keys = tuple(key for key, *_ in PAGES)

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
        self._showing_kept = False
        self._fold_by_hand = False
        pages = (
            self.curves,
            self.samples,
            self.compare,
            self.kept,
            self.group,
            self.objective,
            self.preferences,
            self.rubric,
            self.hacking,
            self.sweep,
            self.aim,
        )
        for page in pages:
            page.hide()  # until the switch shows it in its place
        self.pages = PageSwitch(
            "Pages of the rewards tab",
            [
                PageSpec(key, title, tip, partial(_same, page), heading)
                for (key, heading, title, tip), page in zip(PAGES, pages, strict=True)
            ],
            parent=self,
        )
        self.driving = QWidget(self)
        above = QVBoxLayout(self.driving)
        above.setContentsMargins(0, 0, 0, 0)
        self.elsewhere = plain_label("", self.driving, wrap=True)
        self.elsewhere.setAccessibleName("What the run at hand is")
        theme.set_text_role(self.elsewhere, "caption", "muted")
        self.elsewhere.hide()
        for widget in (self.setup, self.transport, self.elsewhere, self.problem):
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
        panel.fold.clicked.connect(self._folded_by_hand)
        panel.page_wished.connect(self.show_page)
        self.preferences.model_trained.connect(panel.set_model)
        self.preferences.use_alone.connect(self._preferences_alone)
        self.rubric.rubric_changed.connect(panel.set_rubric)
        self.rubric.use_alone.connect(self._rubric_alone)
        for page in (self.preferences, self.rubric):
            page.set_task(self.setup.task)
        self.session.began.connect(self._began)
        self.session.reopened.connect(self._reopened)
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
            offered = self.setup.panel.made_for(task_key(run))
            order = kept_order(run, offered, int(self.setup.numbers["updates"].value()))
        except LabError as error:
            self._say_of_kept(str(error))
            return
        if self.session.open_kept(order, run.key, offered):
            self.show_page("curves")
        else:
            self._say_of_kept("A run is under way. Stop it before you resume another.")

    def _say_of_kept(self, problem: str) -> None:
        """Tell it where the person is: a run may be resumed from the list, or at the start."""
        place = self.kept.problem if self.pages.current_key == "kept" else self.problem
        place.say(problem, "error")

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
        """A weight was turned: the run at work takes it, unless it has another task. A run that
        is being opened has a reward of its own, which the panel is about to show."""
        if self._showing_kept or self.session.opening:
            return
        order = self.session.order
        if order is not None and order.task.key == self.setup.task.key:
            self.session.set_reward(reward)
            self._show_problem()

    @Slot(object)
    def _reopened(self, news: News) -> None:
        """A kept run is back: what is set up here becomes its task and its reward, so that a
        weight turned now changes that reward and nothing else."""
        tasks = self.setup.tasks
        self._showing_kept = True
        try:
            tasks.setCurrentIndex(tasks.findData(news.order.task.key))
            told = self.setup.panel.show_kept(news.order.reward)
        finally:
            self._showing_kept = False
        self.problem.say(told, "info")

    # --------------------------------------------------------------------------------- showing
    @Slot()
    def _began(self) -> None:
        order = self.session.order
        for page in (self.curves, self.group, self.samples, self.compare, self.objective):
            page.clear()
        if order is not None:
            self.compare.set_task(order.task)
        self._tell_elsewhere()
        self._show_problem()

    @Slot()
    def _task_changed(self) -> None:
        for page in (self.preferences, self.rubric):
            page.set_task(self.setup.task)
        self._tell_elsewhere()
        if self.session.order is None:
            self.compare.set_task(self.setup.task)

    @Slot()
    def _show_problem(self) -> None:
        self.group.set_at_rest(self.session.phase in AT_REST)
        if self.session.problem:
            self.problem.say(self.session.problem, "error")
        else:
            self.problem.say(self._advice(), "warning")

    def _advice(self) -> str:
        """What is worth knowing of the run at hand."""
        live = self.session.live
        if live is None or any(weight for _, weight in live.reward.terms):
            return ""
        return "Every weight is 0: nothing is rewarded, so nothing will be learned."

    @Slot(str)
    def _page_shown(self, key: str) -> None:
        """Pages with runs of their own need the room, and would only be confused with the
        buttons of the run above."""
        self.setup.setVisible(key not in OWN_SETUP)
        self.transport.setVisible(key not in OWN_RUNS)
        self._tell_elsewhere()
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
        self._fold_weights()

    def _fold_weights(self) -> None:
        """Show the weights where there is room for them and the page below, until someone
        decides otherwise."""
        fold = self.setup.panel.fold
        if self._fold_by_hand:
            return
        roomy = self.window().height() >= ROOMY_EMS * em(theme.current().font("body"))
        fold.setChecked(roomy)

    @Slot()
    def _folded_by_hand(self) -> None:
        self._fold_by_hand = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold_weights()

    def _tell_elsewhere(self) -> None:
        """What is set up above may be for another run than the one at hand: then say so."""
        order, live = self.session.order, self.session.live
        if order is None or live is None or order.task.key == self.setup.task.key:
            self.elsewhere.hide()
            return
        self.elsewhere.setVisible(self.transport.isVisibleTo(self))
        self.elsewhere.setText(
            f"The run at hand is “{order.task.title}”, rewarded by {live.reward.words()}. What is "
            "set up above is for the next run."
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setup.get_tasks_ready()
        if self._stale:
            self._show_news()


def _same(widget: QWidget) -> QWidget:
    """The factory of a page that is there already."""
    return widget
