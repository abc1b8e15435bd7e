"""Two dialogs behind the shared choices: a text of one's own, and a tokenizer in full."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPlainTextEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.tokenizers.base import to_utf8
from engine.workspace.choices import TokenizerSpec
from gui import theme

LONGEST_OWN_TEXT = 1_000_000
"""Characters; more belongs in a file."""


def _buttons(dialog: QDialog, accept: str) -> QDialogButtonBox:
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    button = box.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    button.setObjectName("accept")
    button.setDefault(True)
    theme.make_primary(button)
    box.accepted.connect(dialog.accept)
    box.rejected.connect(dialog.reject)
    return box


class OwnTextDialog(QDialog):
    """Type or paste a text; everything in the lab then learns from it."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Your own text")
        intro = QLabel(
            "Type or paste any text, in any language. Tokens, counts and models are then "
            "learned from it. A few pages are enough to see something; more is better."
        )
        intro.setWordWrap(True)
        self.editor = QPlainTextEdit(text)
        self.editor.setAccessibleName("Your own text")
        self.editor.setPlaceholderText("Once upon a time …")
        self.editor.setTabChangesFocus(True)
        self.counts = QLabel()
        theme.set_text_role(self.counts, "caption", "muted")
        self.buttons = _buttons(self, "Use this text")
        column = QVBoxLayout(self)
        for widget in (intro, self.editor, self.counts, self.buttons):
            column.addWidget(widget)
        look = theme.current()
        self.resize(look.px(640), look.px(440))
        self.editor.textChanged.connect(self._count)
        self._count()

    @property
    def text(self) -> str:
        """What was typed."""
        return self.editor.toPlainText()

    @Slot()
    def _count(self) -> None:
        text = self.text
        words = len(text.split())
        message = f"{len(text):,} characters, {words:,} words, {len(to_utf8(text)):,} bytes"
        too_long = len(text) > LONGEST_OWN_TEXT
        if too_long:
            message += f". That is more than {LONGEST_OWN_TEXT:,} characters: open it as a file."
        elif not text.strip():
            message = "Nothing typed yet."
        self.counts.setText(message)
        button = self.buttons.findChild(QWidget, "accept")
        if button is not None:
            button.setEnabled(bool(text.strip()) and not too_long)


class TokenizerDialog(QDialog):
    """Every setting of a tokenizer."""

    KINDS = (
        ("bpe", "Byte-pair encoding", "Starts small and merges the most frequent pair."),
        ("characters", "Characters", "One token for each different character of the text."),
        ("bytes", "UTF-8 bytes", "256 tokens that can spell any text."),
        ("words", "Words", "The most frequent words; all others become <unk>."),
    )

    def __init__(self, spec: TokenizerSpec, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose a tokenizer")
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind")
        for key, title, tip in self.KINDS:
            self.kind.addItem(title, key)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.explanation = QLabel()
        self.explanation.setWordWrap(True)
        theme.set_text_role(self.explanation, "caption", "muted")
        self.size_ = QSpinBox()
        self.size_.setAccessibleName("Vocabulary size")
        self.size_.setRange(2, 32_768)
        self.size_.setGroupSeparatorShown(True)
        self.size_.setValue(spec.vocab_size)
        self.size_.setToolTip(
            "How many different tokens there are at most, the base vocabulary included."
        )
        self.base = QComboBox()
        self.base.setAccessibleName("Base vocabulary")
        self.base.addItem("256 bytes", "bytes")
        self.base.addItem("The text's characters", "characters")
        self.base.setCurrentIndex(self.base.findData(spec.base))
        self.base.setToolTip("Σ₀: what byte-pair encoding starts from.")
        self.inside_words = QCheckBox("Merge only inside words")
        self.inside_words.setChecked(spec.pre_tokenize)
        self.inside_words.setToolTip(
            "As GPT-2 does. Without it a token may reach across spaces, as in the tutorial; "
            "the story language's true probabilities cannot be shown then."
        )
        form = QFormLayout()
        form.addRow("&Kind", self.kind)
        form.addRow("", self.explanation)
        form.addRow("&Vocabulary size", self.size_)
        form.addRow("&Base vocabulary", self.base)
        form.addRow("", self.inside_words)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(_buttons(self, "Use these tokens"))
        self.kind.setCurrentIndex(self.kind.findData(spec.kind))
        self.kind.currentIndexChanged.connect(self._show_kind)
        self.base.currentIndexChanged.connect(self._show_kind)
        self._show_kind()

    @property
    def spec(self) -> TokenizerSpec:
        """What was chosen."""
        return TokenizerSpec(
            kind=self.kind.currentData(),
            vocab_size=self.size_.value(),
            base=self.base.currentData(),
            pre_tokenize=self.inside_words.isChecked(),
        )

    @Slot()
    def _show_kind(self) -> None:
        kind = self.kind.currentData()
        bpe = kind == "bpe"
        self.explanation.setText(next(tip for key, _, tip in self.KINDS if key == kind))
        over_bytes = bpe and self.base.currentData() == "bytes"
        self.size_.setMinimum(256 if over_bytes else 2)
        self.size_.setEnabled(bpe or kind == "words")
        self.base.setEnabled(bpe)
        self.inside_words.setEnabled(bpe)
