"""A training run as the compute thread holds it. No Qt.

``LiveRun`` keeps its trainer from one job to the next, so that a run can be paused, stepped and
resumed. The window sees only what it publishes: ``News``, which never changes.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.errors import LabError
from engine.generation import generate
from engine.jobs import NO_JOB, Job
from engine.training import Diverged
from engine.training.pace import measure_pace, recipe_for
from engine.training.records import Evaluation, Snapshot, StepRecord
from engine.training.runs import RunFolder, drop_old_runs
from engine.training.tables import Table
from gui.training.news import (
    EVALUATION_COLUMNS,
    STEP_COLUMNS,
    Ended,
    Event,
    News,
    Order,
    Sample,
)
from gui.training.updates import UpdateSizes

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel
    from engine.training import Trainer

UPDATES_MEASURED = 200
"""In the course of a run, about."""
RECENT_STEPS = 20
DEAD = 1e-3
"""Nats from ln V within which all of the last RECENT_STEPS losses lie in a network that is dead."""
HUGE = 1e3
RISE = 1.5
"""Nats above its lowest at which the mean loss of the last RECENT_STEPS counts as run away."""


@dataclass
class _Kept:
    """What a LiveRun gathers."""

    steps: Table = field(default_factory=lambda: Table(*STEP_COLUMNS))
    evaluations: Table = field(default_factory=lambda: Table(*EVALUATION_COLUMNS))
    updates: Table = field(default_factory=Table)
    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_STEPS))
    lowest: float = math.inf
    runaway: str = ""


class LiveRun:
    """One run. But for ``prompt``, ``latest`` and ``one_step_more`` everything here belongs to
    the compute thread."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.prompt = order.prompt
        """What the next sample continues. The window may set it at any time."""
        self._trainer: Trainer | None = None
        self._kept = _Kept()
        self._seconds = 0.0
        self._model: TransformerModel | None = None
        self._model_step = -1
        self._stop_after: int | None = None
        self._folder: RunFolder | None = None
        self._unsaved = ""
        self.latest: News | None = None
        """The newest news; the window may read it once no job of this run is left."""

    def one_step_more(self) -> None:
        """Called while the job of ``train`` is paused: let it end after the next step."""
        self._stop_after = len(self._kept.steps)

    # ----------------------------------------------------------------- on the compute thread
    def train(self, steps: int | None = None, *, job: Job = NO_JOB) -> Ended:
        """Go on with the run: to the recipe's end, or ``steps`` further.

        Raises:
            LabError: if the recipe can't be trained on this text.
            JobCancelled: at a yield point; ``keep`` then brings the news up to date.
        """
        self._stop_after = None
        trainer = self._opened(job)
        try:
            self._catch_up(trainer, job)
            for _ in self._steps(trainer, steps, job):
                self._note(trainer)
                if self._due(trainer):
                    self._sample(trainer, job)
                job.publish(self._news(trainer))
                after = self._stop_after
                if after is not None and trainer.step_count > after:
                    return Ended(self._news(trainer), self._reason(trainer))
        except Diverged as diverged:
            back = trainer.go_back()
            self._went_back(trainer, back, f"diverged at step {diverged.step:,}")
            sentence = (
                f"At step {diverged.step:,} the loss was no longer a number: the steps were too "
                f"large. The run is back at step {back:,}, the last good state. "
                "Lower the learning rate, then resume."
            )
            return Ended(self._news(trainer), "diverged", sentence)
        return Ended(self._news(trainer), self._reason(trainer))

    def keep(self, *, job: Job = NO_JOB) -> News | None:
        """Bring the news up to date after a stop, with a copy of the model. None if the run had
        not begun."""
        if self._trainer is None:
            return None
        self._note(self._trainer)
        self._freeze(self._trainer)
        states = self._folder.checkpoints if self._folder is not None else ()
        if self._trainer.step_count not in [c.step for c in states]:
            self._save(self._trainer)
        return self._news(self._trainer)

    def set_rate_scale(self, scale: float) -> News:
        """Multiply the recipe's learning rates with ``scale`` from the next step on.

        Raises:
            LabError: if it isn't a number from 0 to 10⁹, or the run can't be made.
        """
        trainer = self._opened()
        if scale != trainer.learning_rate_scale:
            trainer.set_learning_rate_scale(scale)
            text = f"learning rate × {scale:g} of the recipe's"
            events = self._kept.events
            if events and events[-1].kind == "rate" and events[-1].step == trainer.step_count:
                events.pop()  # two turns of the knob between two steps are one
            events.append(Event(trainer.step_count, "rate", text))
        return self._news(trainer)

    def go_back(
        self, step: int | None = None, rate: float | None = None, *, job: Job = NO_JOB
    ) -> News:
        """Take the run back to a checkpoint.

        Args:
            step: one of ``News.checkpoints``; None for the best on held-out text or, where none
                is kept, the trainer's last good state.
            rate: the peak learning rate to go on with; None keeps that of the checkpoint.

        Raises:
            LabError: if the checkpoint is gone or damaged.
        """
        trainer = self._opened()
        why = f"went back from step {trainer.step_count:,}"
        best = self._folder.best() if self._folder is not None else None
        if step is None and best is not None:
            step = best.step
        if step is None or self._folder is None:
            self._went_back(trainer, trainer.go_back(), why)
        else:
            streams = self.order.streams
            held_out = streams.held_out if self.order.has_held_out else streams.train
            trainer = self._trainer = self._folder.load(step, streams.train, held_out)
            self._went_back(trainer, step, why)
        if rate is not None and trainer.recipe.learning_rate > 0:
            return self.set_rate_scale(rate / trainer.recipe.learning_rate)
        return self._news(trainer)

    def export(self, folder: Path) -> Path:
        """Write the run as it stands into a new folder: its weights, optimizer state and history
        as safetensors, its recipe and description as JSON. Returns the folder.

        Raises:
            LabError: if the folder holds something already, or can't be written.
        """
        with contextlib.suppress(OSError):
            if folder.is_file() or any(folder.iterdir()):
                raise LabError(f"{folder.name} holds something already. Choose another name.")
        trainer = self._opened()
        RunFolder.create(folder, self.order.description())
        trainer.save(folder)
        return folder

    # ------------------------------------------------------------------------------ the work
    def _opened(self, job: Job = NO_JOB) -> Trainer:
        if self._trainer is None:
            from engine.training import Trainer  # loads torch, which belongs to this thread

            recipe, streams = self.order.recipe, self.order.streams
            held_out = streams.held_out if self.order.has_held_out else streams.train
            if self.order.seconds is not None:
                pace = measure_pace(recipe, streams.train, held_out, job)
                recipe = recipe_for(self.order.seconds, recipe, pace)
            self._trainer = Trainer(recipe, streams.train, held_out)
        return self._trainer

    def _catch_up(self, trainer: Trainer, job: Job) -> None:
        """What a stop or a pause left undone, and, at the very start, where the run begins."""
        job.yield_point()
        done = trainer.history.evaluations
        if (not done or done[-1].step != trainer.step_count) and self._due(trainer):
            trainer.evaluate(job)
        self._note(trainer)
        if self._due(trainer):
            self._sample(trainer, job)
        job.publish(self._news(trainer))

    def _steps(self, trainer: Trainer, steps: int | None, job: Job) -> Iterator[Snapshot]:
        """``trainer.run``, with the updates measured now and then."""
        sizes, kept = UpdateSizes(trainer), self._kept
        if not kept.updates.names:
            kept.updates = Table("step", *sizes.parts)
        every = max(1, trainer.recipe.steps // UPDATES_MEASURED)
        running = trainer.run(job, steps)
        while True:
            if trainer.step_count % every == 0:
                sizes.before(trainer)
            snapshot = next(running, None)
            if snapshot is None:
                return
            measured = sizes.after(trainer)
            if measured is not None:
                kept.updates.append((snapshot.record.step, *measured))
            yield snapshot

    def _due(self, trainer: Trainer) -> bool:
        """Whether the present step is one after which the held-out text is scored."""
        step, every = trainer.step_count, trainer.recipe.eval_every
        return step == 0 or step == trainer.recipe.steps or bool(every and step % every == 0)

    def _reason(self, trainer: Trainer) -> Literal["finished", "paused"]:
        return "finished" if trainer.finished else "paused"

    def _note(self, trainer: Trainer) -> None:
        """Take over what the trainer's history has and the tables don't have yet."""
        kept, history = self._kept, trainer.history
        for record in history.steps[len(kept.steps) :]:
            self._seconds += record.seconds
            kept.steps.append(_row(record, self._seconds))
            kept.recent.append(record.loss)
            self._watch(trainer)
        for evaluation in history.evaluations[len(kept.evaluations) :]:
            kept.evaluations.append(_evaluation_row(evaluation, trainer.tokens_per_step))
            self._freeze(trainer)
            if evaluation.step == trainer.step_count:
                self._save(trainer)

    def _watch(self, trainer: Trainer) -> None:
        """Notice a loss that runs away without ceasing to be a number."""
        kept = self._kept
        if len(kept.recent) < RECENT_STEPS:
            return
        mean = sum(kept.recent) / len(kept.recent)
        kept.lowest = min(kept.lowest, mean)
        kept.runaway = ""
        guessing = math.log(trainer.module.config.vocab_size)
        if mean > kept.lowest + RISE:
            kept.runaway = (
                f"The loss rose from {kept.lowest:.2f} to {mean:.2f} nats per token: the steps "
                "are too large. Go back to a good state and lower the learning rate."
            )
        elif all(abs(loss - guessing) < DEAD for loss in kept.recent) and _huge(trainer):
            kept.runaway = (
                "The loss has stuck at that of guessing: the steps were too large, and the "
                "network's numbers have run away. Go back and lower the learning rate a lot."
            )

    def _freeze(self, trainer: Trainer) -> None:
        """Keep a copy of the model as it is now."""
        if self._model_step != trainer.step_count:
            from engine.models.transformer import TransformerModel

            self._model = TransformerModel(trainer.frozen_model().module, self.order.title)
            self._model_step = trainer.step_count

    def _sample(self, trainer: Trainer, job: Job) -> None:
        """Let the model write, once for each step."""
        kept, order = self._kept, self.order
        if kept.samples and kept.samples[-1].step == trainer.step_count:
            return
        tokenizer = order.tokenizer.tokenizer
        prompt = self.prompt
        context = tokenizer.encode(prompt)
        writing = generate(
            trainer.model,
            context,
            seed=order.sample_seed,
            max_tokens=order.sample_tokens,
            job=job,
        )
        text = tokenizer.decode([token.id for token in writing])
        ended = writing.closing is not None
        kept.samples.append(Sample(trainer.step_count, prompt, text, ended))

    def _went_back(self, trainer: Trainer, step: int, why: str) -> None:
        """Forget what came after ``step``, where the trainer is again."""
        kept = self._kept
        kept.steps.cut(step)
        kept.evaluations.cut(len(trainer.history.evaluations))
        if kept.updates.names:
            kept.updates.cut(int(np.sum(kept.updates.view()["step"] <= step)))
        self._seconds = trainer.history.seconds
        kept.samples = [s for s in kept.samples if s.step <= step]
        kept.events = [e for e in kept.events if e.step <= step]
        kept.events.append(Event(step, "back", why))
        kept.recent.clear()
        kept.lowest, kept.runaway = math.inf, ""
        if self._folder is not None:
            self._folder.forget_after(step)
        self._model_step = -1
        self._freeze(trainer)

    def _save(self, trainer: Trainer) -> None:
        """Write a checkpoint; if that fails, say so and train on."""
        where = self.order.folder
        if where is None:
            return
        scored = self._kept.evaluations.view()
        known = len(scored) and scored["step"][-1] == trainer.step_count
        try:
            if self._folder is None:
                self._folder = RunFolder.create(where, self.order.description())
                drop_old_runs(where.parent, (where, *self.order.spared))
            self._folder.keep(trainer, float(scored["loss"][-1]) if known else math.nan)
            self._unsaved = ""
        except LabError as error:
            self._unsaved = f"{error} Training goes on, but would be lost in a crash."

    def _news(self, trainer: Trainer) -> News:
        kept = self._kept
        kept_states = self._folder.checkpoints if self._folder is not None else ()
        self.latest = News(
            recipe=trainer.recipe,
            steps=kept.steps.view(),
            evaluations=kept.evaluations.view(),
            updates=kept.updates.view(),
            samples=tuple(kept.samples),
            events=tuple(kept.events),
            rate_scale=trainer.learning_rate_scale,
            flops_per_step=trainer.flops_per_step,
            model=self._model,
            model_step=self._model_step,
            runaway=kept.runaway,
            checkpoints=tuple(c.step for c in kept_states),
            checkpoint=None if not kept_states else kept_states[-1].folder,
            unsaved=self._unsaved,
        )
        return self.latest


def _huge(trainer: Trainer) -> bool:
    """Whether some parameter is larger than training ever makes one."""
    return any(float(p.detach().abs().max()) > HUGE for p in trainer.module.parameters())


def _row(record: StepRecord, seconds: float) -> tuple[float, ...]:
    return (
        record.step,
        record.loss,
        record.learning_rate,
        record.gradient_norm,
        seconds,
        record.tokens,
        record.tokens_per_second,
    )


def _evaluation_row(evaluation: Evaluation, tokens_per_step: int) -> tuple[float, ...]:
    tokens = evaluation.step * tokens_per_step
    return (evaluation.step, evaluation.loss, evaluation.seconds, tokens)
