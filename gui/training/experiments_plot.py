"""What an experiment's plot shows: curves, a sweep's U, or losses against model size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt

from engine.models.landmarks import Landmark as Line
from engine.training.scaling import COVERED, Fit
from gui.training.arm_looks import arm_look
from gui.training.units import ALONG, LOSSES, LossUnit
from gui.widgets.curve_plot import CurvePlot, Landmark, Mark

if TYPE_CHECKING:
    from engine.training.experiment_runs import ArmStanding, Standing

Floats = npt.NDArray[np.float64]
LINE_KINDS = {"unigram": "ngram", "bigram": "ngram", "ngram": "ngram", "truth": "truth"}
LARGEST_PERPLEXITY = 1e4
FITTED_POINTS = 121
FAILED = "worse than guessing"


class Drawing:
    """Draws standings into a plot, in units of choice."""

    def __init__(self, plot: CurvePlot) -> None:
        self._plot = plot
        self.unit = LossUnit("nats")
        self.along = "step"
        self.training_too = False
        self.lines: tuple[Line, ...] = ()

    def clear(self) -> None:
        """Take away all curves, and the landmarks with them."""
        self._plot.clear()
        self._plot.set_landmarks([])

    def draw(self, standing: Standing, law: Fit | None) -> None:
        """Draw how far an experiment is."""
        shape = standing.experiment.shape
        loss = LOSSES[self.unit.key]
        title = loss if self.unit.key == "perplexity" else f"loss ({loss})"
        if shape == "curves":
            self._plot.set_axis_labels(ALONG[self.along], f"held-out {title}")
            self._curves(standing)
        elif shape == "sweep":
            self._plot.set_axis_labels("learning rate η", f"held-out {title}, the newest")
            self._sweep(standing)
        else:
            self._plot.set_axis_labels("parameters N", f"held-out {title}, the newest")
            self._sizes(standing, law)
        self._landmarks(standing)

    # ------------------------------------------------------------------------------- curves
    def _curves(self, standing: Standing) -> None:
        for index, arm in enumerate(standing.arms):
            look = arm_look(index)
            if self.training_too:
                self._plot.set_series(
                    f"{arm.arm.name}, training batches",
                    self._places(arm, arm.steps["step"]),
                    self._bounded(self.unit(arm.steps["loss"])),
                    kind=look.colour,
                    line=Qt.PenStyle.DotLine,
                    smooth=True,
                )
            else:
                self._plot.remove_series(f"{arm.arm.name}, training batches")
            self._plot.set_series(
                arm.arm.name,
                self._places(arm, arm.evaluations["step"]),
                self._bounded(self.unit(arm.evaluations["loss"])),
                kind=look.colour,
                line=look.line,
                marker=look.marker,
            )
        self._plot.set_marks(
            [
                Mark(float(self._places(arm, np.array([float(arm.step)]))[0]), arm.arm.name, why)
                for arm in standing.arms
                if (why := arm.problem)
            ]
        )

    def _places(self, arm: ArmStanding, steps: Floats) -> Floats:
        if self.along == "step" or not arm.step:
            return steps
        if self.along == "flops":
            return steps * float(arm.flops_per_step)
        table = np.concatenate(([0.0], arm.steps[self.along]))  # (steps + 1,)
        places: Floats = table[np.minimum(steps, arm.step).astype(np.int64)]
        return places

    # -------------------------------------------------------------------------------- sweeps
    def _sweep(self, standing: Standing) -> None:
        """The last loss against the rate; what is worse than guessing stands on its line."""
        ordered = sorted(standing.arms, key=lambda arm: arm.arm.recipe.learning_rate)
        rates = np.array([arm.arm.recipe.learning_rate for arm in ordered])
        losses = np.array([arm.loss for arm in ordered])
        known = ~np.isnan(losses)
        failed = known & np.array([_over(arm) and not standing.learned(arm) for arm in ordered])
        shown = np.where(known & ~failed, losses, np.nan)
        self._plot.set_log_x(True)
        self._plot.set_series(
            "held-out loss", rates, self.unit(shown), kind=arm_look(0).colour, marker="o"
        )
        top = float(self.unit(np.array([standing.guessing]))[0])
        self._plot.set_series(
            FAILED,
            rates[failed],
            np.full(int(failed.sum()), top),
            kind=arm_look(1).colour,
            line=Qt.PenStyle.DotLine,
            marker="x",
        )
        self._plot.set_marks(
            [
                Mark(
                    arm.arm.recipe.learning_rate,
                    FAILED,
                    arm.problem or f"ended at {arm.loss:,.2f} nats per token",
                )
                for arm, bad in zip(ordered, failed.tolist(), strict=True)
                if bad and _over(arm)
            ]
        )

    # --------------------------------------------------------------------------------- sizes
    def _sizes(self, standing: Standing, law: Fit | None) -> None:
        """Loss against size for each budget, with the law through all of them."""
        self._plot.set_log_x(True)
        groups = list(dict.fromkeys(arm.arm.group for arm in standing.arms))
        marks = []
        for index, group in enumerate(groups):
            arms = [arm for arm in standing.arms if arm.arm.group == group]
            look = arm_look(index)
            sizes = np.array([float(arm.parameters) for arm in arms])
            learned = [standing.learned(arm) for arm in arms]
            losses = np.where(learned, [arm.loss for arm in arms], np.nan)
            self._plot.set_series(
                f"{group} operations",
                sizes,
                self.unit(losses),
                kind=look.colour,
                line=Qt.PenStyle.DotLine,
                marker=look.marker,
            )
            if law is None:
                continue
            grid, tokens = _at_equal_compute(arms)
            self._plot.set_series(
                f"law at {group}",
                grid,
                self.unit(law.law.loss(grid, tokens)),
                kind=look.colour,
                line=Qt.PenStyle.SolidLine,
            )
            best = grid[int(np.argmin(law.law.loss(grid, tokens)))]
            if grid[0] < best < grid[-1]:
                why = f"By the law, about {float(f'{best:.2g}'):,.0f} parameters."
                marks.append(Mark(float(best), f"best size at {group}", why))
            if index == len(groups) - 1:
                self._spread(law, grid, tokens)
        self._plot.set_marks(marks)

    def _spread(self, law: Fit, grid: Floats, tokens: Floats) -> None:
        """Where the middle nine tenths of the refitted laws lie, at one budget."""
        if not law.resampled:
            return
        losses = np.stack([one.loss(grid, tokens) for one in law.resampled])  # (laws, points)
        for share in ((1 - COVERED) / 2, (1 + COVERED) / 2):
            self._plot.set_series(
                f"{share:.0%} of refitted laws lie below",
                grid,
                self.unit(np.quantile(losses, share, axis=0)),
                kind="neutral",
                line=Qt.PenStyle.DotLine,
            )

    # ------------------------------------------------------------------------------- the rest
    def _landmarks(self, standing: Standing) -> None:
        """The text's lines that the curves come near; guessing alone where there are none."""
        lines = self.lines
        if standing.experiment.shape != "curves":
            reached = min((a.loss for a in standing.arms if math.isfinite(a.loss)), default=0.0)
            lines = tuple(m for m in lines if m.key in ("uniform", "bigram", "truth"))
            if standing.experiment.shape == "scaling":
                lines = tuple(m for m in lines if m.key == "bigram" and m.nats_per_token > reached)
        shown = []
        for m in lines:
            kind = LINE_KINDS.get(m.key, "neutral")
            shown.append(Landmark(m.label, self.unit.of_landmark(m), m.explanation, kind))
        self._plot.set_landmarks(shown)

    def _bounded(self, values: Floats) -> Floats:
        """What would flatten everything else becomes a gap."""
        most = LARGEST_PERPLEXITY if self.unit.key == "perplexity" else 1e3
        return np.where(values > most, np.nan, values)


def _over(arm: ArmStanding) -> bool:
    return arm.state in ("finished", "diverged")


def _at_equal_compute(arms: Sequence[ArmStanding]) -> tuple[Floats, Floats]:
    """Sizes N from the smallest to the largest of some arms, and the tokens D that the same
    operations leave for each, between those of the arms as their logarithms are."""
    ordered = sorted(arms, key=lambda arm: arm.parameters)
    sizes = np.log([float(arm.parameters) for arm in ordered])
    tokens = np.log([max(1.0, arm.tokens) for arm in ordered])
    grid = np.linspace(sizes[0], sizes[-1], FITTED_POINTS)
    return np.exp(grid), np.exp(np.interp(grid, sizes, tokens))
