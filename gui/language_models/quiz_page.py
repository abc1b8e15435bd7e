"""Everything is autocompletion: tasks as prompts, answered by continuing them, and counted."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.models.quiz_tasks import SEEN_IN_TRAINING
from engine.tokenizers.base import without_surrogates
from gui import theme
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet, Seat
from gui.language_models.page import Page
from gui.language_models.quiz_run import (
    TASKS,
    Exam,
    best_over_guessing,
    continue_all,
    examine,
    favourite,
    in_words,
)
from gui.language_models.quiz_view import QuizView
from gui.language_models.reach_run import needed
from gui.language_models.rules_bar import labelled
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label
from gui.widgets.titled_table import TitledTable
from gui.widgets.work import Bet, Work

# Lies in the story language, so that the truth has an answer, too.
PROMPT = (
    "One afternoon, Otto walked to the library. He met Nina there and gave her a fine green "
    "bell, for no reason at all. Nina looked at it for a long time and said that it was the best "
    "present of the year. A week later, Nina gave it to Mila, a woman who liked everything green. "
    "Mila painted a star on it. And so it was Mila who got to ring it at dinner time. "
    "Question: who has the bell now? Answer:"
)

LONGEST_PROMPT = 20_000
"""Characters that are read, the last of them."""


class QuizPage(Page):
    """A table of accuracies, the items behind it, and a prompt of one's own."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._exam: Exam | None = None
        self._streams: object = None
        self._asked_kind = ""
        self.model_bar = ModelBar(models)
        self.count = QSpinBox()
        self.count.setObjectName("quiz_items")
        self.count.setRange(1, 200)
        self.count.setValue(40)
        self.shots = QSpinBox()
        self.shots.setObjectName("quiz_shots")
        self.shots.setRange(0, 8)
        self.shots.setValue(2)
        self.start = QPushButton("&Ask")
        self.start.setToolTip("Put the tasks to every model: some seconds.")
        self.stop = QPushButton("St&op")
        self.stop.setToolTip("Stop asking; the answers given stay.")
        row = FlowRow()
        row.add(labelled("&Items a task", self.count, "How many prompts of each task."))
        row.add(
            labelled(
                "&Examples in the prompt",
                self.shots,
                "Solved examples before each odd one out; times the dictionary stands before "
                "each translation. Without any, nothing says what is wanted.",
            )
        )
        row.add(self.start)
        row.add(self.stop)
        self.work = Work(lab.compute, self.stop, self)
        self.bet = Bet(self.start, self)
        self.said = plain_label(wrap=True)
        self.right = TitledTable(
            "Picks the right choice (with 95 % interval)",
            "Share of right choices, by task and model",
            "Press Ask: each model takes the choice to which it gives the highest probability.",
        )
        self.written = TitledTable(
            "Writes the right answer by itself, to the letter",
            "Share of right answers written, by task and model",
        )
        self.view = QuizView()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        caption = QLabel("A &prompt of your own")
        theme.set_text_role(caption, "strong")
        self.field = QPlainTextEdit(PROMPT)
        self.field.setObjectName("own_prompt")
        self.field.setAccessibleName("A prompt of your own")
        self.field.setPlaceholderText("Any text; every model writes on from its end.")
        self.field.setToolTip("Every model writes on from the end of this text.")
        self.field.setTabChangesFocus(True)
        caption.setBuddy(self.field)
        self.own = TitledTable("… and what each model writes behind it", "Your prompt continued")
        for part in (self.right, self.written, caption, self.field, self.own):
            column.addWidget(part)
        column.addStretch(1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("quiz_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.view)
        self.splitter.setSizes([700, 520])  # the tables have five columns
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        for upper in (self.model_bar, row, self.said, self.bet.card):
            page.addWidget(upper)
        page.addWidget(self.splitter, 1)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(200)
        self._typing.timeout.connect(self._continue)
        self.field.textChanged.connect(self._typed)
        self.bet.wanted.connect(self.ask_all)
        self.work.came.connect(self._show)
        self.work.finished.connect(self._judge)
        self.work.failed.connect(self._failed)
        self.work.stopped.connect(self.bet.again)
        self.work.changed.connect(self._show_running)
        for spin in (self.count, self.shots):
            spin.valueChanged.connect(self._changed)
        lab.streams_changed.connect(self.refresh)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._show_exam()

    @property
    def exam(self) -> Exam | None:
        """The answers so far."""
        return self._exam

    @property
    def running(self) -> bool:
        """Whether the models are being asked."""
        return self.work.running

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        """Another text or other models."""
        if self._streams is not None and self._streams is not self.lab.streams:
            self.work.drop()
            self._exam = self._streams = None
            self._show_exam()
            self.bet.again()
        if not self.work.running:
            if self._exam is None:
                self._invite()
            else:
                self._show_exam()
        self._show_running()
        self._continue()

    def _invite(self) -> None:
        try:
            needed(self.models.table, self.lab.corpus)
        except LabError as error:
            self.said.setText(str(error))
            self.bet.withdraw()
            return
        self.said.setText(
            "Whatever can be written as “prompt, then answer” a language model answers by saying "
            "what comes next. Questions and filling in have the form of the text learned from "
            "(with facts held out); the odd one out and translation do not."
        )
        seat = favourite(self.models.table)
        if seat is None:
            self.bet.withdraw()
            return
        self._asked_kind = seat.kind
        self.bet.ask(
            f"On which task will the {_named(seat)} be furthest ahead of guessing?",
            [*(title for _, title, _ in TASKS), "None: it only guesses"],
        )

    @Slot()
    def ask_all(self) -> None:
        """Put all tasks to all models."""
        if self.lab.streams is None:
            return
        self._exam, self._streams = None, self.lab.streams
        self._show_exam()
        self.work.start(
            examine,
            self.models.table,
            self.lab.corpus,
            self.count.value(),
            self.shots.value(),
            self.lab.seed,
            title="Asking the models",
            unit="items",
        )

    @Slot()
    def _changed(self) -> None:
        """Other prompts may be answered otherwise."""
        if not self.work.running and self._exam is not None:
            self.bet.again()

    @Slot(object)
    def _show(self, exam: Exam) -> None:
        self._exam = exam
        self._show_exam()

    @Slot(object)
    def _judge(self, exam: Exam) -> None:
        right, why = best_over_guessing(exam, self._asked_kind)
        self.bet.judge(right, why)

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self.bet.again()
        self.said.setText(sentence)

    @Slot()
    def _show_running(self) -> None:
        self.start.setEnabled(not self.work.running and self.lab.streams is not None)

    @Slot()
    def _dress(self) -> None:
        line = self.field.fontMetrics().lineSpacing()
        margin = round(self.field.document().documentMargin()) + self.field.frameWidth()
        self.field.setFixedHeight(5 * line + 2 * margin)

    def _show_exam(self) -> None:
        exam = self._exam
        self.view.show_exam(exam)
        if exam is None:
            self.right.fill([], [])
            self.written.fill([], [])
            return
        heads = [seat.title for seat, _ in exam.replies]
        right, written = [], []
        for number, (key, title, tip) in enumerate(TASKS):
            cells, own = [], []
            for model in range(len(exam.replies)):
                told = exam.tally(model, number)
                if told is None or told.unanswered == told.items:
                    cells.append("…" if told is None else "undefined")
                    own.append("…" if told is None else "undefined")
                    continue
                low, high = told.interval
                cells.append(f"{told.accuracy:.0%} ({100 * low:.0f}–{100 * high:.0f})")
                own.append(f"{told.written_share:.0%}")
            seen = "yes" if SEEN_IN_TRAINING[key] else "no"
            guess = exam.chance(number)
            right.append((title, tip, [seen, "" if math.isnan(guess) else f"{guess:.0%}", *cells]))
            written.append((title, tip, [seen, *own]))
        self.right.fill(["form seen", "guessing", *heads], right)
        self.written.fill(["form seen", *heads], written)
        words = in_words(exam)
        if not self.work.running and exam.table is not self.models.table:
            words += " Other models are at the table by now: ask again to see them."
        self.said.setText(words)

    # --------------------------------------------------------------------- a prompt of one's own
    @Slot()
    def _typed(self) -> None:
        self._typing.start()

    @Slot()
    def _continue(self) -> None:
        self._typing.stop()
        if self.models.table.tokenizer is None:
            return
        self.ask(
            "own_prompt",
            continue_all,
            self.models.table,
            without_surrogates(self.field.toPlainText()[-LONGEST_PROMPT:]),
            with_job=True,
            on_result=self._show_own,
            title="Continuing the prompt",
        )

    @Slot(object)
    def _show_own(self, found: tuple[tuple[Seat, str], ...]) -> None:
        rows = [
            (seat.title, seat.name, [" ".join(written.split()) or "nothing"])
            for seat, written in found
        ]
        self.own.fill(["writes"], rows)


def _named(seat: Seat) -> str:
    return seat.title[0].lower() + seat.title[1:] if seat.kind == "transformer" else seat.title
