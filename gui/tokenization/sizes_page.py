"""How large a vocabulary? One training run, scrubbed through all the sizes it passes."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.tokenizers.merge_walk import MergeWalk
from engine.tokenizers.sweep import LARGEST, VocabularySweep
from engine.tokenizers.sweep_bits import SweepResult, measure_sizes
from engine.workspace.made import adopt_made
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.tokenization.numbers.controls import bring_into_view
from gui.tokenization.sizes_plots import PLOTS, Reflow, SizePlot
from gui.tokenization.sizes_scrubber import SizeScrubber
from gui.tokenization.strip_export import StripExport
from gui.widgets.chip_text import TokenInfo
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import EmptyState
from gui.widgets.prediction_card import PredictionCard, Question
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary

if TYPE_CHECKING:
    from engine.text import Corpus
    from gui.lab import Lab

SENTENCE = "The government shutdown was delayed indefinitely."
LONGEST_SENTENCE = 2_000
INTRO = "A larger vocabulary makes texts shorter, but each token rarer. How large should it be?"
MEASURED_UNASKED = 3_000_000
"""Bytes of text up to which the page measures when it is shown; more takes over 15 seconds."""
SECONDS_PER_MEGABYTE = 6
"""What measuring took on two cores, for a rough word about the wait."""
CHOICES = ("less than 2 times", "2 to 3 times", "3 to 5 times", "more than 5 times")


def right_choice(ratio: float) -> int:
    """Which of CHOICES holds for how many times shorter a text became."""
    return bisect.bisect_right((2.0, 3.0, 5.0), ratio)


class SizesPage(QWidget):
    """Measure every size once, guess, then scrub through the curves.

    Args:
        lab: its corpus is learned from; the size chosen may become its tokenizer.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._job: JobHandle | None = None
        self._corpus: Corpus | None = None
        self._offered: Corpus | None = None
        self.result: SweepResult | None = None
        self._walk: MergeWalk | None = None
        self._merge_ids: list[int] = []
        self._build()
        self._connect()
        self._corpus_changed()

    # ------------------------------------------------------------------------------- its parts
    def _build(self) -> None:
        intro = plain_label(INTRO, wrap=True)
        theme.set_text_role(intro, "subtitle")
        self.measure = QPushButton("&Measure all sizes")
        self.measure.setToolTip(
            f"Learn byte-pair encoding on the text above, up to {LARGEST:,} tokens or until no "
            "pair occurs twice, and measure every size on the way."
        )
        theme.make_primary(self.measure)
        self.stop = QPushButton("&Stop")
        self.stop.setToolTip("Stop measuring; what is measured stays.")
        self.said = plain_label(wrap=True)
        self.said.setAccessibleName("What was measured")
        theme.set_text_role(self.said, "body", "muted")
        head = QHBoxLayout()
        head.addWidget(self.measure)
        head.addWidget(self.stop)
        head.addWidget(self.said, 1)
        self.card = PredictionCard()
        self.scrubber = SizeScrubber()
        self.spin = QSpinBox()
        self.spin.setAccessibleName("Exact vocabulary size")
        self.spin.setToolTip("Every single size was measured: type any.")
        self.spin.setGroupSeparatorShown(True)
        self.spin.setKeyboardTracking(False)
        self.use = QPushButton("&Use this size in all tabs")
        self.use.setToolTip("Cut the text into the tokens of this size from now on, in every tab.")
        chooser = FlowRow()
        chooser.add(plain_label("Vocabulary size"))
        chooser.add(self.spin)
        chooser.add(self.use)
        self.sentence = QLineEdit(SENTENCE)
        self.sentence.setAccessibleName("Sample sentence")
        self.sentence.setToolTip("Any sentence, to see it cut at the size chosen.")
        self.sentence.setMaxLength(LONGEST_SENTENCE)
        self.tokens = TokenStrip(name="The sentence at this size")
        self.tokens.set_visible_lines(1, 4)
        self.token_count = plain_label()
        theme.set_text_role(self.token_count, "body", "accent")
        self.plots = [SizePlot(spec) for spec in PLOTS]
        self.grid = Reflow()
        for plot in self.plots:
            self.grid.add(plot)
        self.empty = EmptyState("Every vocabulary size, measured", "")
        self.body = QWidget()
        inside = QVBoxLayout(self.body)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.scrubber)
        inside.addWidget(chooser)
        inside.addWidget(self._sample())
        inside.addWidget(self.grid, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(intro)
        column.addLayout(head)
        column.addWidget(self.card)
        column.addWidget(self.empty)
        column.addWidget(self.body, 1)
        column.addStretch()

    def _sample(self) -> QWidget:
        sample = QWidget()
        column = QVBoxLayout(sample)
        column.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        row.addWidget(self.sentence, 1)
        row.addWidget(self.token_count)
        self.export_sentence = StripExport(self.tokens, "sentence in tokens")
        row.addWidget(self.export_sentence)
        column.addLayout(row)
        column.addWidget(self.tokens)
        self.tokens.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return sample

    def _connect(self) -> None:
        self.measure.clicked.connect(self.start)
        self.stop.clicked.connect(self._stop)
        self.card.answered.connect(self._answered)
        self.card.onward.connect(self._go_on)
        self.scrubber.size_chosen.connect(self.choose_size)
        self.spin.valueChanged.connect(self.choose_size)
        self.use.clicked.connect(self._use)
        self.sentence.textChanged.connect(self._walk_sentence)
        self._lab.corpus_changed.connect(self._corpus_changed)

    # ------------------------------------------------------------------------------ measuring
    @Slot()
    def start(self) -> None:
        """Measure the present corpus."""
        corpus = self._lab.corpus
        if corpus is None or self._job is not None:
            return
        self._clear()
        self._corpus = corpus
        self._job = self._lab.compute.submit(
            measure_sizes,
            corpus.train,
            corpus.held_out,
            title="Measuring vocabulary sizes",
            on_snapshot=self._show,
            on_result=self._done,
            on_error=self._failed,
            on_cancelled=self._stopped,
        )
        self._follow()

    @Slot()
    def _stop(self) -> None:
        if self._job is not None:
            self._job.stop()

    @Slot(object)
    def _show(self, result: SweepResult) -> None:
        first = self.result is None
        self.result = result
        if first:
            sweep = result.sweep
            self.spin.blockSignals(True)
            self.spin.setRange(sweep.smallest, sweep.largest)
            self.spin.blockSignals(False)
            self.scrubber.set_bounds(sweep.smallest, sweep.largest)
            for plot in self.plots:
                plot.show_result(result)
            self._walk_sentence()
            self._ask(sweep)
            self.choose_size(round((sweep.smallest * sweep.largest) ** 0.5))
        else:
            self.plots[-1].show_result(result)
            self.plots[-1].show_size(result, self.size_)
        self._follow()

    def _ask(self, sweep: VocabularySweep) -> None:
        if len(sweep.sizes) < 2 or not sweep.train_tokens[-1]:
            self.card.hide()
            self.body.show()
            return
        times = sweep.largest / sweep.smallest
        ratio = sweep.train_tokens[0] / sweep.train_tokens[-1]
        self.card.pose(
            Question(
                f"From {sweep.smallest} tokens to {sweep.largest:,}: {times:.0f} times as large a "
                "vocabulary. How much shorter does the training text become?",
                CHOICES,
                right_choice(ratio),
                f"{ratio:.1f} times: {sweep.train_tokens[0]:,} bytes become "
                f"{sweep.train_tokens[-1]:,} tokens. Most of that comes early, from the most "
                "frequent strings; later merges serve rare words only.",
                "On to the curves",
            )
        )
        self.body.hide()

    @Slot(int)
    def _answered(self, _: int) -> None:
        self.body.show()
        bring_into_view(self.card.verdict)

    @Slot()
    def _go_on(self) -> None:
        self.card.hide()  # the curves need the room
        self.scrubber.setFocus()

    @Slot(object)
    def _done(self, result: SweepResult) -> None:
        self._job = None
        self._show(result)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._job = None
        self._follow()
        self.said.setText(failure.sentence)

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._job = None
        self._follow()

    @Slot()
    def _corpus_changed(self) -> None:
        if self._lab.corpus is not self._corpus:
            if self._job is not None:
                self._job.discard()
                self._job = None
            self._clear()
        self._start_unasked()
        self._follow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._start_unasked()

    def _start_unasked(self) -> None:
        """Measure a text of ordinary size once without being asked; not again after Stop."""
        corpus = self._lab.corpus
        if not self.isVisible() or corpus is None or corpus is self._offered:
            return
        self._offered = corpus
        if self.result is None and _size_of(corpus) <= MEASURED_UNASKED:
            self.start()

    def _clear(self) -> None:
        self.result, self._walk, self._corpus = None, None, None
        for plot in self.plots:
            plot.plot.clear()
        self.card.hide()
        self.body.hide()

    def _follow(self) -> None:
        """Show where the measuring stands."""
        busy = self._job is not None
        self.stop.setVisible(busy)
        self.measure.setVisible(not busy and not (self.result and self.result.complete))
        self.measure.setEnabled(self._lab.corpus is not None)
        self.said.setText(self._in_words())
        corpus = self._lab.corpus
        self.empty.setVisible(self.result is None)
        if corpus is not None and self.result is None:
            seconds = max(1, round(_size_of(corpus) / 1e6 * SECONDS_PER_MEGABYTE))
            self.empty.text.setText(
                "For each vocabulary size there will be five curves: how long the text is in "
                "tokens, how many words a vocabulary of words would not know, how many parameters "
                "the embedding takes, how many tokens are too rare to learn from, and how well an "
                "n-gram predicts held-out text. This takes about "
                f"{seconds} second{'' if seconds == 1 else 's'} on an ordinary computer."
            )

    def _in_words(self) -> str:
        if self.result is None:
            corpus = self._lab.corpus
            if corpus is None:
                return "The text is being read."
            title = f"“{corpus.title}”"
            return f"Learning from {title} …" if self._job else f"Not measured yet on {title}."
        sweep = self.result.sweep
        if sweep.stop_reason == "vocabulary full":
            end = f"Learned up to {sweep.largest:,} tokens; the text would allow more."
        elif sweep.stop_reason == "no pair occurs twice":
            end = f"Learning ended at {sweep.largest:,} tokens: no pair occurs twice any more."
        else:
            end = f"Learning ended at {sweep.largest:,} tokens: they became too long."
        end += " Sizes from there on need a longer text." if sweep.largest < LARGEST else ""
        if self._job:
            return f"{end} The n-gram is being scored …"
        if self.result.complete:
            return end
        return f"{end} The n-gram was scored at {len(self.result.bit_sizes)} sizes, then stopped."

    # -------------------------------------------------------------------------------- scrubbing
    @property
    def size_(self) -> int:
        """The size chosen."""
        return self.scrubber.size_

    @Slot(int)
    def choose_size(self, size: int) -> None:
        """Move every marker to a size and tell what holds there."""
        if self.result is None:
            return
        self.scrubber.set_size(size)
        self.spin.blockSignals(True)
        self.spin.setValue(self.size_)
        self.spin.blockSignals(False)
        for plot in self.plots:
            plot.show_size(self.result, self.size_)
        self._show_sentence()

    @Slot()
    def _walk_sentence(self) -> None:
        if self.result is None:
            return
        self._walk = MergeWalk.encoding(self.sentence.text(), self.result.sweep.tokenizer)
        self._merge_ids = [merge.id for merge in self._walk.merges]
        self._show_sentence()

    def _show_sentence(self) -> None:
        if self.result is None or self._walk is None:
            return
        # Merges whose token has an id below the size have been learned by then.
        ids = self._walk.ids(bisect.bisect_left(self._merge_ids, self.size_))
        self.tokens.set_tokens(ids, Vocabulary.of(self.result.sweep.tokenizer))
        self.tokens.set_details(_Counts(self.result.sweep, self.size_, ids.tolist()).of_chip)
        n_bytes = int(self._walk.lengths[0])
        self.token_count.setText(f"{len(ids):,} tokens for {n_bytes:,} bytes")

    @Slot()
    def _use(self) -> None:
        if self.result is not None and self._corpus is not None:
            tokenizer = self.result.sweep.tokenizer.truncated(self.size_)
            self._lab.choose_tokenizer(adopt_made(tokenizer, self._corpus))


@dataclass(frozen=True)
class _Counts:
    """How often the sentence's tokens stand in the training text at one size."""

    sweep: VocabularySweep
    size: int
    ids: list[int]

    def of_chip(self, index: int) -> TokenInfo:
        """What hovering over a chip tells beside id and bytes."""
        return TokenInfo(count=self.sweep.token_count(self.ids[index], self.size))


def _size_of(corpus: Corpus) -> int:
    """Bytes of UTF-8 to measure."""
    return corpus.n_train_bytes + corpus.n_held_out_bytes
