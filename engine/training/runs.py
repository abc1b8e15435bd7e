"""A training run as it is kept: written while it goes on, and gone on with after any end.

What is on the disk when the process dies, in the order in which it gets there: the rows of the
curves within about a second, changes made by hand at once, and a checkpoint after every
``checkpoint_every`` steps (or with every evaluation) and at least every ``checkpoint_seconds``.
``resume`` loads the newest checkpoint that is whole; the steps after it are taken again, with
the same batches and the same changes made by hand, so they come out bit for bit as they were.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import LabError
from engine.runs import KeptRun, Mark, RunDescription, Source, Store
from engine.training.recipe import Recipe
from engine.training.records import (
    EVALUATION_COLUMNS,
    STEP_COLUMNS,
    History,
    evaluation_rows,
    step_rows,
)
from engine.workspace.attached import attach, attached

if TYPE_CHECKING:
    from engine.tokenizers.stream import TokenStream
    from engine.training.trainer import Trainer
    from engine.workspace.made import MadeTokenizer, Streams

KIND = "training"
STEPS, HELD_OUT, UPDATES = "steps", "held_out", "updates"
"""Tables: of STEP_COLUMNS and EVALUATION_COLUMNS (``engine.training.records``); and, if someone
measures them, how far each part of the model moved."""
EVENTS, SAMPLES = "events", "samples"
"""Journals: what was done to the run by hand, and what the model wrote."""
PLANNED = "plan"
"""The kind of those events by which a race by seconds planned its steps anew."""
LEAST_SHARE = 0.03
"""No more of a run's time than about this goes into timed checkpoints, however large it is."""


def describe(
    recipe: Recipe,
    title: str,
    streams: Streams,
    tokenizer: MadeTokenizer,
    store: Store,
    details: Mapping[str, Any] | None = None,
) -> RunDescription:
    """A run's description, its text and tokenizer kept beside it.

    Raises:
        LabError: if those can't be written.
    """
    made = streams.made_from
    return RunDescription(
        kind=KIND,
        title=title,
        settings=recipe.to_dict(),
        steps=recipe.steps,
        seed=recipe.seed,
        device=recipe.device,
        sources={
            "Text": Source(made.corpus_title, made.corpus),
            "Tokenizer": Source(made.tokenizer_label, made.tokenizer),
        },
        attachments=attach(store, streams, tokenizer),
        details=dict(details or {}),
    )


def materials(store: Store, description: RunDescription) -> tuple[Recipe, Streams, MadeTokenizer]:
    """What a run was begun with, whatever has become of the files it came from.

    Raises:
        LabError: if some of it is missing or damaged; the sentence says so.
    """
    recipe = Recipe.from_dict(dict(description.settings))
    return (recipe, *attached(store, description.attachments))


