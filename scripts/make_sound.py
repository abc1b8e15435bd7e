"""Synthesizes assets/sounds/plucked_strings.wav: a short tune on plucked strings.

The sound of "how a computer hears". Each note is a delay line that is filled with noise and
averaged with itself as it goes round (Karplus and Strong 1983, "Digital synthesis of plucked-string
and drum timbres"); the tune is made up for this project.

usage: python scripts/make_sound.py
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

TARGET = Path(__file__).resolve().parent.parent / "assets" / "sounds" / "plucked_strings.wav"
RATE = 22_050  # samples a second
BEAT = 0.24  # seconds

# (beat it starts on, MIDI note, loudness)
TUNE = [
    (0, 57, 0.8), (0, 69, 0.9), (1, 64, 0.6), (2, 72, 0.8), (3, 71, 0.7),
    (4, 53, 0.8), (4, 69, 0.8), (5, 60, 0.5), (6, 65, 0.7), (7, 67, 0.7),
    (8, 52, 0.8), (8, 64, 0.9), (8, 68, 0.6), (10, 57, 0.9), (10, 64, 0.6), (10, 69, 0.8),
]  # fmt: skip


def pluck(note: int, seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One string: shape (seconds × RATE,), about −1 … 1."""
    frequency = 440.0 * 2 ** ((note - 69) / 12)
    period = round(RATE / frequency - 0.5)
    line = rng.uniform(-1, 1, period)
    line = 0.5 * (line + np.roll(line, 1))  # a softer finger
    rounds = []
    for _ in range(int(seconds * RATE / period) + 1):
        rounds.append(line)
        line = 0.4985 * (line + np.roll(line, 1))
    return np.concatenate(rounds)[: int(seconds * RATE)]


def main() -> None:
    rng = np.random.default_rng(1983)
    seconds = 14.5 * BEAT
    mix = np.zeros(int(seconds * RATE))
    for beat, note, loudness in TUNE:
        start = int(beat * BEAT * RATE)
        string = pluck(note, seconds - beat * BEAT, rng)
        mix[start : start + len(string)] += loudness * string[: len(mix) - start]
    fade = int(0.35 * RATE)
    mix[-fade:] *= np.linspace(1, 0, fade) ** 2
    samples = np.rint(mix / np.abs(mix).max() * 26_000).astype("<i2")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(TARGET), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    print(f"{TARGET.name}: {len(samples)} samples, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
