"""A box for a whole number that never changes what was typed without a word."""

from __future__ import annotations

import re

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QWidget

from engine.training.recipe import plain_number

_WIDEST = 9
"""Characters that are always seen."""
_GROUPED = re.compile(r"[+-]?\d{1,3}([,\s]\d{3})+")


class WholeBox(QAbstractSpinBox):
    """Used like a QSpinBox. A text that is no allowed number stays as it is typed, ``problem``
    says what is wrong with it, and the last good value stays in force."""

    value_changed = Signal(int)
    """A new good value was typed, stepped to or set."""
    problem_changed = Signal(str)
    """What is wrong with the text; empty if nothing is."""

    def __init__(self, low: int, high: int, value: int, parent: QWidget | None = None) -> None:
        """
        Args:
            low: the least value allowed.
            high: the greatest value allowed.
            value: the first value.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self._low, self._high, self._value = low, high, value
        self._settled = value  # before the present typing began
        self.problem = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._write()
        self.lineEdit().textEdited.connect(self._typed)
        self.editingFinished.connect(self._done)

    def minimum(self) -> int:
        """The least value allowed."""
        return self._low

    def maximum(self) -> int:
        """The greatest value allowed."""
        return self._high

    def value(self) -> int:
        """The last good value."""
        return self._value

    def setValue(self, value: int) -> None:
        """Set a value, drawn to the nearer bound if it lies outside."""
        self._take(min(self._high, max(self._low, value)))
        self._settled = self._value
        self._write()
        self._say("")

    def read(self, text: str) -> tuple[int | None, str]:
        """The number that a text means; or None, and the sentence that says what is wrong."""
        plain = text.strip().replace("−", "-")
        if _GROUPED.fullmatch(plain):
            plain = re.sub(r"[,\s]", "", plain)
        wanted = (
            f"Write a whole number from {plain_number(self._low)} to {plain_number(self._high)}."
        )
        try:
            number = float(plain)
            whole = number == int(number)
        except (ValueError, OverflowError):
            return None, f"“{text.strip()}” is no number. {wanted}" if plain else wanted
        if not whole or not self._low <= number <= self._high:
            return None, f"“{text.strip()}” can't be taken. {wanted}"
        return int(number), ""

    # ------------------------------------------------------------------------------- the box
    def sizeHint(self) -> QSize:
        digits = "0" * min(_WIDEST, max(4, len(f"{self._high:,}")))
        room = QSize(self.fontMetrics().horizontalAdvance(digits), 0)
        return super().sizeHint() + room

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return QValidator.State.Acceptable, text, position

    def fixup(self, text: str) -> str:
        return text

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag
        allowed = flags.StepNone
        if self._value < self._high:
            allowed |= flags.StepUpEnabled
        if self._value > self._low:
            allowed |= flags.StepDownEnabled
        return allowed

    def stepBy(self, steps: int) -> None:
        self.setValue(self._value + steps)
        self.selectAll()

    def clear(self) -> None:
        super().clear()
        self._typed("")

    @Slot(str)
    def _typed(self, text: str) -> None:
        number, problem = self.read(text)
        self._say(problem)
        if self.keyboardTracking():
            self._take(self._settled if number is None else number)

    @Slot()
    def _done(self) -> None:
        """Left, or Enter: a good number is taken and written neatly."""
        number, problem = self.read(self.text())
        self._say(problem)
        if number is not None:
            self._take(number)
            self._settled = self._value
            if not self.problem:
                self._write()

    def _take(self, value: int) -> None:
        if value != self._value:
            self._value = value
            self.value_changed.emit(value)

    def _write(self) -> None:
        text = f"{self._value:,}"
        if text != self.text():
            self.lineEdit().setText(text)

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self.setAccessibleDescription(problem)
            self.problem_changed.emit(problem)
