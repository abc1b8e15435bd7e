"""Start, Pause, Resume, One update, Stop, and where the run stands in words."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.job_status import duration
from gui.rewards.session import Phase, RewardsSession
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


class Transport(QWidget):
    """The buttons that drive a run. What can't be done now is greyed out."""

    start_pressed = Signal()
    step_pressed = Signal()

    def __init__(self, session: RewardsSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        row = FlowRow(self)
        self.start = self._button(row, "St&art", "Begin a new run from the pre-trained policy.")
        self.pause = self._button(row, "&Pause", "Wait where the run stands.")
        self.resume = self._button(row, "&Resume", "Go on where the run stands.")
        self.step = self._button(
            row, "One &update", "Sample, score and push once, then pause: look into the group."
        )
        self.stop = self._button(row, "St&op", "End the run. Its curves stay.")
        self.words = plain_label("", self)
        self.words.setAccessibleName("State of the run")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.words, "strong")
        row.add(self.words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
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
            if button.hasFocus():  # the keyboard must not be left on a grey button
                for other in (self.pause, self.resume, self.start):
                    if possible[other]:
                        other.setFocus()
                        break
            button.setEnabled(False)
        goes_on = session.phase in (Phase.PAUSED, Phase.PAUSING)
        for button, first in ((self.start, not goes_on), (self.resume, goes_on)):
            if bool(button.property("primary")) is not first:
                button.setProperty("primary", first)
                button.update()
        self.words.setText(state_in_words(session))


_WORDS = {
    Phase.QUEUED: "waiting for another job",
    Phase.PAUSING: "pausing …",
    Phase.PAUSED: "paused",
    Phase.STOPPING: "stopping …",
    Phase.STOPPED: "stopped",
    Phase.FAILED: "ended by an error",
    Phase.FINISHED: "done",
}


def state_in_words(session: RewardsSession) -> str:
    """Where a run stands, such as "Update 24 of 300 · 12 s left · held-out true score 61 %"."""
    phase, news, job = session.phase, session.news, session.job
    if phase is Phase.EMPTY:
        return "Nothing trained yet. Press Start, or One update to go slowly."
    if news is None or not news.scores:
        words = {
            Phase.FAILED: "The run could not begin.",
            Phase.QUEUED: "Waiting for the job before it …",
        }
        return words.get(phase, "Getting ready …")
    parts = [f"Update {news.update:,} of {news.order.updates:,}"]
    if phase is Phase.RUNNING:
        left = None if job is None else job.seconds_left
        if left is not None:
            parts.append(f"{duration(left)} left")
    else:
        parts.append(_WORDS[phase])
    first, last = news.scores[0].value, news.scores[-1].value
    parts.append(f"held-out true score {first:.0%} → {last:.0%}")
    return " · ".join(parts)
