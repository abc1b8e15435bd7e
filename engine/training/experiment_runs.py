"""An experiment at work: its arms take steps in turns on the one thread that computes.

Each arm is its own ``Trainer``, which shares nothing with the others: what comes out is, bit for
bit, the run that it would have been alone, in whatever order the arms are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.stream import TokenStream
from engine.training.experiments import Arm, Experiment, paces, parameters, planned
from engine.training.memory import give_back
from engine.training.race import share_of
from engine.training.records import Diverged, Snapshot
from engine.training.tables import Table, View
from engine.training.trainer import Trainer

State = Literal["waiting", "running", "finished", "diverged"]
STEP_COLUMNS = ("step", "loss", "seconds", "tokens")
"""``seconds`` is the time spent in this arm's own steps."""
EVALUATION_COLUMNS = ("step", "loss", "seconds", "tokens")

LEARNED = 0.01
"""Nats below guessing from which on something was learned."""


@dataclass(frozen=True)
class ArmStanding:
    """How far an arm is. Immutable."""

    arm: Arm
    """With the steps it was given, where the race is by seconds."""
    state: State
    steps: View
    evaluations: View
    flops_per_step: int
    parameters: int
    problem: str = ""
    """Why it ended early, in a sentence."""

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.steps)

    @property
    def tokens(self) -> float:
        """Tokens trained on."""
        return float(self.steps["tokens"][-1]) if self.step else 0.0

    @property
    def flops(self) -> float:
        """Floating-point operations of the model in the steps taken."""
        return float(self.step) * self.flops_per_step

    @property
    def loss(self) -> float:
        """The newest held-out loss in nats per token; ∞ once it has diverged, NaN before the
        first."""
        if self.state == "diverged":
            return math.inf
        return float(self.evaluations["loss"][-1]) if len(self.evaluations) else math.nan


@dataclass(frozen=True)
class Standing:
    """How far an experiment is. Immutable."""

    experiment: Experiment
    arms: tuple[ArmStanding, ...]
    vocab_size: int

    @property
    def finished(self) -> bool:
        """Whether no arm has anything left to do."""
        return all(arm.state in ("finished", "diverged") for arm in self.arms)

    @property
    def guessing(self) -> float:
        """ln V, the loss of guessing, in nats per token."""
        return math.log(self.vocab_size)

    def learned(self, arm: ArmStanding) -> bool:
        """Whether an arm's newest loss is better than guessing. A network whose numbers have run
        away until it tells nothing apart lies at ln V but for rounding."""
        return arm.loss < self.guessing - LEARNED


class ArmRun:
    """One arm at work."""

    def __init__(self, arm: Arm, train: TokenStream, held_out: TokenStream) -> None:
        """Raises:
        LabError: if it cannot be trained.
        """
        self.arm = arm
        self.trainer = Trainer(arm.recipe, train, held_out)
        self.problem = ""
        self._steps = Table(*STEP_COLUMNS)
        self._evaluations = Table(*EVALUATION_COLUMNS)
        self._seconds = 0.0
        self._running: Iterator[Snapshot] | None = None
        self._job = NO_JOB
        self._parameters = parameters(arm, train.vocab_size)

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.problem:
            return "diverged"
        if self.trainer.finished and self._scored:
            return "finished"
        return "running" if self.trainer.step_count else "waiting"

    @property
    def done(self) -> float:
        """The share of its steps that it has taken."""
        return self.trainer.step_count / self.trainer.recipe.steps

    @property
    def seconds(self) -> float:
        """The time it has spent in its steps."""
        return self._seconds

    @property
    def _scored(self) -> bool:
        history = self.trainer.history
        return bool(history.evaluations) and history.evaluations[-1].step == self.trainer.step_count

    def advance(self, job: Job = NO_JOB) -> None:
        """Take one step, and score the held-out text where that is due.

        Raises:
            JobCancelled: at a yield point; the arm can go on from where it is.
        """
        try:
            if self._running is None or self._job is not job:  # the last one was stopped
                self._catch_up(job)
                self._running, self._job = self.trainer.run(job), job
            next(self._running, None)
        except Diverged as diverged:
            self._running = None
            self.problem = f"diverged at step {diverged.step:,}: the loss was no longer a number"
        except BaseException:
            self._running = None  # an iterator that raised is at its end
            raise
        finally:
            self._note()

    def _catch_up(self, job: Job) -> None:
        """Score what a stop left unscored."""
        trainer = self.trainer
        every, step = trainer.recipe.eval_every, trainer.step_count
        due = trainer.finished or (every > 0 and step % every == 0)
        if step and due and not self._scored:
            trainer.evaluate(job)

    def _note(self) -> None:
        """Take over what the trainer's history has and the tables do not."""
        history = self.trainer.history
        for record in history.steps[len(self._steps) :]:
            self._seconds += record.seconds
            self._steps.append((record.step, record.loss, self._seconds, record.tokens))
        for scored in history.evaluations[len(self._evaluations) :]:
            tokens = scored.step * self.trainer.tokens_per_step
            self._evaluations.append((scored.step, scored.loss, scored.seconds, tokens))

    def standing(self) -> ArmStanding:
        """How far it is."""
        return ArmStanding(
            arm=self.arm,
            state=self.state,
            steps=self._steps.view(),
            evaluations=self._evaluations.view(),
            flops_per_step=self.trainer.flops_per_step,
            parameters=self._parameters,
            problem=self.problem,
        )


