"""The heading of the table, and the size of the transformer whose cost it tells."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from gui import theme
from gui.tokenization.text_cost import EXPLANATION, FORMULA, Size
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_label, plain_tooltip


class CostRow(FlowRow):
    """The formula of a text's cost, and its L and d to choose."""

    changed = Signal()
    """Another size was chosen."""

    def __init__(self, heading: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title = plain_label(heading)
        theme.set_text_role(title, "subtitle")
        formula = plain_label(f"operations = {FORMULA}, for a transformer of")
        formula.setToolTip(plain_tooltip(EXPLANATION))
        theme.set_text_role(formula, "caption", "muted")
        self.add(title)
        self.add(formula)
        self.layers = _spin("Layers L", 1, 200, Size().layers)
        self.width_d = _spin("Width d", 16, 20_480, Size().width)
        self.width_d.setSingleStep(64)
        for text, box in (("&layers L", self.layers), ("&width d", self.width_d)):
            label = QLabel(text)
            label.setBuddy(box)
            theme.set_text_role(label, "caption", "muted")
            together = QWidget()  # so that no line ends between the two
            pair = QHBoxLayout(together)
            pair.setContentsMargins(0, 0, 0, 0)
            pair.addWidget(label)
            pair.addWidget(box)
            self.add(together)
            box.valueChanged.connect(self.changed)

    @property
    def size_chosen(self) -> Size:
        """The size of the transformer."""
        return Size(self.layers.value(), self.width_d.value())


def _spin(name: str, low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setAccessibleName(name)
    box.setToolTip(plain_tooltip(EXPLANATION))
    return box
