"""What one token chip looks like: measured once, painted anywhere, the same in every widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPalette, QPen

from gui.widgets.look import colours_of, em, mixed, readable_on
from gui.widgets.token_text import Piece

MOST_CHARACTERS = 48
"""Longer tokens are cut on their chip; hovering tells all of them."""

_MOST_FACES = 50_000


@dataclass(frozen=True, slots=True)
class ChipFace:
    """A token's text, measured: what to draw where inside a chip."""

    parts: tuple[tuple[str, float, bool], ...]  # text, x from the chip's left edge, faint
    width: float  # of the whole chip, padding included
    text: str
    broken: bool  # whether it holds bytes that are no text


@dataclass(frozen=True, slots=True)
class ChipLook:
    """How a chip stands out from its neighbours."""

    fill: int = 0
    """Which of the alternating fills."""
    highlighted: bool = False
    hovered: bool = False
    selected: bool = False
    current: bool = False
    """Whether the keyboard is on it."""
    unknown: bool = False
    value: float | None = None
    """0 … 1: fill by value instead of alternating."""


class ChipPainter:
    """Measures and paints chips for one font and palette."""

    def __init__(self, font: QFont, palette: QPalette) -> None:
        self._faces: dict[object, ChipFace] = {}
        self.restyle(font, palette)

    def restyle(self, font: QFont, palette: QPalette) -> None:
        """Take another font and palette; everything measured before is forgotten."""
        self._faces.clear()
        self.font = QFont(font)
        self._metrics = QFontMetricsF(self.font)
        unit = em(self.font)
        self.padding = round(unit * 0.3)
        self.height = round(unit * 1.3)
        self.gap = max(1, round(unit * 0.12))
        self.radius = unit * 0.28
        self._baseline = (self.height - self._metrics.height()) / 2 + self._metrics.ascent()
        colours = colours_of(palette)
        self._text = colours.color("chip_text")
        self._accent = colours.color("accent")
        self._edge = colours.color("warning")
        self._fills = [QBrush(QColor(name)) for name in colours.chips]
        self._hovered = [QBrush(mixed(b.color(), self._accent, 0.3)) for b in self._fills]
        self._lit = QBrush(colours.color("highlight"))
        self._lit_text = colours.color("highlight_text")
        self._selected = QBrush(mixed(colours.color("accent_soft"), self._accent, 0.2))
        self._unknown = QBrush(colours.color("unknown"))
        self._heat = [QBrush(colours.heat_color(i / 32)) for i in range(33)]
        self._heat_text = [readable_on(brush.color()) for brush in self._heat]

    @property
    def fills(self) -> int:
        """How many fills alternate."""
        return len(self._fills)

    def face(self, key: object, pieces: Sequence[Piece]) -> ChipFace:
        """The measured face of ``pieces``, remembered under ``key``."""
        known = self._faces.get(key)
        return known if known is not None else self._measure(key, pieces)

    def known_face(self, key: object) -> ChipFace | None:
        """The face measured before under ``key``, if any."""
        return self._faces.get(key)

    def _measure(self, key: object, pieces: Sequence[Piece]) -> ChipFace:
        if len(self._faces) >= _MOST_FACES:
            self._faces.clear()
        x = float(self.padding)
        parts = []
        for piece in pieces:
            parts.append((piece.text, x, piece.kind != "text"))
            x += self._metrics.horizontalAdvance(piece.text)
        text = "".join(piece.text for piece in pieces)
        # At least about square, so that a chip of one thin letter can still be hit.
        width = max(round(x + self.padding), round(self.height * 0.7))
        broken = any(piece.kind == "bytes" for piece in pieces)
        face = ChipFace(tuple(parts), float(width), text, broken)
        self._faces[key] = face
        return face

    def paint(self, painter: QPainter, rect: QRectF, face: ChipFace, look: ChipLook) -> None:
        """Paint one chip into ``rect``; text wider than it ends in an ellipsis."""
        text = self._text
        if look.highlighted:
            brush, text = self._lit, self._lit_text
        elif look.value is not None:
            step = min(32, max(0, round(look.value * 32)))
            brush, text = self._heat[step], self._heat_text[step]
        elif look.selected:
            brush = self._selected
        elif look.unknown or face.broken:
            brush = self._unknown
        elif look.hovered:
            brush = self._hovered[look.fill % len(self._fills)]
        else:
            brush = self._fills[look.fill % len(self._fills)]
        painter.setBrush(brush)
        painter.setPen(self._outline(look))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), self.radius, self.radius)
        self._paint_text(painter, rect, face, text)

    def _outline(self, look: ChipLook) -> QPen | Qt.PenStyle:
        if look.current:
            return QPen(self._text, 2.0)
        if look.selected or look.hovered:
            return QPen(self._accent, 2.0)
        if look.unknown:
            return QPen(self._edge, 1.5, Qt.PenStyle.DashLine)
        return Qt.PenStyle.NoPen

    def _paint_text(self, painter: QPainter, rect: QRectF, face: ChipFace, colour: QColor) -> None:
        baseline = rect.top() + self._baseline
        if face.width > rect.width() + 0.5:
            room = rect.width() - 2 * self.padding
            shown = self._metrics.elidedText(face.text, Qt.TextElideMode.ElideRight, room)
            painter.setPen(colour)
            painter.drawText(QPointF(rect.left() + self.padding, baseline), shown)
            return
        for text, x, faint in face.parts:
            if faint:
                softer = QColor(colour)
                softer.setAlphaF(0.62)
                painter.setPen(softer)
            else:
                painter.setPen(colour)
            painter.drawText(QPointF(rect.left() + x, baseline), text)
