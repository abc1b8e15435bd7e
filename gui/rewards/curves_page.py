"""A run's curves: reward and true score always, beside them one more, the loss last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from engine.posttraining.records import UpdateRecord
from gui import theme
from gui.rewards.news import News
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.safe_text import plain_label

Floats = npt.NDArray[np.float64]

REWARD, SPREAD_UP, SPREAD_DOWN = "mean reward", "mean + std", "mean − std"
TRUE = "true score, held out"
TERM_COLOURS = ("#c84a00", "#0072b2", "#00805d", "#a64d82", "#b36b00", "#646c7a")
TERM_LINES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)


@dataclass(frozen=True)
class Measure:
    """One thing that can be drawn beside the reward."""

    key: str
    """The field of UpdateRecord; "terms" for all terms of the reward."""
    title: str
    axis: str
    note: str


MEASURES = (
    Measure(
        "kl",
        "KL to the reference",
        "KL (nats per token)",
        "How far the policy has moved from the model it started from, estimated by k3 on the "
        "sampled tokens.",
    ),
    Measure(
        "entropy",
        "Entropy",
        "entropy (nats per token)",
        "How undecided the policy is. At 0 all answers to a prompt are alike, and nothing is left "
        "to compare.",
    ),
    Measure("length", "Length", "tokens per answer", "End-of-text counts as a token."),
    Measure(
        "silent_groups",
        "Groups without signal",
        "share of groups",
        "Groups in which every advantage is 0, for want of spread: they push nothing.",
    ),
    Measure(
        "terms", "Terms of the reward", "weight × term, mean", "What each term adds to the reward."
    ),
    Measure(
        "clipped",
        "Clipped tokens",
        "share of tokens",
        "Tokens whose push was cut off. With one step a batch clipping never acts.",
    ),
    Measure(
        "loss",
        "Loss",
        "loss",
        "Measures no progress: with a group's mean as the baseline it starts each update at "
        "−Σ|yᵢ|Âᵢ/Σ|yᵢ| (plus β·KL), which is zero unless length and advantage go together.",
    ),
)


class CurvesPage(QWidget):
    """Two plots over the updates of a run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._news: News | None = None
        self.main = CurvePlot("Reward and true score", "update", "reward, true score", self)
        self.choice = QComboBox(self)
        for measure in MEASURES:
            self.choice.addItem(measure.title, measure.key)
        self.choice.setAccessibleName("Curve shown beside the reward")
        self.choice.setToolTip("Which curve is drawn here.")
        self.choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.side = CurvePlot("", "update", "", self)
        self.note = plain_label("", self, wrap=True)
        theme.set_text_role(self.note, "caption", "muted")
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in ((self.choice, 0), (self.side, 1), (self.note, 0)):
            column.addWidget(widget, stretch)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.main)
        self.splitter.addWidget(right)
        self.splitter.setSizes([1000, 800])  # shares of the width, until someone moves it
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.splitter)
        self.main.set_empty_text("Press Start and watch the reward rise.")
        self.side.set_empty_text("Press Start: this curve gets a point with every update.")
        self.choice.currentIndexChanged.connect(self._chosen)
        self._chosen()

    @property
    def measure(self) -> Measure:
        """What the second plot shows."""
        return MEASURES[self.choice.currentIndex()]

    def clear(self) -> None:
        """Take the curves away."""
        self._news = None
        self.main.clear()
        self.side.clear()

    def show_news(self, news: News) -> None:
        """Draw all that is known of a run."""
        self._news = news
        x = np.arange(1, news.update + 1, dtype=np.float64)
        mean, std = column_of(news.records, "reward"), column_of(news.records, "reward_std")
        self.main.set_series(REWARD, x, mean, kind="policy")
        for name, values in ((SPREAD_UP, mean + std), (SPREAD_DOWN, mean - std)):
            self.main.set_series(name, x, values, kind="neutral", line=Qt.PenStyle.DotLine)
        scored = np.array([[s.update, s.value] for s in news.scores]).reshape(-1, 2)
        self.main.set_series(
            TRUE, scored[:, 0], scored[:, 1], kind="truth", line=Qt.PenStyle.DashLine, marker="star"
        )
        marks = [Mark(e.update, e.text, e.text) for e in news.events]
        for plot in (self.main, self.side):
            plot.set_marks(marks)
        self._draw_side()

    @Slot()
    def _chosen(self) -> None:
        self.side.clear()
        measure = self.measure
        self.side.title = measure.title
        self.side.setAccessibleName(measure.title)
        self.side.set_axis_labels("update", measure.axis)
        self.note.setText(measure.note)
        self._draw_side()

    def _draw_side(self) -> None:
        news, measure = self._news, self.measure
        if news is None:
            return
        x = np.arange(1, news.update + 1, dtype=np.float64)
        if not len(x):
            return  # a run that has begun and not made its first update
        if measure.key != "terms":
            self.side.set_series(
                measure.title, x, column_of(news.records, measure.key), kind="policy"
            )
            return
        for i, (title, at, values) in enumerate(terms_of(news.records)):
            self.side.set_series(
                title,
                at,
                values,
                kind=TERM_COLOURS[i % len(TERM_COLOURS)],
                line=TERM_LINES[i % len(TERM_LINES)],
            )


def terms_of(records: tuple[UpdateRecord, ...]) -> list[tuple[str, Floats, Floats]]:
    """What each term of the reward added: its title, the updates that had it (n,), and its mean in
    each (n,). A term may come or go while a run runs."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for record in records:
        for (title, _), value in zip(record.reward_mix, record.terms, strict=True):
            at, values = found.setdefault(title, ([], []))
            at.append(record.update)
            values.append(value)
    return [(t, np.array(at, dtype=np.float64), np.array(v)) for t, (at, v) in found.items()]


def column_of(records: tuple[UpdateRecord, ...], name: str) -> Floats:
    """One number of every update, (updates,)."""
    return np.array([getattr(record, name) for record in records], dtype=np.float64)
