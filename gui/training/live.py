"""A training run as the compute thread holds it. No Qt.

``LiveRun`` keeps its trainer from one job to the next, so that a run can be paused, stepped and
resumed. The window sees only what it publishes: ``News``, which never changes.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from engine.generation import generate
from engine.jobs import NO_JOB, Job
from engine.training import Diverged, Recipe
from engine.training.pace import measure_pace, recipe_for
from engine.training.records import Evaluation, StepRecord
from engine.workspace import MadeTokenizer, Streams
from gui.training.tables import Table, View

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel
    from engine.training import Trainer

STEP_COLUMNS = (
    "step",
    "loss",
    "learning_rate",
    "gradient_norm",
    "seconds",
    "tokens",
    "tokens_per_second",
)
"""Of each step; ``seconds`` is the wall time in steps up to its end."""
EVALUATION_COLUMNS = ("step", "loss", "seconds", "tokens")
"""Of each pass over the held-out text."""
MOST_NAMED = 2
"""So many turned knobs are named in a run's title."""
RECENT_STEPS = 20
RISE = 1.5
"""Nats above its lowest at which the mean loss of the last RECENT_STEPS counts as run away."""


@dataclass(frozen=True)
class Order:
    """What is to be trained, on what."""

    recipe: Recipe
    size: str
    """A key of SIZES, or "" for a shape of one's own."""
    streams: Streams
    tokenizer: MadeTokenizer
    prompt: str = ""
    """What the samples continue."""
    sample_tokens: int = 60
    sample_seed: int = 0
    turned: tuple[str, ...] = ()
    """Knobs that are not as recipe and size say, such as "optimizer sgd"."""
    seconds: float | None = None
    """Measure first how many steps fit into so long a time; None takes the recipe's steps."""

    @property
    def title(self) -> str:
        """What the run is called, such as "Modern, small"."""
        shown = self.turned if len(self.turned) <= MOST_NAMED else (f"{len(self.turned)} changes",)
        return ", ".join((self.recipe.name, self.size or "own shape", *shown))

    @property
    def has_held_out(self) -> bool:
        """Whether there is text that nothing is trained on."""
        return self.streams.held_out.n_targets > 0


@dataclass(frozen=True)
class Sample:
    """What the model wrote after some steps, from the same prompt and seed each time."""

    step: int
    prompt: str
    text: str
    """The continuation."""
    ended: bool
    """Whether the model ended the document by itself."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the run after ``step`` steps."""

    step: int
    kind: Literal["rate", "back"]
    text: str


@dataclass(frozen=True)
class News:
    """All there is to know of a run at one moment. Immutable."""

    recipe: Recipe
    steps: View
    evaluations: View
    samples: tuple[Sample, ...] = ()
    """Oldest first."""
    events: tuple[Event, ...] = ()
    rate_scale: float = 1.0
    """What the recipe's learning rates are multiplied with from the next step on."""
    flops_per_step: int = 0
    model: TransformerModel | None = None
    """The model as it was at ``model_step``; nothing trains it any more."""
    model_step: int = 0
    runaway: str = ""
    """A sentence, while the loss is far above where it was."""

    @property
    def step(self) -> int:
        """Steps taken."""
        return len(self.steps)

    @property
    def finished(self) -> bool:
        """Whether the recipe's steps have been taken."""
        return self.step >= self.recipe.steps


@dataclass(frozen=True)
class Ended:
    """How a job of training ended of itself."""

    news: News
    reason: Literal["finished", "paused", "diverged"]
    sentence: str = ""
    """What to tell, after a divergence."""


@dataclass
class _Kept:
    """What a LiveRun gathers."""

    steps: Table = field(default_factory=lambda: Table(*STEP_COLUMNS))
    evaluations: Table = field(default_factory=lambda: Table(*EVALUATION_COLUMNS))
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
            for _ in trainer.run(job, steps):
                self._note(trainer)
                if self._due(trainer):
                    self._sample(trainer, job)
                job.publish(self._news(trainer))
                after = self._stop_after
                if after is not None and trainer.step_count > after:
                    return Ended(self._news(trainer), self._reason(trainer))
        except Diverged as diverged:
            back = self._go_back(trainer, f"diverged at step {diverged.step}")
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

    def go_back(self, rate_scale: float | None = None, *, job: Job = NO_JOB) -> News:
        """Restore the last good state; then multiply the learning rates with ``rate_scale``."""
        trainer = self._opened()
        self._go_back(trainer, f"went back from step {trainer.step_count:,}")
        return self._news(trainer) if rate_scale is None else self.set_rate_scale(rate_scale)

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
            self._watch()
        for evaluation in history.evaluations[len(kept.evaluations) :]:
            kept.evaluations.append(_evaluation_row(evaluation, trainer.tokens_per_step))
            self._freeze(trainer)

    def _watch(self) -> None:
        """Notice a loss that runs away without ceasing to be a number."""
        kept = self._kept
        if len(kept.recent) < RECENT_STEPS:
            return
        mean = sum(kept.recent) / len(kept.recent)
        kept.lowest = min(kept.lowest, mean)
        kept.runaway = ""
        if mean > kept.lowest + RISE:
            kept.runaway = (
                f"The loss rose from {kept.lowest:.2f} to {mean:.2f}: the steps are too large. "
                "Go back to the last good state and lower the learning rate."
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

    def _go_back(self, trainer: Trainer, why: str) -> int:
        step = trainer.go_back()
        kept = self._kept
        kept.steps.cut(step)
        kept.evaluations.cut(len(trainer.history.evaluations))
        self._seconds = trainer.history.seconds
        kept.samples = [s for s in kept.samples if s.step <= step]
        kept.events = [e for e in kept.events if e.step <= step]
        kept.events.append(Event(step, "back", why))
        kept.recent.clear()
        kept.lowest, kept.runaway = math.inf, ""
        self._model_step = -1
        self._freeze(trainer)
        return step

    def _news(self, trainer: Trainer) -> News:
        kept = self._kept
        self.latest = News(
            recipe=trainer.recipe,
            steps=kept.steps.view(),
            evaluations=kept.evaluations.view(),
            samples=tuple(kept.samples),
            events=tuple(kept.events),
            rate_scale=trainer.learning_rate_scale,
            flops_per_step=trainer.flops_per_step,
            model=self._model,
            model_step=self._model_step,
            runaway=kept.runaway,
        )
        return self.latest


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
