"""A picture beside its matrix of intensities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from engine.signals import Numbers
from gui.compute import ComputeThread
from gui.tokenization.numbers.controls import Segments, SideBySide
from gui.tokenization.numbers.files import read_own_picture, read_picture
from gui.tokenization.numbers.matrix_view import MatrixView, PictureOverview
from gui.tokenization.numbers.model import PICTURE, NumbersModel
from gui.tokenization.numbers.thing_pane import ThingPane
from gui.tokenization.numbers.viewport import GridViewport
from gui.widgets.exports import write_csv

HINT = (
    "Point at a cell to read it. The wheel or + and − zoom, dragging moves, "
    "the arrow keys go from number to number."
)
KINDS = "Pictures (*.png *.jpg *.jpeg *.bmp *.gif *.webp *.ppm *.pgm)"
READABLE = "Zoom in until the numbers can be read (Enter)."
_START = (0.47, 0.31)
"""Where the numbers are shown first, as shares of height and width: the leaf of the fruit."""


class PicturePane(ThingPane):
    """The picture, its numbers, and the choice of another."""

    def __init__(
        self, model: NumbersModel, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__("picture", model, compute, parent)
        self._placed = False
        self.viewport = GridViewport(self)
        self.matrix = MatrixView(self.viewport, "The picture's numbers")
        self.overview = PictureOverview(self.matrix, "The whole picture")
        self.mode = Segments(
            "Greyscale or colour",
            [
                ("Greyscale", "One number a pixel: how bright it is."),
                ("Colour", "Three numbers a pixel: how much red, green and blue."),
            ],
        )
        self.mode.group.idToggled.connect(self._mode_chosen)
        self.channel = QComboBox()
        self.channel.addItems(["Red, green and blue", "Red only", "Green only", "Blue only"])
        self.channel.setAccessibleName("Channel")
        self.channel.setToolTip("Which of a pixel's three numbers to show.")
        self.channel.currentIndexChanged.connect(self._show_picture)
        self.readout.setText(HINT)
        self._lay_out()
        model.picture_changed.connect(self._renew)
        self.viewport.pointed.connect(self._pointed)
        self._renew()

    # --------------------------------------------------------------------------------- the layout
    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.file_row((self.mode, self.channel), KINDS, "PNG or JPEG picture"))
        layout.addWidget(self.message)
        layout.addWidget(self.shape)
        views = SideBySide(narrow=26)
        views.add(self.overview, 2)
        views.add(self.matrix, 3)
        layout.addWidget(views, 1)
        layout.addWidget(self.zoom_row(self.matrix, READABLE))
        layout.addWidget(self.readout)

    # -------------------------------------------------------------------------------- the picture
    def shown_channel(self) -> int | None:
        """Red, green or blue (0, 1, 2); None for all three, and in greyscale."""
        index = self.channel.currentIndex()
        return index - 1 if self._model.in_colour and index > 0 else None

    @Slot()
    def _renew(self) -> None:
        """Another picture, or the same with another number of colours."""
        picture = self._model.picture
        colour = self._model.in_colour
        self.mode.choose(int(colour))
        self.channel.setVisible(colour)
        height, width = picture.shape[:2]
        if (height, width) != (self.viewport.rows, self.viewport.columns):
            self.viewport.reset(height, width)
            self._placed = False
        self.shape.setText(shape_in_words(picture))
        self._show_picture()
        self._place()

    @Slot()
    def _show_picture(self) -> None:
        were_readable = self.matrix.numbers_are_shown()
        for view in (self.overview, self.matrix):
            view.set_picture(self._model.picture, self.shown_channel())
        if were_readable and not self.matrix.numbers_are_shown():
            self.matrix.show_numbers()  # three numbers need a larger cell than one
        self._pointed(*self.viewport.at)

    def _place(self) -> None:
        """Show a new picture's numbers first, so that it is seen at once what it is made of."""
        if not self._placed and self.isVisible() and self.matrix.width() > 1:
            self._placed = True
            row, column = (
                share * n
                for share, n in zip(
                    _START, (self.viewport.rows, self.viewport.columns), strict=True
                )
            )
            self.matrix.show_numbers(row, column)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place()

    @Slot(int, bool)
    def _mode_chosen(self, index: int, chosen: bool) -> None:
        if chosen:
            self._model.set_in_colour(index == 1)

    @Slot()
    def _show_numbers(self) -> None:
        self.matrix.show_numbers()

    @Slot(int, int)
    def _pointed(self, row: int, column: int) -> None:
        self.readout.setText(self.matrix.describe(row, column) or HINT)

    # ------------------------------------------------------------------------------ other pictures
    def _reader(self) -> Callable[[Path], tuple[Numbers, str]]:
        return read_own_picture

    @Slot(object)
    def _opened(self, read: tuple[Numbers, str]) -> None:
        colours, note = read
        self.say(note)
        self.back.show()
        self._model.set_picture(colours)

    def _use_built_in(self) -> None:
        self._model.set_picture(read_picture(PICTURE))

    # -------------------------------------------------------------------------------------- saving
    def _shown(self) -> MatrixView:
        return self.matrix

    def _write_csv(self, path: Path) -> None:
        picture = self._model.picture
        if picture.ndim == 2:
            header = [f"column {c + 1}" for c in range(picture.shape[1])]
            write_csv(path, header, picture.tolist())
            return
        flat = picture.reshape(-1, 3).tolist()
        width = picture.shape[1]
        rows = ([i // width + 1, i % width + 1, *rgb] for i, rgb in enumerate(flat))
        write_csv(path, ["row", "column", "red", "green", "blue"], rows)


def shape_in_words(picture: Numbers) -> str:
    """How many numbers a picture is."""
    height, width = picture.shape[:2]
    rows, columns = "row" if height == 1 else "rows", "column" if width == 1 else "columns"
    words = f"{height:,} {rows} × {width:,} {columns}"
    if picture.ndim == 3:
        words += " × 3 colours"
    return f"{words} = {picture.size:,} numbers from 0 to 255"
