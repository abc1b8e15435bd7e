"""Where every head of a layer reads: a line from each key to the position, and all maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from gui import theme
from gui.transformer.cell_grid import CellGrid
from gui.transformer.looking import Look
from gui.transformer.values import Cells, token_names
from gui.widgets.exports import ExportButton, write_csv, write_png, write_svg
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of, em
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.token_text import isolate

_MOST_KEYS = 200


class AttentionLines(QWidget):
    """The window's tokens in a row; below it a line for every head with an arc from the position
    looked at to each key, as thick as its attention."""

    head_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self._weights = np.empty((0, 0))
        self._position, self._head = 0, 0
        self.setAccessibleName("Attention of every head as lines")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_weights(
        self, names: tuple[str, ...], weights: np.ndarray, position: int, head: int
    ) -> None:
        """Show attention.

        Args:
            names: the tokens up to the position.
            weights: (H, position + 1), rows sum to 1.
            position: where is read from.
            head: the head that is marked.
        """
        self._names, self._weights = names, weights
        self._position, self._head = position, head
        tops = [f"head {h + 1}: {names[int(w.argmax())]}" for h, w in enumerate(weights)]
        self.setAccessibleDescription("Read most: " + "; ".join(tops))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        unit, heads = em(self.font()), len(self._weights)
        return QSize(round(unit * 20), round(unit * (1.5 + 2.6 * heads)))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 12), self.sizeHint().height())

    def _x(self, j: int) -> float:
        unit, n = em(self.font()), len(self._names)
        left = unit * 7.0
        return left + (j + 0.5) * max(1.0, (self.width() - left - unit * 0.3)) / n

    def lane(self, head: int) -> QRectF:
        """Where a head's arcs are."""
        unit = em(self.font())
        return QRectF(0, unit * (1.5 + 2.6 * head), self.width(), unit * 2.5)

    def paintEvent(self, event: QPaintEvent) -> None:
        self.paint(QPainter(self))

    def paint(self, painter: QPainter) -> None:
        """The whole picture, from (0, 0)."""
        if not self._names:
            return
        colours, unit = colours_of(self.palette()), em(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._write_tokens(painter, unit)
        for head, weights in enumerate(self._weights):
            lane = self.lane(head)
            if head == self._head:
                painter.fillRect(lane, colours.color("accent_soft"))
            painter.setPen(colours.color("text"))
            best = int(weights.argmax())
            most = format_probability(float(weights[best]))
            said = f"Head {head + 1}\n{most} {self._names[best]}"
            left = QRectF(unit * 0.3, lane.top(), unit * 6.6, lane.height())
            painter.drawText(left, int(Qt.AlignmentFlag.AlignVCenter), said)
            base, to = lane.top() + unit * 0.35, self._x(self._position)
            for j in np.argsort(weights).tolist():
                weight = float(weights[j])
                if weight < 0.004:
                    continue  # thinner than a tenth of a pixel
                colour = QColor(colours.series("transformer"))
                colour.setAlphaF(min(1.0, 0.15 + weight))
                pen = QPen(colour, max(0.6, weight * unit * 0.5))
                pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                x = self._x(j)
                if j == self._position:
                    painter.drawEllipse(QPointF(x, base + unit * 0.35), unit * 0.3, unit * 0.3)
                    continue
                depth = lane.height() * (0.35 + 0.6 * (to - x) / max(1.0, self.width()))
                path = QPainterPath(QPointF(x, base))
                path.cubicTo(QPointF(x, base + depth), QPointF(to, base + depth), QPointF(to, base))
                painter.drawPath(path)

    def _write_tokens(self, painter: QPainter, unit: float) -> None:
        colours, metrics = colours_of(self.palette()), QFontMetricsF(self.font())
        n = len(self._names)
        room = (self._x(1) - self._x(0)) if n > 1 else unit * 6
        every = max(1, int(np.ceil(unit * 2.2 / room)))
        for j in range(0, n, every):
            rect = QRectF(self._x(j) - room * every / 2, 0, room * every, unit * 1.3)
            painter.setPen(colours.color("accent" if j == self._position else "muted"))
            name = metrics.elidedText(self._names[j], Qt.TextElideMode.ElideRight, rect.width() - 2)
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), name)

    def _at(self, point: QPointF) -> tuple[int, int]:
        heads = [h for h in range(len(self._weights)) if self.lane(h).contains(point)]
        keys = range(len(self._names))
        near = min(keys, key=lambda j: abs(self._x(j) - point.x()), default=-1)
        return (heads[0] if heads else -1), near

    def mousePressEvent(self, event: QMouseEvent) -> None:
        head, _ = self._at(event.position())
        if head >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.head_chosen.emit(head)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            head, j = self._at(QPointF(event.pos()))
            if head >= 0 and j >= 0:
                p = format_probability(float(self._weights[head, j]))
                words = f"head {head + 1} reads {p} from position {j} {isolate(self._names[j])}"
                QToolTip.showText(event.globalPos(), plain_tooltip(words), self)
            return True
        return super().event(event)

    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv" (LabError if it cannot be written)."""
        ground = colours_of(self.palette()).color("surface")
        if ending == "csv":
            rows = ([f"head {h + 1}", *w] for h, w in enumerate(self._weights.tolist()))
            write_csv(Path(path), ["head", *self._names], rows)
        elif ending == "svg":
            write_svg(Path(path), self.size(), "Attention", ground, self.paint)
        else:
            write_png(Path(path), self.size(), ground, self.paint)


