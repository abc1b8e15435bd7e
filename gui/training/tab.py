"""The tab "Training": watch a transformer learn."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.training import Recipe
from engine.training.experiments import Experiment
from gui import theme
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.checkpoint_peek import CheckpointPeek
from gui.training.compare_page import ComparePage
from gui.training.experiments_page import ExperimentsPage
from gui.training.experiments_session import ExperimentSession
from gui.training.export import RunExport
from gui.training.loss_view import LossView
from gui.training.news import News
from gui.training.paces import Landmarks, Paces
from gui.training.prediction import RunPrediction
from gui.training.prompts import default_prompt
from gui.training.rates_page import RatesPage
from gui.training.samples_view import SamplesView
from gui.training.scale_page import ScalePage
from gui.training.session import Phase, TrainingSession
from gui.training.settings_page import SettingsPage
from gui.training.setup import SetupPanel
from gui.training.steering import Steering
from gui.training.step_page import StepPage
from gui.training.tab_pages import KEYS, OF_THEIR_OWN, page_specs
from gui.training.transport import Transport
from gui.training.wishes import Wishes
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.page_switch import PageSwitch

PAGE_EMS = 20.0
"""The least height of a page, in lines of text."""
SLOWER = 0.1
"""What the learning rate is multiplied with when a run is rescued."""
RESCUE = "Go back, with a smaller learning rate"
RESCUE_TIP = (
    "Take the run to its last good state, with a tenth of the learning rate or, if that is still "
    "more than usual, with the recipe's own."
)


class TrainingTab(QWidget):
    """Set up, drive and watch one run at a time."""

    page_keys = KEYS
    """What ``show_page`` knows."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.session = TrainingSession(lab, self)
        self.paces = Paces(lab, self, self.session)
        self.landmarks = Landmarks(lab, self)
        self.experiments = ExperimentSession(lab, self)
        self.wishes = Wishes(self)
        self.setup = SetupPanel(lab, self.paces, self)
        self.transport = Transport(self.session, self)
        self.steering = Steering(self.session, self)
        self.exported, self.peeked, self.problem = self._notice(), self._notice(), self._notice()
        self.overfitting, self.rescue, self.unsaved = self._notice(), self._notice(), self._notice()
        self.old_text, self.no_held_out = self._notice(), self._notice()
        self.rescue.button.setToolTip(RESCUE_TIP)
        self.rescue.button.setAccessibleDescription(RESCUE_TIP)
        self.export = RunExport(lab, self.session, self.exported, self.steering)
        self.steering.add(self.export)
        self.peek = CheckpointPeek(lab, self.session, self.peeked, self.steering)
        self.steering.add(self.peek)
        self.prediction = RunPrediction(lab, self.session, self.landmarks, self)
        self.losses = LossView(self)
        self.samples = SamplesView(self)
        self._stale = True

        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setObjectName("training_plot_and_samples")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.losses)
        self.splitter.addWidget(self.samples)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([2000, 1000])  # shares of the width, until someone moves it
        curves = QWidget(self)
        beside = QVBoxLayout(curves)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.prediction)
        beside.addWidget(self.prediction.line)
        beside.addWidget(self.splitter, 1)
        self.driving = QWidget(self)
        above = QVBoxLayout(self.driving)
        above.setContentsMargins(0, 0, 0, 0)
        for widget in (self.setup, self.transport, self.steering):
            above.addWidget(widget)
        self._notices = QVBoxLayout()
        self._notices.setSpacing(2)
        above.addLayout(self._notices)
        for notice in (
            self.exported,
            self.peeked,
            self.problem,
            self.overfitting,
            self.rescue,
            self.old_text,
            self.no_held_out,
            self.unsaved,
        ):
            self._notices.addWidget(notice)
        self.pages = PageSwitch(
            "Pages of the training tab",
            page_specs(
                {
                    "curves": partial(_same, curves),
                    "rates": partial(RatesPage, self.session),
                    "settings": partial(SettingsPage, self.setup),
                    "step": partial(StepPage, lab, self.session, self.setup),
                    "scale": partial(ScalePage, self.session),
                    "experiments": partial(
                        ExperimentsPage,
                        lab,
                        self.experiments,
                        self.landmarks,
                        self.paces,
                        self.wishes,
                    ),
                    "compare": partial(ComparePage, lab, self.wishes),
                }
            ),
            parent=self,
        )
        self.pages.put_above_pages(self.driving)
        column = QVBoxLayout(self)
        column.addWidget(self.pages)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._connect()
        self._text_changed()

    def _notice(self) -> Notice:
        return Notice(self, closable=True)

    @Slot(object)
    def _compare(self, keys: set[str]) -> None:
        self.pages.show_page("compare")
        page = self.pages.page("compare")
        assert isinstance(page, ComparePage)
        page.show_too(keys)

    @Slot(object)
    def _clone(self, recipe: Recipe) -> None:
        self.setup.adopt(recipe)
        self.pages.show_page("settings")

    @Slot(object)
    def _race(self, experiment: Experiment) -> None:
        self.pages.show_page("experiments")
        page = self.pages.page("experiments")
        assert isinstance(page, ExperimentsPage)
        page.offer(experiment)

    def show_page(self, key: str) -> None:
        """Bring one of the inner pages to the front."""
        self.pages.show_page(key)

    @Slot(str)
    def _page_shown(self, key: str) -> None:
        """Pages that are not about the run at hand have the room of its controls."""
        self.driving.setVisible(key not in OF_THEIR_OWN)
        self._stand_back()
        self._dress()

    @Slot()
    def _stand_back(self) -> None:
        """While a run is at work its plots have the room of what the next one would come to."""
        session = self.session
        plots = self.pages.current_key in ("curves", "rates")
        self.setup.stand_back(
            quiet=plots and not session.can_start, after_a_run=session.news is not None
        )

    @Slot()
    def _dress(self) -> None:
        """Leave the pages enough room for a plot below the run's controls: the window scrolls
        where it has less. Pages without those controls scroll by themselves."""
        ems = 0.0 if self.pages.current_key in OF_THEIR_OWN else PAGE_EMS
        self.pages.setMinimumHeight(round(em(theme.current().font("body")) * ems))

    def _connect(self) -> None:
        self.pages.shown.connect(self._page_shown)
        self.wishes.compare.connect(self._compare)
        self.wishes.clone.connect(self._clone)
        self.wishes.race.connect(self._race)
        self.transport.start_pressed.connect(self._start)
        self.transport.step_pressed.connect(self._step)
        self.rescue.pressed.connect(self._rescue)
        self.samples.prompt_changed.connect(self.session.set_prompt)
        self.setup.changed.connect(self._settings_changed)
        self.losses.judged.connect(self._show_notices)
        self.session.began.connect(self._began)
        self.session.news_changed.connect(self._show_news)
        self.session.phase_changed.connect(self._show_notices)
        self.session.phase_changed.connect(self._stand_back)
        self.problem.closed.connect(self.session.forget_problem)
        self.landmarks.changed.connect(self._show_landmarks)
        self._lab.corpus_changed.connect(self._corpus_changed)
        self._lab.streams_changed.connect(self._text_changed)
        self._lab.tokenizer_changed.connect(self._show_notices)

    # ----------------------------------------------------------------------------- what to do
    def continue_run(self, key: str) -> None:
        """Go on with a kept run of the app's catalogue."""
        self.session.continue_kept(catalogue(), key)
        self.show_page("curves")

    @Slot()
    def _start(self) -> None:
        self._begin(None)

    @Slot()
    def _step(self) -> None:
        if self.session.phase is Phase.EMPTY:
            self._begin(1)
        else:
            self.session.step()

    def _begin(self, steps: int | None) -> None:
        try:
            order = self.setup.order(self.samples.prompt.text())
        except LabError as error:
            if str(error) != self.setup.wrong.text():  # told there, in place
                self.session.refuse(str(error))
            return
        self.paces.rest()
        self.session.start(order, steps)

    @Slot()
    def _rescue(self) -> None:
        news = self.session.news
        if news is None:
            return
        rate = self._slower(news)
        if self.session.phase is Phase.DIVERGED:  # it is back already
            self.session.set_rate_scale(rate / max(news.recipe.learning_rate, 1e-30))
            self.session.resume()
        else:
            self.session.go_back(None, rate)

    def _slower(self, news: News) -> float:
        """A learning rate to rescue a run with: a tenth, and no more than is usual."""
        order = self.session.order
        usual = math.inf if order is None else order.usual_rate
        return min(news.recipe.learning_rate * news.rate_scale * SLOWER, usual)

    # --------------------------------------------------------------------------------- showing
    @Slot()
    def _began(self) -> None:
        self.losses.clear()
        self.samples.set_samples(())
        self.losses.plot.set_empty_text(
            "The curves begin after the first look at the held-out text."
        )
        self._show_landmarks()
        self._show_notices()

    @Slot()
    def _show_news(self) -> None:
        """Draw the newest news, or remember to when the tab is seen again."""
        if not self.isVisible():
            self._stale = True
            return
        self._stale = False
        news = self.session.news
        if news is not None:
            assert self.session.order is not None
            self.losses.show_news(news, self.session.order)
            self.samples.set_samples(news.samples)
        self._show_notices()

    @Slot()
    def _show_landmarks(self) -> None:
        """The lines of the text that the run on screen learned from, or the next one would."""
        order = self.session.order
        streams = order.streams if order is not None else self._lab.streams
        if streams is not None:
            lines = self.landmarks.of(streams.made_from)
            self.losses.set_landmarks(lines, streams)

    @Slot()
    def _show_notices(self) -> None:
        session, news = self.session, self.session.news
        runaway = "" if news is None else news.runaway
        diverged = session.phase is Phase.DIVERGED
        said = {self.setup.wrong.text(), self.exported.text, self.peeked.text}
        for notice, text in (
            (self.problem, "" if diverged else session.problem),
            (self.rescue, session.problem if diverged else runaway),
            (self.unsaved, "" if news is None else news.unsaved),
            (self.overfitting, self._about_judgement()),
            (self.old_text, self._about_old_text()),
            (self.no_held_out, self._about_held_out()),
        ):
            once = "" if text in said else text
            said.add(once)
            if notice is self.problem:
                notice.say(once, "error")
            else:
                notice.say_while_so(once, "warning", RESCUE if notice is self.rescue else "")

    def _about_old_text(self) -> str:
        order, streams = self.session.order, self._lab.streams
        if order is None or streams is None or order.streams.made_from == streams.made_from:
            return ""
        old, new = order.streams.made_from, streams.made_from
        if old.corpus == new.corpus:
            was = f"the tokens “{old.tokenizer_label}”"
        else:
            was = f"the text “{old.corpus_title}”"
        return (
            f"This run belongs to {was}, chosen before. It can go on with that; its curves "
            "stay until you start a new run."
        )

    def _about_judgement(self) -> str:
        found = self.losses.judgement
        sentences = []
        if found.best_step is not None:
            sentences.append(
                f"Overfitting: the held-out loss was lowest at step {found.best_step:,} "
                f"({found.best_loss:.3f}) and has risen since."
            )
        if found.memorising_step is not None:
            sentences.append(
                f"Memorising: since step {found.memorising_step:,} the training loss lies below "
                "the true entropy, which only learning these sentences by heart can do."
            )
        return " ".join(sentences)

    def _about_held_out(self) -> str:
        order = self.session.order
        streams = order.streams if order is not None else self._lab.streams
        if streams is None or streams.held_out.n_targets:
            return ""
        return (
            "This text is too short to hold any of it out for testing, so nothing shows whether "
            "the model only memorises. The second curve is the loss on the training text itself."
        )

    @Slot()
    def _settings_changed(self) -> None:
        if self.session.phase is not Phase.DIVERGED:
            self.session.forget_problem()
        self.transport.block(self.setup.wrong.text())
        self._show_notices()
        self.prediction.ask_again()

    @Slot()
    def _corpus_changed(self) -> None:
        corpus = self._lab.corpus
        if corpus is not None:
            self.samples.prompt.setText(default_prompt(corpus))

    @Slot()
    def _text_changed(self) -> None:
        """There are other tokens now, or the first."""
        if not self.samples.prompt.text():
            self._corpus_changed()
        if self.isVisible():
            self.landmarks.want()
        self._show_landmarks()
        self._show_notices()
        self.losses.plot.set_empty_text(
            "Press Start and watch the loss fall."
            if self._lab.streams is not None
            else "The text is being prepared …"
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setup.measure(True)
        self.landmarks.want()
        if self._stale:
            self._show_news()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.setup.measure(False)


def _same(widget: QWidget) -> QWidget:
    """The factory of a page that is there already."""
    return widget
