"""Learning merges: the text, its pairs, what comes next and why, the vocabulary that grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from engine.tokenizers.base import to_utf8
from engine.tokenizers.merge_walk import MergeState, MergeWalk
from engine.tokenizers.pretokenize import pretokenize
from engine.workspace.choices import CorpusChoice
from gui import theme
from gui.job_handle import Failure
from gui.tokenization.merges_counts import HERE, CountsInText
from gui.tokenization.merges_exports import MergesExport, PairExport
from gui.tokenization.merges_pairs import PairList
from gui.tokenization.merges_source import LearnSettings, MergeSource
from gui.tokenization.merges_strip import SLIDE_MS, MergeStrip
from gui.tokenization.merges_transport import Transport
from gui.tokenization.merges_vocabulary import VocabularyTable
from gui.tokenization.merges_words import (
    done_in_words,
    judge,
    next_in_words,
    occurrences,
)
from gui.tokenization.numbers.controls import SideBySide, bring_into_view
from gui.tokenization.strip_export import StripExport
from gui.widgets.curve_plot import CurvePlot, Mark
from gui.widgets.notice import Notice
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_text import Vocabulary

if TYPE_CHECKING:
    from gui.lab import Lab

AT_ONCE = 1_500
"""Characters up to which learning is quicker than a frame, and done at once."""


def learn(settings: LearnSettings, job: object = None) -> MergeWalk:
    """Learn all merges of a text."""
    return MergeWalk.learning(
        settings.text,
        None,
        settings.base,
        settings.pre_tokenize,
        settings.tie_rule,
        **({} if job is None else {"job": job}),  # type: ignore[arg-type]
    )


class _LowPlot(CurvePlot):
    """A plot that is content with little height."""

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def hasHeightForWidth(self) -> bool:
        return False  # what wraps in it is short; the height for a width is that of a large plot


class LearnPane(QWidget):
    """One text, merged step by step.

    Args:
        lab: for pieces of its corpus, and its compute thread for texts of some length.
    """

    walk_changed = Signal(object, object)
    """The MergeWalk that was learned, and its LearnSettings."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.walk = MergeWalk.learning("")
        self.state: MergeState = self.walk.step(0)
        self.settings = LearnSettings("")
        self._vocabulary = Vocabulary(self.walk.tokens.__getitem__)
        self._source_bytes = b""
        self._borders: frozenset[int] = frozenset()
        self.asking = False
        """Whether the learner is to say what comes next."""
        self.asked = self.right = 0
        self._offered: CorpusChoice | None = None
        self._build()
        self._connect()
        self._learn()

    # ------------------------------------------------------------------------------- its parts
    def _build(self) -> None:
        self.source = MergeSource(self._lab)
        self.notice = Notice()
        self.transport = Transport("merge", self.source.choice)
        self.predict = QCheckBox("&Predict each merge first")
        self.predict.setToolTip(
            "Counts are hidden until you have clicked the pair that you think is merged next, "
            "in the text or in the list."
        )
        self.score = plain_label()
        theme.set_text_role(self.score, "strong")
        self.strip = MergeStrip("The text in tokens")
        self.strip.set_visible_lines(3, 6)
        self.strip.set_placeholder("There is no text to merge.")
        self.done = plain_label(wrap=True)
        theme.set_text_role(self.done, "body", "muted")
        self.next = plain_label(wrap=True)
        self.next.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.pairs = PairList()
        self.pairs_title = _heading("Pairs, most frequent first")
        self.table = VocabularyTable()
        self.plot = _LowPlot("Length of the text", "merges", "tokens of the text")
        self.plot.legend.hide()  # one curve, and the axis says what it is
        self.plot.setToolTip(
            plain_tooltip("How many tokens the text has after so many merges. A click goes there.")
        )
        top = SideBySide(42)
        top.add(_column(self.strip, self.done, self.next), 3)
        self.export_pairs = PairExport(self.pairs)
        top.add(_column(_head(self.pairs_title, self.export_pairs), self.pairs), 2)
        bottom = SideBySide(42)
        self.export_merges = MergesExport(self.table)
        bottom.add(_column(_head(_heading("New tokens"), self.export_merges), self.table), 1)
        bottom.add(self.plot, 1)
        self.export_text = StripExport(self.strip, "text in tokens")
        self.transport.add_behind(self.export_text)
        self.transport.add_beside(self.predict)
        self.transport.add_beside(self.score)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.transport, self.source, self.notice):
            column.addWidget(part)
        column.addWidget(top, 2)
        # Below the sentence that names the tie rule; what happens to the text comes first.
        column.addWidget(self.source.options)
        column.addWidget(bottom, 3)

    def _connect(self) -> None:
        self.source.changed.connect(self._learn)
        self.source.too_large.connect(self._too_long)
        self.source.file_dropped.connect(self._file_dropped)
        self.notice.pressed.connect(self._learn_from_offered)
        self.transport.moved.connect(self._moved)
        self.predict.toggled.connect(self._predict_toggled)
        self.pairs.pointed.connect(self._pair_pointed)
        self.pairs.chosen.connect(self.guess)
        self.strip.clicked.connect(self._chip_clicked)
        self.table.token_chosen.connect(self._token_chosen)
        self.table.merge_wanted.connect(self.transport.go_to)
        self.plot.clicked.connect(self._plot_clicked)

    # -------------------------------------------------------------------------------- learning
    @Slot()
    def _learn(self) -> None:
        settings = self.source.settings
        if len(settings.text) <= AT_ONCE:
            self._lab.compute.forget(self)
            self._adopt((settings, learn(settings)))
            return
        self._lab.compute.request(
            self,
            _learned,
            settings,
            title="Learning merges",
            with_job=True,
            on_result=self._adopt,
            on_error=self._failed,
        )

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._offered = None
        self.notice.say(failure.sentence, "error")

    @Slot(object)
    def _adopt(self, made: tuple[LearnSettings, MergeWalk]) -> None:
        """Show a walk from its beginning."""
        self._offered = None
        self.notice.clear()
        self.settings, self.walk = made
        self._vocabulary = Vocabulary(self.walk.tokens.__getitem__)
        self._source_bytes = to_utf8(self.settings.text)
        self._borders = frozenset()
        if self.settings.pre_tokenize:
            sizes = [len(to_utf8(word)) for word in pretokenize(self.settings.text)]
            self._borders = frozenset(np.cumsum(sizes).tolist())
        self.asked = self.right = 0
        lengths = self.walk.lengths
        self.plot.set_series("tokens", np.arange(len(lengths)), lengths, kind="#3f51b5", marker="o")
        self.plot.reset_view()
        self.transport.set_steps(len(self.walk))
        self._show(0, slide=False)
        self.walk_changed.emit(self.walk, self.settings)

    # --------------------------------------------------------------------------------- showing
    @Slot(int, bool)
    def _moved(self, step: int, near: bool) -> None:
        self._show(step, slide=near)

    def _show(self, step: int, *, slide: bool) -> None:
        self.state = state = self.walk.step(step)
        milliseconds = 0
        if slide:
            milliseconds = SLIDE_MS
            if self.transport.playing:
                milliseconds = min(SLIDE_MS, round(600 / self.transport.rate))
        self.strip.show_state(state, self._vocabulary, self._source_bytes, milliseconds)
        self.asking = self.predict.isChecked() and state.next is not None
        self.done.setText(done_in_words(self.walk, state))
        self.table.show_merges(self.walk.merges[:step], self.walk.tokens)
        self.plot.set_marks([Mark(step, f"{len(state.ids):,} tokens")])
        self._show_pairs()

    def _show_pairs(self) -> None:
        state, asking = self.state, self.asking
        upcoming = None if state.next is None else (state.next.left, state.next.right)
        self.pairs_title.setText(
            "Pairs, in the order of the text" if asking else "Pairs, most frequent first"
        )
        # Counts would tell the answer.
        told = None if asking else CountsInText(state.ids, state.ids, HERE).of_chip
        self.strip.set_details(told)
        self.pairs.show_pairs(state.pairs, self.walk.tokens, upcoming, hidden=asking)
        if asking:
            self.next.setText(
                "Which pair is merged next? Click it in the list, or click its left token in the "
                "text."
            )
        else:
            self.next.setText(next_in_words(self.walk, state))
        theme.set_text_role(self.next, "body", "text")
        self._light_next()
        self.score.setText(
            f"{self.right:,} of {self.asked:,} predicted right" if self.asked else ""
        )
        self.transport.allow_play(not self.predict.isChecked())

    @Slot()
    def _light_next(self) -> None:
        """Light up the pair that is merged next, unless it is to be guessed."""
        upcoming = self.state.next
        if upcoming is None or self.asking:
            self.strip.clear_highlight()
        else:
            self._light(upcoming.left, upcoming.right)

    def _light(self, left: int, right: int) -> None:
        self.strip.light_pair(occurrences(self.state, left, right, self._borders))

    @Slot(int, int)
    def _pair_pointed(self, left: int, right: int) -> None:
        if left < 0:
            self._light_next()
        else:
            self._light(left, right)

    @Slot(int)
    def _token_chosen(self, token: int) -> None:
        if token < 0:
            self._light_next()
        else:
            self.strip.highlight_id(token)

    @Slot(float)
    def _plot_clicked(self, x: float) -> None:
        self.transport.stop()
        self.transport.go_to(round(x))

    # ------------------------------------------------------------------------------ predicting
    @Slot()
    def _predict_toggled(self) -> None:
        self.asking = self.predict.isChecked() and self.state.next is not None
        self._show_pairs()

    @Slot(int)
    def _chip_clicked(self, index: int) -> None:
        """A token stands for the pair of it and the next one."""
        ids = self.state.ids
        if self.asking and index + 1 < len(ids):
            self.guess(int(ids[index]), int(ids[index + 1]))

    @Slot(int, int)
    def guess(self, left: int, right: int) -> None:
        """The learner says which pair is merged next."""
        if not self.asking:
            return
        verdict = judge(self.walk, self.state, left, right)
        self.asking = False
        self.asked += 1
        self.right += verdict.right
        self._show_pairs()
        self.next.setText(verdict.sentence)
        tint = "good" if verdict.right else "warning" if verdict.nearly else "bad"
        theme.set_text_role(self.next, "strong", tint)
        self.transport.step.setFocus()
        bring_into_view(self.next)

    # ---------------------------------------------------------------------------- long texts
    @Slot(str)
    def _too_long(self, text: str) -> None:
        self._offered = None
        if text:
            self._offered = CorpusChoice("text", self._lab.seed, text=text)
            self.notice.say(
                f"That text has {len(text):,} characters, too many to be stepped through. "
                "It can be what all tabs learn from; a piece of it can then be chosen here.",
                "warning",
                "Learn from that text",
            )
        else:
            self.notice.say("The field is full.", "warning")

    @Slot(str)
    def _file_dropped(self, path: str) -> None:
        self._offered = CorpusChoice("file", self._lab.seed, path=path)
        self.notice.say(
            f"“{self._offered.label}” is a file. Its text can be what all tabs learn from; a piece "
            "of it can then be chosen here.",
            "info",
            "Learn from that file",
        )

    @Slot()
    def _learn_from_offered(self) -> None:
        offered, self._offered = self._offered, None
        self.notice.clear()
        if offered is not None:
            self._lab.choose_corpus(offered)


def _learned(settings: LearnSettings, job: object = None) -> tuple[LearnSettings, MergeWalk]:
    return settings, learn(settings, job)


def _heading(text: str) -> QLabel:
    label = plain_label(text)
    theme.set_text_role(label, "strong")
    return label


def _head(title: QLabel, button: QWidget) -> QWidget:
    head = QWidget()
    head.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    row = QHBoxLayout(head)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(title, 1)
    row.addWidget(button)
    return head


def _column(*widgets: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        column.addWidget(widget, 0 if isinstance(widget, QLabel) else 1)
    return made
