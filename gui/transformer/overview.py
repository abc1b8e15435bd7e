"""The whole model as a column of blocks, each with its real values for the position looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.colours import Colours
from gui.transformer.cell_grid import largest
from gui.transformer.looking import Look
from gui.transformer.steps import Stage
from gui.widgets.bar_style import paint_bar
from gui.widgets.colour_bar import shaded
from gui.widgets.exports import write_csv, write_picture
from gui.widgets.look import colours_of, em
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import Vocabulary

_TOP_TOKENS = 4
_TIPS = {
    "embedding": "The token's row of W, where the residual stream begins.",
    "attention": "Reads from earlier positions. One small map a head: rows are queries, columns "
    "are keys, darker is more. Click a map for its head.",
    "ffn": "Works on each position by itself. The strip shows its hidden numbers.",
    "output": "The last vector gives the distribution over the next token.",
}


@dataclass
class _Block:
    """One stage as painted."""

    stage: int
    title: str
    symbol: str
    """What the strip below it holds."""
    strip: np.ndarray
    """The residual stream after the stage; empty for the output."""
    maps: list[np.ndarray] = field(default_factory=list)
    hidden: np.ndarray | None = None
    off: bool = False
    bypassed: bool = False
    """Whether there is no residual connection around it."""
    off_heads: frozenset[int] = frozenset()
    rect: QRectF = field(default_factory=QRectF)
    inner: QRectF = field(default_factory=QRectF)


class Overview(QWidget):
    """Blocks from the embedding at the top to the next token at the bottom.

    A click, or the up and down keys, choose a block; a click on a small map also its head.
    """

    chosen = Signal(int, int)
    """A stage, and the head that was clicked or −1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._blocks: list[_Block] = []
        self._tops: list[tuple[str, float]] = []
        self._stage, self._head, self._position = 0, 0, 0
        self._images: dict[tuple[int, str, int], QImage] = {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("The model, block by block")

    # ------------------------------------------------------------------------------- what is shown
    def show_look(self, look: Look, stages: tuple[Stage, ...]) -> None:
        """Show the values of a look."""
        inside, t, switches = look.inside, look.position, look.switches
        config = inside.config
        self._blocks, self._position = [], t
        for number, stage in enumerate(stages):
            layer = inside.layers[stage.layer] if stage.key in ("attention", "ffn") else {}
            none = not config.residual or stage.layer in switches.residuals
            if stage.key == "embedding":
                start = inside.layers[0]["resid_pre"][t]
                block = _Block(number, stage.title, "xₜ", start)
            elif stage.key == "attention":
                block = _Block(number, stage.title, "oₜ", layer["resid_mid"][t], bypassed=none)
                block.maps = list(layer["pattern"])
                heads = {head for where, head in switches.heads if where == stage.layer}
                block.off_heads = frozenset(heads)
                block.off = len(heads) == config.heads
            elif stage.key == "ffn":
                block = _Block(number, stage.title, "xₜ", layer["resid_post"][t], bypassed=none)
                block.hidden, block.off = layer["mlp_post"][t], stage.layer in switches.ffns
            else:
                block = _Block(number, stage.title, "", np.empty(0))
            self._blocks.append(block)
        vocabulary = Vocabulary.of(look.run.tokenizer.tokenizer)
        order = np.argsort(-look.log_probs, kind="stable")[:_TOP_TOKENS]
        self._tops = [(vocabulary.text(int(i), 14), math.exp(look.log_probs[i])) for i in order]
        self._images.clear()
        self._place()
        self.updateGeometry()
        self.update()

    def set_chosen(self, stage: int, head: int) -> None:
        """Mark a stage and a head; emits nothing."""
        self._stage, self._head = stage, head
        if 0 <= stage < len(self._blocks):
            self.setAccessibleDescription(f"{self._blocks[stage].title} is shown.")
        self.update()

    # ------------------------------------------------------------------------------------- measures
    def sizeHint(self) -> QSize:
        self._place()
        bottom = max((b.rect.bottom() for b in self._blocks), default=0.0)
        return QSize(round(em(self.font()) * 17), round(bottom + em(self.font()) * 0.6))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(em(self.font()) * 13), self.sizeHint().height())

    def _map_size(self, block: _Block, width: float) -> float:
        unit, heads = em(self.font()), len(block.maps)
        per_line = min(heads, max(1, int(width / (unit * 2.2))))
        return min(unit * 3.2, width / per_line - 4)

    def _place(self) -> None:
        unit, y = em(self.font()), em(self.font()) * 0.3
        left, width = unit * 1.6, max(unit * 8, self.width() - unit * 2.2)
        for block in self._blocks:
            height = unit * 1.4
            if block.maps:
                size = self._map_size(block, width - unit)
                per_line = max(1, int((width - unit + 4) // (size + 4)))
                height += math.ceil(len(block.maps) / per_line) * (size + 4)
            elif block.hidden is not None:
                height += unit * 0.7
            elif not block.strip.size:
                height += len(self._tops) * unit * 1.2
            block.rect = QRectF(left, y, width, height + unit * 0.3)
            block.inner = QRectF(left + unit * 0.5, y + unit * 1.4, width - unit, height - unit)
            y += block.rect.height() + unit * (1.7 if block.strip.size else 0.0)

    def map_rect(self, block: int, head: int) -> QRectF:
        """Where a head's small map is."""
        found = self._blocks[block]
        size = self._map_size(found, found.inner.width())
        per_line = max(1, int((found.inner.width() + 4) // (size + 4)))
        x = found.inner.left() + head % per_line * (size + 4)
        return QRectF(x, found.inner.top() + head // per_line * (size + 4), size, size)

    def block_rect(self, stage: int) -> QRectF:
        """Where a stage's block is."""
        return self._blocks[stage].rect

    # ------------------------------------------------------------------------------------- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        self._place()
        painter = QPainter(self)
        self.paint(painter)

    def paint(self, painter: QPainter) -> None:
        """The whole picture, from (0, 0)."""
        colours, unit = colours_of(self.palette()), em(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        for number in reversed(range(len(self._blocks))):  # each line ends under the ⊕ above it
            self._paint_stream(painter, number, colours, unit)
        for block in self._blocks:
            self._paint_block(painter, block, colours, unit)

    def _paint_stream(self, painter: QPainter, number: int, colours: Colours, unit: float) -> None:
        """The line of the residual stream beside a block, and the strip below it."""
        block = self._blocks[number]
        x, pen = unit * 0.8, QPen(colours.color("accent"), max(2.0, unit * 0.14))
        last = number == len(self._blocks) - 1
        painter.setPen(pen)
        middle = block.rect.center().y()
        if number:
            top = self._blocks[number - 1].rect.bottom() + unit * 0.5
            if block.bypassed or last:
                painter.drawLine(QPointF(x, top), QPointF(x, middle))
            else:
                painter.drawLine(QPointF(x, top), QPointF(x, block.rect.bottom() + unit * 0.5))
            painter.drawLine(QPointF(x, middle), QPointF(block.rect.left(), middle))
        if not block.strip.size:
            return
        below = QRectF(block.rect.left(), block.rect.bottom() + unit * 0.15, unit * 1.4, unit * 1.4)
        strip = QRectF(below.right(), below.top() + unit * 0.25, 0, unit * 0.8)
        strip.setRight(block.rect.right())
        painter.drawLine(QPointF(x, below.center().y()), QPointF(below.left(), below.center().y()))
        painter.setPen(colours.color("text"))
        painter.setBrush(colours.color("surface"))
        if number and not block.bypassed:
            painter.setPen(QPen(colours.color("accent"), 1.5))
            circle, arm = QPointF(x, below.center().y()), unit * 0.26
            painter.drawEllipse(circle, unit * 0.42, unit * 0.42)
            painter.drawLine(circle - QPointF(arm, 0), circle + QPointF(arm, 0))
            painter.drawLine(circle - QPointF(0, arm), circle + QPointF(0, arm))
        painter.setPen(colours.color("text"))
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), block.symbol)
        self._paint_strip(painter, strip, block.stage, "strip", block.strip, colours)

    def _paint_strip(
        self,
        painter: QPainter,
        rect: QRectF,
        stage: int,
        kind: str,
        values: np.ndarray,
        colours: Colours,
    ) -> None:
        key = (stage, kind, 0)
        if key not in self._images:
            self._images[key] = shaded(values[None], largest(values), True, colours)
        painter.drawImage(rect, self._images[key])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colours.color("border"), 1.0))
        painter.drawRect(rect)

    def _paint_block(self, painter: QPainter, block: _Block, colours: Colours, unit: float) -> None:
        chosen = block.stage == self._stage
        painter.setBrush(colours.color("accent_soft" if chosen else "surface"))
        edge = colours.color("accent" if chosen else "border")
        painter.setPen(QPen(edge, 2.0 if chosen and self.hasFocus() else 1.0))
        painter.drawRoundedRect(block.rect, 6, 6)
        painter.setPen(colours.color("muted" if block.off else "text"))
        title = block.title + (" (off)" if block.off else "")
        line = QRectF(block.inner.left(), block.rect.top() + 2, block.inner.width(), unit * 1.2)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), title)
        if block.off:
            painter.setOpacity(0.35)
        for head, pattern in enumerate(block.maps):
            self._paint_map(painter, block, head, pattern, colours)
        if block.hidden is not None:
            rect = QRectF(block.inner)
            rect.setHeight(unit * 0.6)
            self._paint_strip(painter, rect, block.stage, "hidden", block.hidden, colours)
        painter.setOpacity(1.0)
        if not block.strip.size:
            self._paint_tops(painter, block, colours, unit)

    def _paint_map(
        self, painter: QPainter, block: _Block, head: int, pattern: np.ndarray, colours: Colours
    ) -> None:
        key = (block.stage, "map", head)
        if key not in self._images:
            self._images[key] = shaded(pattern, 1.0, False, colours)
        rect = self.map_rect(block.stage, head)
        painter.save()
        painter.setOpacity(0.25 if head in block.off_heads else painter.opacity())
        painter.drawImage(rect, self._images[key])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        here = block.stage == self._stage and head == self._head
        painter.setPen(QPen(colours.color("accent" if here else "border"), 2.0 if here else 1.0))
        painter.drawRect(rect)
        if head in block.off_heads:
            painter.setOpacity(1.0)
            painter.drawLine(rect.topLeft(), rect.bottomRight())
        painter.restore()

    def _paint_tops(self, painter: QPainter, block: _Block, colours: Colours, unit: float) -> None:
        metrics = QFontMetricsF(self.font())
        words = block.inner.width() * 0.4
        number = metrics.horizontalAdvance("0.000×10⁻⁰")
        room = max(4.0, block.inner.width() - words - number - unit * 0.6)
        for i, (name, p) in enumerate(self._tops):
            y = block.inner.top() + i * unit * 1.2
            painter.setPen(colours.color("text"))
            shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, words)
            left = QRectF(block.inner.left(), y, words, unit * 1.2)
            painter.drawText(left, int(Qt.AlignmentFlag.AlignVCenter), shown)
            bar = QRectF(left.right() + 2, y + unit * 0.2, max(1.0, room * p), unit * 0.8)
            paint_bar(painter, bar, "transformer", colours)
            painter.setPen(colours.color("text"))
            place = QRectF(left.right() + room + unit * 0.4, y, number, unit * 1.2)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), format_probability(p))

    # --------------------------------------------------------------------------------------- export
    def export(self, ending: str, path: str) -> None:
        """Save the picture as "png" or "svg", or its numbers as "csv": the residual stream after
        each block, the FFNs' hidden numbers, what the position reads from each other in every
        head, and the likeliest next tokens (LabError if the file cannot be written)."""
        if ending == "csv":
            write_csv(Path(path), ["block", "quantity", "number", "value"], self._numbers())
            return
        ground = self.palette().color(QPalette.ColorRole.Window)
        write_picture(ending, Path(path), self.size(), "The model", ground, self.paint)

    def _numbers(self) -> Iterator[tuple[str, str, object, float]]:
        for block in self._blocks:
            for head, pattern in enumerate(block.maps, 1):
                for key, share in enumerate(pattern[self._position]):
                    yield block.title, f"head {head}: attention to position", key, float(share)
            if block.hidden is not None:
                for number, value in enumerate(block.hidden, 1):
                    yield block.title, "hidden number", number, float(value)
            for number, value in enumerate(block.strip, 1):
                yield block.title, f"{block.symbol} after it", number, float(value)
        if self._blocks:
            for name, p in self._tops:
                yield self._blocks[-1].title, "probability of", name, p

    # --------------------------------------------------------------------------------------- events
    def _block_at(self, point: QPointF) -> int:
        unit = em(self.font())
        for number, block in enumerate(self._blocks):
            reach = block.rect.adjusted(-unit * 1.6, 0, 0, unit * 1.7 if block.strip.size else 0)
            if reach.contains(point):
                return number
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        number = self._block_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or number < 0:
            return
        heads = range(len(self._blocks[number].maps))
        on = [h for h in heads if self.map_rect(number, h).contains(event.position())]
        self.chosen.emit(number, on[0] if on else -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is None or not self._blocks:
            super().keyPressEvent(event)
            return
        self.chosen.emit(min(max(self._stage + step, 0), len(self._blocks) - 1), -1)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            number = self._block_at(QPointF(event.pos()))
            if number >= 0:
                title = self._blocks[number].title
                key = next(k for k in ("attention", "FFN", "Embedding", "Next") if k in title)
                name = {"FFN": "ffn", "Embedding": "embedding", "Next": "output"}.get(key, key)
                QToolTip.showText(event.globalPos(), plain_tooltip(_TIPS[name]), self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._images.clear()
            self.updateGeometry()
