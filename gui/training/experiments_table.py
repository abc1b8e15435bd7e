"""The arms of an experiment in numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from gui import theme
from gui.widgets.look import em

if TYPE_CHECKING:
    from engine.training.experiment_runs import ArmStanding, Standing

COLUMNS = {
    "Setting": "What is compared.",
    "Parameters": "How many numbers the model learns.",
    "Steps": "Taken so far, of how many. By seconds that is planned anew where the pace changes.",
    "Tokens": "Trained on so far.",
    "Seconds": "Spent in this setting's own steps; scoring and pauses are not counted.",
    "Training loss": "Mean over the last 20 batches, nats per token.",
    "Held-out loss": "The newest, nats per token.",
    "Lowest": "The lowest held-out loss so far, nats per token.",
    "State": "How it goes.",
}
MOST_ROWS = 9
"""More are reached by scrolling."""
LAST = 20


class ArmTable(QTableWidget):
    """A row for each arm."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.setAccessibleName("The settings of the experiment in numbers")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setHighlightSections(False)
        for index, (title, tip) in enumerate(COLUMNS.items()):
            head = QTableWidgetItem(title)
            head.setToolTip(tip)
            self.setHorizontalHeaderItem(index, head)
        theme.current().changed.connect(self._dress)
        self._dress()

    def show_standing(self, standing: Standing) -> None:
        """Show these numbers."""
        grown = self.rowCount() != len(standing.arms)
        self.setRowCount(len(standing.arms))
        for row, arm in enumerate(standing.arms):
            for column, text in enumerate(cells(arm, standing)):
                item = self.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    last = column in (0, len(COLUMNS) - 1)
                    side = Qt.AlignmentFlag.AlignLeft if last else Qt.AlignmentFlag.AlignRight
                    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                    self.setItem(row, column, item)
                if item.text() != text:
                    grown |= len(text) > len(item.text())
                    item.setText(text)
        if grown:
            self.resizeColumnsToContents()
            self._fit()

    def clear_rows(self) -> None:
        """Show nothing."""
        self.setRowCount(0)

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        self.setFont(look.font("body"))
        self.verticalHeader().setDefaultSectionSize(round(em(look.font("body")) * 1.6))
        self.resizeColumnsToContents()
        self._fit()

    def _fit(self) -> None:
        """As high as its rows, so that no second scroll bar appears for a few of them."""
        self.setFixedHeight(self.sizeHint().height())

    def sizeHint(self) -> QSize:
        rows = min(max(1, self.rowCount()), MOST_ROWS)
        row = self.verticalHeader().defaultSectionSize()
        bar = self.horizontalScrollBar().sizeHint().height()
        height = self.horizontalHeader().sizeHint().height() + rows * row + bar
        return QSize(round(em(self.font()) * 30), height + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 12), self.sizeHint().height())


def cells(arm: ArmStanding, standing: Standing) -> tuple[str, ...]:
    """What a row says."""
    scored = arm.evaluations["loss"]
    recent = arm.steps["loss"][-LAST:]
    state = arm.problem or arm.state
    if arm.state == "finished" and not standing.learned(arm):
        state = "no better than guessing"
    return (
        arm.arm.name,
        f"{arm.parameters:,}",
        f"{arm.step:,} of {arm.arm.recipe.steps:,}",
        f"{arm.tokens:,.0f}",
        f"{arm.seconds:.1f}",
        f"{recent.mean():.3f}" if len(recent) else "–",
        "–" if not len(scored) else _number(float(scored[-1])),
        "–" if not len(scored) else _number(float(scored.min())),
        state,
    )


def _number(value: float) -> str:
    return f"{value:,.3f}" if math.isfinite(value) else "no number"
