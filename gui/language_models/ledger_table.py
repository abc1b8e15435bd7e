"""The ledger as a table: a row for each token, a column for each model."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtGui import QColor

from engine.models.ledger import Ledger
from gui import theme
from gui.language_models.sentence import Sentence
from gui.widgets.numbers import format_log_probability
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.table_export import EXACT
from gui.widgets.token_text import Vocabulary, isolate

Index = QModelIndex | QPersistentModelIndex


class Quantity(Enum):
    """What the cells show."""

    CONDITIONAL = "conditional"
    RUNNING = "running"
    BITS = "bits"
    RANK = "rank"


QUANTITIES: tuple[tuple[Quantity, str, str], ...] = (
    (
        Quantity.CONDITIONAL,
        "p(xₜ | x₁…xₜ₋₁)",
        "How probable each token is after all those before it.",
    ),
    (
        Quantity.RUNNING,
        "p(x₁…xₜ)",
        "The product of all conditionals so far: how probable it is that a text begins like "
        "this. It shrinks with every token that is not certain.",
    ),
    (
        Quantity.BITS,
        "−log₂ p",
        "The surprise of each token in bits: 0 for what was certain, one more for each halving "
        "of its probability. Bits add up where probabilities multiply.",
    ),
    (
        Quantity.RANK,
        "rank",
        "The token's place in the model's list: 1 if the model would have bet on it.",
    ),
)

RANKS = ((1, "good_soft"), (10, "accent_soft"), (100, "warning_soft"))
"""Up to which rank a cell has which ground; beyond, and where it is impossible, ``bad_soft``."""
RANKS_IN_WORDS = (
    "Green: the model's first choice. Blue: among its first 10. Yellow: among its first 100. "
    "Red: further down, or impossible."
)


class LedgerModel(QAbstractTableModel):
    """Rows: tokens. Columns: the token, then each model."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._sentence: Sentence | None = None
        self._vocabulary = Vocabulary(lambda i: b"")
        self._ledgers: list[tuple[str, Ledger]] = []
        self._quantity = Quantity.CONDITIONAL

    def set_sentence(self, sentence: Sentence | None) -> None:
        """Show another sentence; None for none."""
        self.beginResetModel()
        self._sentence = sentence
        self._ledgers = []
        if sentence is not None and sentence.table.tokenizer is not None:
            self._vocabulary = Vocabulary.of(sentence.table.tokenizer.tokenizer)
            self._ledgers = [
                (e.seat.title, e.ledger) for e in sentence.entries if e.ledger is not None
            ]
        self.endResetModel()

    def set_quantity(self, quantity: Quantity) -> None:
        """Show another quantity in the cells."""
        self._quantity = quantity
        if self.rowCount() and self._ledgers:
            last = self.index(self.rowCount() - 1, len(self._ledgers))
            self.dataChanged.emit(self.index(0, 1), last)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if self._sentence is None else len(self._sentence.ids)

    def columnCount(self, parent: Index | None = None) -> int:
        return 1 + len(self._ledgers)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            if orientation == Qt.Orientation.Vertical:
                return str(section + 1)
            if section == 0:
                return "token"
            if section <= len(self._ledgers):
                return self._ledgers[section - 1][0]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        sentence, row, column = self._sentence, index.row(), index.column()
        if sentence is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and column:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if column == 0:
            name = isolate(self._vocabulary.text(sentence.ids[row], 40))
            return name if role == Qt.ItemDataRole.DisplayRole else None
        ledger = self._ledgers[column - 1][1]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(ledger, row, self._quantity)
        if role == EXACT:
            return exact(ledger, row, self._quantity)
        if role == Qt.ItemDataRole.BackgroundRole:
            return ground(ledger, row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self.described(row, column))
        return None

    def described(self, row: int, column: int) -> str:
        """All quantities of a cell, one a line."""
        title, ledger = self._ledgers[column - 1]
        lines = [title]
        lines += [f"{name} = {cell(ledger, row, q)}" for q, name, _ in QUANTITIES]
        return "\n".join(lines)


def cell(ledger: Ledger, row: int, quantity: Quantity) -> str:
    """What a cell says."""
    if not ledger.defined[row] and quantity is not Quantity.RUNNING:
        return "undefined"
    if quantity is Quantity.RANK:
        return f"{int(ledger.ranks[row]):,}"
    own = float(ledger.log_probs[row])
    if quantity is Quantity.CONDITIONAL:
        return format_log_probability(own)
    if quantity is Quantity.BITS:
        return "∞" if own == -math.inf else f"{max(0.0, -own / math.log(2)):.2f}"
    if lost(ledger, row + 1):
        return "undefined"
    return format_log_probability(float(ledger.running[row]))


def exact(ledger: Ledger, row: int, quantity: Quantity) -> float | int | None:
    """A cell's number with all its digits; None where it is undefined, or a probability too small
    for a 64-bit number, which only words with an exponent can tell."""
    if cell(ledger, row, quantity) == "undefined":
        return None
    if quantity is Quantity.RANK:
        return int(ledger.ranks[row])
    own = float(ledger.log_probs[row])
    if quantity is Quantity.BITS:
        return -own / math.log(2)
    nats = float(ledger.running[row]) if quantity is Quantity.RUNNING else own
    p = math.exp(nats)
    return p if p > 0 or nats == -math.inf else None


def lost(ledger: Ledger, n: int) -> bool:
    """Whether the product of the first n tokens is undefined: a factor is, and none before it
    is 0 (0 times anything is 0)."""
    gone = np.flatnonzero(~ledger.defined[:n])
    return bool(len(gone)) and not np.isneginf(ledger.log_probs[: gone[0]]).any()


def ground(ledger: Ledger, row: int) -> QColor:
    """The colour of a cell, by rank."""
    colours = theme.current().colours
    possible = ledger.defined[row] and ledger.log_probs[row] > -math.inf
    if possible:
        for most, name in RANKS:
            if ledger.ranks[row] <= most:
                return colours.color(name)
    return colours.color("bad_soft")
