"""What a sentence comes to under each model, and beside it the sentences to compare with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from engine.models.scores import Score
from gui.language_models.ledger_table import lost
from gui.language_models.sentence import Sentence
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import display_text, isolate

ROWS = (
    ("p(x)", "The probability of the whole text: the product of all its conditionals."),
    ("bits per token", "−log₂ p(x) ÷ tokens. It depends on how the text is cut."),
    (
        "bits per byte",
        "−log₂ p(x) ÷ bytes of the text: comparable between models whose tokens differ.",
    ),
    (
        "perplexity",
        "2 to the power of the bits per token: as unsure as among so many equally likely tokens.",
    ),
)


class PlainTable(QTableWidget):
    """A table to read, as high as its rows."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def fill(
        self,
        columns: Sequence[str],
        rows: Sequence[tuple[str, str, Sequence[str]]],
    ) -> None:
        """Args:
        columns: their titles.
        rows: title, tooltip, and cells of each.
        """
        self.clear()
        self.setColumnCount(len(columns))
        self.setRowCount(len(rows))
        self.setHorizontalHeaderLabels(list(columns))
        for number, (title, tip, cells) in enumerate(rows):
            head = QTableWidgetItem(title)
            head.setToolTip(plain_tooltip(tip))
            self.setVerticalHeaderItem(number, head)
            for place, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tooltip(text))  # it may be cut off
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(number, place, item)
        self._fit()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        height += sum(self.rowHeight(row) for row in range(self.rowCount()))
        self.setFixedHeight(height)


def fill_totals(table: PlainTable, sentence: Sentence) -> None:
    """The totals of a sentence under each model."""
    entries = [entry for entry in sentence.entries if entry.ledger is not None]
    scores = [entry.ledger.score for entry in entries if entry.ledger is not None]
    undefined = [
        lost(entry.ledger, len(sentence.ids)) for entry in entries if entry.ledger is not None
    ]
    rows = []
    for number, (title, tip) in enumerate(ROWS):
        cells = [
            "undefined" if bad else total(score, number)
            for score, bad in zip(scores, undefined, strict=True)
        ]
        rows.append((title, tip, cells))
    table.fill([entry.seat.title for entry in entries], rows)


def total(score: Score, row: int) -> str:
    """One of the four totals."""
    if row == 0:
        return str(score.probability)
    value = (score.bits_per_token, score.bits_per_byte, score.perplexity)[row - 1]
    return "–" if math.isnan(value) else format_number(value, 3 if row < 3 else 4)


def fill_comparison(table: PlainTable, sentence: Sentence) -> None:
    """The probabilities of the sentences to compare with."""
    rows = []
    for text, scores in sentence.others:
        shown = isolate(display_text(text.encode("utf-8", "replace"), 40).replace("␣", " "))
        cells = ["–" if score is None else str(score.probability) for score in scores]
        rows.append((shown, "p of this text under each model", cells))
    table.fill([entry.seat.title for entry in sentence.entries], rows)
