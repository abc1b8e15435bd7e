"""The hidden Markov model at the table: fitted on request, in a job of its own."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from engine.jobs import NO_JOB, Job
from engine.models.hmm import HiddenMarkovModel
from engine.models.hmm_training import train_hmm
from engine.workspace.made import MadeFrom, Streams
from gui.job_handle import Failure, JobHandle
from gui.lab import Lab

ROUNDS = 30
"""Rounds of expectation maximisation; most of the gain comes in the first twenty."""
DEFAULT_STATES = 16


@dataclass(frozen=True)
class FittedHmm:
    """A hidden Markov model and what it was fitted to."""

    model: HiddenMarkovModel
    made_from: MadeFrom
    rounds: int
    seed: int
    losses: tuple[float, ...]
    """Nats per training token before each round."""


def fit(streams: Streams, states: int, seed: int, job: Job = NO_JOB) -> FittedHmm:
    """Fit by expectation maximisation, publishing the model after every round.

    Raises:
        LabError: if the number of states is out of range or there is no text.
    """
    losses: list[float] = []
    fitted: FittedHmm | None = None
    for done in train_hmm(streams.train, states, ROUNDS, seed, job=job):
        losses.append(done.nats_per_token)
        fitted = FittedHmm(done.model, streams.made_from, done.iteration, seed, tuple(losses))
        job.publish(fitted)
    assert fitted is not None
    return fitted


class HmmFit(QObject):
    """Keeps the latest fit, and the job that is making one."""

    changed = Signal()

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._fitted: FittedHmm | None = None
        self._job: JobHandle | None = None
        self.failure = ""
        """Why the last fit failed; empty if it didn't."""
        self.states = DEFAULT_STATES
        """How many states were last asked for."""

    @property
    def fitted(self) -> FittedHmm | None:
        """The latest fit, if it belongs to the present text and tokens."""
        made, streams = self._fitted, self._lab.streams
        if made is None or streams is None:
            return None
        here = (streams.made_from.corpus, streams.made_from.tokenizer)
        return made if (made.made_from.corpus, made.made_from.tokenizer) == here else None

    @property
    def running(self) -> bool:
        """Whether one is being fitted."""
        return self._job is not None

    def start(self, states: int) -> None:
        """Fit a model with so many states to the training text."""
        streams = self._lab.streams
        if streams is None:
            return
        self.stop()
        self.failure = ""
        self.states = states
        self._job = self._lab.compute.submit(
            fit,
            streams,
            states,
            self._lab.seed,
            title="Fitting the hidden Markov model",
            unit="rounds",
            urgent=True,
            on_snapshot=self._adopt,
            on_result=self._finished,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self.changed.emit()

    @Slot()
    def stop(self) -> None:
        """Stop fitting; the rounds that are done stay."""
        if self._job is not None:
            self._job.discard()
            self._job = None
            self.changed.emit()

    @Slot(object)
    def _adopt(self, fitted: FittedHmm) -> None:
        self._fitted = fitted
        self.changed.emit()

    @Slot(object)
    def _finished(self, fitted: FittedHmm) -> None:
        self._job = None
        self._adopt(fitted)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self.failure = failure.sentence
        self.changed.emit()

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._job = None
        self.changed.emit()
