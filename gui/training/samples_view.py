"""What the model wrote along the way, newest first."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QLineEdit, QTextEdit, QVBoxLayout, QWidget

from gui import theme
from gui.training.news import Sample
from gui.widgets.safe_text import plain_label

MOST_SHOWN = 60
LONGEST_PROMPT = 500


class SamplesView(QWidget):
    """A prompt, and its continuations after more and more steps. Always plain text."""

    prompt_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = plain_label("What the model writes", self)
        theme.set_text_role(title, "strong")
        self.prompt = QLineEdit()
        self.prompt.setMaxLength(LONGEST_PROMPT)
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setPlaceholderText("the beginning of a text")
        self.prompt.setToolTip(
            "The model continues this, with the same random numbers each time, so that only "
            "what it has learned differs."
        )
        caption = QLabel("Pro&mpt")
        caption.setBuddy(self.prompt)
        theme.set_text_role(caption, "body", "muted")
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setAcceptRichText(False)
        self.text.setUndoRedoEnabled(False)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Samples, newest first")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(title)
        column.addWidget(caption)
        column.addWidget(self.prompt)
        column.addWidget(self.text, 1)
        self._samples: tuple[Sample, ...] = ()
        self.prompt.editingFinished.connect(self._edited)
        theme.current().changed.connect(self._write)
        self._write()

    def set_samples(self, samples: tuple[Sample, ...]) -> None:
        """Show these, given oldest first."""
        if samples != self._samples:
            self._samples = samples
            self._write()

    @Slot()
    def _edited(self) -> None:
        self.prompt_changed.emit(self.prompt.text())

    @Slot()
    def _write(self) -> None:
        look = theme.current()
        head, given, own = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        head.setFont(look.font("caption"))
        head.setForeground(look.colours.color("muted"))
        given.setFont(look.font("strong"))
        own.setFont(look.font("body"))
        own.setForeground(look.colours.color("text"))
        given.setForeground(look.colours.color("text"))
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        if not self._samples:
            cursor.insertText("Samples appear here as training goes on.", head)
        for number, sample in enumerate(reversed(self._samples[-MOST_SHOWN:])):
            if number:
                cursor.insertText("\n\n", head)
            when = "Before training" if sample.step == 0 else f"After {sample.step:,} steps"
            cursor.insertText(f"{when}\n", head)
            cursor.insertText(sample.prompt, given)
            cursor.insertText(sample.text, own)
            if sample.ended:
                cursor.insertText("  (the model ended the text here)", head)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
