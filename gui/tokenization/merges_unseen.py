"""Unseen text: how learned merges are applied, rule by rule, and why nothing need be unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.tokenizers import BPETokenizer
from engine.tokenizers.base import Ids, to_utf8
from engine.tokenizers.bpe import base_alphabet
from engine.tokenizers.merge_walk import MergeState, MergeWalk
from gui import theme
from gui.job_handle import Failure
from gui.tokenization.merges_counts import LEARNED_FROM, CountsInCorpus, CountsInText
from gui.tokenization.merges_exports import MergesExport
from gui.tokenization.merges_source import MOST, LearnSettings
from gui.tokenization.merges_strip import SLIDE_MS, MergeStrip
from gui.tokenization.merges_transport import Transport
from gui.tokenization.merges_vocabulary import VocabularyTable
from gui.tokenization.merges_words import pair_words, quoted, times
from gui.tokenization.numbers.controls import SideBySide
from gui.tokenization.strip_export import StripExport
from gui.tokenization.text_entries import counts_in_corpus
from gui.tokenization.text_presets import LONGEST_TEXT
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import Notice
from gui.widgets.plain_text_input import PlainTextInput
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_text import Vocabulary

if TYPE_CHECKING:
    from gui.lab import Lab

SENTENCE = "The attacking catfish bit me."
"""Unseen by the tutorial's example: a new word, and a letter that never stood there."""

AT_ONCE = 500
"""Characters up to which encoding step by step is quicker than a frame."""
WAIT_MS = 120

LEARNED, SHARED = "learned", "shared"


def tokenizer_of(walk: MergeWalk, settings: LearnSettings) -> BPETokenizer:
    """The tokenizer whose history a walk that learns is."""
    alphabet = base_alphabet([settings.text], settings.base)
    return BPETokenizer(
        alphabet,
        walk.merges,
        settings.pre_tokenize,
        settings.tie_rule,
        walk.stop_reason or "vocabulary full",
    )


