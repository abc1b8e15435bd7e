"""The context that the pages share, and the box in which it is typed."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.tokenizers.base import without_surrogates
from gui import theme
from gui.language_models.answers import LONGEST_CONTEXT, Cut
from gui.language_models.examples import beginning
from gui.language_models.models import ModelSet, Table
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary


class Context(QObject):
    """The text so far. A fresh one shows a beginning out of the corpus until it is edited."""

    changed = Signal()

    def __init__(self, models: ModelSet, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self._text = ""
        self._number = 0
        self._own = False
        self._corpus = ""
        models.changed.connect(self._follow)
        self._follow()

    @property
    def text(self) -> str:
        """What stands before the next token."""
        return self._text

    def set_text(self, text: str) -> None:
        """Take another text, typed or pasted."""
        self._own = True
        self._put(without_surrogates(text))

    def append(self, text: str) -> None:
        """Write on."""
        if text:
            self.set_text(self._text + text)

    @Slot()
    def next_beginning(self) -> None:
        """Take the next beginning out of the corpus."""
        corpus = self._models.lab.corpus
        if corpus is not None:
            self._number += 1
            self._own = False
            self._put(beginning(corpus, self._number))

    @Slot()
    def _follow(self) -> None:
        """Another corpus brings another beginning, unless the learner wrote their own."""
        corpus = self._models.lab.corpus
        if corpus is not None and corpus.fingerprint != self._corpus:
            self._corpus = corpus.fingerprint
            if not self._own:
                self._put(beginning(corpus, self._number))

    def _put(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.changed.emit()


class ContextBox(QWidget):
    """The field, and the tokens that the models really see."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        caption = QLabel("Te&xt so far")
        theme.set_text_role(caption, "strong")
        caption.setToolTip(
            "The context: all that a model is told before it says which token comes next."
        )
        self.field = QPlainTextEdit()
        self.field.setObjectName("context")
        self.field.setAccessibleName("Text so far")
        self.field.setPlaceholderText(
            "Nothing yet: the models say how a document begins. Type or paste any text."
        )
        self.field.setTabChangesFocus(True)
        caption.setBuddy(self.field)
        self.another = QPushButton("Another beginning")
        self.another.setToolTip(
            "Put in the beginning of another document, from the part that no model was trained on."
        )
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Start from nothing.")
        self.strip = TokenStrip(name="The text as tokens")
        self.strip.set_visible_lines(1, 3)
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "caption", "muted")
        row = QHBoxLayout()
        row.addWidget(caption)
        row.addStretch(1)
        row.addWidget(self.another)
        row.addWidget(self.clear)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(row)
        self._column.addWidget(self.field)
        self._column.addWidget(self.strip)
        self._column.addWidget(self.said)
        self.field.textChanged.connect(self._typed)
        self.another.clicked.connect(context.next_beginning)
        self.clear.clicked.connect(self.field.clear)
        context.changed.connect(self._show)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._show()

    def show_cut(self, cut: Cut, table: Table) -> None:
        """Show the tokens of a text, begin-of-text in front."""
        assert table.tokenizer is not None
        tokenizer = table.tokenizer.tokenizer
        begin = tokenizer.vocab_size
        unknown = () if tokenizer.unknown_id is None else (tokenizer.unknown_id,)
        vocabulary = Vocabulary(
            tokenizer.token_bytes, unknown_ids=unknown, names={begin: "begin of text"}
        )
        spans = None if cut.byte_spans is None else ((0, 0), *cut.byte_spans)
        self.strip.set_tokens(
            [begin, *cut.ids.tolist()], vocabulary, byte_spans=spans, source=cut.source
        )
        bar = self.strip.verticalScrollBar()
        bar.setValue(bar.maximum())
        self.said.setText(self._in_words(cut, table))

    @staticmethod
    def _in_words(cut: Cut, table: Table) -> str:
        n = len(cut.ids)
        parts = [f"{n:,} token{'' if n == 1 else 's'}, with begin-of-text in front."]
        if cut.shortened:
            parts.append(f"Only the last {LONGEST_CONTEXT:,} characters are read.")
        seat = table.seat("transformer")
        if seat is not None and seat.window is not None and n + 1 > seat.window:
            parts.append(
                f"The transformer looks back on {seat.window:,} tokens at most, so it does not "
                "see the first of these."
            )
        return " ".join(parts)

    @Slot()
    def _typed(self) -> None:
        self._context.set_text(self.field.toPlainText())

    @Slot()
    def _show(self) -> None:
        if self.field.toPlainText() != self._context.text:
            with QSignalBlocker(self.field):
                self.field.setPlainText(self._context.text)
            self.field.moveCursor(self.field.textCursor().MoveOperation.End)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self._column.setSpacing(look.space(0.75))
        lines = self.field.fontMetrics().lineSpacing() * 3
        self.field.setFixedHeight(lines + look.space(2))
        self.field.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
