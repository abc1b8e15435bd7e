"""What the model wrote along the way, newest first."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QLineEdit, QSlider, QTextEdit, QVBoxLayout, QWidget

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
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Which sample comes first")
        self.slider.setToolTip("Drag through training: what the model wrote earlier and later.")
        self.slider.setPageStep(1)
        self.slider.setRange(0, 0)
        self.slider.hide()
        column.addWidget(self.slider)
        column.addWidget(self.text, 1)
        self._samples: tuple[Sample, ...] = ()
        self.slider.valueChanged.connect(self._write)
        self.prompt.editingFinished.connect(self._edited)
        theme.current().changed.connect(self._write)
        self._write()

    def set_samples(self, samples: tuple[Sample, ...]) -> None:
        """Show these, given oldest first. The slider stays on the newest if it stood there."""
        if samples == self._samples:
            return
        self._samples = samples
        newest = self.slider.value() == self.slider.maximum()
        blocker = QSignalBlocker(self.slider)
        self.slider.setRange(0, max(0, len(samples) - 1))
        if newest:
            self.slider.setValue(self.slider.maximum())
        blocker.unblock()
        self.slider.setVisible(len(samples) > 1)
        if newest or not samples:
            self._write()

    @Slot()
    def _edited(self) -> None:
        self.prompt_changed.emit(self.prompt.text())

    @Slot()
    def _write(self, _: object = None) -> None:
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
        shown = self._samples[: self.slider.value() + 1][-MOST_SHOWN:]
        for number, sample in enumerate(reversed(shown)):
            if number:
                cursor.insertText("\n\n", head)
            when = "Before training" if sample.step == 0 else f"After {sample.step:,} steps"
            cursor.insertText(f"{when}\n", head)
            cursor.insertText(sample.prompt, given)
            cursor.insertText(sample.text, own)
            if sample.ended:
                cursor.insertText("  (the model ended the text here)", head)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
