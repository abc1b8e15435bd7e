"""Sampling made visible: each token before and after the rules, and the dice on the sum."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBrush,
    QFontMetricsF,
    QHelpEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from engine.generation import Cut, SampledDistribution
from engine.models import LogProbs
from gui.colours import Colours
from gui.widgets.chip_painter import ChipLook, ChipPainter
from gui.widgets.look import colours_of, em
from gui.widgets.numbers import format_probability
from gui.widgets.safe_text import plain_tooltip
from gui.widgets.token_text import Vocabulary, isolate

FEWEST_ROWS = 6
_LONGEST_CHIP = 20
_WORDS = {
    Cut.TOP_K: "cut by top-k",
    Cut.TOP_P: "cut by top-p",
    Cut.IMPOSSIBLE: "impossible",
}


class _Painted(QWidget):
    """What both widgets share: a chip painter that follows font and palette."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._chips = ChipPainter(self.font(), self.palette())
        self._vocabulary = Vocabulary(lambda i: b"")
        self._sampled: SampledDistribution | None = None
        self._words = ""
        self._kind = "neutral"

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event.type() in kinds:
            self._chips.restyle(self.font(), self.palette())
            self.updateGeometry()
            self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.told_at(event.pos())
            if text:
                QToolTip.showText(event.globalPos(), plain_tooltip(text), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def told_at(self, position: QPoint) -> str:
        """What hovering there tells; empty for nothing."""
        return ""


class BenchBars(_Painted):
    """The likeliest tokens: an outline for the model's own probability, a filled bar for what
    the rules make of it, hatched where it is cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Probabilities before and after the sampling rules", parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._p = np.empty(0)

    def show_rules(
        self, log_probs: LogProbs, sampled: SampledDistribution, kind: str, vocabulary: Vocabulary
    ) -> None:
        """Show what rules make of a distribution."""
        self._p = np.exp(log_probs)
        self._sampled, self._kind, self._vocabulary = sampled, kind, vocabulary
        self._words = ""
        best = [self.row_text(i) for i in range(min(5, self.rows()))]
        self.setAccessibleDescription("; ".join(best))
        self.update()

    def say(self, words: str) -> None:
        """Say why there are no bars."""
        self._sampled, self._words = None, words
        self.setAccessibleDescription(words)
        self.update()

    def rows(self) -> int:
        """How many tokens are shown."""
        if self._sampled is None:
            return 0
        room = math.floor((self.height() - self._top()) / self._pitch()) - 1
        return min(len(self._sampled.ranked), max(FEWEST_ROWS, room))

    def row_text(self, index: int) -> str:
        """All that is known of a row."""
        sampled = self._sampled
        if sampled is None or not 0 <= index < self.rows():
            return ""
        token = int(sampled.ranked[index])
        rule = Cut(int(sampled.cut[token]))
        after = _WORDS.get(rule) or format_probability(float(sampled.probabilities[token]))
        return (
            f"{isolate(self._vocabulary.text(token, 200))}\n"
            f"the model: {format_probability(float(self._p[token]))}\n"
            f"at temperature τ: {format_probability(float(sampled.at_temperature[token]))}\n"
            f"after all rules: {after}"
        )

    def told_at(self, position: QPoint) -> str:
        return self.row_text(math.floor((position.y() - self._top()) / self._pitch()))

    def _top(self) -> float:
        return round(em(self.font()) * 1.4)

    def _pitch(self) -> float:
        return self._chips.height + 2 * self._chips.gap

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 30), round(self._top() + (FEWEST_ROWS + 1) * self._pitch()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        painter.setFont(self.font())
        colours = colours_of(self.palette())
        sampled = self._sampled
        if sampled is None:
            painter.setPen(colours.color("muted"))
            flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()), int(flags), self._words)
            return
        unit, metrics = em(self.font()), QFontMetricsF(self.font())
        rows = self.rows()
        tokens = sampled.ranked[:rows].tolist()
        # Remembered by what they say: an id means something else in another vocabulary.
        texts = [self._vocabulary.pieces(t, _LONGEST_CHIP) for t in tokens]
        faces = [self._chips.face(tuple(pieces), pieces) for pieces in texts]
        chips = min(max(face.width for face in faces), self.width() * 0.25)
        number = metrics.horizontalAdvance("8.88×10⁻⁸⁸ ") + unit * 0.3
        said = metrics.horizontalAdvance("cut by top-k  ")
        left = chips + unit * 0.8
        length = max(unit, self.width() - left - unit * 0.4 - 2 * number - said)
        top = max(
            float(np.max(self._p[tokens])),
            float(np.max(sampled.probabilities)),
            float(np.max(sampled.at_temperature)),
        )
        x = left + length + unit * 0.4
        painter.setPen(colours.color("muted"))
        for at, width, title in (
            (x, number, "model"),
            (x + number, number, "at τ"),
            (x + 2 * number, said, "to draw"),
        ):
            box = QRectF(at, 0, width + unit * 2, self._top())
            shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, width)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), shown)
        for index, (token, face) in enumerate(zip(tokens, faces, strict=True)):
            y = self._top() + index * self._pitch()
            width = min(face.width, chips)
            spot = QRectF(chips - width, y + self._chips.gap, width, self._chips.height)
            painter.setFont(self._chips.font)
            self._chips.paint(painter, spot, face, ChipLook(fill=index))
            painter.setFont(self.font())
            self._paint_row(painter, token, QRectF(left, y, length, self._pitch()), top, colours)
            rule = Cut(int(sampled.cut[token]))
            figures = (
                (x, format_probability(float(self._p[token]))),
                (x + number, format_probability(float(sampled.at_temperature[token]))),
                (
                    x + 2 * number,
                    _WORDS.get(rule) or format_probability(float(sampled.probabilities[token])),
                ),
            )
            for at, text in figures:
                kept = rule is Cut.KEPT
                painter.setPen(colours.color("text" if kept else "muted"))
                box = QRectF(at, y, said + number, self._pitch())
                painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), text)
        self._paint_rest(painter, tokens, rows, x, colours, left)

    def _paint_row(
        self, painter: QPainter, token: int, area: QRectF, top: float, colours: Colours
    ) -> None:
        sampled = self._sampled
        assert sampled is not None
        height = area.height() * 0.56
        y = area.top() + area.height() * 0.22
        colour = colours.series(self._kind)
        kept = sampled.cut[token] == Cut.KEPT
        p = float(sampled.probabilities[token] if kept else sampled.at_temperature[token])
        bar = QRectF(area.left(), y, p / top * area.width(), height)
        painter.setPen(Qt.PenStyle.NoPen)
        brush = QBrush(colour) if kept else QBrush(colours.color("muted"))
        if not kept:
            brush.setStyle(Qt.BrushStyle.BDiagPattern)
        painter.setBrush(brush)
        painter.drawRect(bar)
        own = QRectF(area.left(), y, float(self._p[token]) / top * area.width(), height)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colours.color("text"), 1.2))
        painter.drawRect(own)

    def _paint_rest(
        self,
        painter: QPainter,
        tokens: list[int],
        rows: int,
        x: float,
        colours: Colours,
        left: float,
    ) -> None:
        sampled = self._sampled
        assert sampled is not None
        more = len(sampled.ranked) - rows
        if more <= 0:
            return
        kept = float(1 - sampled.probabilities[tokens].sum())
        own = max(0.0, float(1 - self._p[tokens].sum()))
        y = self._top() + rows * self._pitch()
        painter.setPen(colours.color("muted"))
        flags = int(Qt.AlignmentFlag.AlignVCenter)
        box = QRectF(left, y, x - left, self._pitch())
        shown = QFontMetricsF(self.font()).elidedText(
            f"… {more:,} more tokens together: {format_probability(own)} under the model, "
            f"{format_probability(max(0.0, kept) if kept > 1e-12 else 0.0)} to draw from",
            Qt.TextElideMode.ElideRight,
            self.width() - left,
        )
        painter.drawText(box.adjusted(0, 0, self.width(), 0), flags, shown)


class DiceBar(_Painted):
    """The cumulative distribution from 0 to 1, a piece for each token that can be drawn, and
    the place where the dice fell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Cumulative distribution", parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._u: float | None = None

    def show_sum(self, sampled: SampledDistribution | None, vocabulary: Vocabulary) -> None:
        """Show the pieces; None for none."""
        self._sampled, self._vocabulary = sampled, vocabulary
        self.update()

    def show_dice(self, u: float | None) -> None:
        """Show where a number fell; None for nowhere."""
        self._u = u
        self.setAccessibleDescription("" if u is None else f"u = {u:.4f}")
        self.update()

    def told_at(self, position: QPoint) -> str:
        share = position.x() / max(1, self.width())
        if self._sampled is None or not 0 <= share < 1:
            return ""
        token = self._sampled.token_at(share)
        index = int(np.flatnonzero(self._sampled.ranked == token)[0])
        ends = self._sampled.cumulative
        low = float(ends[index - 1]) if index else 0.0
        name = isolate(self._vocabulary.text(token, 200))
        return f"{name}\nfrom {low:.4f} up to {float(ends[index]):.4f}"

    def _bar(self) -> QRectF:
        unit = em(self.font())
        return QRectF(0.5, unit * 1.5, self.width() - 1, unit * 1.5)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 12), round(unit * 4.3))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        colours, bar, unit = colours_of(self.palette()), self._bar(), em(self.font())
        painter.setPen(QPen(colours.color("border"), 1))
        painter.drawRect(bar)
        painter.setPen(colours.color("muted"))
        for share, align in ((0.0, "Left"), (0.5, "HCenter"), (1.0, "Right")):
            box = QRectF(share * bar.width() - 50, bar.bottom() + unit * 0.2, 100, unit * 1.2)
            box.moveLeft(min(max(0.0, box.left()), self.width() - 100))
            flag = getattr(Qt.AlignmentFlag, f"Align{align}")
            painter.drawText(box, int(flag | Qt.AlignmentFlag.AlignTop), f"{share:g}")
        if self._sampled is None:
            return
        self._paint_pieces(painter, bar, colours)
        if self._u is not None:
            self._paint_dice(painter, bar, colours, self._u)

    def _paint_pieces(self, painter: QPainter, bar: QRectF, colours: Colours) -> None:
        sampled = self._sampled
        assert sampled is not None
        metrics = QFontMetricsF(self.font())
        before = 0.0
        for index, end in enumerate(sampled.cumulative.tolist()):
            piece = QRectF(
                bar.left() + before * bar.width(), bar.top(), (end - before) * bar.width(), 0
            )
            piece.setHeight(bar.height())
            before = end
            if piece.width() < 0.3:  # nothing would be seen of it, nor of those behind it
                rest = QRectF(piece.left(), bar.top(), bar.right() - piece.left(), bar.height())
                painter.fillRect(rest, colours.color("grid"))
                break
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.chip(index))
            painter.drawRect(piece)
            text = self._vocabulary.text(int(sampled.ranked[index]), _LONGEST_CHIP)
            if metrics.horizontalAdvance(text) + 6 < piece.width():
                painter.setPen(colours.color("chip_text"))
                painter.drawText(piece, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_dice(self, painter: QPainter, bar: QRectF, colours: Colours, u: float) -> None:
        unit = em(self.font())
        x = bar.left() + u * bar.width()
        colour = colours.color("bad")
        painter.setPen(QPen(colour, 2))
        painter.drawLine(QPointF(x, bar.top() - unit * 0.3), QPointF(x, bar.bottom()))
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        tip = unit * 0.35
        painter.drawPolygon(
            QPolygonF(
                [
                    QPointF(x, bar.top()),
                    QPointF(x - tip, bar.top() - 1.6 * tip),
                    QPointF(x + tip, bar.top() - 1.6 * tip),
                ]
            )
        )
        painter.setPen(colours.color("text"))
        label = f"u = {u:.4f}"
        width = QFontMetricsF(self.font()).horizontalAdvance(label) + 4
        left = x + unit * 0.6 if x + unit * 0.6 + width < bar.right() else x - unit * 0.6 - width
        painter.drawText(
            QRectF(left, 0, width, unit * 1.3), int(Qt.AlignmentFlag.AlignVCenter), label
        )
