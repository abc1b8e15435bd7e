"""A grid of real numbers as coloured cells: click one to see how it came about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.colours import Colours
from gui.transformer.values import Cells
from gui.widgets.colour_bar import paint_colour_bar, shade, shaded
from gui.widgets.exports import write_csv, write_png, write_svg
from gui.widgets.look import colours_of, em, readable_on
from gui.widgets.numbers import format_number
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import isolate

_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_LARGEST_CELL, _TALLEST = 1.9, 12.0
"""In em: the height of a cell, and of all cells together."""
_SCALE, _SCALE_WIDTH = 1.6, 18.0
"""In em: the height of the colours' scale with the gap above it, and its greatest width."""


def largest(values: np.ndarray) -> float:
    """The largest absolute value; 0 of none."""
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size else 0.0


class CellGrid(QWidget):
    """Cells with one chosen. Click or use the arrow keys; hovering tells the exact value."""

    chosen = Signal(int, int)
    """Row and column of the cell that was chosen by hand."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cells: Cells | None = None
        self._cell = (-1, -1)
        self._image = QImage()
        self._top = 0.0
        self._name = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    # ------------------------------------------------------------------------------- what is shown
    def show_cells(self, cells: Cells, name: str, cell: tuple[int, int]) -> None:
        """Show a grid, with one cell chosen; emits nothing."""
        self._cells, self._name, self._cell = cells, name, cell
        self._top = largest(cells.values)
        self._colour()
        self._tell()
        self.updateGeometry()
        self.update()

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the chosen cell; (−1, −1) for none."""
        return self._cell

    def choose(self, row: int, column: int) -> None:
        """Choose a cell, as a click does."""
        cells = self._cells
        if cells is None or not self._is_number(row, column) or (row, column) == self._cell:
            return
        self._cell = (row, column)
        self._tell()
        self.update()
        self.chosen.emit(row, column)

    def words(self, row: int, column: int) -> str:
        """What a cell is, with its number."""
        cells = self._cells
        if cells is None or not self._is_number(row, column):
            return ""
        value = format_number(float(cells.values[row, column]), 5)
        if cells.texts:
            return f"{isolate(cells.texts[row][column])}: {value}"
        if cells.row_title == "numbers":
            return f"number {row * cells.values.shape[1] + column + 1}: {value}"
        masked = " (masked)" if cells.blank_future and column > row else ""
        key = cells.columns[column]
        what = f"key {column} {isolate(key)}" if cells.row_title == "query t" else f"number {key}"
        first = "query" if cells.row_title == "query t" else "position"
        return f"{first} {row} {isolate(cells.rows[row])}, {what}: {value}{masked}"

    def _is_number(self, row: int, column: int) -> bool:
        cells = self._cells
        if cells is None:
            return False
        rows, columns = cells.values.shape
        inside = 0 <= row < rows and 0 <= column < columns
        return inside and bool(np.isfinite(cells.values[row, column]))

    def _tell(self) -> None:
        self.setAccessibleName(self._name)
        self.setAccessibleDescription(self.words(*self._cell))
        QAccessible.updateAccessibility(
            QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
        )

    def _colour(self) -> None:
        if self._cells is not None:
            colours = colours_of(self.palette())
            self._image = shaded(self._cells.values, self._top, self._cells.signed, colours)

    # ------------------------------------------------------------------------------------- measures
    def sizeHint(self) -> QSize:
        unit = em(self.font())
        rows = self._cells.values.shape[0] if self._cells is not None else 1
        cell = self._line_height(rows)
        top = 0.0 if self._cells is not None and self._cells.texts else 1.1
        return QSize(round(unit * 20), round(rows * cell + unit * (top + 0.3 + _SCALE)))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 10), self.sizeHint().height())

    def _line_height(self, rows: int) -> float:
        unit = em(self.font())
        tall = 1.35 if self._cells is not None and self._cells.texts else 1.0
        return min(_LARGEST_CELL * unit * tall, max(_TALLEST * unit / max(1, rows), 1.0))

    def _frame(self) -> QRectF:
        """Where the cells are."""
        unit, metrics = em(self.font()), QFontMetricsF(self.font())
        cells = self._cells
        if cells is None:
            return QRectF()
        left = max((metrics.horizontalAdvance(n) for n in cells.rows), default=0.0)
        left = min(left, unit * 7) + unit * 0.6
        top = 0.0 if cells.texts else unit * 1.1
        height = cells.values.shape[0] * self._line_height(cells.values.shape[0])
        return QRectF(left, top, max(8.0, self.width() - left - 2.0), height)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is."""
        assert self._cells is not None
        frame, (rows, columns) = self._frame(), self._cells.values.shape
        w, h = frame.width() / columns, frame.height() / rows
        return QRectF(frame.left() + column * w, frame.top() + row * h, w, h)

    def cell_at(self, point: QPointF) -> tuple[int, int]:
        """The cell at a point; (−1, −1) for none."""
        if self._cells is None:
            return -1, -1
        frame, (rows, columns) = self._frame(), self._cells.values.shape
        if not frame.contains(point):
            return -1, -1
        row = int((point.y() - frame.top()) / frame.height() * rows)
        column = int((point.x() - frame.left()) / frame.width() * columns)
        row, column = min(row, rows - 1), min(column, columns - 1)
        return (row, column) if self._is_number(row, column) else (-1, -1)

    # ------------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self))
        if self.hasFocus() and self._cells is not None:
            painter = QPainter(self)
            painter.setPen(QPen(colours_of(self.palette()).color("accent"), 1.0))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))

    def paint(self, painter: QPainter) -> None:
        """The whole picture, from (0, 0)."""
        cells = self._cells
        if cells is None:
            return
        colours, frame = colours_of(self.palette()), self._frame()
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(frame, self._image)
        if cells.blank_future:
            self._hatch(painter, frame, colours)
        self._write(painter, frame, colours)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if cells.marked_row >= 0 and len(cells.rows) > 1:
            row = self.cell_rect(cells.marked_row, 0)
            row.setRight(frame.right())
            painter.setPen(QPen(colours.color("muted"), 1.5, Qt.PenStyle.DashLine))
            painter.drawRect(row)
        painter.setPen(QPen(colours.color("border"), 1.0))
        painter.drawRect(frame)
        self._paint_scale(painter, frame, colours)
        if self._is_number(*self._cell):
            around = self.cell_rect(*self._cell).adjusted(-1.5, -1.5, 1.5, 1.5)
            painter.setPen(QPen(colours.color("surface"), 4.0))
            painter.drawRect(around)
            painter.setPen(QPen(colours.color("accent"), 2.0))
            painter.drawRect(around)

    def _paint_scale(self, painter: QPainter, frame: QRectF, colours: Colours) -> None:
        """What the colours mean, below the cells."""
        assert self._cells is not None
        unit, signed = em(self.font()), self._cells.signed
        wide = min(frame.width(), unit * _SCALE_WIDTH)
        rect = QRectF(frame.left(), frame.bottom() + unit * 0.5, wide, unit)
        painter.setPen(colours.color("muted"))
        low = -self._top if signed else 0.0
        paint_colour_bar(painter, rect, colours, low, self._top, signed=signed, upright=False)

    def _hatch(self, painter: QPainter, frame: QRectF, colours: Colours) -> None:
        """The future, which the mask hides."""
        assert self._cells is not None
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.window))
        for row in range(self._cells.values.shape[0] - 1):
            left = self.cell_rect(row, row + 1)
            painter.drawRect(QRectF(left.topLeft(), QPointF(frame.right(), left.bottom())))

    def _write(self, painter: QPainter, frame: QRectF, colours: Colours) -> None:
        assert self._cells is not None
        cells, unit = self._cells, em(self.font())
        metrics = QFontMetricsF(self.font())
        rows, columns = cells.values.shape
        w, h = frame.width() / columns, frame.height() / rows
        painter.setPen(colours.color("muted"))
        every = max(1, round(np.ceil(unit / h)))
        for row in range(0, rows, every):
            rect = QRectF(0, frame.top() + row * h, frame.left() - unit * 0.4, max(h, unit))
            name = metrics.elidedText(cells.rows[row], Qt.TextElideMode.ElideRight, rect.width())
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(rect, int(right), name)
        if not cells.texts:
            widest = max((metrics.horizontalAdvance(n) for n in cells.columns), default=1.0)
            every = max(1, round(np.ceil(min(widest + unit * 0.5, unit * 5) / w)))
            for column in range(0, columns, every):
                rect = QRectF(frame.left() + column * w, 0, w * every, frame.top())
                name = cells.columns[column]
                name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width())
                painter.drawText(rect, int(Qt.AlignmentFlag.AlignLeft), name)
        if w > unit * 2.6 and h > unit * 0.95:
            for row, column in np.ndindex(rows, columns):
                self._number(painter, row, column, colours)

    def _number(self, painter: QPainter, row: int, column: int, colours: Colours) -> None:
        assert self._cells is not None
        cells = self._cells
        value = float(cells.values[row, column])
        if not np.isfinite(value) or (cells.blank_future and column > row):
            return
        painter.setPen(readable_on(shade(value, self._top, cells.signed, colours)))
        rect = self.cell_rect(row, column)
        shown = f"{value:.2f}".replace("-", "−")
        if cells.texts:
            metrics = QFontMetricsF(self.font())
            name = cells.texts[row][column]
            shown = format_number(value, 3)
            upper = QRectF(rect.left(), rect.top(), rect.width(), rect.height() / 2)
            painter.drawText(
                upper,
                int(Qt.AlignmentFlag.AlignCenter),
                metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - 4),
            )
            rect = upper.translated(0, rect.height() / 2)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), shown)

    # --------------------------------------------------------------------------------------- events
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose(*self.cell_at(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = _MOVES.get(Qt.Key(event.key()))
        if move is None or self._cells is None:
            super().keyPressEvent(event)
            return
        self.choose(self._cell[0] + move[0], self._cell[1] + move[1])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = self.words(*self.cell_at(QPointF(event.pos())))
            QToolTip.showText(event.globalPos(), plain_tooltip(words), self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._colour()
            self.updateGeometry()

    # --------------------------------------------------------------------------------------- export
    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv" (LabError if it cannot be written)."""
        if self._cells is None:
            return
        ground = colours_of(self.palette()).color("surface")
        if ending == "csv":
            body = zip(self._cells.rows, self._cells.values.tolist(), strict=True)
            write_csv(Path(path), ["", *self._cells.columns], ([n, *line] for n, line in body))
        elif ending == "svg":
            write_svg(Path(path), self.size(), self._name, ground, self.paint)
        else:
            write_png(Path(path), self.size(), ground, self.paint)
