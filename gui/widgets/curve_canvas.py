"""Where a plot's curves are painted: into a picture that takes its place when it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.widgets.plotting import pg
from gui.widgets.strokes import Sheet, Stroke


class CurveCanvas(pg.GraphicsObject):  # type: ignore[misc]
    """Covers a view with the newest complete picture of its curves.

    The next picture is begun, painted stroke by stroke, in as many turns of the event loop as
    that takes, and then shown. Until then the last one stands; if the view has moved meanwhile,
    it is moved and stretched along.
    """

    def __init__(self, box: pg.ViewBox) -> None:
        super().__init__()
        self._box = box
        self._shown: tuple[QImage, Sheet] | None = None
        self._next: tuple[QImage, Sheet] | None = None
        self._direct: Callable[[QPainter], None] | None = None
        self.setParentItem(box)
        self.setZValue(1.0)  # above the grid and the landmarks
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    # The next picture

    def begin(self, sheet: Sheet) -> None:
        """Begin a picture of that sheet; one that is not yet shown is given up."""
        size = QSize(sheet.columns, max(1, int(sheet.height)))
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        image.setDevicePixelRatio(sheet.ratio)
        self._next = (image, sheet)

    def add(self, stroke: Stroke) -> None:
        """Paint a stroke into the picture that was begun."""
        assert self._next is not None
        image, sheet = self._next
        painter = QPainter(image)
        painter.scale(1 / sheet.ratio, 1 / sheet.ratio)  # strokes are in the sheet's own pixels
        painter.setClipRect(image.rect())  # Qt draws a dense line in 0.4 of the time within one
        stroke.paint(painter, fine=False)
        painter.end()

    def show_picture(self) -> None:
        """Show the picture that was begun; without one, show nothing."""
        self._shown, self._next = self._next, None
        self.update()

    # What is on screen

    def moved(self) -> None:
        """The view has another range or size."""
        self.prepareGeometryChange()
        self.update()

    @contextmanager
    def painted_by(self, paint: Callable[[QPainter], None]) -> Iterator[None]:
        """Meanwhile ``paint`` paints the curves from (0, 0), instead of the picture: for drawings
        of another size or kind."""
        self._direct = paint
        try:
            yield
        finally:
            self._direct = None

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        area = self.boundingRect()
        painter.setClipRect(area)
        if self._direct is not None:
            self._direct(painter)
        elif self._shown is not None:
            image, sheet = self._shown
            here = _place(sheet, self._box.viewRange(), area)
            size = image.deviceIndependentSize()
            if abs(here.width() - size.width()) < 1 and abs(here.height() - size.height()) < 1:
                painter.drawImage(here.topLeft(), image)  # as it is, pixel by pixel
            else:
                painter.drawImage(here, image)


def _place(sheet: Sheet, view: list[list[float]], area: QRectF) -> QRectF:
    """Where a sheet lies in a view that shows the ranges ``view``."""
    (left, right), (bottom, top) = view
    across = area.width() / ((right - left) or 1.0)
    up = area.height() / ((top - bottom) or 1.0)
    return QRectF(
        area.left() + (sheet.x[0] - left) * across,
        area.top() + (top - sheet.y[1]) * up,
        (sheet.x[1] - sheet.x[0]) * across,
        (sheet.y[1] - sheet.y[0]) * up,
    )
