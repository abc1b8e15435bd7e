"""What one step changed: in words, token by token, and matrix by matrix."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.errors import LabError
from gui import theme
from gui.training import step_words as words
from gui.training.step_run import StepOrder
from gui.widgets.distribution_bars import DistributionBars
from gui.widgets.distributions import Distribution
from gui.widgets.exports import ExportButton
from gui.widgets.flow_layout import FlowRow
from gui.widgets.fold_box import FoldBox
from gui.widgets.formula import Formula
from gui.widgets.look import em
from gui.widgets.plain_table import PlainTable
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary, isolate

if TYPE_CHECKING:
    from engine.training.one_step import OneStep

RULE = r"\theta \leftarrow \theta + \eta \, \nabla_\theta \log p_\theta(\mathrm{text})"
SIDE_BY_SIDE_EMS = 62.0
"""From this width on the tokens and the distribution stand beside each other."""
PLACES_SHOWN = 14
NOTICEABLE = 0.005
"""Changes of log p smaller than this are not coloured."""
BARS_EMS = 16.0
_TIMES = len(words.PLACE_COLUMNS) - 1


class StepResults(QWidget):
    """All about one OneStep."""

    failed = Signal(str)
    """Why a file could not be written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._step: OneStep | None = None
        self._vocabulary = Vocabulary(lambda i: b"")
        self.headline = plain_label("", self, wrap=True)
        theme.set_text_role(self.headline, "strong")
        self.formula = Formula(RULE, "theta becomes theta plus eta times the gradient of log p")
        self.number = plain_label("", self, wrap=True)
        self.moved = plain_label("", self, wrap=True)
        self.practice = plain_label(
            "log p(text) is the mean over the tokens of the batch, as training takes it; the "
            "tutorial writes the sum. The lab's own models are left as they are: each step here "
            "is taken on a copy.",
            self,
            wrap=True,
        )
        theme.set_text_role(self.practice, "caption", "muted")
        self.places = PlainTable(
            "Every prediction of the batch, before and after the step", most=PLACES_SHOWN
        )
        self.places.setSelectionBehavior(PlainTable.SelectionBehavior.SelectRows)
        self.places.setSelectionMode(PlainTable.SelectionMode.SingleSelection)
        self.places.currentCellChanged.connect(self._place_chosen)
        self.asked = plain_label("", self, wrap=True)
        theme.set_text_role(self.asked, "strong")
        self.bars = DistributionBars(self, count=8)
        self.matrices = PlainTable("Every matrix and vector of the model")
        self.rows = PlainTable("Rows of the embedding W that moved farthest")
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(_column(self.places, self._export("batch", self.places)))
        self.splitter.addWidget(_column(self.asked, self.bars))
        self.splitter.setSizes([1100, 900])  # shares of the room, until someone moves it
        matrices = FoldBox("Which matrices changed, and by how much", self)
        matrices.set_content(_column(self.matrices, self._export("matrices", self.matrices)))
        rows = FoldBox("Which rows of the embedding W changed most", self)
        rows.set_content(_column(self.rows, self._export("embedding rows", self.rows)))
        for fold in (matrices, rows):
            fold.set_open(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (
            self.headline,
            self.formula,
            self.number,
            self.moved,
            self.splitter,
            matrices,
            rows,
            self.practice,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        theme.current().changed.connect(self._dress)

    def show_step(self, step: OneStep, order: StepOrder) -> None:
        """Show another step."""
        self._step = step
        self._vocabulary = Vocabulary.of(order.tokenizer.tokenizer)
        plain = order.plain
        self.headline.setText(words.headline(step, order.rule))
        self.formula.setVisible(plain)
        self.number.setText(words.arithmetic(step, self._vocabulary, plain))
        self.moved.setText(words.moved_words(step))
        self.places.fill(words.PLACE_COLUMNS, words.place_rows(step, self._vocabulary))
        self.matrices.fill(words.MATRIX_COLUMNS, words.matrix_rows(step))
        self.rows.fill(words.TOKEN_COLUMNS, words.token_rows(step, self._vocabulary))
        self._dress()
        change = np.abs(step.log_p_after - step.log_p_before)[step.batch.predicted]
        first = int(np.nanargmax(change)) if np.isfinite(change).any() else 0
        self.places.setCurrentCell(first, 0)
        self._show_place(first)

    @Slot(int, int, int, int)
    def _place_chosen(self, row: int, *_: int) -> None:
        self._show_place(row)

    def _show_place(self, row: int) -> None:
        step = self._step
        if step is None or row < 0:
            return
        line, place = words.places(step)[row]
        target = int(step.batch.targets[line, place])
        shown = isolate(self._vocabulary.text(target, words.TOKEN_WIDTH))
        self.asked.setText(f"Line {line + 1}, place {place + 1}: the target is {shown}")
        before = np.asarray(step.before[line, place], np.float64)
        after = np.asarray(step.after[line, place], np.float64)
        if not np.isfinite(after).any():
            after = np.full_like(after, -math.inf)
        self.bars.set_distributions(
            [
                Distribution("After the step", "transformer", after, "There are no numbers left."),
                Distribution("Before", "neutral", before),
            ],
            self._vocabulary,
        )
        self.bars.set_marked(target)

    @Slot()
    def _dress(self) -> None:
        """Colour what became more and less probable."""
        step, colours = self._step, theme.current().colours
        self.bars.area.setMinimumHeight(round(em(theme.current().font("body")) * BARS_EMS))
        if step is None:
            return
        change = (step.log_p_after - step.log_p_before)[step.batch.predicted]
        for row, by in enumerate(change.tolist()):
            item = self.places.item(row, _TIMES)
            if item is not None and not abs(by) < NOTICEABLE:
                item.setBackground(colours.color("good_soft" if by > 0 else "bad_soft"))
                item.setForeground(colours.color("text"))

    def _export(self, what: str, table: PlainTable) -> QWidget:
        button = ExportButton(f"One step {what}", formats=("csv",))
        button.wanted.connect(partial(self._save, table))
        row = FlowRow()
        row.add(button)
        return row

    def _save(self, table: PlainTable, _: str, path: str) -> None:
        try:
            table.export_csv(Path(path))
        except LabError as error:
            self.failed.emit(str(error))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= em(self.font()) * SIDE_BY_SIDE_EMS
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)


def _column(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return holder
