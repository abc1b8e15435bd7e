"""The shared choices above the tabs: which text, and how it is cut into tokens."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QWidget

from engine.text import bundled_corpora
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui import theme
from gui.choice_dialogs import OwnTextDialog, TokenizerDialog
from gui.job_handle import Failure
from gui.lab import Lab
from gui.widgets.elided_label import ElidedLabel

PRESETS = (
    TokenizerSpec("characters"),
    TokenizerSpec("bytes"),
    TokenizerSpec("words", 2_000),
    TokenizerSpec("bpe", 512),
    TokenizerSpec("bpe", 1_024),
    TokenizerSpec("bpe", 4_096),
)
OWN, OPEN, OTHER = "own", "open", "other"


class LabBar(QWidget):
    """Two lists and a line that says what is in force: everything the tabs share."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._own_text = ""
        self.corpus = self._list("Text", "The text that everything here learns from.")
        self.tokenizer = self._list(
            "Tokens", "How the text is cut into tokens. All tabs use the same tokens."
        )
        self.status = ElidedLabel()  # the first to give way where large text fills the row
        theme.set_text_role(self.status, "caption", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for box, caption in ((self.corpus, "Te&xt"), (self.tokenizer, "To&kens")):
            label = QLabel(caption)
            label.setBuddy(box)
            label.setToolTip(box.toolTip())
            theme.set_text_role(label, "body", "muted")
            row.addWidget(label)
            row.addWidget(box)
        row.addWidget(self.status, 1)
        self.corpus.activated.connect(self._corpus_chosen)
        self.tokenizer.activated.connect(self._tokenizer_chosen)
        # At 200 % in 1280 pixels there is room for the usual names; the text's box gives way first.
        self.tokenizer.setMinimumContentsLength(12)
        for signal in (
            lab.corpus_changed,
            lab.tokenizer_changed,
            lab.streams_changed,
            lab.preparing_changed,
        ):
            signal.connect(self._show)
        theme.current().changed.connect(self._dress)
        self._dress()
        self._show()

    def _list(self, name: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(name.lower())
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by scrolling over it
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setMinimumContentsLength(6)  # in a narrow window with large text
        return box

    # --------------------------------------------------------------------------------- showing
    @Slot()
    def _show(self) -> None:
        """Show what is in force, or what is being prepared."""
        corpus, spec = self._lab.wish
        blockers = (QSignalBlocker(self.corpus), QSignalBlocker(self.tokenizer))
        self.corpus.clear()
        for entry in bundled_corpora():
            self._add(self.corpus, entry.title, CorpusChoice(entry.key, corpus.seed), entry.origin)
        if corpus.key in ("file", "text"):
            self.corpus.insertSeparator(self.corpus.count())
            self._add(self.corpus, self._title(corpus), corpus, corpus.path or "")
        self.corpus.insertSeparator(self.corpus.count())
        self._add(self.corpus, "Your own text …", OWN, "Type or paste a text of your own.")
        self._add(self.corpus, "Open a text file …", OPEN, "Any .txt file of up to 50 MB.")
        self._select(self.corpus, corpus)
        self.tokenizer.clear()
        for preset in PRESETS:
            self._add(self.tokenizer, preset.label, preset, "")
        if spec not in PRESETS:
            self._add(self.tokenizer, spec.label, spec, "")
        self.tokenizer.insertSeparator(self.tokenizer.count())
        self._add(self.tokenizer, "Another …", OTHER, "Choose the kind and size yourself.")
        self._select(self.tokenizer, spec)
        for blocker in blockers:
            blocker.unblock()
        self.status.setText(self._in_words())

    @staticmethod
    def _add(box: QComboBox, text: str, data: object, tip: str) -> None:
        box.addItem(text, data)
        box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    @staticmethod
    def _select(box: QComboBox, data: object) -> None:
        for index in range(box.count()):
            if box.itemData(index) == data:
                box.setCurrentIndex(index)

    def _title(self, choice: CorpusChoice) -> str:
        corpus = self._lab.corpus
        if corpus is not None and self._lab.workspace.corpus_choice == choice:
            return corpus.title
        return choice.label

    def _in_words(self) -> str:
        if self._lab.preparing is not None:
            return "getting ready …"
        corpus, tokenizer = self._lab.corpus, self._lab.tokenizer
        if corpus is None or tokenizer is None:
            return ""
        n_bytes = sum(len(document.encode("utf-8", "replace")) for document in corpus.train)
        size = f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
        return f"{size} to learn from, {tokenizer.tokenizer.vocab_size:,} different tokens"

    # -------------------------------------------------------------------------------- choosing
    @Slot(int)
    def _corpus_chosen(self, index: int) -> None:
        data = self.corpus.itemData(index)
        if data == OWN:
            self._ask_for_text()
        elif data == OPEN:
            name, _ = QFileDialog.getOpenFileName(
                self, "Open a text file", "", "Text files (*.txt *.md);;All files (*)"
            )
            if name:
                self._lab.choose_corpus(CorpusChoice("file", self._lab.seed, path=name))
        elif isinstance(data, CorpusChoice) and data != self._lab.wish[0]:
            if data.key not in ("file", "text"):
                data = CorpusChoice(data.key, self._lab.seed)
            self._lab.choose_corpus(data)
        self._show()

    def _ask_for_text(self) -> None:
        dialog = OwnTextDialog(self._own_text, self.window())
        accepted = dialog.exec() == OwnTextDialog.DialogCode.Accepted
        if accepted and dialog.path:
            self._lab.choose_corpus(CorpusChoice("file", self._lab.seed, path=dialog.path))
        elif accepted:
            self._own_text = dialog.text
            choice = CorpusChoice("text", self._lab.seed, text=self._own_text)
            self._lab.choose_corpus(choice)
        dialog.deleteLater()

    @Slot(int)
    def _tokenizer_chosen(self, index: int) -> None:
        data = self.tokenizer.itemData(index)
        if data == OTHER:
            spec = self._lab.wish[1]
            # An imported one has no settings to start from.
            dialog = TokenizerDialog(TokenizerSpec() if spec.source else spec, self.window())
            if dialog.exec() == TokenizerDialog.DialogCode.Accepted:
                self._lab.choose_tokenizer(dialog.spec, self._tokenizer_failed)
            dialog.deleteLater()
        elif isinstance(data, TokenizerSpec) and data != self._lab.wish[1]:
            self._lab.choose_tokenizer(data, self._tokenizer_failed)
        self._show()

    @Slot(object)
    def _tokenizer_failed(self, failure: Failure) -> None:
        self._show()
        self._lab.errors.report_failure(failure)

    @Slot()
    def _dress(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.setSpacing(theme.current().space(1))
