"""A picture as a matrix: zoomed in far enough, every cell shows its number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.signals import Numbers
from gui.tokenization.numbers.viewport import GridViewport
from gui.widgets.look import colours_of, em

CHANNELS = ("red", "green", "blue")
_DIGITS_SHARE = 0.38
"""Height of the digits in a cell with one number, as a share of the cell: three fit across."""
_DIGITS_SHARE_OF_THREE = 0.25
"""The same where a cell holds three numbers, one below the other."""
_BLACK_ABOVE = 0.179
"""Relative luminance from which black text has more contrast than white (WCAG 2.2)."""


def to_image(picture: Numbers, channel: int | None = None) -> QImage:
    """Intensities 0 … 255 as a picture.

    Args:
        picture: shape (height, width) for greyscale, (height, width, 3) for colour.
        channel: draw only the red (0), green (1) or blue (2) of a colour picture.
    """
    pixels = np.empty((*picture.shape[:2], 3), dtype=np.uint8)
    if picture.ndim == 2:
        pixels[:] = picture[:, :, None]
    elif channel is None:
        pixels[:] = picture
    else:
        pixels[:] = 0
        pixels[:, :, channel] = picture[:, :, channel]
    height, width = pixels.shape[:2]
    made = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return made.copy()  # the copy owns its pixels


class MatrixCanvas(QWidget):
    """Draws a picture, crisp, so that it fills the widget or as the viewport says."""

    def __init__(self, viewport: GridViewport, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = viewport
        self._numbers: Numbers = np.zeros((1, 1), dtype=np.int64)
        self._codes: Numbers = self._numbers
        self._channel: int | None = None
        self._image = to_image(self._numbers)
        self._marked = QRectF()
        self._drop = 0.5
        """The share of unused height that is left above the picture."""
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        viewport.moved.connect(self.update)
        viewport.pointed.connect(self._pointed)

    # ------------------------------------------------------------------------------- what it has
    def set_picture(
        self, picture: Numbers, channel: int | None = None, codes: Numbers | None = None
    ) -> None:
        """Show a picture; the viewport is left where it is.

        Args:
            picture: intensities 0 … 255, shape (height, width) or (height, width, 3).
            channel: of the latter only red (0), green (1) or blue (2).
            codes: the numbers to write in the cells, same shape, where a table is in force that
                has other numbers for the intensities.
        """
        self._numbers = picture
        self._codes = picture if codes is None else codes
        self._channel = channel if picture.ndim == 3 else None
        self._image = to_image(picture, self._channel)
        self.update()

    @property
    def picture(self) -> Numbers:
        """The intensities on show."""
        return self._numbers

    def values_at(self, row: int, column: int) -> tuple[int, ...]:
        """The number, or the three numbers, written in a cell."""
        return self._of_cell(self._codes, row, column)

    def _of_cell(self, numbers: Numbers, row: int, column: int) -> tuple[int, ...]:
        cell = numbers[row, column]
        if self._channel is not None:
            return (int(cell[self._channel]),)
        return tuple(int(v) for v in np.atleast_1d(cell))

    def describe(self, row: int, column: int) -> str:
        """Place and value of a cell in words."""
        height, width = self._numbers.shape[:2]
        if not (0 <= row < height and 0 <= column < width):
            return ""
        codes = self._in_words(self.values_at(row, column))
        where = f"Row {row + 1:,} of {height:,}, column {column + 1:,} of {width:,}: {codes}"
        if self._codes is self._numbers:
            return where
        meaning = self._in_words(self._of_cell(self._numbers, row, column))
        return f"{where}, which stands for intensity {meaning}"

    def _in_words(self, values: tuple[int, ...]) -> str:
        if len(values) == 3:
            return ", ".join(f"{n} {v}" for n, v in zip(CHANNELS, values, strict=True))
        of = f"{CHANNELS[self._channel]} " if self._channel is not None else ""
        return f"{of}{values[0]}"

    # ----------------------------------------------------------------------------------- geometry
    def fitting_cell(self) -> float:
        """Pixels a cell has where the whole picture just fits."""
        height, width = self._numbers.shape[:2]
        return float(min(self.width() / width, self.height() / height))

    def cell(self) -> float:
        """Pixels a cell has now."""
        return self.fitting_cell()

    def origin(self) -> QPointF:
        """Where the picture's top left corner is, possibly outside the widget."""
        cell = self.cell()
        height, width = self._numbers.shape[:2]
        return QPointF(
            _start(self.width(), width * cell, self.viewport.centre_column * cell, 0.5),
            _start(self.height(), height * cell, self.viewport.centre_row * cell, self._drop),
        )

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Where a cell is, in the widget's pixels."""
        cell, origin = self.cell(), self.origin()
        return QRectF(origin.x() + column * cell, origin.y() + row * cell, cell, cell)

    def cell_at(self, point: QPointF) -> tuple[int, int]:
        """The row and column under a point; outside the picture if there is none."""
        cell, origin = self.cell(), self.origin()
        return (
            int((point.y() - origin.y()) // cell),
            int((point.x() - origin.x()) // cell),
        )

    def shown_cells(self) -> tuple[int, int, int, int]:
        """The part in view: first row, end row, first column, end column."""
        height, width = self._numbers.shape[:2]
        top, left = self.cell_at(QPointF(0.0, 0.0))
        bottom, right = self.cell_at(QPointF(self.width() - 0.01, self.height() - 0.01))
        return (
            min(height, max(0, top)),
            max(0, min(height, bottom + 1)),
            min(width, max(0, left)),
            max(0, min(width, right + 1)),
        )

    def readable_cell(self) -> float:
        """Pixels a cell needs for its numbers to be readable."""
        smallest = em(self.font()) * 0.62
        return smallest / self._digits_share()

    def numbers_are_shown(self) -> bool:
        """Whether the cells are large enough for their numbers."""
        return self.cell() >= self.readable_cell() - 0.01

    def _digits_share(self) -> float:
        one = self._numbers.ndim == 2 or self._channel is not None
        return _DIGITS_SHARE if one else _DIGITS_SHARE_OF_THREE

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 14), round(unit * 9))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 8), round(unit * 6))

    # ----------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self), QRectF(event.rect()))

    def paint(self, painter: QPainter, part: QRectF | None = None) -> None:
        """Paint it, or the numbers of a part of it, from (0, 0); also used for saving."""
        colours = colours_of(self.palette())
        painter.fillRect(self.rect(), colours.color("window"))
        top, bottom, left, right = self.shown_cells()
        if top >= bottom or left >= right:
            return
        cell = self.cell()
        area = self.cell_rect(top, left)
        area.setWidth((right - left) * cell)
        area.setHeight((bottom - top) * cell)
        # Smoothed only where several cells share a pixel; otherwise every cell has hard edges.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, cell < 1.0)
        painter.drawImage(area, self._image, QRectF(left, top, right - left, bottom - top))
        if self.numbers_are_shown():
            if part is not None:  # text is slow: only what is asked for
                first, last = self.cell_at(part.topLeft()), self.cell_at(part.bottomRight())
                top, left = max(top, first[0]), max(left, first[1])
                bottom, right = min(bottom, last[0] + 1), min(right, last[1] + 1)
            self._paint_numbers(painter, top, bottom, left, right)
        self._paint_pointed(painter)

    def _paint_numbers(
        self, painter: QPainter, top: int, bottom: int, left: int, right: int
    ) -> None:
        cell, origin = self.cell(), self.origin()
        font = QFont(self.font())
        font.setPixelSize(max(1, round(cell * self._digits_share())))
        painter.setFont(font)
        line = QFontMetricsF(font).height() * 0.92
        dark_text = self._wants_dark_text(top, bottom, left, right).tolist()
        inks = (QColor("white"), QColor("black"))
        middle = int(Qt.AlignmentFlag.AlignCenter)
        part = self._codes[top:bottom, left:right]
        if self._channel is not None:
            part = part[:, :, self._channel]
        texts = part.reshape(part.shape[0], part.shape[1], -1).tolist()  # (rows, columns, 1 or 3)
        for row, (inks_of_row, texts_of_row) in enumerate(zip(dark_text, texts, strict=True)):
            y = origin.y() + (top + row) * cell
            for column, values in enumerate(texts_of_row):
                x = origin.x() + (left + column) * cell
                painter.setPen(inks[inks_of_row[column]])
                if len(values) == 1:
                    painter.drawText(QRectF(x, y, cell, cell), middle, str(values[0]))
                    continue
                start = y + (cell - 3 * line) / 2
                for i, value in enumerate(values):
                    box = QRectF(x, start + i * line, cell, line)
                    painter.drawText(box, middle, f"{'RGB'[i]} {value}")
        self._paint_rules(painter, top, bottom, left, right)

    def _paint_rules(self, painter: QPainter, top: int, bottom: int, left: int, right: int) -> None:
        """Thin lines between the cells."""
        area = self.cell_rect(top, left).united(self.cell_rect(bottom - 1, right - 1))
        cell = self.cell()
        painter.setPen(QPen(QColor(128, 128, 128, 110), 1.0))
        painter.drawLines(
            [
                QLineF(area.left(), area.top() + i * cell, area.right(), area.top() + i * cell)
                for i in range(bottom - top + 1)
            ]
            + [
                QLineF(area.left() + i * cell, area.top(), area.left() + i * cell, area.bottom())
                for i in range(right - left + 1)
            ]
        )

    def _wants_dark_text(
        self, top: int, bottom: int, left: int, right: int
    ) -> npt.NDArray[np.bool_]:
        """For each cell in view whether black is more readable on it than white."""
        part = self._numbers[top:bottom, left:right]
        if self._channel is not None:
            kept = np.zeros_like(part)
            kept[:, :, self._channel] = part[:, :, self._channel]
            part = kept
        share = part / 255.0
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        if linear.ndim == 3:
            linear = linear @ np.array([0.2126, 0.7152, 0.0722])
        dark: npt.NDArray[np.bool_] = linear > _BLACK_ABOVE
        return dark

    def _paint_pointed(self, painter: QPainter) -> None:
        self._marked = self._pointed_rect()
        if not self._marked.isEmpty():
            highlight = colours_of(self.palette()).color("highlight")
            self._paint_outline(painter, self._marked, highlight, 2.0)

    def _pointed_rect(self) -> QRectF:
        """The frame around the cell pointed at, never too small to be seen; empty for none."""
        row, column = self.viewport.at
        if row < 0:
            return QRectF()
        rect, least = self.cell_rect(row, column), em(self.font()) * 0.35
        if rect.width() >= least:
            return rect
        centre = rect.center()
        return QRectF(centre.x() - least / 2, centre.y() - least / 2, least, least)

    def _paint_outline(self, painter: QPainter, rect: QRectF, colour: QColor, width: float) -> None:
        """A frame that is seen on every ground: the colour within a rim of the surface's."""
        surface = colours_of(self.palette()).color("surface")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(surface, width + 2.0))
        painter.drawRect(rect)
        painter.setPen(QPen(colour, width))
        painter.drawRect(rect)

    # -------------------------------------------------------------------------------------- mouse
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.viewport.point(*self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self.viewport.point(-1, -1)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.describe(*self.cell_at(QPointF(event.pos())))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)

    def _pointed(self, row: int, column: int) -> None:
        self.setAccessibleDescription(self.describe(row, column))
        before, self._marked = self._marked, self._pointed_rect()
        grow = 4.0  # the frame's width
        for rect in (before, self._marked):
            self.update(rect.adjusted(-grow, -grow, grow, grow).toAlignedRect())


def _start(room: float, length: float, centre: float, share: float) -> float:
    """Where something begins that is to have ``centre`` in the middle of the room, without
    leaving room unused at either end. If it fits, a ``share`` of what is left comes before."""
    if length <= room:
        return (room - length) * share
    return min(0.0, max(room - length, room / 2 - centre))
