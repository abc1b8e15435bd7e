"""One stage, step by step: a formula, its numbers, and one of them down to the arithmetic."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import shiboken6
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.lab import Lab
from gui.transformer.arithmetic_view import ArithmeticView
from gui.transformer.cell_grid import CellGrid
from gui.transformer.looking import Look, explained
from gui.transformer.steps import Stage, Step
from gui.transformer.values import Cells, cells_of, first_cell, make_place, token_names
from gui.widgets.exports import ExportButton
from gui.widgets.flow_layout import FlowRow
from gui.widgets.formula import Formula
from gui.widgets.look import em
from gui.widgets.page_buttons import PageButton
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import Vocabulary

_ASK = ("transformer", "arithmetic")
_GRID = ("transformer", "cells")


class StepsView(QWidget):
    """The steps of the chosen stage as buttons, and the chosen step below them."""

    head_chosen = Signal(int)
    stage_wished = Signal(int)
    """Beyond the last step (+1) or before the first (−1): the stage that follows or precedes."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._look: Look | None = None
        self._stage: Stage | None = None
        self._head = 0
        self._number = 0
        self._wanted: dict[str, int] = {}  # the step last looked at, by kind of stage
        self._cells: Cells | None = None

        self.title = plain_label("", self)
        theme.set_text_role(self.title, "subtitle")
        self.head_caption = QLabel("&Head")
        self.head_box = QComboBox()
        self.head_box.setAccessibleName("Head")
        self.head_box.setToolTip("Each head attends by itself; choose the one to look into.")
        self.head_caption.setBuddy(self.head_box)
        self.head_box.activated.connect(self.head_chosen)
        self.export_button = ExportButton("These numbers", self)
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.head_caption)
        top.addWidget(self.head_box)
        top.addWidget(self.export_button)
        self.back = QPushButton("◂ &Back")
        self.back.setToolTip("The step before, also out of the block before.")
        self.back.clicked.connect(self.go_back)
        self.next = QPushButton("Nex&t ▸")
        self.next.setToolTip("The next step, also into the next block: all the way through.")
        theme.make_primary(self.next)
        self.next.clicked.connect(self.go_on)
        top.addWidget(self.back)
        top.addWidget(self.next)
        self.row = FlowRow(self)
        self.row.setAccessibleName("Steps")
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self._step_clicked)
        self._buttons: list[PageButton] = []
        self.formula = Formula(parent=self)
        self.caption = plain_label("", self, wrap=True)
        self.grid = CellGrid(self)
        self.grid.chosen.connect(self._ask)
        self.grid.setToolTip("Click a number to see how it was computed.")
        self.export_button.wanted.connect(self.grid.export)
        self.hint = plain_label("", self, wrap=True)
        theme.set_text_role(self.hint, "caption", "muted")
        self.arithmetic = ArithmeticView(self)
        self._column = QVBoxLayout(self)
        self._column.addLayout(top)
        for widget in (self.row, self.formula, self.caption, self.grid, self.hint, self.arithmetic):
            self._column.addWidget(widget)
        self._column.addStretch(1)
        theme.current().changed.connect(self._dress)
        self._dress()

    # -------------------------------------------------------------------------------------- showing
    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return None if self._stage is None else self._stage.steps[self._number]

    def show_stage(self, look: Look, stage: Stage, head: int) -> None:
        """Show a stage of a look; the step stays what it was for such stages."""
        other = self._stage is None or stage.steps != self._stage.steps
        same_shape = self._look is not None and self._look.inside.config == look.inside.config
        self._look, self._stage, self._head = look, stage, head
        self.title.setText(stage.title)
        if self.head_box.count() != look.inside.config.heads or not same_shape:
            self.head_box.clear()
            self.head_box.addItems([f"{h + 1}" for h in range(look.inside.config.heads)])
        self.head_box.setCurrentIndex(head)
        if other:
            self._make_buttons()
        self._number = min(self._wanted.get(stage.key, 0), len(stage.steps) - 1)
        self._show_step()

    def _make_buttons(self) -> None:
        assert self._stage is not None
        for button in self._buttons:
            self._group.removeButton(button)
            button.setParent(None)
            button.deleteLater()
        self._buttons = []
        for number, step in enumerate(self._stage.steps):
            button = PageButton(f"{number + 1}  {step.title}", step.caption, self.row)
            self._group.addButton(button, number)
            self.row.add(button)
            button.show()
            self._buttons.append(button)

    def show_step(self, number: int) -> None:
        """Show another step of the stage."""
        if self._stage is not None:
            self._number = max(0, min(number, len(self._stage.steps) - 1))
            self._wanted[self._stage.key] = self._number
            self._show_step()

    @Slot()
    def go_on(self) -> None:
        """The next step, be it in the next stage."""
        if self._stage is not None and self._number + 1 < len(self._stage.steps):
            self.show_step(self._number + 1)
        else:
            self.stage_wished.emit(1)

    @Slot()
    def go_back(self) -> None:
        """The step before, be it in the stage before."""
        if self._number:
            self.show_step(self._number - 1)
        else:
            self.stage_wished.emit(-1)

    def begin_at(self, stage: Stage, last: bool) -> None:
        """When this stage is shown next, begin at its first or last step."""
        self._wanted[stage.key] = len(stage.steps) - 1 if last else 0

    @Slot(int)
    def _step_clicked(self, number: int) -> None:
        self.show_step(number)

    def _show_step(self) -> None:
        look, stage, step = self._look, self._stage, self.step
        assert look is not None and stage is not None and step is not None
        self._buttons[self._number].setChecked(True)
        self.formula.set_latex(step.latex, step.spoken)
        self.caption.setText(step.caption)
        by_head = step.kind in ("rows", "square")
        self.head_box.setVisible(by_head)
        self.head_caption.setVisible(by_head)
        self._lab.compute.request(
            _GRID,
            cells_of,
            look,
            stage,
            step,
            self._head,
            on_result=partial(_show_cells, self, look, step, self._head),
            title="Gathering numbers",
        )

    def show_cells(self, look: Look, step: Step, head: int, cells: Cells) -> None:
        """Show a step's numbers, if it is still that step's turn."""
        if look is not self._look or step is not self.step or head != self._head:
            return
        before, same = self.grid.cell, self._cells is not None
        self._cells = cells
        cell = first_cell(cells, step, look)
        if same and self.grid.hasFocus() and _fits(before, cells) and step.kind != "tokens":
            cell = before
        where = f"{step.title}, {self._stage.title if self._stage else ''}"
        self.grid.show_cells(cells, where, cell)
        self.hint.setText(self._hint(step, look))
        self._ask(*cell)

    def _hint(self, step: Step, look: Look) -> str:
        names = token_names(look)
        at = f"position {look.position}, {names[look.position]}"
        count = 0 if self._cells is None else int(np.isfinite(self._cells.values).sum())
        signed = self._cells is not None and self._cells.signed
        scale = "Blue is above 0, red below." if signed else ""
        if step.point == "pattern":
            scale = "The stronger the colour, the more; the future is blank."
        told = {
            "vector": f"The vector at {at}, {count} numbers.",
            "rows": f"Head {self._head + 1}. The dashed row is {at}.",
            "square": f"Head {self._head + 1}. Rows are queries t, columns keys j; the dashed row "
            f"is {at}.",
            "tokens": f"After {at}.",
        }[step.kind]
        return " ".join(filter(None, (told, scale, "Click a number for its arithmetic.")))

    # ----------------------------------------------------------------------------------- arithmetic
    @Slot(int, int)
    def _ask(self, row: int, column: int) -> None:
        look, stage, step, cells = self._look, self._stage, self.step, self._cells
        if look is None or stage is None or step is None or cells is None:
            return
        place = partial(make_place, cells, stage, step, self._head, look.position, row, column)
        self._lab.compute.request(
            _ASK,
            explained,
            look.inside,
            place,
            on_result=partial(_show_arithmetic, self, look, step),
            title="Working out a number",
        )

    def show_arithmetic(self, look: Look, step: Step, arithmetic: Any) -> None:
        """Show a number's arithmetic, if it is still that step's turn."""
        if look is not self._look or step is not self.step:
            return
        names = token_names(look)
        place = arithmetic.place
        vocabulary = Vocabulary.of(look.run.tokenizer.tokenizer)
        heading = "i"
        labels = tuple(str(i + 1) for i in arithmetic.labels)
        if arithmetic.rule == "softmax" and step.kind == "tokens":
            heading, labels = "token", tuple(vocabulary.text(i, 16) for i in arithmetic.labels)
        elif arithmetic.rule in ("softmax", "mixture"):
            heading, labels = "key j", tuple(f"{j} {names[j]}" for j in arithmetic.labels)
        here = f"t = {place.position} {names[place.position]}"
        if step.kind == "tokens":
            title = f"{step.title} of {vocabulary.text(place.index, 16)}, {here}"
        elif step.kind == "square":
            title = f"{step.title}: {here} to j = {place.index} {names[place.index]}"
        else:
            title = f"{step.title}: number {place.index + 1}, {here}"
        self.arithmetic.show_arithmetic(arithmetic, title, labels, heading)

    @Slot()
    def _dress(self) -> None:
        unit = round(em(self.font()))
        self._column.setContentsMargins(0, unit // 3, unit // 2, 0)
        self._column.setSpacing(unit // 3)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)


def _fits(cell: tuple[int, int], cells: Cells) -> bool:
    rows, columns = cells.values.shape
    return cell[0] < int(rows) and cell[1] < int(columns)


# These are no methods, so nothing else notices that the view has gone before its answer came.
def _show_cells(view: StepsView, look: Look, step: Step, head: int, cells: Cells) -> None:
    if shiboken6.isValid(view):
        view.show_cells(look, step, head, cells)


def _show_arithmetic(view: StepsView, look: Look, step: Step, arithmetic: Any) -> None:
    if shiboken6.isValid(view):
        view.show_arithmetic(look, step, arithmetic)
