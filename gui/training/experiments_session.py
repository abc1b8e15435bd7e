"""One experiment at a time: begun, paused, stopped, taken up again; and what it showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.training.experiments import Experiment, expected_seconds, paces, scaled_seconds
from engine.training.memory import give_back
from engine.training.pace import measure_pace
from engine.training.scaling import Fit, Run, fit
from engine.workspace import MadeFrom, MadeTokenizer, Streams
from gui.job_handle import Failure, JobHandle, JobState
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.measuring import Measuring
from gui.training.paces import Paces

if TYPE_CHECKING:
    from engine.tokenizers.stream import TokenStream
    from engine.training.experiment_runs import ExperimentRun, Standing

_BUSY = {
    JobState.QUEUED: "waiting for another job",
    JobState.RUNNING: "running",
    JobState.PAUSING: "pausing …",
    JobState.PAUSED: "paused",
    JobState.STOPPING: "stopping …",
}


@dataclass(frozen=True)
class Trial:
    """An experiment, and the text that it is run on."""

    experiment: Experiment
    streams: Streams
    tokenizer: MadeTokenizer

    @property
    def held_out(self) -> TokenStream:
        """What the arms are scored on: the training text where none is held out."""
        return self.streams.held_out if self.streams.held_out.n_targets else self.streams.train


@dataclass(frozen=True)
class Outcome:
    """How an experiment ended."""

    standing: Standing
    law: Fit | None = None
    no_law: str = ""
    """Why no scaling law could be fitted."""
    keys: tuple[str, ...] = ()
    """Of the arms, where they are kept as runs."""
    unkept: str = ""
    """Why they could not be kept."""


class _Work:
    """An experiment as the compute thread holds it, from one job to the next."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self._run: ExperimentRun | None = None
        self._standing: Standing | None = None

    def run(self, floor: float | None, *, job: Job = NO_JOB) -> Outcome:
        from engine.training.experiment_runs import ExperimentRun  # loads torch

        trial = self.trial
        if self._run is None:
            self._run = ExperimentRun(
                trial.experiment,
                trial.streams.train,
                trial.held_out,
                trial.tokenizer.tokenizer,
                keep_models=trial.experiment.shape == "curves",  # those become runs
            )
        outcome = self._outcome(self._run.run(job), floor, job)
        self._run = None  # the models of all settings are no longer needed
        give_back()
        return outcome

    def _outcome(self, standing: Standing, floor: float | None, job: Job) -> Outcome:
        shape = self.trial.experiment.shape
        if shape == "curves":
            return self._kept(standing, job)
        if shape != "scaling":
            return Outcome(standing)
        try:
            runs = [Run(float(a.parameters), a.tokens, a.loss) for a in standing.arms]
            return Outcome(standing, fit(runs, floor, job=job))
        except LabError as error:
            return Outcome(standing, no_law=str(error))

    def _kept(self, standing: Standing, job: Job) -> Outcome:
        """Keep every arm as a run of its own, to be compared with others."""
        from engine.training.experiment_keeping import keep_arm  # loads torch

        assert self._run is not None
        trial, kept = self.trial, catalogue()
        keys: list[str] = []
        try:
            for arm in self._run.arms:
                job.yield_point()
                keys.append(keep_arm(arm, trial.experiment, kept, trial.streams, trial.tokenizer))
            kept.make_room(keys)
        except LabError as error:
            return Outcome(standing, unkept=str(error), keys=tuple(keys))
        return Outcome(standing, keys=tuple(keys))


