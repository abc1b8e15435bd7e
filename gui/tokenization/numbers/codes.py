"""A text as its code points: every character in a cell of its own, its number below."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy, QToolTip, QWidget

from engine.signals import Numbers, text_of
from gui.widgets.look import colours_of, em
from gui.widgets.safe_text import plain_tooltip

_SHOWN_AS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_LINES = 2.8
"""Height of a cell in lines of text: a large character and its number."""
_DOTTED_CIRCLE = "◌"


def visible(character: str) -> str:
    """A character as it is drawn alone: blanks as signs, marks on a dotted circle."""
    if character in _SHOWN_AS:
        return _SHOWN_AS[character]
    category = unicodedata.category(character)
    if category.startswith("M"):
        return _DOTTED_CIRCLE + character
    if category in ("Cf", "Zs", "Zl", "Zp"):
        return "▯"  # invisible by nature: a joiner, a mark of direction, an unusual blank
    return character


def name_of(point: int) -> str:
    """What Unicode calls a code point."""
    usual = f"U+{point:04X}"
    if 0 <= point < 0xD800 or 0xDFFF < point <= 0x10FFFF:
        name = unicodedata.name(chr(point), "")
        if name:
            return f"{usual} {name}"
        if unicodedata.category(chr(point)) == "Cc":
            return f"{usual} control character"
    return f"{usual}, which is no character"


class CodeGrid(QAbstractScrollArea):
    """Characters over their code points, in lines as wide as the widget.

    Arrow keys go from character to character; only the lines in view are painted.
    """

    pointed = Signal(int)
    """The character pointed at by mouse or keyboard, from 0; −1 for none."""

    def __init__(self, name: str, parent: QWidget | None = None, *, lines: int = 3) -> None:
        super().__init__(parent)
        self._points: Numbers = np.empty(0, dtype=np.int64)
        self._characters = ""
        self._codes: Numbers = self._points
        self._right: npt.NDArray[np.bool_] | None = None
        self._at = -1
        self._lines = lines
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.viewport().setMouseTracking(True)

    # ------------------------------------------------------------------------------- what it has
    def set_points(
        self,
        points: Numbers,
        codes: Numbers | None = None,
        right: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Show the characters with these code points, shape (characters,).

        Args:
            codes: the numbers to write below them, same shape, where a table is in force that
                has other numbers for them.
            right: for each whether it is the right one; wrong ones are marked. None marks none.
        """
        self._points, self._right = points, right
        self._codes = points if codes is None else codes
        self._characters = text_of(points)
        self._at = min(self._at, len(points) - 1)
        self.setAccessibleDescription(self._characters[:200])
        self._layout()
        self.viewport().update()

    @property
    def points(self) -> Numbers:
        """The code points on show."""
        return self._points

    @property
    def at(self) -> int:
        """The character pointed at, −1 if none."""
        return self._at

    def point(self, index: int) -> None:
        """Point at a character, and bring it into view; at none if it is outside."""
        index = index if 0 <= index < len(self._points) else -1
        if index == self._at:
            return
        self._at = index
        if index >= 0:
            self._bring_into_view(index)
            self.setAccessibleDescription(self.describe(index))
        self.viewport().update()
        self.pointed.emit(index)

    def describe(self, index: int) -> str:
        """A character and its number in words."""
        if not 0 <= index < len(self._points):
            return ""
        code = int(self._codes[index])
        place = f"Character {index + 1:,} of {len(self._points):,}: number {code:,}"
        return f"{place} = {name_of(int(self._points[index]))}"

    # ----------------------------------------------------------------------------------- geometry
    def _cell(self) -> tuple[float, float]:
        metrics = QFontMetricsF(self.font())
        digits = len(str(int(self._codes.max()))) if len(self._codes) else 3
        width = metrics.horizontalAdvance("0" * max(3, digits)) + metrics.height() * 0.5
        return width, metrics.height() * _LINES

    def per_line(self) -> int:
        """How many characters a line has."""
        return max(1, int(self.viewport().width() / self._cell()[0]))

    def cell_rect(self, index: int) -> QRectF:
        """Where a character is, in the viewport's pixels."""
        width, height = self._cell()
        row, column = divmod(index, self.per_line())
        return QRectF(
            column * width, row * height - self.verticalScrollBar().value(), width, height
        )

    def index_at(self, point: QPoint) -> int:
        """The character under a point of the viewport, −1 if there is none."""
        width, height = self._cell()
        column = int(point.x() / width)
        if point.x() < 0 or column >= self.per_line():
            return -1
        row = int((point.y() + self.verticalScrollBar().value()) // height)
        index = row * self.per_line() + column
        return index if 0 <= index < len(self._points) else -1

    def _layout(self) -> None:
        height = self._cell()[1]
        rows = -(-len(self._points) // self.per_line())
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(height))
        bar.setRange(0, max(0, round(rows * height) - self.viewport().height()))

    def _bring_into_view(self, index: int) -> None:
        rect, bar = self.cell_rect(index), self.verticalScrollBar()
        if rect.top() < 0:
            bar.setValue(bar.value() + round(rect.top()))
        elif rect.bottom() > self.viewport().height():
            bar.setValue(bar.value() + round(rect.bottom() - self.viewport().height()))

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 16), round(unit * (_LINES * self._lines + 0.5)))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 8), round(unit * (_LINES * min(2, self._lines) + 0.5)))

    # ----------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self.viewport()))

    def paint(self, painter: QPainter) -> None:
        """Paint the lines in view from (0, 0); also used for saving."""
        colours = colours_of(self.palette())
        painter.fillRect(self.viewport().rect(), colours.color("surface"))
        height, per_line = self._cell()[1], self.per_line()
        top = self.verticalScrollBar().value()
        first = int(top // height) * per_line
        end = (int((top + self.viewport().height()) // height) + 1) * per_line
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cells = [(i, self.cell_rect(i)) for i in range(first, min(end, len(self._points)))]
        self._paint_grounds(painter, cells)
        # All characters, then all numbers: changing the font is what takes time.
        large, middle = QFont(self.font()), int(Qt.AlignmentFlag.AlignCenter)
        large.setPointSizeF(large.pointSizeF() * 1.25)
        painter.setFont(large)
        painter.setPen(colours.color("text"))
        for index, rect in cells:
            upper = QRectF(rect.left(), rect.top() + 1, rect.width(), rect.height() * 0.58)
            painter.drawText(upper, middle, visible(self._characters[index]))
        painter.setFont(self.font())
        inks = (colours.color("muted"), colours.color("bad"))
        for index, rect in cells:
            painter.setPen(inks[self._is_wrong(index)])
            upper_part = rect.height() * 0.58
            lower = rect.adjusted(0, upper_part, 0, -2)
            painter.drawText(lower, middle, str(int(self._codes[index])))

    def _is_wrong(self, index: int) -> bool:
        return self._right is not None and not self._right[index]

    def _paint_grounds(self, painter: QPainter, cells: list[tuple[int, QRectF]]) -> None:
        colours = colours_of(self.palette())
        plain, wrong = colours.color("raised"), colours.color("bad_soft")
        painter.setPen(Qt.PenStyle.NoPen)
        for index, rect in cells:
            painter.setBrush(wrong if self._is_wrong(index) else plain)
            if index == self._at:
                painter.setPen(QPen(colours.color("highlight"), 2.0))
            radius = rect.height() * 0.12
            painter.drawRoundedRect(rect.adjusted(1.5, 1.5, -1.5, -1.5), radius, radius)
            painter.setPen(Qt.PenStyle.NoPen)

    # ------------------------------------------------------------------------------ mouse and keys
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._layout()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._layout()
            self.updateGeometry()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.point(self.index_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.point(self.index_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self.point(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.per_line(),
            Qt.Key.Key_Down: self.per_line(),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or not len(self._points):
            super().keyPressEvent(event)
        elif self._at < 0:
            self.point(0)
        elif 0 <= self._at + step < len(self._points):
            self.point(self._at + step)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.describe(self.index_at(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), plain_tooltip(text), self)
            return bool(text)
        return super().viewportEvent(event)
