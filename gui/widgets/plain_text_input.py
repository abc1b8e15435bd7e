"""A field for text of one's own: always plain, never a stall."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFontMetricsF,
    QKeyEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from engine.tokenizers.base import to_utf8, without_surrogates
from gui.widgets.look import colours_of

SETTLE_MS = 120
"""Typing counts as settled after so many milliseconds without a change."""
LARGEST = 1_000_000
"""Characters that a field takes unless told otherwise; more is offered as a corpus instead."""


class PlainTextInput(QPlainTextEdit):
    """Plain text, typed, pasted or dropped; formatting is left behind.

    ``text_settled`` comes once typing pauses, not with every key. What would make the text longer
    than ``limit`` is not put into the field but may become a corpus (``too_large``). A dropped
    file is not opened here: its path is told (``file_dropped``).

    Args:
        name: the accessible name.
        placeholder: what an empty field says.
        limit: the most characters, in units of UTF-16.
        lines: as high as so many lines, always; 0 leaves the height to the layout.
    """

    text_settled = Signal(str)
    """The text, after typing paused; also after ``set_text``, at once."""
    file_dropped = Signal(str)
    """The path of a file dropped on the field."""
    too_large = Signal(str)
    """A text over the limit that was pasted or dropped; empty if the full field was typed into.
    The field is as before."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        name: str = "Text",
        placeholder: str = "",
        limit: int = LARGEST,
        lines: int = 0,
    ) -> None:
        super().__init__(parent)
        self._lines = lines
        self._mark: tuple[int, int] | None = None
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)  # Tab leads on; a tab can still be pasted
        self.setAcceptDrops(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._limit = limit
        self._settled = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self.settle)
        self.textChanged.connect(self._timer.start)
        self._fit()

    def text(self) -> str:
        """The text in the field now, no-break spaces and all."""
        # Not toPlainText, which turns no-break spaces and line separators into others.
        return self.document().toRawText().replace("\u2029", "\n")

    def set_text(self, text: str) -> None:
        """Put a text into the field (undoably) and settle at once. Lone surrogates, which Qt
        would drop, become U+FFFD."""
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(without_surrogates(text))
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.settle()

    def settle(self) -> None:
        """Tell the text now, if it is another than was told last."""
        self._timer.stop()
        text = self.text()
        if text != self._settled:
            self._settled = text
            self.text_settled.emit(text)

    def counts(self) -> tuple[int, int]:
        """(characters, UTF-8 bytes) of the text."""
        text = self.text()
        return len(text), len(to_utf8(text))

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
            look.setBackground(colours.color("highlight"))
            look.setForeground(colours.color("highlight_text"))
            mark = QTextEdit.ExtraSelection()
            mark.cursor, mark.format = cursor, look
            marks.append(mark)
        self.setExtraSelections(marks)

    def _room(self) -> int:
        """How many characters more the field takes, what is selected being replaced."""
        cursor = self.textCursor()
        selected = cursor.selectionEnd() - cursor.selectionStart()
        return self._limit - (self.document().characterCount() - 1 - selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Shift+Enter would put in U+2028, a line separator that nobody asked for.
            modifiers, newline = Qt.KeyboardModifier.NoModifier, "\n"
            event = QKeyEvent(QEvent.Type.KeyPress, event.key(), modifiers, newline)
        typed = event.text()
        if typed and (typed.isprintable() or typed == "\n") and self._room() < len(typed):
            self.too_large.emit("")
            return
        super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() or source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        files = [url.toLocalFile() for url in source.urls() if url.isLocalFile()]
        if files:
            self.file_dropped.emit(str(Path(files[0])))
        elif source.hasText():
            self._insert(source.text())

    def _insert(self, text: str) -> None:
        if len(text) > self._room():  # characters beyond U+FFFF count once here: no matter
            self.too_large.emit(text)
        elif text:
            self.textCursor().insertText(without_surrogates(text))
            self.ensureCursorVisible()

    def insert_what_fits(self, text: str) -> None:
        """Insert the beginning of a text at the cursor, as much as there is room for."""
        self.textCursor().insertText(without_surrogates(text[: max(0, self._room())]))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        if event.mimeData().hasUrls():
            self.insertFromMimeData(event.mimeData())
            event.acceptProposedAction()
        else:
            super().dropEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
        elif event.type() == QEvent.Type.PaletteChange:
            self._paint_mark()

    def _fit(self) -> None:
        if self._lines:
            self.setFixedHeight(self._height())

    def _height(self) -> int:
        line = QFontMetricsF(self.font()).lineSpacing()
        return round(line * self._lines + 2 * (self.document().documentMargin() + 2) + 2)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width(), self._height()) if self._lines else hint
