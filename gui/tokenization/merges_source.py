"""What merges are learned from, and how: the text, its base symbols, words, ties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QTimer, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from engine.tokenizers.bpe import Base
from engine.tokenizers.bpe_train import TieRule
from gui import theme
from gui.tokenization.text_presets import LONGEST_TEXT
from gui.widgets.flow_layout import FlowRow
from gui.widgets.plain_text_input import PlainTextInput
from gui.widgets.safe_text import plain_tooltip

if TYPE_CHECKING:
    from engine.text import Corpus
    from gui.lab import Lab

TUTORIAL = "The feral cat attacked my cat. My cat bit the attacking cat."
"""The tutorial's example: eleven merges, from 60 tokens to 30."""

RHYME = (
    "How much wood would a woodchuck chuck if a woodchuck could chuck wood? "
    "As much wood as a woodchuck would, if a woodchuck could chuck wood."
)

PIECE = 2_000
"""Characters of a piece of the corpus."""
MOST = 10_000
"""Characters that merges are learned from here; the rest of a longer text is left out."""
WAIT_MS = 200
"""How long typing must rest before the merges are learned anew."""

EXAMPLE, REPEATS, PIECE_OF_CORPUS, OWN = range(4)


@dataclass(frozen=True)
class LearnSettings:
    """What a walk is learned from, and how."""

    text: str = TUTORIAL
    base: Base = "characters"
    pre_tokenize: bool = False
    tie_rule: TieRule = "first_seen"