class Recorder:
    """Writes a run down. All methods belong to the thread that trains it."""

    def __init__(self, kept: KeptRun, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with an empty run, or see ``resume``."""
        self.kept = kept
        self._clock = clock
        self._saved_at, self._saving_took = clock(), 0.0
        self._saved_step = -1
        self._steps = self._evaluations = 0
        self._seconds = 0.0
        self._step_table = kept.table(STEPS, STEP_COLUMNS)
        self._evaluation_table = kept.table(HELD_OUT, EVALUATION_COLUMNS)
        self.events: list[dict[str, Any]] = []
        """What was done by hand up to the present step; ``replay`` adds to it."""
        self._to_come: list[dict[str, Any]] = []

    @property
    def saved_step(self) -> int:
        """The step of the last checkpoint that was tried; −1 before the first."""
        return self._saved_step

    # ------------------------------------------------------------------------------- as it goes
    def note(self, trainer: Trainer) -> None:
        """Take over what the trainer's history has and the tables don't.

        Raises:
            LabError: if it can't be written; it is kept in memory and tried again.
        """
        history = trainer.history
        for row in step_rows(history.steps[self._steps :], self._seconds):
            self._step_table.append(row)
        scored = history.evaluations[self._evaluations :]
        for row in evaluation_rows(scored, trainer.tokens_per_step):
            self._evaluation_table.append(row)
        self._count(history)
        self.kept.flush()

    def due(self, trainer: Trainer) -> bool:
        """Whether a checkpoint is due after the present step."""
        step, recipe = trainer.step_count, trainer.recipe
        if step == self._saved_step:
            return False
        every = recipe.checkpoint_every or recipe.eval_every
        if step in (0, recipe.steps) or (every and step % every == 0):
            return True
        seconds = max(recipe.checkpoint_seconds, self._saving_took / LEAST_SHARE)
        return bool(recipe.checkpoint_seconds) and self._clock() - self._saved_at >= seconds

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint now.

        Raises:
            LabError: if it can't be written; those before it are untouched.
        """
        started = self._saved_at = self._clock()
        self._saved_step = trainer.step_count
        self.note(trainer)
        scored = trainer.history.evaluations
        known = bool(scored) and scored[-1].step == trainer.step_count
        loss = scored[-1].loss if known else math.nan
        self.kept.keep(trainer.step_count, trainer.save, loss, figures(trainer))
        self._saved_at = self._clock()
        self._saving_took = self._saved_at - started

    def end(self, mark: Mark, trainer: Trainer) -> None:
        """Say how the run stands, with a checkpoint of its last state.

        Raises:
            LabError: if it can't be written.
        """
        if trainer.step_count != self._saved_step:
            self.save(trainer)
        self.kept.flush(sync=True)
        self.kept.mark(mark, trainer.step_count, figures(trainer))

    # -------------------------------------------------------------------------------- by hand
    def changed(self, trainer: Trainer, kind: str, text: str) -> None:
        """Write down, at once, that the learning rate's scale was changed by hand.

        Raises:
            LabError: if it can't be written; it is tried again with the next checkpoint.
        """
        step = trainer.step_count
        last = self.events[-1] if self.events else None
        again = last is not None and last["kind"] == kind and last["step"] == step
        if again:
            self.events.pop()  # two turns of the knob between two steps are one
        entry = self._entry(trainer, kind, text)
        self.events.append(entry)
        if again or self._to_come:
            self._to_come = []  # the run goes another way than before
            self.kept.journal(EVENTS).replace(self.events)
        else:
            self.kept.journal(EVENTS).append(entry)

    def adopt(self, trainer: Trainer, events: Iterable[tuple[int, str, str]]) -> None:
        """Take over what was done by hand before the run could be kept: step, kind and text.

        Raises:
            LabError: if it can't be written.
        """
        scale = trainer.learning_rate_scale
        self.events = [
            {"step": step, "kind": kind, "text": text, "scale": scale}
            for step, kind, text in events
        ]
        if self.events:
            self.kept.journal(EVENTS).replace(self.events)

    def went_back(self, trainer: Trainer, text: str) -> None:
        """Forget what came after the trainer's present step, and write down that it did.

        Raises:
            LabError: if that can't be written.
        """
        step, scale = trainer.step_count, trainer.learning_rate_scale
        self._to_come = []
        self.events = [
            e
            for e in self.events
            if e["step"] < step or (e["step"] == step and e["scale"] == scale)
        ]
        self.events.append(self._entry(trainer, "back", text))
        self._count(trainer.history)
        self._saved_step = -1
        self.kept.checkpoints.forget_after(step)
        self.kept.journal(EVENTS).replace(self.events)
        self.kept.cut(step)
        if step in [c.step for c in self.kept.checkpoints.all]:
            self.kept.mark("running", step, figures(trainer))
        else:
            self.save(trainer)

    def replay(self, trainer: Trainer) -> None:
        """Before a step: make the changes that were made by hand at this step the last time."""
        while self._to_come and self._to_come[0]["step"] <= trainer.step_count:
            event = self._to_come.pop(0)
            trainer.set_learning_rate_scale(event["scale"])
            self.events.append(event)

    def _count(self, history: History) -> None:
        self._steps, self._evaluations = len(history.steps), len(history.evaluations)
        self._seconds = history.seconds

    @staticmethod
    def _entry(trainer: Trainer, kind: str, text: str) -> dict[str, Any]:
        return {
            "step": trainer.step_count,
            "kind": kind,
            "text": text,
            "scale": trainer.learning_rate_scale,
        }

    # ------------------------------------------------------------------------------ going on
    @classmethod
    def resume(
        cls, kept: KeptRun, train: TokenStream, held_out: TokenStream
    ) -> tuple[Recorder, Trainer, str]:
        """Go on with a kept run from its newest checkpoint that is whole.

        Returns:
            The recorder, the run, and a sentence about what was damaged; empty if nothing was.

        Raises:
            LabError: if no checkpoint can be read, or they are of other texts.
        """
        trainer, sentence = _newest(kept, train, held_out)
        recorder = cls(kept)
        step = trainer.step_count
        if trainer.recipe.device != kept.description.device:
            sentence = (
                f"{sentence} The GPU that this run was trained on is not here, so it goes on on "
                "the processor: as well, but not bit for bit."
            )
        try:
            recorder._take_up(trainer)
        except LabError as error:  # a disk that is full or read-only: it can still be trained
            sentence = f"{sentence} {error} Training goes on, but would be lost in a crash."
        events = [e for e in kept.entries(EVENTS) if _is_event(e)]
        recorder.events = [e for e in events if e["step"] < step]
        recorder._to_come = [e for e in events if e["step"] >= step]
        recorder.replay(trainer)
        recorder._saved_step = step
        return recorder, trainer, sentence.strip()

    def _take_up(self, trainer: Trainer) -> None:
        """Bring the tables to what the checkpoint remembers, and say that the run is running."""
        history = trainer.history
        self._count(history)
        self._step_table.replace(list(step_rows(history.steps)))
        scored = list(evaluation_rows(history.evaluations, trainer.tokens_per_step))
        self._evaluation_table.replace(scored)
        self.kept.mark("running", trainer.step_count)


def figures(trainer: Trainer) -> dict[str, float]:
    """Numbers to show beside a run: ``loss`` (the last step's), ``held_out``, ``best_held_out``
    and ``best_step``, ``seconds``, ``tokens``, ``parameters``. Those not known are left out."""
    history = trainer.history
    found: dict[str, float] = {
        "seconds": history.seconds,
        "parameters": float(sum(p.numel() for p in trainer.module.parameters())),
    }
    if history.steps:
        found |= {"loss": history.steps[-1].loss, "tokens": float(history.steps[-1].tokens)}
    if history.evaluations:
        best = min(history.evaluations, key=lambda e: e.loss)
        found |= {
            "held_out": history.evaluations[-1].loss,
            "best_held_out": best.loss,
            "best_step": float(best.step),
        }
    return found


def load_checkpoint_at(
    kept: KeptRun, step: int, train: TokenStream, held_out: TokenStream
) -> Trainer:
    """The run as it was after ``step`` steps.

    Raises:
        LabError: if there is no such checkpoint, or it is damaged, or of other texts.
    """
    from engine.training.trainer import Trainer  # loads torch

    return Trainer.load(kept.checkpoints.at(step).folder, train, held_out)


def _newest(kept: KeptRun, train: TokenStream, held_out: TokenStream) -> tuple[Trainer, str]:
    problems: list[tuple[int, LabError]] = []
    for checkpoint in reversed(kept.checkpoints.all):
        try:
            trainer = load_checkpoint_at(kept, checkpoint.step, train, held_out)
        except LabError as error:
            problems.append((checkpoint.step, error))
            continue
        if not problems:
            return trainer, ""
        for damaged in kept.checkpoints.all:
            if damaged.step > checkpoint.step:
                kept.checkpoints.drop(damaged)
        return trainer, (
            f"The checkpoint at step {problems[0][0]:,} is damaged, so the run goes on from the "
            f"one before it, at step {checkpoint.step:,}."
        )
    if not problems:
        raise LabError("This run has no checkpoint to go on from. Its curves are still there.")
    raise LabError(f"No checkpoint of this run can be used. {problems[0][1]}") from problems[0][1]


def _is_event(entry: dict[str, Any]) -> bool:
    step, scale = entry.get("step"), entry.get("scale")
    words = isinstance(entry.get("kind"), str) and isinstance(entry.get("text"), str)
    numbers = type(step) is int and isinstance(scale, int | float) and 0 <= scale <= 1e9
    return words and numbers
