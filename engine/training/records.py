"""What a training run tells about itself: immutable, plain numbers, no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import overload

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.training.tables import Table, View

Floats = npt.NDArray[np.float64]

STEP_COLUMNS = (
    "step",
    "loss",
    "learning_rate",
    "gradient_norm",
    "seconds",
    "tokens",
    "tokens_per_second",
)
"""Of each step, as curves show it; ``seconds`` is the wall time in steps up to its end."""
EVALUATION_COLUMNS = ("step", "loss", "seconds", "tokens")
"""Of each pass over the held-out text."""


@dataclass(frozen=True)
class StepRecord:
    """One step."""

    step: int
    """Steps taken, this one included: the first is 1."""
    loss: float
    """Mean −log p(target) over the batch in nats per token, before the step."""
    learning_rate: float
    """η of this step (Muon: that of the matrices)."""
    gradient_norm: float
    """Euclidean length of the whole gradient, before clipping."""
    seconds: float
    """Wall time of this step."""
    tokens: int
    """Tokens trained on so far, this step included."""
    tokens_per_second: float
    """Of this step."""


@dataclass(frozen=True)
class Evaluation:
    """One pass over the whole held-out text."""

    step: int
    """Steps taken before it."""
    loss: float
    """Nats per token, every token predicted once."""
    seconds: float
    """Wall time spent in training steps before it, evaluations not included."""


@dataclass(frozen=True)
class Snapshot:
    """What ``Trainer.run`` yields after each step."""

    record: StepRecord
    evaluation: Evaluation | None
    """Set if the held-out text was scored after this step."""


class Diverged(LabError):  # noqa: N818 - a state of the run, named as one says it
    """The loss or the gradient is no longer a finite number. Nothing was changed by that step."""

    def __init__(self, step: int, last_good: int) -> None:
        super().__init__(
            f"At step {step} the loss is no longer a number: the steps were too large. "
            f"Go back to the last good state, after step {last_good}, and lower the learning rate."
        )
        self.step = step
        """The step that could not be taken."""
        self.last_good = last_good
        """Steps taken in the state that ``Trainer.go_back`` restores."""


_STEP_FIELDS = tuple(f.name for f in fields(StepRecord))
_KEPT_FIELDS = _STEP_FIELDS[:-1]
"""What a checkpoint holds of each step; the rate follows from the others."""


class StepRecords(Sequence[StepRecord]):
    """The steps of a history at one moment, made into records as they are asked for."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    @overload
    def __getitem__(self, index: int) -> StepRecord: ...

    @overload
    def __getitem__(self, index: slice) -> list[StepRecord]: ...

    def __getitem__(self, index: int | slice) -> StepRecord | list[StepRecord]:
        if isinstance(index, slice):
            columns = (self._view[name][index].tolist() for name in _STEP_FIELDS)
            return [_step_record(*values) for values in zip(*columns, strict=True)]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return _step_record(*(float(self._view[name][index]) for name in _STEP_FIELDS))


def _step_record(
    step: float,
    loss: float,
    learning_rate: float,
    gradient_norm: float,
    seconds: float,
    tokens: float,
    tokens_per_second: float,
) -> StepRecord:
    return StepRecord(
        int(step), loss, learning_rate, gradient_norm, seconds, int(tokens), tokens_per_second
    )


class History:
    """Every step and evaluation of a run, as growing columns: a long run has a great many steps,
    and a record apiece would take six times the memory of its numbers."""

    def __init__(self) -> None:
        self._table = Table(*_STEP_FIELDS)
        self.evaluations: list[Evaluation] = []
        self._seconds = 0.0

    def add(self, record: StepRecord) -> None:
        """Append a step."""
        self._table.append([getattr(record, name) for name in _STEP_FIELDS])
        self._seconds += record.seconds

    @property
    def steps(self) -> StepRecords:
        """The steps so far, in order."""
        return StepRecords(self._table.view())

    @property
    def seconds(self) -> float:
        """Wall time spent in steps."""
        return self._seconds

    def cut(self, step: int) -> None:
        """Forget what came after ``step`` steps."""
        self._table.cut(step)
        self.evaluations = [e for e in self.evaluations if e.step <= step]
        self._seconds = sum(self._table.view()["seconds"].tolist())

    def columns(self) -> dict[str, Floats]:
        """Arrays by name: step, loss, learning_rate, gradient_norm, seconds, tokens (steps,);
        evaluation_step, evaluation_loss, evaluation_seconds (evaluations,). ``seconds`` is each
        step's own; their running sum is the wall time in steps."""
        view = self._table.view()
        result = {name: view[name].copy() for name in _KEPT_FIELDS}
        for name in ("step", "loss", "seconds"):
            values = [getattr(e, name) for e in self.evaluations]
            result[f"evaluation_{name}"] = np.array(values, dtype=np.float64)
        return result

    @classmethod
    def from_columns(cls, columns: dict[str, Floats]) -> History:
        """The history of ``columns``' arrays.

        Raises:
            ValueError: if columns of one table differ in length.
            KeyError: if one is missing.
        """
        history = cls()
        before = 0.0
        for step, loss, rate, norm, seconds, tokens in zip(
            *(columns[name].tolist() for name in _KEPT_FIELDS), strict=True
        ):
            per_second = (tokens - before) / seconds if seconds > 0 else 0.0
            before = tokens
            history.add(_step_record(step, loss, rate, norm, seconds, tokens, per_second))
        for step, loss, seconds in zip(
            *(columns[f"evaluation_{name}"].tolist() for name in ("step", "loss", "seconds")),
            strict=True,
        ):
            history.evaluations.append(Evaluation(int(step), loss, seconds))
        return history


def step_rows(records: Iterable[StepRecord], seconds: float = 0.0) -> Iterator[tuple[float, ...]]:
    """Steps as STEP_COLUMNS.

    Args:
        records: steps that follow one another.
        seconds: wall time spent in the steps before them.
    """
    for record in records:
        seconds += record.seconds
        yield (
            record.step,
            record.loss,
            record.learning_rate,
            record.gradient_norm,
            seconds,
            record.tokens,
            record.tokens_per_second,
        )


def evaluation_rows(
    evaluations: Iterable[Evaluation], tokens_per_step: int
) -> Iterator[tuple[float, ...]]:
    """Evaluations as EVALUATION_COLUMNS."""
    for evaluation in evaluations:
        tokens = evaluation.step * tokens_per_step
        yield (evaluation.step, evaluation.loss, evaluation.seconds, tokens)
