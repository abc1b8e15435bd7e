"""All settings of the next run, and what they come to: parameters by part, memory, time."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from engine.errors import LabError
from engine.models.transformer.config import parameter_counts
from engine.training.fitting import said_bytes
from engine.training.memory import training_bytes
from gui import theme
from gui.training.knobs import KnobsPanel
from gui.training.setup import SetupPanel
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label

PARTS = {
    "embedding": "embedding",
    "positions": "positions",
    "attention": "attention",
    "ffn": "FFN",
    "norms": "norms",
    "output": "output",
}
"""What the parts of a transformer are called on screen."""


class PartsBar(QWidget):
    """One bar, shared out among a transformer's parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: dict[str, int] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_counts(self, counts: dict[str, int]) -> None:
        """Show these numbers of parameters, by the keys of PARTS."""
        self._counts = {key: counts[key] for key in PARTS if counts.get(key)}
        total = sum(self._counts.values())
        told = ", ".join(f"{PARTS[k]} {n / total:.0%}" for k, n in self._counts.items())
        self.setAccessibleName(f"Parameters by part: {told}")
        self.setToolTip(told)
        self.update()

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 20), round(unit * 1.4))

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(self._counts.values())
        if not total:
            return
        painter = QPainter(self)
        colours = theme.current().colours
        x, height = 0.0, float(self.height())
        for index, (key, count) in enumerate(self._counts.items()):
            width = self.width() * count / total
            piece = QRectF(x, 0.0, width, height)
            painter.fillRect(piece.adjusted(0, 0, -1, 0), colours.chip(index))
            painter.setPen(colours.color("chip_text"))
            text = fitting_text(key, count / total, painter.fontMetrics(), width)
            painter.drawText(piece, Qt.AlignmentFlag.AlignCenter, text)
            x += width


def fitting_text(key: str, share: float, metrics: QFontMetrics, width: float) -> str:
    """What is written into a part of the bar: its name and share or, where it is narrow, one of
    the two; the line below the bar has all of them."""
    for text in (f"{PARTS[key]} {share:.0%}", PARTS[key], f"{share:.0%}"):
        if metrics.horizontalAdvance(text) + 4 <= width:
            return text
    return ""


class SettingsPage(QWidget):
    """The knobs of the recipe chosen above."""

    def __init__(self, setup: SetupPanel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self.totals = plain_label("", self, wrap=True)
        theme.set_text_role(self.totals, "strong")
        self.bar = PartsBar(self)
        self.parts = plain_label("", self, wrap=True)
        theme.set_text_role(self.parts, "body", "muted")
        row = FlowRow(self)
        self.back = QPushButton("Put all &back", row)
        self.back.setToolTip("Turn every knob back to what the recipe and the size say.")
        self.back.clicked.connect(setup.put_back)
        row.add(self.back)
        self.knobs = KnobsPanel(self)
        self.knobs.turned.connect(setup.turn)
        setup.want_devices(self._offer_devices)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.totals, self.bar, self.parts, row, self.knobs):
            column.addWidget(widget)
        setup.changed.connect(self.refresh)
        self.refresh()

    @Slot(object)
    def _offer_devices(self, names: tuple[str, ...]) -> None:
        """Offer what works here, and no other device."""
        self.knobs.cells["device"].set_choices(names)

    @Slot()
    def refresh(self) -> None:
        """Show the recipe as it is chosen and turned."""
        recipe = self._setup.base
        self.knobs.show_recipe(recipe)
        turned = self._setup.turned_knobs
        self.back.setEnabled(bool(turned))
        for name, cell in self.knobs.cells.items():
            cell.mark(name in turned)
        vocab = self._setup.vocab_size
        if vocab is None:
            return
        try:
            counts = parameter_counts(recipe.model_config(vocab))
            memory = training_bytes(recipe, vocab)
        except LabError:  # the setup above the page says why
            counts, memory = {}, 0
        for widget in (self.totals, self.bar, self.parts):
            widget.setVisible(bool(counts))
        if not counts:
            return
        total = counts["total"]
        self.totals.setText(
            f"{total:,} parameters, about {said_bytes(memory)} of memory to train them"
        )
        self.bar.set_counts(counts)
        shown = [f"{PARTS[k]} {counts[k]:,} ({counts[k] / total:.0%})" for k in PARTS if counts[k]]
        self.parts.setText(" · ".join(shown))
