"""Is BPE optimal? The tutorial's wish, solved exactly for small texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.jobs import NO_JOB, Job
from engine.tokenizers.optimal_gap import (
    MAX_NEW_TOKENS,
    Found,
    Gap,
    find_gap,
    optimality_gap,
    words_of,
)
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.tokenization.numbers.controls import bring_into_view
from gui.tokenization.optimal_result import GapView
from gui.widgets.flow_layout import FlowRow
from gui.widgets.formula import Formula
from gui.widgets.look import em
from gui.widgets.prediction_card import PredictionCard, Question
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from gui.lab import Lab

LONGEST_TEXT = 4_000
PRESETS = (
    ("The tutorial’s cat", "The feral cat attacked my cat. My cat bit the attacking cat.", 3),
    ("Sea shells", "she sells sea shells by the sea shore, the shells she sells are sea shells", 5),
    ("Letters only", "abab baab abba baab abab bab abba bab baab", 3),
    ("How much wood", "How much wood would a woodchuck chuck if a woodchuck could chuck wood?", 4),
)
WISH = r"\min_{\Sigma,\,f}\ |f(X)| \quad \text{such that} \quad |\Sigma| = V"
"""The tutorial's wish."""
SPOKEN = "minimum over Sigma and f of the length of f of X, such that Sigma has V tokens"
QUESTION = Question(
    "Suppose a single new token may be any string at all, of any length, even across words. "
    "Which token makes the text shortest?",
    ("The most frequent word", "The most frequent pair", "The whole text"),
    2,
    "With the whole text as one token, |f(X)| = 1: as short as can be, and useless for any other "
    "text. So the question is asked with tokens inside words: they must earn their place by "
    "occurring often.",
    "Compare BPE with the best",
)


