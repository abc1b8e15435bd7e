"""A plot painted for export: its title, legend and smoothing, the title of the y axis, then the
drawing area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from gui.widgets.legend import LegendEntry, paint_sample
from gui.widgets.look import colours_of, em

if TYPE_CHECKING:
    from gui.widgets.curve_plot import CurvePlot

LINE = 1.2
"""From one line of text to the next, in heights of the font."""


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
    bold = QFont(plot.font())
    bold.setBold(True)
    painter.setFont(bold)
    painter.setPen(colours.color("text"))
    pad = em(plot.font()) * 0.5
    room = size.width() - 2 * pad
    words = QFontMetricsF(bold).elidedText(plot.title, Qt.TextElideMode.ElideRight, room)
    painter.drawText(QPointF(pad, pad + metrics.ascent()), words)
    painter.setFont(plot.font())
    for entry, spot in _places(plot, size.width()):
        colour = entry.dark if colours.dark else entry.light
        line = metrics.height()
        paint_sample(painter, QRectF(spot.x(), spot.y(), line * 1.6, line), entry, colour)
        painter.setPen(colours.color("text"))
        baseline = QPointF(spot.x() + line * 2.0, spot.y() + metrics.ascent())
        painter.drawText(baseline, entry.name)
    bottom = legend - metrics.descent()
    painter.setPen(colours.color("muted"))
    if plot.tools.note:
        painter.drawText(QPointF(pad, bottom - metrics.height() * LINE), plot.tools.note)
    painter.setPen(colours.color("text"))
    painter.drawText(QPointF(pad, bottom), plot.y_title.text())
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
    x, y, places = pad, pad + metrics.height() * LINE, []  # below the title
    for entry in plot.legend.entries():
        if not plot.legend.button(entry.name).isChecked():
            continue
        taken = metrics.height() * 2.0 + metrics.horizontalAdvance(entry.name) + 2 * pad
        if x > pad and x + taken > width:
            x, y = pad, y + metrics.height() * LINE
        places.append((entry, QPointF(x, y)))
        x += taken
    return places


def _legend_height(plot: CurvePlot, width: float) -> float:
    """The room above the drawing area."""
    places = _places(plot, width)
    line = QFontMetricsF(plot.font()).height() * LINE
    names = places[-1][1].y() + line if places else em(plot.font()) * 0.5 + line
    return names + line * (2 if plot.tools.note else 1)  # the smoothing, the y axis's title
