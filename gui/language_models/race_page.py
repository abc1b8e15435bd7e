"""The race: bits per held-out byte of every kind of model, against the amount of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QComboBox, QPushButton, QSpinBox, QSplitter, QVBoxLayout, QWidget

from engine.training.recipes import SIZES
from engine.workspace.made import Streams
from gui.job_status import duration
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.language_models.race_run import (
    CONTESTANTS,
    Standing,
    Start,
    leaders,
    run_race,
    size,
    verdict,
)
from gui.language_models.rules_bar import labelled
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.curves import Landmark
from gui.widgets.flow_layout import FlowRow
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label
from gui.widgets.titled_table import TitledTable
from gui.widgets.work import Bet, Work

if TYPE_CHECKING:
    from engine.training.race import Lap

TIMES = (
    ("5 seconds", 5.0),
    ("20 seconds", 20.0),
    ("1 minute", 60.0),
    ("3 minutes", 180.0),
    ("by steps", 0.0),
)
"""For one transformer, the most it may take to train."""
OTHERS_SECONDS = 1.0
"""About what n-grams and HMM take at one amount of text, on average."""
QUESTION = "Who will need the fewest bits, once all have learned from all of the text?"


class RacePage(Page):
    """A bet, a race, and who won."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._standing: Standing | None = None
        self._streams: Streams | None = None
        self.steps = QSpinBox()
        self.steps.setObjectName("race_steps")
        self.steps.setRange(1, 20_000)
        self.steps.setSingleStep(100)
        self.steps.setValue(300)
        self.time = QComboBox()
        self.time.setObjectName("race_time")
        for title, seconds in TIMES:
            self.time.addItem(title, seconds)
        self.amounts = QSpinBox()
        self.amounts.setObjectName("amounts")
        self.amounts.setRange(1, 12)
        self.amounts.setValue(6)
        self.states = QSpinBox()
        self.states.setObjectName("race_states")
        self.states.setRange(1, 64)
        self.states.setValue(16)
        self.states.setSpecialValueText("none")
        self.start = QPushButton("Ra&ce")
        self._tell_time()
        self.stop = QPushButton("St&op")
        self.stop.setToolTip("Stop the race; the laps that are done stay.")
        self.shape = QComboBox()
        self.shape.setObjectName("race_size")
        for name, shape in SIZES.items():
            self.shape.addItem(name, name)
            words = f"{shape['layers']} layers × {shape['width']}, context {shape['context']}"
            self.shape.setItemData(self.shape.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        row = FlowRow()
        for caption, control, tip in (
            (
                "&Transformer",
                self.shape,
                "Its size. Larger ones learn more in a step, and take longer for it.",
            ),
            (
                "T&ime for each",
                self.time,
                "How long each transformer may train, at every amount of text. On the stories 20 "
                "seconds are enough for a tiny one to overtake on 225 kB; the more text there is "
                "to count, the longer it takes.",
            ),
            (
                "Ste&ps",
                self.steps,
                "Training steps of each transformer at most, where they are not to be as many as "
                "fit into a time.",
            ),
            ("&Amounts", self.amounts, "How many shares of the text; each twice the one before."),
            ("HM&M states", self.states, "Hidden states of the HMM; “none” leaves it out."),
        ):
            row.add(labelled(caption, control, tip))
        row.add(self.start)
        row.add(self.stop)
        self.work = Work(lab.compute, self.stop, self)
        self.bet = Bet(self.start, self)
        self.said = plain_label(wrap=True)
        self.plot = CurvePlot(
            "The race", "training text (bytes)", "bits per held-out byte (less is better)"
        )
        self.plot.set_log_x(True)
        self.plot.set_empty_text("Make a bet, or press Race.")
        self.table = TitledTable(
            "Bits per held-out byte", empty="A column for each amount of text, once the race is on."
        )
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("race_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.plot)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)
        column.addStretch(1)
        self.splitter.addWidget(side)
        self.splitter.setSizes([640, 560])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        page.addWidget(row)
        page.addWidget(self.said)
        page.addWidget(self.bet.card)
        page.addWidget(self.splitter, 1)
        self.bet.wanted.connect(self.race)
        self.work.came.connect(self._show)
        self.work.finished.connect(self._finished)
        self.work.failed.connect(self._failed)
        self.work.stopped.connect(self._stopped)
        for knob in (self.steps, self.amounts, self.states):
            knob.valueChanged.connect(self._changed)
        for box in (self.shape, self.time):
            box.currentIndexChanged.connect(self._changed)
        lab.streams_changed.connect(self.refresh)

    @property
    def standing(self) -> Standing | None:
        """The race so far."""
        return self._standing

    def compute(self) -> None:
        """Another text or other tokens: the race is of the past."""
        streams = self.lab.streams
        self.start.setEnabled(streams is not None)
        if self._streams is not None and self._streams is not streams:
            self.work.drop()
            self._standing = self._streams = None
            self._show_standing()
            self.bet.again()
        if self._standing is None and not self.work.running:
            self.said.setText(
                "All learn from the same text, a little of it first, then more, and are scored "
                "on the same held-out text. Bits per byte: how many bits the model would need to "
                "write each byte down."
            )
            self.bet.ask(QUESTION, [title for _, title in CONTESTANTS])

    @Slot()
    def _changed(self) -> None:
        """Another race may have another winner."""
        self._tell_time()
        if not self.work.running:
            self.bet.again()

    def _tell_time(self) -> None:
        """The start button says how long the race will be; steps count only where chosen."""
        seconds = self.time.currentData()
        self.steps.setEnabled(not seconds)
        words = "Train every kind of model on growing shares of the text"
        if seconds:
            words += f": about {duration(self.amounts.value() * (seconds + OTHERS_SECONDS))}"
        self.start.setToolTip(words + ".")

    @Slot()
    def race(self) -> None:
        """Start anew."""
        lab = self.lab
        if lab.streams is None or lab.corpus is None or lab.tokenizer is None:
            return
        run = self.models.run
        if run is not None and (
            run.made_from.corpus != lab.corpus.fingerprint or not self.models.fits(run)
        ):
            run = None  # it learned from another text, or other tokens
        start = Start(
            corpus=lab.corpus,
            tokenizer=lab.tokenizer,
            streams=lab.streams,
            size=self.shape.currentData(),
            steps=0 if self.time.currentData() else self.steps.value(),
            seconds=self.time.currentData(),
            amounts=self.amounts.value(),
            states=self.states.value() if self.states.value() > 1 else 0,
            seed=lab.seed,
            run=run,
        )
        self._streams, self._standing = lab.streams, None
        self._show_standing()
        self.said.setText(f"Under way, seed {lab.seed} …")
        self.work.start(run_race, start, title="Racing", unit="laps")

    @Slot(object)
    def _show(self, standing: Standing) -> None:
        self._standing = standing
        self._show_standing()

    @Slot(object)
    def _finished(self, standing: Standing) -> None:
        words = verdict(standing)
        self.said.setText(words)
        self.bet.judge(leaders(standing), words)

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self.bet.again()
        self.said.setText(sentence)

    @Slot()
    def _stopped(self) -> None:
        self.bet.again()
        self.said.setText("Stopped.")

    def _laps(self) -> list[Lap]:
        return list(self._standing.laps) if self._standing is not None else []  # type: ignore[arg-type]

    # ----------------------------------------------------------------------------------- showing
    def _show_standing(self) -> None:
        self.plot.clear()
        self.plot.set_landmarks([])
        standing, laps = self._standing, self._laps()
        if standing is None:
            self.table.fill([], [])
            return
        marks = []
        if math.isfinite(standing.truth):
            marks.append(
                Landmark(
                    "truth",
                    standing.truth,
                    "The language itself. No model can be expected to do better.",
                    "truth",
                )
            )
        if standing.start.run is not None and math.isfinite(standing.own):
            marks.append(
                Landmark(
                    standing.start.run.name[:24],
                    standing.own,
                    "The transformer chosen on the other pages, as it is.",
                    "transformer",
                )
            )
        self.plot.set_landmarks(marks)
        if laps:
            self._show_curves(laps)
            self._show_table(standing, laps)

    def _show_curves(self, laps: list[Lap]) -> None:
        amounts = [lap.n_bytes for lap in laps]
        solid, dotted, dashed = (
            Qt.PenStyle.SolidLine,
            Qt.PenStyle.DotLine,
            Qt.PenStyle.DashLine,
        )
        curves = [
            ("unigram", [lap.ngrams[0] for lap in laps], "ngram", dotted),
            ("bigram", [lap.ngrams[min(1, len(lap.ngrams) - 1)] for lap in laps], "ngram", dashed),
            ("best n-gram", [lap.best_ngram for lap in laps], "ngram", solid),
            ("HMM", [lap.hmm for lap in laps], "hmm", None),
            ("transformer", [lap.transformer for lap in laps], "transformer", None),
        ]
        for name, values, kind, line in curves:
            if any(math.isfinite(value) for value in values):
                self.plot.set_series(name, amounts, values, kind=kind, line=line)

    def _show_table(self, standing: Standing, laps: list[Lap]) -> None:
        def shown(value: float) -> str:
            return format_number(value, 3) if math.isfinite(value) else "–"

        rows: list[tuple[str, str, list[str]]] = []
        for order in range(1, max(len(lap.ngrams) for lap in laps) + 1):
            cells = [
                shown(lap.ngrams[order - 1]) + (" ●" if lap.best_order == order else "")
                if order <= len(lap.ngrams)
                else "–"
                for lap in laps
            ]
            rows.append((f"{order}-gram", "Kneser–Ney. ● marks the best order.", cells))
        if any(math.isfinite(lap.hmm) for lap in laps):
            rows.append(("HMM", "Hidden Markov model.", [shown(lap.hmm) for lap in laps]))
        rows.append(
            (
                "transformer",
                f"Size {standing.start.size}, the modern recipe, at most {standing.steps:,} steps "
                "each time. A tenth of its text is set aside to see when to stop; it was best "
                f"after {', '.join(f'{lap.steps:,}' for lap in laps)}.",
                [shown(lap.transformer) for lap in laps],
            )
        )
        if math.isfinite(standing.truth):
            rows.append(("truth", "The language itself.", [shown(standing.truth) for _ in laps]))
        self.table.fill([size(lap.n_bytes) for lap in laps], rows)