class MergeSource(QWidget):
    """Chooses the text and the options. ``changed`` comes when merges must be learned anew."""

    changed = Signal()
    too_large = Signal(str)
    file_dropped = Signal(str)
    """Both as PlainTextInput's."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._piece = 0
        self.texts = QComboBox()
        self.texts.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.texts.setAccessibleName("Text to learn merges from")
        self.texts.setToolTip("The text whose pairs are counted and merged.")
        for title in ("The tutorial’s two sentences", "A tongue-twister", "", "A text of yours"):
            self.texts.addItem(title)
        self.another = QPushButton("Another piece")
        self.another.setAutoDefault(False)
        self.another.setToolTip("Take the next piece of the text that all tabs learn from.")
        self.base = QComboBox()
        self.base.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.base.setAccessibleName("Start from")
        self.base.addItem("characters", "characters")
        self.base.addItem("bytes", "bytes")
        self.base.setToolTip(
            plain_tooltip(
                "The base vocabulary Σ₀: what the text consists of before the first merge. "
                "Characters, as in the tutorial, or the 256 bytes, as in GPT-2."
            )
        )
        self.words = QCheckBox("Keep &words apart")
        self.words.setToolTip(
            plain_tooltip(
                "Pre-tokenization: the text is first cut into words (each with the space before "
                "it), and no merge reaches from one word into the next. GPT-2 does so; the "
                "tutorial’s example doesn’t, which is how “␣cat.” with its full stop came about."
            )
        )
        self.ties = QComboBox()
        self.ties.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.ties.setAccessibleName("Ties go to")
        self.ties.addItem("the pair seen first", "first_seen")
        self.ties.addItem("the smallest numbers", "smallest_ids")
        self.ties.setToolTip(
            plain_tooltip(
                "Often several pairs are equally frequent. The tutorial then takes the one that "
                "stands first in the text; Hugging Face’s trainer takes the one whose tokens have "
                "the smallest numbers."
            )
        )
        self.choice = FlowRow()
        """Which text; stands where whoever owns this puts it."""
        _add(self.choice, "T&ext", self.texts)
        self.choice.add(self.another)
        self.options = FlowRow()
        """How merges are learned; the same."""
        _add(self.options, "Start fro&m", self.base)
        self.options.add(self.words)
        _add(self.options, "&Ties go to", self.ties)
        self.input = PlainTextInput(
            name="The text to learn merges from",
            placeholder="Type or paste a text with something that repeats …",
            limit=LONGEST_TEXT,
            lines=2,
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.input)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self.changed)
        self._set_text(TUTORIAL)
        self.texts.activated.connect(self._text_chosen)
        self.another.clicked.connect(self._next_piece)
        self.base.activated.connect(self._option_changed)
        self.ties.activated.connect(self._option_changed)
        self.words.toggled.connect(self._option_changed)
        self.input.textChanged.connect(self._typed)
        self.input.too_large.connect(self.too_large)
        self.input.file_dropped.connect(self.file_dropped)
        lab.corpus_changed.connect(self._name_corpus)
        self._name_corpus()
        self._show_what_matters()

    @property
    def settings(self) -> LearnSettings:
        """What is chosen."""
        return LearnSettings(
            self.input.text()[:MOST],
            self.base.currentData(),
            self.words.isChecked(),
            self.ties.currentData(),
        )

    def _set_text(self, text: str) -> None:
        blocker = QSignalBlocker(self.input)
        self.input.set_text(text)
        blocker.unblock()

    @Slot(int)
    def _text_chosen(self, index: int) -> None:
        if index == PIECE_OF_CORPUS:
            self._show_piece()
        elif index == EXAMPLE:
            # The slide's example is the slide's only with the slide's algorithm.
            self._set_text(TUTORIAL)
            self._set_options("characters", False, "first_seen")
        elif index == REPEATS:
            self._set_text(RHYME)
        self._show_what_matters()
        if index == OWN:
            self.input.setFocus()
            self.input.selectAll()
        self._timer.stop()
        self.changed.emit()

    def _set_options(self, base: Base, pre_tokenize: bool, ties: TieRule) -> None:
        blockers = [QSignalBlocker(w) for w in (self.base, self.words, self.ties)]
        self.base.setCurrentIndex(self.base.findData(base))
        self.words.setChecked(pre_tokenize)
        self.ties.setCurrentIndex(self.ties.findData(ties))
        for blocker in blockers:
            blocker.unblock()

    def start_from(self, base: Base) -> None:
        """Choose the base symbols, as if by hand."""
        if self.base.currentData() != base:
            self.base.setCurrentIndex(self.base.findData(base))
            self._option_changed()

    @Slot()
    def _next_piece(self) -> None:
        self._piece += 1
        self._show_piece()
        self._timer.stop()
        self.changed.emit()

    def _show_piece(self) -> None:
        corpus: Corpus | None = self._lab.corpus
        self._set_text("" if corpus is None else piece_of(corpus, self._piece))

    @Slot()
    def _name_corpus(self) -> None:
        corpus = self._lab.corpus
        title = corpus.title if corpus is not None else "the text"
        self.texts.setItemText(PIECE_OF_CORPUS, f"A piece of “{title}”")
        self._piece = 0
        if self.texts.currentIndex() == PIECE_OF_CORPUS:
            self._show_piece()
            self.changed.emit()

    def _show_what_matters(self) -> None:
        self.another.setVisible(self.texts.currentIndex() == PIECE_OF_CORPUS)
        self.input.setVisible(self.texts.currentIndex() == OWN)

    @Slot()
    def _option_changed(self) -> None:
        self._timer.stop()
        self.changed.emit()

    @Slot()
    def _typed(self) -> None:
        self._timer.start()


def piece_of(corpus: Corpus, number: int) -> str:
    """The number-th piece of a corpus: documents from there on, up to PIECE characters."""
    documents = corpus.train
    if not documents:
        return ""
    if len(documents) == 1:  # one long text: a window on it
        text = documents[0]
        start = (number * PIECE) % max(1, len(text))
        return text[start : start + PIECE]
    kept: list[str] = []
    room = PIECE
    at = number * 8
    while room > 0 and len(kept) < len(documents):
        kept.append(documents[at % len(documents)][:room])
        room -= len(kept[-1]) + 2
        at += 1
    return "\n\n".join(kept)


def _add(row: FlowRow, caption: str, box: QComboBox) -> None:
    label = QLabel(caption)
    label.setBuddy(box)
    label.setToolTip(box.toolTip())
    theme.set_text_role(label, "body", "muted")
    row.add(label)
    row.add(box)
