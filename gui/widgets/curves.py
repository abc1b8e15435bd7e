"""The curves and landmarks of a plot: their data, and how they are drawn in pyqtgraph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsSceneHoverEvent, QStyleOptionGraphicsItem, QWidget

from gui.colours import NEUTRAL, SERIES, Colours
from gui.widgets.label_places import spread
from gui.widgets.look import mixed
from gui.widgets.numbers import format_number
from gui.widgets.plotting import pg
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.smoothing import Smoother

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Landmark:
    """A horizontal line that means something, such as the loss of guessing."""

    name: str
    value: float
    explanation: str = ""
    kind: str = "neutral"
    """A kind of model (a key of gui.colours.SERIES), for its colour and line style."""


@dataclass(frozen=True)
class Mark:
    """A vertical line where something happened, such as a changed learning rate."""

    x: float
    name: str
    explanation: str = ""
    kind: str = "neutral"


@dataclass
class Look:
    """The colour, line and marker of a curve."""

    kind: str
    """A key of SERIES, or "#rrggbb"."""
    line: Qt.PenStyle
    marker: str

    @classmethod
    def of(cls, kind: str, line: Qt.PenStyle | None = None, marker: str | None = None) -> Look:
        """The look of a kind of model, or of a colour given as "#rrggbb"."""
        series = SERIES.get(kind, NEUTRAL)
        default = Qt.PenStyle.SolidLine if kind.startswith("#") else series.line
        return cls(kind, line or default, marker or ("o" if kind == "neutral" else series.marker))

    def colour(self, colours: Colours) -> QColor:
        """The colour in a theme; one given as "#rrggbb" is lightened for the dark one."""
        if not self.kind.startswith("#"):
            return colours.series(self.kind)
        own = QColor(self.kind)
        return mixed(own, QColor("white"), 0.35) if colours.dark else own


class Curve:
    """One named series: its points, its smoothed line, and what it is drawn with."""

    def __init__(self, name: str, look: Look, *, smoothed: bool, weight: float) -> None:
        self.name = name
        self.look = look
        self.smoothed = smoothed
        self.visible = True
        self.x: Floats = np.empty(0)
        self.y: Floats = np.empty(0)
        self._smoother = Smoother(weight)
        self._line: Floats | None = None
        self.pens = (QPen(), QPen())
        """For the values as they are behind a smoothed line, and for the main line."""
        self.marker_size = 0.0
        """In pixels."""

    def set_data(self, x: Floats, y: Floats) -> None:
        """Take new points; x must ascend."""
        self.x, self.y, self._line = x, y, None

    def set_weight(self, weight: float) -> None:
        """Smooth with another weight from now on."""
        self._smoother, self._line = Smoother(weight), None

    @property
    def line(self) -> Floats:
        """(N,) the values of the main line: smoothed, if the curve is."""
        if not self.smoothed:
            return self.y
        if self._line is None:  # asked for several times in a drawing, and at every hover
            self._line = self._smoother(self.y)
        return self._line

    def bounds(
        self, low: float, high: float, above_zero: bool = False
    ) -> tuple[float, float] | None:
        """The lowest and highest finite value between two places, None if there is none;
        ``above_zero`` leaves out what a logarithmic axis cannot show.

        Of a smoothed curve the raw values count but for their most extreme hundredth at
        either end, so that one spike does not flatten everything else.
        """
        start, stop = np.searchsorted(self.x, [low, high], side="left").tolist()
        stop = int(np.searchsorted(self.x, high, side="right"))
        values = self.y[start:stop]
        values = values[np.isfinite(values) & (values > (0.0 if above_zero else -np.inf))]
        if not len(values):
            return None
        if not self.smoothed or len(values) < 200:
            return float(values.min()), float(values.max())
        values = values[:: max(1, len(values) // 2000)]  # enough to find the hundredths
        cut = len(values) // 100
        ordered = np.partition(values, (cut, len(values) - 1 - cut))
        line = self.line[start:stop]
        return (
            float(min(ordered[cut], np.nanmin(line))),
            float(max(ordered[len(values) - 1 - cut], np.nanmax(line))),
        )

    def restyle(self, colours: Colours, ground: QColor, size: float) -> None:
        """Take the theme's colours; ``size`` is the markers' in pixels."""
        colour = self.look.colour(colours)
        self.pens = (QPen(mixed(colour, ground, 0.68), 1.0), QPen(colour, 1.0))
        self.marker_size = size

    def value_at(self, x: float) -> tuple[float, float, float] | None:
        """The point nearest to ``x``: its x, its y, and its smoothed y."""
        if not len(self.x):
            return None
        index = int(np.searchsorted(self.x, x))
        if index == len(self.x) or (index and x - self.x[index - 1] <= self.x[index] - x):
            index -= 1
        return float(self.x[index]), float(self.y[index]), float(self.line[index])


class LandmarkGutter(pg.GraphicsWidget):  # type: ignore[misc]
    """Names of landmarks, in a column right of the plot, each led to its line."""

    def __init__(self, view: pg.ViewBox, place: Callable[[float], float]) -> None:
        """``place`` tells where on the y axis a value lies."""
        super().__init__()
        self._view, self._place = view, place
        self._landmarks: list[Landmark] = []
        self._colours: Colours | None = None
        self._places: list[float | None] = []
        self._scale = 1.0
        self.setAcceptHoverEvents(True)
        view.sigYRangeChanged.connect(self._moved)
        view.sigResized.connect(self._moved)

    def set_landmarks(self, landmarks: list[Landmark], colours: Colours, room: float) -> None:
        """Show these, in a column at most ``room`` pixels wide."""
        self._landmarks, self._colours = landmarks, colours
        metrics = QFontMetricsF(self.font())
        widest = max((metrics.horizontalAdvance(self._text(m)) for m in landmarks), default=0.0)
        lead = self._lead()
        width = min(widest + lead + metrics.averageCharWidth(), room) if landmarks else 0.0
        self.setMinimumWidth(width)
        self.setMaximumWidth(width)
        self._moved()

    @staticmethod
    def _text(landmark: Landmark) -> str:
        return f"{landmark.name}  {format_number(landmark.value)}"

    def _lead(self) -> float:
        return QFontMetricsF(self.font()).averageCharWidth() * 1.6

    def _moved(self) -> None:
        self.update()

    def y_of(self, value: float) -> float:
        """Where a value's line meets the column, in the column's own pixels."""
        point = self._view.mapFromView(QPointF(0.0, self._place(value)))
        return float(self.mapFromItem(self._view, point).y())

    def label_places(self) -> list[tuple[Landmark, float, float]]:
        """Each landmark in view with its line's y and its label's, top to bottom or not."""
        height, top, bottom = QFontMetricsF(self.font()).height(), 0.0, self.size().height()
        placed = [m for m in self._landmarks if np.isfinite(self._place(m.value))]
        inside = [m for m in placed if top <= self.y_of(m.value) <= bottom]
        lines = [self.y_of(m.value) for m in inside]
        labels = spread(lines, height, top, bottom)
        return [
            (m, line, label)
            for m, line, label in zip(inside, lines, labels, strict=True)
            if label is not None
        ]

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._colours is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        metrics, lead = QFontMetricsF(self.font()), self._lead()
        for landmark, line, label in self.label_places():
            colour = Look.of(landmark.kind).colour(self._colours)
            painter.setPen(QPen(colour, 1.0))
            painter.drawLine(QPointF(0.0, line), QPointF(lead - 3.0, label))
            painter.setPen(self._colours.color("text"))
            room = self.size().width() - lead
            text = metrics.elidedText(self._text(landmark), Qt.TextElideMode.ElideRight, room)
            baseline = label - metrics.height() / 2 + metrics.ascent()
            painter.drawText(QPointF(lead, baseline), text)

    def hoverMoveEvent(self, event: QGraphicsSceneHoverEvent) -> None:
        self.setToolTip(plain_tooltip(self.told_at(event.pos())))

    def told_at(self, position: QPointF) -> str:
        """What hovering at a point of the column tells."""
        height = QFontMetricsF(self.font()).height()
        for landmark, _, label in self.label_places():
            if abs(label - position.y()) <= height / 2:
                return "\n".join(filter(None, (self._text(landmark), landmark.explanation)))
        return ""

    def boundingRect(self) -> QRectF:
        return QRectF(QPointF(0.0, 0.0), self.size())
