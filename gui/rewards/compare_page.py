"""Before and after: policy and reference on the same prompt."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.posttraining.tasks import Task
from gui import theme
from gui.rewards.news import Comparison
from gui.rewards.session import RewardsSession
from gui.rewards.sheet import Column, Sheet
from gui.widgets.distribution_bars import Distribution, DistributionBars
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

EXAMPLES = 12
"""Held-out prompts that are offered."""


class ComparePage(QWidget):
    """Answers and next-token bars of both, refreshed as training goes on."""

    def __init__(self, session: RewardsSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._targets: dict[str, str] = {}
        self._task: Task | None = None
        self._asked_at = -1
        self._waiting = False
        self.prompt = QComboBox(self)
        self.prompt.setEditable(True)
        self.prompt.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.prompt.setAccessibleName("Prompt for both policies")
        self.prompt.setToolTip("One of the held-out prompts, or one of your own.")
        self.prompt.setMinimumContentsLength(10)
        self.prompt.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        name = QLabel("Pro&mpt")
        name.setBuddy(self.prompt)
        self.ask = QPushButton("Ask &both", self)
        self.ask.setToolTip("Let policy and reference answer this prompt.")
        row = FlowRow(self)
        for widget in (name, self.prompt, self.ask):
            row.add(widget)
        self.problem = Notice(self)
        self.words = plain_label("", self, wrap=True)
        theme.set_text_role(self.words, "strong")
        self.answers = Sheet("Answers of policy and reference", self)
        self.answers.set_placeholder("Both policies' answers come here, with how often each came.")
        self.bars = DistributionBars(self, count=8)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.answers)
        self.shown = QWidget(self)
        first = plain_label("First token of the answer", self.shown)
        theme.set_text_role(first, "strong")
        beside = QVBoxLayout(self.shown)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(first)
        beside.addWidget(self.bars, 1)
        self.splitter.addWidget(self.shown)
        self.splitter.setSizes([600, 1000])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        column.addWidget(self.problem)
        column.addWidget(self.words)
        column.addWidget(self.splitter, 1)
        self.ask.clicked.connect(self.refresh)
        self.prompt.activated.connect(self.refresh)
        line = self.prompt.lineEdit()
        if line is not None:
            line.returnPressed.connect(self.refresh)
        session.compared.connect(self._show)
        session.compare_failed.connect(self._fail)
        self.clear()

    def clear(self) -> None:
        """Nothing to compare yet."""
        self._asked_at, self._waiting = -1, False
        self.problem.clear()
        self.words.setText("Start a run: here the trained policy answers beside the reference.")
        self.answers.set_table((), ())
        self.shown.hide()
        self.ask.setEnabled(False)

    def set_task(self, task: Task) -> None:
        """Offer this task's held-out prompts."""
        self._task = task
        pool = task.prompts(held_out=True)
        every = max(1, len(pool) // EXAMPLES)
        self._targets = {p.text: p.target for p in pool}
        self.prompt.clear()
        self.prompt.addItems([p.text for p in pool[::every]][:EXAMPLES])

    def news(self) -> None:
        """The run went on: compare again, at most one question at a time."""
        news = self._session.news
        if news is None or not self.isVisible():
            return
        self.ask.setEnabled(True)
        if not self._waiting and news.update != self._asked_at:
            self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Ask both the prompt in the field."""
        news = self._session.news
        if news is None:
            return
        self._asked_at = news.update
        text = self.prompt.currentText()
        try:
            news.order.task.check(text)
        except LabError as error:
            self._session.forget_comparison()
            self._fail(str(error))
            return
        self._waiting = True
        self._session.compare(text, self._targets.get(text, ""))

    @Slot(object)
    def _show(self, found: Comparison) -> None:
        self._waiting = False
        self.ask.setEnabled(True)
        if self._task is None:
            return
        self.problem.clear()
        right = f" A right answer: {found.target.strip()}" if found.target else ""
        self.words.setText(
            f"{sum(n for _, n in found.policy):,} sampled answers each of the reference, and of "
            f"the policy after {found.update:,} updates.{right}"
        )
        self.answers.set_table(
            (
                Column("Reference", "Share of its answers, before post-training.", share=True),
                Column("Policy", "Share of its answers now.", share=True),
                Column("Answer", "What was written; … : cut off at the limit."),
            ),
            [(before, now, answer) for answer, before, now in shares(found)],
        )
        tokenizer = self._task.tokenizer
        self.bars.set_distributions(
            (
                Distribution("Reference policy", "reference", found.reference_next),
                Distribution("Policy", "policy", found.policy_next),
            ),
            Vocabulary.of(tokenizer),
        )
        self.shown.show()

    @Slot(str)
    def _fail(self, sentence: str) -> None:
        self._waiting = False
        self.problem.say(sentence, "error")


def shares(found: Comparison) -> list[tuple[str, float, float]]:
    """(answer, the reference's share, the policy's share), the policy's favourites first; the
    right answer is marked."""
    policy, reference = dict(found.policy), dict(found.reference)
    n, m = max(1, sum(policy.values())), max(1, sum(reference.values()))
    every = sorted({**policy, **reference}, key=lambda a: (-policy.get(a, 0), -reference.get(a, 0)))
    return [
        (
            f"{answer or '(empty)'} ✓" if found.target and answer == found.target else answer,
            reference.get(answer, 0) / m,
            policy.get(answer, 0) / n,
        )
        for answer in every
    ]
