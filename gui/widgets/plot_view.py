"""The drawing area of a plot: pyqtgraph's view in the window's fonts and colours."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from gui.widgets.curves import Look
from gui.widgets.look import colours_of
from gui.widgets.plot_axis import DirectAxis
from gui.widgets.plotting import pg


class Grid(pg.GraphicsObject):  # type: ignore[misc]
    """Thin lines at the numbered ticks, behind the curves, in one opaque colour.

    pyqtgraph's own grid is drawn half transparent over the curves, at ten times the cost.
    """

    def __init__(self, box: pg.ViewBox, axes: dict[str, DirectAxis]) -> None:
        super().__init__()
        self._box, self._axes = box, axes
        self._pen = QPen()
        self.setZValue(-10)

    def set_colour(self, colour: QColor) -> None:
        """Draw in this colour."""
        self._pen = QPen(colour, 1.0)
        self._pen.setCosmetic(True)
        self.update()

    def viewRangeChanged(self) -> None:
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.viewRect())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setPen(self._pen)
        rect = self._box.viewRect()
        for name, low, high in (
            ("bottom", rect.left(), rect.right()),
            ("left", rect.top(), rect.bottom()),
        ):
            axis = self._axes[name]
            across = name == "left"
            size = axis.size().height() if across else axis.size().width()
            levels = axis.tickValues(low, high, size)
            for place in levels[0][1] if levels else ():
                if across:
                    line = QLineF(rect.left(), place, rect.right(), place)
                else:
                    line = QLineF(place, rect.top(), place, rect.bottom())
                painter.drawLine(line)


class PlotView(pg.PlotWidget):  # type: ignore[misc]
    """A pyqtgraph plot without its own menus, buttons and automatic ranges."""

    moved = Signal()
    """The range or the size of the view changed."""
    taken = Signal()
    """Someone zoomed or panned."""
    pointed = Signal(object)
    """The x (float, in the axis's own unit) under the mouse; None when it leaves."""
    clicked = Signal(float)
    """The x that was clicked, in the axis's own unit."""
    pointed_at = Signal(object)
    """The point (QPointF, in the axes' own units) under the mouse; None when it leaves."""
    clicked_at = Signal(QPointF)
    """The point that was clicked, in the axes' own units."""

    def __init__(self, parent: QWidget | None = None) -> None:
        axes = {name: DirectAxis(name) for name in ("bottom", "left")}
        super().__init__(parent, axisItems=axes, enableMenu=False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameStyle(0)
        self.plot = self.getPlotItem()
        self.box: pg.ViewBox = self.plot.getViewBox()
        self.free = False
        """Whether someone chose what to see; otherwise everything is shown."""
        self._own_menus()
        self.plot.hideButtons()
        self.grid_item = Grid(self.box, axes)
        self.plot.addItem(self.grid_item, ignoreBounds=True)
        self.box.disableAutoRange()
        self.box.sigRangeChanged.connect(self._moved)
        self.box.sigResized.connect(self._moved)
        self.box.sigRangeChangedManually.connect(self._taken)
        self.scene().sigMouseClicked.connect(self._mouse_clicked)
        self._lines: dict[bool, list[tuple[tuple[float, str], pg.InfiniteLine]]] = {}
        self._colours = colours_of(self.palette())
        self._lines_of: dict[bool, list[tuple[float, str]]] = {True: [], False: []}

    def _own_menus(self) -> None:
        """Take pyqtgraph's menus, which are never shown, but made without an owner. They stay
        windows of their own: plain children would be shown along with their parent."""
        menus = [action.menu() for action in self.plot.ctrlMenu.actions()]
        for menu in (*menus, self.plot.ctrlMenu):
            menu.setParent(self, menu.windowFlags())

    def set_numbered(self, x: bool, y: bool) -> None:
        """Whether each axis has numbers at its ticks."""
        self.plot.getAxis("bottom").set_numbered(x)
        self.plot.getAxis("left").set_numbered(y)

    def set_logarithmic(self, x: bool, y: bool) -> None:
        """Whether each axis counts in powers of ten. The range is to follow before the next paint:
        1,000 steps are no 10¹⁰⁰⁰."""
        for name, log in (("bottom", x), ("left", y)):
            axis = self.plot.getAxis(name)
            if axis.logMode != log:
                axis.setLogMode(log)

    def area(self) -> QRectF:
        """Where the curves are, in the widget's pixels."""
        return QRectF(self.mapFromScene(self.box.sceneBoundingRect()).boundingRect())

    def pixel(self, x: float, y: float) -> QPointF | None:
        """The widget's pixel of a point in axis units; None if it is no finite point."""
        if x != x or y != y or abs(y) == float("inf"):
            return None
        scene = self.box.mapViewToScene(QPointF(x, y))
        return QPointF(self.viewportTransform().map(scene))

    def ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What is shown: ends of the x axis and of the y axis."""
        (left, right), (bottom, top) = self.box.viewRange()
        return (left, right), (bottom, top)

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show exactly this much."""
        if (x, y) != self.ranges():
            self.box.setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    def set_lines(self, lines: Sequence[tuple[float, str]], *, horizontal: bool) -> None:
        """Draw straight lines across the view, each at a place and in the look of a kind."""
        wanted = list(lines)
        if wanted == self._lines_of[horizontal]:
            return
        for _, item in self._lines.pop(horizontal, []):
            self.plot.removeItem(item)
        self._lines_of[horizontal] = wanted
        made = []
        for place, kind in wanted:
            item = pg.InfiniteLine(place, angle=0 if horizontal else 90)
            item.setZValue(-1)
            self.plot.addItem(item, ignoreBounds=True)
            made.append(((place, kind), item))
        self._lines[horizontal] = made
        self._colour_lines()

    def _colour_lines(self) -> None:
        colours = self._colours
        for made in self._lines.values():
            for (_, kind), item in made:
                look = Look.of(kind)
                pen = QPen(look.colour(colours), 1.0, look.line)
                pen.setCosmetic(True)
                item.setPen(pen)

    def restyle(self, font: QFont, palette: QPalette, title: str) -> None:
        """Take the window's font and colours; ``title`` is the x axis's."""
        # Not this widget's own palette: at a change of theme the one around it changes first.
        colours = self._colours = colours_of(palette)
        self.setBackground(colours.surface)
        size = QFontInfo(font).pixelSize()
        for name in ("bottom", "left"):
            axis = self.plot.getAxis(name)
            axis.setTickFont(font)
            axis.setPen(pg.mkPen(colours.muted))
            axis.setTextPen(pg.mkPen(colours.text))
            axis.setStyle(tickTextOffset=max(3, size // 4), tickLength=-max(3, size // 3))
        # The highest number stands half above the plot's edge: without room it is cut in two.
        self.plot.layout.setContentsMargins(1, QFontMetricsF(font).height() / 2, 1, 1)
        axis = self.plot.getAxis("bottom")
        # The title is read as HTML, whatever it says.
        axis.setLabel(html.escape(title), color=colours.text, **{"font-size": f"{size}px"})
        axis.label.setFont(font)
        self.grid_item.set_colour(colours.color("grid"))
        self._colour_lines()

    def _moved(self) -> None:
        self.moved.emit()

    def _taken(self) -> None:
        self.free = True
        self.taken.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        # Not the scene's own signal, which leaves out moves that come too fast, the last included.
        position = self.mapToScene(event.position().toPoint())
        place = self.box.mapSceneToView(position)
        inside = self.box.sceneBoundingRect().contains(position)
        self.pointed.emit(float(place.x()) if inside else None)
        self.pointed_at.emit(QPointF(place) if inside else None)

    def _mouse_clicked(self, event: object) -> None:
        position = event.scenePos()  # type: ignore[attr-defined]
        left = event.button() == Qt.MouseButton.LeftButton  # type: ignore[attr-defined]
        if left and self.box.sceneBoundingRect().contains(position):
            place = self.box.mapSceneToView(position)
            self.clicked.emit(float(place.x()))
            self.clicked_at.emit(QPointF(place))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)
        self.pointed_at.emit(None)
