"""An experiment at work: its arms take steps in turns on the one thread that computes.

Each arm is its own ``Trainer``, which shares nothing with the others but the text: what comes out
is, bit for bit, the run that it would have been alone, in whatever order the arms are given. By
seconds that holds of the run with the same timetable, which depends on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from engine.jobs import NO_JOB, Job
from engine.models.transformer.config import flops_per_token
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.stream import TokenStream
from engine.training.experiments import Arm, Experiment, paces, parameters, planned
from engine.training.memory import give_back
from engine.training.race import share_of
from engine.training.records import Diverged, Snapshot
from engine.training.tables import Table, View
from engine.training.timetable import Clock
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
    """By seconds with the steps that it is to take as planned last."""
    state: State
    steps: View
    evaluations: View
    flops_per_step: int
    parameters: int
    problem: str = ""
    """Why it ended early, in a sentence."""
    replanned: int = 0
    """How often its steps were planned anew, by seconds."""
    done: float = 0.0
    """The share of its steps, or by seconds of its time, that it has taken; 1 once it is over."""

    @property
    def seconds(self) -> float:
        """The time spent in its steps."""
        return float(self.steps["seconds"][-1]) if self.step else 0.0

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
    def done(self) -> float:
        """The share of the work that is done, 0 … 1."""
        return sum(arm.done for arm in self.arms) / len(self.arms) if self.arms else 0.0

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

    def __init__(
        self, arm: Arm, train: TokenStream, held_out: TokenStream, seconds: float | None = None
    ) -> None:
        """
        Args:
            arm: with the steps that are planned.
            train: what it learns from.
            held_out: what it is scored on.
            seconds: what its steps may take in all; they are then planned anew on the way, so that
                they end in time. None takes the planned steps.
        """
        self.arm = arm
        """By seconds with the steps as planned last."""
        self.train, self.held_out = train, held_out
        self.trainer: Trainer | None = None
        """None before its first step, and once it was let go."""
        self.problem = ""
        self.replanned = 0
        """How often its steps were planned anew."""
        self._clock = Clock(seconds, arm.recipe.steps) if seconds is not None else None
        self._steps = Table(*STEP_COLUMNS)
        self._evaluations = Table(*EVALUATION_COLUMNS)
        self._seconds = 0.0
        self._running: Iterator[Snapshot] | None = None
        self._job = NO_JOB
        config = arm.recipe.model_config(train.vocab_size)
        length = min(arm.recipe.context, train.n_targets)
        self._flops = flops_per_token(config) * arm.recipe.batch_size * length
        self._parameters = parameters(arm, train.vocab_size)

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.problem:
            return "diverged"
        if len(self._steps) >= self.arm.recipe.steps and self._scored:
            return "finished"
        return "running" if len(self._steps) else "waiting"

    @property
    def over(self) -> bool:
        """Whether it has nothing left to do."""
        return self.state in ("finished", "diverged")

    @property
    def done(self) -> float:
        """The share of its steps, or by seconds of its time, that it has taken; 1 once it is
        over."""
        if self.over:
            return 1.0
        if self._clock is not None:
            return min(1.0, self._seconds / self._clock.seconds)
        return len(self._steps) / self.arm.recipe.steps

    @property
    def seconds(self) -> float:
        """The time it has spent in its steps."""
        return self._seconds

    @property
    def _scored(self) -> bool:
        scored = self._evaluations.view()["step"]
        return bool(len(scored)) and int(scored[-1]) == len(self._steps)

    def advance(self, job: Job = NO_JOB) -> None:
        """Take one step, and score the held-out text where that is due.

        Raises:
            LabError: at its first step, if it cannot be trained.
            JobCancelled: at a yield point; the arm can go on from where it is.
        """
        if self.trainer is None:
            self.trainer = Trainer(self.arm.recipe, self.train, self.held_out)
        trainer = self.trainer
        try:
            if self._running is None or self._job is not job:  # the last one was stopped
                if trainer.step_count and trainer.evaluation_due and not self._scored:
                    trainer.evaluate(job)  # what a stop left unscored
                self._running, self._job = trainer.run(job), job
            next(self._running, None)
        except Diverged as diverged:
            self._running = None
            self.problem = f"diverged at step {diverged.step:,}: the loss was no longer a number"
        except BaseException:
            self._running = None  # an iterator that raised is at its end
            raise
        finally:
            self._note(trainer)

    def let_go(self) -> None:
        """Free the model and all that training needed; the numbers stay."""
        self.trainer = self._running = None

    def _note(self, trainer: Trainer) -> None:
        """Take over what the trainer's history has and the tables do not."""
        history = trainer.history
        for record in history.steps[len(self._steps) :]:
            self._seconds += record.seconds
            self._steps.append((record.step, record.loss, self._seconds, record.tokens))
            if self._clock is not None:
                self._clock.tick(record.seconds)
        if self._clock is not None:
            self._keep_to_time(trainer, self._clock)
        for scored in history.evaluations[len(self._evaluations) :]:
            tokens = scored.step * trainer.tokens_per_step
            self._evaluations.append((scored.step, scored.loss, scored.seconds, tokens))

    def _keep_to_time(self, trainer: Trainer, clock: Clock) -> None:
        """Plan the steps anew where they would not end in time."""
        steps = clock.steps(trainer.recipe.steps)
        if steps == trainer.recipe.steps:
            return
        trainer.replan(steps)
        self.replanned += 1
        self.arm = replace(self.arm, recipe=trainer.recipe)
        self._running = None  # it would go on to the end that was planned before

    def standing(self) -> ArmStanding:
        """How far it is."""
        return ArmStanding(
            arm=self.arm,
            state=self.state,
            steps=self._steps.view(),
            evaluations=self._evaluations.view(),
            flops_per_step=self._flops,
            parameters=self._parameters,
            problem=self.problem,
            replanned=self.replanned,
            done=self.done,
        )


