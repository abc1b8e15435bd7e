"""A field for text of one's own: always plain, never a stall."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from engine.tokenizers.base import to_utf8

SETTLE_MS = 120
"""Typing counts as settled after so many milliseconds without a change."""
LARGEST = 1_000_000
"""Characters that the field takes; more is offered as a corpus instead."""


class PlainTextInput(QPlainTextEdit):
    """Plain text, typed, pasted or dropped; formatting is left behind.

    ``text_settled`` comes once typing pauses, not with every key. More than ``limit`` characters
    at once are not put into the field but offered as a corpus (``too_large``). A dropped file
    is not opened here: its path is told (``file_dropped``).
    """

    text_settled = Signal(str)
    """The text, after typing paused; also after ``set_text``, at once."""
    file_dropped = Signal(str)
    """The path of a file dropped on the field."""
    too_large = Signal(str)
    """A text over the limit that was pasted or dropped; the field is as before."""

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        name: str = "Text",
        placeholder: str = "",
        limit: int = LARGEST,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)  # Tab leads on; a tab can still be pasted
        self.setAcceptDrops(True)
        self._limit = limit
        self._settled = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLE_MS)
        self._timer.timeout.connect(self.settle)
        self.textChanged.connect(self._timer.start)

    def text(self) -> str:
        """The text in the field now, no-break spaces and all."""
        # Not toPlainText, which turns no-break spaces and line separators into others.
        return self.document().toRawText().replace("\u2029", "\n")

    def set_text(self, text: str) -> None:
        """Put a text into the field (undoably) and settle at once."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(text)
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.InsertLineSeparator):
            self.insertPlainText("\n")  # a newline like any other, not U+2028
        else:
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
        before = self.document().characterCount() - 1
        if before + len(text) > self._limit:
            self.too_large.emit(text)
        else:
            self.insertPlainText(text)

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
