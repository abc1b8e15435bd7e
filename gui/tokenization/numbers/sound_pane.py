"""A sound beside its samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.errors import LabError
from engine.signals import Sound
from gui.compute import ComputeThread
from gui.tokenization.numbers.controls import push_button
from gui.tokenization.numbers.files import MAX_SAMPLES, play, read_sound
from gui.tokenization.numbers.model import SOUND, NumbersModel
from gui.tokenization.numbers.thing_pane import ThingPane
from gui.tokenization.numbers.viewport import Span
from gui.tokenization.numbers.wave_view import SoundOverview, WaveView
from gui.widgets.exports import write_csv

HINT = (
    "Point at a sample to read it. The wheel or + and − zoom, dragging moves, "
    "the arrow keys go from sample to sample."
)

READABLE = "Zoom in until single samples and their numbers can be read (Enter)."


class SoundPane(ThingPane):
    """The sound, its numbers, and the choice of another."""

    def __init__(
        self, model: NumbersModel, compute: ComputeThread, parent: QWidget | None = None
    ) -> None:
        super().__init__("sound", model, compute, parent)
        self._start: tuple[float, float] | None = None
        self.span = Span(self)
        self.wave = WaveView(self.span, "The sound's samples")
        self.overview = SoundOverview(self.wave, "The whole sound")
        self.readout.setText(HINT)
        self._lay_out()
        model.sound_changed.connect(self._renew)
        self.span.pointed.connect(self._pointed)
        self.wave.resized.connect(self._place)
        self._renew()

    # --------------------------------------------------------------------------------- the layout
    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.play = push_button(
            "Play", "Write the sound as a WAV file and open it in your system's player.", self._play
        )
        layout.addWidget(self.file_row((self.play,), "Sounds (*.wav)", "WAV file"))
        layout.addWidget(self.message)
        layout.addWidget(self.shape)
        layout.addWidget(self.overview, 2)
        layout.addWidget(self.wave, 5)
        layout.addWidget(self.zoom_row(self.wave, READABLE))
        layout.addWidget(self.readout)

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
            self.say(play(self._model.sound, "sound"))
        except LabError as error:
            self.say(str(error), "bad")

    # -------------------------------------------------------------------------------- other sounds
    def _reader(self) -> Callable[[Path], Sound]:
        return read_sound

    @Slot(object)
    def _opened(self, read: Sound) -> None:
        if read.missing:
            there = len(read.samples)
            self.say(
                f"The file is shorter than it says: {there:,} of {there + read.missing:,} samples "
                "are there. They are shown.",
                "warning",
            )
        elif len(read.samples) == MAX_SAMPLES:
            self.say(f"The first {read.seconds:.1f} seconds of it are used.")
        else:
            self.say("")
        self.back.show()
        self._model.set_sound(read)

    def _use_built_in(self) -> None:
        self._model.set_sound(read_sound(SOUND))

    # -------------------------------------------------------------------------------------- saving
    def _shown(self) -> WaveView:
        return self.wave

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
