"""Two directions side by side: each token given what is before it, and given what is behind."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.models.comparison import common_rows
from gui import theme
from gui.language_models.bar_export import BarExport
from gui.language_models.bars import BarTable, Column
from gui.language_models.factors_run import Factored, Neighbours
from gui.widgets.formula import Formula
from gui.widgets.look import em
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_label
from gui.widgets.table_export import EXACT, TableExport
from gui.widgets.token_text import Vocabulary, isolate

_NARROW = 52
"""Below so many em of width, the bars stand below the table instead of beside it."""


class DirectionView(QWidget):
    """The factors of both chain rules, and both distributions in a chosen place.

    "What comes next?" and "what came before?" are different questions, so their bars stand in
    different tables, each on its own axis.
    """

    place_wished = Signal(int)
    """A row was chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = 0
        forward = Formula(
            r"p(x) = \prod_{t} p_\theta(x_t \mid x_{1:t-1})",
            "p of x is the product over t of p of x t given all tokens before it",
        )
        backward = Formula(
            r"p(x) = \prod_{t=T}^{1} p_\theta(x_t \mid x_{t+1:T})",
            "p of x is the product from T to 1 of p of x t given all tokens behind it",
        )
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName("A row for each token, a column for each direction")
        self.table.setHorizontalHeaderLabels(
            ["token", "given what is before", "given what is behind"]
        )
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.table.verticalHeader().hide()
        self.next_said = plain_label("What comes next?", wrap=True)
        self.previous_said = plain_label("What came before?", wrap=True)
        for label in (self.next_said, self.previous_said):
            theme.set_text_role(label, "strong")
        self.next_bars, self.previous_bars = BarTable(), BarTable()
        self.next_bars.setAccessibleName("What comes next: probabilities")
        self.previous_bars.setAccessibleName("What came before: probabilities")
        self.table_export = TableExport(self.table, "Each token in both directions")
        self.bar_export = BarExport(
            "Next and previous token",
            ("what comes next", self.next_bars),
            ("what came before", self.previous_bars),
        )
        self.bar_export.setToolTip("Save both distributions as a picture or as numbers.")
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        formulas, top = QVBoxLayout(), QHBoxLayout()
        for formula in (forward, backward):
            formulas.addWidget(formula)
        top.addLayout(formulas, 1)
        top.addWidget(self.table_export, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        beside.addLayout(row, 1)
        beside.addWidget(self.bar_export, 0, Qt.AlignmentFlag.AlignRight)
        row.setContentsMargins(0, 0, 0, 0)
        for label, bars in (
            (self.next_said, self.next_bars),
            (self.previous_said, self.previous_bars),
        ):
            part = QVBoxLayout()
            part.addWidget(label)
            part.addWidget(bars, 1)
            row.addLayout(part, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(right)
        self.splitter.setSizes([480, 640])
        self.splitter.setMinimumWidth(1)  # where it is narrow, its halves stand one above the other
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.splitter)
        self.table.setMinimumHeight(theme.current().px(120))
        self.table.currentCellChanged.connect(self._chosen)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < _NARROW * em(self.font())
        across = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if self.splitter.orientation() != across:
            self.splitter.setOrientation(across)

    @property
    def place(self) -> int:
        """The index of the chosen token; T is the end of the text."""
        return self._place

    def show_factored(self, made: Factored | None) -> None:
        """Show another text; the chosen place stays as far as there is one."""
        self.table.blockSignals(True)
        if made is None or made.table.tokenizer is None:
            self.table.setRowCount(0)
        else:
            vocabulary = Vocabulary.of(made.table.tokenizer.tokenizer)
            ids = made.cut.ids.tolist()
            names = ["(beginning)", *(vocabulary.text(i, 40) for i in ids), "(end)"]
            ahead = [None, *made.ahead.tolist()]
            behind = [*made.behind.tolist(), None]
            self.table.setRowCount(len(names))
            for line, cells in enumerate(zip(names, ahead, behind, strict=True)):
                for place, cell in enumerate(cells):
                    item = QTableWidgetItem(cell if place == 0 else _p(cell))
                    if place:
                        item.setData(EXACT, "" if cell is None else math.exp(cell))
                        item.setTextAlignment(
                            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                        )
                    self.table.setItem(line, place, item)
            self._place = min(self._place, max(0, len(ids) - 1))
            self.table.setCurrentCell(self._place + 1, 0)
        self.table.blockSignals(False)

    def show_neighbours(self, found: Neighbours) -> None:
        """Show the two distributions."""
        made = found.made
        if made.table.tokenizer is None:
            return
        vocabulary = Vocabulary.of(made.table.tokenizer.tokenizer)
        ids = made.cut.ids.tolist()
        token = ids[found.place] if found.place < len(ids) else -1
        before = vocabulary.text(ids[found.place - 1], 30) if found.place else "the beginning"
        behind = "the end"
        if found.place + 1 < len(ids):
            behind = vocabulary.text(ids[found.place + 1], 30)
        self.next_said.setText(f"What comes next, behind “{isolate(before)}”?")
        self.previous_said.setText(f"What came before “{isolate(behind)}”?")
        for bars, said in ((self.next_bars, found.ahead), (self.previous_bars, found.behind)):
            why = "" if said.defined else "Undefined: nothing was counted here."
            column = Column("ngram", "", "", said, why)
            also = (token,) if token >= 0 else ()
            bars.show_rows(common_rows([said], 0, max(6, bars.room()), also), [column], vocabulary)
            bars.mark(token)

    @Slot(int, int, int, int)
    def _chosen(self, row: int, _column: int, _old: int, _from: int) -> None:
        last = self.table.rowCount() - 3  # rows: beginning, T tokens, end
        if row >= 0:
            self._place = min(max(row - 1, 0), max(0, last))
            self.place_wished.emit(self._place)


def _p(log_prob: float | None) -> str:
    if log_prob is None:
        return ""
    return format_probability(math.exp(log_prob)) if math.isfinite(log_prob) else "0"
