"""Every knob of a recipe, each with its sentence, by groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from PySide6.QtCore import QPoint, QRect, QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayoutItem,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.training import Knob, Recipe
from engine.training.recipe import plain_number
from gui import theme
from gui.training.whole_box import WholeBox
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label

GROUPS = {
    "model": "The model",
    "optimizer": "The optimizer",
    "schedule": "The schedule",
    "data": "The data",
    "run": "The computer",
}
ELSEWHERE = frozenset({"name", "seed", "steps", "eval_every"})
"""Fields that are chosen in other places of the window."""
_KINDS = {f.name: f.type for f in fields(Recipe)}
_CELL_EMS = 15.0
_HEAD_EMS = 1.8
"""Of every head alike: a box is higher than a tick."""


class KnobCell(QFrame):
    """One knob: its name, a field for its value, what it does, and what is wrong with it."""

    turned = Signal(str, object)
    """The knob's name and its new value."""

    def __init__(self, knob: Knob, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.knob = knob
        self.setObjectName(f"knob_{knob.name}")
        self.field = self._make_field()
        self.field.setObjectName(knob.name)
        self.field.setAccessibleName(knob.label)
        self.field.setToolTip(knob.sentence)
        self.label = QLabel(knob.label)
        self.label.setBuddy(self.field)
        self.label.setToolTip(knob.sentence)
        theme.set_text_role(self.label, "strong")
        self.sentence = plain_label(knob.sentence, self, wrap=True)
        theme.set_text_role(self.sentence, "caption", "muted")
        self.wrong = plain_label("", self, wrap=True)
        theme.set_text_role(self.wrong, "caption", "bad")
        self.wrong.hide()
        head = QHBoxLayout()
        head.addWidget(self.label)
        head.addStretch(1)
        head.addWidget(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.sentence)
        column.addWidget(self.wrong)
        theme.current().changed.connect(self._dress)
        self._dress()

    def _make_field(self) -> QWidget:
        knob, kind = self.knob, _KINDS[self.knob.name]
        if knob.choices:
            box = QComboBox(self)
            box.addItems(list(knob.choices if knob.name != "device" else knob.choices[:1]))
            box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            box.currentTextChanged.connect(self._chosen)
            return box
        if kind == "bool":
            check = QCheckBox(self)
            check.toggled.connect(self._chosen)
            return check
        if kind == "int":
            assert knob.low is not None and knob.high is not None
            spin = WholeBox(int(knob.low), int(knob.high), int(knob.low), self)
            spin.setKeyboardTracking(False)
            spin.value_changed.connect(self._chosen)
            spin.problem_changed.connect(self._say)
            return spin
        line = QLineEdit(self)
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.editingFinished.connect(self._typed)
        return line

    def set_value(self, value: Any) -> None:
        """Show a value without telling of it."""
        blocker = QSignalBlocker(self.field)
        match self.field:
            case QComboBox():
                self.field.setCurrentText(value)
            case QCheckBox():
                self.field.setChecked(value)
            case WholeBox():
                self.field.setValue(value)
                self._say("")
            case QLineEdit():
                self.field.setText(f"{value:g}")
                self._say("")
        blocker.unblock()

    def set_choices(self, choices: Sequence[str]) -> None:
        """Offer these words from now on; the one chosen stays chosen if it is among them."""
        assert isinstance(self.field, QComboBox)
        chosen, blocker = self.field.currentText(), QSignalBlocker(self.field)
        self.field.clear()
        self.field.addItems(list(choices))
        self.field.setCurrentText(chosen)
        blocker.unblock()

    def mark(self, turned: bool) -> None:
        """Show that the value is not the recipe's own."""
        text = f"{self.knob.label} *" if turned else self.knob.label
        if text != self.label.text():
            self.label.setText(text)
            theme.set_text_role(self.label, "strong", "accent" if turned else None)
            tip = "You turned this knob. " if turned else ""
            self.label.setToolTip(tip + self.knob.sentence)

    @Slot()
    def _chosen(self, value: object = None) -> None:
        self.turned.emit(self.knob.name, value)

    @Slot()
    def _typed(self) -> None:
        assert isinstance(self.field, QLineEdit)
        low, high = self.knob.low, self.knob.high
        assert low is not None and high is not None
        text = self.field.text().strip().replace(",", ".")
        try:
            value = float(text)
        except ValueError:
            self._say(f"“{text}” is no number. Write one such as 0.02 or 2e-2.")
            return
        if not low <= value <= high:
            self._say(f"Write a number from {plain_number(low)} to {plain_number(high)}.")
            return
        self._say("")
        self.turned.emit(self.knob.name, value)

    @Slot(str)
    def _say(self, problem: str) -> None:
        self.wrong.setText(problem)
        self.wrong.setVisible(bool(problem))
        self._fit()

    @property
    def problem(self) -> str:
        """What is wrong with what was typed; empty if nothing is."""
        return self.wrong.text()

    @Slot()
    def _dress(self) -> None:
        unit = em(theme.current().font("body"))
        self.setFixedWidth(round(unit * _CELL_EMS))
        if isinstance(self.field, QLineEdit):
            self.field.setFixedWidth(round(unit * 4.5))
        layout = self.layout()
        if layout is not None:
            layout.setSpacing(theme.current().space(0.25))
        self.label.setMinimumHeight(round(unit * _HEAD_EMS))
        self._fit()

    def _fit(self) -> None:
        """Be as high as the words need; they begin at the top in a row of higher cells."""
        layout = self.layout()
        if layout is not None:
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))


class _TopFlow(FlowLayout):
    """Cells of unequal height stand with their heads on one line."""

    @staticmethod
    def _settle(line: list[tuple[QLayoutItem, int, QSize]], y: int, height: int) -> None:
        for item, x, size in line:
            item.setGeometry(QRect(QPoint(x, y), size))


class KnobsPanel(QWidget):
    """All knobs. It shows a recipe, and tells what was turned; it keeps nothing itself."""

    turned = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cells: dict[str, KnobCell] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        knobs = [k for k in Recipe.knobs().values() if k.name not in ELSEWHERE]
        for group, title in GROUPS.items():
            head = plain_label(title, self)
            theme.set_text_role(head, "subtitle")
            column.addWidget(head)
            row = QWidget(self)
            flow = _TopFlow(row)
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            row.setSizePolicy(policy)
            for knob in [k for k in knobs if k.group == group]:
                cell = KnobCell(knob, row)
                cell.turned.connect(self.turned)
                self.cells[knob.name] = cell
                flow.addWidget(cell)
            column.addWidget(row)
        column.addStretch(1)

    def show_recipe(self, recipe: Recipe) -> None:
        """Set every field to the recipe's value."""
        for name, cell in self.cells.items():
            cell.set_value(getattr(recipe, name))
