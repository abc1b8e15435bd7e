"""The sampling bench: the rules at work on one distribution, and the dice that pick."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QTimer, Slot
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QSpinBox, QVBoxLayout

from engine.generation import SampledDistribution
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.language_models.bench import Bench, Row, cut_counts, cuts_in_words, looked_up, opened
from gui.language_models.bench_bars import BenchBars, DiceBar
from gui.language_models.context import Context
from gui.language_models.context_box import ContextBox
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.language_models.rules_bar import ORDER_OF_RULES, RulesBar, labelled
from gui.settings import LARGEST_SEED
from gui.widgets.chip_text import TokenInfo
from gui.widgets.flow_layout import FlowRow
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary, isolate

MOST_DRAWN = 500
"""Streaming stops after so many tokens."""
SHOWN_MS, STREAM_MS = 700, 150
"""How long the fallen dice stand before the token is written on: by hand, and streaming."""


class SamplingPage(Page):
    """One model, the three rules, a seed; Roll writes one token on, Stream many."""

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._row: Row | None = None
        self._sampled: SampledDistribution | None = None
        self._streaming = False
        self._falling: Bench | None = None  # the dice fell; the token is not written on yet
        self.model_bar = ModelBar(models)
        self.box = ContextBox(context, tokens=False)
        self.model = QComboBox()
        self.model.setObjectName("sampling_model")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.rules = RulesBar()
        self.seed = QSpinBox()
        self.seed.setObjectName("sampling_seed")
        self.seed.setRange(0, LARGEST_SEED)
        self.seed.setValue(lab.seed)
        self.seed.setKeyboardTracking(False)
        self.rules.row.add(labelled("M&odel", self.model, "Whose distribution is drawn from."))
        self.rules.row.add(
            labelled("See&d", self.seed, "The dice. The same seed gives the same throws again.")
        )
        self.roll = QPushButton("Ro&ll the dice")
        self.roll.setToolTip(
            "Throw a number u between 0 and 1, and write on the token on whose piece it falls "
            "(Ctrl+Return)."
        )
        self.roll.setShortcut("Ctrl+Return")
        theme.make_primary(self.roll)
        self.stream = QPushButton("Strea&m")
        self.stream.setCheckable(True)
        self.stream.setToolTip("Roll again and again, until you press it once more.")
        self.back = QPushButton("U&ndo")
        self.back.setToolTip("Take the last token back.")
        self.restart = QPushButton("Start over")
        self.restart.setToolTip("Take back every token that was drawn; the dice begin anew.")
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Make what was written the text so far, on all pages.")
        buttons = FlowRow()
        for button in (self.roll, self.stream, self.back, self.restart, self.keep):
            button.setAutoDefault(False)
            buttons.add(button)
        self.strip = TokenStrip(name="The text with what was drawn")
        self.strip.set_visible_lines(1, 1)
        self.strip.set_details(self._details)
        self.said = plain_label(wrap=True)
        self.greedy = plain_label(wrap=True)
        self.greedy.setToolTip(
            plain_tooltip(
                "Greedy: always the likeliest token, no dice. It is certain of itself, and soon "
                "repeats itself."
            )
        )
        self.dice = DiceBar()
        self.bars = BenchBars()
        self.cuts = plain_label(wrap=True)
        self.cuts.setToolTip(plain_tooltip(ORDER_OF_RULES))
        order = plain_label(ORDER_OF_RULES, wrap=True)
        for label in (self.greedy, self.cuts, order):
            theme.set_text_role(label, "caption", "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 0)
        for widget in (
            self.model_bar,
            self.box,
            self.rules,
            buttons,
            self.strip,
            self.greedy,
            self.said,
            self.dice,
        ):
            column.addWidget(widget)
        column.addWidget(self.bars, 1)
        column.addWidget(self.cuts)
        column.addWidget(order)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._write_on)
        self.rules.changed.connect(self._show_rules)
        self.model.activated.connect(self.refresh)
        self.seed.valueChanged.connect(self.refresh)
        lab.seed_changed.connect(self._seed_changed)
        self.roll.clicked.connect(self._roll)
        self.stream.toggled.connect(self._stream)
        self.back.clicked.connect(self._undo)
        self.restart.clicked.connect(self.refresh)
        self.keep.clicked.connect(self._keep)
        self._show_buttons()

    @property
    def row(self) -> Row | None:
        """What the page shows."""
        return self._row

    @property
    def sampled(self) -> SampledDistribution | None:
        """What the rules make of it."""
        return self._sampled

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        """Start over behind the shared context."""
        self._halt()
        table = self.models.table
        self._show_models()
        kind = self.model.currentData()
        if table.tokenizer is None or kind is None:
            self._row = None
            self._sampled = None
            self.bars.say("No model is ready yet.")
            self._show_buttons()
            return
        self.ask(
            "bench",
            opened,
            table,
            kind,
            self.context.text,
            self.seed.value(),
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Asking the model",
        )

    def _look_up(self, bench: Bench) -> None:
        self.ask(
            "bench",
            looked_up,
            bench,
            with_job=True,
            on_result=self._show,
            on_error=self._failed,
            title="Asking the model",
        )

    @Slot(object)
    def _show(self, row: Row) -> None:
        if row.bench.table is not self.models.table:
            return
        self._row = row
        self._show_text()
        self._show_rules()
        if self._streaming:
            self._roll()

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._halt()
        self._row = self._sampled = None
        self.bars.say(failure.sentence)
        self._show_buttons()

    # ----------------------------------------------------------------------------------- showing
    def _vocabulary(self) -> Vocabulary:
        assert self._row is not None and self._row.bench.table.tokenizer is not None
        return Vocabulary.of(self._row.bench.table.tokenizer.tokenizer)

    def _show_models(self) -> None:
        kind = self.model.currentData()
        with QSignalBlocker(self.model):
            self.model.clear()
            for seat in self.models.table.present:
                self.model.addItem(seat.title, seat.kind)
            preferred = next(
                (k for k in (kind, "transformer", "ngram") if self.model.findData(k) >= 0), None
            )
            self.model.setCurrentIndex(self.model.findData(preferred) if preferred else 0)

    def _show_text(self) -> None:
        assert self._row is not None
        bench, vocabulary = self._row.bench, self._vocabulary()
        self.strip.set_tokens(bench.ids, vocabulary)
        n = len(bench.start)
        self.strip.highlight(range(n, n + len(bench.drawn)))
        bar = self.strip.verticalScrollBar()
        bar.setValue(bar.maximum())
        greedy = "".join(vocabulary.text(token) for token in self._row.greedy)
        self.greedy.setText(f"Greedy would write: {isolate(greedy)}" if greedy else "")

    @Slot()
    def _show_rules(self) -> None:
        """The rules act at once: the distribution is here already."""
        row = self._row
        if row is None:
            return
        vocabulary = self._vocabulary()
        self._sampled = None
        if row.bench.closed:
            self.bars.say("The document is at its end. Undo, or start over.")
        elif row.undefined:
            self.bars.say(row.undefined)
        else:
            self._sampled = self.rules.rules.apply(row.log_probs)
            self.bars.show_rules(row.log_probs, self._sampled, row.bench.seat.kind, vocabulary)
        self.dice.show_sum(self._sampled, vocabulary)
        counts = None if self._sampled is None else cut_counts(self._sampled)
        self.cuts.setText("" if counts is None else cuts_in_words(counts))
        if self._falling is None:
            self.dice.show_dice(None)
            self._show_last()
        self._show_buttons()

    def _show_last(self) -> None:
        drawn = self._row.bench.drawn if self._row is not None else ()
        if not drawn:
            self.said.setText(
                "Each token owns a piece of the line from 0 to 1, as long as it "
                "is probable. The dice throw a point on the line."
            )
            return
        last = drawn[-1]
        name = isolate(self._vocabulary().text(last.id, 40))
        self.said.setText(
            f"u = {last.u:.4f} fell on “{name}”: it had {format_probability(last.probability)} "
            f"of the line, {format_probability(last.model_probability)} under the model "
            f"(rank {last.rank:,})."
        )

    def _show_buttons(self) -> None:
        ready = self._sampled is not None and self._falling is None
        drawn = bool(self._row is not None and self._row.bench.drawn)
        self.roll.setEnabled(ready and not self._streaming)
        self.stream.setEnabled(ready or self._streaming)
        for button in (self.back, self.restart, self.keep):
            button.setEnabled(drawn)

    def _details(self, index: int) -> TokenInfo | None:
        bench = self._row.bench if self._row is not None else None
        place = index - len(bench.start) if bench is not None else -1
        if bench is None or not 0 <= place < len(bench.drawn):
            return None
        token = bench.drawn[place]
        return TokenInfo(
            probability=token.model_probability,
            rank=token.rank,
            lines=(f"drawn with u = {token.u:.4f} among {token.n_kept:,} tokens",),
        )

    # ----------------------------------------------------------------------------------- rolling
    @Slot()
    def _roll(self) -> None:
        row, sampled = self._row, self._sampled
        if row is None or sampled is None or self._falling is not None:
            self._stop_stream()
            return
        self._falling = row.bench.rolled(row.log_probs, sampled)
        self.dice.show_dice(self._falling.drawn[-1].u)
        motion = theme.current().motion
        self._timer.start((STREAM_MS if self._streaming else SHOWN_MS) if motion else 0)
        self._show_buttons()

    @Slot()
    def _write_on(self) -> None:
        bench, self._falling = self._falling, None
        if bench is None:
            return
        if bench.closed or len(bench.drawn) >= MOST_DRAWN:
            self._stop_stream()
        self._look_up(bench)

    @Slot(bool)
    def _stream(self, on: bool) -> None:
        self._streaming = on
        if on:
            self._roll()
        self._show_buttons()

    def _stop_stream(self) -> None:
        self._streaming = False
        with QSignalBlocker(self.stream):
            self.stream.setChecked(False)
        self._show_buttons()

    def _halt(self) -> None:
        """Let no dice be in the air."""
        self._timer.stop()
        self._falling = None
        self._stop_stream()

    @Slot()
    def _undo(self) -> None:
        self._halt()
        if self._row is not None and self._row.bench.drawn:
            self._look_up(self._row.bench.undone())

    @Slot()
    def _keep(self) -> None:
        row = self._row
        if row is None or row.bench.table.tokenizer is None:
            return
        tokenizer = row.bench.table.tokenizer.tokenizer
        ids = [t.id for t in row.bench.drawn if t.id < tokenizer.vocab_size]
        self.context.append(tokenizer.decode(ids))

    @Slot(int)
    def _seed_changed(self, seed: int) -> None:
        self.seed.setValue(seed)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._halt()
        self._show_rules()
