"""One run at a time, driven by a person: its phase, its job on the compute thread, and what can
be done now. Tabs derive their sessions from ``RunSession`` and say what their runs are."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gui.job_handle import Failure, JobHandle, JobState
from gui.lab import Lab


class Phase(enum.Enum):
    """Where the run stands."""

    EMPTY = "empty"
    """Nothing was started yet."""
    QUEUED = "queued"
    """Another job has to end first."""
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    """Ended by a person before its last step; it can go on."""
    FINISHED = "finished"
    DIVERGED = "diverged"
    """The loss was no number; the run is back at its last good state and can go on."""
    FAILED = "failed"


BUSY = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.PAUSING, Phase.STOPPING})
"""A job is at work or about to be."""
CAN_GO_ON = frozenset({Phase.PAUSED, Phase.STOPPED, Phase.DIVERGED})
_PHASES = {
    JobState.QUEUED: Phase.QUEUED,
    JobState.RUNNING: Phase.RUNNING,
    JobState.PAUSING: Phase.PAUSING,
    JobState.PAUSED: Phase.PAUSED,
    JobState.STOPPING: Phase.STOPPING,
}


class RunSession(QObject):
    """Pauses, steps, stops and resumes. What is impossible now does nothing; the ``can_…``
    properties tell what is possible. Derived classes begin runs (``_begun``, then ``_go_on``)
    and carry out the four methods that raise NotImplementedError here."""

    phase_changed = Signal()
    news_changed = Signal()
    """There is more to draw; at most 15 times a second."""
    began = Signal()
    """A new run took the place of the one before."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._job: JobHandle | None = None
        self._phase = Phase.EMPTY
        self.problem = ""
        """What went wrong, in a sentence; empty if nothing did."""
        lab.compute.state_changed.connect(self._job_changed)

    # ------------------------------------------------------------------------------ what is so
    @property
    def phase(self) -> Phase:
        """Where the run stands."""
        return self._phase

    @property
    def job(self) -> JobHandle | None:
        """The job at work, for its rate and time left."""
        return self._job

    @property
    def can_start(self) -> bool:
        """Whether a new run can be started. One that is paused is to be stopped first."""
        return self._phase in (Phase.EMPTY, Phase.STOPPED, Phase.FINISHED, Phase.FAILED)

    @property
    def can_pause(self) -> bool:
        """Whether there is something to pause."""
        return self._phase in (Phase.RUNNING, Phase.QUEUED)

    @property
    def can_resume(self) -> bool:
        """Whether the run can go on."""
        return self._phase in CAN_GO_ON or self._phase is Phase.PAUSING

    @property
    def can_step(self) -> bool:
        """Whether one step can be taken, also the first of a run not yet begun."""
        return self._phase in CAN_GO_ON or self._phase is Phase.EMPTY

    @property
    def can_stop(self) -> bool:
        """Whether there is a run to end."""
        return self._phase in BUSY - {Phase.STOPPING} | {Phase.PAUSED, Phase.DIVERGED}

    # ------------------------------------------------------------------------------ what to do
    def pause(self) -> None:
        """Wait before the next step."""
        if self._job is not None and self.can_pause:
            self._job.pause()

    def resume(self) -> None:
        """Go on where the run stands."""
        if not self.can_resume:
            return
        if self._job is not None:
            self._job.resume()
        else:
            self._go_on(None)

    def step(self) -> None:
        """Take exactly one step, then pause. Only for a run that was begun."""
        if self._phase not in CAN_GO_ON or not self._has_run():
            return
        if self._job is not None:
            self._one_step_more()
            self._job.resume()
        else:
            self._go_on(1)

    def stop(self) -> None:
        """End the run; what it learned stays."""
        if not self.can_stop:
            return
        if self._job is not None:
            self._job.stop()
        else:
            self._leave()

    def forget_problem(self) -> None:
        """What went wrong has been seen."""
        if self.problem:
            self.problem = ""
            self.phase_changed.emit()

    # -------------------------------------------------------------- what derived classes know
    def _has_run(self) -> bool:
        """Whether there is a run."""
        raise NotImplementedError

    def _go_on(self, steps: int | None) -> None:
        """Submit the run's job (``_submit``): to its end, or ``steps`` further."""
        raise NotImplementedError

    def _one_step_more(self) -> None:
        """The job is paused: let it end after the next step."""
        raise NotImplementedError

    def _leave(self) -> None:
        """End a run that has no job."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------- the jobs
    def _submit(
        self,
        work: Callable[..., Any],
        steps: int | None,
        title: str,
        unit: str,
        on_snapshot: Callable[[Any], Any],
        on_result: Callable[[Any], Any],
        on_cancelled: Callable[[JobHandle], Any],
    ) -> None:
        """Let ``work(steps, job=…)`` be the run's job. Bound methods only: others are kept
        alive by the connection."""
        self.problem = ""
        self._lab.compute.make_way()
        self._job = self._lab.compute.submit(
            work,
            steps,
            title=title,
            unit=unit,
            on_snapshot=on_snapshot,
            on_result=on_result,
            on_error=self._failed,
            on_cancelled=on_cancelled,
        )
        self._set_phase(_PHASES.get(self._job.state, Phase.FAILED))

    @Slot(object)
    def _job_changed(self, handle: JobHandle) -> None:
        if handle is self._job and handle.state in _PHASES:
            self._set_phase(_PHASES[handle.state])

    def _set_phase(self, phase: Phase) -> None:
        if phase is not self._phase:
            self._phase = phase
            self.phase_changed.emit()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.problem = failure.sentence
        self._set_phase(Phase.FAILED)
