"""Samples over time: policy beside reference on the same held-out prompts, by a slider."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from gui import theme
from gui.rewards.beside import Beside
from gui.rewards.group_page import CUT
from gui.rewards.news import Look, News
from gui.rewards.sheet import Column, Sheet
from gui.widgets.distribution_bars import Distribution, DistributionBars
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

BARS_EMS = 30
"""The width that the bars want, in lines of text."""


class SamplesPage(QWidget):
    """A slider over the run; a row for each prompt, and the next-token bars of the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._news: News | None = None
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.slider.setAccessibleName("Update whose samples are shown")
        self.slider.setToolTip("After how many updates; at the right end the newest.")
        self.which = QLabel("Sa&mples after update –")
        self.which.setBuddy(self.slider)
        self.sheet = Sheet("Samples of reference and policy", self)
        self.sheet.set_placeholder("Press Start: answers to held-out prompts come here.")
        self.asked = plain_label("", self, wrap=True)
        theme.set_text_role(self.asked, "strong")
        self.answered = plain_label("", self, wrap=True)
        self.answered.setAccessibleName("The chosen answers in full")
        self.bars = DistributionBars(self, count=8)
        right = QWidget(self)
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.answered)
        beside.addWidget(self.asked)
        beside.addWidget(self.bars, 1)
        beside.addStretch(0)
        self.splitter = Beside(self.sheet, right, self._widths, self, least=0.75)
        self.sheet.wants_changed.connect(self._share)
        head = QHBoxLayout()
        head.addWidget(self.which)
        head.addWidget(self.slider, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.splitter, 1)
        self.slider.valueChanged.connect(self._draw)
        self.sheet.row_chosen.connect(self._draw_bars)
        self.clear()

    def _widths(self) -> tuple[int, int]:
        return self.sheet.wanted_width, round(em(self.font()) * BARS_EMS)

    @Slot()
    def _share(self) -> None:
        self.splitter.share()

    def clear(self) -> None:
        """No samples yet."""
        self._news = None
        self.slider.setEnabled(False)
        self.slider.setRange(0, 0)
        self.which.setText("Sa&mples after update –")
        self.answered.clear()
        self.answered.hide()
        self.asked.setText("The next-token bars of both policies come here.")
        self.sheet.set_table((), ())
        self.bars.hide()

    def show_news(self, news: News) -> None:
        """Show the newest samples, or those that someone went back to."""
        follows = self.slider.value() == self.slider.maximum()
        self._news = news
        if not news.looks:
            return
        before = self.slider.value()
        self.slider.blockSignals(True)
        self.slider.setEnabled(len(news.looks) > 1)
        self.slider.setRange(0, len(news.looks) - 1)
        self.slider.setValue(len(news.looks) - 1 if follows else before)
        self.slider.blockSignals(False)
        self._draw()

    @property
    def look(self) -> Look | None:
        """The samples looked at."""
        if self._news is None or not self._news.looks:
            return None
        return self._news.looks[self.slider.value()]

    @Slot()
    def _draw(self) -> None:
        news, look = self._news, self.look
        if news is None or look is None:
            return
        start = news.looks[0]
        self.which.setText(f"Sa&mples after update {look.update:,}")
        columns = (
            Column("Prompt", "Held out: never trained on."),
            Column("Right", "The right answer; an example where several are."),
            Column("Reference", f"Its answer before post-training. {CUT} : cut off."),
            Column("Policy", f"Its answer after these updates. {CUT} : cut off."),
            Column("True", "How good the policy's answer really is, 0 … 1."),
        )
        rows = [
            (
                prompt.text,
                prompt.target,
                _written(start, i),
                _written(look, i),
                float(look.true_scores[i]),
            )
            for i, prompt in enumerate(news.shown)
        ]
        self.sheet.set_table(columns, rows)
        if self.sheet.chosen < 0:
            self.sheet.selectRow(0)
        self._draw_bars()

    @Slot()
    def _draw_bars(self) -> None:
        news, look, row = self._news, self.look, self.sheet.chosen
        if news is None or look is None or not 0 <= row < len(news.shown):
            return
        prompt = news.shown[row]
        said = [("Right", prompt.target)] if prompt.target else []
        said += [("Reference", _written(news.looks[0], row)), ("Policy", _written(look, row))]
        self.answered.setText("\n".join(f"{who}: {text.strip()}" for who, text in said))
        self.answered.show()
        self.asked.setText(f"{prompt.text} First token of the answer:")
        self.bars.set_distributions(
            (
                Distribution("Reference policy", "reference", news.looks[0].first_tokens[row]),
                Distribution("Policy", "policy", look.first_tokens[row]),
            ),
            Vocabulary.of(news.order.task.tokenizer),
        )
        self.bars.show()


def _written(look: Look, row: int) -> str:
    answer = look.answers[row]
    return (answer.text if answer.finished else f"{answer.text}{CUT}") or "(empty)"
