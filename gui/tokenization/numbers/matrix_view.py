"""Two views of a picture: one to zoom in until its numbers can be read, one of all of it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.tokenization.numbers.matrix import MatrixCanvas
from gui.tokenization.numbers.viewport import GridViewport
from gui.widgets.look import colours_of, em

ZOOM_STEP = 1.25
"""How much larger one notch of the wheel, or one press of a button, makes a cell."""
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


def wheel_steps(event: QWheelEvent) -> float:
    """How many notches the wheel was turned: up is positive."""
    return event.angleDelta().y() / 120.0


class MatrixView(MatrixCanvas):
    """A picture with zoom: wheel, + and −; drag to move; arrow keys go from cell to cell.

    Args:
        small: make do with little room, and let the wheel pass to the page until the view was
            clicked.
    """

    def __init__(
        self,
        viewport: GridViewport,
        name: str,
        parent: QWidget | None = None,
        *,
        small: bool = False,
    ) -> None:
        super().__init__(viewport, name, parent)
        self._small = small
        self._drop = 0.0 if small else 0.5
        self._dragged: QPointF | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def cell(self) -> float:
        return max(self.fitting_cell(), self.viewport.cell * em(self.font()))

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 11), round(unit * 8)) if self._small else super().sizeHint()

    # --------------------------------------------------------------------------------------- zoom
    def largest_cell(self) -> float:
        """The strongest zoom: about four cells across, but never less than readable."""
        room = min(self.width(), self.height())
        return max(self.readable_cell(), room / 4, self.fitting_cell())

    def zoom(self, factor: float, about: QPointF | None = None) -> bool:
        """Make cells ``factor`` times as large; the point ``about`` (the middle if None) stays.

        Returns:
            False if it is at its limit.
        """
        before = self.cell()
        cell = min(self.largest_cell(), max(self.fitting_cell(), before * factor))
        if abs(cell - before) < 1e-6 * before:
            return False
        middle = QPointF(self.width() / 2, self.height() / 2)
        point = about if about is not None else middle
        origin = self.origin()
        column, row = (point.x() - origin.x()) / before, (point.y() - origin.y()) / before
        self.viewport.show(
            row - (point.y() - middle.y()) / cell,
            column - (point.x() - middle.x()) / cell,
            0.0 if cell <= self.fitting_cell() else cell / em(self.font()),
        )
        return True

    def zoom_in(self) -> None:
        """Cells one step larger, around the one pointed at if it is in view."""
        self.zoom(ZOOM_STEP, self._kept_point())

    def zoom_out(self) -> None:
        """Cells one step smaller."""
        self.zoom(1 / ZOOM_STEP, self._kept_point())

    def show_all(self) -> None:
        """The whole picture."""
        self.viewport.show(self.viewport.rows / 2, self.viewport.columns / 2, 0.0)

    def show_numbers(self, row: float | None = None, column: float | None = None) -> None:
        """Zoom in just so far that the numbers can be read, around a cell (the one pointed at,
        or the middle, if None)."""
        at = self.viewport.at
        if row is None or column is None:
            row, column = (
                (at[0] + 0.5, at[1] + 0.5)
                if at[0] >= 0
                else (self.viewport.centre_row, self.viewport.centre_column)
            )
        readable = self.readable_cell() * 1.05 / em(self.font())
        self.viewport.show(row, column, max(readable, self.viewport.cell))

    def _kept_point(self) -> QPointF | None:
        row, column = self.viewport.at
        if row < 0:
            return None
        centre = self.cell_rect(row, column).center()
        return centre if QRectF(self.rect()).contains(centre) else None

    def wheelEvent(self, event: QWheelEvent) -> None:
        steps = wheel_steps(event)
        if self._small and not self.hasFocus():
            event.ignore()
        elif steps and self.zoom(ZOOM_STEP**steps, event.position()):
            self.viewport.point(*self.cell_at(event.position()))
            event.accept()
        else:
            event.ignore()  # at the limit the wheel belongs to the page

    # ---------------------------------------------------------------------------- moving, pointing
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is None:
            super().mouseMoveEvent(event)
            return
        moved = event.position() - self._dragged
        self._dragged = event.position()
        middle = QPointF(self.width() / 2, self.height() / 2) - self.origin() - moved
        self.viewport.show(middle.y() / self.cell(), middle.x() / self.cell())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None
        self.viewport.point(*self.cell_at(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        row, column = self.cell_at(event.position())
        self.show_numbers(row + 0.5, column + 0.5)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in _STEPS:
            self._step(*_STEPS[Qt.Key(key)])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom_out()
        elif key == Qt.Key.Key_Home:
            self.show_all()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.show_numbers()
        else:
            super().keyPressEvent(event)

    def _step(self, down: int, right: int) -> None:
        """Point at the next cell, and keep it in view."""
        row, column = self.viewport.at
        if row < 0:
            top, bottom, left, end = self.shown_cells()
            row, column = (top + bottom) // 2, (left + end) // 2
        else:
            row = min(self.viewport.rows - 1, max(0, row + down))
            column = min(self.viewport.columns - 1, max(0, column + right))
        self.viewport.point(row, column)
        if not QRectF(self.rect()).contains(self.cell_rect(row, column)):
            self.viewport.show(row + 0.5, column + 0.5)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.viewport.moved.emit()  # the overview's frame depends on this view's size

    def paint(self, painter: QPainter, part: QRectF | None = None) -> None:
        super().paint(painter, part)
        if self.hasFocus():
            frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.setPen(colours_of(self.palette()).color("accent"))
            painter.drawRect(frame)


class PictureOverview(MatrixCanvas):
    """All of a picture, with a frame around what the other view shows. Click or drag to look
    elsewhere; the wheel zooms the other view."""

    def __init__(self, view: MatrixView, name: str, parent: QWidget | None = None) -> None:
        super().__init__(view.viewport, name, parent)
        self._view = view
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def frame(self) -> QRectF:
        """The part that the other view shows, in pixels here."""
        top, bottom, left, right = self._view.shown_cells()
        corner = self.cell_rect(top, left)
        return QRectF(corner.topLeft(), self.cell_rect(bottom - 1, right - 1).bottomRight())

    def paint(self, painter: QPainter, part: QRectF | None = None) -> None:
        super().paint(painter, part)
        top, bottom, left, right = self._view.shown_cells()
        if (bottom - top, right - left) != self.picture.shape[:2]:
            frame = self.frame()
            least = em(self.font()) * 0.5
            grow = max(0.0, least - frame.width()) / 2, max(0.0, least - frame.height()) / 2
            frame.adjust(-grow[0], -grow[1], grow[0], grow[1])
            accent = colours_of(self.palette()).color("accent")
            self._paint_outline(painter, frame, accent, 2.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._look(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._look(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._view.zoom(ZOOM_STEP ** wheel_steps(event)):
            event.accept()
        else:
            event.ignore()

    def _look(self, event: QMouseEvent) -> None:
        row, column = self.cell_at(event.position())
        self.viewport.show(row + 0.5, column + 0.5)
