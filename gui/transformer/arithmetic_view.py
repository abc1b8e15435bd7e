"""One number written out: its terms, what is done with them, and what the model had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label
from gui.widgets.table_export import EXACT, TableExport

if TYPE_CHECKING:
    from engine.models.transformer.inside_arithmetic import Arithmetic

_WRITTEN_OUT = 4
_Index = QModelIndex | QPersistentModelIndex
_NOBODY = QModelIndex()


def written_out(a: Arithmetic) -> str:
    """The formula with its first numbers, such as "0.31·(−1.2) + 0.52·0.9 + … = 1.83"."""
    if a.rule in ("products", "score", "mixture"):
        parts = [f"{_bare(x)}·{_bracketed(y)}" for x, y in a.terms[:_WRITTEN_OUT, :2].tolist()]
        more = len(a.terms) - len(parts)
        tail = f" + … ({more} more)" if more > 0 else ""
        return f"{' + '.join(parts)}{tail} = {_bare(a.steps[0][1])}"
    if a.rule == "softmax":
        power, total = a.steps[2][1], a.steps[3][1]
        return f"exp({_bare(a.steps[0][1])} − {_bracketed(a.steps[1][1])}) ÷ sum = " + (
            f"{_bare(power)} ÷ {_bare(total)} = {_bare(a.value)}"
        )
    if a.rule == "sum":
        return " + ".join(_bracketed(v) for _, v in a.steps[:-1]) + f" = {_bare(a.value)}"
    return ""


def _bare(value: float) -> str:
    return format_number(value, 4)


def _bracketed(value: float) -> str:
    return f"({_bare(value)})" if value < 0 else _bare(value)


class _Terms(QAbstractTableModel):
    """The terms as rows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._arithmetic: Arithmetic | None = None
        self._names: tuple[str, ...] = ()
        self._heading = ""
        self.order: list[int] = []

    def show(self, a: Arithmetic, names: tuple[str, ...], heading: str) -> None:
        self.beginResetModel()
        self._arithmetic, self._names, self._heading = a, names, heading
        n = len(a.labels)
        weight = np.abs(a.terms[:, -1]) if n else np.empty(0)
        # In order where there are few; the weightiest first where nobody would scroll to them.
        self.order = list(range(n)) if n <= 64 else np.argsort(-weight, kind="stable").tolist()
        self.endResetModel()

    def rowCount(self, parent: _Index = _NOBODY) -> int:
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: _Index = _NOBODY) -> int:
        a = self._arithmetic
        return 0 if parent.isValid() or a is None else 1 + len(a.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        a = self._arithmetic
        if a is None or not index.isValid():
            return None
        row = self.order[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            if index.column() == 0:
                return self._names[row]
            return format_number(float(a.terms[row, index.column() - 1]), 5)
        if role == EXACT and index.column():
            return float(a.terms[row, index.column() - 1])
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        a = self._arithmetic
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        if a is None:
            return None
        return self._heading if section == 0 else a.columns[section - 1]


class ArithmeticView(QWidget):
    """The number in words, the formula with its numbers, the steps, and a table of all terms."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.arithmetic: Arithmetic | None = None
        self.title = plain_label("", self, wrap=True)
        theme.set_text_role(self.title, "strong")
        self.line = plain_label("", self, wrap=True)
        self.steps = plain_label("", self, wrap=True)
        self.check = plain_label("", self, wrap=True)
        theme.set_text_role(self.check, "caption", "muted")
        for label in (self.line, self.steps, self.check):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._terms = _Terms(self)
        self.table = QTableView(self)
        self.table.setAccessibleName("The terms of the chosen number")
        self.table.setToolTip("Every term. With more than 64, the weightiest come first.")
        self.table.setModel(self._terms)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.export_button = TableExport(self.table, "Terms", self)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.export_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(head)
        for widget in (self.line, self.steps, self.check, self.table):
            self._column.addWidget(widget)
        theme.current().changed.connect(self._dress)
        self._dress()

    def show_arithmetic(
        self, a: Arithmetic, title: str, names: tuple[str, ...], heading: str
    ) -> None:
        """Show a number.

        Args:
            a: the number.
            title: which one it is, in words.
            names: for each term, what it belongs to.
            heading: what the names are.
        """
        self.arithmetic = a
        self.title.setText(f"{title} = {format_number(a.value, 5)}")
        line = written_out(a)
        self.line.setText(line)
        self.line.setVisible(bool(line))
        self.steps.setText("\n".join(f"{words}:  {format_number(v, 5)}" for words, v in a.steps))
        self.check.setText(
            f"Computed again here with 64-bit numbers. The model itself, with 32-bit ones, has "
            f"{format_number(a.model, 6)}."
        )
        self._terms.show(a, names, heading)
        self.table.setVisible(bool(a.labels))
        self.export_button.setVisible(bool(a.labels))
        self._dress()

    @Slot()
    def _dress(self) -> None:
        unit = round(em(self.font()))
        self._column.setSpacing(unit // 3)
        self.table.verticalHeader().setDefaultSectionSize(round(unit * 1.4))
        rows = min(8, max(1, self._terms.rowCount()))
        self.table.setFixedHeight(round(unit * 1.4 * (rows + 1)) + unit)
