"""Curves as strokes on a sheet of pixels: what is drawn, apart from when and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyqtgraph.graphicsItems.ScatterPlotItem import Symbols
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QTransform

from gui.widgets.curves import Curve, Floats
from gui.widgets.decimate import dashes, decimate
from gui.widgets.plotting import pg

_FEW_POINTS = 64
"""So many points in view, or fewer, get markers; a single point would be invisible without."""
_DASHES = {
    Qt.PenStyle.DashLine: (9, 5),
    Qt.PenStyle.DotLine: (3, 4),
    Qt.PenStyle.DashDotLine: (15, 4),
}
"""Pixel columns on and off, for dense curves."""
_FAR = 20_000.0
"""Pixels off the sheet beyond which nothing is told apart; Qt's painter is exact below 2¹⁵."""


@dataclass(frozen=True)
class Sheet:
    """A rectangle of pixels and the part of the plane that it shows, in the axes' own units
    (log₁₀ of the values on a logarithmic axis)."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float
    ratio: float = 1.0
    """Pixels of this sheet for each that lines are measured in."""
    log_x: bool = False
    log_y: bool = False

    @property
    def columns(self) -> int:
        """The width in whole pixels, at least 1."""
        return max(1, int(self.width))

    def across(self, x: Floats) -> Floats:
        """(N,) places on the x axis in pixels from the left edge."""
        return _mapped(x, self.x, self.width)

    def down(self, y: Floats) -> Floats:
        """(N,) places on the y axis in pixels from the upper edge; NaN stays NaN."""
        return _mapped(y, self.y[::-1], self.height)


def _mapped(values: Floats, ends: tuple[float, float], length: float) -> Floats:
    first, last = ends
    with np.errstate(over="ignore", invalid="ignore"):
        pixels = (values - first) * (length / ((last - first) or 1.0))
    return np.clip(pixels, -_FAR, length + _FAR)


@dataclass(frozen=True)
class Stroke:
    """One line or one set of markers, in the pixels of its sheet."""

    path: QPainterPath
    pen: QPen
    thickness: float
    """In pixels of the sheet."""
    dense: bool = False
    """Whether the line fills the columns that it crosses. Thin lines without antialiasing are
    the fast path of Qt's painter, so a dense line is thickened by drawing it again one pixel
    lower: a pen of width 2 takes several times as long over a noisy curve."""
    marker: str = ""
    """A marker at each point instead of a line through them."""
    points: tuple[tuple[float, float], ...] = ()

    def paint(self, painter: QPainter, *, fine: bool) -> None:
        """Draw it; ``fine`` for print, however long it takes."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, fine or not self.dense)
        if self.marker:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(self.pen.color()))
            shape = _symbol(self.marker, self.thickness)
            for x, y in self.points:
                painter.drawPath(shape.translated(QPointF(x, y)))
        elif fine or not self.dense:
            pen = QPen(self.pen)
            pen.setWidthF(self.thickness)
            painter.setPen(pen)
            painter.drawPath(self.path)
        else:
            painter.setPen(self.pen)
            for _ in range(max(1, round(self.thickness))):
                painter.drawPath(self.path)
                painter.translate(0.0, 1.0)
        painter.restore()


def _symbol(name: str, size: float) -> QPainterPath:
    """One of pyqtgraph's markers, ``size`` pixels wide around (0, 0)."""
    shape: QPainterPath = QTransform.fromScale(size, size).map(Symbols[name])
    return shape


def faint_strokes(curve: Curve, sheet: Sheet) -> Iterator[Stroke]:
    """What lies behind the main lines of all curves: the values of a smoothed one."""
    if curve.smoothed:
        x, y = _from_first(curve.x, curve.y, sheet)
        points = decimate(x, y, *sheet.x, sheet.columns)
        yield _line(*points, sheet, curve.pens[0], Qt.PenStyle.SolidLine, strong=False)


def strokes(curve: Curve, sheet: Sheet) -> Iterator[Stroke]:
    """A curve's main line, and its markers if it has only few points in view."""
    x, y = _from_first(curve.x, curve.line, sheet)
    points = decimate(x, y, *sheet.x, sheet.columns)
    yield _line(*points, sheet, curve.pens[1], curve.look.line, strong=curve.smoothed)
    if not curve.smoothed and len(points[0]) <= _FEW_POINTS:
        yield _markers(points[0], points[1], sheet, curve)


def _from_first(x: Floats, y: Floats, sheet: Sheet) -> tuple[Floats, Floats]:
    """Places on the x axis, from the first that it can show on, and their values."""
    if not sheet.log_x:
        return x, y
    first = int(np.searchsorted(x, 0.0, side="right"))
    return np.log10(x[first:]), y[first:]


def _line(
    x: Floats,
    y: Floats,
    column: npt.NDArray[np.int64],
    sheet: Sheet,
    pen: QPen,
    style: Qt.PenStyle,
    *,
    strong: bool,
) -> Stroke:
    dense = len(x) > sheet.columns // 2
    places = _log10(y) if sheet.log_y else y
    finite = np.isfinite(places)
    joined = finite.astype(np.int32)  # whether each point is joined to the next
    if dense and style in _DASHES:
        on, off = _DASHES[style]
        joined *= dashes(column, round(on * sheet.ratio), round(off * sheet.ratio))
    elif not dense:
        pen = QPen(pen)
        pen.setStyle(style)
    down = sheet.down(places)
    connect: str | npt.NDArray[np.int32] = "all"
    if not joined.all():
        joined[:-1] *= finite[1:]
        connect, down = joined, np.where(finite, down, 0.0)  # unconnected, so never seen
    path = pg.arrayToQPath(sheet.across(x), down, connect=connect, finiteCheck=False)
    return Stroke(path, pen, sheet.ratio * (1.0 if dense and not strong else 2.0), dense)


def _markers(x: Floats, y: Floats, sheet: Sheet, curve: Curve) -> Stroke:
    places = _log10(y) if sheet.log_y else y
    finite = np.isfinite(places)
    across, down = sheet.across(x[finite]).tolist(), sheet.down(places[finite]).tolist()
    return Stroke(
        QPainterPath(),
        curve.pens[1],
        curve.marker_size * sheet.ratio,
        marker=curve.look.marker,
        points=tuple(zip(across, down, strict=True)),
    )


def _log10(values: Floats) -> Floats:
    """log₁₀ of what is above 0; NaN elsewhere."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(values), np.nan)
