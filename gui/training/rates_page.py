"""Beside the loss: learning rate, gradient, updates and speed, step by step."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from gui import theme
from gui.training.loss_view import smoothing_for
from gui.training.news import News
from gui.training.session import TrainingSession
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.look import em

PART_COLOURS = ("#0072b2", "#b36b00", "#00805d", "#a64d82", "#c84a00", "#3a4a63")
"""For the parts of a model, in turn; from Okabe and Ito's palette, darkened."""
EMPTY = (
    "Here the learning rate rises and falls, step by step.",
    "Here you see how long the gradient is, step by step.",
    "Here you see how far each part of the model moves.",
    "Here you see how many tokens a second are learned from.",
)
"""What each plot will show."""
PLOT_EMS = 17.0
MOST_PARTS = 8
"""More layers than that are drawn as the first and last few."""


class RatesPage(QWidget):
    """Four plots over the steps of the run on screen."""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.rate = CurvePlot("Learning rate", "steps", "learning rate η")
        self.gradient = CurvePlot(
            "Gradient norm", "steps", "length of the whole gradient ‖∇‖, before clipping"
        )
        self.updates = CurvePlot(
            "Update sizes", "steps", "update ÷ size of the matrices, ‖Δθ‖ ÷ ‖θ‖"
        )
        self.updates.set_log_y(True)
        self.speed = CurvePlot("Speed", "steps", "tokens a second")
        self.plots = (self.rate, self.gradient, self.updates, self.speed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        for index, (plot, sentence) in enumerate(zip(self.plots, EMPTY, strict=True)):
            plot.set_empty_text(f"{sentence} Press Start above.")
            grid.addWidget(plot, index // 2, index % 2)
        self._stale = True
        theme.current().changed.connect(self._dress)
        self._dress()
        session.began.connect(self._clear)
        session.news_changed.connect(self._refresh)

    @Slot()
    def _dress(self) -> None:
        """Room enough for curves to be read; the page scrolls."""
        for plot in self.plots:
            plot.setMinimumHeight(round(em(theme.current().font("body")) * PLOT_EMS))

    @Slot()
    def _clear(self) -> None:
        for plot in self.plots:
            plot.clear()

    @Slot()
    def _refresh(self) -> None:
        news = self._session.news
        self._stale = not self.isVisible()
        if news is not None and not self._stale:
            self._draw(news)

    def _draw(self, news: News) -> None:
        steps = news.steps
        x = steps["step"]
        for plot in (self.gradient, self.speed):
            plot.set_smoothing(smoothing_for(news.recipe.steps))  # as the loss beside them
        self.rate.set_series("learning rate", x, steps["learning_rate"], kind="transformer")
        self.gradient.set_series(
            "gradient norm", x, steps["gradient_norm"], kind="transformer", smooth=True
        )
        self.speed.set_series(
            "tokens a second", x, steps["tokens_per_second"], kind="transformer", smooth=True
        )
        parts = shown_parts(news.updates.names[1:])
        for index, part in enumerate(parts):
            colour = PART_COLOURS[index % len(PART_COLOURS)]
            sizes = np.where(np.isfinite(news.updates[part]), news.updates[part], np.nan)
            self.updates.set_series(part, news.updates["step"], sizes, kind=colour)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._refresh()


def shown_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """All parts, or of very many the first and the last."""
    if len(parts) <= MOST_PARTS:
        return parts
    half = MOST_PARTS // 2
    return (*parts[:half], *parts[-half:])