class ExperimentRun:
    """An experiment from its first step to its last. All methods belong to one thread."""

    def __init__(
        self,
        experiment: Experiment,
        train: TokenStream,
        held_out: TokenStream,
        tokenizer: Tokenizer,
    ) -> None:
        """
        Args:
            experiment: what to run.
            train: the whole training text; arms may learn from the first part of it only.
            held_out: what all arms are scored on.
            tokenizer: what cut both.
        """
        self._experiment = experiment
        self._texts = (train, held_out)
        self._tokenizer = tokenizer
        self.arms: list[ArmRun] = []
        """Empty before ``run`` has begun."""

    def run(self, job: Job = NO_JOB) -> Standing:
        """Go on to the end; publishes a ``Standing`` after every step.

        By steps, the turn goes to the arm that has taken the smallest share of its steps; by
        seconds, to the one that has had the least time.

        Raises:
            LabError: if an arm cannot be trained on this text.
            JobCancelled: at a yield point. Called again, it goes on from there.
        """
        if not self.arms:
            self._open(job)
        quiet = _Quiet(job)
        job.publish(self.standing())
        while (arm := self._next()) is not None:
            first = arm.state == "waiting"
            arm.advance(quiet)
            if first:
                give_back()
            done = sum(1.0 if a.problem else a.done for a in self.arms)
            job.progress(100 * done / len(self.arms), 100)
            job.publish(self.standing())
        return self.standing()

    def standing(self) -> Standing:
        """How far it is."""
        return Standing(
            self._experiment,
            tuple(arm.standing() for arm in self.arms),
            self._texts[0].vocab_size,
        )

    def _open(self, job: Job) -> None:
        train, held_out = self._texts
        experiment = self._experiment.checked(train.vocab_size)
        if experiment.by == "seconds":
            experiment = planned(experiment, paces(experiment, train, held_out, job))
        arms = []
        for arm in experiment.arms:
            job.yield_point()
            arms.append(ArmRun(arm, share_of(train, arm.share, self._tokenizer), held_out))
        self._experiment, self.arms = experiment, arms

    def _next(self) -> ArmRun | None:
        """Whose turn it is; None if nobody has anything left to do."""
        left = [arm for arm in self.arms if arm.state in ("waiting", "running")]
        if self._experiment.by == "seconds":
            return min(left, key=lambda arm: arm.seconds, default=None)
        return min(left, key=lambda arm: arm.done, default=None)


class _Quiet(Job):
    """Lets others in without disturbing the experiment's own progress."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def yield_point(self) -> None:
        self._job.yield_point()
