"""What the picture's and the sound's part of the page have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import QSize, Slot
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QWidget

from gui.compute import ComputeThread
from gui.job_handle import Failure
from gui.theme import set_text_role
from gui.tokenization.numbers.controls import ask_for_file, push_button
from gui.tokenization.numbers.model import NumbersModel
from gui.widgets.exports import ExportButton, write_picture
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of
from gui.widgets.safe_text import plain_label


class Zoomed(Protocol):
    """A view of numbers that can be zoomed and painted."""

    def size(self) -> QSize: ...
    def palette(self) -> QPalette: ...
    def paint(self, painter: QPainter) -> None: ...
    def show_all(self) -> object: ...
    def show_numbers(self) -> object: ...
    def zoom_in(self) -> object: ...
    def zoom_out(self) -> object: ...


class ThingPane(QWidget):
    """A thing, its numbers, and the choice of another: files, zoom, export, and what went wrong.

    Args:
        noun: what the thing is, such as "picture".
        model: holds the thing.
        compute: files are read on its thread.
    """

    def __init__(
        self,
        noun: str,
        model: NumbersModel,
        compute: ComputeThread,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._noun, self._model, self._compute = noun, model, compute
        self.shape = plain_label(wrap=True)
        set_text_role(self.shape, "strong")
        self.readout = plain_label(wrap=True)
        set_text_role(self.readout, "body", "muted")
        self.message = plain_label(wrap=True)
        self.message.hide()

    def say(self, sentence: str, tint: str = "muted") -> None:
        """Show a sentence above the thing; none with an empty one."""
        set_text_role(self.message, "body", tint)
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    # ------------------------------------------------------------------------------------ the rows
    def file_row(self, before: tuple[QWidget, ...], kinds: str, formats: str) -> FlowRow:
        """Buttons for another thing, for the built-in one again, and for saving.

        Args:
            before: what stands before them.
            kinds: the files to choose from, as Qt's name filters have it.
            formats: the files in words, such as "WAV file".
        """
        row = FlowRow()
        self._kinds = kinds
        self.open = push_button(
            f"Open a {self._noun} …", f"Use a {formats} of your own.", self._ask
        )
        self.back = push_button(
            f"Built-in {self._noun}",
            f"Go back to the {self._noun} that came with the lab.",
            self._go_back,
        )
        self.back.hide()
        self.export = ExportButton(self._noun, row)
        self.export.wanted.connect(self.save)
        for widget in (*before, self.open, self.back, self.export):
            row.add(widget)
        return row

    def zoom_row(self, view: Zoomed, readable: str) -> FlowRow:
        """Buttons that zoom a view; ``readable`` is the tooltip of the first."""
        row = FlowRow()
        self.numbers_button = push_button("Read the numbers", readable, self._show_numbers)
        self.all_button = push_button(
            f"Whole {self._noun}", "Zoom out until all of it is in view (Home).", view.show_all
        )
        self.out_button = push_button("−", "Zoom out (−)", view.zoom_out)
        self.out_button.setAccessibleName("Zoom out")
        self.in_button = push_button("+", "Zoom in (+)", view.zoom_in)
        self.in_button.setAccessibleName("Zoom in")
        for button in (self.numbers_button, self.all_button, self.out_button, self.in_button):
            row.add(button)
        return row

    # ----------------------------------------------------------------------------------- the files
    @Slot()
    def _ask(self) -> None:
        ask_for_file(self, f"Open a {self._noun}", self._kinds, self.open_file)

    @Slot(str)
    def open_file(self, name: str) -> None:
        """Use the thing in a file; what is wrong with it is said in place."""
        self._compute.request(
            ("numbers", self._noun),
            self._reader(),
            Path(name),
            title=f"Opening the {self._noun}",
            on_result=self._opened,
            on_error=self._failed,
        )

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self.say(failure.sentence, "bad")

    @Slot()
    def _go_back(self) -> None:
        self.say("")
        self.back.hide()
        self._use_built_in()

    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write what is shown as "png" or "svg", or all numbers as "csv".

        Raises:
            LabError: if the file cannot be written.
        """
        if ending == "csv":
            self._write_csv(Path(name))
            return
        view = self._shown()
        ground = colours_of(view.palette()).color("surface")
        title = f"The {self._noun} and its numbers"
        write_picture(ending, Path(name), view.size(), title, ground, view.paint)

    # ------------------------------------------------------------------------ what each does itself
    @abstractmethod
    def _reader(self) -> Callable[[Path], object]:
        """Reads a file, on the compute thread."""

    @abstractmethod
    def _opened(self, read: Any) -> None:
        """Take what was read."""

    @abstractmethod
    def _use_built_in(self) -> None:
        """Take the thing that came with the lab."""

    @abstractmethod
    def _show_numbers(self) -> None:
        """Zoom in until the numbers can be read."""

    @abstractmethod
    def _shown(self) -> Zoomed:
        """The view that is saved as a picture."""

    @abstractmethod
    def _write_csv(self, path: Path) -> None:
        """Write all numbers."""
