"""Start, Pause, Stop and Resume for an experiment of several runs, with its state in words."""

from __future__ import annotations

import enum
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QPushButton, QWidget

from gui import theme
from gui.job_handle import Failure, JobHandle, JobState
from gui.job_status import duration
from gui.lab import Lab
from gui.rewards.work import Work
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label


class Stage(enum.Enum):
    """Where an experiment stands."""

    EMPTY = "empty"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


BUSY = frozenset({Stage.QUEUED, Stage.RUNNING, Stage.PAUSING, Stage.PAUSED, Stage.STOPPING})
CAN_GO_ON = frozenset({Stage.PAUSED, Stage.STOPPED})
_STAGES = {
    JobState.QUEUED: Stage.QUEUED,
    JobState.RUNNING: Stage.RUNNING,
    JobState.PAUSING: Stage.PAUSING,
    JobState.PAUSED: Stage.PAUSED,
    JobState.STOPPING: Stage.STOPPING,
}
STOPPED_EARLY = "Stopped before its first update: there is nothing to show. Start begins anew."


class Drive(FlowRow):
    """Buttons that drive one ``Work`` at a time. ``start_pressed`` asks for a new one, which is
    handed over with ``begin``."""

    start_pressed = Signal()
    news = Signal(object)
    """The newest state of the work; at most 15 times a second."""
    stage_changed = Signal()

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._work: Work | None = None
        self._job: JobHandle | None = None
        self.stage = Stage.EMPTY
        self.problem = ""
        """What went wrong, in a sentence; empty if nothing did."""
        self.start = self._button("St&art", "Begin anew with what is chosen here.")
        self.pause = self._button("&Pause", "Wait where it stands; other work runs meanwhile.")
        self.stop = self._button("St&op", "End it here; what was drawn stays, and it can go on.")
        self.resume = self._button("Res&ume", "Go on where it was paused or stopped.")
        self.words = plain_label("", self)
        self.words.setAccessibleName("State of the experiment")
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_text_role(self.words, "strong")
        self.add(self.words)
        self.start.clicked.connect(self.start_pressed)
        self.pause.clicked.connect(self.hold)
        self.stop.clicked.connect(self.halt)
        self.resume.clicked.connect(self.go_on)
        lab.compute.state_changed.connect(self._job_changed)
        lab.compute.job_progress.connect(self._job_changed)
        self._refresh()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        self.add(button)
        return button

    @property
    def work(self) -> Work | None:
        """What is driven; None before the first."""
        return self._work

    @property
    def busy(self) -> bool:
        """Whether something is under way, paused, or waits to be."""
        return self.stage in BUSY

    def begin(self, work: Work) -> None:
        """Run this from its start, in place of the one before; nothing while one is busy."""
        if not self.busy:
            self._work = work
            self._submit()

    @Slot()
    def go_on(self) -> None:
        """Run on after a pause or a stop."""
        if self.stage is Stage.PAUSED and self._job is not None:
            self._job.resume()
        elif self.stage is Stage.STOPPED:
            self._submit()

    @Slot()
    def hold(self) -> None:
        """Pause at the next yield point."""
        if self.stage is Stage.RUNNING and self._job is not None:
            self._job.pause()

    @Slot()
    def halt(self) -> None:
        """Stop at the next yield point."""
        if self._job is not None:
            self._job.stop()

    def _submit(self) -> None:
        assert self._work is not None
        self.problem = ""
        self._lab.compute.make_way()
        self._job = self._lab.compute.submit(
            self._work.run,
            title=self._work.title,
            unit="updates",
            on_snapshot=self.news.emit,
            on_result=self._ended,
            on_error=self._failed,
            on_cancelled=self._cancelled,
        )
        self._set(Stage.QUEUED if self._job.state is JobState.QUEUED else Stage.RUNNING)

    @Slot(object)
    def _job_changed(self, handle: JobHandle) -> None:
        if handle is not self._job:
            return
        self._set(_STAGES.get(handle.state, self.stage))

    @Slot(object)
    def _ended(self, state: Any) -> None:
        self._job = None
        if state is not None:
            self.news.emit(state)
        self._set(Stage.DONE)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.problem = failure.sentence
        self._set(Stage.FAILED)

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is not self._job:
            return
        self._job = None
        latest = self._work.latest if self._work is not None else None
        if latest is not None:
            self.news.emit(latest)
        self._set(Stage.STOPPED if latest is not None else Stage.EMPTY)

    def _set(self, stage: Stage) -> None:
        changed = stage is not self.stage
        self.stage = stage
        self._refresh()
        if changed:
            self.stage_changed.emit()

    def _refresh(self) -> None:
        possible = {
            self.start: not self.busy,
            self.pause: self.stage is Stage.RUNNING,
            self.stop: self.busy and self.stage is not Stage.STOPPING,
            self.resume: self.stage in CAN_GO_ON,
        }
        for button, can in possible.items():
            if can:
                button.setEnabled(True)
        for button, can in possible.items():
            if not can:
                if button.hasFocus():  # the keyboard must not be left on a grey button
                    other = next((b for b, able in possible.items() if able), None)
                    if other is not None:
                        other.setFocus()
                button.setEnabled(False)
        goes_on = self.stage in CAN_GO_ON
        for button, first in ((self.start, not goes_on), (self.resume, goes_on)):
            if bool(button.property("primary")) is not first:
                button.setProperty("primary", first)
                button.update()
        self.words.setText(self._in_words())

    def _in_words(self) -> str:
        running = self.stage in (Stage.RUNNING, Stage.PAUSING, Stage.PAUSED)
        if running and self._job is not None:
            done = self._job.progress
            parts = [f"{done.done / done.total:.0%}" if done.total else "getting ready …"]
            if self.stage is Stage.RUNNING:
                left = self._job.seconds_left
                parts += [] if left is None else [f"{duration(left)} left"]
            else:
                parts.append("paused" if self.stage is Stage.PAUSED else "pausing …")
            return " · ".join(parts)
        return {
            Stage.EMPTY: "" if self._work is None else STOPPED_EARLY,
            Stage.QUEUED: "Waiting for another job …",
            Stage.STOPPING: "Stopping …",
            Stage.STOPPED: "Stopped.",
            Stage.DONE: "Done.",
            Stage.FAILED: "Ended by an error.",
        }.get(self.stage, "")
