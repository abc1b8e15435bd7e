"""Tokenizers side by side: what each makes of the text, in figures and as chips."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.tokenizers.statistics import TokenStatistics, token_statistics
from gui import theme
from gui.tokenization.text_cost import EXPLANATION, Size, forward_operations, operations_in_words
from gui.tokenization.text_entries import Entry
from gui.tokenization.text_strips import Links, PlaceStrip
from gui.tokenization.text_units import CutText, Units
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_text import Vocabulary

COLUMNS: tuple[tuple[str, str], ...] = (
    ("Tokenizer", "How the text is cut, and what the vocabulary was learned from."),
    ("Tokens", "Into how many tokens this tokenizer cuts the text."),
    (
        "Characters\nper token",
        "Code points of the text divided by its tokens. More is shorter, and cheaper to read.",
    ),
    ("Vocabulary", "How many different tokens there are, |Σ|. Each has a vector of its own."),
    (
        "Unknown",
        "Tokens that stand for something outside the vocabulary, <unk>. "
        "They are outlined with dashes below: what they stood for is lost.",
    ),
    ("Operations", EXPLANATION),
    ("In all tabs", "Which tokenizer all tabs use."),
)


class _Row:
    """The widgets of one tokenizer."""

    def __init__(self, table: TokenizerTable, entry: Entry) -> None:
        self.entry = entry
        self.name = plain_label(entry.title, wrap=True)
        theme.set_text_role(self.name, "strong")
        self.note = plain_label(wrap=True)
        theme.set_text_role(self.note, "caption", "muted")
        self.head = QWidget(table)
        lines = QVBoxLayout(self.head)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(self.name)
        lines.addWidget(self.note)
        self.figures = [plain_label("–") for _ in range(5)]
        for label in self.figures:
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.use = QPushButton("Use", table)
        self.use.setAutoDefault(False)
        self.use.setObjectName(entry.key)
        self.use.clicked.connect(table.use_clicked)
        self.strip = PlaceStrip(f"Tokens: {entry.title}", table)
        self.strip.set_visible_lines(1, 3)
        self.strip.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.vocabulary: Vocabulary | None = None
        self.count = 0
        self.found: TokenStatistics | None = None
        self.set_entry(entry)

    def set_entry(self, entry: Entry) -> None:
        """Another tokenizer, or another state of it."""
        if entry.made is None or self.entry.made is not entry.made:
            self.vocabulary = None
        self.entry = entry
        if entry.made is not None and self.vocabulary is None:
            self.vocabulary = Vocabulary.of(entry.made.tokenizer, end_of_text=False)
        self.name.setText(f"{entry.title} ✓" if entry.shared else entry.title)
        self.name.setToolTip(plain_tooltip(entry.tip))
        self.note.setVisible(bool(entry.note))
        self.note.setText(entry.note)
        self.strip.counts = entry.counts
        self.use.setText("In use" if entry.shared else "Use")
        self.use.setEnabled(entry.made is not None and not entry.shared)
        self.use.setAccessibleName(
            f"{entry.title}: in use in all tabs"
            if entry.shared
            else f"Use {entry.title} in all tabs"
        )
        self.use.setToolTip(
            "All tabs use this tokenizer now."
            if entry.shared
            else "Cut the text by this tokenizer in all tabs from now on."
        )
        if entry.made is None:
            self.strip.set_placeholder("being learned from the text …")
            self.strip.set_tokens([], Vocabulary(lambda i: b""))
            for label in self.figures:
                label.setText("–")

    def show(self, cut: CutText, size: Size) -> None:
        """Encode the text and show what comes out."""
        made, vocabulary = self.entry.made, self.vocabulary
        if made is None or vocabulary is None:
            return
        tokenizer = made.tokenizer
        ids = tokenizer.encode_array(cut.clean)
        spans = None if tokenizer.lossless else tokenizer.byte_spans(cut.clean)
        self.strip.set_placeholder("The text is empty.")
        self.strip.set_tokens(ids, vocabulary, byte_spans=spans, source=cut.data)
        found = token_statistics(tokenizer, cut.clean, ids)
        self.count, self.found = found.tokens, found
        tokens, per_token, vocab, unknown, _ = self.figures
        tokens.setText(f"{found.tokens:,}")
        ratio = found.characters_per_token
        per_token.setText(format_number(round(ratio, 2)) if found.tokens else "–")
        vocab.setText(f"{tokenizer.vocab_size:,}")
        never = tokenizer.lossless
        unknown.setText("never" if never else f"{found.unknown:,}")
        unknown.setToolTip(
            "Nothing is ever unknown to this tokenizer: it can spell every text."
            if never
            else f"{found.unknown:,} of {found.tokens:,} tokens are <unk>.".replace("<", "&lt;")
        )
        theme.set_text_role(unknown, "body", "bad" if found.unknown else "text")
        self.show_cost(size)

    def show_cost(self, size: Size) -> None:
        """The cost alone, for another size of transformer."""
        made = self.entry.made
        if made is not None:
            cost = forward_operations(self.count, made.tokenizer.vocab_size, size)
            self.figures[-1].setText(operations_in_words(cost))

    def widgets(self) -> list[QWidget]:
        """All widgets of the row."""
        return [self.head, *self.figures, self.use, self.strip]


class TokenizerTable(QWidget):
    """A grid: for each tokenizer a line of figures, and its tokens below.

    Args:
        links: the strips are lit up together with others by these.
    """

    wanted = Signal(str)
    """The key of the tokenizer that is to be used in all tabs."""

    def __init__(self, links: Links, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._links = links
        self._rows: dict[str, _Row] = {}
        self._size = Size()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._heads: list[QLabel] = []
        for column, (title, tip) in enumerate(COLUMNS):
            head = plain_label(title, self)
            head.setToolTip(plain_tooltip(tip))
            theme.set_text_role(head, "caption", "muted")
            if column:
                head.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
            self._heads.append(head)
            self._grid.addWidget(head, 0, column)
        self._grid.setColumnStretch(0, 1)
        theme.current().changed.connect(self._dress)
        self._dress()

    # ----------------------------------------------------------------------------- what it shows
    def set_entries(self, entries: Sequence[Entry]) -> list[str]:
        """Show these rows, in this order. Returns the keys of those whose tokens are not those
        of the text any more."""
        stale = []
        order = [entry.key for entry in entries]
        for key in [key for key in self._rows if key not in order]:
            self._drop(key)
        for entry in entries:
            row = self._rows.get(entry.key)
            if row is None:
                row = self._rows[entry.key] = _Row(self, entry)
                self._links.add(row.strip)
                stale.append(entry.key)
            else:
                if row.entry.made is not entry.made:
                    stale.append(entry.key)
                row.set_entry(entry)
        if list(self._rows) != order or stale:
            self._rows = {key: self._rows[key] for key in order}
            self._place()
        return stale

    def names(self) -> list[str]:
        """The rows' keys, from top to bottom."""
        return list(self._rows)

    def entry(self, key: str) -> Entry:
        """What a row shows."""
        return self._rows[key].entry

    def strip_of(self, key: str) -> PlaceStrip:
        """A row's tokens."""
        return self._rows[key].strip

    def figures(self, key: str) -> list[str]:
        """A row's figures as they stand there: tokens, characters per token, vocabulary,
        unknown, operations."""
        return [label.text() for label in self._rows[key].figures]

    def measured(self) -> list[tuple[object, ...]]:
        """For each row that has tokens: title, tokens, characters per token, vocabulary size,
        unknown tokens, operations of the transformer of ``size``; unrounded."""
        rows: list[tuple[object, ...]] = []
        for row in self._rows.values():
            made, found = row.entry.made, row.found
            if made is not None and found is not None:
                vocab = made.tokenizer.vocab_size
                cost = forward_operations(found.tokens, vocab, self._size)
                ratio = found.characters_per_token if found.tokens else ""
                rows.append((row.entry.title, found.tokens, ratio, vocab, found.unknown, cost))
        return rows

    @property
    def size_shown(self) -> Size:
        """The transformer whose cost is told."""
        return self._size

    def note(self, key: str) -> str:
        """What a row says beside its title."""
        return self._rows[key].note.text()

    def use_button(self, key: str) -> QPushButton:
        """A row's button."""
        return self._rows[key].use

    def show_text(self, key: str, cut: CutText) -> None:
        """Cut the text by one row's tokenizer."""
        row = self._rows.get(key)
        if row is not None:
            row.show(cut, self._size)
            self._links.refresh(row.strip)

    def set_size(self, size: Size) -> None:
        """Count the cost for a transformer of another size."""
        self._size = size
        for row in self._rows.values():
            row.show_cost(size)

    # -------------------------------------------------------------------------------- the work
    def _place(self) -> None:
        before: QWidget | None = None
        for index, row in enumerate(self._rows.values()):
            line = 1 + 2 * index
            self._grid.addWidget(row.head, line, 0)
            for column, label in enumerate(row.figures, 1):
                self._grid.addWidget(label, line, column)
            self._grid.addWidget(row.use, line, len(COLUMNS) - 1)
            self._grid.addWidget(row.strip, line + 1, 0, 1, len(COLUMNS))
            for widget in (row.use, row.strip):
                if before is not None:
                    QWidget.setTabOrder(before, widget)
                before = widget

    def _drop(self, key: str) -> None:
        row = self._rows.pop(key)
        self._links.remove(row.strip)
        for widget in row.widgets():
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()

    @Slot()
    def use_clicked(self) -> None:
        """A row's button was pressed."""
        button = self.sender()
        if isinstance(button, QPushButton):
            self.wanted.emit(button.objectName())

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self._grid.setHorizontalSpacing(look.space(2))
        self._grid.setVerticalSpacing(look.space(0.5))


def show_units(strip: PlaceStrip, units: Units, cut: CutText, links: Links) -> None:
    """Show a row of units, and light up the present place in it."""
    strip.set_units(units, cut.data)
    links.refresh(strip)
