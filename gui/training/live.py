"""A training run as the compute thread holds it. No Qt.

``LiveRun`` keeps its trainer from one job to the next, so that a run can be paused, stepped and
resumed. The window sees only what it publishes: ``News``, which never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.generation import generate
from engine.jobs import NO_JOB, Job, JobCancelled
from engine.training import Diverged
from engine.training.pace import measure_pace, recipe_for
from engine.training.records import (
    EVALUATION_COLUMNS,
    STEP_COLUMNS,
    Snapshot,
    evaluation_rows,
    step_rows,
)
from engine.training.tables import Table
from gui.training.news import Ended, Event, News, Order, Sample
from gui.training.recording import Recording
from gui.training.runaway import RunawayWatch
from gui.training.updates import UpdateSizes

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel
    from engine.training import Trainer

UPDATES_MEASURED = 200
"""In the course of a run, about."""


@dataclass
class _Kept:
    """What a LiveRun gathers."""

    steps: Table = field(default_factory=lambda: Table(*STEP_COLUMNS))
    evaluations: Table = field(default_factory=lambda: Table(*EVALUATION_COLUMNS))
    updates: Table = field(default_factory=Table)
    samples: list[Sample] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    runaway: RunawayWatch = field(default_factory=RunawayWatch)


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
        self._recording = Recording(order)
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
            self._recording.running(trainer)
            self._catch_up(trainer, job)
            for _ in self._steps(trainer, steps, job):
                self._note(trainer)
                if self._due(trainer):
                    self._sample(trainer, job)
                self._recording.keep_up(trainer, self._kept.events)
                job.publish(self._news(trainer))
                after = self._stop_after
                if after is not None and trainer.step_count > after:
                    break
        except JobCancelled:
            # The window may be closing: this is the last chance to write the run down.
            self._note(trainer)
            self._recording.keep_up(trainer, self._kept.events, now=True)
            raise
        except Diverged as diverged:
            back = trainer.go_back()
            self._went_back(trainer, back, f"diverged at step {diverged.step:,}")
            sentence = (
                f"At step {diverged.step:,} the loss was no longer a number: the steps were too "
                f"large. The run is back at step {back:,}, the last good state. "
                "Lower the learning rate, then resume."
            )
            self._recording.end("diverged", trainer)
            return Ended(self._news(trainer), "diverged", sentence)
        self._recording.keep_up(trainer, self._kept.events, now=True)
        return Ended(self._news(trainer), self._reason(trainer))

    def keep(self, *, job: Job = NO_JOB) -> News | None:
        """Bring the news up to date after a stop, with a copy of the model. None if the run had
        not begun."""
        if self._trainer is None:
            return None
        self._note(self._trainer)
        self._freeze(self._trainer)
        finished = self._trainer.finished
        self._recording.end("finished" if finished else "stopped", self._trainer)
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
            self._recording.changed(trainer, events[-1])
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
        best = self._recording.best()
        if step is None and best is not None:
            step = best.step
        if step is None:
            self._went_back(trainer, trainer.go_back(), why)
        else:
            trainer = self._trainer = self._recording.load(step)
            self._went_back(trainer, step, why)
        if rate is not None and trainer.recipe.learning_rate > 0:
            return self.set_rate_scale(rate / trainer.recipe.learning_rate)
        return self._news(trainer)

    def export(self, folder: Path) -> Path:
        """Write the run as it stands into a new folder: its weights, optimizer state and text as
        safetensors, its curves and settings as JSON. Returns the folder.

        Raises:
            LabError: if the folder holds something already, or can't be written.
        """
        return self._recording.export(self._opened(), folder)

    # ------------------------------------------------------------------------------ the work
    def _opened(self, job: Job = NO_JOB) -> Trainer:
        if self._trainer is None:
            from engine.training import Trainer  # loads torch, which belongs to this thread

            recipe, streams = self.order.recipe, self.order.streams
            held_out = self.order.scored
            if self.order.key:
                self._trainer = self._resumed()
                return self._trainer
            if self.order.seconds is not None:
                pace = measure_pace(recipe, streams.train, held_out, job)
                recipe = recipe_for(self.order.seconds, recipe, pace)
            self._trainer = Trainer(recipe, streams.train, held_out)
        return self._trainer

    def _resumed(self) -> Trainer:
        """The run that the order names, as its newest checkpoint has it."""
        trainer, past = self._recording.resume()
        kept = self._kept
        kept.samples, kept.events = past.samples, past.events
        if past.updates.names:
            kept.updates = past.updates
        if past.samples:
            self.prompt = past.samples[-1].prompt
        self._note(trainer)
        self._freeze(trainer)
        return trainer

    def _catch_up(self, trainer: Trainer, job: Job) -> None:
        """What a stop or a pause left undone, and, at the very start, where the run begins."""
        job.yield_point()
        done = trainer.history.evaluations
        if (not done or done[-1].step != trainer.step_count) and self._due(trainer):
            trainer.evaluate(job)
        self._note(trainer)
        if self._due(trainer):
            self._sample(trainer, job)
        self._recording.keep_up(trainer, self._kept.events)
        job.publish(self._news(trainer))

    def _steps(self, trainer: Trainer, steps: int | None, job: Job) -> Iterator[Snapshot]:
        """``trainer.run``, with the updates measured now and then."""
        sizes, kept = UpdateSizes(trainer), self._kept
        if not kept.updates.names:
            kept.updates = Table("step", *sizes.parts)
        every = max(1, trainer.recipe.steps // UPDATES_MEASURED)
        running = trainer.run(job, steps)
        while True:
            kept.events += self._recording.replay(trainer)
            if trainer.step_count % every == 0:
                sizes.before(trainer)
            snapshot = next(running, None)
            if snapshot is None:
                return
            measured = sizes.after(trainer)
            if measured is not None:
                row = (snapshot.record.step, *measured)
                kept.updates.append(row)
                self._recording.updated(kept.updates.names, row)
            yield snapshot

    def _due(self, trainer: Trainer) -> bool:
        """Whether the present step is one after which the held-out text is scored."""
        return trainer.evaluation_due

    def _reason(self, trainer: Trainer) -> Literal["finished", "paused"]:
        return "finished" if trainer.finished else "paused"

    def _note(self, trainer: Trainer) -> None:
        """Take over what the trainer's history has and the tables don't have yet."""
        kept, history = self._kept, trainer.history
        new = history.steps[len(kept.steps) :]
        for row in step_rows(new, self._seconds):
            kept.steps.append(row)
            kept.runaway.add(row[1], trainer)
        self._seconds = history.seconds
        scored = history.evaluations[len(kept.evaluations) :]
        for row in evaluation_rows(scored, trainer.tokens_per_step):
            kept.evaluations.append(row)
        if scored:
            self._freeze(trainer)

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
        self._recording.sampled(kept.samples[-1])

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
        kept.runaway.clear()
        self._recording.went_back(trainer, why, kept.samples)
        self._model_step = -1
        self._freeze(trainer)

    def _news(self, trainer: Trainer) -> News:
        kept = self._kept
        kept_states = self._recording.checkpoints
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
            runaway=kept.runaway.sentence,
            checkpoints=tuple(c.step for c in kept_states),
            checkpoint=None if not kept_states else kept_states[-1].folder,
            unsaved=self._recording.said,
            key=self._recording.key,
        )
        return self.latest
