"""The text while its tokens merge: chips that slide together, and apart again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QAbstractAnimation, QEasingCurve, QRectF, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from engine.tokenizers.merge_walk import MergeState
from gui import theme
from gui.widgets.chip_painter import ChipFace, ChipLook
from gui.widgets.token_strip import TokenStrip
from gui.widgets.token_text import Vocabulary

MOST_MOVING = 3_000
"""Tokens up to which they slide; longer texts change at once."""
SLIDE_MS = 350


@dataclass(frozen=True)
class _Ghost:
    """A chip on its way: its face, and where it starts and ends in the content."""

    face: ChipFace
    start: QRectF
    end: QRectF
    look: ChipLook


class MergeStrip(TokenStrip):
    """A strip for the states of a walk. New tokens stand out; the pair in question is lit."""

    clicked = Signal(int)
    """A chip was clicked with the mouse, or confirmed with Enter."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, name=name)
        self._fresh: frozenset[int] = frozenset()
        self._ghosts: list[_Ghost] = []
        self._slide = QVariantAnimation(self)
        self._slide.setStartValue(0.0)
        self._slide.setEndValue(1.0)
        self._slide.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._slide.valueChanged.connect(self._moved)
        self._slide.finished.connect(self._arrived)
        self.activated.connect(self.clicked)

    def show_state(
        self, state: MergeState, vocabulary: Vocabulary, source: bytes, milliseconds: int = 0
    ) -> None:
        """Show a state; with ``milliseconds`` the chips slide from where they were."""
        self.stop()
        before = self._snapshot() if milliseconds and theme.current().motion else None
        at = self.verticalScrollBar().value()
        self.set_tokens(state.ids, vocabulary, byte_spans=state.byte_spans, source=source)
        self._fresh = frozenset(state.fresh.tolist())
        self.verticalScrollBar().setValue(at)
        if before is not None and self.isVisible():
            self._set_off(before, milliseconds)

    @property
    def sliding(self) -> bool:
        """Whether chips are on their way."""
        return self._slide.state() is QAbstractAnimation.State.Running

    def stop(self) -> None:
        """Let all chips stand where they belong."""
        self._slide.stop()
        self._ghosts = []

    def light_pair(self, lefts: Iterable[int]) -> None:
        """Light up pairs by the indices of their left tokens."""
        self.highlight(i for left in lefts for i in (left, left + 1))

    def reveal(self, index: int) -> None:
        """Scroll to a chip."""
        if 0 <= index < self.count():
            self._scroll_to(index)

    # ------------------------------------------------------------------------------- sliding
    def _snapshot(self) -> tuple[list[ChipFace], list[QRectF], np.ndarray] | None:
        n = self.count()
        if not 0 < n <= MOST_MOVING:
            return None
        return list(self._faces), self._content_rects(), self._tokens.byte_spans[:, 0].copy()

    def _content_rects(self) -> list[QRectF]:
        layout, margin, pitch = self._layout, self._margin(), self._pitch()
        height = self._painter.height
        return [
            QRectF(margin + x, margin + line * pitch, width, height)
            for x, width, line in zip(
                layout.left.tolist(), layout.width.tolist(), layout.line.tolist(), strict=True
            )
        ]

    def _set_off(
        self, before: tuple[list[ChipFace], list[QRectF], np.ndarray], milliseconds: int
    ) -> None:
        after = self._snapshot()
        if after is None or len(after[0]) == len(before[0]):
            return
        apart = len(after[0]) > len(before[0])
        fine, coarse = (after, before) if apart else (before, after)
        faces, rects, starts = fine
        _, wholes, whole_starts = coarse
        # The coarse chip that holds each fine one, and whether it holds several.
        inside = np.searchsorted(whole_starts, starts, side="right") - 1
        counts = np.bincount(np.maximum(inside, 0), minlength=len(wholes))
        ghosts = []
        for i, (face, rect) in enumerate(zip(faces, rects, strict=True)):
            j = max(0, int(inside[i]))
            whole = QRectF(wholes[j])
            together = counts[j] > 1
            if together:
                last = i + 1 == len(faces) or inside[i + 1] != j
                first = i == 0 or inside[i - 1] != j
                whole.setWidth(min(rect.width(), whole.width()))
                if last and not first:
                    whole.moveRight(wholes[j].right())
            look = ChipLook(fill=i % self._painter.fills, highlighted=together)
            a, b = (whole, rect) if apart else (rect, whole)
            ghosts.append(_Ghost(face, a, b, look))
        self._ghosts = ghosts
        self._slide.setDuration(milliseconds)
        self._slide.start()

    def _moved(self) -> None:
        self.viewport().update()

    def _arrived(self) -> None:
        self._ghosts = []
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not (self._ghosts and self.sliding):
            super().paintEvent(event)
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._painter.font)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        share = float(self._slide.currentValue())
        scrolled = self.verticalScrollBar().value()
        view = QRectF(self.viewport().rect())
        # What merges is painted last, above what only moves along.
        for lit in (False, True):
            for ghost in self._ghosts:
                if ghost.look.highlighted is lit:
                    rect = _between(ghost.start, ghost.end, share).translated(0, -scrolled)
                    if rect.intersects(view):
                        self._painter.paint(painter, rect, ghost.face, ghost.look)

    def _look(self, index: int) -> ChipLook:
        look = super()._look(index)
        return replace(look, selected=True) if index in self._fresh else look

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        index = self.chip_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.clicked.emit(index)


def _between(a: QRectF, b: QRectF, share: float) -> QRectF:
    def mix(x: float, y: float) -> float:
        return x + (y - x) * share

    return QRectF(
        mix(a.left(), b.left()),
        mix(a.top(), b.top()),
        mix(a.width(), b.width()),
        mix(a.height(), b.height()),
    )