class HeadsView(QWidget):
    """All heads of a layer as lines, and one of them as a map."""

    head_chosen = Signal(int, int)
    """A layer and a head."""
    position_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look: Look | None = None
        self._layer = self._head = 0
        caption = QLabel("&Layer")
        self.layer_box = QComboBox()
        self.layer_box.setAccessibleName("Layer")
        self.layer_box.setToolTip("The layer whose heads are shown.")
        caption.setBuddy(self.layer_box)
        self.layer_box.activated.connect(self._layer_chosen)
        self.export_button = ExportButton("Attention lines", self)
        tools = FlowRow(self)
        for widget in (caption, self.layer_box, self.export_button):
            tools.add(widget)
        self.words = plain_label(
            "Where the position looked at reads from, head by head; thicker is more, and the token "
            "read most stands at the left with its share. Attention "
            "shows where information is read, not why, and not whether the prediction depends "
            "on it: switch a head off to see that.",
            self,
            wrap=True,
        )
        self.lines = AttentionLines(self)
        self.lines.head_chosen.connect(self._head_clicked)
        self.export_button.wanted.connect(self.lines.export)
        self.map_title = plain_label("", self, wrap=True)
        theme.set_text_role(self.map_title, "strong")
        self.map = CellGrid(self)
        self.map.setToolTip("Click a row to look at its position.")
        self.map.chosen.connect(self._cell_chosen)
        column = QVBoxLayout(self)
        for each in (tools, self.words, self.lines, self.map_title, self.map):
            column.addWidget(each)
        column.addStretch(1)

    def show_look(self, look: Look, layer: int, head: int) -> None:
        """Show a layer of a look."""
        self._look, self._layer, self._head = look, layer, head
        count = look.inside.config.layers
        if self.layer_box.count() != count:
            self.layer_box.clear()
            self.layer_box.addItems([f"{n + 1}" for n in range(count)])
        self.layer_box.setCurrentIndex(layer)
        t, names = look.position, token_names(look)
        first = max(0, t + 1 - _MOST_KEYS)
        pattern = look.inside.layers[layer]["pattern"]  # (H, T, T)
        self.lines.show_weights(names[first : t + 1], pattern[:, t, first : t + 1], t - first, head)
        cells = Cells(
            pattern[head].astype(np.float64), names, names, "query t", "key j", False,
            marked_row=t, blank_future=True,
        )  # fmt: skip
        self.map_title.setText(f"Layer {layer + 1}, head {head + 1}: every query and key")
        best = int(pattern[head, t, : t + 1].argmax())
        self.map.show_cells(cells, self.map_title.text(), (t, best))

    @Slot(int)
    def _layer_chosen(self, layer: int) -> None:
        self.head_chosen.emit(layer, self._head)

    @Slot(int)
    def _head_clicked(self, head: int) -> None:
        self.head_chosen.emit(self._layer, head)

    @Slot(int, int)
    def _cell_chosen(self, row: int, column: int) -> None:
        self.position_chosen.emit(row)
