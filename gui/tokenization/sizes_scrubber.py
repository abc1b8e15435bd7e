"""A slider over vocabulary sizes, on a ruler that shows where known vocabularies lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

from gui.widgets.look import colours_of, em

STEPS_PER_DOUBLING = 64


@dataclass(frozen=True)
class KnownSize:
    """A vocabulary size that the lesson names."""

    low: int
    high: int
    name: str
    explanation: str


KNOWN = (
    KnownSize(256, 256, "256 bytes", "Every text can be written with the 256 bytes alone."),
    KnownSize(
        50_000,
        50_000,
        "50,000 words",
        "About as many words as a word-level vocabulary holds; GPT-2 has 50,257 tokens.",
    ),
    KnownSize(
        32_768,
        131_072,
        "32K–128K",
        "The vocabularies of today’s large language models: Llama 2 has 32,000 tokens, Llama 3 "
        "128,256.",
    ),
)
RULER = (256, 131_072)
"""What the ruler shows, whatever the text allows."""


class SizeScrubber(QAbstractSlider):
    """Chooses a size between the smallest and the largest that were learned.

    The ruler goes on beyond the largest, faintly, so that the known sizes keep their places. The
    slider's own values count steps of one 64th of a doubling; ``size`` is what they stand for.
    """

    size_chosen = Signal(int)
    """The learner moved to a size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Vocabulary size")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Drag, or use the arrow keys, to choose a vocabulary size. "
            + " ".join(f"{known.name}: {known.explanation}" for known in KNOWN)
        )
        self.setSingleStep(8)
        self.setPageStep(STEPS_PER_DOUBLING)
        self._smallest = self._largest = RULER[0]
        self._size = RULER[0]
        self.valueChanged.connect(self._value_moved)

    @property
    def size_(self) -> int:
        """The size chosen."""
        return self._size

    def set_bounds(self, smallest: int, largest: int) -> None:
        """The sizes that can be chosen; the present one is drawn to the nearer end."""
        self._smallest, self._largest = smallest, max(smallest, largest)
        blocked = self.blockSignals(True)
        self.setRange(0, math.ceil(self._steps(self._largest)))
        self.blockSignals(blocked)
        self.set_size(self._size)

    def set_size(self, size: int) -> None:
        """Go to a size without telling."""
        self._size = min(max(size, self._smallest), self._largest)
        blocked = self.blockSignals(True)
        self.setValue(round(self._steps(self._size)))
        self.blockSignals(blocked)
        self.setAccessibleDescription(f"{self._size:,} tokens")
        self.update()

    def _steps(self, size: float) -> float:
        return math.log2(max(size, 1) / max(self._smallest, 1)) * STEPS_PER_DOUBLING

    @Slot(int)
    def _value_moved(self, value: int) -> None:
        at_end = value >= self.maximum()
        size = self._smallest * 2 ** (value / STEPS_PER_DOUBLING)
        self._take(self._largest if at_end else round(size))

    def _take(self, size: int) -> None:
        size = min(max(size, self._smallest), self._largest)
        self.update()
        if size != self._size:
            self._size = size
            self.setAccessibleDescription(f"{size:,} tokens")
            self.size_chosen.emit(size)

    # ---------------------------------------------------------------------------------- mouse
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def _go_to(self, x: float) -> None:
        low, high = (math.log2(end) for end in RULER)
        left, right = self._ends()
        share = (x - left) / max(1.0, right - left)
        size = 2 ** (low + min(1.0, max(0.0, share)) * (high - low))
        self._take(round(size))
        blocked = self.blockSignals(True)
        self.setValue(round(self._steps(self._size)))
        self.blockSignals(blocked)

    # -------------------------------------------------------------------------------- picture
    def _ends(self) -> tuple[float, float]:
        room = em(self.font()) * 1.5
        return room, max(room + 1.0, self.width() - room)

    def place(self, size: float) -> float:
        """Where a size stands on the ruler, in pixels."""
        low, high = (math.log2(end) for end in RULER)
        left, right = self._ends()
        share = (math.log2(max(size, 1)) - low) / (high - low)
        return left + min(1.0, max(0.0, share)) * (right - left)

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 30), round(unit * 3.4))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 16), round(unit * 3.4))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self.updateGeometry()
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, unit = colours_of(self.palette()), em(self.font())
        metrics = QFontMetricsF(self.font())
        y, thick = unit * 1.7, unit * 0.28
        left, right = self._ends()
        beyond = QPen(colours.color("border"), 2, Qt.PenStyle.DotLine)
        painter.setPen(beyond)
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.color("accent" if self.isEnabled() else "disabled"))
        start, end = self.place(self._smallest), self.place(self._largest)
        painter.drawRoundedRect(QRectF(start, y - thick / 2, end - start, thick), thick, thick)
        # The known sizes: a point or a bracket above the line, its name over it.
        for known in KNOWN:
            a, b = self.place(known.low), self.place(known.high)
            name = metrics.horizontalAdvance(known.name)
            below = known.low == 50_000  # it lies inside 32K–128K: its name goes below
            painter.setPen(QPen(colours.color("muted"), 1.5))
            tick = y + unit * 0.3 if below else y - unit * 0.3
            painter.drawLine(QPointF(a, y), QPointF(a, tick))
            painter.drawLine(QPointF(b, y), QPointF(b, tick))
            painter.drawLine(QPointF(a, tick), QPointF(b, tick))
            x = min(max(0.0, (a + b - name) / 2), max(0.0, self.width() - name))
            painter.setPen(colours.color("muted"))
            top = y + unit * 0.6 if below else 0.0
            painter.drawText(QRectF(x, top, name + 2, unit), Qt.AlignmentFlag.AlignLeft, known.name)
        self._paint_handle(painter, y, unit)

    def _paint_handle(self, painter: QPainter, y: float, unit: float) -> None:
        colours = colours_of(self.palette())
        x, radius = self.place(self._size), unit * 0.45
        focused = self.hasFocus()
        painter.setPen(QPen(colours.color("text" if focused else "surface"), 2))
        painter.setBrush(colours.color("accent" if self.isEnabled() else "disabled"))
        painter.drawEllipse(QPointF(x, y), radius, radius)
        if not self.isEnabled():
            return
        text = f"{self._size:,}"
        width = QFontMetricsF(self.font()).horizontalAdvance(text)
        # Kept clear of the name below the line.
        at = min(max(0.0, x - width / 2), max(0.0, self.width() - width))
        painter.setPen(colours.color("text"))
        painter.drawText(
            QRectF(at, y + unit * 0.65, width + 2, unit), Qt.AlignmentFlag.AlignLeft, text
        )
