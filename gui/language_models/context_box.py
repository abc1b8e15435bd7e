"""The box in which the shared context is typed, and its tokens as the models see them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSignalBlocker, Qt, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QTextCursor
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.language_models.answers import LONGEST_CONTEXT, Cut
from gui.language_models.context import Context
from gui.language_models.models import Table
from gui.widgets.look import colours_of
from gui.widgets.safe_text import plain_label
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary, display_text


class SuggestingField(QPlainTextEdit):
    """A plain text field that shows, behind the cursor, what might be typed next.

    Tab accepts the suggestion where there is one and the cursor is at the end; otherwise Tab
    leaves the field, as everywhere.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._suggestion = ""
        self.setTabChangesFocus(True)

    @property
    def suggestion(self) -> str:
        """What Tab would write; empty if nothing."""
        return self._suggestion

    def suggest(self, text: str) -> None:
        """Offer a text to be written on; empty for none."""
        if text != self._suggestion:
            self._suggestion = text
            self.viewport().update()

    def accept(self) -> bool:
        """Write the suggestion on. Returns whether there was one to write."""
        cursor = self.textCursor()
        if not self._suggestion or not cursor.atEnd() or cursor.hasSelection():
            return False
        text, self._suggestion = self._suggestion, ""
        cursor.beginEditBlock()  # undone by itself, not together with what was typed before
        cursor.insertText(text)
        cursor.endEditBlock()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() == Qt.Key.Key_Tab and plain and self.accept():
            return
        if event.key() == Qt.Key.Key_Escape and self._suggestion:
            self.suggest("")
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        # Tab reaches keyPressEvent only if it is not taken for a change of focus before.
        if forward and self._suggestion and self.textCursor().atEnd() and self.hasFocus():
            return False
        return super().focusNextPrevChild(forward)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._suggestion or not self.textCursor().atEnd() or not self.toPlainText():
            return
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        painter.setPen(colours_of(self.palette()).color("muted"))
        spot = QRectF(self.cursorRect())
        spot.setRight(self.viewport().width() - 2)
        shown = self._suggestion.replace("\n", "⏎")
        room = painter.fontMetrics().elidedText(
            shown, Qt.TextElideMode.ElideRight, round(spot.width())
        )
        painter.drawText(spot, int(Qt.AlignmentFlag.AlignVCenter), room)


class ContextBox(QWidget):
    """The field, and the tokens that the models really see."""

    def __init__(
        self, context: Context, parent: QWidget | None = None, *, tokens: bool = True
    ) -> None:
        """
        Args:
            context: the text that all boxes share.
            parent: the widget that owns it.
            tokens: whether to show the text's tokens below the field.
        """
        super().__init__(parent)
        self._context = context
        self._cut: Cut | None = None
        self._cut_words = self._hint = ""
        caption = QLabel("T&ext so far")
        theme.set_text_role(caption, "strong")
        caption.setToolTip(
            "The context: all that a model is told before it says which token comes next."
        )
        self.field = SuggestingField()
        self.field.setObjectName("context")
        self.field.setAccessibleName("Text so far")
        self.field.setPlaceholderText(
            "Nothing yet: the models say how a document begins. Type or paste any text."
        )
        caption.setBuddy(self.field)
        self.another = QPushButton("&Another beginning")
        self.another.setToolTip(
            "Put in the beginning of another document, from the part that no model was trained on."
        )
        self.clear = QPushButton("&Clear")
        self.clear.setToolTip("Start from nothing.")
        self.strip = TokenStrip(name="The text as tokens")
        self.strip.setToolTip("The text as the models see it. Hover over a token to know it.")
        self.strip.set_visible_lines(1, 2)
        self.said = plain_label(wrap=True)
        self.said.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.set_text_role(self.said, "caption", "muted")
        self._row = QHBoxLayout()
        self._row.addWidget(caption)
        self._row.addWidget(self.said, 1)
        self._row.addWidget(self.another)
        self._row.addWidget(self.clear)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(self._row)
        self._column.addWidget(self.field)
        self._column.addWidget(self.strip)
        self.strip.setVisible(tokens)
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
        self._cut = cut
        self._cut_words = self._in_words(cut)
        self._say()

    def suggest(self, text: str, who: str) -> None:
        """Offer what a model would write on; empty for nothing."""
        self.field.suggest(text)
        self._hint = f"Tab writes “{display_text(text.encode(), 24)}” ({who})." if text else ""
        self._say()

    @Slot(str)
    def see(self, kind: str) -> None:
        """Light up the tokens that a kind of model looks at; none for an empty kind."""
        n = self.strip.count()
        seen = self._cut.seen.get(kind, n) if self._cut is not None and kind else 0
        self.strip.highlight(range(max(0, n - seen), n))

    def _say(self) -> None:
        self.said.setText(" ".join(filter(None, (self._cut_words, self._hint))))

    @staticmethod
    def _in_words(cut: Cut) -> str:
        n = len(cut.ids)
        parts = [f"{n:,} token{'' if n == 1 else 's'} behind begin-of-text."]
        if cut.shortened:
            parts.append(f"Only the last {LONGEST_CONTEXT:,} characters are read.")
        seen = cut.seen.get("transformer", n + 1)
        if seen <= n:
            parts.append(f"The transformer's window holds the last {seen:,} of them.")
        return " ".join(parts)

    @Slot()
    def _typed(self) -> None:
        self.field.suggest("")
        self._context.set_text(self.field.toPlainText())

    @Slot()
    def _show(self) -> None:
        self.field.suggest("")
        if self.field.toPlainText() != self._context.text:
            with QSignalBlocker(self.field):
                cursor = self.field.textCursor()  # not setPlainText: this can be undone
                cursor.select(QTextCursor.SelectionType.Document)
                cursor.insertText(self._context.text)
            self.field.moveCursor(QTextCursor.MoveOperation.End)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self._column.setSpacing(look.space(0.5))
        self._row.setSpacing(look.space(1))
        margin = round(self.field.document().documentMargin())
        lines = self.field.fontMetrics().lineSpacing() * 2
        self.field.setFixedHeight(lines + 2 * margin + 2 * self.field.frameWidth() + look.px(4))
        self.field.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