class ExperimentRun:
    """An experiment from its first step to its last. All methods belong to one thread."""

    def __init__(
        self,
        experiment: Experiment,
        train: TokenStream,
        held_out: TokenStream,
        tokenizer: Tokenizer,
        keep_models: bool = True,
    ) -> None:
        """
        Args:
            experiment: what to run.
            train: the whole training text; arms may learn from the first part of it only.
            held_out: what all arms are scored on.
            tokenizer: what cut both.
            keep_models: whether arms that are over keep their trainers.
        """
        self._experiment = experiment
        self._texts = (train, held_out)
        self._tokenizer = tokenizer
        self._keep_models = keep_models
        self.arms: list[ArmRun] = []
        """Empty before ``run`` has begun."""

    def run(self, job: Job = NO_JOB) -> Standing:
        """Go on to the end; publishes a ``Standing`` after every step.

        By steps, the turn goes to the arm that has taken the smallest share of its steps; by
        seconds, to the one that has had the least time. Groups of arms follow one another: a model
        is made when its first turn comes.

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
            if arm.over and not self._keep_models:
                arm.let_go()
            if first or (arm.over and not self._keep_models):
                give_back()
            standing = self.standing()
            job.progress(100 * standing.done, 100)
            job.publish(standing)
            del standing  # whoever looks at it keeps it
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
        seconds = None
        if experiment.by == "seconds":
            seconds = experiment.seconds
            experiment = planned(experiment, paces(experiment, train, held_out, job))
        arms = []
        for arm in experiment.arms:
            job.yield_point()
            part = share_of(train, arm.share, self._tokenizer)
            arms.append(ArmRun(arm, part, held_out, seconds))
        self._experiment, self.arms = experiment, arms

    def _next(self) -> ArmRun | None:
        """Whose turn it is; None if nobody has anything left to do."""
        left = [arm for arm in self.arms if not arm.over]
        left = [arm for arm in left if arm.arm.group == left[0].arm.group]
        if self._experiment.by == "seconds":
            return min(left, key=lambda arm: arm.seconds, default=None)
        return min(left, key=lambda arm: arm.done, default=None)


class _Quiet(Job):
    """Lets others in without disturbing the experiment's own progress."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def yield_point(self) -> None:
        self._job.yield_point()
