"""Two views of a sound: one to zoom in until its samples can be read, one of all of it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from gui.tokenization.numbers.matrix_view import wheel_steps
from gui.tokenization.numbers.viewport import Span
from gui.tokenization.numbers.wave import WaveCanvas
from gui.widgets.look import colours_of, em

ZOOM_STEP = 1.5
"""How many times fewer samples one notch of the wheel, or one press of a button, shows."""


class WaveView(WaveCanvas):
    """A sound with zoom: wheel, + and −; drag or Shift + wheel to move; arrow keys go from
    sample to sample.

    Args:
        small: make do with little room, and let the wheel pass to the page until the view was
            clicked.
    """

    resized = Signal()

    def __init__(
        self,
        span: Span,
        name: str,
        parent: QWidget | None = None,
        *,
        small: bool = False,
    ) -> None:
        super().__init__(span, name, parent)
        self._small = small
        self._dragged: float | None = None
        self._were_readable = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint() if self._small else super().sizeHint()

    # --------------------------------------------------------------------------------------- zoom
    def zoom_in(self) -> None:
        """Fewer samples, around the one pointed at if it is in view."""
        self._zoom(ZOOM_STEP)

    def zoom_out(self) -> None:
        """More samples."""
        self._zoom(1 / ZOOM_STEP)

    def show_all(self) -> None:
        """The whole sound."""
        self.span.show(0.0, float(self.span.length))

    def show_numbers(self, sample: int | None = None) -> None:
        """Zoom in just so far that the numbers can be read, around a sample (the one pointed
        at, or the middle, if None)."""
        if sample is None:
            at = self.span.at
            sample = at if at >= 0 else int(self.span.first + self.span.count / 2)
        count = min(self.span.count, self.plot_area().width() / self.readable_spacing())
        self.span.show(sample + 0.5 - count / 2, count)

    def _zoom(self, factor: float, about: float | None = None) -> bool:
        before = (self.span.first, self.span.count)
        if about is None:
            at = self.span.at
            seen = before[0] <= at < before[0] + before[1]
            about = at + 0.5 if seen else before[0] + before[1] / 2
        self.span.zoom(factor, about)
        return (self.span.first, self.span.count) != before

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = event.angleDelta().x() / 120.0
        steps = wheel_steps(event)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            sideways, steps = sideways or steps, 0.0
        if self._small and not self.hasFocus():
            event.ignore()
        elif sideways:
            self.span.show(self.span.first - sideways * self.span.count / 8, self.span.count)
            event.accept()
        elif steps and self._zoom(ZOOM_STEP**steps, self._place(event.position().x())):
            event.accept()
        else:
            event.ignore()  # at the limit the wheel belongs to the page

    def _place(self, x: float) -> float:
        return self.span.first + (x - self.plot_area().left()) / self.spacing()

    # ---------------------------------------------------------------------------- moving, pointing
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged = event.position().x()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._dragged is None:
            self.span.point(self.sample_at(x))
        else:
            moved = (x - self._dragged) / self.spacing()
            self._dragged = x
            self.span.show(self.span.first - moved, self.span.count)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged = None
        self.span.point(self.sample_at(event.position().x()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.show_numbers(self.sample_at(event.position().x()))

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self.span.point(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_in()
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom_out()
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            pages = 0.8 if key == Qt.Key.Key_PageDown else -0.8
            self.span.show(self.span.first + pages * self.span.count, self.span.count)
        elif key == Qt.Key.Key_Home:
            self.show_all()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.show_numbers()
        else:
            super().keyPressEvent(event)

    def _step(self, right: int) -> None:
        """Point at the next sample (the next pixel's, from afar), and keep it in view."""
        at = self.span.at
        if at < 0:
            at = int(self.span.first + self.span.count / 2)
        else:
            stride = max(1, round(1 / self.spacing()))
            at = min(self.span.length - 1, max(0, at + right * stride))
        self.span.point(at)
        if not self.span.first <= at < self.span.first + self.span.count:
            self.span.show(at + 0.5 - self.span.count / 2, self.span.count)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_readable()
        self.resized.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._keep_readable()

    def _keep_readable(self) -> None:
        """Show fewer samples rather than lose their numbers in a narrower view or at a larger
        text size."""
        if self._were_readable and not self.numbers_are_shown():
            self.show_numbers()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.describe(self.sample_at(event.pos().x()))
            if text:
                QToolTip.showText(event.globalPos(), text, self)
                return True
        return super().event(event)

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        self._were_readable = self.numbers_are_shown()
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colours_of(self.palette()).color("accent"), 1.0))
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))


class SoundOverview(WaveCanvas):
    """All of a sound, with a frame around what the other view shows. Click or drag to look
    elsewhere; the wheel zooms the other view."""

    def __init__(self, view: WaveView, name: str, parent: QWidget | None = None) -> None:
        super().__init__(view.span, name, parent)
        self._view = view
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def stretch(self) -> tuple[float, float]:
        return 0.0, float(self.span.length)

    def frame(self) -> QRectF:
        """The part that the other view shows, in pixels here."""
        area, spacing = self.plot_area(), self.spacing()
        left = area.left() + self.span.first * spacing
        return QRectF(left, area.top(), self.span.count * spacing, area.height())

    def paint(self, painter: QPainter) -> None:
        super().paint(painter)
        if self.span.count >= self.span.length:
            return
        frame, colours = self.frame(), colours_of(self.palette())
        grow = max(0.0, em(self.font()) * 0.4 - frame.width()) / 2
        frame.adjust(-grow, 0, grow, 0)
        fill = colours.color("accent")
        fill.setAlphaF(0.15)
        painter.fillRect(frame, fill)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colours.color("accent"), 2.0))
        painter.drawRect(frame)

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 30), round(unit * 6))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._look(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.span.point(self.sample_at(event.position().x()))
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._look(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self.span.point(-1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.span.zoom(ZOOM_STEP ** wheel_steps(event), self.span.first + self.span.count / 2)
        event.accept()

    def _look(self, point: QPointF) -> None:
        centre = (point.x() - self.plot_area().left()) / self.spacing()
        self.span.show(centre - self.span.count / 2, self.span.count)
