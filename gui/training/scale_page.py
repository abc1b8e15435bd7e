"""How far from a real one? This run beside large language models, in powers of ten."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from engine.models.transformer.config import parameter_counts
from gui import theme
from gui.training.session import TrainingSession
from gui.widgets.look import em
from gui.widgets.numbers import scientific
from gui.widgets.safe_text import plain_label

REAL_PARAMETERS = (1e11, 2e12)
"""The tutorial's: 100B to 2T."""
REAL_WORDS = (1e12, 1.5e13)
"""The tutorial's: 1T to 15T."""
SECONDS_A_YEAR = 365.25 * 24 * 3600


@dataclass(frozen=True)
class Extent:
    """One quantity: of this run, and of a large language model."""

    name: str
    run: float
    real: tuple[float, float]


class ScaleStrip(QWidget):
    """A logarithmic scale with this run's mark and the range of a real model's."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._extent: Extent | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_extent(self, extent: Extent) -> None:
        """Show this."""
        self._extent = extent
        low, high = extent.real
        told = (
            f"{extent.name}: this run {said(extent.run)}, a large language model "
            f"{said(low)} to {said(high)}"
        )
        self.setAccessibleName(told)
        self.setToolTip(told)
        self.update()

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 24), round(unit * 4.2))

    def paintEvent(self, event: QPaintEvent) -> None:
        extent = self._extent
        if extent is None:
            return
        painter, colours, unit = QPainter(self), theme.current().colours, em(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = min(0, math.floor(math.log10(max(extent.run, 1e-3))))
        last = math.ceil(math.log10(extent.real[1])) + 1
        left, width = unit, self.width() - 2 * unit

        def place(value: float) -> float:
            return left + width * (math.log10(max(value, 10.0**first)) - first) / (last - first)

        line = unit * 2.1
        painter.setPen(colours.color("muted"))
        painter.drawLine(round(left), round(line), round(left + width), round(line))
        metrics = painter.fontMetrics()
        step = max(1, math.ceil((last - first) * metrics.horizontalAdvance("100,000  ") / width))
        for power in range(first, last + 1, step):
            x = place(10.0**power)
            painter.drawLine(round(x), round(line), round(x), round(line + unit * 0.3))
            box = QRectF(x - 2 * unit, line + unit * 0.3, 4 * unit, unit * 1.4)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, said(10.0**power))
        a, b = place(extent.real[0]), place(extent.real[1])
        painter.fillRect(QRectF(a, line - unit * 0.35, b - a, unit * 0.7), colours.color("warning"))
        painter.setBrush(colours.series("transformer"))
        painter.setPen(Qt.PenStyle.NoPen)
        x, r = place(extent.run), unit * 0.4
        painter.drawEllipse(QRectF(x - r, line - r, 2 * r, 2 * r))
        painter.setPen(colours.color("text"))
        self._label(painter, (a + b) / 2, "a large language model")
        self._label(painter, x, f"this run: {said(extent.run)}")

    def _label(self, painter: QPainter, x: float, text: str) -> None:
        width = painter.fontMetrics().horizontalAdvance(text)
        start = min(max(x - width / 2, 0.0), max(0.0, self.width() - width))
        box = QRectF(start, 0.0, width + 1.0, em(self.font()) * 1.5)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class ScalePage(QWidget):
    """Parameters, tokens and operations of the run on screen, and what a real one would take."""

    def __init__(self, session: TrainingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.years = plain_label("", self, wrap=True)
        theme.set_text_role(self.years, "subtitle")
        self.note = plain_label(NOTE, self, wrap=True)
        theme.set_text_role(self.note, "body", "muted")
        self.strips = {name: ScaleStrip(self) for name in ("Parameters", "Tokens", "Operations")}
        self.heads: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.years)
        for name, strip in self.strips.items():
            head = plain_label(TITLES[name], self)
            theme.set_text_role(head, "strong")
            self.heads.append(head)
            column.addWidget(head)
            column.addWidget(strip)
        column.addWidget(self.note)
        column.addStretch(1)
        session.news_changed.connect(self.refresh)
        session.began.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Compare the run as it stands."""
        news, order = self._session.news, self._session.order
        ready = news is not None and order is not None and len(news.steps) > 0
        for part in (*self.strips.values(), *self.heads):
            part.setVisible(ready)
        if news is None or order is None or not len(news.steps):
            self.years.setText("Train for a moment: the rate measured then is what counts here.")
            return
        config = news.recipe.model_config(order.streams.train.vocab_size)
        parameters = float(parameter_counts(config)["total"])
        tokens = float(news.steps["tokens"][-1])
        rate = news.flops_per_step * news.step / float(news.steps["seconds"][-1])
        for extent in extents(parameters, tokens):
            self.strips[extent.name].set_extent(extent)
        low, high = real_years(rate)
        self.years.setText(
            f"At the rate just measured, {said(rate)} operations a second, this computer would "
            f"take {years_said(low)} to {years_said(high)} years for a large one."
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()


TITLES = {
    "Parameters": "Parameters N",
    "Tokens": "Tokens read D (a large one's words counted as tokens)",
    "Operations": "Floating-point operations ≈ 6 · N · D",
}
NOTE = (
    "The tutorial's large language models have 100 billion to 2 trillion parameters and read 1 to "
    "15 trillion words. Training takes about 6 floating-point operations for each parameter and "
    "each token: 2 to predict it, 4 to learn from it. The scales are in powers of ten. (The rate "
    "is counted from this model's own operations, attention included.)"
)


def extents(parameters: float, tokens: float) -> tuple[Extent, ...]:
    """The three quantities of a run of N parameters and D tokens."""
    (n0, n1), (d0, d1) = REAL_PARAMETERS, REAL_WORDS
    return (
        Extent("Parameters", parameters, REAL_PARAMETERS),
        Extent("Tokens", tokens, REAL_WORDS),
        Extent("Operations", 6 * parameters * tokens, (6 * n0 * d0, 6 * n1 * d1)),
    )


def real_years(flops_per_second: float) -> tuple[float, float]:
    """Years for the smallest and the largest of the tutorial's models at this rate."""
    (n0, n1), (d0, d1) = REAL_PARAMETERS, REAL_WORDS
    year = flops_per_second * SECONDS_A_YEAR
    return 6 * n0 * d0 / year, 6 * n1 * d1 / year


def said(value: float) -> str:
    """A count in a few characters: 918,000 or 3.1×10¹²; powers of ten as 10⁶."""
    if value < 1000:
        return f"{value:.3g}"
    if value < 1e6:
        return f"{float(f'{value:.2e}'):,.0f}"
    text = scientific(value, 2)
    return text.removeprefix("1×") if text.startswith("1×") else text


def years_said(value: float) -> str:
    """Years in words: 24,000, or 3.2 million."""
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{float(f'{value / unit:.1e}'):g} {name}"
    return f"{float(f'{value:.1e}'):,.0f}" if value >= 10 else f"{value:.2g}"
