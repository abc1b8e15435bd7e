"""The page "Experiments": predict, run settings side by side, see, and be told why."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.training.experiments import Experiment
from engine.training.fitting import refusal_together, this_machine
from engine.training.ready_made import ready_made
from engine.training.scaling import COVERED, Fit
from gui import theme
from gui.job_status import duration
from gui.lab import Lab
from gui.training.experiments_plot import Drawing
from gui.training.experiments_session import ExperimentSession, ExperimentTimes, Trial
from gui.training.experiments_table import ArmTable
from gui.training.labelled import labelled_choice, row_button
from gui.training.paces import Landmarks, Paces
from gui.training.units import ALONG, LOSS_TIPS, LOSSES, held_out_unit
from gui.training.wishes import Wishes
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label

LENGTHS = {"0.5": "half as long", "1": "as given", "2": "twice as long"}
PLOT_EMS = 22.0
COMPARE = "Compare them with others"
EMPTY = "Predict, then press Start: the curves grow here side by side."


class ExperimentsPage(QWidget):
    """Chooses, asks, runs and explains."""

    def __init__(
        self,
        lab: Lab,
        session: ExperimentSession,
        landmarks: Landmarks,
        paces: Paces,
        wishes: Wishes,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._lab, self.session, self._landmarks = lab, session, landmarks
        self._paces, self._wishes = paces, wishes
        self.times = ExperimentTimes(lab, paces, self)
        self._offered: tuple[Experiment, ...] = ()
        self._asked: Trial | None = None
        choices = FlowRow(self)
        self.choice = labelled_choice(choices, "Experime&nt", "What to try.")
        self.length = labelled_choice(
            choices, "&Length", "Fewer steps are over sooner; more of them tell more.", LENGTHS
        )
        self.length.setCurrentIndex(1)
        self.whose = plain_label("", self, wrap=True)
        self.whose.setAccessibleName("What the curves are of")
        theme.set_text_role(self.whose, "caption", "muted")
        self.whose.hide()
        self._refused = ""  # why the experiment that is chosen was not begun
        self.about = plain_label("", self, wrap=True)
        self.look_for = plain_label("", self, wrap=True)
        theme.set_text_role(self.look_for, "body", "muted")
        buttons = FlowRow(self)
        self.start = row_button(buttons, "St&art", "Run all settings side by side.")
        theme.make_primary(self.start)
        self.pause = row_button(buttons, "&Pause", "Wait before the next step.")
        self.resume = row_button(buttons, "Res&ume", "Go on where it stands.")
        self.stop = row_button(buttons, "S&top", "End it. It can be taken up again.")
        self.words = plain_label("", self, wrap=True)
        theme.set_text_role(self.words, "strong")
        self.card = PredictionCard(self)
        self.card.skip_button.setToolTip("Run it without predicting (Esc).")
        self.card.lock_button.setToolTip("Fix your prediction; the end of the run tells (Enter).")
        self.problem, self.found, self.note = Notice(self), Notice(self), Notice(self)
        self.kept = Notice(self)
        units = FlowRow(self)
        self.unit = labelled_choice(units, "Loss &in", "The unit of the axis.", LOSSES, LOSS_TIPS)
        self.along = labelled_choice(units, "alon&g", "What the curves are drawn along.", ALONG)
        self.training_too = QCheckBox("training losses too", units)
        self.training_too.setToolTip(
            "Draw the smoothed loss on the training batches beside the held-out loss."
        )
        units.add(self.training_too)
        self.plot = CurvePlot("Experiment", "steps", "held-out loss (nats per token)", self)
        self.plot.set_empty_text(EMPTY)
        self.drawing = Drawing(self.plot)
        self.table = ArmTable(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        asking = (choices, self.about, self.look_for, self.note, self.card, buttons, self.words)
        for widget in (*asking, self.problem, self.found, self.kept, units):
            column.addWidget(widget)
        column.addWidget(self.whose)
        column.addWidget(self.plot, 1)
        column.addWidget(self.table)
        self._connect()
        self._dress()
        self._list()

    def _connect(self) -> None:
        self.choice.currentIndexChanged.connect(self._chosen)
        self.length.currentIndexChanged.connect(self._list)
        self.start.clicked.connect(self._start)
        self.pause.clicked.connect(self.session.pause)
        self.resume.clicked.connect(self.session.resume)
        self.stop.clicked.connect(self.session.stop)
        self.unit.currentIndexChanged.connect(self._redraw)
        self.along.currentIndexChanged.connect(self._redraw)
        self.training_too.toggled.connect(self._redraw)
        self.session.changed.connect(self._refresh)
        self.session.standing_changed.connect(self._draw)
        self.session.began.connect(self._began)
        self.session.ended.connect(self._ended)
        self.times.changed.connect(self._refresh)
        self._paces.changed.connect(self._refresh)
        self.kept.pressed.connect(self._compare)
        self._landmarks.changed.connect(self._redraw)
        self._lab.streams_changed.connect(self._list)
        self._lab.seed_changed.connect(self._list)
        theme.current().changed.connect(self._dress)

    @Slot()
    def _dress(self) -> None:
        self.plot.setMinimumHeight(round(em(theme.current().font("body")) * PLOT_EMS))

    # ------------------------------------------------------------------------------ choosing
    @property
    def trial(self) -> Trial | None:
        """What is chosen, on the text in force; None in the first moments."""
        streams, tokenizer = self._lab.streams, self._lab.tokenizer
        index = self.choice.currentIndex()
        if streams is None or tokenizer is None or not 0 <= index < len(self._offered):
            return None
        return Trial(self._offered[index], streams, tokenizer)

    def offer(self, experiment: Experiment) -> None:
        """Put an experiment of one's own before the ready-made ones, and choose it."""
        self._offered = (experiment, *(e for e in self._offered if e.key != experiment.key))
        self._fill(0)

    @Slot()
    def _list(self, _: object = None) -> None:
        """The experiments for the text in force."""
        streams = self._lab.streams
        if streams is None:
            self.about.setText("The text is being prepared …")
            return
        made = ready_made(
            self._lab.seed,
            streams.train.vocab_size,
            streams.train.n_targets,
            float(self.length.currentData()),
        )
        own = tuple(e for e in self._offered if e.key == "race")
        index = max(0, self.choice.currentIndex())
        self._offered = (*own, *made)
        self._fill(index)

    def _fill(self, index: int) -> None:
        blocker = QSignalBlocker(self.choice)
        self.choice.clear()
        for experiment in self._offered:
            self.choice.addItem(experiment.title, experiment.key)
        self.choice.setCurrentIndex(index)
        blocker.unblock()
        self._chosen()

    @Slot()
    def _chosen(self, _: object = None) -> None:
        trial = self.trial
        if trial is None:
            return
        self.about.setText(trial.experiment.about)
        self.look_for.setText(f"Look for: {trial.experiment.look_for}")
        self._refused = ""
        self.note.say(_about_text(trial), "info")
        if not self.session.running:
            self._ask(trial)
            if self.session.trial != trial:
                self.found.clear()
        if self.isVisible():
            self.times.want(trial)
        self._refresh()

    def _ask(self, trial: Trial) -> None:
        """Ask about what is chosen, once for each choice."""
        question = trial.experiment.question
        if question is None or trial == self._asked:
            return
        self._asked = trial
        self.card.ask(f"Predict first: {question.text}", question.choices)

    # -------------------------------------------------------------------------------- driving
    @Slot()
    def _start(self) -> None:
        trial = self.trial
        if trial is None:
            return
        vocab_size = trial.streams.train.vocab_size
        recipes = {arm.name: arm.recipe for arm in trial.experiment.arms}
        try:
            trial.experiment.checked(vocab_size)
            refused = refusal_together(recipes, vocab_size, this_machine())
        except LabError as error:
            refused = str(error)
        self._refused = refused
        self._refresh()
        if refused:
            return
        if self.card.state == "asking":  # not answered: nothing is scored
            self.card.skip()
        elif self.card.state == "revealed":
            self.card.hide()
        self.times.rest()
        self.session.start(trial, self._floor(trial))

    def _floor(self, trial: Trial) -> float | None:
        """The true entropy, where it is known."""
        lines = self._landmarks.of(trial.streams.made_from)
        return next((m.nats_per_token for m in lines if m.key == "truth"), None)

    @Slot()
    def _began(self) -> None:
        self.found.clear()
        self.kept.clear()
        self.drawing.clear()
        self.table.clear_rows()
        trial = self.session.trial
        assert trial is not None
        self.plot.set_log_x(trial.experiment.shape != "curves")
        if trial.experiment.by == "seconds":
            self.along.setCurrentIndex(self.along.findData("seconds"))
        question = trial.experiment.question
        if question is not None and question.asked == "overfitting":
            self.training_too.setChecked(True)  # the gap is the point
        self.plot.set_empty_text("Measuring, and scoring the held-out text for the first time …")

    @Slot()
    def _ended(self) -> None:
        from engine.training.answers import answer, times_told

        trial, outcome = self.session.trial, self.session.outcome
        assert trial is not None and outcome is not None
        found = answer(outcome.standing, self._landmarks.of(trial.streams.made_from))
        why = "" if found is None else found.why
        if found is not None and trial == self._asked and self.card.state == "locked":
            self.card.reveal(found.right, found.why)
            why = ""
        law = outcome.no_law if outcome.law is None else law_said(outcome.law)
        times = times_told(outcome.standing)
        self.found.say(" ".join(filter(None, (why, times, law))), "info")
        if outcome.unkept:
            self.kept.say(f"Not all runs could be kept. {outcome.unkept}", "warning")
        elif outcome.keys:
            title = trial.experiment.title
            self.kept.say(f"The runs of “{title}” are kept.", "good", COMPARE)

    @Slot()
    def _compare(self) -> None:
        if self.session.outcome is not None:
            self._wishes.compare.emit(set(self.session.outcome.keys))

    # --------------------------------------------------------------------------------- showing
    @Slot()
    def _refresh(self) -> None:
        session, trial = self.session, self.trial
        shapes = session.trial.experiment.shape if session.trial else "curves"
        for widget in (self.along, self.training_too):
            widget.setEnabled(shapes == "curves")
        self.start.setEnabled(trial is not None and not session.running)
        self.pause.setEnabled(session.running and not session.paused)
        self.resume.setEnabled(session.paused or session.can_go_on)
        self.stop.setEnabled(session.running)
        self.choice.setEnabled(not session.running)
        own = trial is not None and trial.experiment.key == "race"
        self.length.setEnabled(not session.running and not own)
        other = session.trial is not None and trial is not None and session.trial != trial
        shown = other and session.standing is not None
        if shown and session.trial is not None:
            title = session.trial.experiment.title
            self.whose.setText(f"The curves below are still those of “{title}”.")
        self.whose.setVisible(shown)
        self.about.setVisible(not session.running)  # the curves have its room
        self.problem.say(session.problem or self._refused, "error")
        self.words.setText(self._said())

    def _said(self) -> str:
        session, trial = self.session, self.trial
        if session.running:
            left = None if session.job is None else session.job.seconds_left
            parts = [session.state]
            if left is not None and session.state == "running":
                parts.append(f"{duration(left)} left")
            return " · ".join(parts).capitalize()
        if trial is None:
            return ""
        count, outcome = len(trial.experiment.arms), session.outcome
        if session.can_go_on and session.trial == trial and session.standing is not None:
            return (
                f"Stopped at {session.standing.done:.0%}. Resume goes on there; Start begins again."
            )
        if outcome is not None and session.trial == trial:
            spent = sum(a.seconds for a in outcome.standing.arms)
            return f"Done: {count} settings, {duration(spent)} of training steps in all."
        how = "measured on this computer"
        seconds = self.times.seconds(trial)
        if seconds is None:
            seconds = self.times.estimate(trial)
            how = "estimated from one measured setting"
        if seconds is None and self.times.measuring:
            return f"{count} settings. How long they take here is being measured …"
        if seconds is None:
            return f"{count} settings. How long they take is measured once this computer is free."
        if trial.experiment.by == "seconds":
            each = duration(trial.experiment.seconds)
            return f"{count} settings, {each} of training steps each; scoring comes on top."
        return f"{count} settings, about {duration(seconds)} in all ({how})."

    @Slot()
    def _draw(self) -> None:
        standing, trial = self.session.standing, self.session.trial
        if standing is None or trial is None or not standing.arms:
            return
        self.words.setText(self._said())
        if not self.isVisible():
            return
        outcome = self.session.outcome
        lines = self._landmarks.of(trial.streams.made_from)
        key = self.unit.currentData()
        self.drawing.lines = lines
        self.drawing.unit = held_out_unit(key, trial.streams, trial.tokenizer, lines)
        self.drawing.along = self.along.currentData()
        self.drawing.training_too = self.training_too.isChecked()
        self.drawing.draw(standing, None if outcome is None else outcome.law)
        self.table.show_standing(standing)

    @Slot()
    def _redraw(self, _: object = None) -> None:
        """Other units: show all of it."""
        if self.session.standing is not None:
            self.plot.reset_view()
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._landmarks.want()
        if not self.session.running:
            self.times.want(self.trial)
        self._draw()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.times.want(None)


def _about_text(trial: Trial) -> str:
    if trial.streams.held_out.n_targets:
        return ""
    return (
        "This text is too short to hold any of it out: all losses are on the training text itself, "
        "so overfitting cannot be seen. Choose a longer text."
    )


def law_said(law: Fit) -> str:
    """The law, its exponent and how sure it is, in words."""
    one = law.law
    floor = "the true entropy" if law.floor_known else "fitted"
    exponent = one.exponent
    doubts = f"Do not trust this fit: {'; '.join(law.doubts)}. " if law.doubts else ""
    terms = f"{one.a:.3g}·N^−{one.alpha:.2f} + {one.b:.3g}·D^−{one.beta:.2f}"
    return (
        f"{doubts}L(N, D) = {one.floor:.3f} + {terms} lies {law.error:.1%} off the runs (root mean "
        f"square; the first term is {floor}). At equal compute the best size grows like C^a with "
        f"a = {exponent:.2f}; {COVERED:.0%} of {len(law.resampled)} laws refitted to runs drawn "
        f"again with replacement give {law.exponent.low:.2f} to {law.exponent.high:.2f}. Hoffmann "
        "et al. (2022) found about 0.5 for models a thousand times larger and more."
    )
