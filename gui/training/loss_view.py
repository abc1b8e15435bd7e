"""The loss of the run on screen, drawn live between its landmark lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.models.landmarks import Landmark as Line
from gui.training.news import News
from gui.widgets.curve_plot import CurvePlot, Landmark, Mark

TRAINING = "training batch"
HELD_OUT = "held-out text"
WHOLE_TRAINING = "whole training text"
HELD_OUT_COLOUR = "#c2185b"
"""Red against the transformer's blue: told apart by colour-blind readers too, and dashed."""
GUESSING = "Every token equally likely. Above this line a model does worse than knowing nothing."
_KINDS = {"unigram": "ngram", "bigram": "ngram", "ngram": "ngram", "truth": "truth"}


class LossView(QWidget):
    """A plot of the training and the held-out loss."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = CurvePlot("Loss while training", "step", "loss (nats per token)", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)

    def clear(self) -> None:
        """Take the curves away; the landmarks stay."""
        self.plot.clear()

    def set_landmarks(self, lines: Sequence[Line], vocab_size: int | None) -> None:
        """Draw the landmark lines; where there are none, guessing alone."""
        shown = [
            Landmark(
                line.label, line.nats_per_token, line.explanation, _KINDS.get(line.key, "neutral")
            )
            for line in lines
        ]
        if not shown and vocab_size is not None:
            shown = [Landmark(f"guessing (ln {vocab_size:,})", math.log(vocab_size), GUESSING)]
        self.plot.set_landmarks(shown)
        if shown and not self.plot.series_names():
            top = max(line.value for line in shown)
            self.plot.view.show_range((0.0, 1.0), (-0.05 * top, 1.05 * top))

    def show_news(self, news: News, held_out: bool) -> None:
        """Draw all that is known of a run; ``held_out``: whether what is scored is held out."""
        steps, scored = news.steps, news.evaluations
        self.plot.set_smoothing(smoothing_for(news.recipe.steps))
        self.plot.set_series(
            TRAINING, steps["step"], steps["loss"], kind="transformer", smooth=True
        )
        self.plot.set_series(
            HELD_OUT if held_out else WHOLE_TRAINING,
            scored["step"],
            scored["loss"],
            kind=HELD_OUT_COLOUR,
            line=Qt.PenStyle.DashLine,
            marker="o",
        )
        self.plot.set_marks([Mark(e.step, e.text, e.text) for e in news.events])


def smoothing_for(steps: int) -> float:
    """The weight of each step back with which a run of so many steps is smoothed: a mean over
    about a fiftieth of the run, so that the line neither flickers nor lags."""
    return 1.0 - 1.0 / max(5.0, steps / 50.0)
