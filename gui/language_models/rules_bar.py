"""The controls of sampling: temperature, top-k, top-p."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from engine.generation import SamplingRules
from gui.widgets.flow_layout import FlowRow
from gui.widgets.safe_text import plain_tooltip

ORDER_OF_RULES = (
    "The rules apply in this order: temperature, then top-k, then top-p of what is left; what "
    "stays is scaled up to add up to 1 again."
)
_TIPS = {
    "Temperature": "τ: every probability is raised to the power 1/τ. 1 is the model as it is. "
    "Below 1 likely tokens get likelier, above 1 all "
    "become more equal. 0 always takes the likeliest (greedy).",
    "Top-k": "Only the k likeliest tokens stay. “all” cuts nothing.",
    "Top-p": "The likeliest tokens stay until their probabilities add up to p (nucleus "
    "sampling). 1 cuts nothing.",
}


def labelled(caption: str, control: QWidget, tip: str) -> QWidget:
    """A control with its caption in front, kept together when a row wraps."""
    group = QWidget()
    label = QLabel(caption)
    label.setBuddy(control)
    label.setToolTip(plain_tooltip(tip))
    control.setToolTip(plain_tooltip(tip))
    control.setAccessibleName(caption.replace("&", ""))
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not by scrolling over it
    row = QHBoxLayout(group)
    row.setContentsMargins(0, 0, 12, 0)
    row.addWidget(label)
    row.addWidget(control)
    return group


class RulesBar(QWidget):
    """Chooses SamplingRules."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.temperature = QDoubleSpinBox()
        self.temperature.setObjectName("temperature")
        self.temperature.setRange(0.0, 10.0)
        self.temperature.setSingleStep(0.1)
        self.temperature.setValue(1.0)
        self.top_k = QSpinBox()
        self.top_k.setObjectName("top_k")
        self.top_k.setRange(0, 1_000_000)
        self.top_k.setSpecialValueText("all")
        self.top_p = QDoubleSpinBox()
        self.top_p.setObjectName("top_p")
        self.top_p.setRange(0.01, 1.0)
        self.top_p.setSingleStep(0.05)
        self.top_p.setValue(1.0)
        self.row = FlowRow()
        self.row.add(labelled("Temperat&ure τ", self.temperature, _TIPS["Temperature"]))
        self.row.add(labelled("&Top-k", self.top_k, _TIPS["Top-k"] + " " + ORDER_OF_RULES))
        self.row.add(labelled("Top-&p", self.top_p, _TIPS["Top-p"] + " " + ORDER_OF_RULES))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.row)
        for spin in (self.temperature, self.top_k, self.top_p):
            spin.valueChanged.connect(self._changed)

    @property
    def rules(self) -> SamplingRules:
        """The rules chosen."""
        top_p = round(self.top_p.value(), 2)
        return SamplingRules(
            temperature=round(self.temperature.value(), 2),
            top_k=self.top_k.value() or None,
            top_p=None if top_p >= 1.0 else top_p,
        )

    @Slot()
    def _changed(self) -> None:
        self.changed.emit()