class OptimalPage(QWidget):
    """A small text, BPE's vocabulary for it, and the best one of the same size.

    Args:
        lab: the exact search runs on its compute thread; examples come from its corpus.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._job: JobHandle | None = None
        self._solving = ""
        self._build()
        self._connect()
        self.card.pose(QUESTION)
        self.body.hide()
        self._choose_preset(0)
        self._follow()

    # ------------------------------------------------------------------------------- its parts
    def _build(self) -> None:
        intro = plain_label("Which vocabulary of V tokens makes the text shortest?", wrap=True)
        theme.set_text_role(intro, "subtitle")
        self.formula = Formula(WISH, SPOKEN)
        self.formula.setToolTip(
            "Σ: the vocabulary, of V tokens. f: how a text X is cut into them. |f(X)|: how many "
            "tokens that takes."
        )
        self.card = PredictionCard()
        self.presets = QComboBox()
        self.presets.setAccessibleName("Example texts")
        self.presets.setToolTip("Small texts to try. The field below takes any of yours.")
        self.presets.setPlaceholderText("another text")
        for title, _, _ in PRESETS:
            self.presets.addItem(title)
        self.search = QPushButton("&Find an example in the corpus")
        self.search.setToolTip(
            "Look through short stretches of the text above for one where BPE is clearly beaten."
        )
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Text to solve")
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText("A sentence or two that repeat something …")
        self.new_tokens = self._spin(
            "New tokens", 1, MAX_NEW_TOKENS, 3, "k = |Σ| − |Σ₀|: tokens added to the characters."
        )
        self.seconds = self._spin(
            "Time limit in seconds", 1, 300, 20, "After this the best found and the bound count."
        )
        self.seconds.setSuffix(" s")
        self.solve = QPushButton("&Solve")
        self.solve.setToolTip("Learn BPE on this text, and search for the best vocabulary.")
        theme.make_primary(self.solve)
        self.stop = QPushButton("S&top")
        self.stop.setToolTip("Stop searching; what is shown stays.")
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "body", "muted")
        examples = self._row(self._label("&Example", self.presets), self.presets, self.search)
        controls = self._row(
            self._label("&New tokens k", self.new_tokens),
            self.new_tokens,
            self._label("Time &limit", self.seconds),
            self.seconds,
            self.solve,
            self.stop,
        )
        self.view = GapView()
        self.view.hide()
        self.body = QWidget()
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(0, 0, 0, 0)
        parts: tuple[QWidget, ...] = (examples, self.text, controls, self.said, self.view)
        for part in parts:
            inside.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(intro, 1)
        head.addWidget(self.formula)
        column.addLayout(head)
        column.addWidget(self.card)
        column.addWidget(self.body)
        column.addStretch()
        theme.current().changed.connect(self._dress)
        self._dress()

    @staticmethod
    def _spin(name: str, low: int, high: int, value: int, tip: str) -> QSpinBox:
        spin = QSpinBox()
        spin.setAccessibleName(name)
        spin.setToolTip(tip)
        spin.setRange(low, high)
        spin.setValue(value)
        return spin

    @staticmethod
    def _row(*widgets: QWidget) -> FlowRow:
        row = FlowRow()
        for widget in widgets:
            row.add(widget)
        return row

    @staticmethod
    def _label(text: str, buddy: QWidget) -> QLabel:
        label = QLabel(text)
        label.setBuddy(buddy)
        label.setToolTip(buddy.toolTip())
        return label

    def _connect(self) -> None:
        self.card.answered.connect(self._answered)
        self.card.onward.connect(self._go_on)
        self.presets.activated.connect(self._choose_preset)
        self.search.clicked.connect(self.find_example)
        self.solve.clicked.connect(self.start)
        self.stop.clicked.connect(self._stop)
        self.text.textChanged.connect(self._text_changed)
        self._lab.corpus_changed.connect(self._follow)

    # --------------------------------------------------------------------------------- asking
    @Slot(int)
    def _answered(self, _: int) -> None:
        self.body.show()
        bring_into_view(self.card.verdict)

    @Slot()
    def _go_on(self) -> None:
        self.card.hide()
        self.start()

    @Slot(int)
    def _choose_preset(self, index: int) -> None:
        _, text, new_tokens = PRESETS[index]
        self.text.setPlainText(text)
        self.new_tokens.setValue(new_tokens)

    @Slot()
    def _text_changed(self) -> None:
        texts = [text for _, text, _ in PRESETS]
        now = self.text.toPlainText()
        self.presets.setCurrentIndex(texts.index(now) if now in texts else -1)
        self._follow()

    # -------------------------------------------------------------------------------- solving
    @Slot()
    def start(self) -> None:
        """Compare BPE with the best vocabulary on the text in the field."""
        if self._job is not None or not self._ready():
            return
        self._solving = self.text.toPlainText()
        self._job = self._lab.compute.submit(
            _compare,
            self._solving,
            self.new_tokens.value(),
            float(self.seconds.value()),
            title="Searching for the best vocabulary",
            on_result=self._solved,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self._follow()

    @Slot()
    def find_example(self) -> None:
        """Search the corpus for a text in which BPE is beaten."""
        corpus = self._lab.corpus
        if self._job is not None or corpus is None:
            return
        self._job = self._lab.compute.submit(
            find_gap,
            corpus.train,
            self._lab.seed,
            title="Looking for an example",
            on_snapshot=self._show_found,
            on_result=self._found,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self._follow()

    @Slot()
    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    @Slot(object)
    def _solved(self, gap: Gap) -> None:
        self._job = None
        self._follow()
        self._show(self._solving, gap)
        self._scroll_to_result()

    @Slot(object)
    def _show_found(self, found: Found) -> None:
        self.text.setPlainText(found.text)
        self.new_tokens.setValue(found.new_tokens)
        self._show(found.text, found.gap)

    @Slot(object)
    def _found(self, found: Found | None) -> None:
        self._job = None
        self._follow()
        if found is None:
            self.said.setText("In none of the stretches was BPE beaten. Try another text above.")
        else:
            self._show_found(found)
            self._scroll_to_result()
            self.said.setText("The clearest example found in this corpus. Other seeds find others.")

    def _show(self, text: str, gap: Gap) -> None:
        self.view.show_gap(text, gap)
        self.view.show()

    def _scroll_to_result(self) -> None:
        bring_into_view(self.view.bar)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self._follow()
        self.said.setText(failure.sentence)

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._job = None
        self._follow()
        self.said.setText("Stopped.")

    def _ready(self) -> bool:
        return 0 < len(self.text.toPlainText().strip()) <= LONGEST_TEXT

    @Slot()
    def _follow(self) -> None:
        """Show what can be done now."""
        busy = self._job is not None
        length = len(self.text.toPlainText())
        self.solve.setVisible(not busy)
        self.stop.setVisible(busy)
        self.solve.setEnabled(self._ready())
        self.search.setEnabled(not busy and self._lab.corpus is not None)
        self.text.setReadOnly(busy)
        self.presets.setEnabled(not busy)
        if busy:
            self.said.setText("Searching …")
        elif length > LONGEST_TEXT:
            self.said.setText(
                f"{length:,} characters are too many for an exact search: {LONGEST_TEXT:,} at most."
            )
        else:
            self.said.setText("")

    @Slot()
    def _dress(self) -> None:
        self.text.setFixedHeight(round(em(self.text.font()) * 4.2))


def _compare(text: str, new_tokens: int, time_limit: float, job: Job = NO_JOB) -> Gap:
    """On the compute thread."""
    return optimality_gap(words_of(text), new_tokens, time_limit, job)
