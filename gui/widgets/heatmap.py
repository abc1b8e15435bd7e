"""A matrix as coloured cells, with exact values on hover."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gui.widgets.colour_bar import paint_colour_bar
from gui.widgets.exports import ExportButton, write_csv, write_png, write_svg
from gui.widgets.heat_view import HeatView
from gui.widgets.look import colours_of, em
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_label
from gui.widgets.token_text import isolate


class _ColourBar(QWidget):
    """The colours from the least to the greatest value, with both numbers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._low, self._high = 0.0, 1.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def set_range(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self.font())
        numbers = [format_number(v, 3) for v in (self._low, self._high)]
        width = max(metrics.horizontalAdvance(n) for n in numbers)
        return QSize(round(max(width, em(self.font())) + 4), round(em(self.font()) * 6))

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self), QRectF(self.rect()))

    def paint(self, painter: QPainter, rect: QRectF) -> None:
        painter.setFont(self.font())
        painter.setPen(self.palette().windowText().color())
        paint_colour_bar(painter, rect, colours_of(self.palette()), self._low, self._high)


class Heatmap(QWidget):
    """A matrix with names for rows and columns and a colour bar.

    Cells that are NaN (a masked position) stay blank. The arrow keys move from cell to cell.
    """

    hovered = Signal(int, int)
    """(row, column) under the mouse or the keyboard; (−1, −1) for none."""
    clicked = Signal(int, int)
    """(row, column) that was clicked or confirmed with Enter."""

    _ready = False

    def __init__(
        self,
        title: str,
        row_title: str,
        column_title: str,
        value_name: str = "value",
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            title: what the matrix is; its accessible name.
            row_title: what the rows are, such as "query".
            column_title: what the columns are, such as "key".
            value_name: what a cell's value is called on hover.
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._title, self._titles, self._value_name = title, (row_title, column_title), value_name
        self._values: npt.NDArray[np.float64] = np.empty((0, 0))
        self._names: tuple[list[str], list[str]] = ([], [])
        self._cell = (-1, -1)
        self.row_label = plain_label(f"rows: {row_title}", self)
        self.view = HeatView(self)
        self.view.pointed_cell.connect(self._pointed)
        self.view.clicked_cell.connect(self.clicked)
        self.bar = _ColourBar(self)
        self.readout = plain_label(" ", self, wrap=True)
        self.export_button = ExportButton(title, self)
        self.export_button.wanted.connect(self.export)
        body = QHBoxLayout()
        body.addWidget(self.view, 1)
        body.addWidget(self.bar)
        foot = QHBoxLayout()
        foot.addWidget(self.readout, 1)
        foot.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.row_label)
        layout.addLayout(body, 1)
        layout.addLayout(foot)
        self._ready = True
        self._restyle()

    def set_matrix(
        self,
        values: npt.ArrayLike,
        rows: Sequence[str],
        columns: Sequence[str],
        *,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        """Show a matrix.

        Args:
            values: (R, C); NaN for cells that stay blank.
            rows: R names, top to bottom; plain text, such as tokens' display text.
            columns: C names, left to right.
            low: the value of the first colour; the least value if not given.
            high: the value of the last colour; the greatest value if not given.
        """
        matrix = np.asarray(values, np.float64)
        if matrix.ndim != 2 or matrix.shape != (len(rows), len(columns)):
            raise ValueError("a heatmap needs one name for each row and each column")
        finite = matrix[np.isfinite(matrix)]
        least = float(finite.min()) if low is None and len(finite) else (low or 0.0)
        most = float(finite.max()) if high is None and len(finite) else (high if high else least)
        self._values, self._names = matrix, (list(rows), list(columns))
        self.view.show_matrix(matrix, list(rows), list(columns), least, most)
        self.bar.set_range(least, most)
        self._point(-1, -1)

    def cell_text(self, row: int, column: int) -> str:
        """What hovering over a cell tells, as plain text."""
        row_title, column_title = self._titles
        value = self._values[row, column]
        shown = "masked" if np.isnan(value) else format_number(float(value), 6)
        return (
            f"{row_title} {row + 1} {isolate(self._names[0][row])}, "
            f"{column_title} {column + 1} {isolate(self._names[1][column])}: "
            f"{self._value_name} {shown}"
        )

    def cell(self) -> tuple[int, int]:
        """The cell told about now; (−1, −1) for none."""
        return self._cell

    def _pointed(self, row: int, column: int) -> None:
        self._point(row, column)

    def _point(self, row: int, column: int) -> None:
        if (row, column) == self._cell:
            return
        self._cell = (row, column)
        self.view.mark(row, column)
        text = self.cell_text(row, column) if row >= 0 else " "
        self.readout.setText(text)
        self.setAccessibleDescription(text)
        self.hovered.emit(row, column)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        rows, columns = self._values.shape
        if event.key() in steps and rows and columns:
            step = steps[Qt.Key(event.key())]
            row = min(max(self._cell[0] + step[0], 0), rows - 1)
            self._point(row, min(max(self._cell[1] + step[1], 0), columns - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cell[0] >= 0:
            self.clicked.emit(*self._cell)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._ready and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._restyle()

    def _restyle(self) -> None:
        self.view.restyle(self.font(), self.palette(), self._titles[1])
        self.bar.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return super().minimumSizeHint().expandedTo(QSize(round(unit * 14), round(unit * 12)))

    # Export

    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv" (LabError if it cannot be written)."""
        {"png": self.export_png, "svg": self.export_svg, "csv": self.export_csv}[ending](Path(path))

    def export_csv(self, path: Path) -> None:
        """Save the matrix with its names; blank cells are "nan"."""
        rows, columns = self._names
        body = ([name, *line] for name, line in zip(rows, self._values.tolist(), strict=True))
        write_csv(path, ["", *columns], body)

    def export_png(self, path: Path) -> None:
        """Save a picture of the matrix with its colour bar."""
        ground = colours_of(self.palette()).color("surface")
        write_png(path, self._picture_size(), ground, partial(_paint_picture, self))

    def export_svg(self, path: Path) -> None:
        """Save a drawing of the matrix with its colour bar."""
        ground = colours_of(self.palette()).color("surface")
        write_svg(path, self._picture_size(), self._title, ground, partial(_paint_picture, self))

    def _picture_size(self) -> QSize:
        return QSize(self.view.width() + self.bar.sizeHint().width() + 8, self.view.height())


def _paint_picture(heatmap: Heatmap, painter: QPainter) -> None:
    view = heatmap.view
    painter.save()
    view.render(painter, QRectF(view.rect()), view.viewport().rect())
    painter.restore()
    painter.translate(QPointF(view.width() + 4.0, 0.0))
    heatmap.bar.paint(painter, QRectF(0, 4, heatmap.bar.sizeHint().width(), view.height() - 8))
