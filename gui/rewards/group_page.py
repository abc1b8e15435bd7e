"""GRPO opened up: one group of an update, from its rewards to the push on every token."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from engine.posttraining.records import Group, UpdateRecord
from engine.posttraining.rewards import RewardTerm
from engine.tokenizers import Tokenizer
from gui import theme
from gui.lab import Lab
from gui.rewards.beside import Beside
from gui.rewards.group_question import GroupQuestion, question_of
from gui.rewards.group_told import ADVANTAGES, told_of_spread
from gui.rewards.group_why import counted_terms, reasons
from gui.rewards.news import News
from gui.rewards.sheet import Column, Sheet
from gui.widgets.notice import Notice
from gui.widgets.numbers import format_number
from gui.widgets.prediction_card import PredictionCard
from gui.widgets.safe_text import plain_label
from gui.widgets.stat_tile import StatTile

END = "⟨end of text⟩"
"""How end-of-text is written: the token that ends an answer, and is trained like any other."""
CUT = "…"
WHY_AGAINST = (
    "A push can go against the advantage: all prompts of the batch pull at the same weights."
)


WHY_KEY = "rewards: why"
ANSWER = Column("Answer", "What the policy wrote. … : cut off at the limit.")
PRICE = Column("− β log π/π_ref", "The KL penalty taken off this answer's reward.", signed=True)


TOLD = frozenset({"asking", "locked", "revealed"})
"""States of a question in which it is seen."""
FIRST_TERM = 2
"""The column of the first term: before it the answer and its true score."""
WHICH = (
    "The first group drawn with an advantage that is not 0; if the update has no such group, the "
    "first of all."
)


class GroupPage(QWidget):
    """A group of an update; a slider leads back through the run."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._news: News | None = None
        self._reasons: tuple[tuple[str, ...], ...] = ()  # of the update in _explained
        self._explained = 0
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(1, 1)
        self.slider.setEnabled(False)
        self.slider.setAccessibleName("Update to look into")
        self.slider.setToolTip("Which update to look into; at the right end the newest.")
        self.which = QLabel("Group of up&date –")
        self.which.setBuddy(self.slider)
        self.prompt = plain_label("", self, wrap=True)
        theme.set_text_role(self.prompt, "subtitle")
        self.mean = StatTile(
            "Mean reward",
            "",
            "The group's mean reward: the baseline, unless the settings have none.",
            self,
        )
        self.std = StatTile("Std", "", "The group's standard deviation, with G − 1.", self)
        self.tokens = StatTile(
            "Tokens in the batch", "", "Σ|yᵢ|: all tokens of all answers of the update.", self
        )
        asked = QHBoxLayout()
        asked.addWidget(self.prompt, 1)
        for tile in (self.mean, self.std, self.tokens):
            asked.addWidget(tile)
        self.silent = Notice(self)
        self.question = PredictionCard(self)
        self._asked: GroupQuestion | None = None
        self._asked_about = 0  # the update; each is asked about once
        self._at_rest = False
        self.samples = Sheet("Answers of the group", self)
        self.pushes = Sheet("Tokens of the chosen answer", self)
        self.chosen = plain_label("Choose an answer to see the push on each of its tokens.", self)
        self.chosen.setWordWrap(True)
        theme.set_text_role(self.chosen, "strong")
        self.why = plain_label("", self, wrap=True)
        self.why.setAccessibleName("Why this answer got its reward")
        self.note = plain_label(WHY_AGAINST, self, wrap=True)
        theme.set_text_role(self.note, "caption", "muted")
        right = QWidget(self)
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.chosen)
        beside.addWidget(self.why)
        beside.addWidget(self.pushes, 1)
        beside.addWidget(self.note)
        self.splitter = Beside(self.samples, right, self._widths, self)
        self.samples.wants_changed.connect(self._share)
        self.pushes.wants_changed.connect(self._share)
        head = QHBoxLayout()
        head.addWidget(self.which)
        head.addWidget(self.slider, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addLayout(asked)
        column.addWidget(self.silent)
        column.addWidget(self.question)
        column.addWidget(self.splitter, 1)
        self.slider.valueChanged.connect(self._show)
        self.samples.row_chosen.connect(self._choose)
        self.question.locked.connect(self._answered)
        self.question.skipped.connect(self._show)
        self.samples.set_placeholder("The group's answers come here, each with its reward.")
        self.pushes.set_placeholder("The tokens of the chosen answer come here.")
        self.clear()

    def _widths(self) -> tuple[int, int]:
        return self.samples.wanted_width, self.pushes.wanted_width

    @Slot()
    def _share(self) -> None:
        self.splitter.share()

    def clear(self) -> None:
        """No group yet."""
        self._news = None
        self.slider.setEnabled(False)
        self.slider.setRange(1, 1)
        self.which.setText("Group of up&date –")
        self.prompt.setText("Press One update: its first group is shown here, answer by answer.")
        for tile in (self.mean, self.std, self.tokens):
            tile.set_value(None)
        self.silent.clear()
        self._lab.compute.forget(WHY_KEY)
        self._reasons, self._explained = (), 0
        self._asked, self._asked_about = None, 0
        self.question.skip()
        self.question.hide()
        self.samples.set_table((), ())
        self.pushes.set_table((), ())

    def show_news(self, news: News) -> None:
        """Show the newest group, or the one that someone went back to."""
        follows = self._news is None or self.slider.value() == self.slider.maximum()
        self._news = news
        if not news.records:
            return
        before = self.slider.value()
        self.slider.setEnabled(True)
        self.slider.blockSignals(True)
        self.slider.setRange(1, news.update)
        self.slider.setValue(news.update if follows else before)
        self.slider.blockSignals(False)
        self._show()

    def set_at_rest(self, at_rest: bool) -> None:
        """Whether the run stands still: then the newest group is asked about before it is
        opened; while updates stream by nobody is asked."""
        self._at_rest = at_rest
        if not at_rest and self.question.open:
            self.question.skip()
        elif self.isVisible():
            self._show()

    @property
    def waiting(self) -> bool:
        """Whether the group looked into is the one asked about, and not yet answered: then its
        rewards stay closed."""
        record = self.record
        asked = record is not None and record.update == self._asked_about
        return asked and self.question.open

    def _ask(self, record: UpdateRecord) -> None:
        if self._news is None or record.update != self._news.update:
            return
        if not self._at_rest or self._asked_about >= record.update:
            return
        self._asked_about = record.update
        self._asked = question_of(record.group, self._news.order.settings.baseline)
        if self._asked is not None:
            self.question.ask(self._asked.text, self._asked.choices)

    @Slot()
    def _answered(self) -> None:
        if self._asked is not None:
            self.question.reveal(self._asked.right, self._asked.why)
        self._show()

    @property
    def record(self) -> UpdateRecord | None:
        """The update looked into."""
        if self._news is None or not self._news.records:
            return None
        return self._news.records[self.slider.value() - 1]

    @Slot()
    def _show(self) -> None:
        record = self.record
        if record is None or self._news is None:
            return
        group = record.group
        newest = record.update == self._news.update
        self.which.setText(f"Group of up&date {record.update:,}{' (newest)' if newest else ''}")
        self.which.setToolTip(WHICH)
        self._ask(record)
        asked = self._asked is not None and record.update == self._asked_about
        self.question.setVisible(asked and self.question.state in TOLD)
        # The right answer beside the question would answer it.
        right = "" if self.waiting else group.prompt.target.strip()
        self.prompt.setText(f"{group.prompt.text}{f'   right answer {right}' if right else ''}")
        if self.waiting:
            self._show_answers_alone(group)
            return
        self.mean.set_value(float(group.rewards.mean()), 3)
        std = float(group.rewards.std(ddof=1)) if len(group.rewards) > 1 else None
        self.std.set_value(std, 3)
        self.tokens.set_value(record.tokens)
        settings = self._news.order.settings
        self.silent.say(*told_of_spread(group, settings))
        mix = record.reward_mix
        shown = list(counted_terms(record))
        priced = bool(settings.beta) and settings.penalty == "reward"
        columns = [
            ANSWER,
            Column("True", "How good it really is, 0 … 1. The reward need not agree."),
            *(
                Column(f"{mix[i][1]:g} × {mix[i][0]}", "What this term gave, weight included.")
                for i in shown
            ),
            *([PRICE] if priced else []),
            Column("Reward", "The sum of the terms, less a KL penalty on the reward."),
            Column("Advantage Â", ADVANTAGES[settings.baseline], signed=True),
            Column(
                "Push", "Change of the whole answer's log-probability by this update.", signed=True
            ),
        ]
        self.samples.set_table(columns, rows_of(group, shown, priced))
        self._explain(record)
        self._choose(self.samples.chosen)

    def _explain(self, record: UpdateRecord) -> None:
        """Ask the terms for their reasons, once for each update looked into; not while updates
        stream by."""
        if self._explained == record.update:
            self._tell_why()
            return
        self._reasons = ()
        if self._news is not None and (self._at_rest or record.update != self._news.update):
            self._lab.compute.request(
                WHY_KEY,
                _reasons_of,
                record,
                self._news.terms,
                title="Explaining the rewards",
                on_result=self._take_reasons,
            )

    @Slot(object)
    def _take_reasons(self, found: tuple[int, tuple[tuple[str, ...], ...]]) -> None:
        record = self.record
        if record is None or record.update != found[0] or self.waiting:
            return
        self._explained, self._reasons = found
        self._tell_why()

    def _tell_why(self) -> None:
        for j in range(len(self._reasons[0]) if self._reasons else 0):
            self.samples.set_tips(FIRST_TERM + j, [row[j] for row in self._reasons])
        row = self.samples.chosen
        told = self._reasons[row] if 0 <= row < len(self._reasons) else ()
        self.why.setText("\n".join(told))
        self.why.setVisible(bool(told))

    def _show_answers_alone(self, group: Group) -> None:
        """What was written, and not yet what it got."""
        for tile in (self.mean, self.std, self.tokens):
            tile.set_value(None)
        self.silent.clear()
        self.samples.set_table(
            (ANSWER,), [(answer_text(group, i),) for i in range(len(group.answers))]
        )
        self.pushes.set_table((), ())
        self._reasons = ()
        self._tell_why()
        self.chosen.setText("Predict first, or skip: then rewards and pushes are shown.")

    @Slot(int)
    def _choose(self, row: int) -> None:
        record = self.record
        self._tell_why()
        if self.waiting:
            return
        if record is None or not 0 <= row < len(record.group.answers):
            self.pushes.set_table((), ())
            self.chosen.setText("Choose an answer to see the push on each of its tokens.")
            return
        group = record.group
        assert self._news is not None
        texts = token_texts(group, row, self._news.order.task.tokenizer)
        self.chosen.setText(
            f"The push on each token of “{answer_text(group, row)}”, Â = "
            f"{format_number(float(group.advantages[row]), 3)}"
        )
        before, after = group.before[row], group.after[row]
        rows: list[tuple[str | float, ...]] = []
        for text, old, new, ref in zip(texts, before, after, group.reference[row], strict=True):
            numbers = (np.exp(old), np.exp(new), old, new, new - old, old - ref)
            rows.append((text, *map(float, numbers)))
        columns = (
            Column("Token", f"{END} is end-of-text: it is trained like any other token."),
            Column("p before", "Its probability when it was sampled."),
            Column("p after", "Its probability after the update."),
            Column("log p before", "Its log-probability when it was sampled, in nats."),
            Column("log p after", "Its log-probability after the update, in nats."),
            Column("Push", "Δ log p: log-probability after less before.", signed=True),
            Column(
                "log π/π_ref",
                "How much more probable than under the reference, before the update, in nats.",
                signed=True,
            ),
        )
        self.pushes.set_table(columns, rows)


def _reasons_of(
    record: UpdateRecord, terms: tuple[RewardTerm, ...]
) -> tuple[int, tuple[tuple[str, ...], ...]]:
    return record.update, reasons(record, terms)


def answer_text(group: Group, row: int) -> str:
    """An answer as shown: a cut-off one ends in an ellipsis, an empty one is told."""
    answer = group.answers[row]
    text = answer.text if answer.finished else f"{answer.text}{CUT}"
    return text or "(empty)"


def token_texts(group: Group, row: int, tokenizer: Tokenizer) -> list[str]:
    """Each token of an answer as text; the space before a word is shown."""
    end = tokenizer.vocab_size
    return [
        END if token == end else tokenizer.decode([token]).replace(" ", "␣")
        for token in group.tokens[row]
    ]


def rows_of(group: Group, shown: list[int], priced: bool) -> list[tuple[str | float, ...]]:
    """A row for each answer: its text, true score, the terms shown, the penalty if there is one
    on the reward, reward, advantage, push."""
    rows: list[tuple[str | float, ...]] = []
    for i in range(len(group.answers)):
        push = float((group.after[i] - group.before[i]).sum())
        terms = [float(group.terms[i, j]) for j in shown]
        rows.append(
            (
                answer_text(group, i),
                float(group.true_scores[i]),
                *terms,
                *([-float(group.penalties[i])] if priced else []),
                float(group.rewards[i]),
                float(group.advantages[i]),
                push,
            )
        )
    return rows
