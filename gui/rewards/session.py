"""What the rewards tab drives: one run at a time, with its jobs, its state and its news."""

from __future__ import annotations

import enum

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.posttraining.rewards import RewardMix
from gui.job_handle import Failure, JobHandle, JobState
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.rewards.live import Comparison, Ended, FrozenPolicy, LiveRun, News, Order
from gui.rewards.policy_run import policy_run


class Phase(enum.Enum):
    """Where the run stands."""

    EMPTY = "empty"
    QUEUED = "queued"
    """Another job has to end first."""
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    """Ended by a person before its last update; it can go on."""
    FINISHED = "finished"
    FAILED = "failed"


CAN_GO_ON = frozenset({Phase.PAUSED, Phase.STOPPED})
_BUSY = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.PAUSING})
_PHASES = {
    JobState.QUEUED: Phase.QUEUED,
    JobState.RUNNING: Phase.RUNNING,
    JobState.PAUSING: Phase.PAUSING,
    JobState.PAUSED: Phase.PAUSED,
    JobState.STOPPING: Phase.STOPPING,
}
COMPARE_KEY = "rewards: compare"
OFFER_KEY = "rewards: policy"


class RewardsSession(QObject):
    """Starts, pauses, steps, stops and resumes. What is impossible now does nothing; the
    ``can_…`` properties tell what is possible."""

    phase_changed = Signal()
    news_changed = Signal()
    """There is more to draw; at most 15 times a second."""
    began = Signal()
    """A new run took the place of the one before."""
    compared = Signal(object)
    """A Comparison is there."""
    compare_failed = Signal(str)
    """Why a comparison is impossible, in a sentence."""
    offered = Signal(str)
    """The policy as it is stands in the lab under this name, for the other tabs."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._live: LiveRun | None = None
        self._job: JobHandle | None = None
        self._phase = Phase.EMPTY
        self.catalogue = catalogue()
        """Where runs are kept."""
        self.order: Order | None = None
        """What the present run is; None before the first."""
        self.news: News | None = None
        """The newest news of the present run."""
        self.problem = ""
        """What went wrong, in a sentence; empty if nothing did."""
        lab.compute.state_changed.connect(self._job_changed)

    @property
    def phase(self) -> Phase:
        """Where the run stands."""
        return self._phase

    @property
    def live(self) -> LiveRun | None:
        """The present run, for work on the compute thread; None before the first."""
        return self._live

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
        """Whether one update can be made, also the first of a run not yet begun."""
        return self._phase in CAN_GO_ON or self._phase is Phase.EMPTY

    @property
    def can_stop(self) -> bool:
        """Whether there is a run to end."""
        return self._phase in _BUSY or self._phase is Phase.PAUSED

    # ------------------------------------------------------------------------------ what to do
    def start(self, order: Order, updates: int | None = None) -> bool:
        """Begin a new run in place of the one before.

        Args:
            order: what to post-train.
            updates: pause after so many; None for all of the order's.
        """
        if not self.can_start:
            return False
        self._begin(LiveRun(order, self.catalogue), order)
        self._submit(updates)
        return True

    def open_kept(self, order: Order, key: str) -> bool:
        """Put a kept run in place of the one before, paused at its newest checkpoint.

        Args:
            order: what it post-trains, and to how many updates.
            key: its key in the catalogue.
        """
        if not self.can_start:
            return False
        self._begin(LiveRun(order, self.catalogue, key), order)
        self._submit(0)
        return True

    def _begin(self, live: LiveRun, order: Order) -> None:
        self._live, self.order, self.news = live, order, None
        self.problem = ""
        self.began.emit()

    def pause(self) -> None:
        """Wait at the next yield point."""
        if self._job is not None and self.can_pause:
            self._job.pause()

    def resume(self) -> None:
        """Go on where the run stands."""
        if not self.can_resume:
            return
        if self._job is not None:
            self._job.resume()
        else:
            self._submit(None)

    def step(self) -> None:
        """Make exactly one update (or end the one begun), then pause. For a run that was begun."""
        if self._phase not in CAN_GO_ON or self._live is None:
            return
        if self._job is not None:
            self._live.one_update_more()
            self._job.resume()
        else:
            self._submit(1)

    def stop(self) -> None:
        """End the run. What it learned stays on show, and it can go on later."""
        if not self.can_stop:
            return
        if self._job is not None:
            self._job.stop()
        else:
            self._set_phase(Phase.STOPPED)

    def set_reward(self, reward: RewardMix) -> None:
        """Reward something else from the next update on."""
        if self._live is not None:
            self._live.reward = reward

    def compare(self, prompt: str, target: str) -> None:
        """Ask policy and reference the same; ``compared`` or ``compare_failed`` follows."""
        if self._live is not None:
            self._lab.compute.request(
                COMPARE_KEY,
                self._live.compare,
                prompt,
                target,
                title="Comparing policy and reference",
                with_job=True,
                on_result=self._was_compared,
                on_error=self._not_compared,
            )

    def forget_comparison(self) -> None:
        """The answer to the comparison under way is no longer wanted."""
        self._lab.compute.forget(COMPARE_KEY)

    # ------------------------------------------------------------------------------- the jobs
    def _submit(self, updates: int | None) -> None:
        assert self._live is not None and self.order is not None
        self.problem = ""
        self._job = self._lab.compute.submit(
            self._live.run,
            updates,
            title=f"Rewards: {self.order.task.title}",
            unit="updates",
            on_snapshot=self._take,
            on_result=self._ended,
            on_error=self._failed,
            on_cancelled=self._cancelled,
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
    def _take(self, news: News) -> None:
        self.news = news
        self.news_changed.emit()

    @Slot(object)
    def _ended(self, ended: Ended) -> None:
        self._job = None
        self._take(ended.news)
        self._set_phase(Phase.FINISHED if ended.reason == "finished" else Phase.PAUSED)
        self._offer()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.problem = failure.sentence
        self._set_phase(Phase.FAILED)

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is not self._job:
            return
        self._job = None
        assert self._live is not None
        if self._live.latest is not None:
            self._take(self._live.latest)
        self._set_phase(Phase.STOPPED if self.news is not None else Phase.EMPTY)
        self._offer()

    @Slot(object)
    def _was_compared(self, comparison: Comparison) -> None:
        self.compared.emit(comparison)

    @Slot(object)
    def _not_compared(self, failure: Failure) -> None:
        self.compare_failed.emit(failure.sentence)

    # ---------------------------------------------------------------------- for the other tabs
    def _offer(self) -> None:
        """Copy the policy as it is, to put it into the lab."""
        if self._live is not None and self.news is not None and self.news.update:
            self._lab.compute.request(
                (OFFER_KEY, id(self._live)),
                self._live.frozen,
                title="Keeping the policy",
                on_result=self._copied,
            )

    @Slot(object)
    def _copied(self, found: FrozenPolicy) -> None:
        live = found.live
        run = policy_run(found.model, live.order, found.updates, live.latest)
        try:
            if live.lab_name:
                live.lab_name = self._lab.replace_run(live.lab_name, run).name
            else:
                live.lab_name = self._lab.add_run(run).name
        except LabError as error:
            self.problem = str(error)
            self.phase_changed.emit()
            return
        self.offered.emit(live.lab_name)
