"""Live curves with landmarks, a crosshair that tells exact values, zoom and export."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.colours import DARK, LIGHT, Colours
from gui.widgets.curve_canvas import CurveCanvas
from gui.widgets.curves import Curve, Landmark, LandmarkGutter, Look, Mark
from gui.widgets.exports import write_csv, write_png, write_svg
from gui.widgets.legend import Legend, LegendEntry
from gui.widgets.look import colours_of, em
from gui.widgets.mark_names import MarkNames
from gui.widgets.plot_cursor import Content, Cursor
from gui.widgets.plot_picture import paint_plot, picture_size
from gui.widgets.plot_ranges import Axis, Ends, Ranges, fitting
from gui.widgets.plot_tools import PlotTools
from gui.widgets.plot_view import PlotView
from gui.widgets.safe_text import plain_label
from gui.widgets.strokes import Sheet, Stroke, faint_strokes, strokes
from gui.widgets.turns import PAINTS, Turns

__all__ = ["CurvePlot", "Landmark", "Mark"]


class CurvePlot(QWidget):
    """Named curves over one x axis.

    Updates are collected and drawn together, in turns of the event loop that take a few
    milliseconds each, however many there are. The view shows everything until someone zooms or
    pans; "Follow" keeps the newest points in view at the width chosen. The arrow keys move the
    crosshair, + and − zoom, 0 shows all.
    """

    _ready = False  # Qt tells of fonts and palettes already while a widget is being made

    hovered = Signal(float)
    """The x of the crosshair; NaN when it goes."""
    clicked = Signal(float)
    """The x of the sample nearest to a click."""

    def __init__(
        self, title: str, x_label: str, y_label: str, parent: QWidget | None = None
    ) -> None:
        """
        Args:
            title: what the plot shows; its accessible name and exports' title.
            x_label: title of the x axis, unit included: "step", "time (s)".
            y_label: title of the y axis, unit included: "loss (nats per token)".
            parent: the widget that owns it.
        """
        super().__init__(parent)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.title = title
        self._content = Content(Axis(x_label), Axis(y_label))
        self._curves = self._content.curves
        self._landmarks: list[Landmark] = []
        self._weight = 0.98
        self._drawing = False
        self.turns = Turns(self._draw, self)

        self.legend = Legend(self)
        self.legend.toggled.connect(self.set_visible)
        # Upright above the axis: turned by its side it would not fit at large text sizes.
        self.y_title = plain_label(y_label, self, wrap=True)
        self.view = PlotView(self)
        self.canvas = CurveCanvas(self.view.box)
        self._mark_names = MarkNames(self.view.box)
        self._gutter = LandmarkGutter(self.view.box, self._content.y.place)
        self.view.plot.layout.addItem(self._gutter, 2, 3)
        self.crosshair = Cursor(self.view, self._content, self)
        self.crosshair.moved.connect(self.hovered)
        self._empty = plain_label("", self.view, wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.tools = PlotTools(title, self)
        self.tools.export.wanted.connect(self.export)
        self.tools.show_all.clicked.connect(self.reset_view)
        self.tools.follow.toggled.connect(self.set_follow)
        self.tools.log_x.toggled.connect(self.set_log_x)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.legend)
        layout.addWidget(self.y_title)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.tools)

        self.view.moved.connect(self._moved)
        self.view.clicked.connect(self._clicked)
        self._ready = True
        self._restyle()

    # What it shows

    def set_series(
        self,
        name: str,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        kind: str = "neutral",
        smooth: bool = False,
        line: Qt.PenStyle | None = None,
        marker: str | None = None,
    ) -> None:
        """Show or replace a curve.

        Args:
            name: its name in the legend; the same name replaces the curve.
            x: (N,) ascending places; kept as they are, so hand over a copy of what will change.
            y: (N,) values; NaN and infinities are gaps.
            kind: a kind of model, for its colour and line style, or a colour "#rrggbb".
            smooth: draw the values faintly and their running mean over them.
            line: a line style other than the kind's.
            marker: a marker (pyqtgraph's names) other than the kind's.
        """
        xs, ys = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if xs.ndim != 1 or xs.shape != ys.shape:
            raise ValueError("a series needs as many x as y, in one dimension each")
        look = Look.of(kind, line, marker)
        curve = self._curves.get(name)
        if curve is None:
            curve = Curve(name, look, smoothed=smooth, weight=self._weight)
            self._curves[name] = curve
            self._restyle_curve(curve)
        elif curve.look != look:
            curve.look = look
            self._restyle_curve(curve)
        curve.smoothed = smooth
        curve.set_data(xs, ys)
        self.turns.ask()

    def remove_series(self, name: str) -> None:
        """Take a curve away; nothing happens if there is none of that name."""
        if self._curves.pop(name, None) is not None:
            self.turns.ask()

    def clear(self) -> None:
        """Take away all curves and marks, and show all of what comes next. Landmarks stay."""
        for name in list(self._curves):
            self.remove_series(name)
        self.set_marks([])
        self.reset_view()

    def series_names(self) -> list[str]:
        """The names of all curves, in the order in which they came."""
        return list(self._curves)

    def set_visible(self, name: str, shown: bool) -> None:
        """Show or hide a curve."""
        self._curves[name].visible = shown
        if self.legend.entries():
            self.legend.set_checked(name, shown)
        self.turns.ask()

    def set_landmarks(self, landmarks: Sequence[Landmark]) -> None:
        """Draw these horizontal lines, named at the right; values that are not finite are left
        out. If there is no room for all names, the first given keep theirs."""
        self._landmarks = [m for m in landmarks if np.isfinite(m.value)]
        self._restyle()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Draw these vertical lines with their names; hovering near one tells its explanation."""
        self._content.marks = [m for m in marks if np.isfinite(m.x)]
        self.turns.ask()

    def set_smoothing(self, weight: float) -> None:
        """Smooth with this weight for each step back, 0 ≤ weight < 1."""
        self._weight = weight
        for curve in self._curves.values():
            curve.set_weight(weight)
        self.turns.ask()

    def set_axis_labels(self, x_label: str, y_label: str) -> None:
        """Other titles for the axes, units included."""
        self._content.axis.label, self._content.y.label = x_label, y_label
        self._restyle()

    def set_log_x(self, log: bool) -> None:
        """Count x in powers of ten (points at x ≤ 0 are left out), or evenly."""
        self.tools.log_x.setChecked(log)
        if log != self._content.axis.log:
            self._content.axis.log = log
            self.reset_view()

    def set_log_y(self, log: bool) -> None:
        """Count y in powers of ten (values of 0 and less are gaps), or evenly."""
        if log != self._content.y.log:
            self._content.y.log = log
            self.reset_view()

    def set_follow(self, follow: bool) -> None:
        """Keep the newest points in view, at the width now shown (of everything: a quarter)."""
        self.tools.follow.setChecked(follow)
        if follow and not self.view.free:
            low, high = self.view.box.viewRange()[0]
            self.view.free = True
            self.view.box.setXRange(high - (high - low) / 4, high, padding=0)
        self.turns.ask()

    def reset_view(self) -> None:
        """Show every point and landmark, and go on doing so as more come."""
        self.tools.follow.setChecked(False)
        self.view.free = False
        self.turns.ask()

    def set_empty_text(self, text: str) -> None:
        """What to say while there are no points."""
        self._empty.setText(text)
        self.turns.ask()

    # Drawing

    def _moved(self) -> None:
        """The view moved; if that was not our own doing, draw what came into it."""
        self.canvas.moved()
        self._mark_names.moved()
        if not self._drawing:
            self.turns.ask()

    def redraw(self) -> None:
        """Draw everything now (this happens by itself soon after every change)."""
        self.turns.do_now()

    def _draw(self) -> Iterator[float | None]:
        """Draw everything, in short steps. Nothing on screen changes before the last one."""
        self.legend.set_entries([self._entry(curve) for curve in self._curves.values()])
        smoothed = any(curve.smoothed for curve in self._curves.values())
        self.tools.explain_smoothing(self._weight if smoothed else None)
        shown = [c for c in self._curves.values() if c.visible and len(c.x)]
        box, axes = self.view.box, (self._content.axis, self._content.y)
        before = self.view.ranges()
        ranges = yield from self._ranges(shown)
        if shown:
            x, y = ranges or before
            sheet = self.sheet(x, y, self.devicePixelRatioF())
            self.canvas.begin(sheet)
            for stroke in self.strokes(sheet):
                yield None  # finding the points of a long curve takes as long as drawing them
                self.canvas.add(stroke)
                yield None
        yield PAINTS.wait()
        self._drawing = True
        try:
            self.view.set_logarithmic(*(axis.log for axis in axes))
            if ranges is not None and self.view.ranges() == before:  # nobody moved it meanwhile
                self.view.show_range(*ranges)
            if shown:
                box.prepareForPaint()  # left to the paint event, it asks for a second one
            self._empty.setGeometry(self.view.area().toAlignedRect())
            self._empty.setVisible(not shown and bool(self._empty.text()))
            self.view.set_numbered(bool(shown), bool(shown or self._landmarks))
            lines = [(axes[1].place(m.value), m.kind) for m in self._landmarks]
            self.view.set_lines([p for p in lines if np.isfinite(p[0])], horizontal=True)
            marks = [(axes[0].place(m.x), m) for m in self._content.marks]
            marks = [(x, mark) for x, mark in marks if np.isfinite(x)]
            self.view.set_lines([(x, mark.kind) for x, mark in marks], horizontal=False)
            self._mark_names.set_marks([(x, mark.name) for x, mark in marks])
            self.canvas.show_picture()
            self.crosshair.refresh()
        finally:
            self._drawing = False

    def sheet(self, x: Ends, y: Ends, ratio: float = 1.0) -> Sheet:
        """The drawing area with these ranges, ``ratio`` times as fine as the widget."""
        size = self.view.box.width() * ratio, self.view.box.height() * ratio
        return Sheet(x, y, *size, ratio, self._content.axis.log, self._content.y.log)

    def strokes(self, sheet: Sheet) -> Iterator[Stroke]:
        """What draws the curves that are not hidden, in order."""
        shown = [c for c in self._curves.values() if c.visible and len(c.x)]
        for kind in (faint_strokes, strokes):
            for curve in shown:
                yield from kind(curve, sheet)

    def _ranges(self, shown: list[Curve]) -> Generator[None, None, Ranges | None]:
        """The ranges that the view should have, or (None) those that someone left it at."""
        newest = self.view.free and self.tools.follow.isChecked()
        if self.view.free and not newest:
            return None
        low, high = self.view.box.viewRange()[0]
        landmarks = [] if newest else [m.value for m in self._landmarks]
        axes = self._content.axis, self._content.y
        return (yield from fitting(shown, *axes, landmarks, high - low if newest else None))

    def _entry(self, curve: Curve) -> LegendEntry:
        light, dark = curve.look.colour(LIGHT), curve.look.colour(DARK)
        return LegendEntry(curve.name, light, dark, curve.look.line)

    def _clicked(self, place: float) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        nearest = self.crosshair.nearest(place)
        if nearest is not None:
            self.clicked.emit(nearest)

    # Keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if event.key() in steps:
            self.crosshair.step(steps[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(0.5)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom(2.0)
        elif event.key() == Qt.Key.Key_0:
            self.reset_view()
        elif event.key() == Qt.Key.Key_Escape and self.crosshair.x is not None:
            self.crosshair.move(None)
        else:
            super().keyPressEvent(event)

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much of x, around the crosshair or the middle."""
        low, high = self.view.box.viewRange()[0]
        x = self.crosshair.x
        centre = (low + high) / 2 if x is None else self._content.axis.place(x)
        ends = (centre + (low - centre) * factor, centre + (high - centre) * factor)
        self.view.free = True
        self.view.box.setXRange(*ends, padding=0)
        self.turns.ask()

    # Look

    def _colours(self) -> Colours:
        return colours_of(self.palette())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if self._ready and event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._restyle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._restyle_gutter()

    def _restyle(self) -> None:
        self.y_title.setText(self._content.y.label)
        self.view.restyle(self.font(), self.palette(), self._content.axis.label)
        self._mark_names.restyle(self.font(), self._colours())
        for curve in self._curves.values():
            self._restyle_curve(curve)
        self._restyle_gutter()
        self.turns.ask()

    def _restyle_curve(self, curve: Curve) -> None:
        colours = self._colours()
        curve.restyle(colours, colours.color("surface"), em(self.font()) * 0.42)

    def _restyle_gutter(self) -> None:
        self._gutter.setFont(self.font())
        room = self.width() * 0.3
        self._gutter.set_landmarks(self._landmarks, self._colours(), room)

    def sizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 36), round(unit * 22))

    def minimumSizeHint(self) -> QSize:
        unit = em(self.font())
        return QSize(round(unit * 16), round(unit * 12))

    # Export

    def export(self, ending: str, path: str) -> None:
        """Save as "png", "svg" or "csv" (LabError if it cannot be written)."""
        {"png": self.export_png, "svg": self.export_svg, "csv": self.export_csv}[ending](Path(path))

    def export_png(self, path: Path) -> None:
        """Save a picture of the plot with its legend (LabError if it cannot be written)."""
        ground = self._colours().color("surface")
        write_png(path, picture_size(self), ground, partial(paint_plot, self))

    def export_svg(self, path: Path) -> None:
        """Save a drawing of the plot with its legend (LabError if it cannot be written)."""
        ground = self._colours().color("surface")
        write_svg(path, picture_size(self), self.title, ground, partial(paint_plot, self))

    def export_csv(self, path: Path) -> None:
        """Save every point of every curve, also hidden ones: series, x, y, smoothed y (LabError
        if it cannot be written)."""
        rows = []
        for curve in self._curves.values():
            line = curve.line.tolist() if curve.smoothed else [""] * len(curve.x)
            for x, y, smooth in zip(curve.x.tolist(), curve.y.tolist(), line, strict=True):
                rows.append((curve.name, x, y, smooth))
        rows += [(f"landmark: {m.name}", "", m.value, "") for m in self._landmarks]
        header = ("series", self._content.axis.label, self._content.y.label, "smoothed")
        write_csv(path, header, rows)
