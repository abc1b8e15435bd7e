"""Start, Pause, Step, Stop, and where the run stands in words."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from gui.driving import transport as driving
from gui.driving.session import Phase
from gui.driving.transport import Tips
from gui.job_status import duration
from gui.training.news import News
from gui.training.session import TrainingSession

RATE_STEPS = 50
"""Tokens a second are told over so many of the last steps."""


TIPS = Tips(
    start="Begin a new run with the settings above.",
    pause="Wait before the next step.",
    resume="Go on where the run stands.",
    step="Take exactly one step, then pause.",
    stop="End the run. Its model stays in the lab.",
)


class Transport(driving.Transport):
    """The buttons that drive a training run."""

    _blocked = ""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(session, TIPS, partial(state_in_words, session), parent)
        self.words.setObjectName("training_state")
        self.words.setToolTip(
            "Tokens a second count the time of training steps alone. The bar at the bottom counts "
            "scoring and writing too."
        )

    def block(self, reason: str) -> None:
        """Let no new run be started, for a reason that is told elsewhere on screen.

        Args:
            reason: the tooltip of what is greyed out; empty to allow it again.
        """
        self._blocked = reason
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Show what can be done now, and where the run stands."""
        super().refresh()
        session = self._session
        for button, tip, begins in (
            (self.start, TIPS.start, True),
            (self.step, TIPS.step, session.phase is Phase.EMPTY),
        ):
            blocked = begins and bool(self._blocked)
            if blocked:
                button.setEnabled(False)
            said = self._blocked if blocked else tip
            if button.toolTip() != said:
                button.setToolTip(said)
                button.setAccessibleDescription(said)
        if self._blocked and session.phase is Phase.EMPTY:
            self.words.setText("Nothing trained yet. Mend the setting first.")


def state_in_words(session: TrainingSession) -> str:
    """Where a run stands and which it is, such as
    "Step 240 of 500 · 31,000 tokens/s · 14 s left · this run: Modern, small"."""
    phase, news, job = session.phase, session.news, session.job
    if phase is Phase.EMPTY:
        return "Nothing trained yet. Press Start."
    if news is None:
        if phase is Phase.FAILED:
            return "The run could not begin."
        if phase is Phase.QUEUED:
            return "Waiting for the job before it …"
        return "Getting ready …"
    parts = [f"Step {news.step:,} of {news.recipe.steps:,}"]
    match phase:
        case Phase.RUNNING:
            rate = tokens_per_second(news.steps["tokens_per_second"])
            if rate is not None:
                parts.append(f"{two_digits(rate):,.0f} tokens/s {_where(news)}")
            left = None if job is None else job.seconds_left
            if left is not None:
                parts.append(f"{duration(left)} left")
        case Phase.QUEUED:
            parts.append("waiting for another job")
        case Phase.PAUSING:
            parts.append("pausing …")
        case Phase.PAUSED:
            parts.append("paused")
        case Phase.STOPPING:
            parts.append("stopping …")
        case Phase.STOPPED:
            parts.append("stopped")
        case Phase.DIVERGED:
            parts.append("paused after the loss blew up")
        case Phase.FAILED:
            parts.append("ended by an error")
        case Phase.FINISHED:
            seconds = duration(news.steps["seconds"][-1])
            parts[0] = f"Done: {news.step:,} steps in {seconds} {_where(news)}"
    if len(news.evaluations):
        loss = news.evaluations["loss"][-1]
        name = "held-out loss" if session.held_out else "loss on the whole training text"
        parts.append(f"{name} {loss:.3f} nats per token")
    if session.order is not None:
        parts.append(f"this run: {session.order.title}")
    return " · ".join(parts)


def tokens_per_second(rates: npt.NDArray[np.float64]) -> float | None:
    """The harmonic mean of the last steps' rates: tokens over time. None before the first."""
    last = rates[-RATE_STEPS:]
    return float(len(last) / np.sum(1.0 / last)) if len(last) else None


def two_digits(value: float) -> float:
    """A number rounded to two significant digits, so that it can be read while it changes."""
    return float(f"{value:.1e}")


def _where(news: News) -> str:
    """Which device the run is computed on."""
    return "on the processor" if news.recipe.device == "cpu" else "on the GPU"
