"""Every knob of a recipe, each with its sentence, by groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.training import Knob, Recipe
from gui import theme
from gui.widgets.flow_layout import FlowRow
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
_LARGEST_SPIN = 2**31 - 1


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
            spin = QSpinBox(self)
            assert knob.low is not None and knob.high is not None
            spin.setRange(int(knob.low), min(int(knob.high), _LARGEST_SPIN))
            spin.setGroupSeparatorShown(True)
            spin.setKeyboardTracking(False)
            spin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            spin.valueChanged.connect(self._chosen)
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
            case QSpinBox():
                self.field.setValue(value)
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
            self._say(f"This must be a number from {low:g} to {high:g}.")
            return
        self._say("")
        self.turned.emit(self.knob.name, value)

    def _say(self, problem: str) -> None:
        self.wrong.setText(problem)
        self.wrong.setVisible(bool(problem))

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
        self.setMinimumHeight(0)
        layout = self.layout()
        if layout is not None:
            layout.setSpacing(theme.current().space(0.25))
            self.setMinimumHeight(layout.heightForWidth(self.width()))


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
            row = FlowRow(self)
            for knob in [k for k in knobs if k.group == group]:
                cell = KnobCell(knob, row)
                cell.turned.connect(self.turned)
                self.cells[knob.name] = cell
                row.add(cell)
            column.addWidget(row)
        column.addStretch(1)

    def show_recipe(self, recipe: Recipe) -> None:
        """Set every field to the recipe's value."""
        for name, cell in self.cells.items():
            cell.set_value(getattr(recipe, name))
