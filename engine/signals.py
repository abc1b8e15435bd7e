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
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import LabError

Numbers = npt.NDArray[np.int64]
"""Whole numbers 0 … size − 1 of any shape."""

MAX_SOUND_BYTES = 50_000_000
UNKNOWN_LENGTH = 0x7FFF_0000
"""From here on the length in a WAV file's header promises nothing: programs that write to a pipe
put the largest number there."""
UNREADABLE = "\ufffd"


@dataclass(frozen=True)
class Noise:
    """Random moves, drawn once, that grow with the amplitude.

    A number that moves up at amplitude 1 moves up at every amplitude, and never by less at a
    larger one, so that a slider shows the same noise getting stronger instead of new noise.
    """

    shares: npt.NDArray[np.float32]
    """Any shape, 0 <= share < 1: where in 1 … amplitude the size of the move lies."""
    signs: npt.NDArray[np.int8]
    """Same shape, −1 or 1."""

    @classmethod
    def drawn(cls, shape: int | tuple[int, ...], rng: np.random.Generator) -> Noise:
        """Noise for numbers of this shape; size and direction of each move are independent."""
        signs = 2 * rng.integers(0, 2, shape, dtype=np.int8) - 1
        return cls(rng.random(shape, dtype=np.float32), signs.astype(np.int8))

    def moves(self, amplitude: int) -> Numbers:
        """How far each number moves: ±1 … ±``amplitude``, every whole number equally likely.

        Amplitude 0 moves nothing.

        Raises:
            ValueError: if the amplitude is negative.
        """
        if amplitude < 0:
            raise ValueError("the amplitude of noise is 0 or more")
        if amplitude == 0:
            return np.zeros(self.signs.shape, dtype=np.int64)
        sizes = np.minimum((self.shares * np.float32(amplitude)).astype(np.int64) + 1, amplitude)
        moves: Numbers = self.signs.astype(np.int64) * sizes
        return moves

    def added_to(self, numbers: Numbers, amplitude: int, size: int) -> Numbers:
        """The numbers after their moves. One at either end of the table of ``size`` stops there."""
        noisy: Numbers = np.clip(numbers + self.moves(amplitude), 0, size - 1)
        return noisy


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
    return Noise.drawn(numbers.shape, rng).added_to(numbers, amplitude, size)


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
        return self._things[numbers]

    @cached_property
    def _things(self) -> Numbers:
        """The inverse permutation, shape (size,). Unicode's has 1.1 million entries."""
        things = np.empty_like(self.codes)
        things[self.codes] = np.arange(self.size)
        return things


@dataclass(frozen=True)
class Reading:
    """Things written as numbers, the numbers disturbed, and what was read from them."""

    written: Numbers
    """The numbers that the table gave the things."""
    received: Numbers
    """The same after the noise."""
    things: Numbers
    """What the same table makes of the received numbers."""


def transmit(things: Numbers, table: LookupTable, noise: Noise, amplitude: int) -> Reading:
    """Write with a table, add noise, read with the same table; every array has one shape.

    Raises:
        ValueError: if the amplitude is negative.
    """
    written = table.write(things)
    received = noise.added_to(written, amplitude, table.size)
    return Reading(written, received, table.read(received))


def count_different(before: Numbers, after: Numbers) -> int:
    """In how many places two arrays of one shape differ."""
    return int(np.count_nonzero(before != after))


def mean_change(before: Numbers, after: Numbers, size: int) -> float:
    """The mean of |after − before|, as a share (0 … 1) of the range 0 … ``size`` − 1.

    Two unrelated uniform numbers differ by a third of the range. Nothing at all changes by 0.
    """
    if not before.size:
        return 0.0
    return float(np.abs(after - before).mean()) / (size - 1)


def greyscale(colours: Numbers) -> Numbers:
    """The intensities of a colour picture, shape (height, width, 3) to (height, width).

    Luma after Rec. ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B, rounded; green looks brightest.
    """
    luma: Numbers = np.rint(colours @ np.array([0.299, 0.587, 0.114])).astype(np.int64)
    return luma


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
    if rng is None:
        return _unicode_in_order()
    codes = np.arange(sys.maxunicode + 1)
    seats = _readable_code_points()
    codes[seats] = rng.permutation(seats)
    return LookupTable(codes)


@cache
def _unicode_in_order() -> LookupTable:
    return LookupTable.in_order(sys.maxunicode + 1)


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
    missing: int = 0
    """Samples that the file promised, but that are not there."""

    SIZE = 65_536

    @property
    def seconds(self) -> float:
        """How long the sound lasts."""
        return len(self.samples) / self.rate

    @property
    def amplitudes(self) -> npt.NDArray[np.float64]:
        """The samples as air pressure, −1 … 1."""
        return (self.samples - 32_768) / 32_768


def read_wav(path: Path, max_samples: int | None = None) -> Sound:
    """Read an uncompressed WAV file of 8, 16, 24 or 32 bits; several channels are averaged.

    Args:
        path: the file, at most MAX_SOUND_BYTES long.
        max_samples: read only so many samples from the beginning; None reads all.

    Raises:
        LabError: if the file is missing, too large, or no such WAV file.
    """
    try:
        if path.stat().st_size > MAX_SOUND_BYTES:
            raise LabError(f"{path.name} is larger than 50 MB. Choose a shorter recording.")
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames, promised = MAX_SOUND_BYTES // (channels * width), file.getnframes()
            wanted = min(frames, promised if max_samples is None else max_samples)
            data = file.readframes(wanted)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise LabError(f"{path.name} cannot be read: {reason}.") from error
    except (wave.Error, EOFError, RuntimeError) as error:
        # RuntimeError is what Python's chunk reader raises for lengths that contradict each other.
        raise LabError(
            f"{path.name} is not an uncompressed WAV file. Save the sound as WAV (PCM) first."
        ) from error
    if width > 4:
        raise LabError(f"{path.name} has {8 * width} bits a sample. Save it with 16 bits first.")
    frame = channels * width
    data = data[: len(data) // frame * frame]
    if not data or rate <= 0:
        raise LabError(f"{path.name} holds no samples. Choose another recording.")
    samples = _unsigned_16_bit(data, width).reshape(-1, channels).mean(axis=1)
    missing = 0
    if len(samples) < min(wanted, promised) and promised * frame < UNKNOWN_LENGTH:
        missing = promised - len(samples)
    return Sound(np.rint(samples).astype(np.int64), rate, missing)


def _unsigned_16_bit(data: bytes, width: int) -> Numbers:
    """Little-endian samples of ``width`` bytes as 0 … 65535, shape (samples,).

    8 bits are unsigned, more are two's complement (RIFF WAVE); of more than 16 the upper 16
    are kept.
    """
    if width == 1:
        return np.frombuffer(data, dtype=np.uint8).astype(np.int64) << 8
    parts = np.frombuffer(data, dtype=np.uint8).reshape(-1, width)
    upper = np.ascontiguousarray(parts[:, width - 2 :]).view("<i2").reshape(-1)
    return upper.astype(np.int64) + 32_768


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
