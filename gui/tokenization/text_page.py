"""Text and tokens: one text as characters, code points, bytes, and under many tokenizers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from engine.workspace.choices import CorpusChoice, TokenizerSpec
from engine.workspace.made import MadeTokenizer
from gui import theme
from gui.job_handle import Failure, JobHandle
from gui.tokenization.exchange_bar import ExchangeBar
from gui.tokenization.text_cost_row import CostRow
from gui.tokenization.text_entries import entries
from gui.tokenization.text_export import ComparisonExport
from gui.tokenization.text_presets import LONGEST_TEXT, PRESETS
from gui.tokenization.text_rows import UnitRows
from gui.tokenization.text_strips import Links
from gui.tokenization.text_table import TokenizerTable
from gui.tokenization.text_tokenizers import Learned, learn_tokenizers
from gui.tokenization.text_units import CutText
from gui.widgets.notice import Notice
from gui.widgets.plain_text_input import PlainTextInput
from gui.widgets.safe_text import plain_label

if TYPE_CHECKING:
    from engine.text import Corpus
    from gui.lab import Lab

TURN_SECONDS = 0.005
"""How long one turn of the event loop may cut text before it lets the keyboard in."""


class TextPage(QWidget):
    """A text field, its rows of units, and the tokenizers side by side.

    Rows are filled a few milliseconds at a time, so that typing never waits for them.

    Args:
        lab: its corpus is what the tokenizers are learned from, on its compute thread.
    """

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._cut = CutText("")
        self._waiting: list[str] = []
        self._fresh = False
        self._learned: Learned | None = None
        self._job: JobHandle | None = None
        self._imported: list[MadeTokenizer] = []
        self._offered: CorpusChoice | None = None
        self._said_length = False
        self._from_field = False
        self.links = Links(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)
        self._build()
        self._connect()
        self._show_entries()
        self.examples.setCurrentIndex(0)
        self._choose_example(0)
        self._turn()
        self._place_moved(-1, -1)

    # ------------------------------------------------------------------------------- its parts
    def _build(self) -> None:
        self.examples = QComboBox()
        self.examples.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.examples.setAccessibleName("Example texts")
        self.examples.setToolTip("Texts worth a look. The field below takes any text of yours.")
        self.examples.setPlaceholderText("A text of yours")
        for preset in PRESETS:
            self.examples.addItem(preset.title)
        self.hint = plain_label(wrap=True)
        theme.set_text_role(self.hint, "body", "muted")
        label = QLabel("&Example")
        label.setBuddy(self.examples)
        head = QHBoxLayout()
        head.addWidget(label)
        head.addWidget(self.examples)
        head.addWidget(self.hint, 1)
        self.input = PlainTextInput(
            name="Your text",
            placeholder="Type any text here, in any language …",
            limit=LONGEST_TEXT,
            lines=2,
        )
        self.notice = Notice()
        self.rows = UnitRows(self.links)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(head)
        self._column.addWidget(self.input)
        self._column.addWidget(self.notice)
        self._column.addWidget(self.rows)
        self.cost = CostRow("The same text as tokens")
        self._column.addWidget(self.cost)
        self.table = TokenizerTable(self.links)
        self.export = ComparisonExport(self.table)
        self.cost.add(self.export)
        self._column.addWidget(self.table)
        self.exchange = ExchangeBar(self._lab)
        self._column.addWidget(self.exchange)
        self._column.addStretch(1)

    def _connect(self) -> None:
        lab = self._lab
        self.examples.activated.connect(self._choose_example)
        self.input.textChanged.connect(self._text_changed)
        self.input.too_large.connect(self._too_long)
        self.input.file_dropped.connect(self._file_dropped)
        self.input.selectionChanged.connect(self._field_selected)
        self.links.moved.connect(self._place_moved)
        self.table.wanted.connect(self._use)
        self.cost.changed.connect(self._size_changed)
        self.notice.pressed.connect(self._notice_acted)
        self.exchange.imported.connect(self.add_tokenizer)
        lab.corpus_changed.connect(self._corpus_changed)
        lab.tokenizer_changed.connect(self._show_entries)
        lab.preparing_changed.connect(self._show_entries)
        lab.streams_changed.connect(self._show_entries)

    # --------------------------------------------------------------------------------- the text
    @property
    def cut(self) -> CutText:
        """The text that the rows show, or are about to."""
        return self._cut

    @Slot(int)
    def _choose_example(self, index: int) -> None:
        preset = PRESETS[index]
        self.input.set_text(preset.text)
        self.examples.setCurrentIndex(index)
        self.hint.setText(preset.hint)

    @Slot()
    def _text_changed(self) -> None:
        self._fresh = False
        self._timer.start()
        if self._said_length:
            self._said_length = False
            self._offered = None
            self.notice.clear()
        index = self.examples.currentIndex()
        if index >= 0 and self.input.text() != PRESETS[index].text:
            self.examples.setCurrentIndex(-1)
            self.hint.setText("")

    @Slot()
    def _turn(self) -> None:
        """Cut the text if it is new, then fill rows for some milliseconds."""
        started = time.perf_counter()
        if not self._fresh:
            self._fresh = True
            self._cut = CutText(self.input.text())
            self._waiting = [*self.rows.parts(), *self.table.names()]
            self.links.forget()
        while self._waiting:
            self._fill(self._waiting.pop(0))
            if time.perf_counter() - started > TURN_SECONDS:
                break
        if self._waiting:
            self._timer.start()

    def _fill(self, key: str) -> None:
        if key in self.rows.parts():
            self.rows.show_part(key, self._cut)
        else:
            self.table.show_text(key, self._cut)

    @property
    def settled(self) -> bool:
        """Whether all rows show the text in the field."""
        return self._fresh and not self._waiting

    @Slot(str)
    def _too_long(self, text: str) -> None:
        self._offered = None
        most = f"{LONGEST_TEXT:,} characters"
        if text:
            self._offered = CorpusChoice("text", self._lab.seed, text=text)
            self.notice.say(
                f"That text has {len(text):,} characters; this field takes {most}. "
                "A long text can be what all tabs learn from.",
                "warning",
                "Learn from that text",
            )
        else:
            self.notice.say(f"This field takes {most}: it is full.", "warning")
        self._said_length = True

    @Slot(str)
    def _file_dropped(self, path: str) -> None:
        self._offered = CorpusChoice("file", self._lab.seed, path=path)
        self.notice.say(
            f"“{self._offered.label}” is a file. Its text can be what all tabs learn from.",
            "info",
            "Learn from that file",
        )
        self._said_length = True

    @Slot()
    def _notice_acted(self) -> None:
        offered, self._offered = self._offered, None
        self.notice.clear()
        if offered is not None:
            self._lab.choose_corpus(offered)
        else:
            self._learn()

    # -------------------------------------------------------------------------------- the links
    @Slot()
    def _field_selected(self) -> None:
        """What is selected in the field lights up in the rows."""
        cursor = self.input.textCursor()
        if not self.settled:
            return
        if cursor.hasSelection():
            self._from_field = True
            self.links.choose(
                *self._cut.bytes_of_utf16(cursor.selectionStart(), cursor.selectionEnd())
            )
        elif self._from_field:
            self._from_field = False
            self.links.choose(-1, -1)

    @Slot(int, int)
    def _place_moved(self, start: int, end: int) -> None:
        if start < 0 or not self.settled:
            self.rows.place.setText("Point at any chip: the same place lights up everywhere.")
            self.input.mark(0, 0)
        else:
            self.rows.place.setText(self._cut.place_in_words(start, end))
            self.input.mark(*self._cut.utf16_span(start, end))

    # --------------------------------------------------------------------------- the tokenizers
    def add_tokenizer(self, made: MadeTokenizer) -> None:
        """Show one more tokenizer, such as one that was imported; one that is there stays one."""
        if all(made.fingerprint != other.fingerprint for other in self._imported):
            self._imported.append(made)
        self._show_entries()

    @Slot()
    def _show_entries(self) -> None:
        """Show the tokenizers that there are, and cut the text by those that are new."""
        lab = self._lab
        shared = lab.tokenizer
        if shared is not None and shared.spec.source:  # it keeps its row when another is chosen
            known = {made.fingerprint for made in self._imported}
            if shared.fingerprint not in known:
                self._imported.append(shared)
        rows = entries(lab.corpus, shared, self._learned, self._imported, lab.streams)
        stale = self.table.set_entries(rows)
        if stale and self._fresh:
            self._waiting += [key for key in stale if key not in self._waiting]
            self._timer.start()

    @Slot()
    def _corpus_changed(self) -> None:
        if self.isVisible():
            self._learn()
        self._show_entries()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._learn()

    def _learn(self) -> None:
        """Learn the tokenizers from the corpus, unless they are learned or being learned."""
        corpus: Corpus | None = self._lab.corpus
        if corpus is None or (self._learned and self._learned.corpus == corpus.fingerprint):
            return
        if self._job is not None:
            self._job.discard()
        self._learned = Learned({}, corpus.fingerprint)
        self.notice.clear()
        self._job = self._lab.compute.submit(
            learn_tokenizers,
            corpus,
            title="Learning tokenizers to compare",
            urgent=True,
            gives_way=True,
            on_snapshot=self._adopt,
            on_result=self._all_learned,
            on_error=self._not_learned,
            on_cancelled=self._stopped,
        )

    @Slot(object)
    def _adopt(self, learned: Learned) -> None:
        corpus = self._lab.corpus
        if corpus is not None and learned.corpus == corpus.fingerprint:
            self._learned = learned
            self._show_entries()

    @Slot(object)
    def _all_learned(self, learned: Learned) -> None:
        self._job = None
        self._adopt(learned)

    @Slot(object)
    def _not_learned(self, failure: Failure) -> None:
        self._job = self._learned = None
        self.notice.say(failure.sentence, "error", "Try again")

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._job = self._learned = None
        if not self.isVisible():
            return  # learned when it is shown again
        self.notice.say(
            "Learning was stopped: some tokenizers are not there yet.", "info", "Learn them"
        )

    @Slot(str)
    def _use(self, key: str) -> None:
        entry, lab = self.table.entry(key), self._lab
        made = entry.made
        if made is None:
            return
        wish: MadeTokenizer | TokenizerSpec = made
        # While another text is being read, what was learned from the old one won't do.
        if lab.preparing is not None and made not in self._imported:
            wish = made.spec
        lab.choose_tokenizer(wish)

    @Slot()
    def _size_changed(self) -> None:
        self.table.set_size(self.cost.size_chosen)
