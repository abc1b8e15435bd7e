"""Pictures, sounds and texts as a computer has them: numbers, and a table of what they mean.

The experiment of the tutorial's first part. To a picture or a sound near numbers mean near
things, so a little noise on every number hardly shows; a text's numbers are names in a list, so
the same noise makes another text of it. Shuffling the table (and decoding with the shuffled one)
loses nothing in any of the three, but takes the nearness away from pictures and sounds too.
"""

from __future__ import annotations

import sys
import unicodedata
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import LabError

Numbers = npt.NDArray[np.int64]
"""Whole numbers 0 … size − 1 of any shape."""

MAX_SOUND_BYTES = 50_000_000
UNREADABLE = "\ufffd"


def add_noise(numbers: Numbers, amplitude: int, size: int, rng: np.random.Generator) -> Numbers:
    """Move every number up or down by 1 … ``amplitude``, at random, and keep it in the table.

    Args:
        numbers: whole numbers 0 … size − 1, any shape.
        amplitude: the largest move; 0 returns a copy.
        size: how many entries the table has. A number at either end of it stops there.
        rng: where the moves come from.

    Raises:
        ValueError: if the amplitude is negative.
    """
    if amplitude < 0:
        raise ValueError("the amplitude of noise is 0 or more")
    if amplitude == 0:
        return numbers.copy()
    moves = rng.integers(1, amplitude + 1, numbers.shape) * rng.choice([-1, 1], numbers.shape)
    noisy: Numbers = np.clip(numbers + moves, 0, size - 1)
    return noisy


@dataclass(frozen=True)
class LookupTable:
    """Which number stands for which thing: thing x is written as the number ``codes[x]``."""

    codes: Numbers
    """Shape (size,), a permutation of 0 … size − 1."""

    @classmethod
    def in_order(cls, size: int) -> LookupTable:
        """The ordinary table, where near numbers stand for near things."""
        return cls(np.arange(size))

    @classmethod
    def shuffled(cls, size: int, rng: np.random.Generator) -> LookupTable:
        """A table in an arbitrary order, every order equally likely."""
        return cls(rng.permutation(size).astype(np.int64))

    @property
    def size(self) -> int:
        """How many entries the table has."""
        return len(self.codes)

    def write(self, things: Numbers) -> Numbers:
        """The numbers that stand for the things, same shape."""
        return self.codes[things]

    def read(self, numbers: Numbers) -> Numbers:
        """The things that the numbers stand for, same shape: the inverse of ``write``."""
        meaning = np.empty_like(self.codes)
        meaning[self.codes] = np.arange(self.size)
        return meaning[numbers]


def code_points(text: str) -> Numbers:
    """Each character's Unicode code point, shape (characters,); U+FFFD for a lone surrogate."""
    data = text.encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(data, dtype="<u4").astype(np.int64)
    points[(points >= 0xD800) & (points <= 0xDFFF)] = ord(UNREADABLE)
    return points


def text_of(points: Numbers) -> str:
    """The text of code points; what is no character (unassigned, surrogate) reads as U+FFFD."""
    return "".join(
        chr(p) if 0 <= p <= sys.maxunicode and _is_readable(chr(p)) else UNREADABLE
        for p in points.reshape(-1).tolist()
    )


def text_table(rng: np.random.Generator | None = None) -> LookupTable:
    """Unicode as a table of sys.maxunicode + 1 entries, in order or shuffled.

    Only places that hold a character of the Basic Multilingual Plane change seats, among
    themselves, so that a shuffled number still stands for something that can be shown.
    """
    codes = np.arange(sys.maxunicode + 1)
    if rng is not None:
        seats = _readable_code_points()
        codes[seats] = rng.permutation(seats)
    return LookupTable(codes)


def _is_readable(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in {"Cn", "Cs", "Co", "Cc"}


@cache
def _readable_code_points() -> Numbers:
    return np.array([p for p in range(0x10000) if _is_readable(chr(p))], dtype=np.int64)


@dataclass(frozen=True)
class Sound:
    """One channel of samples, as 16-bit whole numbers counted from 0 (silence is 32768)."""

    samples: Numbers
    """Shape (samples,), 0 … 65535."""
    rate: int
    """Samples a second."""

    SIZE = 65_536

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return len(self.samples) / self.rate

    @property
    def amplitudes(self) -> npt.NDArray[np.float64]:
        """The samples as air pressure, −1 … 1."""
        return (self.samples - 32_768) / 32_768


def read_wav(path: Path) -> Sound:
    """Read an uncompressed WAV file of 8, 16, 24 or 32 bits; several channels are averaged.

    Raises:
        LabError: if the file is missing, too large, or no such WAV file.
    """
    try:
        if path.stat().st_size > MAX_SOUND_BYTES:
            raise LabError(f"{path.name} is larger than 50 MB. Choose a shorter recording.")
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(MAX_SOUND_BYTES // max(1, channels * width))
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise LabError(f"{path.name} cannot be read: {reason}.") from error
    except (wave.Error, EOFError) as error:
        raise LabError(
            f"{path.name} is not an uncompressed WAV file. Save the sound as WAV (PCM) first."
        ) from error
    frame = channels * width
    raw = np.frombuffer(data[: len(data) // frame * frame], dtype=np.uint8)
    if not raw.size or rate <= 0:
        raise LabError(f"{path.name} holds no samples. Choose another recording.")
    parts = raw.reshape(-1, channels, width).astype(np.int64)  # (samples, channels, bytes)
    # Little-endian; 8 bits are unsigned, more are two's complement (RIFF WAVE).
    values = (parts << (8 * np.arange(width))).sum(axis=-1)
    if width > 1:
        values = (values + (1 << (8 * width - 1))) % (1 << (8 * width))
    values = values >> (8 * width - 16) if width >= 2 else values << 8
    return Sound(samples=np.rint(values.mean(axis=1)).astype(np.int64), rate=rate)


def write_wav(path: Path, sound: Sound) -> None:
    """Write a 16-bit WAV file.

    Raises:
        LabError: if the file cannot be written.
    """
    try:
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(sound.rate)
            file.writeframes((sound.samples - 32_768).astype("<i2").tobytes())
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise LabError(f"{path.name} cannot be written: {reason}.") from error