class UnseenPane(QWidget):
    """A sentence, encoded rule by rule with merges learned elsewhere.

    Args:
        lab: its shared tokenizer can be used too, if it is byte-pair encoding.
    """

    bytes_wanted = Signal()
    """The merges are to be learned again, from bytes."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._learned = tokenizer_of(MergeWalk.learning(""), LearnSettings(""))
        self._learned_ids: Ids = np.empty(0, np.int32)
        """(T,) the text learned from, after the last merge."""
        self.tokenizer = self._learned
        self.walk = MergeWalk.encoding("", self.tokenizer)
        self.state: MergeState = self.walk.step(0)
        self._rank_of: dict[tuple[int, int], int] = {}
        self._vocabulary = Vocabulary(self.tokenizer.token_bytes)
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._encode)
        self.rules.activated.connect(self._rules_chosen)
        self.input.textChanged.connect(self._timer.start)
        self.input.too_large.connect(self._too_long)
        self.input.file_dropped.connect(self._file_dropped)
        self.transport.moved.connect(self._moved)
        self.table.token_chosen.connect(self._token_chosen)
        self.again.clicked.connect(self.bytes_wanted)
        lab.tokenizer_changed.connect(self._tokenizer_changed)
        for changed in (lab.corpus_changed, lab.tokenizer_changed, lab.streams_changed):
            changed.connect(self._tell_counts)
        self._name_rules()
        self._rules_chosen()

    def _build(self) -> None:
        self.rules = QComboBox()
        self.rules.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.rules.setAccessibleName("Merges to apply")
        self.rules.setToolTip("Whose merges are applied to the text below.")
        self.rules.addItem("the merges learned here", LEARNED)
        label = QLabel("&Apply")
        label.setBuddy(self.rules)
        theme.set_text_role(label, "body", "muted")
        row = FlowRow()
        row.add(label)
        row.add(self.rules)
        self.input = PlainTextInput(
            name="A sentence that was not learned from", limit=LONGEST_TEXT, lines=1
        )
        self.input.set_text(SENTENCE)
        self.input.setToolTip("Any text: encode what was never learned from.")
        self.notice = Notice()
        self.transport = Transport("step")
        self.strip = MergeStrip("The unseen text in tokens")
        self.strip.set_visible_lines(2, 6)
        self.strip.set_placeholder("Type a sentence above.")
        self.done = plain_label(wrap=True)
        theme.set_text_role(self.done, "body", "muted")
        self.next = plain_label(wrap=True)
        self.unknown = plain_label(wrap=True)
        self.again = QPushButton("Learn the merges again, from bytes")
        self.again.setAutoDefault(False)
        self.again.setToolTip("Start from the 256 bytes instead of the characters of the text.")
        self.table = VocabularyTable()
        self.table.setAccessibleName("Rules, in the order in which they are applied")
        self.export_rules = MergesExport(self.table)
        self.export_text = StripExport(self.strip, "unseen text in tokens")
        self.transport.add_behind(self.export_text)
        rules_title = plain_label("Rules, in the order in which they are applied")
        theme.set_text_role(rules_title, "strong")
        why_title = plain_label("Can anything be unknown?")
        why_title.setToolTip(
            plain_tooltip("Unknown: outside the vocabulary, and so replaced by <unk>.")
        )
        theme.set_text_role(why_title, "strong")
        left, right = QWidget(), QWidget()
        said, ruled = QVBoxLayout(left), QVBoxLayout(right)
        for column in (said, ruled):
            column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.strip, self.done, self.next, why_title, self.unknown):
            said.addWidget(widget)
        buttons = FlowRow()
        buttons.add(self.again)
        said.addWidget(buttons)
        said.addStretch(1)
        rules_head = QHBoxLayout()
        rules_head.addWidget(rules_title, 1)
        rules_head.addWidget(self.export_rules)
        ruled.addLayout(rules_head)
        ruled.addWidget(self.table, 1)
        both = SideBySide(42)
        both.add(left, 3)
        both.add(right, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (row, self.input, self.notice, self.transport):
            column.addWidget(part)
        column.addWidget(both, 1)

    # ------------------------------------------------------------------------------- the rules
    @Slot(object, object)
    def set_learned(self, walk: MergeWalk, settings: LearnSettings) -> None:
        """The merges learned on the other page are these now."""
        self._learned = tokenizer_of(walk, settings)
        self._learned_ids = walk.ids(len(walk))
        self._name_rules()
        if self.rules.currentData() == LEARNED:
            self._rules_chosen()

    @Slot()
    def _tokenizer_changed(self) -> None:
        self._name_rules()
        if self.rules.currentData() == SHARED:
            self._rules_chosen()

    @Slot()
    def _tell_counts(self) -> None:
        """Let chips tell how often they stand in the text that their rules were learned from."""
        lab, chips = self._lab, self.state.ids
        if self.tokenizer is self._learned:
            unknown = self.tokenizer.unknown_id
            told = CountsInText(chips, self._learned_ids, LEARNED_FROM, unknown).of_chip
        else:
            counts = counts_in_corpus(lab.corpus, lab.tokenizer, lab.streams)
            told = CountsInCorpus(chips, counts).of_chip
        self.strip.set_details(told)

    def _name_rules(self) -> None:
        """Say what there is to choose from."""
        count = len(self._learned.merges)
        noun = "merge" if count == 1 else "merges"
        self.rules.setItemText(0, f"the {count:,} {noun} learned under “Learn the merges”")
        shared = self._lab.tokenizer
        at = self.rules.findData(SHARED)
        if shared is None or not isinstance(shared.tokenizer, BPETokenizer):
            if at >= 0:
                chosen = self.rules.currentIndex() == at
                self.rules.removeItem(at)
                if chosen:
                    self._rules_chosen()
            return
        title = f"the tokenizer of all tabs: {shared.label}"
        if at >= 0:
            self.rules.setItemText(at, title)
        else:
            self.rules.addItem(title, SHARED)

    @Slot()
    def _rules_chosen(self) -> None:
        shared = self._lab.tokenizer
        self.tokenizer = self._learned
        if self.rules.currentData() == SHARED and shared is not None:
            assert isinstance(shared.tokenizer, BPETokenizer)
            self.tokenizer = shared.tokenizer
        self._vocabulary = Vocabulary.of(self.tokenizer, end_of_text=False)
        self._rank_of = {}
        for rank, merge in enumerate(self.tokenizer.merges):
            self._rank_of.setdefault((merge.left, merge.right), rank)
        tokens = [self.tokenizer.token_bytes(i) for i in range(self.tokenizer.vocab_size)]
        self.table.show_merges(self.tokenizer.merges, tokens)
        self._encode()

    # ------------------------------------------------------------------------------- the text
    @Slot()
    def _encode(self) -> None:
        self._timer.stop()
        text = self.input.text()[:MOST]
        if len(text) <= AT_ONCE:
            self._lab.compute.forget(self)
            self._adopt((self.tokenizer, MergeWalk.encoding(text, self.tokenizer)))
            return
        self._lab.compute.request(
            self,
            _encoded,
            text,
            self.tokenizer,
            title="Encoding step by step",
            on_result=self._adopt,
            on_error=self._failed,
        )

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.notice.say(failure.sentence, "error")

    @Slot(str)
    def _too_long(self, text: str) -> None:
        self.notice.say(
            f"That is too long to be stepped through: {len(text):,} characters. Paste a part of it."
            if text
            else "The field is full.",
            "warning",
        )

    @Slot(str)
    def _file_dropped(self, _: str) -> None:
        self.notice.say("A sentence is wanted here, not a file. Paste one.", "warning")

    @Slot(object)
    def _adopt(self, made: tuple[BPETokenizer, MergeWalk]) -> None:
        tokenizer, walk = made
        if tokenizer is not self.tokenizer:
            return  # other rules were chosen in the meantime
        self.notice.clear()
        self.walk = walk
        self.transport.set_steps(len(walk))
        self._show(0, slide=False)
        self._explain_unknown()

    @Slot(int, bool)
    def _moved(self, step: int, near: bool) -> None:
        self._show(step, slide=near)

    def _show(self, step: int, *, slide: bool) -> None:
        self.state = state = self.walk.step(step)
        milliseconds = SLIDE_MS if slide else 0
        if slide and self.transport.playing:
            milliseconds = min(SLIDE_MS, round(600 / self.transport.rate))
        self.strip.show_state(state, self._vocabulary, to_utf8(self.walk.text), milliseconds)
        self._tell_counts()
        self.done.setText(self._done_in_words())
        self.next.setText(self._next_in_words())
        rank = self._rank(state.next) if state.next is not None else None
        self.table.point_at(-1 if rank is None else rank)
        self._light_next()

    def _rank(self, merge: object) -> int | None:
        return self._rank_of.get((merge.left, merge.right))  # type: ignore[attr-defined]

    def _light_next(self) -> None:
        if self.state.next is None:
            self.strip.clear_highlight()
            return
        after = self.walk.step(self.state.step + 1)
        made = {after.byte_spans[i][0] for i in after.fresh.tolist()}
        lefts = [i for i, (start, _) in enumerate(self.state.byte_spans) if start in made]
        # A token of no bytes there is none: every start is that of one token.
        self.strip.light_pair(lefts)
        if lefts:
            self.strip.reveal(lefts[0])

    @Slot(int)
    def _token_chosen(self, token: int) -> None:
        if token >= 0 and self.table.hasFocus():
            self.strip.highlight_id(token)
        else:
            self._light_next()

    # ---------------------------------------------------------------------------- in words
    def _done_in_words(self) -> str:
        state = self.state
        if state.last is None:
            base = "bytes" if self.tokenizer.base == "bytes" else "characters"
            return f"{len(state.ids):,} {base}, before any rule."
        rank = self._rank(state.last)
        tokens = self.walk.tokens
        pair = pair_words(tokens, state.last.left, state.last.right)
        number = f"Rule {rank + 1:,}" if rank is not None else "A rule"
        made = quoted(tokens[state.last.id])
        count = len(state.fresh)
        return f"{number}: {pair} became {made}, {times(count)}. {len(state.ids):,} tokens."

    def _next_in_words(self) -> str:
        state = self.state
        if not len(state.ids):
            return "There is no text to encode."
        if state.next is None:
            total = len(self.tokenizer.merges)
            return (
                f"Encoded: no pair that is left has a rule. {len(self.walk):,} of the {total:,} "
                "rules found something to merge."
            )
        rank = self._rank(state.next)
        pair = pair_words(self.walk.tokens, state.next.left, state.next.right)
        number = f"rule {rank + 1:,}" if rank is not None else "a rule"
        return (
            f"Next: {number}, {pair}. Of all pairs that stand here, it is the one that was "
            "learned first; how often it stands here doesn’t matter."
        )

    def _explain_unknown(self) -> None:
        """Whether anything is unknown here, and why."""
        unknown_id = self.tokenizer.unknown_id
        self.again.setVisible(False)
        if self.tokenizer.base == "bytes":
            self.unknown.setText(
                "No. Every text is a row of bytes, and all 256 bytes are in the base vocabulary. "
                "What no rule covers stays as it is, in bytes."
            )
            return
        if unknown_id is None:
            self.unknown.setText(
                "No. A character that was never seen is spelled in its UTF-8 bytes, which are all "
                "in the base vocabulary (byte fallback)."
            )
            return
        missing = dict.fromkeys(
            self.walk.text[start:end]
            for i, (start, end) in zip(
                self.walk.ids(0).tolist(), self.walk.step(0).spans, strict=True
            )
            if i == unknown_id
        )
        self.again.setVisible(self.rules.currentData() == LEARNED)
        if not missing:
            self.unknown.setText(
                "Here nothing is, but it can be: a character that never stood in the text learned "
                "from would become <unk>. Starting from bytes, nothing ever is."
            )
            return
        shown = ", ".join(quoted(to_utf8(character)) for character in list(missing)[:8])
        more = f" and {len(missing) - 8:,} more" if len(missing) > 8 else ""
        verb = "was" if len(missing) == 1 else "were"
        self.unknown.setText(
            f"Yes: {shown}{more} {verb} never seen in the text learned from, and become"
            f"{'s' if len(missing) == 1 else ''} <unk>: what stood there is lost. Starting from "
            "bytes, nothing ever is unknown."
        )


def _encoded(text: str, tokenizer: BPETokenizer) -> tuple[BPETokenizer, MergeWalk]:
    return tokenizer, MergeWalk.encoding(text, tokenizer)
