"""Which part of a picture or of a sound is on screen, shared by the views that show it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

NOWHERE = (-1, -1)


class GridViewport(QObject):
    """The zoom and place of views of one picture, and the cell that is pointed at.

    Views that share a viewport move together: the same pictures before and after the noise.
    """

    moved = Signal()
    """Zoom or place are different now."""
    pointed = Signal(int, int)
    """The row and column pointed at by mouse or keyboard, from 0; (−1, −1) for none."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = self.columns = 1
        self.cell = 0.0
        """How wide and high a cell is, in heights of the font, so that the zoom follows the text
        size; views draw it larger where the picture would not fill them."""
        self.centre_row = self.centre_column = 0.0
        """What is in the middle of the view, in cells from the top left corner."""
        self.at = NOWHERE
        """The (row, column) pointed at."""

    def reset(self, rows: int, columns: int) -> None:
        """Another picture: show all of it."""
        self.rows, self.columns = max(1, rows), max(1, columns)
        self.cell = 0.0
        self.centre_row, self.centre_column = self.rows / 2, self.columns / 2
        self.point(*NOWHERE)
        self.moved.emit()

    def show(self, centre_row: float, centre_column: float, cell: float | None = None) -> None:
        """Put a place into the middle and, if given, zoom to cells of that size."""
        if cell is not None:
            self.cell = max(0.0, cell)
        self.centre_row = min(float(self.rows), max(0.0, centre_row))
        self.centre_column = min(float(self.columns), max(0.0, centre_column))
        self.moved.emit()

    def point(self, row: int, column: int) -> None:
        """Point at a cell; at none if it is outside."""
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        at = (row, column) if inside else NOWHERE
        if at != self.at:
            self.at = at
            self.pointed.emit(*at)


class Span(QObject):
    """The stretch of samples that views of one sound show, and the sample pointed at."""

    moved = Signal()
    pointed = Signal(int)
    """The sample pointed at, from 0; −1 for none."""

    FEWEST = 4.0
    """Samples shown at the strongest zoom."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.length = 1
        """Samples in the whole sound."""
        self.first = 0.0
        """Where the stretch begins, in samples."""
        self.count = 1.0
        """How many samples it is long."""
        self.at = -1

    def reset(self, length: int) -> None:
        """Another sound: show all of it."""
        self.length = max(1, length)
        self.point(-1)
        self.show(0.0, float(self.length))

    def show(self, first: float, count: float) -> None:
        """Show ``count`` samples from ``first`` on, as far as there are any."""
        self.count = min(float(self.length), max(self.FEWEST, count))
        self.first = min(self.length - self.count, max(0.0, first))
        self.moved.emit()

    def zoom(self, factor: float, about: float) -> None:
        """Show ``factor`` times fewer samples; the place ``about`` stays where it is."""
        count = min(float(self.length), max(self.FEWEST, self.count / factor))
        share = (about - self.first) / self.count
        self.show(about - share * count, count)

    def point(self, sample: int) -> None:
        """Point at a sample; at none if it is outside."""
        at = sample if 0 <= sample < self.length else -1
        if at != self.at:
            self.at = at
            self.pointed.emit(at)
