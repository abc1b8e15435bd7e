"""A field for a text of one's own: plain text, exactly as typed, of a bounded length."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from engine.tokenizers.base import without_surrogates
from gui.widgets.look import colours_of

MOST_CHARACTERS = 20_000
"""UTF-16 units that the field holds. Larger texts are corpora."""


class TextInput(QPlainTextEdit):
    """A few lines of plain text. What would make it too long is turned away, and told.

    Tab leaves the field. ``text()`` keeps what Qt's own accessor would replace (no-break spaces).
    """

    too_long = Signal(str)
    """A text that was pasted or dropped and did not fit; nothing was put in."""

    def __init__(self, name: str, parent: QWidget | None = None, lines: int = 2) -> None:
        super().__init__(parent)
        self._lines = lines
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._mark: tuple[int, int] | None = None
        self._fit()

    def text(self) -> str:
        """The text. Lines end in a newline, whatever was pasted."""
        return self.document().toRawText().replace("\u2029", "\n").replace("\u2028", "\n")

    def set_text(self, text: str) -> None:
        """Replace the text; Ctrl+Z brings back what was there. Lone surrogates, which Qt would
        drop, become U+FFFD."""
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(without_surrogates(text))
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def mark(self, start: int, end: int) -> None:
        """Light up the UTF-16 units start … end − 1; none if both are equal."""
        self._mark = (start, end) if start < end else None
        self._paint_mark()

    def _paint_mark(self) -> None:
        marks: list[QTextEdit.ExtraSelection] = []
        if self._mark is not None:
            cursor = QTextCursor(self.document())
            last = max(0, self.document().characterCount() - 1)
            cursor.setPosition(min(self._mark[0], last))
            cursor.setPosition(min(self._mark[1], last), QTextCursor.MoveMode.KeepAnchor)
            colours = colours_of(self.palette())
            look = QTextCharFormat()
            look.setBackground(QColor(colours.highlight))
            look.setForeground(QColor(colours.highlight_text))
            mark = QTextEdit.ExtraSelection()
            mark.cursor, mark.format = cursor, look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _room(self) -> int:
        selected = self.textCursor().selectionEnd() - self.textCursor().selectionStart()
        return MOST_CHARACTERS - (self.document().characterCount() - 1 - selected)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste or drop plain text, if it fits."""
        text = source.text()
        if len(text) > self._room():  # characters outside the BMP count once here: no matter
            self.too_long.emit(text)
        elif text:
            self.textCursor().insertText(without_surrogates(text))
            self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and event.modifiers():
            # Shift+Enter would put in U+2028, a line separator that nobody asked for.
            event = QKeyEvent(
                QEvent.Type.KeyPress, event.key(), Qt.KeyboardModifier.NoModifier, event.text()
            )
        typed = event.text()
        if typed and typed.isprintable() and self._room() < len(typed):
            self.too_long.emit("")
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        elif event.type() == QEvent.Type.PaletteChange:
            self._paint_mark()

    def _fit(self) -> None:
        self.setFixedHeight(self._height())

    def _height(self) -> int:
        line = QFontMetricsF(self.font()).lineSpacing()
        return round(line * self._lines + 2 * (self.document().documentMargin() + 2) + 2)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._height())
