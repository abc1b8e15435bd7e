"""What a reward model has really learned: its numbers, and five views."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.posttraining.features import LENGTH
from engine.posttraining.reward_model_report import Accuracy, Learned, Report
from gui import theme
from gui.rewards.effect_bars import EffectBar, EffectBars, signed
from gui.rewards.preferences_told import effect_words
from gui.widgets.curve_plot import CurvePlot, Landmark
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.page_switch import PageSpec, PageSwitch
from gui.widgets.safe_text import plain_label
from gui.widgets.stat_tile import StatTile

EMPTY = "Compare some answers or simulate an annotator, then train."
HELD_OUT, LOW, HIGH = "held-out pairs", "95 % interval, low", "95 % interval, high"
MADE, WRITTEN = "same answers, cut or written on", "answers of that length, mean"
EVEN, FOUND = "perfectly calibrated", "held-out pairs, by prediction"
PLOT_EMS = 16.0
"""The least height of a view, in lines of text; a plot without height cannot be drawn."""


class ModelPane(QWidget):
    """Tiles, a verdict in words, and the views of one report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: Report | None = None
        tiles = FlowRow(self)
        self.accuracy = StatTile(
            "Held-out accuracy",
            "",
            "How often the preferred answer has the greater reward, on comparisons of prompts that "
            "it did not learn from; with its 95 % interval (Wilson). Ties are left out.",
            self,
        )
        self.best = StatTile(
            "Best possible",
            "",
            "What a model that knows the annotator's law exactly would expect: nobody can guess "
            "their chance. An expectation: on a small held-out set a model may happen to be above "
            "it. Not known for a person.",
            self,
        )
        self.agreement = StatTile(
            "Agrees with the truth",
            "",
            "Of two answers to one prompt of which one is truly better: how often that one has "
            "the greater reward. 50 % is chance.",
            self,
        )
        self.number = StatTile(
            "Learned from",
            "",
            "Comparisons; skipped ones, and those held out to test it, are left out.",
            self,
        )
        for tile in (self.accuracy, self.best, self.agreement, self.number):
            tiles.add(tile)
        self.words = plain_label("", self, wrap=True)
        theme.set_text_role(self.words, "strong")
        self.curve = CurvePlot(
            "Accuracy and comparisons", "comparisons learned from", "held-out accuracy", self
        )
        self.curve.set_log_x(True)
        self.bars = EffectBars(
            "What it has learned",
            "What a standard deviation of the feature (among answers to one prompt) adds to r, "
            "in log-odds.",
            self,
        )
        self.truth = CurvePlot(
            "Reward and true score", "reward r (log-odds)", "share of these answers", self
        )
        self.length = CurvePlot(
            "Reward and length", "tokens in the answer", "mean reward r (log-odds)", self
        )
        self.calibration = CurvePlot(
            "Calibration", "p(A ≻ B) said by the model", "share in which it came true", self
        )
        views = (
            ("learned", "Learned", "What each feature adds to the reward.", self.bars),
            ("curve", "Accuracy", "Held-out accuracy against comparisons.", self.curve),
            ("truth", "Truth", "The reward of truly good and of bad answers.", self.truth),
            ("length", "Length", "What length alone does to the reward.", self.length),
            ("calibration", "Calibration", "Whether 80 % means 80 %.", self.calibration),
        )
        for _, _, _, view in views:
            view.hide()
            view.set_empty_text(EMPTY)
        self.views = PageSwitch(
            "Views of the reward model",
            [PageSpec(key, name, tip, partial(_same, view)) for key, name, tip, view in views],
            keys=False,
            scrolls=False,
            parent=self,
        )
        self.note = plain_label("", self, wrap=True)
        theme.set_text_role(self.note, "caption", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(tiles)
        column.addWidget(self.words)
        column.addWidget(self.views, 1)
        column.addWidget(self.note)
        self.views.shown.connect(self._note)
        theme.current().changed.connect(self._dress)
        self._dress()
        self.clear()

    @Slot()
    def _dress(self) -> None:
        self.views.setMinimumHeight(round(em(theme.current().font("body")) * PLOT_EMS))

    def clear(self) -> None:
        """No reward model yet."""
        self.report = None
        for tile in (self.accuracy, self.best, self.agreement, self.number):
            tile.set_value(None)
        self.words.setText("No reward model yet.")
        self.bars.set_bars(())
        for plot in (self.curve, self.truth, self.length, self.calibration):
            plot.clear()
        self.curve.set_landmarks(())
        self._note()

    def show_report(self, report: Report) -> None:
        """Show a trained model."""
        self.report = report
        self.accuracy.set_value(share(report.held_out))
        self.best.set_value(None if report.best is None else f"{report.best:.0%}")
        self.agreement.set_value(share(report.agreement))
        self.number.set_value(report.model.comparisons)
        self.words.setText(verdict(report))
        self._draw_curve(report)
        self.bars.set_bars([_bar(one) for one in report.learned])
        self._draw_truth(report)
        self._draw_length(report)
        self._draw_calibration(report)
        self._note()

    def _draw_curve(self, report: Report) -> None:
        x = np.array([p.comparisons for p in report.curve], dtype=np.float64)
        for name, values, kind, line in (
            (HELD_OUT, [p.accuracy.value for p in report.curve], "policy", None),
            (LOW, [p.accuracy.low for p in report.curve], "neutral", Qt.PenStyle.DotLine),
            (HIGH, [p.accuracy.high for p in report.curve], "neutral", Qt.PenStyle.DotLine),
        ):
            self.curve.set_series(name, x, values, kind=kind, line=line)
        marks = [Landmark("chance", 0.5, "Guessing.")]
        if report.best is not None:
            marks.insert(
                0,
                Landmark("best possible", report.best, "All that this annotator's chance allows."),
            )
        self.curve.set_landmarks(marks)

    def _draw_truth(self, report: Report) -> None:
        self.truth.clear()
        low, high = float(report.rewards.min()), float(report.rewards.max())
        edges = np.linspace(low, high if high > low else low + 1, 25)
        middles = (edges[1:] + edges[:-1]) / 2
        for name, chosen, kind, line in (
            ("true score 1", report.true >= 1, "truth", Qt.PenStyle.SolidLine),
            ("between", (report.true > 0) & (report.true < 1), "neutral", Qt.PenStyle.DotLine),
            ("true score 0", report.true <= 0, "policy", Qt.PenStyle.DashLine),
        ):
            n = int(chosen.sum())
            if n:
                counts, _ = np.histogram(report.rewards[chosen], edges)
                self.truth.set_series(name, middles, counts / n, kind=kind, line=line)

    def _draw_length(self, report: Report) -> None:
        made = np.array(report.lengthened, dtype=np.float64).reshape(-1, 2)
        self.length.set_series(MADE, made[:, 0], made[:, 1], kind="policy")
        lengths = np.unique(report.lengths)
        means = [float(report.rewards[report.lengths == n].mean()) for n in lengths]
        self.length.set_series(WRITTEN, lengths, means, kind="reference", line=Qt.PenStyle.DashLine)

    def _draw_calibration(self, report: Report) -> None:
        self.calibration.set_series(EVEN, [0.5, 1.0], [0.5, 1.0], kind="neutral")
        self.calibration.set_series(
            FOUND, [b.predicted for b in report.bins], [b.observed for b in report.bins],
            kind="policy",
        )  # fmt: skip

    @Slot()
    def _note(self) -> None:
        report, key = self.report, self.views.current_key
        if report is None:
            self.note.setText("")
            return
        explained = (
            "These are the model's own weights. It is told the true score as one of its features; "
            "the transformer has to find it out."
            if report.model.kind == "linear"
            else f"A linear fit to what the transformer says explains {report.explained:.0%} of it."
        )
        self.note.setText(
            {
                "learned": f"{explained} ±: the 95 % interval; within it an effect may be nothing. "
                "Hover for weights in units and correlations.",
                "curve": "Each point is a model trained anew on so many of the comparisons.",
                "truth": "If the reward were the truth, the curves would not overlap.",
                "length": "Flat: length alone does not matter. Writing on repeats the answer, so "
                "the true score falls on the way.",
                "calibration": f"{report.held_out.n:,} held-out pairs, from the side that the "
                "model favours.",
            }[key]
        )


def share(accuracy: Accuracy) -> str:
    """Such as "68 % (63 … 73 %)"; a dash without anything to measure it on."""
    if accuracy.n == 0:
        return "–"
    return f"{accuracy.value:.0%} ({accuracy.low:.0%} … {accuracy.high:.0%})"


def verdict(report: Report) -> str:
    """What the model has learned, in a sentence or two; only what is more than chance."""
    held = report.held_out
    certain = [one for one in report.learned if one.certain]
    if held.n == 0:
        said = "No pair was held out, so nobody can tell yet whether it has learned anything."
    elif held.high < 0.5:
        said = f"Worse than chance on {_pairs(held)}: what was clicked there contradicts it."
    elif held.may_be_chance:
        said = (
            f"No better than chance so far: on {_pairs(held)} (a tie counts half) the 95 % "
            f"interval (Wilson) of its accuracy, {held.low:.0%} … {held.high:.0%}, holds 50 %. "
            "More comparisons are needed."
        )
        if not certain:
            said += " No feature moves its reward by more than the error."
    elif not certain:
        said = "Better than chance, but no feature moves its reward by more than the error."
    else:
        said = _above_all(certain)
    if report.best is not None and held.n and held.value > report.best:
        said += (
            f" {held.value:.0%} is above the best possible {report.best:.0%}: that is what is "
            f"expected, and {held.n:,} pairs vary around it."
        )
    return said


def _above_all(certain: list[Learned]) -> str:
    first = certain[0]
    way = "rewards" if first.effect > 0 else "punishes"
    said = f"Above all it {way} {_spoken(first)}"
    if len(certain) > 1:
        second = certain[1]
        joint = "and" if (second.effect > 0) == (first.effect > 0) else "but"
        way = "" if joint == "and" else ("rewards " if second.effect > 0 else "punishes ")
        said += f", {joint} {way}{_spoken(second)}"
    if first.key == LENGTH and first.effect > 0:
        return f"{said}. A policy trained on it will write longer, right or wrong."
    return f"{said}."


def _pairs(held: Accuracy) -> str:
    return f"{held.n:,} held-out pair" if held.n == 1 else f"{held.n:,} held-out pairs"


def _spoken(one: Learned) -> str:
    name = one.title[0].lower() + one.title[1:]
    return f"{name} ({effect_words(one)})"


def _bar(one: Learned) -> EffectBar:
    within = "" if one.certain else " That is within the error: it may be nothing."
    return EffectBar(
        f"{one.title} ± {format_number(one.margin, 2)}",
        one.effect,
        f"{one.title}: {signed(one.weight)} log-odds per {one.unit}, {effect_words(one)} (95 %) "
        f"per standard deviation; correlation with r {one.correlation:+.2f}, among answers to one "
        f"prompt.{within}",
    )


def _same(widget: QWidget) -> QWidget:
    """The factory of a view that is there already."""
    return widget
