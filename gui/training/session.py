"""What the training tab drives: one run at a time, with its jobs, its state and its news."""

from __future__ import annotations

import enum

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.workspace import TrainedRun
from gui.job_handle import Failure, JobHandle, JobState
from gui.lab import Lab
from gui.training.live import LiveRun
from gui.training.news import Ended, News, Order


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
RATE_KEY = "training: learning rate"


class TrainingSession(QObject):
    """Starts, pauses, steps, stops and resumes. What is impossible now does nothing; the
    ``can_…`` properties tell what is possible."""

    phase_changed = Signal()
    news_changed = Signal()
    """There is more to draw; at most 15 times a second."""
    began = Signal()
    """A new run took the place of the one before."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._live: LiveRun | None = None
        self._job: JobHandle | None = None
        self._keeping: JobHandle | None = None
        self._phase = Phase.EMPTY
        self._run_name: str | None = None
        self._offered: object = None
        self._wished_scale: float | None = None
        self._back_to: tuple[int | None, float | None] | None = None
        self.order: Order | None = None
        """What the present run is; None before the first."""
        self.news: News | None = None
        """The newest news of the present run."""
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
    def live(self) -> LiveRun | None:
        """The present run, for the compute thread; None before the first."""
        return self._live

    @property
    def run_name(self) -> str | None:
        """The run's name in the lab, once its model is there for the other tabs."""
        return self._run_name

    @property
    def held_out(self) -> bool:
        """Whether the text that the present run is scored on is held out from training."""
        return self.order is not None and self.order.has_held_out

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

    @property
    def wished_scale(self) -> float:
        """The learning rate's scale that is in force or, in a moment, will be."""
        if self._wished_scale is not None:
            return self._wished_scale
        return 1.0 if self.news is None else self.news.rate_scale

    @property
    def can_steer(self) -> bool:
        """Whether the learning rate can be changed and the run taken back."""
        return self._live is not None and self.news is not None and self._phase is not Phase.FAILED

    # ------------------------------------------------------------------------------ what to do
    def start(self, order: Order, steps: int | None = None) -> bool:
        """Begin a new run; the one before is left as it stands, with its model in the lab.

        Args:
            order: what to train.
            steps: pause after so many steps; None for all the recipe's.
        """
        if not self.can_start:
            return False
        self._live, self.order, self.news = LiveRun(order), order, None
        self._run_name, self._offered, self.problem = None, None, ""
        self._wished_scale = None
        self.began.emit()
        self._submit(steps)
        return True

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
            self._submit(None)

    def step(self) -> None:
        """Take exactly one step, then pause. Only for a run that was begun."""
        if self._phase not in CAN_GO_ON or self._live is None:
            return
        if self._job is not None:
            self._live.one_step_more()
            self._job.resume()
        else:
            self._submit(1)

    def stop(self) -> None:
        """End the run; its model stays in the lab."""
        if not self.can_stop:
            return
        if self._job is not None:
            self._job.stop()
        else:
            self._keep()

    @Slot(str)
    def set_prompt(self, prompt: str) -> None:
        """Let the next samples continue another prompt."""
        if self._live is not None:
            self._live.prompt = prompt

    def forget_problem(self) -> None:
        """What went wrong has been seen."""
        if self.problem:
            self.problem = ""
            self.phase_changed.emit()

    def set_rate_scale(self, scale: float) -> None:
        """Multiply the recipe's learning rates with ``scale`` from the next step on."""
        if self._live is not None and self.can_steer:
            self._wished_scale = scale
            self._lab.compute.request(
                RATE_KEY,
                self._live.set_rate_scale,
                scale,
                title="Setting the learning rate",
                on_result=self._steered,
                on_error=self._failed_to_steer,
            )

    def go_back(self, step: int | None = None, rate: float | None = None) -> None:
        """Take the run back and pause it there.

        Args:
            step: one of the news's checkpoints; None for the last good state.
            rate: the peak learning rate to go on with; None keeps the one it had.
        """
        if not self.can_steer or self._phase is Phase.STOPPING:
            return
        self._back_to = (step, rate)
        if self._job is not None:
            self._job.stop()  # it may be half-way through the held-out text
        else:
            self._go_back()

    # ------------------------------------------------------------------------------- the jobs
    def _submit(self, steps: int | None) -> None:
        assert self._live is not None and self.order is not None
        self.problem = ""
        self._job = self._lab.compute.submit(
            self._live.train,
            steps,
            title=self.order.title,
            unit="steps",
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
        if news.model is not self._offered:
            self._offer(news)
        self.news_changed.emit()

    @Slot(object)
    def _ended(self, ended: Ended) -> None:
        self._job = None
        self.problem = ended.sentence
        self._take(ended.news)
        if ended.reason == "finished":
            self._keep()
        else:
            self._set_phase(Phase.PAUSED if ended.reason == "paused" else Phase.DIVERGED)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.problem = failure.sentence
        self._set_phase(Phase.FAILED)

    @Slot(object)
    def _cancelled(self, handle: JobHandle) -> None:
        if handle is self._job:
            self._job = None
            if self._back_to is not None:
                self._go_back()
            else:
                self._keep()

    def _go_back(self) -> None:
        assert self._live is not None and self._back_to is not None
        (step, rate), self._back_to = self._back_to, None
        self._set_phase(Phase.STOPPING)
        self._keeping = self._lab.compute.submit(
            self._live.go_back,
            step,
            rate,
            title="Going back",
            urgent=True,
            on_result=self._went_back,
            on_error=self._not_back,
            on_cancelled=self._not_kept,
        )

    @Slot(object)
    def _not_back(self, failure: Failure) -> None:
        """The checkpoint could not be read: the run stands where it stood."""
        self.problem = failure.sentence
        self._set_phase(Phase.PAUSED)

    @Slot(object)
    def _went_back(self, news: News) -> None:
        self.problem = ""
        self._take(news)
        self._set_phase(Phase.PAUSED)

    def _keep(self) -> None:
        """Copy the model as it is at the end, and leave the run."""
        assert self._live is not None
        self._set_phase(Phase.STOPPING)
        self._keeping = self._lab.compute.submit(
            self._live.keep,
            title="Keeping the model",
            urgent=True,
            on_result=self._kept,
            on_error=self._failed,
            on_cancelled=self._not_kept,
        )

    @Slot(object)
    def _kept(self, news: News | None) -> None:
        if news is None:  # stopped before it had begun
            self._live = None
            self._set_phase(Phase.EMPTY)
            return
        self._take(news)
        self._set_phase(Phase.FINISHED if news.finished else Phase.STOPPED)

    @Slot(object)
    def _not_kept(self, _: JobHandle) -> None:
        """Even this was stopped; the model of the last evaluation is in the lab."""
        finished = self.news is not None and self.news.finished
        self._set_phase(Phase.FINISHED if finished else Phase.STOPPED)

    @Slot(object)
    def _steered(self, news: News) -> None:
        self._wished_scale = None
        self._take(news)
        self.phase_changed.emit()

    @Slot(object)
    def _failed_to_steer(self, failure: Failure) -> None:
        self._wished_scale = None
        self.problem = failure.sentence
        self.phase_changed.emit()

    # ---------------------------------------------------------------------- for the other tabs
    def _offer(self, news: News) -> None:
        """Put the run's newest model into the lab, in place of its older one."""
        if self.order is None or news.model is None:
            return
        self._offered = news.model
        run = TrainedRun(
            name=self._run_name or self.order.title,
            model=news.model,
            tokenizer=self.order.tokenizer,
            made_from=self.order.streams.made_from,
            facts=_facts(self.order, news),
            folder=news.checkpoint if self._saved(news) else None,
            resumable=self._saved(news),
        )
        try:
            if self._run_name is None:
                self._run_name = self._lab.add_run(run).name
            else:
                self._run_name = self._lab.replace_run(self._run_name, run).name
        except LabError as error:
            self.problem = str(error)
            self.phase_changed.emit()

    @staticmethod
    def _saved(news: News) -> bool:
        """Whether the newest checkpoint is of the very model that the news brings."""
        return bool(news.checkpoints) and news.checkpoints[-1] == news.model_step


def _facts(order: Order, news: News) -> dict[str, str]:
    facts = {"Recipe": order.recipe.name, "Steps": f"{news.model_step:,}"}
    if order.size:
        facts["Size"] = order.size.capitalize()
    scored = news.evaluations
    if len(scored) and int(scored["step"][-1]) == news.model_step and order.has_held_out:
        facts["Held-out loss"] = f"{scored['loss'][-1]:.3f} nats per token"
    return facts
