"""Kept runs in one plot, in units of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt

from engine.training.comparing import ComparedRun, Curves
from gui.training.arm_looks import arm_look
from gui.training.loss_view import smoothing_for
from gui.training.units import ALONG, LOSSES, LossUnit
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.notice import Tone
from gui.widgets.safe_text import shortened

Floats = npt.NDArray[np.float64]
LARGEST = {"nats": 1e3, "bits": 1e3, "perplexity": 1e4}
TRAINING = "training"
OTHER_TOKENS = (
    "These runs cut their text into different tokens: a loss per token then says more about the "
    "tokens than about the model. Bits per byte can be compared."
)
LONGEST_NAME = 48
"""Characters, about, of a name in a legend; those who give runs away may call them anything."""


def short(name: str) -> str:
    """A name that a legend has room for."""
    return shortened(name, LONGEST_NAME)


def title_of(run: ComparedRun, runs: Sequence[ComparedRun]) -> str:
    """Its name; where others have the same, with the time when it was begun."""
    name = short(run.summary.name)
    alike = [other for other in runs if short(other.summary.name) == name]
    if len(alike) < 2:
        return name
    return f"{name} ({run.key[9:11]}:{run.key[11:13]}:{run.key[13:15]})"


class Overlay:
    """Draws runs into a plot."""

    def __init__(self, plot: CurvePlot) -> None:
        self._plot = plot
        self.unit = "nats"
        self.along = "step"
        self.training_too = False

    def draw(
        self,
        runs: Sequence[ComparedRun],
        curves: Mapping[str, Curves],
        looks: Mapping[str, int],
    ) -> None:
        """Show these runs and no others.

        Args:
            runs: what to draw.
            curves: by the runs' keys; runs without are left out until they have some.
            looks: the number of each run's look, by its key.
        """
        title = LOSSES[self.unit]
        loss = title if self.unit == "perplexity" else f"loss ({title})"
        self._plot.set_axis_labels(ALONG[self.along], f"held-out {loss}")
        wanted = {}
        for run in runs:
            if run.key in curves and self._units(run) is not None and self._fits(run):
                wanted[title_of(run, runs)] = run
        names = set(wanted)
        if self.training_too:
            names |= {f"{name}, {TRAINING}" for name in wanted}
        for name in self._plot.series_names():
            if name not in names:
                self._plot.remove_series(name)
        longest = max((len(curves[run.key].steps["step"]) for run in wanted.values()), default=1)
        self._plot.set_smoothing(smoothing_for(longest))
        for name, run in wanted.items():
            self._one(name, run, curves[run.key], looks[run.key])

    def left_out(self, runs: Sequence[ComparedRun]) -> list[str]:
        """The names of runs that cannot be shown in these units."""
        return [r.summary.name for r in runs if self._units(r) is None or not self._fits(r)]

    def _fits(self, run: ComparedRun) -> bool:
        return self.along != "flops" or run.flops_per_token is not None

    def _units(self, run: ComparedRun) -> tuple[LossUnit, LossUnit] | None:
        """Of its training and its held-out loss."""
        if self.unit != "bits":
            return LossUnit(self.unit), LossUnit(self.unit)
        text = run.text
        if text is None or not text.lossless:
            return None
        return (
            LossUnit("bits", text.train_tokens_per_byte),
            LossUnit("bits", text.held_out_tokens_per_byte),
        )

    def _one(self, name: str, run: ComparedRun, curves: Curves, number: int) -> None:
        look, units = arm_look(number), self._units(run)
        assert units is not None
        if self.training_too:
            self._plot.set_series(
                f"{name}, {TRAINING}",
                self._places(run, curves.steps),
                self._bounded(units[0](curves.steps["loss"])),
                kind=look.colour,
                line=Qt.PenStyle.DotLine,
                smooth=True,
            )
        self._plot.set_series(
            name,
            self._places(run, curves.held_out),
            self._bounded(units[1](curves.held_out["loss"])),
            kind=look.colour,
            line=look.line,
            marker=look.marker,
        )

    def _places(self, run: ComparedRun, table: Mapping[str, Floats]) -> Floats:
        if self.along == "flops":
            return table["tokens"] * (run.flops_per_token or 0.0)
        return table[self.along]

    def _bounded(self, values: Floats) -> Floats:
        return np.where(values > LARGEST[self.unit], np.nan, values)


def units_said(overlay: Overlay, shown: Sequence[ComparedRun]) -> tuple[str, Tone, str]:
    """Whether the losses of runs can be compared in these units: a sentence (empty if they can),
    its tone, and what a button may say."""
    left_out, bits = overlay.left_out(shown), overlay.unit == "bits"
    if left_out:
        names = ", ".join(f"“{short(name)}”" for name in left_out)
        why = (
            "their tokens do not tell all of the text, or the text was not kept"
            if bits
            else "their text was not kept"
        )
        return f"Not drawn in these units: {names} ({why}).", "info", ""
    if len({run.tokens for run in shown}) > 1 and not bits:
        return OTHER_TOKENS, "warning", "Show bits per byte"
    return "", "info", ""
