"""Start, Pause, Resume, Step, Stop, and where the run stands in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.driving.session import Phase, RunSession
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


@dataclass(frozen=True)
class Tips:
    """A sentence for each button, and what one step is called."""

    start: str
    pause: str
    resume: str
    step: str
    stop: str
    step_text: str = "S&tep"


class Transport(QWidget):
    """The buttons that drive a run. What can't be done now is greyed out."""

    start_pressed = Signal()
    step_pressed = Signal()

    def __init__(
        self,
        session: RunSession,
        tips: Tips,
        state_in_words: Callable[[], str],
        parent: QWidget | None = None,
        *,
        beside: bool = False,
    ) -> None:
        """
        Args:
            session: what the buttons drive.
            tips: what they say.
            state_in_words: tells where the run stands, in one line.
            parent: the widget that owns it.
            beside: whether the words stand in the row of the buttons, for short ones.
        """
        super().__init__(parent)
        self._session, self._state_in_words = session, state_in_words
        row = FlowRow(self)
        self.start = self._button(row, "St&art", tips.start)
        self.pause = self._button(row, "&Pause", tips.pause)
        self.resume = self._button(row, "Res&ume", tips.resume)
        self.step = self._button(row, tips.step_text, tips.step)
        self.stop = self._button(row, "St&op", tips.stop)
        self.words = plain_label("", self, wrap=not beside)
        self.words.setAccessibleName("State of the run")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.words, "strong")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(row)
        if beside:
            row.add(self.words)
        else:
            self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
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
        self.words.setText(self._state_in_words())

    def _hand_focus_on(self, possible: dict[QPushButton, bool]) -> None:
        """The keyboard must not be left on a button that is being greyed out."""
        for button in (self.pause, self.resume, self.start):
            if possible[button]:
                button.setFocus()
                return
