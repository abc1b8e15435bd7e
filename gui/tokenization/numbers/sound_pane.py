"""A sound beside its samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import LabError
from engine.signals import Sound
from gui.compute import ComputeThread
from gui.job_handle import Failure
from gui.theme import set_text_role
from gui.tokenization.numbers.controls import ask_for_file, push_button
from gui.tokenization.numbers.files import MAX_SAMPLES, play, read_sound
from gui.tokenization.numbers.model import SOUND, NumbersModel
from gui.tokenization.numbers.viewport import Span
from gui.tokenization.numbers.wave_view import SoundOverview, WaveView
from gui.widgets.exports import ExportButton, write_csv, write_png
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import colours_of
from gui.widgets.safe_text import plain_label

HINT = (
    "Point at a sample to read it. The wheel or + and − zoom, dragging moves, "
    "the arrow keys go from sample to sample."
)


class SoundPane(QWidget):
    """The sound, its numbers, and the choice of another."""

    def __init__(
        self, model: NumbersModel, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model, self._compute = model, compute
        self._start: tuple[float, float] | None = None
        self.span = Span(self)
        self.wave = WaveView(self.span, "The sound's samples")
        self.overview = SoundOverview(self.wave, "The whole sound")
        self.shape = plain_label(wrap=True)
        set_text_role(self.shape, "strong")
        self.readout = plain_label(HINT, wrap=True)
        set_text_role(self.readout, "body", "muted")
        self.message = plain_label(wrap=True)
        self.message.hide()
        self._lay_out()
        model.sound_changed.connect(self._renew)
        self.span.pointed.connect(self._pointed)
        self.wave.resized.connect(self._place)
        self._renew()

    # --------------------------------------------------------------------------------- the layout
    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._choices())
        layout.addWidget(self.message)
        layout.addWidget(self.shape)
        layout.addWidget(self.overview, 2)
        layout.addWidget(self.wave, 5)
        layout.addWidget(self._zoom_row())
        layout.addWidget(self.readout)

    def _choices(self) -> QWidget:
        row = FlowRow()
        self.play = push_button(
            "Play", "Write the sound as a WAV file and open it in your system's player.", self._play
        )
        self.open = push_button("Open a sound …", "Use a WAV file of your own.", self._ask)
        self.back = push_button(
            "Built-in sound", "Go back to the sound that came with the lab.", self._go_back
        )
        self.back.hide()
        self.export = ExportButton("sound", row, formats=("png", "csv"))
        self.export.wanted.connect(self.save)
        for widget in (self.play, self.open, self.back, self.export):
            row.add(widget)
        return row

    def _zoom_row(self) -> QWidget:
        row = FlowRow()
        self.numbers_button = push_button(
            "Read the numbers",
            "Zoom in until single samples and their numbers can be read (Enter).",
            self._show_numbers,
        )
        self.all_button = push_button(
            "Whole sound", "Zoom out until all of it is in view (Home).", self.wave.show_all
        )
        self.out_button = push_button("−", "Zoom out (−)", self.wave.zoom_out)
        self.out_button.setAccessibleName("Zoom out")
        self.in_button = push_button("+", "Zoom in (+)", self.wave.zoom_in)
        self.in_button.setAccessibleName("Zoom in")
        for button in (self.numbers_button, self.all_button, self.out_button, self.in_button):
            row.add(button)
        return row

    # ---------------------------------------------------------------------------------- the sound
    @Slot()
    def _renew(self) -> None:
        sound = self._model.sound
        self.span.reset(len(sound.samples))
        self.wave.set_sound(sound)
        self.overview.set_sound(sound)
        self._start = (self.span.first, self.span.count)
        self.shape.setText(sound_in_words(sound))
        self._pointed(-1)
        self._place()

    @Slot()
    def _place(self) -> None:
        """Show a new sound's loudest numbers first, as many as there is room for, so that it is
        seen at once what it is. Where someone has looked elsewhere it stays there."""
        if self.isVisible() and self._start == (self.span.first, self.span.count):
            loud = np.abs(self._model.sound.samples - Sound.SIZE // 2)
            self.wave.show_all()
            self.wave.show_numbers(int(loud.argmax()))
            self._start = (self.span.first, self.span.count)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place()

    @Slot()
    def _show_numbers(self) -> None:
        self.wave.show_numbers()

    @Slot(int)
    def _pointed(self, sample: int) -> None:
        self.readout.setText(self.wave.describe(sample) or HINT)

    @Slot()
    def _play(self) -> None:
        try:
            self._say(play(self._model.sound, "sound"))
        except LabError as error:
            self._say(str(error), "bad")

    # -------------------------------------------------------------------------------- other sounds
    @Slot()
    def _ask(self) -> None:
        ask_for_file(self, "Open a sound", "Sounds (*.wav)", self.open_sound)

    @Slot(str)
    def open_sound(self, name: str) -> None:
        """Use the sound in a WAV file; what is wrong with it is said in place."""
        self._compute.request(
            ("numbers", "sound"),
            read_sound,
            Path(name),
            title="Opening the sound",
            on_result=self._opened,
            on_error=self._failed,
        )

    @Slot(object)
    def _opened(self, sound: Sound) -> None:
        cut = len(sound.samples) == MAX_SAMPLES
        self._say(f"The first {sound.seconds:.1f} seconds of it are used." if cut else "")
        self.back.show()
        self._model.set_sound(sound)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._say(failure.sentence, "bad")

    @Slot()
    def _go_back(self) -> None:
        self._say("")
        self.back.hide()
        self._model.set_sound(read_sound(SOUND))

    def _say(self, sentence: str, tint: str = "muted") -> None:
        set_text_role(self.message, "body", tint)
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    # -------------------------------------------------------------------------------------- saving
    @Slot(str, str)
    def save(self, ending: str, name: str) -> None:
        """Write what is shown as PNG, or all numbers as CSV.

        Raises:
            LabError: if the file cannot be written.
        """
        write = self._write_png if ending == "png" else self._write_csv
        write(Path(name))

    def _write_png(self, path: Path) -> None:
        view = self.wave
        write_png(path, view.size(), colours_of(self.palette()).color("surface"), view.paint)

    def _write_csv(self, path: Path) -> None:
        sound = self._model.sound
        samples = sound.samples.tolist()
        rows = ((i + 1, i / sound.rate, value) for i, value in enumerate(samples))
        write_csv(path, ["sample", "seconds", "number"], rows)


def sound_in_words(sound: Sound) -> str:
    """How many numbers a sound is."""
    return (
        f"{sound.seconds:.2f} seconds × {sound.rate:,} samples a second = "
        f"{len(sound.samples):,} numbers from 0 to {Sound.SIZE - 1:,}"
    )
