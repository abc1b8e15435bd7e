"""RLHF by hand: compare answers or let an annotator do it, train a reward model, look into it."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QPushButton,
    QSplitter,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.posttraining.features import features_of
from engine.posttraining.preferences import telling
from engine.posttraining.reward_model_report import Report
from engine.posttraining.tasks import Task
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab
from gui.rewards.annotator_box import AnnotatorBox
from gui.rewards.asking import (
    NO_RUN,
    Asker,
    Drawn,
    Simulated,
    Source,
    draw_to_click,
    simulate,
    train,
)
from gui.rewards.model_pane import ModelPane
from gui.rewards.own_comparisons import OwnComparisons
from gui.rewards.preferences_told import answered
from gui.rewards.session import RewardsSession
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.page_switch import PageSwitch
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label

DRAW_KEY = "rewards: pairs"
QUESTION = "What will the reward model have learned above all?"
_MOST_CHOICES = 7


class PreferencesPage(QWidget):
    """At the left who compares, at the right what a model makes of it."""

    model_trained = Signal(object)
    """A RewardModel is there to be used as a reward."""
    use_alone = Signal()
    """The reward model is to be the whole reward."""

    def __init__(self, lab: Lab, session: RewardsSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._session = lab, session
        self._task: Task | None = None
        self._simulated: Simulated | None = None
        self._job: JobHandle | None = None
        self._draws = 0
        self._listens = False
        self._kept: dict[str, tuple[object, ...]] = {}
        self.own = OwnComparisons(lab, self)
        self.source, self.clicks = self.own.source, self.own.clicks
        self.annotator = AnnotatorBox(self)
        self.card = PredictionCard(self)
        self.kind = self._combo(
            "Reward model", "Linear: a weight for each feature, to be read. Transformer: the "
            "pre-trained policy reads the answer, and a trained head says how good it is.",
            (("linear", "linear, on features"), ("neural", "transformer with a head")),
        )  # fmt: skip
        self.data = self._combo(
            "Learns from", "Whose comparisons the reward model learns from.",
            (("own", "my comparisons"), ("simulated", "simulated comparisons"), ("both", "both")),
        )  # fmt: skip
        self.train = QPushButton("Train reward mode&l", self)
        self.train.setToolTip("Fit p(A ≻ B) = σ(r(A) − r(B)) to the comparisons; a tie counts "
                              "half for each.")  # fmt: skip
        theme.make_primary(self.train)
        self.problem = Notice(self)
        self.done = Notice(self)
        self.model = ModelPane(self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self._left())
        self.splitter.addWidget(self._right())
        self.splitter.setSizes([1000, 1000])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.splitter, 1)
        self.source.currentIndexChanged.connect(self._other_source)
        self.clicks.used_up.connect(self.draw)
        self.clicks.clicked.connect(self._clicked)
        self.annotator.simulate_pressed.connect(self.simulate)
        self.train.clicked.connect(self.learn)
        self.card.locked.connect(self.learn)
        self.done.pressed.connect(self.use_alone)
        self._order_tabs()
        self._refresh()

    def _order_tabs(self) -> None:
        """The tab key goes as the eye does."""
        order: list[QWidget] = []
        parts = (self.own, self.annotator, self.train, self.kind, self.data, self.card, self.model)
        for part in parts:
            inside = (part, *part.findChildren(QWidget))
            order += [
                w
                for w in inside
                if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.window() is self.window()
            ]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _combo(self, name: str, tip: str, options: tuple[tuple[str, str], ...]) -> QComboBox:
        box = QComboBox(self)
        for key, words in options:
            box.addItem(words, key)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return box

    def _left(self) -> QWidget:
        left = FittingFrame(self)
        second = plain_label("A simulated annotator compares thousands", left)
        theme.set_text_role(second, "strong")
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        parts: tuple[QWidget, ...] = (self.own, second, self.annotator)
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        return left

    def _right(self) -> QWidget:
        right = FittingFrame(self)
        row = FlowRow(right)
        for widget in (self.train, self.kind, plain_label("from", row), self.data):
            row.add(widget)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        parts: tuple[QWidget, ...] = (row, self.card, self.problem)
        for part in parts:
            column.addWidget(part)
        column.addWidget(self.model, 1)
        column.addWidget(self.done)
        return right

    # ----------------------------------------------------------------------------- what to do
    def set_task(self, task: Task) -> None:
        """Answers of another task. Each task's own comparisons are kept on the disk, simulated ones
        and the reward model for the session."""
        if self._task is not None:
            if self._task.key == task.key:
                return
            self._kept[self._task.key] = (self._simulated, self.model.report)
        self._lab.compute.forget(DRAW_KEY)
        if self._job is not None:
            self._job.stop()
            self._job = None
        self._task = task
        simulated, report = self._kept.get(task.key, (None, None))
        self._simulated = simulated if isinstance(simulated, Simulated) else None
        self.own.set_task(task)
        self.annotator.set_task(task)
        self.model.clear()
        if isinstance(report, Report):
            self.model.show_report(report)
        self.done.clear()
        self.problem.clear()
        self._ask()
        if self.isVisible():
            self.draw()

    @Slot()
    def draw(self) -> None:
        """Let the policy write more answers to compare."""
        if self._task is None:
            return
        self._draws += 1
        self._lab.compute.request(
            DRAW_KEY,
            draw_to_click,
            self._asker(),
            self._lab.seed + self._draws,
            title="Drawing answers",
            with_job=True,
            on_result=self._drawn,
            on_error=self._not_drawn,
        )

    @Slot()
    def _other_source(self) -> None:
        """The pair that is shown is not of whom the learner has just asked for."""
        self.clicks.set_pairs(())
        self.draw()

    @Slot()
    def simulate(self) -> None:
        """Let the annotator compare; then the model can be trained."""
        if self._task is None or self._job is not None:
            return
        try:
            annotator = self.annotator.annotator()
        except LabError as error:
            self.annotator.problem.say(str(error), "error")
            return
        self.annotator.problem.clear()
        self._job = self._lab.compute.submit(
            simulate,
            self._asker(),
            annotator,
            int(self.annotator.number.value()),
            self._lab.seed,
            title="Simulating an annotator",
            unit="comparisons",
            urgent=True,
            on_result=self._was_simulated,
            on_error=self._not_simulated,
            on_cancelled=self._cancelled,
        )
        self._refresh()

    @Slot()
    def learn(self) -> None:
        """Train the reward model on what was compared."""
        if self._task is None or self._job is not None:
            return
        if self.card.state == "asking":
            self.card.skip()
        which = self.data.currentData()
        own = tuple(self.clicks.preferences) if which in ("own", "both") else ()
        made = self._simulated if which in ("simulated", "both") else None
        preferences = (*own, *(made.preferences if made is not None else ()))
        alone = made.annotator if made is not None and not telling(own) else None
        self._job = self._lab.compute.submit(
            train,
            self._asker(),
            self.kind.currentData(),
            preferences,
            alone,
            self._lab.seed,
            title="Training a reward model",
            urgent=True,
            on_result=self._trained,
            on_error=self._failed,
            on_cancelled=self._cancelled,
        )
        self._refresh()

    def _asker(self) -> Asker:
        assert self._task is not None
        source: Source = self.source.currentData()
        return Asker(self._task, source, self._session.live)

    # ------------------------------------------------------------------------------- what came
    @Slot(object)
    def _drawn(self, drawn: Drawn) -> None:
        if drawn.source != self.source.currentData():
            self.own.say(NO_RUN)
        elif self.own.told.tone == "error" or self.own.told.text == NO_RUN:
            self.own.say("")
        self.clicks.set_pairs(drawn.pairs)
        self.annotator.set_spreads(drawn.spreads)

    @Slot(object)
    def _not_drawn(self, failure: Failure) -> None:
        self.clicks.set_pairs((), "There are no answers to compare.")
        self.own.say(failure.sentence, "error")

    @Slot(object)
    def _not_simulated(self, failure: Failure) -> None:
        self._job = None
        self.annotator.problem.say(failure.sentence, "error")
        self._refresh()

    @Slot(object)
    def _was_simulated(self, made: Simulated) -> None:
        self._job = None
        self._simulated = made
        self.problem.clear()
        self.data.setCurrentIndex(self.data.findData("simulated"))
        self._ask()
        self._refresh()

    @Slot(object)
    def _trained(self, report: Report) -> None:
        self._job = None
        self.problem.clear()
        self.model.show_report(report)
        self._reveal(report)
        self.model_trained.emit(report.model)
        self.done.say(
            "The reward model can be used as a reward: give “Preferences” a weight above.",
            "good",
            "Use it alone, with weight 1",
        )
        self._refresh()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.problem.say(failure.sentence, "error")
        if self.card.state == "locked":
            self._ask()
        self._refresh()

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is self._job:
            self._job = None
            if self.card.state == "locked":
                self._ask()
            self._refresh()

    @Slot()
    def _clicked(self) -> None:
        if self.clicks.preferences and self._simulated is None:
            self.data.setCurrentIndex(self.data.findData("own"))
        self._refresh()

    def _refresh(self) -> None:
        busy = self._job is not None
        some = bool(self.clicks.preferences) or self._simulated is not None
        self.train.setEnabled(some and not busy)
        self.annotator.button.setEnabled(not busy)
        made = "none yet" if self._simulated is None else f"{len(self._simulated.preferences):,}"
        own = len(self.clicks.preferences)
        self.data.setItemText(0, f"my comparisons ({own:,})")
        self.data.setItemText(1, f"simulated comparisons ({made})")

    # --------------------------------------------------------------------------------- predict
    def _ask(self) -> None:
        """Ask before a model is trained; its choices are what the report will list."""
        if self._task is None:
            return
        features = features_of(self._task)[:_MOST_CHOICES]
        self._asked = tuple(f.key for f in features)
        self.card.ask(QUESTION, [f.title for f in features])

    def _reveal(self, report: Report) -> None:
        if self.card.state != "locked":
            return
        made = None if self.data.currentData() == "own" else self._simulated
        right, told = answered(report, self._asked, self.card.choice() or 0, made)
        if right is None:
            self.card.leave_open(told)
        else:
            self.card.reveal(right, told)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._task is not None and self.clicks.pair is None:
            self.draw()
        # Opened by a click or a key, the page takes the keys A, B, the arrows and so on. Who walks
        # along the buttons of the pages gets the focus back there, who walks along the tabs stays.
        if not event.spontaneous() and not isinstance(QApplication.focusWidget(), QTabBar):
            self._take_keys()
        self._listen_to_button()

    @Slot()
    def _take_keys(self) -> None:
        self.clicks.setFocus(Qt.FocusReason.OtherFocusReason)

    def _listen_to_button(self) -> None:
        """The page's button may be clicked while the page is open, as after its heading was."""
        around = self.parentWidget()
        while around is not None and not isinstance(around, PageSwitch):
            around = around.parentWidget()
        if around is not None and not self._listens:
            self._listens = True
            around.button(around.current_key).clicked.connect(self._take_keys)
