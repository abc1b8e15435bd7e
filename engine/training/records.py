"""What a training run tells about itself: immutable, plain numbers, no torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.errors import LabError

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


@dataclass
class History:
    """Every step and evaluation of a run, as growing columns."""

    steps: list[StepRecord] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    _seconds: float = 0.0

    def add(self, record: StepRecord) -> None:
        """Append a step."""
        self.steps.append(record)
        self._seconds += record.seconds

    @property
    def seconds(self) -> float:
        """Wall time spent in steps."""
        return self._seconds

    def cut(self, step: int) -> None:
        """Forget what came after ``step`` steps."""
        self.steps = self.steps[:step]
        self.evaluations = [e for e in self.evaluations if e.step <= step]
        self._seconds = sum(record.seconds for record in self.steps)

    def columns(self) -> dict[str, Floats]:
        """Arrays by name: step, loss, learning_rate, gradient_norm, seconds, tokens (steps,);
        evaluation_step, evaluation_loss, evaluation_seconds (evaluations,). ``seconds`` is each
        step's own; their running sum is the wall time in steps."""
        names = ("step", "loss", "learning_rate", "gradient_norm", "seconds", "tokens")
        result = {n: np.array([getattr(r, n) for r in self.steps], dtype=np.float64) for n in names}
        for n in ("step", "loss", "seconds"):
            values = [getattr(e, n) for e in self.evaluations]
            result[f"evaluation_{n}"] = np.array(values, dtype=np.float64)
        return result

    @classmethod
    def from_columns(cls, columns: dict[str, Floats]) -> History:
        """The history of ``columns``' arrays.

        Raises:
            ValueError: if columns of one table differ in length.
            KeyError: if one is missing.
        """
        names = ("step", "loss", "learning_rate", "gradient_norm", "seconds", "tokens")
        history = cls()
        before = 0.0
        for step, loss, rate, norm, seconds, tokens in zip(
            *(columns[n].tolist() for n in names), strict=True
        ):
            per_second = (tokens - before) / seconds if seconds > 0 else 0.0
            before = tokens
            history.add(StepRecord(int(step), loss, rate, norm, seconds, int(tokens), per_second))
        for step, loss, seconds in zip(
            *(columns[f"evaluation_{n}"].tolist() for n in ("step", "loss", "seconds")),
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
