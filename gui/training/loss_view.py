"""The loss of the run on screen, drawn live between its landmark lines."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from engine.models.landmarks import Landmark as Line
from engine.workspace import Streams
from gui import theme
from gui.training.judgement import Judgement, judge
from gui.training.news import News, Order
from gui.training.units import ALONG, LOSS_TIPS, LOSSES, LossUnit, along, tokens_per_byte, units_of
from gui.widgets.curve_plot import CurvePlot, Landmark, Mark
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_tooltip

TRAINING = "training batch"
HELD_OUT = "held-out text"
WHOLE_TRAINING = "whole training text"
HELD_OUT_COLOUR = "#c2185b"
"""Red against the transformer's blue: told apart by colour-blind readers too, and dashed."""
GUESSING = "Every token equally likely. Above this line a model does worse than knowing nothing."
_KINDS = {"unigram": "ngram", "bigram": "ngram", "ngram": "ngram", "truth": "truth"}
_LONGEST_PERPLEXITY = 1e4
"""A loss that blew up would flatten everything else."""


class LossView(QWidget):
    """A plot of the training and the held-out loss, in units to be chosen."""

    judged = Signal()
    """``judgement`` may have changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = FlowRow(self)
        self.unit = self._choice(row, "&Loss in", LOSSES, LOSS_TIPS)
        self.along = self._choice(row, "alon&g", ALONG, {})
        self.plot = CurvePlot("Loss while training", "steps", "loss (nats per token)", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        column.addWidget(self.plot, 1)
        self._lines: tuple[Line, ...] = ()
        self._streams: Streams | None = None
        self._shown: tuple[News, Order] | None = None
        self.judgement = Judgement()
        """What the curves on screen say."""
        self.unit.currentIndexChanged.connect(self._redraw)
        self.along.currentIndexChanged.connect(self._redraw)

    @staticmethod
    def _choice(
        row: FlowRow, caption: str, values: dict[str, str], tips: dict[str, str]
    ) -> QComboBox:
        pair = QWidget(row)
        box = QComboBox(pair)
        for key, text in values.items():
            box.addItem(text, key)
            if key in tips:
                tip = plain_tooltip(tips[key])
                box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        box.setAccessibleName(caption.replace("&", ""))
        box.setToolTip("The unit of the axis.")
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        label = QLabel(caption, pair)
        label.setBuddy(box)
        theme.set_text_role(label, "body", "muted")
        line = QHBoxLayout(pair)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(label)
        line.addWidget(box)
        row.add(pair)
        return box

    def clear(self) -> None:
        """Take the curves away; the landmarks stay."""
        self._shown = None
        self._judge(Judgement())
        self.plot.clear()

    def set_landmarks(self, lines: tuple[Line, ...], streams: Streams) -> None:
        """Draw the landmark lines of a text; where there are none, guessing alone."""
        self._lines, self._streams = lines, streams
        self._draw_landmarks()
        if self._shown is not None:
            self._draw_curves()

    def show_news(self, news: News, order: Order) -> None:
        """Draw all that is known of a run."""
        self._shown = (news, order)
        self._draw_curves()

    # ------------------------------------------------------------------------------- drawing
    @Slot()
    def _redraw(self) -> None:
        """Other units: draw everything anew, and show all of it."""
        along_text = ALONG[self.along.currentData()]
        loss = LOSSES[self.unit.currentData()]
        title = loss if self.unit.currentData() == "perplexity" else f"loss ({loss})"
        self.plot.set_axis_labels(along_text, title)
        shown, judgement = self._shown, self.judgement
        self.plot.clear()
        self._shown, self.judgement = shown, judgement
        self._draw_landmarks()
        if shown is not None:
            self._draw_curves()

    def _draw_landmarks(self) -> None:
        if self._streams is None:
            return
        vocab = self._streams.train.vocab_size
        unit = LossUnit(self.unit.currentData(), tokens_per_byte(self._streams.train))
        lines = [
            Landmark(
                line.label,
                unit.of_landmark(line),
                line.explanation,
                _KINDS.get(line.key, "neutral"),
            )
            for line in self._lines
        ]
        if not lines:
            height = float(unit(np.array([math.log(vocab)]))[0])
            lines = [Landmark(f"guessing (ln {vocab:,})", height, GUESSING)]
        self.plot.set_landmarks(lines)
        if not self.plot.series_names():
            top = max(line.value for line in lines)
            self.plot.view.show_range((0.0, 1.0), (-0.05 * top, 1.05 * top))

    def _draw_curves(self) -> None:
        assert self._shown is not None
        news, order = self._shown
        steps, scored, key = news.steps, news.evaluations, self.along.currentData()
        in_training, held_out = units_of(self.unit.currentData(), order, self._lines)
        self.plot.set_smoothing(smoothing_for(news.recipe.steps))
        if in_training is not None:
            self.plot.set_series(
                TRAINING,
                along(key, news, steps["step"]),
                _bounded(in_training, in_training(steps["loss"])),
                kind="transformer",
                smooth=True,
            )
        self.plot.set_series(
            HELD_OUT if order.has_held_out else WHOLE_TRAINING,
            along(key, news, scored["step"]),
            _bounded(held_out, held_out(scored["loss"])),
            kind=HELD_OUT_COLOUR,
            line=Qt.PenStyle.DashLine,
            marker="o",
        )
        self._mark(news, order, key)

    def _mark(self, news: News, order: Order, key: str) -> None:
        """Mark what was done to the run, and what its curves say."""
        truth = next((m.nats_per_token for m in self._lines if m.key == "truth"), None)
        found = Judgement()
        if order.has_held_out:
            found = judge(news.steps, news.evaluations, truth)
        events = [(e.step, e.text, e.text) for e in news.events]
        if found.best_step is not None:
            why = (
                f"Held-out loss was lowest here, {found.best_loss:.3f} nats per token. Since then "
                "the model has learned the training text at the expense of new text."
            )
            events.append((found.best_step, "best held-out loss", why))
        if found.memorising_step is not None:
            why = (
                "From here on the training loss lies below the true entropy. No knowledge of the "
                "language can do that: the model has learned these very sentences."
            )
            events.append((found.memorising_step, "memorising", why))
        places = along(key, news, np.array([float(step) for step, _, _ in events]))
        self.plot.set_marks(
            [Mark(x, name, why) for x, (_, name, why) in zip(places.tolist(), events, strict=True)]
        )
        self._judge(found)

    def _judge(self, found: Judgement) -> None:
        if found != self.judgement:
            self.judgement = found
            self.judged.emit()


def _bounded(unit: LossUnit, values: np.ndarray) -> np.ndarray:
    """Perplexities too large to draw become gaps."""
    if unit.key != "perplexity":
        return values
    return np.where(values > _LONGEST_PERPLEXITY, np.nan, values)


def smoothing_for(steps: int) -> float:
    """The weight of each step back with which a run of so many steps is smoothed: a mean over
    about a fiftieth of the run, so that the line neither flickers nor lags."""
    weight = round(1.0 - 1.0 / max(5.0, steps / 50.0), 3)
    return min(weight, 0.999)  # a long run's is not rounded up to 1, which smooths to nothing
