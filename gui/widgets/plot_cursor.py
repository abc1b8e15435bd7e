"""The crosshair of a plot: where it is, and what it tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor

from gui.widgets.curves import Curve, Mark
from gui.widgets.look import colours_of
from gui.widgets.numbers import format_number
from gui.widgets.plot_ranges import Axis
from gui.widgets.plot_view import PlotView
from gui.widgets.readout import Readout, ReadoutRow


@dataclass
class Content:
    """What a plot shows, shared by its parts."""

    axis: Axis
    """The x axis."""
    y: Axis
    curves: dict[str, Curve] = field(default_factory=dict)
    marks: Sequence[Mark] = ()


class Cursor(QObject):
    """Follows the mouse and the arrow keys from sample to sample."""

    moved = Signal(float)
    """The x under the crosshair; NaN when it goes."""

    def __init__(self, view: PlotView, content: Content, parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._content = view, content
        self.readout = Readout(view)
        self.x: float | None = None
        view.pointed.connect(self._pointed)

    def _pointed(self, place: object) -> None:
        self.move(self.nearest(place) if isinstance(place, float) else None)

    def nearest(self, place: float) -> float | None:
        """The x of the sample nearest to a place of the axis, over all curves shown."""
        x = self._content.axis.value(place)
        points = [c.value_at(x) for c in self._content.curves.values() if c.visible]
        places = [point[0] for point in points if point is not None]
        return min(places, key=lambda at: abs(at - x)) if places else None

    def move(self, x: float | None) -> None:
        """Go to an x, or (None) away."""
        if x == self.x:
            return
        self.x = x
        self.refresh()
        self.moved.emit(math.nan if x is None else x)

    def step(self, by: int) -> None:
        """Go ``by`` samples to the right among those in view; from nowhere, to the newest."""
        shown = [c.x for c in self._content.curves.values() if c.visible]
        places = np.unique(np.concatenate(shown or [np.empty(0)]))
        low, high = (self._content.axis.value(v) for v in self._view.box.viewRange()[0])
        places = places[(places >= low) & (places <= high)]
        if not len(places):
            return
        index = len(places) - 1
        if self.x is not None:
            index = int(np.searchsorted(places, self.x)) + by
        self.move(float(places[min(max(index, 0), len(places) - 1)]))

    def refresh(self) -> None:
        """Tell the values anew; they or the view may have changed."""
        self.readout.setGeometry(self._view.rect())
        x, axis = self.x, self._content.axis
        middle = sum(self._view.box.viewRange()[1]) / 2
        place = None if x is None else self._view.pixel(axis.place(x), middle)
        if (
            x is None
            or place is None
            or not self._view.area().adjusted(-1, 0, 1, 0).contains(place)
        ):
            self.readout.clear()
            return
        colours, area = colours_of(self._view.palette()), self._view.area()
        rows = []
        for curve in self._content.curves.values():
            point = curve.value_at(x) if curve.visible else None
            if point is None:
                continue
            at, raw, line = point
            value = format_number(raw, 5)
            if curve.smoothed:
                value = f"{format_number(line, 5)}  (raw {value})"
            if at != x:
                value += f" at {format_number(at, 6)}"
            dot = self._view.pixel(axis.place(at), self._content.y.place(line))
            inside = dot is not None and area.contains(dot)
            rows.append(
                ReadoutRow(curve.look.colour(colours), curve.name, value, dot if inside else None)
            )
        rows += self._mark_rows(x, colours.color("muted"))
        self.readout.show_at(place.x(), area, f"{axis.label} {format_number(x, 6)}", rows)

    def _mark_rows(self, x: float, colour: QColor) -> list[ReadoutRow]:
        """What is told of the marks within a few pixels of ``x``."""
        axis, pixel = self._content.axis, self._view.box.viewPixelSize()[0]
        return [
            ReadoutRow(colour, mark.name, mark.explanation or format_number(mark.x, 6), None)
            for mark in self._content.marks
            if abs(axis.place(mark.x) - axis.place(x)) <= 8 * pixel
        ]
