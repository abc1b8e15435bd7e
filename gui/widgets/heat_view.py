"""The cells of a heatmap and the names along them, drawn by pyqtgraph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QPalette, QPen
from PySide6.QtWidgets import QGraphicsRectItem, QWidget

from gui.widgets.colour_bar import colour_table
from gui.widgets.look import colours_of
from gui.widgets.plot_view import PlotView
from gui.widgets.plotting import pg

_LONGEST_NAME = 14  # characters along an axis


class HeatView(PlotView):
    """Row 0 at the top; only as many names as fit beside each other."""

    pointed_cell = Signal(int, int)
    clicked_cell = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shape = (0, 0)
        self._names: tuple[list[str], list[str]] = ([], [])
        self._image = pg.ImageItem(axisOrder="row-major")
        self._frame = QGraphicsRectItem()
        self._frame.setVisible(False)
        self.grid_item.hide()
        self.plot.addItem(self._image, ignoreBounds=True)
        self.plot.addItem(self._frame, ignoreBounds=True)
        self.box.invertY(True)
        self.box.setMouseEnabled(x=False, y=False)
        self.pointed_at.connect(self._pointed)
        self.clicked_at.connect(self._clicked)
        self.moved.connect(self._name_axes)

    def show_matrix(
        self,
        values: npt.NDArray[np.float64],
        rows: list[str],
        columns: list[str],
        low: float,
        high: float,
    ) -> None:
        """Show (R, C) values, coloured from ``low`` to ``high``."""
        self._shape, self._names = (len(rows), len(columns)), (rows, columns)
        if values.size:
            # One value throughout still gets the first colour, not a division by zero.
            levels = (low, high if high > low else low + 1.0)
            self._image.setImage(values.astype(np.float32), levels=levels, autoLevels=False)
            self._image.show()
            self.show_range((0.0, float(len(columns))), (0.0, float(len(rows))))
        else:
            self._image.hide()
        self._name_axes()

    def restyle(self, font: QFont, palette: QPalette, title: str) -> None:
        super().restyle(font, palette, title)
        colours = colours_of(palette)
        self.box.setBackgroundColor(colours.grid)  # what blank cells show
        self._image.setLookupTable(colour_table(colours))
        pen = QPen(colours.color("warning"), 2.0)
        pen.setCosmetic(True)
        self._frame.setPen(pen)
        self._name_axes()

    def mark(self, row: int, column: int) -> None:
        """Frame a cell; none for −1."""
        self._frame.setVisible(row >= 0)
        if row >= 0:
            self._frame.setRect(float(column), float(row), 1.0, 1.0)

    def shown_names(self, axis: str) -> list[tuple[float, str]]:
        """The names along "left" or "bottom" that have room, at their cells' middles."""
        names = self._names[0] if axis == "left" else self._names[1]
        if not names:
            return []
        metrics = QFontMetricsF(self.plot.getAxis(axis).style["tickFont"] or self.font())
        short = [n if len(n) <= _LONGEST_NAME else n[: _LONGEST_NAME - 1] + "…" for n in names]
        if axis == "left":
            room, need = self.box.height() / len(names), metrics.height()
        else:
            room = self.box.width() / len(names)
            need = max(metrics.horizontalAdvance(n) for n in short) + metrics.averageCharWidth()
        every = max(1, int(np.ceil(need / max(room, 1e-6))))
        return [(i + 0.5, short[i]) for i in range(0, len(names), every)]

    def _name_axes(self) -> None:
        for axis in ("left", "bottom"):
            self.plot.getAxis(axis).setTicks([self.shown_names(axis)])

    def cell_at(self, place: QPointF) -> tuple[int, int]:
        """The (row, column) at a point in axis units; (−1, −1) outside."""
        row, column = int(np.floor(place.y())), int(np.floor(place.x()))
        rows, columns = self._shape
        return (row, column) if 0 <= row < rows and 0 <= column < columns else (-1, -1)

    def _pointed(self, place: object) -> None:
        self.pointed_cell.emit(*(self.cell_at(place) if isinstance(place, QPointF) else (-1, -1)))

    def _clicked(self, place: QPointF) -> None:
        row, column = self.cell_at(place)
        if row >= 0:
            self.clicked_cell.emit(row, column)
