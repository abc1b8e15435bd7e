"""The limits of counting: what happens as n grows."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QPushButton, QSplitter, QVBoxLayout

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.order_sweep import OrderFigures, best_order, order_sweep
from engine.workspace.made import MadeTokenizer, Streams
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.models import HIGHEST_ORDER, ModelSet
from gui.language_models.page import Page
from gui.language_models.rules_bar import labelled
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.flow_layout import FlowRow
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label
from gui.widgets.work import Bet, Work

Figures = tuple[OrderFigures, ...]

QUESTION = (
    "At which n will the held-out perplexity of the n-gram, smoothed by Kneser–Ney, be lowest?"
)


def sweep(made: MadeTokenizer | None, streams: Streams, k: float, job: Job = NO_JOB) -> Figures:
    """Measure every order, publishing each as it is done. On the compute thread.

    Raises:
        LabError: if nothing was held out.
    """
    if made is None:
        raise LabError("The text is still being prepared.")
    found: list[OrderFigures] = []
    tokenizer = made.tokenizer
    for figures in order_sweep(streams.train, streams.held_out, tokenizer, HIGHEST_ORDER, k, job):
        found.append(figures)
        job.publish(tuple(found))
    return tuple(found)


class LimitsPage(Page):
    """Sparseness and perplexity against n, measured on the whole held-out text."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._figures: Figures = ()
        self._measured: tuple[Streams, float] | None = None
        self.k = QDoubleSpinBox()
        self.k.setObjectName("limits_k")
        self.k.setDecimals(4)
        self.k.setRange(0.0001, 1000)
        self.k.setValue(1.0)
        self.k.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.k.setKeyboardTracking(False)
        self.start = QPushButton("&Measure")
        self.start.setToolTip("Count and score n-grams of every order: some seconds.")
        self.stop = QPushButton("St&op")
        self.stop.setToolTip("Stop measuring; the orders that are done stay.")
        self.work = Work(lab.compute, self.stop, self)
        self.bet = Bet(self.start, self)
        self.said = plain_label(wrap=True)
        row = FlowRow()
        row.add(labelled("k of &add-k", self.k, "What add-k adds to every count."))
        row.add(self.start)
        row.add(self.stop)
        self.sparse = CurvePlot(
            "How much is new", "order n (tokens, the predicted one included)", "share (per cent)"
        )
        self.perplexity = CurvePlot(
            "Perplexity",
            "order n (tokens, the predicted one included)",
            "log₂ perplexity (bits)",
        )
        for plot in (self.sparse, self.perplexity):
            plot.set_empty_text("Make a bet, or press Measure.")
            plot.view.plot.getAxis("bottom").setTickSpacing(levels=[(1.0, 0.0)])  # n is whole
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("limits_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.sparse)
        self.splitter.addWidget(self.perplexity)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        page.addWidget(row)
        page.addWidget(self.said)
        page.addWidget(self.bet.card)
        page.addWidget(self.splitter, 1)
        self.bet.wanted.connect(self.measure)
        self.work.came.connect(self._show)
        self.work.finished.connect(self._judge)
        self.work.failed.connect(self._failed)
        self.work.stopped.connect(self.bet.again)
        lab.streams_changed.connect(self.refresh)
        self.splitter.setSizes([500, 500])

    @property
    def figures(self) -> Figures:
        """What was measured, lowest order first."""
        return self._figures

    def compute(self) -> None:
        """Another text or other tokens: what was measured is of the past."""
        streams = self.lab.streams
        self.start.setEnabled(streams is not None)
        if self._measured is not None and self._measured[0] is not streams:
            self.work.drop()
            self._figures, self._measured = (), None
            self._show_figures()
            self.bet.again()
        if self._measured is None:
            self.said.setText(
                "As n grows, a context says more about what comes next; and more and more "
                "contexts were never seen before."
            )
            self.bet.ask(QUESTION, [f"n = {n}" for n in range(1, HIGHEST_ORDER + 1)])

    @Slot()
    def measure(self) -> None:
        """Measure all orders."""
        streams = self.lab.streams
        if streams is None:
            return
        self._figures, self._measured = (), (streams, self.k.value())
        self._show_figures()
        self.work.start(
            sweep,
            self.lab.tokenizer,
            streams,
            self.k.value(),
            title="Measuring n-grams",
            unit="orders",
        )

    @Slot(object)
    def _show(self, figures: Figures) -> None:
        self._figures = figures
        self._show_figures()

    @Slot(object)
    def _judge(self, figures: Figures) -> None:
        best = best_order(figures, "kneser_ney")
        self.bet.judge([figures.index(f) for f in figures if f.order == best], lowest(figures))

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self.bet.again()
        self.said.setText(sentence)

    def _show_figures(self) -> None:
        figures = self._figures
        for plot in (self.sparse, self.perplexity):
            plot.clear()
        if not figures:
            return
        orders = [f.order for f in figures]
        solid, dotted = Qt.PenStyle.SolidLine, Qt.PenStyle.DotLine
        dashed = Qt.PenStyle.DashLine
        self.sparse.set_series(
            "contexts never seen",
            orders,
            [100 * f.unseen_contexts for f in figures],
            kind="ngram",
            line=solid,
        )
        self.sparse.set_series(
            "sentences of probability 0",
            orders,
            [100 * f.impossible_sentences for f in figures],
            kind="neutral",
            line=dashed,
        )
        curves = (
            ("held out, Kneser–Ney", "kneser_ney", False, "ngram", solid),
            ("learned from, Kneser–Ney", "kneser_ney", True, "ngram", dotted),
            ("held out, add k", "add_k", False, "neutral", solid),
            ("learned from, add k", "add_k", True, "neutral", dotted),
            ("learned from, maximum likelihood", "maximum_likelihood", True, "ngram", dashed),
        )
        for name, smoothing, learned, kind, line in curves:
            values = []
            for each in figures:
                told = each.train_perplexity if learned else each.held_out_perplexity
                values.append(math.log2(told[smoothing]))  # type: ignore[index]
            self.perplexity.set_series(name, orders, values, kind=kind, line=line)
        self.said.setText(in_words(figures))


def lowest(figures: Figures) -> str:
    """Where the held-out perplexity is lowest, and why it is not at another n."""
    best = best_order(figures, "kneser_ney")
    told = {f.order: format_number(f.held_out_perplexity["kneser_ney"], 3) for f in figures}
    said = f"It is lowest at n = {best}, with {told[best]}."
    if best > 1:
        said += f" Shorter contexts say less (n = {best - 1}: {told[best - 1]})."
    if best < figures[-1].order:
        said += (
            f" Longer ones were mostly never seen (n = {best + 1}: {told[best + 1]}), so that "
            "the n-gram falls back on shorter ones."
        )
    return said


def in_words(figures: Figures) -> str:
    """What the curves say, in two or three sentences."""
    last = figures[-1]
    best = best_order(figures, "kneser_ney")
    lowest = figures[best - 1].held_out_perplexity["kneser_ney"]
    said = (
        f"At n = {last.order}, {100 * last.unseen_contexts:.1f} % of the held-out contexts were "
        f"never seen, and counts alone give {100 * last.impossible_sentences:.1f} % of the "
        f"held-out sentences probability 0: their held-out perplexity is ∞ and has no curve. "
        f"Kneser–Ney does best at n = {best} with perplexity {format_number(lowest, 3)}."
    )
    worst = figures[-1].train_perplexity["maximum_likelihood"]
    return (
        f"{said} On the text it learned from, maximum likelihood comes down to "
        f"{format_number(worst, 3)}: it learned by heart."
    )
