"""Number fields that say in place what is wrong with a value."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QLabel, QVBoxLayout, QWidget

from gui.widgets.complaint import Complaint
from gui.widgets.look import em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_tooltip


class _Box(QAbstractSpinBox):
    """Takes any text; the arrows and the wheel step to a value that is allowed."""

    stepped = Signal(int)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return QValidator.State.Acceptable, text, position

    def fixup(self, text: str) -> str:
        return text

    def stepBy(self, steps: int) -> None:
        self.stepped.emit(steps)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        if self.isReadOnly():
            return QAbstractSpinBox.StepEnabledFlag.StepNone
        flags = QAbstractSpinBox.StepEnabledFlag
        return flags.StepUpEnabled | flags.StepDownEnabled


class NumberField(QWidget):
    """A named number between two bounds. A text that is no such number is never taken silently:
    a sentence below says what is wrong, without taking room from anything, and the last good value
    stays in force.

    Args:
        name: the field's name, shown above it.
        value: the first value.
        low: the least value allowed.
        high: the greatest value allowed.
        whole: only whole numbers.
        geometric: the arrows multiply and divide (1, 2, 5, 10 …) instead of adding ``step``.
        step: what the arrows add.
        unit: shown behind the name.
        explanation: what it does, in a sentence; its tooltip.
        parent: the widget that owns it.
    """

    value_changed = Signal(float)
    """A new good value was typed or stepped to."""
    validity_changed = Signal(bool)
    """Whether the text is a good value."""

    def __init__(
        self,
        name: str,
        value: float,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        whole: bool = False,
        geometric: bool = False,
        step: float = 1.0,
        unit: str = "",
        explanation: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        if not low <= value <= high:
            raise ValueError(f"{value} does not lie between {low} and {high}")
        self._low, self._high, self._whole = low, high, whole
        self._geometric, self._step = geometric, step
        self._value, self._good = float(value), True
        self.name_label = QLabel(self)
        self.name_label.setTextFormat(Qt.TextFormat.PlainText)
        self.name_label.setText(f"{name} ({unit})" if unit else name)
        self.box = _Box(self)
        self.box.setAccessibleName(name)
        self.box.setAccessibleDescription(explanation)
        self.box.setToolTip(plain_tooltip(explanation))
        self.box.setMinimumWidth(round(em(self.font()) * 5))
        self.name_label.setBuddy(self.box)
        self.problem = Complaint(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.name_label)
        layout.addWidget(self.box)
        layout.addStretch(1)
        self._write(self._value)
        self.box.lineEdit().textChanged.connect(self._typed)
        self.box.stepped.connect(self._stepped)

    def explain(self, explanation: str) -> None:
        """Another explanation of what the field does."""
        self.box.setToolTip(plain_tooltip(explanation))
        if self._good:
            self.box.setAccessibleDescription(explanation)

    def value(self) -> float:
        """The last good value."""
        return self._value

    def is_valid(self) -> bool:
        """Whether what stands in the field is the value in force."""
        return self._good

    def set_value(self, value: float) -> None:
        """Set a value, drawn to the nearer bound if it lies outside."""
        value = min(max(float(value), self._low), self._high)
        self._write(round(value) if self._whole else value)

    def _write(self, value: float) -> None:
        text = str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
        self.box.lineEdit().setText(text)

    def read(self, text: str) -> tuple[float | None, str]:
        """The number that a text means, or None and the sentence that says why it means none."""
        plain = text.strip().replace("−", "-").replace("\u202f", "").replace(" ", "")
        try:
            number = float(plain)
        except ValueError:
            like = "a whole number, like 12" if self._whole else "it like 0.001 or 1e-3"
            return None, f"This is not a number. Write {like}."
        if not math.isfinite(number):
            return None, "The number must be finite."
        if self._whole and number != int(number):
            return None, "The number must be whole."
        if number < self._low:
            return None, f"At least {format_number(self._low, 6)}."
        if number > self._high:
            return None, f"At most {format_number(self._high, 6)}."
        return number, ""

    def _typed(self, text: str) -> None:
        number, problem = self.read(text)
        self.problem.say(problem)
        self.box.setAccessibleDescription(problem or self.box.toolTip())
        good = number is not None
        if good != self._good:
            self._good = good
            self.validity_changed.emit(good)
        if number is not None and number != self._value:
            self._value = number
            self.value_changed.emit(number)

    def _stepped(self, steps: int) -> None:
        value = self._value
        for _ in range(abs(steps)):
            value = self._next(value, math.copysign(1, steps))
        self.set_value(value)

    def _next(self, value: float, sign: float) -> float:
        """One step up or down; on the scale 1, 2, 5, 10 … for geometric fields."""
        if not self._geometric or value <= 0:
            return value + sign * self._step
        exponent = math.floor(math.log10(value) + 1e-9)
        scale = [m * 10.0**e for e in (exponent - 1, exponent, exponent + 1) for m in (1, 2, 5)]
        if sign > 0:
            return min(s for s in scale if s > value * (1 + 1e-9))
        return max(s for s in scale if s < value * (1 - 1e-9))