class ExperimentSession(QObject):
    """Drives experiments. What is impossible now does nothing."""

    changed = Signal()
    """The state, in words or in what can be done."""
    standing_changed = Signal()
    began = Signal()
    ended = Signal()
    """The experiment came to its own end; ``outcome`` is there."""

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._work: _Work | None = None
        self._job: JobHandle | None = None
        self._floor: float | None = None
        self.trial: Trial | None = None
        """What is running, or was last."""
        self.standing: Standing | None = None
        self.outcome: Outcome | None = None
        self.problem = ""
        lab.compute.state_changed.connect(self._job_changed)

    # ------------------------------------------------------------------------------ what is so
    @property
    def running(self) -> bool:
        """Whether there is a job, paused or not."""
        return self._job is not None

    @property
    def paused(self) -> bool:
        """Whether the job waits, or is about to."""
        return self._job is not None and self._job.state in (JobState.PAUSED, JobState.PAUSING)

    @property
    def can_go_on(self) -> bool:
        """Whether it was stopped half-way."""
        return self._work is not None and self._job is None and self.outcome is None

    @property
    def job(self) -> JobHandle | None:
        """The job at work."""
        return self._job

    @property
    def state(self) -> str:
        """Where it stands, in a few words; empty before the first."""
        if self._job is not None:
            return _BUSY.get(self._job.state, "")
        if self.outcome is not None:
            return "done"
        return "stopped" if self.can_go_on else ""

    # ------------------------------------------------------------------------------ what to do
    def start(self, trial: Trial, floor: float | None = None) -> None:
        """Begin an experiment in place of the one before.

        Args:
            trial: what, on which text.
            floor: the true entropy in nats per token, where it is known.
        """
        if self._job is not None:
            return
        self._work, self.trial, self._floor = _Work(trial), trial, floor
        self.standing = self.outcome = None
        self.began.emit()
        self._submit()

    def pause(self) -> None:
        """Wait before the next step."""
        if self._job is not None:
            self._job.pause()

    def resume(self) -> None:
        """Go on after a pause or a stop."""
        if self._job is not None:
            self._job.resume()
        elif self.can_go_on:
            self._submit()

    def stop(self) -> None:
        """End the work; ``resume`` takes it up again."""
        if self._job is not None:
            self._job.stop()

    def _submit(self) -> None:
        assert self._work is not None and self.trial is not None
        self.problem = ""
        self._lab.compute.make_way()
        self._job = self._lab.compute.submit(
            self._work.run,
            self._floor,
            title=self.trial.experiment.title,
            unit="per cent",
            on_snapshot=self._take,
            on_result=self._ended,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self.changed.emit()

    @Slot(object)
    def _job_changed(self, handle: JobHandle) -> None:
        if handle is self._job:
            self.changed.emit()

    @Slot(object)
    def _take(self, standing: Standing) -> None:
        self.standing = standing
        self.standing_changed.emit()

    @Slot(object)
    def _ended(self, outcome: Outcome) -> None:
        self._job, self.outcome = None, outcome
        self._take(outcome.standing)
        self.changed.emit()
        self.ended.emit()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = self._work = None
        self.problem = failure.sentence
        self.changed.emit()

    @Slot(object)
    def _stopped(self, handle: JobHandle) -> None:
        if handle is self._job:
            self._job = None
            self.changed.emit()


class ExperimentTimes(Measuring):
    """How long experiments take on this computer, measured while nothing else is at work.

    Until all settings of an experiment are measured, what was measured of one is scaled to the
    others by their operations.
    """

    def __init__(self, lab: Lab, paces: Paces, parent: QObject | None = None) -> None:
        """``paces``: what is known of single runs."""
        super().__init__(lab, _measured, parent)
        self.started.connect(self.changed)
        self._paces = paces
        self._known: dict[tuple[Experiment, MadeFrom], float] = {}
        self._rough: dict[tuple[Experiment, MadeFrom], float] = {}

    def seconds(self, trial: Trial) -> float | None:
        """What it takes in all; None while that is not known."""
        if trial.experiment.by == "seconds":
            return expected_seconds(trial.experiment, ())
        return self._known.get((trial.experiment, trial.streams.made_from))

    def estimate(self, trial: Trial) -> float | None:
        """What it takes about, from the pace of one setting or run; None while none is known."""
        rough = self._rough.get((trial.experiment, trial.streams.made_from))
        recipe = trial.experiment.arms[0].recipe
        known = None if rough is not None else self._paces.pace(recipe, trial.streams)
        if known is None:
            return rough
        vocab_size = trial.streams.train.vocab_size
        return scaled_seconds(trial.experiment, recipe, known[0], vocab_size)

    def want(self, trial: Trial | None) -> None:
        """Measure this one soon, unless it is known; None forgets wishes before."""
        unknown = trial is not None and self.seconds(trial) is None
        self._wish_for(trial if unknown else None)

    def _keep_guess(self, result: tuple[Trial, float]) -> None:
        trial, seconds = result
        self._rough[trial.experiment, trial.streams.made_from] = seconds

    def _keep(self, result: tuple[Trial, float]) -> None:
        trial, seconds = result
        self._known[trial.experiment, trial.streams.made_from] = seconds


def _measured(trial: Trial, *, job: Job = NO_JOB) -> tuple[Trial, float]:
    first, train = trial.experiment.arms[0].recipe, trial.streams.train
    pace = measure_pace(first, train, trial.held_out, job)
    job.publish((trial, scaled_seconds(trial.experiment, first, pace, train.vocab_size)))
    found = paces(trial.experiment, train, trial.held_out, job)
    give_back()  # what the throw-away models used
    return trial, expected_seconds(trial.experiment, found)
