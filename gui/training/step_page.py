"""One step, slowly: a batch that can be read, one gradient step on it, and what that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from engine.errors import LabError
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.training import step_words as words
from gui.training.labelled import row_button
from gui.training.session import TrainingSession
from gui.training.setup import SetupPanel
from gui.training.step_results import StepResults
from gui.training.step_run import FAR_TOO_LARGE, StepOrder, short_sentences, take
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.number_field import NumberField
from gui.widgets.plain_text_input import PlainTextInput
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from engine.training.one_step import OneStep

PLAIN_RATE = 0.02
"""η for plain ascent: on the lab's models one step of it is seen, and still in proportion."""
STEP_KEY = "training: one step"
FIELD_LINES = 3.6
NOTHING_YET = (
    "Take the step: you will see every target's probability before and after, which matrices "
    "and which rows of the embedding changed, and the arithmetic of one number."
)
ASKED_FIRST = "The step has been taken. Lock in an answer, or skip, and see all that it changed."


class StepPage(QWidget):
    """Sets up one step, asks what it will do, and shows it."""

    def __init__(
        self,
        lab: Lab,
        session: TrainingSession,
        setup: SetupPanel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._lab, self._session, self._setup = lab, session, setup
        self._asked: set[tuple[object, ...]] = set()
        self._found: tuple[StepOrder, tuple[OneStep, ...]] | None = None
        self._turn = 0
        self._own_text = self._own_model = False
        row = FlowRow(self)
        self.model_box = self._choice(row, "&Model", "Which model takes the step. It is copied.")
        self.rule_box = self._choice(row, "Ste&p by", "How the gradient becomes a step.")
        self.rule_box.addItem("θ + η ∇ log p", True)
        self.rule_box.addItem("the recipe's optimizer", False)
        self.rate = NumberField(
            "Learning rate η",
            PLAIN_RATE,
            low=1e-9,
            high=1e6,
            geometric=True,
            explanation="How far the step goes along the gradient.",
        )
        row.add(self.rate)
        caption = QLabel("The &batch, a sentence on each line", self)
        self.text = PlainTextInput(
            self, name="The batch", placeholder="A sentence, or two on two lines", limit=2_000
        )
        caption.setBuddy(self.text)
        tools = FlowRow(self)
        self.take_button = row_button(
            tools, "&Take one step", "One gradient step on these lines, on a copy of the model."
        )
        theme.make_primary(self.take_button)
        self.far_button = row_button(
            tools,
            f"The same with η × {FAR_TOO_LARGE}",
            "The same step with a learning rate far too large.",
        )
        self.other_button = row_button(
            tools, "&Other sentences", "Two other beginnings from the text that is learned."
        )
        self.problem = Notice(self, closable=True)
        self.card = PredictionCard(self)
        self.nothing = plain_label(NOTHING_YET, self, wrap=True)
        theme.set_text_role(self.nothing, "body", "muted")
        self.results = StepResults(self)
        self.results.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (
            row,
            caption,
            self.text,
            tools,
            self.problem,
            self.card,
            self.nothing,
            self.results,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self._connect()
        self._dress()
        self._list_models()
        self._fill_text()

    def _choice(self, row: FlowRow, caption: str, tip: str) -> QComboBox:
        cell = QWidget(row)
        box = QComboBox(cell)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.setAccessibleName(caption.replace("&", ""))
        box.setToolTip(tip)
        label = QLabel(caption, cell)
        label.setBuddy(box)
        column = QVBoxLayout(cell)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(label)
        column.addWidget(box)
        column.addStretch(1)
        row.add(cell)
        return box

    def _connect(self) -> None:
        self.take_button.clicked.connect(self._near_pressed)
        self.far_button.clicked.connect(self._far_pressed)
        self.other_button.clicked.connect(self._others_pressed)
        self.model_box.activated.connect(self._model_chosen)
        self.rule_box.currentIndexChanged.connect(self._rule_changed)
        self.card.locked.connect(self._answered)
        self.card.skipped.connect(self._show)
        self.results.failed.connect(self._say_problem)
        self.text.textChanged.connect(self._typed)
        self._setup.changed.connect(self._list_models)
        self._session.news_changed.connect(self._list_models)
        self._session.began.connect(self._list_models)
        self._lab.runs_changed.connect(self._list_models)
        self._lab.streams_changed.connect(self._list_models)
        self._lab.corpus_changed.connect(self._corpus_changed)
        theme.current().changed.connect(self._dress)

    @Slot()
    def _dress(self) -> None:
        self.text.setFixedHeight(round(em(theme.current().font("body")) * FIELD_LINES))

    # ----------------------------------------------------------------------- what can be chosen
    @Slot()
    def _list_models(self, _: object = None) -> None:
        """The models that there are now; the choice stays where it can."""
        news, bundled = self._session.news, self._lab.bundled
        entries = []
        if news is not None and news.model is not None:
            # While a run is at work its model here is the one of the last look at held-out text.
            so = "" if news.model_step == news.step else "when last scored, "
            entries.append((f"the run, {so}after {_steps(news.model_step)}", "run"))
        if bundled is not None:
            entries.append((bundled.name, "bundled"))
        entries.append(("a new one, with these settings", "new"))
        present = [
            (self.model_box.itemText(i), self.model_box.itemData(i))
            for i in range(self.model_box.count())
        ]
        if entries == present:
            self._fill_text()  # the tokens or the context may be others
            return
        chosen = self.model_box.currentData() if self._own_model else None
        with QSignalBlocker(self.model_box):
            self.model_box.clear()
            for title, key in entries:
                self.model_box.addItem(title, key)
            self.model_box.setCurrentIndex(max(0, self.model_box.findData(chosen)))
        self._fill_text()

    @Slot(int)
    def _model_chosen(self, _: int) -> None:
        self._own_model = True
        self._fill_text()

    @Slot()
    def _corpus_changed(self) -> None:
        self._own_text = False
        self._turn = 0
        self._fill_text()

    def _fill_text(self) -> None:
        corpus = self._lab.corpus
        if corpus is None or self._own_text:
            return
        lines = "\n".join(short_sentences(corpus, self._turn, self._fits))
        if lines != self.text.text():
            with QSignalBlocker(self.text):
                self.text.set_text(lines)

    def _fits(self, line: str) -> bool:
        """Whether the chosen model reads so long a line at once."""
        tokenizer, context = self._lab.tokenizer, self._setup.base.context
        news, bundled = self._session.news, self._lab.bundled
        key = self.model_box.currentData()
        if key == "run" and news is not None and self._session.order is not None:
            tokenizer, context = self._session.order.tokenizer, news.recipe.context
        elif key == "bundled" and bundled is not None:
            tokenizer, context = bundled.tokenizer, bundled.model.config.context
        return tokenizer is None or len(tokenizer.tokenizer.encode(line)) <= context

    @Slot()
    def _typed(self) -> None:
        self._own_text = True

    @Slot()
    def _others_pressed(self) -> None:
        self._own_text = False
        self._turn += 1
        self._fill_text()

    @Slot()
    def _rule_changed(self, _: int) -> None:
        plain = bool(self.rule_box.currentData())
        self.rate.set_value(PLAIN_RATE if plain else self._recipe_rate())

    def _recipe_rate(self) -> float:
        news = self._session.news
        of_run = self.model_box.currentData() == "run" and news is not None
        recipe = news.recipe if of_run and news is not None else self._setup.base
        return recipe.learning_rate or PLAIN_RATE

    # -------------------------------------------------------------------------------- the step
    def order(self) -> StepOrder:
        """What is asked for now.

        Raises:
            LabError: if the text is not ready, or the learning rate is no number.
        """
        if not self.rate.is_valid():
            raise LabError("The learning rate is no number that can be used.")
        tokenizer, model, recipe = self._lab.tokenizer, None, self._setup.base
        news, bundled = self._session.news, self._lab.bundled
        key = self.model_box.currentData()
        if key == "run" and news is not None and self._session.order is not None:
            tokenizer, model, recipe = self._session.order.tokenizer, news.model, news.recipe
        elif key == "bundled" and bundled is not None:
            tokenizer, model = bundled.tokenizer, bundled.model
        if tokenizer is None:
            raise LabError("The text is still being prepared. Try again in a moment.")
        return StepOrder(
            recipe=recipe,
            tokenizer=tokenizer,
            lines=tuple(self.text.text().split("\n")),
            rate=self.rate.value(),
            plain=bool(self.rule_box.currentData()),
            model=model,
        )

    @Slot()
    def _near_pressed(self) -> None:
        self._begin((1,))

    @Slot()
    def _far_pressed(self) -> None:
        self._begin((1, FAR_TOO_LARGE))

    def _begin(self, times: tuple[int, ...]) -> None:
        try:
            order = self.order()
        except LabError as error:
            self._say_problem(str(error))
            return
        self.problem.clear()
        self._lab.compute.request(
            STEP_KEY,
            take,
            order,
            times,
            title="Taking one step",
            with_job=True,
            on_result=self._taken,
            on_error=self._failed,
        )

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._say_problem(failure.sentence)

    @Slot(str)
    def _say_problem(self, sentence: str) -> None:
        self.problem.say(sentence, "error")

    @Slot(object)
    def _taken(self, found: tuple[StepOrder, tuple[OneStep, ...]]) -> None:
        """The step is known: ask what it did, once for each sort of step; then show it."""
        self._found = found
        order, steps = found
        about = (len(steps), order.plain, self.model_box.currentData())
        if about in self._asked:
            self.card.hide()
            self._show()
            return
        self._asked.add(about)
        self.results.hide()
        self.nothing.setText(ASKED_FIRST)
        self.nothing.show()
        if len(steps) == 1:
            self.card.ask(words.ROWS_QUESTION, words.ROWS_CHOICES)
        else:
            question = words.FAR_QUESTION.format(times=FAR_TOO_LARGE)
            self.card.ask(question, [c.format(times=FAR_TOO_LARGE) for c in words.FAR_CHOICES])

    @Slot(int)
    def _answered(self, _: int) -> None:
        assert self._found is not None
        steps = self._found[1]
        if len(steps) == 1:
            self.card.reveal(*words.right_rows(steps[0]))
        else:
            self.card.reveal(*words.right_far(steps[0].gain, steps[1].gain, FAR_TOO_LARGE))
        self._show()

    @Slot()
    def _show(self) -> None:
        if self._found is None:
            return
        order, steps = self._found
        self.nothing.hide()
        self.results.show_step(steps[-1], order)
        self.results.show()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._lab.want_bundled()


def _steps(count: int) -> str:
    return f"{count:,} step" if count == 1 else f"{count:,} steps"
