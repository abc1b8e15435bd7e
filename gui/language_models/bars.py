"""Next-token bars: a row for each token, a column for each model, one axis for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.models.comparison import NextToken
from gui.colours import Colours
from gui.widgets.chip_painter import ChipFace, ChipLook, ChipPainter
from gui.widgets.look import colours_of, em, mixed
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import Vocabulary, hex_bytes, isolate

FEWEST_ROWS = 8
"""Room for so many rows is always asked for."""
_LONGEST_CHIP = 24
_SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Column:
    """One model's bars."""

    kind: str
    title: str
    name: str
    """What it is in full."""
    next: NextToken
    words: str = ""
    """What to say instead of bars, where the distribution is undefined."""


@dataclass(frozen=True)
class _Frame:
    """Where things stand, in pixels."""

    chips: float
    """Width of the column of chips."""
    gap: float
    column: float
    """Width of each model's column."""
    number: float
    """Room for the number behind a bar."""
    top: float
    pitch: float
    left: list[float] = field(default_factory=list)


class BarTable(QWidget):
    """The same tokens under each model, bars from one common zero on one scale.

    The arrow keys move between rows, Enter takes a token, hovering tells exact values.
    """

    picked = Signal(int)
    """The token whose row was clicked or moved to."""
    taken = Signal(int)
    """The token that was double-clicked, or confirmed with Enter."""
    hovered = Signal(int)
    """The token under the mouse, −1 when it leaves."""
    room_changed = Signal()
    """More or fewer rows fit now; see ``room``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Next-token probabilities")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._chips = ChipPainter(self.font(), self.palette())
        self._rows: list[int] = []
        self._faces: list[ChipFace] = []
        self._columns: tuple[Column, ...] = ()
        self._vocabulary = Vocabulary(lambda i: b"")
        self._marked = -1
        self._current = -1
        self._hovered = -1
        self._scale = 1.0
        self._room = 0

    # ----------------------------------------------------------------------------- what it shows
    def show_rows(
        self, rows: Sequence[int], columns: Sequence[Column], vocabulary: Vocabulary
    ) -> None:
        """Show these tokens, in this order, under each column."""
        token = self.current()
        self._rows, self._columns = list(rows), tuple(columns)
        self._vocabulary = vocabulary
        self._current = self._rows.index(token) if token in self._rows else -1
        self._hovered = -1
        top = max(
            (c.next.probability(t) for c in self._columns if c.next.defined for t in self._rows),
            default=0.0,
        )
        self._scale = next((s for s in _SCALES if s >= top - 1e-12), 1.0)
        self._measure()
        self.updateGeometry()
        self.update()

    def mark(self, token: int) -> None:
        """Mark the token of interest; −1 for none."""
        self._marked = token
        self.update()

    @property
    def rows(self) -> list[int]:
        """The tokens shown, from top to bottom."""
        return list(self._rows)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What stands side by side."""
        return self._columns

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens' texts."""
        return self._vocabulary

    @property
    def scale(self) -> float:
        """The probability at the right end of every axis."""
        return self._scale

    def current(self) -> int:
        """The token of the row that the keyboard is on, −1 if none."""
        return self._rows[self._current] if 0 <= self._current < len(self._rows) else -1

    def room(self) -> int:
        """How many rows fit."""
        frame = self._frame()
        return max(FEWEST_ROWS, math.floor((self.height() - frame.top) / frame.pitch))

    def row_rect(self, index: int) -> QRectF:
        """Where a row stands."""
        frame = self._frame()
        return QRectF(0, frame.top + index * frame.pitch, self.width(), frame.pitch)

    def columns_at(self) -> list[tuple[float, float]]:
        """Left edge and width of each column, for what stands above them."""
        frame = self._frame()
        return [(left, frame.column) for left in frame.left]

    def describe(self, index: int) -> str:
        """All that is known of a row's token, one fact a line."""
        token = self._rows[index]
        data = self._vocabulary.bytes_of(token)
        lines = [isolate(self._vocabulary.text(token, 200)), f"id {token}"]
        if data:
            noun = "byte" if len(data) == 1 else "bytes"
            lines.append(f"{len(data)} {noun}: {hex_bytes(data)}")
        for column in self._columns:
            if not column.next.defined:
                lines.append(f"{column.title}: undefined here")
                continue
            p, rank = column.next.probability(token), column.next.rank(token)
            lines.append(f"{column.title}: {format_probability(p)}, rank {rank:,}")
        return "\n".join(lines)

    # ---------------------------------------------------------------------------------- measures
    def _measure(self) -> None:
        # Remembered by what they say: an id means something else in another vocabulary.
        texts = [self._vocabulary.pieces(t, _LONGEST_CHIP) for t in self._rows]
        self._faces = [self._chips.face(tuple(pieces), pieces) for pieces in texts]

    def _frame(self) -> _Frame:
        unit = em(self.font())
        metrics = QFontMetricsF(self.font())
        gap = round(unit * 0.8)
        widest = max((face.width for face in self._faces), default=unit * 3)
        chips = min(max(widest, unit * 4), self.width() * 0.25)
        n = max(1, len(self._columns))
        column = max(1.0, (self.width() - chips - n * gap) / n)
        left = [chips + gap + i * (column + gap) for i in range(n)]
        number = metrics.horizontalAdvance("8.88×10⁻⁸⁸") + unit * 0.4
        pitch = self._chips.height + 2 * self._chips.gap
        return _Frame(chips, gap, column, number, round(unit * 1.3), pitch, left)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        frame = self._frame()
        rows = max(FEWEST_ROWS, len(self._rows) if self._rows and not self._room else 0)
        unit = em(self.font())
        width = unit * 6 + max(1, len(self._columns)) * (frame.number + unit * 4)
        return QSize(round(width), round(frame.top + rows * frame.pitch))

    # ---------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        colours, frame = colours_of(self.palette()), self._frame()
        for index in range(len(self._rows)):
            self._paint_ground(painter, index, colours)
        for column, left in zip(self._columns, frame.left, strict=False):
            area = QRectF(left, 0, frame.column, self.height())
            if column.next.defined:
                self._paint_axis(painter, area, frame, colours)
                self._paint_bars(painter, column, area, frame, colours)
            else:
                self._paint_words(painter, column.words, area, frame, colours)
        self._paint_axis_title(painter, frame, colours)
        painter.setFont(self._chips.font)
        for index, face in enumerate(self._faces):
            rect = self.row_rect(index)
            width = min(face.width, frame.chips)
            spot = QRectF(
                frame.chips - width, rect.top() + self._chips.gap, width, self._chips.height
            )
            token = self._rows[index]
            look = ChipLook(
                fill=index,
                hovered=index == self._hovered,
                current=index == self._current and self.hasFocus(),
                highlighted=token == self._marked,
                unknown=token in self._vocabulary.unknown_ids,
            )
            self._chips.paint(painter, spot, face, look)

    def _paint_ground(self, painter: QPainter, index: int, colours: Colours) -> None:
        ground = None
        if self._rows[index] == self._marked or index == self._current:
            ground = colours.color("accent_soft")
        elif index == self._hovered:
            ground = mixed(colours.color("surface"), colours.color("accent_soft"), 0.6)
        if ground is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(self.row_rect(index), 4, 4)

    def _paint_axis_title(self, painter: QPainter, frame: _Frame, colours: Colours) -> None:
        """What the axes count, left of their numbers: the tokens' column has the room."""
        if not any(column.next.defined for column in self._columns):
            return
        painter.setFont(self.font())
        painter.setPen(colours.color("muted"))
        room = frame.chips
        title = "probability"
        if painter.fontMetrics().horizontalAdvance(title) > room:
            title = "p"
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(0, 0, room, frame.top), int(flags), title)

    def _paint_axis(self, painter: QPainter, area: QRectF, frame: _Frame, colours: Colours) -> None:
        length = area.width() - frame.number
        bottom = frame.top + len(self._rows) * frame.pitch
        metrics = QFontMetricsF(self.font())
        painter.setFont(self.font())
        for share in (0.0, 0.5, 1.0):
            x = round(area.left() + share * length) + 0.5
            painter.setPen(QPen(colours.color("grid" if share else "border"), 1.0))
            painter.drawLine(QPoint(int(x), int(frame.top)), QPoint(int(x), int(bottom)))
            label = f"{share * self._scale:g}"
            width = metrics.horizontalAdvance(label)
            at = min(max(area.left(), x - width / 2), area.left() + length - width / 2)
            if length < metrics.horizontalAdvance("0.000") * 3 and share == 0.5:
                continue
            painter.setPen(colours.color("muted"))
            box = QRectF(at if share else area.left(), 0, width + 2, frame.top)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), label)

    def _paint_bars(
        self, painter: QPainter, column: Column, area: QRectF, frame: _Frame, colours: Colours
    ) -> None:
        length = max(1.0, area.width() - frame.number)
        colour = colours.series(column.kind)
        painter.setFont(self.font())
        unit = em(self.font())
        for index, token in enumerate(self._rows):
            p = column.next.probability(token)
            rect = self.row_rect(index)
            bar = QRectF(
                area.left(), rect.top() + rect.height() * 0.22, p / self._scale * length, 0
            )
            bar.setHeight(rect.height() * 0.56)
            if p > 0:
                bar.setWidth(max(1.5, bar.width()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRect(bar)
            painter.setPen(colours.color("text" if p > 0 else "muted"))
            spot = QRectF(bar.right() + unit * 0.3, rect.top(), frame.number, rect.height())
            painter.drawText(spot, int(Qt.AlignmentFlag.AlignVCenter), format_probability(p))

    def _paint_words(
        self, painter: QPainter, words: str, area: QRectF, frame: _Frame, colours: Colours
    ) -> None:
        painter.setFont(self.font())
        painter.setPen(QColor(colours.color("muted")))
        box = area.adjusted(0, frame.top, -frame.gap, 0)
        flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(box, int(flags), words)

    # ------------------------------------------------------------------------------------ events
    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event.type() in kinds:
            self._chips.restyle(self.font(), self.palette())
            self._measure()
            self.updateGeometry()
            self.update()
            self._tell_room()

    def resizeEvent(self, event: QEvent) -> None:
        self._tell_room()

    def _tell_room(self) -> None:
        room = self.room()
        if room != self._room:
            self._room = room
            self.room_changed.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._row_at(event.pos())
            if index < 0:
                QToolTip.hideText()
            else:
                area = self.row_rect(index).toAlignedRect()
                text = plain_tooltip(self.describe(index))
                QToolTip.showText(event.globalPos(), text, self, area)
            return True
        return super().event(event)

    def _row_at(self, position: QPoint) -> int:
        frame = self._frame()
        index = math.floor((position.y() - frame.top) / frame.pitch)
        return index if 0 <= index < len(self._rows) else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._row_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def _hover(self, index: int) -> None:
        if index != self._hovered:
            self._hovered = index
            self.update()
            self.hovered.emit(self._rows[index] if index >= 0 else -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.select(self._row_at(event.position().toPoint()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        index = self._row_at(event.position().toPoint())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.taken.emit(self._rows[index])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Down: self._current + 1,
            Qt.Key.Key_Up: max(0, self._current - 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(self._rows) - 1,
        }
        if event.key() in steps and self._rows:
            self.select(min(len(self._rows) - 1, steps[Qt.Key(event.key())]))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current() >= 0:
            self.taken.emit(self.current())
        else:
            super().keyPressEvent(event)

    def select(self, index: int) -> None:
        """Move to a row (−1: to none)."""
        self._current = index
        self.update()
        if index < 0:
            return
        self.setAccessibleDescription(self.describe(index))
        QAccessible.updateAccessibility(
            QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
        )
        self.picked.emit(self._rows[index])
