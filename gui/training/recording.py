"""A live run's way to the disk. No Qt.

What can't be written is told, and training goes on; it is tried again with the next checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from engine.errors import LabError
from engine.runs import Catalogue, Checkpoint, Mark, export_run
from engine.runs.exchange import check_empty
from engine.runs.kept import begin
from engine.runs.store import Store
from engine.runs.tables import read_table
from engine.training.runs import (
    PLANNED,
    SAMPLES,
    UPDATES,
    Recorder,
    describe,
    load_checkpoint_at,
    materials,
)
from engine.training.tables import Table
from gui.training.news import Event, Order, Sample

if TYPE_CHECKING:
    from engine.training import Trainer

GOES_ON = "Training goes on, but would be lost in a crash."


@dataclass(frozen=True)
class Past:
    """What a run that is gone on with had gathered by its checkpoint, besides its history."""

    samples: list[Sample]
    events: list[Event]
    updates: Table
    """Without columns where none was measured."""


class Recording:
    """Keeps one live run. All methods belong to the compute thread."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._recorder: Recorder | None = None
        self._note = ""
        self._problem = ""
        self._early: list[Callable[[Recorder], object]] = []
        """What there is to write before there is anything to write to."""

    # ------------------------------------------------------------------------------- what is so
    @property
    def key(self) -> str:
        """The run's key in the catalogue; empty until it is kept."""
        return "" if self._recorder is None else self._recorder.kept.key

    @property
    def said(self) -> str:
        """What to tell: what could not be written or read, and what was deleted to make room."""
        return " ".join(filter(None, (self._note, self._problem)))

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The states that the run can be taken back to."""
        return () if self._recorder is None else self._recorder.kept.checkpoints.all

    def best(self) -> Checkpoint | None:
        """The one of the lowest held-out loss, if any is known."""
        return None if self._recorder is None else self._recorder.kept.checkpoints.best()

    def load(self, step: int) -> Trainer:
        """The run as it was after ``step`` steps.

        Raises:
            LabError: if there is no such checkpoint, or it is damaged.
        """
        if self._recorder is None:
            raise LabError(f"There is no checkpoint at step {step:,}.")
        order = self._order
        return load_checkpoint_at(self._recorder.kept, step, order.streams.train, order.scored)

    # ------------------------------------------------------------------------------- as it goes
    def resume(self) -> tuple[Trainer, Past]:
        """Open the run that the order names, at its newest checkpoint.

        Raises:
            LabError: if it is gone, another window runs it, or no checkpoint can be read.
        """
        order = self._order
        assert order.catalogue is not None
        kept = order.catalogue.open(order.key)
        recorder, trainer, self._note = Recorder.resume(kept, order.streams.train, order.scored)
        self._recorder = recorder
        past = Past([], _events(recorder.events), Table())
        try:
            past = self._past(recorder, trainer.step_count)
        except LabError as error:
            self._problem = f"{error} {GOES_ON}"
        return trainer, past

    def _past(self, recorder: Recorder, step: int) -> Past:
        kept = recorder.kept
        samples = [s for s in map(_sample, kept.entries(SAMPLES)) if s and s.step <= step]
        kept.journal(SAMPLES).replace([asdict(s) for s in samples])
        updates = read_table(kept.folder / f"{UPDATES}.jsonl")
        table = Table(*updates.names)
        for row in zip(*(updates[n].tolist() for n in updates.names), strict=True):
            if row[0] <= step:
                table.append(row)
        if updates.names:
            kept.table(UPDATES, updates.names).cut(step)
        return Past(samples, _events(recorder.events), table)

    def running(self, trainer: Trainer) -> None:
        """Say that the run goes on."""
        recorder = self._recorder
        if recorder is not None and recorder.kept.state.mark != "running":
            self._try(lambda: recorder.kept.mark("running", trainer.step_count))

    def replay(self, trainer: Trainer) -> list[Event]:
        """Before a step: make the changes by hand that a crash made undone; returns them."""
        if self._recorder is None:
            return []
        known = len(self._recorder.events)
        self._recorder.replay(trainer)
        return _events(self._recorder.events[known:])

    def keep_up(self, trainer: Trainer, events: Sequence[Event], now: bool = False) -> None:
        """After a step: write what is new, and a checkpoint if one is due or ``now`` wants it."""
        recorder = self._recorder
        if recorder is None:
            every = trainer.recipe.checkpoint_every or trainer.recipe.eval_every
            if now or trainer.step_count == 0 or (every and trainer.step_count % every == 0):
                self._try(lambda: self._begin(trainer, events))
        elif recorder.due(trainer) or (now and recorder.saved_step != trainer.step_count):
            self._try(lambda: recorder.save(trainer))
        else:
            self._try(lambda: recorder.note(trainer), clears=False)

    def _begin(self, trainer: Trainer, events: Sequence[Event]) -> None:
        order = self._order
        if order.catalogue is None:
            return
        about = describe(
            trainer.recipe,
            order.title,
            order.streams,
            order.tokenizer,
            order.catalogue.store,
            order.details(),
        )
        recorder = Recorder(order.catalogue.create(about))
        recorder.adopt(trainer, [(e.step, e.kind, e.text) for e in events])
        self._recorder = recorder  # from here on, whatever fails is tried again in this folder
        early, self._early = self._early, []
        for work in early:  # each waits in its file's buffer if it can't be written yet
            self._write(work)
        recorder.save(trainer)
        spared = (recorder.kept.key, *order.spared)
        self._note = " ".join(order.catalogue.make_room(spared))

    def changed(self, trainer: Trainer, event: Event) -> None:
        """Write down at once what was done by hand."""
        recorder = self._recorder
        if recorder is not None:
            self._try(lambda: recorder.changed(trainer, event.kind, event.text), clears=False)

    def went_back(self, trainer: Trainer, text: str, samples: Sequence[Sample]) -> None:
        """Forget on disk what came after the trainer's step."""
        recorder = self._recorder
        self._early.clear()
        if recorder is not None:
            entries = [asdict(s) for s in samples]
            self._try(lambda: recorder.went_back(trainer, text))
            self._try(lambda: recorder.kept.journal(SAMPLES).replace(entries), clears=False)

    def sampled(self, sample: Sample) -> None:
        """Keep what the model wrote."""
        entry = asdict(sample)
        self._write(lambda recorder: recorder.kept.journal(SAMPLES).append(entry, sync=False))

    def updated(self, names: tuple[str, ...], row: tuple[float, ...]) -> None:
        """Keep how far a step moved the model's parts."""
        self._write(lambda recorder: recorder.kept.table(UPDATES, names).append(row))

    def _write(self, work: Callable[[Recorder], object]) -> None:
        recorder = self._recorder
        if recorder is not None:
            self._try(lambda: work(recorder), clears=False)
        elif self._order.catalogue is not None:
            self._early.append(work)

    def end(self, mark: Mark, trainer: Trainer) -> None:
        """Say how the run stands, with a checkpoint of its last state."""
        recorder = self._recorder
        if recorder is not None:
            self._try(lambda: recorder.end(mark, trainer))

    def export(self, trainer: Trainer, folder: Path) -> Path:
        """Write the run as it stands into a new folder (``engine.runs.exchange``).

        Raises:
            LabError: if the folder holds something already, or can't be written.
        """
        order, recorder = self._order, self._recorder
        check_empty(folder)
        if recorder is not None and order.catalogue is not None:
            if recorder.saved_step != trainer.step_count:
                recorder.save(trainer)
            return export_run(order.catalogue, recorder.kept.key, folder)
        store = Store(folder / "shared")
        about = describe(
            trainer.recipe, order.title, order.streams, order.tokenizer, store, order.details()
        )
        Recorder(begin(folder, about)).end("stopped", trainer)
        return folder

    def _try(self, work: Callable[[], object], clears: bool = True) -> None:
        try:
            work()
        except LabError as error:
            self._problem = f"{error} {GOES_ON}"
        else:
            if clears:
                self._problem = ""


