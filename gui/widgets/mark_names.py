"""The names of a plot's vertical marks, written beside their lines."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.colours import Colours
from gui.widgets.plotting import pg

_LONGEST_EMS = 20.0
_ROWS = 3
"""Names that would stand on one another go a line lower, at most so many lines; others are told
by hovering only."""


class MarkNames(pg.GraphicsObject):  # type: ignore[misc]
    """Covers a view, and writes each name at the top, right of its line or, at the right edge,
    left of it."""

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self._box = box
        self._marks: list[tuple[float, str]] = []
        self._font = QFont()
        self._colours: Colours | None = None
        self.setParentItem(box)
        self.setZValue(2.0)  # above the curves
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_marks(self, marks: Sequence[tuple[float, str]]) -> None:
        """Write these names, each at a place on the x axis in the axis's own unit."""
        if list(marks) != self._marks:
            self._marks = list(marks)
            self.update()

    def restyle(self, font: QFont, colours: Colours) -> None:
        """Take the window's font and colours."""
        self._font, self._colours = font, colours
        self.update()

    def moved(self) -> None:
        """The view has another range or size."""
        self.prepareGeometryChange()
        self.update()

    def places(self) -> list[tuple[str, QRectF]]:
        """Each name as written and the rectangle that it takes, in the view's pixels."""
        metrics = QFontMetricsF(self._font)
        longest = _LONGEST_EMS * metrics.height() / 1.2
        area, gap = QRectF(self._box.rect()), metrics.height() / 4
        taken: list[list[QRectF]] = [[] for _ in range(_ROWS)]
        placed = []
        for place, name in self._marks:
            x = self._box.mapFromView(QPointF(place, 0.0)).x()
            if not area.left() - 1 <= x <= area.right() + 1:
                continue
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, longest)
            width = metrics.horizontalAdvance(text)
            left = x + gap if x + gap + width <= area.right() else x - gap - width
            for number, row in enumerate(taken):
                top = area.top() + gap + number * metrics.height()
                rect = QRectF(left, top, width, metrics.height())
                if not any(rect.adjusted(-gap, 0, gap, 0).intersects(r) for r in row):
                    row.append(rect)
                    placed.append((text, rect))
                    break
        return placed

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._colours is None:
            return
        painter.setFont(self._font)
        ground = self._colours.color("surface")
        ground.setAlphaF(0.8)  # a curve behind the words shows through, and they stay legible
        ascent = QFontMetricsF(self._font).ascent()
        for text, rect in self.places():
            painter.fillRect(rect, ground)
            painter.setPen(self._colours.color("text"))
            painter.drawText(QPointF(rect.left(), rect.top() + ascent), text)
