"""The rows of next-token bars: painted, scrolled, walked through."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
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

from gui.colours import Colours
from gui.widgets.bar_style import paint_bar
from gui.widgets.chip_painter import ChipFace, ChipLook, ChipPainter
from gui.widgets.distributions import Distribution, Row, Scale
from gui.widgets.look import colours_of, em, mixed
from gui.widgets.numbers import format_log_probability, format_probability
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import Piece, Vocabulary, hex_bytes, isolate

_LONGEST_LABEL = 24
_WIDEST_LABELS = 0.34  # of the width


class BarsArea(QAbstractScrollArea):
    """A row for each token, in it a bar for each model, one axis below for all."""

    selected = Signal(int)
    """The id of the token whose row was clicked or moved to."""
    activated = Signal(int)
    """The id of the token whose row was double-clicked, or confirmed with Enter."""
    hovered = Signal(int)
    """The id of the token under the mouse; −1 for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Next-token probabilities")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().installEventFilter(self)
        self._chips = ChipPainter(self.font(), self.palette())
        self._models: list[Distribution] = []
        self._rows: list[Row] = []
        self._faces: list[ChipFace] = []
        self._vocabulary = Vocabulary(lambda i: b"")
        self._scale = Scale()
        self._marked: int | None = None
        self._axis_title = "probability of the next token"
        self._current = self._hovered = -1

    def set_axis_title(self, title: str) -> None:
        """What the axis measures, where the rows are no next tokens."""
        self._axis_title = title
        self.setAccessibleName(title)
        self.viewport().update()

    @property
    def axis_title(self) -> str:
        """What stands below the axis, its scale included."""
        return self._axis_title + (" (log scale)" if self._scale.log else "")

    def show_rows(
        self,
        models: Sequence[Distribution],
        rows: Sequence[Row],
        vocabulary: Vocabulary,
        scale: Scale,
        marked: int | None,
    ) -> None:
        """Show these rows; the selected token stays selected if it is among them."""
        before = self.current_token()
        self._models, self._rows = list(models), list(rows)
        self._vocabulary, self._scale, self._marked = vocabulary, scale, marked
        self._faces = [self._face(row) for row in self._rows]
        tokens = [row.token_id for row in self._rows]
        self._current = tokens.index(before) if before is not None and before in tokens else -1
        self._hovered = -1
        self._set_scroll_range()
        self.viewport().update()

    def current_token(self) -> int | None:
        """The selected token's id."""
        return self._rows[self._current].token_id if self._current >= 0 else None

    def _face(self, row: Row) -> ChipFace:
        if row.token_id is None:
            return self._chips.face(("others",), [Piece("all others", "stand-in")])
        pieces = self._vocabulary.pieces(row.token_id, _LONGEST_LABEL)
        return self._chips.face(tuple(p.text for p in pieces), pieces)

    # Geometry

    def row_height(self) -> float:
        """The height of a row, the room to the next one included."""
        bars = max(1, len(self._models)) * self._bar_height()
        return max(bars, float(self._chips.height)) + em(self.font()) * 0.45

    def _bar_height(self) -> float:
        return round(em(self.font()) * 0.95)

    def axis_height(self) -> float:
        """The height of the band below the rows, with the axis and its title."""
        return em(self.font()) * 2.5

    def full_height(self) -> float:
        """The height of all rows and the axis."""
        return len(self._rows) * self.row_height() + self.axis_height()

    def _labels_width(self, width: float) -> float:
        widest = max((face.width for face in self._faces), default=0.0)
        return min(widest, width * _WIDEST_LABELS) + em(self.font()) * 0.8

    def _bars_span(self, width: float) -> tuple[float, float]:
        """Where the axis starts and ends; beyond its end there is room for a number."""
        number = QFontMetricsF(self.font()).horizontalAdvance("0.00×10⁻⁰⁰ ")
        left = self._labels_width(width)
        return left, max(left + 10.0, width - number)

    def bar_rect(self, row: int, model: int, width: float | None = None) -> QRectF:
        """Where a bar is, in the coordinates of all rows (unscrolled)."""
        left, right = self._bars_span(self.viewport().width() if width is None else width)
        share = self._scale.place(self._rows[row].log_probs[model])
        bars = len(self._models) * self._bar_height()
        top = row * self.row_height() + (self.row_height() - bars) / 2
        height = self._bar_height()
        return QRectF(left, top + model * height + 1, (right - left) * share, height - 2)

    def row_at(self, position: QPoint) -> int:
        """The row at a point of the viewport, −1 where there is none."""
        if position.y() >= self.viewport().height() - self.axis_height():
            return -1
        row = int((position.y() + self.verticalScrollBar().value()) // self.row_height())
        return row if 0 <= row < len(self._rows) else -1

    def _set_scroll_range(self) -> None:
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, math.ceil(self.full_height()) - self.viewport().height()))
        bar.setPageStep(max(1, self.viewport().height() - round(self.axis_height())))
        bar.setSingleStep(round(self.row_height()))

    def sizeHint(self) -> QSize:
        height = max(3, min(10, len(self._rows))) * self.row_height() + self.axis_height()
        return QSize(round(em(self.font()) * 30), round(height) + 2 * self.frameWidth())

    def minimumSizeHint(self) -> QSize:
        height = 2 * self.row_height() + self.axis_height()
        return QSize(round(em(self.font()) * 14), round(height) + 2 * self.frameWidth())

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        width, height = self.viewport().width(), self.viewport().height()
        scrolled = self.verticalScrollBar().value()
        room = height - self.axis_height()
        painter.setClipRect(QRectF(0, 0, width, room))
        painter.translate(0, -scrolled)
        first = max(0, int(scrolled // self.row_height()))
        last = min(len(self._rows), math.ceil((scrolled + room) / self.row_height()))
        self._paint_rows(painter, range(first, last), width)
        painter.resetTransform()
        painter.setClipping(False)
        self._paint_axis(painter, room, width, 0.0)

    def paint_all(self, painter: QPainter, width: float) -> None:
        """Paint every row and the axis from (0, 0), for export."""
        self._paint_rows(painter, range(len(self._rows)), width)
        bottom = len(self._rows) * self.row_height()
        self._paint_axis(painter, bottom, width, 0.0)

    def _paint_rows(self, painter: QPainter, rows: range, width: float) -> None:
        colours = colours_of(self.palette())
        painter.setFont(self.font())
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        bottom = len(self._rows) * self.row_height()
        left, right = self._bars_span(width)
        painter.setPen(QPen(colours.color("grid"), 1.0))
        for _, share in self._scale.ticks():
            x = round(left + (right - left) * share) + 0.5
            painter.drawLine(QPoint(int(x), 0), QPoint(int(x), int(bottom)))
        for index in rows:
            self._paint_row(painter, index, width, colours)

    def _paint_row(self, painter: QPainter, index: int, width: float, colours: Colours) -> None:
        row, face, height = self._rows[index], self._faces[index], self.row_height()
        band = QRectF(0, index * height, width, height)
        if index == self._current:
            painter.fillRect(band, colours.color("accent_soft"))
        elif index == self._hovered:
            painter.fillRect(band, mixed(colours.color("surface"), colours.color("accent"), 0.07))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pad = em(self.font()) * 0.4
        room = min(face.width, self._labels_width(width) - 2 * pad)
        top = band.top() + (height - self._chips.height) / 2
        look = ChipLook(
            fill=index % self._chips.fills,
            highlighted=row.token_id is not None and row.token_id == self._marked,
            current=index == self._current and self.hasFocus(),
            unknown=row.token_id in self._vocabulary.unknown_ids,
        )
        self._chips.paint(painter, QRectF(pad, top, room, self._chips.height), face, look)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        metrics = QFontMetricsF(self.font())
        for number, model in enumerate(self._models):
            bar = self.bar_rect(index, number, width)
            if bar.width() >= 1.0:
                paint_bar(painter, bar, model.kind, colours)
            painter.setPen(colours.color("text" if row.token_id is not None else "muted"))
            baseline = bar.center().y() + (metrics.ascent() - metrics.descent()) / 2
            text = _written(row.log_probs[number])
            if self._runs_off(row.log_probs[number]):
                text = f"→ {text}"
            painter.drawText(QRectF(bar.right() + pad, baseline, 0, 0).topLeft(), text)

    def _runs_off(self, log_prob: float) -> bool:
        return not math.isnan(log_prob) and math.exp(log_prob) > self._scale.top * (1 + 1e-9)

    def _paint_axis(self, painter: QPainter, top: float, width: float, left_edge: float) -> None:
        colours = colours_of(self.palette())
        left, right = self._bars_span(width)
        metrics = QFontMetricsF(self.font())
        painter.setFont(self.font())
        band = QRectF(left_edge, top, width, self.axis_height())
        painter.fillRect(band, self.palette().base())
        painter.setPen(QPen(colours.color("muted"), 1.0))
        painter.drawLine(QPoint(round(left), round(top)), QPoint(round(right), round(top)))
        painter.setPen(colours.color("muted"))
        taken = -math.inf
        for value, share in self._scale.ticks():
            text = format_probability(value).rstrip("0").rstrip(".") if value >= 0.001 else ""
            text = text or ("0" if value == 0 else format_probability(value))
            half = metrics.horizontalAdvance(text) / 2
            x = left + (right - left) * share
            if x - half > taken:
                baseline = top + metrics.ascent() + 3
                painter.drawText(QRectF(x - half, baseline, 0, 0).topLeft(), text)
                taken = x + half + metrics.averageCharWidth()
        title = metrics.elidedText(self.axis_title, Qt.TextElideMode.ElideRight, width - left)
        baseline = top + metrics.height() + metrics.ascent() + 3
        painter.drawText(QRectF(left, baseline, 0, 0).topLeft(), title)

    # Words

    def row_text(self, index: int) -> str:
        """What hovering over a row tells, as plain text."""
        row = self._rows[index]
        if row.token_id is None:
            lines = ["all tokens without a row of their own"]
        else:
            lines = [f"{isolate(self._vocabulary.text(row.token_id, 200))}   id {row.token_id}"]
            data = self._vocabulary.bytes_of(row.token_id)
            if data:
                lines.append(f"bytes {hex_bytes(data)}")
        for number, model in enumerate(self._models):
            line = f"{model.name}: {_written(row.log_probs[number])}"
            if row.ranks and row.ranks[number]:
                bits = -row.log_probs[number] / math.log(2.0)
                line += f", rank {row.ranks[number]:,}"
                line += f", {bits:.3f} bits" if math.isfinite(bits) else ""
            lines.append(line)
        return "\n".join(lines)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_scroll_range()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange):
            self._chips.restyle(self.font(), self.palette())
            self._faces = [self._face(row) for row in self._rows]
            self._set_scroll_range()
            self.updateGeometry()

    # Not viewportEvent: PySide crashes when painting raises inside an override that calls super.
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(-1)
        elif event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos())
            text = plain_tooltip(self.row_text(row)) if row >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return False

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            token = self._rows[row].token_id if row >= 0 else None
            self.hovered.emit(-1 if token is None else token)
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.row_at(event.position().toPoint()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.select_row(self.row_at(event.position().toPoint()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._activate(self.row_at(event.position().toPoint()))

    def _activate(self, row: int) -> None:
        token = self._rows[row].token_id if row >= 0 else None
        if token is not None:
            self.activated.emit(token)

    def select_row(self, row: int) -> None:
        """Move to a row and scroll to it; nothing happens for −1 and the row of all others."""
        if not 0 <= row < len(self._rows) or self._rows[row].token_id is None:
            return
        self._current = row
        top, bar = round(row * self.row_height()), self.verticalScrollBar()
        room = round(self.viewport().height() - self.axis_height() - self.row_height())
        bar.setValue(min(max(bar.value(), top - max(0, room)), top))
        self.setAccessibleDescription(self.row_text(row))
        event = QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
        QAccessible.updateAccessibility(event)
        self.viewport().update()
        token = self._rows[row].token_id
        if token is not None:
            self.selected.emit(token)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        last = len(self._rows) - 1
        if last >= 0 and self._rows[last].token_id is None:
            last -= 1
        targets = {
            Qt.Key.Key_Up: max(0, self._current - 1),
            Qt.Key.Key_Down: min(last, self._current + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        if event.key() in targets:
            self.select_row(targets[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate(self._current)
        else:
            super().keyPressEvent(event)


def _written(log_prob: float) -> str:
    return "undefined" if math.isnan(log_prob) else format_log_probability(log_prob)
