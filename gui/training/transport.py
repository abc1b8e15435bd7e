"""Start, Pause, Step, Stop, and where the run stands in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.job_status import duration
from gui.training.session import Phase, TrainingSession
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label

RATE_STEPS = 50
"""Tokens a second are told over so many of the last steps."""


class Transport(QWidget):
    """The buttons that drive a run. What can't be done now is greyed out."""

    start_pressed = Signal()
    step_pressed = Signal()

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        row = FlowRow(self)
        self.start = self._button(row, "St&art", "Begin a new run with the settings above.")
        self.pause = self._button(row, "&Pause", "Wait before the next step.")
        self.resume = self._button(row, "&Resume", "Go on where the run stands.")
        self.step = self._button(row, "S&tep", "Take exactly one step, then pause.")
        self.stop = self._button(row, "St&op", "End the run. Its model stays in the lab.")
        self.words = plain_label("", self, wrap=True)
        self.words.setObjectName("training_state")
        self.words.setAccessibleName("State of the run")
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.words, "strong")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        column.addWidget(self.words)
        self.start.clicked.connect(self.start_pressed)
        self.step.clicked.connect(self.step_pressed)
        self.pause.clicked.connect(session.pause)
        self.resume.clicked.connect(session.resume)
        self.stop.clicked.connect(session.stop)
        session.phase_changed.connect(self.refresh)
        session.news_changed.connect(self.refresh)
        session.began.connect(self.refresh)
        self.refresh()

    def _button(self, row: FlowRow, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, row)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        row.add(button)
        return button

    @Slot()
    def refresh(self) -> None:
        """Show what can be done now, and where the run stands."""
        session = self._session
        possible = {
            self.start: session.can_start,
            self.pause: session.can_pause,
            self.resume: session.can_resume,
            self.step: session.can_step,
            self.stop: session.can_stop,
        }
        for button in [b for b, can in possible.items() if can]:
            button.setEnabled(True)
        for button in [b for b, can in possible.items() if not can]:
            if button.hasFocus():
                self._hand_focus_on(possible)
            button.setEnabled(False)
        goes_on = session.phase in (Phase.PAUSED, Phase.PAUSING)
        for button, first in ((self.start, not goes_on), (self.resume, goes_on)):
            if bool(button.property("primary")) is not first:
                button.setProperty("primary", first)
                button.update()
        self.words.setText(state_in_words(session))

    def _hand_focus_on(self, possible: dict[QPushButton, bool]) -> None:
        """The keyboard must not be left on a button that is being greyed out."""
        for button in (self.pause, self.resume, self.start):
            if possible[button]:
                button.setFocus()
                return


def state_in_words(session: TrainingSession) -> str:
    """Where a run stands, such as "Step 240 of 500 · 31,000 tokens/s · 14 s left"."""
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
                parts.append(f"{two_digits(rate):,.0f} tokens/s")
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
            parts[0] = f"Done: {news.step:,} steps in {duration(news.steps['seconds'][-1])}"
    if len(news.evaluations):
        loss = news.evaluations["loss"][-1]
        name = "held-out loss" if session.held_out else "loss on the whole training text"
        parts.append(f"{name} {loss:.3f} nats per token")
    return " · ".join(parts)


def tokens_per_second(rates: npt.NDArray[np.float64]) -> float | None:
    """The harmonic mean of the last steps' rates: tokens over time. None before the first."""
    last = rates[-RATE_STEPS:]
    return float(len(last) / np.sum(1.0 / last)) if len(last) else None


def two_digits(value: float) -> float:
    """A number rounded to two significant digits, so that it can be read while it changes."""
    return float(f"{value:.1e}")
