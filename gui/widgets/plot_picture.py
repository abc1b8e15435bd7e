"""A plot painted for export: its legend, the title of the y axis, then the drawing area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFontMetricsF, QPainter

from gui.widgets.legend import LegendEntry, paint_sample
from gui.widgets.look import colours_of, em

if TYPE_CHECKING:
    from gui.widgets.curve_plot import CurvePlot


def picture_size(plot: CurvePlot) -> QSize:
    """The size of an exported picture: the drawing area as on screen, the legend above it."""
    width = max(plot.view.width(), 200)
    height = max(plot.view.height(), 150)
    return QSize(width, height + round(_legend_height(plot, width)))


def paint_plot(plot: CurvePlot, painter: QPainter) -> None:
    """Paint the plot from (0, 0), in the size that ``picture_size`` tells."""
    plot.redraw()
    plot.view.plot.layout.activate()  # names of new landmarks get their room at once
    size = picture_size(plot)
    legend = _legend_height(plot, size.width())
    colours = colours_of(plot.palette())
    metrics = QFontMetricsF(plot.font())
    painter.setFont(plot.font())
    for entry, spot in _places(plot, size.width()):
        colour = entry.dark if colours.dark else entry.light
        line = metrics.height()
        paint_sample(painter, QRectF(spot.x(), spot.y(), line * 1.6, line), entry, colour)
        painter.setPen(colours.color("text"))
        baseline = QPointF(spot.x() + line * 2.0, spot.y() + metrics.ascent())
        painter.drawText(baseline, entry.name)
    painter.setPen(colours.color("text"))
    title = QPointF(em(plot.font()) * 0.5, legend - metrics.descent())
    painter.drawText(title, plot.y_title.text())
    target = QRectF(0.0, legend, size.width(), size.height() - legend)
    sheet = plot.sheet(*plot.view.ranges())

    def curves(painter: QPainter) -> None:
        for stroke in plot.strokes(sheet):
            stroke.paint(painter, fine=True)

    with plot.canvas.painted_by(curves):
        plot.view.render(painter, target, plot.view.viewport().rect())


def _places(plot: CurvePlot, width: float) -> list[tuple[LegendEntry, QPointF]]:
    """Where each name of the legend goes."""
    metrics, pad = QFontMetricsF(plot.font()), em(plot.font()) * 0.5
    x, y, places = pad, pad, []
    for entry in plot.legend.entries():
        if not plot.legend.button(entry.name).isChecked():
            continue
        taken = metrics.height() * 2.0 + metrics.horizontalAdvance(entry.name) + 2 * pad
        if x > pad and x + taken > width:
            x, y = pad, y + metrics.height() * 1.2
        places.append((entry, QPointF(x, y)))
        x += taken
    return places


def _legend_height(plot: CurvePlot, width: float) -> float:
    """The room above the drawing area."""
    places = _places(plot, width)
    line = QFontMetricsF(plot.font()).height() * 1.2
    names = places[-1][1].y() + line if places else 0.0
    return names + line  # the last line is the title of the y axis
