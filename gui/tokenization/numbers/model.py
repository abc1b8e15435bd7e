"""The picture, the sound and the text, and what becomes of them in the experiment."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from engine.signals import (
    LookupTable,
    Noise,
    Numbers,
    Reading,
    Sound,
    code_points,
    greyscale,
    read_wav,
    text_table,
    transmit,
)
from gui.tokenization.numbers.files import MAX_SAMPLES, read_picture

ASSETS = Path(__file__).resolve().parents[3] / "assets"
PICTURE = ASSETS / "images" / "still_life.png"
SOUND = ASSETS / "sounds" / "plucked_strings.wav"
TEXT = "Hello world!"
MAX_TEXT = 2_000
"""Characters of the learner's text that are used."""
MAX_AMPLITUDE = 20
SHADES = 256
"""Entries of the table of intensities."""


class Kind(Enum):
    """The three kinds of things that are written as numbers."""

    PICTURE = "picture"
    SOUND = "sound"
    TEXT = "text"


_STREAMS = {Kind.PICTURE: 0, Kind.SOUND: 1, Kind.TEXT: 2}
"""Gives each kind random numbers of its own under one seed."""


def table_size(kind: Kind) -> int:
    """How many entries a kind's lookup table has."""
    return {Kind.PICTURE: SHADES, Kind.SOUND: Sound.SIZE, Kind.TEXT: sys.maxunicode + 1}[kind]


class NumbersModel(QObject):
    """The three things and the two choices of the experiment: how much noise, which table.

    What is read back is computed when it is asked for, and kept until something changes.
    """

    picture_changed = Signal()
    sound_changed = Signal()
    text_changed = Signal()
    experiment_changed = Signal()
    """Noise, table or seed are different now, or one of the three things is."""

    def __init__(self, seed: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._colours = read_picture(PICTURE)
        self._picture = greyscale(self._colours)
        self._sound = read_wav(SOUND, MAX_SAMPLES)
        self._text = TEXT
        self._points = code_points(TEXT)
        self._seed = seed
        self._amplitude = 0
        self._shuffled = False
        self._readings: dict[Kind, Reading] = {}
        self._noises: dict[Kind, Noise] = {}
        self._shuffles: dict[Kind, LookupTable] = {}
        self._orders = {
            Kind.PICTURE: LookupTable.in_order(SHADES),
            Kind.SOUND: LookupTable.in_order(Sound.SIZE),
        }

    # ------------------------------------------------------------------------- the three things
    @property
    def colours(self) -> Numbers:
        """The picture in colour, shape (height, width, 3), 0 … 255."""
        return self._colours

    @property
    def picture(self) -> Numbers:
        """The picture as chosen: shape (height, width) or (height, width, 3), 0 … 255."""
        return self._picture

    @property
    def in_colour(self) -> bool:
        """Whether the picture is in colour."""
        return self._picture.ndim == 3

    @property
    def sound(self) -> Sound:
        """The sound."""
        return self._sound

    @property
    def text(self) -> str:
        """The text, at most MAX_TEXT characters."""
        return self._text

    @property
    def points(self) -> Numbers:
        """The text's code points, shape (characters,)."""
        return self._points

    def things(self, kind: Kind) -> Numbers:
        """A thing as numbers of the ordinary table."""
        return {
            Kind.PICTURE: self._picture,
            Kind.SOUND: self._sound.samples,
            Kind.TEXT: self._points,
        }[kind]

    def set_picture(self, colours: Numbers) -> None:
        """Another picture, shape (height, width, 3), 0 … 255."""
        self._colours = colours
        self._picture = colours if self.in_colour else greyscale(colours)
        self._renew(Kind.PICTURE)
        self.picture_changed.emit()
        self.experiment_changed.emit()

    @Slot(bool)
    def set_in_colour(self, in_colour: bool) -> None:
        """Three numbers a pixel, or one."""
        if in_colour != self.in_colour:
            self._picture = self._colours if in_colour else greyscale(self._colours)
            self._renew(Kind.PICTURE)
            self.picture_changed.emit()
            self.experiment_changed.emit()

    def set_sound(self, sound: Sound) -> None:
        """Another sound."""
        self._sound = sound
        self._renew(Kind.SOUND)
        self.sound_changed.emit()
        self.experiment_changed.emit()

    def set_text(self, text: str) -> None:
        """Another text; what is beyond MAX_TEXT characters is left out."""
        text = text[:MAX_TEXT]
        if text != self._text:
            self._text, self._points = text, code_points(text)
            self._renew(Kind.TEXT)
            self.text_changed.emit()
            self.experiment_changed.emit()

    # --------------------------------------------------------------------------- the experiment
    @property
    def seed(self) -> int:
        """Where noise and shuffled tables come from."""
        return self._seed

    @property
    def amplitude(self) -> int:
        """The largest move of a number, 0 … MAX_AMPLITUDE."""
        return self._amplitude

    @property
    def shuffled(self) -> bool:
        """Whether the shuffled tables are in force."""
        return self._shuffled

    @Slot(int)
    def set_seed(self, seed: int) -> None:
        """Draw noise and tables anew."""
        if seed != self._seed:
            self._seed = seed
            self._noises.clear()
            self._shuffles.clear()
            self._readings.clear()
            self.experiment_changed.emit()

    def set_experiment(self, amplitude: int, shuffled: bool) -> None:
        """Choose noise and table at once."""
        amplitude = min(MAX_AMPLITUDE, max(0, amplitude))
        if (amplitude, shuffled) != (self._amplitude, self._shuffled):
            self._amplitude, self._shuffled = amplitude, shuffled
            self._readings.clear()
            self.experiment_changed.emit()

    def reading(self, kind: Kind) -> Reading:
        """The thing written with the table in force, disturbed, and read with the same table."""
        if kind not in self._readings:
            things = self.things(kind)
            if kind not in self._noises:
                self._noises[kind] = Noise.drawn(things.shape, self._rng(kind, 0))
            self._readings[kind] = transmit(
                things, self.table(kind), self._noises[kind], self._amplitude
            )
        return self._readings[kind]

    def table(self, kind: Kind, shuffled: bool | None = None) -> LookupTable:
        """A kind's lookup table: the ordinary or the shuffled one; that in force if None."""
        if not (self._shuffled if shuffled is None else shuffled):
            return text_table() if kind is Kind.TEXT else self._orders[kind]
        if kind not in self._shuffles:
            rng = self._rng(kind, 1)
            self._shuffles[kind] = (
                text_table(rng)
                if kind is Kind.TEXT
                else LookupTable.shuffled(table_size(kind), rng)
            )
        return self._shuffles[kind]

    def _rng(self, kind: Kind, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._seed, _STREAMS[kind], purpose])

    def _renew(self, kind: Kind) -> None:
        """A thing changed: what was computed from it no longer holds."""
        self._readings.pop(kind, None)
        self._noises.pop(kind, None)
