"""What the n-gram cannot see: words that are settled far back, and texts that contradict
themselves."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.models.reach import Reach
from engine.workspace.made import Streams
from gui import theme
from gui.lab import Lab
from gui.language_models.context import Context
from gui.language_models.model_bar import ModelBar
from gui.language_models.models import ModelSet
from gui.language_models.page import Page
from gui.language_models.reach_run import (
    Faithful,
    Memory,
    Probed,
    contestants,
    far_words,
    in_words,
    leaders,
    needed,
    probe,
    write_and_check,
)
from gui.language_models.rules_bar import labelled
from gui.widgets.curve_plot import CurvePlot
from gui.widgets.flow_layout import FlowRow
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_label
from gui.widgets.titled_table import TitledTable
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary, isolate
from gui.widgets.work import Bet, Work

FAR = 8
"""Examples have their cause at least so many words back."""
_DRAWN = {"1-gram", "2-gram", "3-gram", "5-gram", "8-gram"}
"""Of the n-grams, those with a curve; the table has all."""
_BANDED = ("5-gram",)
"""Of the n-grams, those whose band is drawn; the table has the intervals of all."""


class ReachPage(Page):
    """The probe, an example with its cause lit up, and the consistency of generated texts."""

    uses_context = False

    def __init__(self, lab: Lab, models: ModelSet, context: Context) -> None:
        super().__init__(lab, models, context)
        self._probed: Probed | None = None
        self._streams: Streams | None = None
        self._example = 0
        self._asked: tuple[str, ...] = ()
        self.model_bar = ModelBar(models)
        self.start = QPushButton("&Probe")
        self.start.setToolTip("Ask every model for every settled word of the held-out stories.")
        self.write = QPushButton("&Write and check")
        self.write.setToolTip(
            "Let every model write texts from nothing, and count where they contradict what "
            "they said before."
        )
        self.texts = QSpinBox()
        self.texts.setObjectName("texts")
        self.texts.setRange(1, 200)
        self.texts.setValue(20)
        self.stop = QPushButton("St&op")
        self.stop.setToolTip("Stop; what is done stays.")
        self.bands = QCheckBox("95 % &bands")
        self.bands.setToolTip(
            "Draw, and list for every model, between which values each mean lies with 95 % "
            "confidence."
        )
        self.another = QPushButton("&Another example")
        self.another.setToolTip("Show another word that is settled far back.")
        row = FlowRow()
        for widget in (
            self.start,
            self.write,
            labelled("&Texts", self.texts, "How many texts each model writes."),
            self.stop,
            self.bands,
        ):
            row.add(widget)
        self.work = Work(lab.compute, self.stop, self)
        self.bet = Bet(self.start, self)
        self.said = plain_label(wrap=True)
        self.plot = CurvePlot(
            "Memory", "how far back the cause lies (words)", "mean probability of the right word"
        )
        self.plot.set_log_x(True)
        self.plot.set_empty_text("Make a bet, or press Probe.")
        self.means = TitledTable(
            "Mean probability of the right word, by how far back (words) it is settled"
        )
        self.example_said = plain_label(wrap=True)
        self.strip = TokenStrip(name="A story with a word and its cause lit up")
        self.strip.set_visible_lines(3, 6)
        self.faithful = TitledTable(
            "Do texts of their own keep to their facts?",
            "Consistency of texts written by each model",
            "Press “Write and check”: every model writes stories from nothing, and each is "
            "checked against itself.",
        )
        self.faithful_said = plain_label(
            "Consistency: of all words that had to agree with what the text said before, the "
            "share that did, counted by the grammar's own rules.",
            wrap=True,
        )
        theme.set_text_role(self.faithful_said, "caption", "muted")
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        title = QLabel("One of these words")
        theme.set_text_role(title, "strong")
        head = FlowRow()
        head.add(title)
        head.add(self.another)
        for widget in (
            head,
            self.example_said,
            self.strip,
            self.means,
            self.faithful,
            self.faithful_said,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("reach_splitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.plot)
        self.splitter.addWidget(side)
        self.splitter.setSizes([560, 640])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 8, 0)
        page.addWidget(self.model_bar)
        page.addWidget(row)
        page.addWidget(self.said)
        page.addWidget(self.bet.card)
        page.addWidget(self.splitter, 1)
        self.bet.wanted.connect(self.probe)
        self.write.clicked.connect(self.check)
        self.work.came.connect(self._came)
        self.work.finished.connect(self._finished)
        self.work.failed.connect(self._failed)
        self.work.stopped.connect(self._ask_again)
        self.bands.toggled.connect(self._show_probed)
        self.another.clicked.connect(self._next_example)
        lab.streams_changed.connect(self.refresh)
        self._show_probed()

    @property
    def probed(self) -> Probed | None:
        """The probe's result so far."""
        return self._probed

    # --------------------------------------------------------------------------------- computing
    def compute(self) -> None:
        """Other models, another text: say what can be done now."""
        streams = self.lab.streams
        for button in (self.start, self.write):
            button.setEnabled(streams is not None)
        if self._streams is not None and self._streams is not streams:
            self.work.drop()
            self._probed = self._streams = None
            self.faithful.fill([], [])
            self._show_probed()
            self.bet.again()
        if self._probed is None and not self.work.running:
            self._invite()

    def _invite(self) -> None:
        try:
            needed(self.models.table, self.lab.corpus)
        except LabError as error:
            self.said.setText(str(error))
            self.bet.withdraw()
            return
        self.said.setText(
            "In a story, many a word is settled by one further back: who was given the kite, "
            "what the weather was. An n-gram looks at n − 1 tokens, a transformer at its window."
        )
        self._asked = contestants(self.models.table)
        self.bet.ask(
            "Which will give the right word the highest probability where its cause lies "
            f"{far_words()} words back or more?",
            self._asked,
        )

    @Slot()
    def probe(self) -> None:
        """Ask every model."""
        if self.lab.streams is None:
            return
        self._streams, self._probed = self.lab.streams, None
        self._show_probed()
        self.work.start(
            probe,
            self.models.table,
            self.lab.corpus,
            self.lab.streams,
            title="Probing the models",
        )

    @Slot()
    def check(self) -> None:
        """Let every model write."""
        if self.lab.streams is None:
            return
        self._streams = self.lab.streams
        self.faithful.fill([], [])
        self.work.start(
            write_and_check,
            self.models.table,
            self.lab.corpus,
            self.texts.value(),
            self.lab.seed,
            title="Writing and checking",
            unit="texts",
        )

    @Slot()
    def _ask_again(self) -> None:
        if self._probed is None or self.bet.card.state == "locked":
            self.bet.again()

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self._ask_again()
        self.said.setText(sentence)

    @Slot(object)
    def _came(self, result: Probed | Faithful) -> None:
        if isinstance(result, Faithful):
            self._show_faithful(result)
        else:
            self._probed = result
            self._show_probed()

    @Slot(object)
    def _finished(self, result: Probed | Faithful) -> None:
        if isinstance(result, Probed):
            self.said.setText(in_words(result))
            right, why = leaders(result, self._asked)
            if right:
                self.bet.judge(right, why)
            else:
                self._ask_again()

    # ----------------------------------------------------------------------------------- showing
    @Slot()
    def _show_probed(self) -> None:
        self._show_curves()
        self._show_example()
        self.another.setEnabled(self._probed is not None)

    def _show_curves(self) -> None:
        self.plot.clear()
        if self._probed is None:
            return
        lines = {
            "1-gram": Qt.PenStyle.DotLine,
            "2-gram": Qt.PenStyle.DashDotDotLine,
            "3-gram": Qt.PenStyle.DashDotLine,
            "5-gram": Qt.PenStyle.DashLine,
            "8-gram": Qt.PenStyle.SolidLine,
        }
        for memory in self._probed.memories:
            if memory.kind == "ngram" and memory.title not in _DRAWN:
                continue
            x = [r.distance for r in memory.reaches]
            line = lines.get(memory.title)
            means = [r.mean for r in memory.reaches]
            self.plot.set_series(memory.title, x, means, kind=memory.kind, line=line)
            if self.bands.isChecked() and self._banded(memory):
                dotted = Qt.PenStyle.DotLine
                for name, ends in (
                    ("upper", [r.upper for r in memory.reaches]),
                    ("lower", [r.lower for r in memory.reaches]),
                ):
                    title = f"{memory.title}, {name}"
                    self.plot.set_series(title, x, ends, kind=memory.kind, line=dotted)

    @staticmethod
    def _banded(memory: Memory) -> bool:
        """Whether a band is drawn: of few, or none could be told from another."""
        return memory.title in _BANDED or memory.kind not in ("ngram", "truth")

    def _show_example(self) -> None:
        probed = self._probed
        made = None if probed is None else probed.table.tokenizer
        if probed is None or made is None:
            self.strip.set_tokens([], Vocabulary(lambda i: b""))
            self.example_said.setText(
                "After the probe: a story in which the word and its cause are lit up."
            )
            self.strip.hide()
            self.means.fill([], [])
            return
        far = [i for i, p in enumerate(probed.probes) if p.distance >= FAR]
        places = far or list(range(len(probed.probes)))
        place = places[(self._example * 37) % len(places)]
        asked = probed.probes[place]
        words = probed.stories[asked.story].words[: asked.position + 1]
        tokenizer = made.tokenizer
        pieces = [tokenizer.encode(word) for word in words]
        starts = [0]
        for piece in pieces:
            starts.append(starts[-1] + len(piece))
        self.strip.show()
        self.strip.set_tokens([i for piece in pieces for i in piece], Vocabulary.of(tokenizer))
        lit = [
            i
            for word in (asked.reminder, asked.position)
            for i in range(starts[word], starts[word + 1])
        ]
        self.strip.highlight(lit)
        bar = self.strip.verticalScrollBar()
        bar.setValue(bar.maximum())
        self.example_said.setText(
            f"“{isolate(asked.word.strip())}” is settled by "
            f"“{isolate(words[asked.reminder].strip())}”, {asked.distance:,} words back. Both are "
            "lit up."
        )
        self._show_means(probed.memories, place)

    def _show_means(self, memories: tuple[Memory, ...], place: int) -> None:
        rows = [
            (
                memory.title,
                "The word above, then the mean over all words by how far back they are settled.",
                [_shown(memory.probabilities[place])] + [self._told(r) for r in memory.reaches],
            )
            for memory in memories
        ]
        bins = memories[0].reaches if memories else ()
        titles = ["this word"]
        titles += [f"{r.low}+" if r.high is None else f"{r.low}–{r.high}" for r in bins]
        self.means.fill(titles, rows)

    def _told(self, reach: Reach) -> str:
        """A mean, or where bands are shown the ends of its interval."""
        if self.bands.isChecked():
            return f"{reach.lower:.2f}–{reach.upper:.2f}"
        return f"{reach.mean:.2f}"

    @Slot()
    def _next_example(self) -> None:
        self._example += 1
        self._show_example()

    def _show_faithful(self, faithful: Faithful) -> None:
        rows = []
        for seat, kept in faithful.rows:
            low, high = kept.interval
            share = f"{100 * kept.share:.1f} %" if math.isfinite(kept.share) else "–"
            rows.append(
                (
                    seat.title,
                    seat.name,
                    [
                        share,
                        f"{100 * low:.0f}–{100 * high:.0f} %",
                        f"{kept.agree:,} of {kept.agree + kept.disagree:,}",
                        f"{kept.unread:,} of {kept.sentences:,}",
                    ],
                )
            )
        self.faithful.fill(["consistent", "95 %", "checks", "unreadable sentences"], rows)


def _shown(p: float) -> str:
    return "–" if math.isnan(p) else format_probability(p)
