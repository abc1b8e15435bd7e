"""A sound drawn over time: an outline from afar, single samples with their numbers up close."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.signals import Numbers, Sound
from gui.tokenization.numbers.viewport import Span
from gui.widgets.look import colours_of, em

MIDDLE = Sound.SIZE // 2
"""The number of silence."""
_LEVELS = (0, MIDDLE, Sound.SIZE - 1)
_TITLE = "number"
_STEMS_FROM = 5.0
"""Pixels between samples from which each has a dot and a stem."""


def envelope(samples: Numbers, first: float, count: float, columns: int) -> Numbers:
    """The lowest and the highest sample of each of ``columns`` equal stretches.

    Args:
        samples: shape (n,).
        first: where the first stretch begins, in samples.
        count: how long all of them are together; at least ``columns``.

    Returns:
        Shape (columns, 2), the lowest and the highest; every sample of the part counts once.
    """
    edges = np.floor(first + np.arange(columns + 1) * (count / columns)).astype(np.int64)
    edges = np.clip(edges, 0, len(samples))
    part = samples[edges[0] : edges[-1]]
    starts = np.minimum(edges[:-1] - edges[0], max(0, len(part) - 1))
    return np.stack([np.minimum.reduceat(part, starts), np.maximum.reduceat(part, starts)], axis=1)


def time_step(seconds: float, most: int) -> float:
    """The round distance of ticks (1, 2 or 5 × 10ⁿ s) that needs at most ``most`` of them."""
    least = seconds / max(1, most)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= least * 0.9999)


class WaveCanvas(QWidget):
    """Draws a stretch of a sound with its two axes."""

    def __init__(self, span: Span, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.span = span
        self._sound = Sound(np.full(1, MIDDLE, dtype=np.int64), 1)
        self._codes = self._sound.samples
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        span.moved.connect(self.update)
        span.pointed.connect(self._pointed)

    def set_sound(self, sound: Sound, codes: Numbers | None = None) -> None:
        """Show this sound; the span is left where it is.

        Args:
            codes: the numbers to write beside the samples, shape (samples,), where a table is
                in force that has other numbers for them.
        """
        self._sound = sound
        self._codes = sound.samples if codes is None else codes
        self.update()

    @property
    def sound(self) -> Sound:
        """The sound on show."""
        return self._sound

    def value_at(self, sample: int) -> int:
        """The number written beside a sample."""
        return int(self._codes[sample])

    def describe(self, sample: int) -> str:
        """Place and value of a sample in words."""
        if not 0 <= sample < len(self._sound.samples):
            return ""
        words = (
            f"Sample {sample + 1:,} of {len(self._sound.samples):,}, at "
            f"{sample / self._sound.rate:.4f} seconds: {self.value_at(sample):,}"
        )
        if self._codes is self._sound.samples:
            return words
        return f"{words}, which stands for height {int(self._sound.samples[sample]):,}"

    # ----------------------------------------------------------------------------------- geometry
    def stretch(self) -> tuple[float, float]:
        """The first sample drawn and how many."""
        return self.span.first, self.span.count

    def plot_area(self) -> QRectF:
        """Where the curve is; the rest is for the axes."""
        metrics = QFontMetricsF(self.font())
        labels = (f"{Sound.SIZE - 1:,}", _TITLE)
        left = max(metrics.horizontalAdvance(t) for t in labels) + metrics.height() * 0.5
        pad = metrics.height() * 0.5
        bottom = metrics.height() * 1.5
        return QRectF(
            left,
            pad,
            max(1.0, self.width() - left - pad),
            max(1.0, self.height() - bottom - pad),
        )

    def spacing(self) -> float:
        """Pixels between two samples."""
        return self.plot_area().width() / self.stretch()[1]

    def x_of(self, sample: float) -> float:
        """Where a sample is; each stands in the middle of its share of the width."""
        return self.plot_area().left() + (sample + 0.5 - self.stretch()[0]) * self.spacing()

    def y_of(self, number: float) -> float:
        """The height of a number 0 … 65,535."""
        area = self.plot_area()
        return area.bottom() - number / (Sound.SIZE - 1) * area.height()

    def sample_at(self, x: float) -> int:
        """The sample whose share of the width an x lies in; outside the sound if in none."""
        return math.floor(self.stretch()[0] + (x - self.plot_area().left()) / self.spacing())

    def readable_spacing(self) -> float:
        """Pixels between samples from which their numbers have room."""
        metrics = QFontMetricsF(self.font())
        return metrics.horizontalAdvance(f"{Sound.SIZE - 1}") + metrics.height() * 0.4

    def numbers_are_shown(self) -> bool:
        """Whether each sample's number is written beside it."""
        return self.spacing() >= self.readable_spacing() - 0.01

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 30), round(unit * 12))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 12), round(unit * 5.5))

    # ----------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint(painter)

    def paint(self, painter: QPainter) -> None:
        """Paint all of it from (0, 0); also used for saving."""
        colours = colours_of(self.palette())
        painter.setFont(self.font())
        painter.fillRect(self.rect(), colours.color("surface"))
        self._paint_axes(painter)
        painter.save()
        area = self.plot_area()
        painter.setClipRect(area.adjusted(-1, -area.top(), 1, area.top()))
        first, count = self.stretch()
        if count > area.width():
            self._paint_envelope(painter)
        else:
            low = max(0, math.floor(first) - 1)
            high = min(len(self._sound.samples), math.ceil(first + count) + 1)
            self._paint_samples(painter, low, high)
        self._paint_pointed(painter)
        painter.restore()

    def _paint_axes(self, painter: QPainter) -> None:
        colours, area = colours_of(self.palette()), self.plot_area()
        metrics = QFontMetricsF(self.font())
        line = metrics.height()
        for level in _LEVELS:
            y = self.y_of(level)
            painter.setPen(QPen(colours.color("border" if level == MIDDLE else "grid"), 1.0))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(colours.color("muted"))
            box = QRectF(0, y - line / 2, area.left() - line * 0.25, line)
            painter.drawText(
                box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{level:,}"
            )
        # Between two levels where there is room for it, which is nearly always.
        room = area.height() / 2 - line
        box = QRectF(0, self.y_of(MIDDLE * 1.5) - line / 2, area.left() - line * 0.25, line)
        if room >= line:
            painter.setPen(colours.color("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, _TITLE)
        self._paint_times(painter, area, metrics)

    def _paint_times(self, painter: QPainter, area: QRectF, metrics: QFontMetricsF) -> None:
        colours = colours_of(self.palette())
        first, count = self.stretch()
        rate = self._sound.rate
        seconds = count / rate
        unit, factor = ("s", 1.0) if seconds >= 0.5 else ("ms", 1000.0)
        title = f"time ({unit})"
        room = area.width() - metrics.horizontalAdvance(title) * 1.3
        step = time_step(seconds, int(room / (metrics.horizontalAdvance("00000.00") * 1.2)))
        decimals = max(0, -math.floor(math.log10(step * factor) + 1e-9))
        top = area.bottom() + metrics.height() * 0.15
        box_height = metrics.height() * 1.2
        for tick in range(math.ceil(first / rate / step), int((first + count) / rate / step) + 1):
            x = self.x_of(tick * step * rate - 0.5)
            painter.setPen(QPen(colours.color("grid"), 1.0))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(colours.color("muted"))
            text = f"{tick * step * factor:,.{decimals}f}"
            width = metrics.horizontalAdvance(text)
            if x + width / 2 < area.left() + room:
                box = QRectF(x - width, top, 2 * width, box_height)
                painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, text)
        painter.setPen(colours.color("text"))
        box = QRectF(area.left(), top, area.width(), box_height)
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, title)

    def _paint_envelope(self, painter: QPainter) -> None:
        area = self.plot_area()
        columns = max(1, int(area.width()))
        bounds = envelope(self._sound.samples, *self.stretch(), columns)
        scale = area.height() / (Sound.SIZE - 1)
        lows = (area.bottom() - bounds[:, 0] * scale).tolist()
        highs = (area.bottom() - bounds[:, 1] * scale).tolist()
        left = area.left() + 0.5
        painter.setPen(QPen(self._ink(), 1.0))
        painter.drawLines(
            [
                QLineF(left + i, low + 0.5, left + i, high - 0.5)
                for i, (low, high) in enumerate(zip(lows, highs, strict=True))
            ]
        )

    def _paint_samples(self, painter: QPainter, low: int, high: int) -> None:
        values = self._sound.samples[low:high].tolist()
        points = [QPointF(self.x_of(low + i), self.y_of(v)) for i, v in enumerate(values)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink, spacing = self._ink(), self.spacing()
        if spacing < _STEMS_FROM:
            painter.setPen(QPen(ink, 1.25))
            painter.drawPolyline(QPolygonF(points))
            return
        silence = self.y_of(MIDDLE)
        painter.setPen(QPen(ink, 1.25))
        painter.drawLines([QLineF(p.x(), silence, p.x(), p.y()) for p in points])
        radius = min(em(self.font()) * 0.25, spacing * 0.3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        for point in points:
            painter.drawEllipse(point, radius, radius)
        if self.numbers_are_shown():
            codes = self._codes[low:high].tolist()
            self._paint_values(painter, points, values, codes, radius)

    def _paint_values(
        self,
        painter: QPainter,
        points: list[QPointF],
        values: list[int],
        codes: list[int],
        radius: float,
    ) -> None:
        """Each number beyond its dot: above the crests, below the troughs, inside the widget."""
        line = QFontMetricsF(self.font()).height()
        area, spacing = self.plot_area(), self.spacing()
        painter.setPen(colours_of(self.palette()).color("text"))
        for point, value, code in zip(points, values, codes, strict=True):
            up = value >= MIDDLE
            y = point.y() - radius - line if up else point.y() + radius
            y = min(area.bottom() - line, max(area.top() - line * 0.4, y))
            box = QRectF(point.x() - spacing, y, 2 * spacing, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(code))

    def _paint_pointed(self, painter: QPainter) -> None:
        sample = self.span.at
        if not 0 <= sample < len(self._sound.samples):
            return
        colours, area = colours_of(self.palette()), self.plot_area()
        x, y = self.x_of(sample), self.y_of(int(self._sound.samples[sample]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colours.color("highlight"), 1.0))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        radius = em(self.font()) * 0.3
        painter.setPen(QPen(colours.color("surface"), 1.5))
        painter.setBrush(colours.color("highlight"))
        painter.drawEllipse(QPointF(x, y), radius, radius)

    def _ink(self) -> QColor:
        return colours_of(self.palette()).series("transformer")

    def _pointed(self, sample: int) -> None:
        self.setAccessibleDescription(self.describe(sample))
        self.update()
