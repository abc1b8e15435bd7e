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
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.text import MAX_TEXT_BYTES
from engine.tokenizers.base import to_utf8
from engine.workspace.choices import TokenizerSpec
from gui import theme
from gui.widgets.plain_text_input import PlainTextInput

LONGEST_EDITED = 100_000
"""Characters that the field shows; laying out more would make the window wait. A longer text
that is pasted is kept beside the field and used as it is."""


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
    """Type, paste or drop a text; everything in the lab then learns from it."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Your own text")
        self._pasted = ""
        self.path = ""
        """The file that was dropped, if one was; the dialog is then accepted."""
        intro = QLabel(
            "Type or paste any text, in any language, or drop a text file. Tokens, counts and "
            "models are then learned from it. A few pages are enough to see something; more is "
            "better."
        )
        intro.setWordWrap(True)
        self.editor = PlainTextInput(
            name="Your own text", placeholder="Once upon a time …", limit=LONGEST_EDITED
        )
        self.counts = QLabel()
        self.counts.setWordWrap(True)
        theme.set_text_role(self.counts, "caption", "muted")
        self.buttons = _buttons(self, "Use this text")
        column = QVBoxLayout(self)
        for widget in (intro, self.editor, self.counts, self.buttons):
            column.addWidget(widget)
        look = theme.current()
        self.resize(look.px(640), look.px(440))
        self.editor.textChanged.connect(self._typed)
        self.editor.too_large.connect(self._keep_long)
        self.editor.file_dropped.connect(self._keep_file)
        if len(text) > LONGEST_EDITED:
            self._keep_long(text)
        else:
            self.editor.set_text(text)
        self._count()

    @property
    def text(self) -> str:
        """What was typed, or the long text that was pasted."""
        return self._pasted or self.editor.text()

    @Slot()
    def _typed(self) -> None:
        self._pasted = ""
        self._count()

    @Slot(str)
    def _keep_long(self, text: str) -> None:
        self._pasted = text
        self._count()

    @Slot(str)
    def _keep_file(self, path: str) -> None:
        self.path = path
        self.accept()

    def _count(self) -> None:
        text = self.text
        n_bytes = len(to_utf8(text))
        figures = f"{len(text):,} characters, {len(text.split()):,} words, {n_bytes:,} bytes"
        too_long = n_bytes > MAX_TEXT_BYTES
        if too_long:
            megabytes = MAX_TEXT_BYTES // 1_000_000
            message = f"{figures}. That is more than {megabytes} MB; take a part of it."
        elif self._pasted:
            message = f"{figures}, pasted: too long to be edited here, ready to be used as it is."
        else:
            message = figures if text.strip() else "Nothing typed yet."
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