def _events(entries: Sequence[dict[str, Any]]) -> list[Event]:
    kinds: dict[str, Literal["back", "plan"]] = {"back": "back", PLANNED: "plan"}
    return [Event(e["step"], kinds.get(e["kind"], "rate"), e["text"]) for e in entries]


def _sample(entry: dict[str, Any]) -> Sample | None:
    values = [entry.get(n) for n in ("step", "prompt", "text", "ended")]
    if [type(v) for v in values] != [int, str, str, bool]:
        return None
    return Sample(*cast(tuple[int, str, str, bool], values))


def reopened(catalogue: Catalogue, key: str) -> Order:
    """The order of a kept run, to go on with it: on its own text, in its own tokens.

    Raises:
        LabError: if the run, its text or its tokenizer is gone or damaged.
    """
    summary = catalogue.summary(key)
    recipe, streams, tokenizer = materials(catalogue.store, summary.description)
    details = summary.description.details
    rate, turned, size = (details.get(n) for n in ("usual_rate", "turned", "size"))
    return Order(
        recipe=recipe,
        size=_text(size),
        streams=streams,
        tokenizer=tokenizer,
        prompt=_text(details.get("prompt")),
        sample_tokens=_count(details.get("sample_tokens"), 60),
        sample_seed=_count(details.get("sample_seed"), 0),
        usual_rate=float(rate) if isinstance(rate, int | float) and rate > 0 else math.inf,
        catalogue=catalogue,
        key=key,
        turned=tuple(map(str, turned)) if isinstance(turned, list) else (),
        name=summary.name,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any, usual: int) -> int:
    return value if type(value) is int and 0 <= value < 100_000 else usual
