"""Numbers, tables and noise against Python's own codecs, the wave module and plain arithmetic."""

from __future__ import annotations

import contextlib
import struct
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.signals import (
    LookupTable,
    Noise,
    Sound,
    add_noise,
    code_points,
    count_different,
    greyscale,
    mean_change,
    read_wav,
    text_of,
    text_table,
    transmit,
    write_wav,
)

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_noise_moves_every_number_by_at_most_the_amplitude(amplitude: int, seed: int) -> None:
    numbers = np.arange(256).reshape(16, 16)
    noisy = add_noise(numbers, amplitude, 256, np.random.default_rng(seed))
    moved = np.abs(noisy - numbers)
    assert moved.max() <= amplitude
    assert noisy.min() >= 0
    assert noisy.max() <= 255
    inside = (numbers >= amplitude) & (numbers < 256 - amplitude)
    assert moved[inside].min() >= 1


def test_no_noise_is_a_copy_and_negative_noise_is_refused() -> None:
    numbers = np.array([1, 2])
    same = add_noise(numbers, 0, 256, np.random.default_rng(0))
    assert same is not numbers
    assert same.tolist() == [1, 2]
    with pytest.raises(ValueError, match="0 or more"):
        add_noise(numbers, -1, 256, np.random.default_rng(0))


@given(st.integers(0, 2**32 - 1))
def test_noise_only_grows_with_the_amplitude(seed: int) -> None:
    noise = Noise.drawn((40, 30), np.random.default_rng(seed))
    moves = np.stack([noise.moves(amplitude) for amplitude in range(21)])
    assert not moves[0].any()
    assert (np.abs(np.diff(np.abs(moves), axis=0)) <= 1).all()
    assert (np.diff(np.abs(moves), axis=0) >= 0).all()
    assert (np.sign(moves[1:]) == np.sign(moves[1])).all()


def test_every_move_is_equally_likely() -> None:
    moves = Noise.drawn(60_000, np.random.default_rng(3)).moves(3)
    values, counts = np.unique(moves, return_counts=True)
    assert values.tolist() == [-3, -2, -1, 1, 2, 3]
    assert np.abs(counts - 10_000).max() < 500  # five standard deviations


def test_the_same_generator_gives_the_same_noise() -> None:
    numbers = np.full((5, 7), 100)
    first, again = (add_noise(numbers, 9, 256, np.random.default_rng(8)) for _ in range(2))
    assert (first == again).all()


@given(st.integers(0, 20), st.integers(0, 2**32 - 1))
def test_noise_is_added_to_the_numbers_and_not_to_the_things(amplitude: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    things = rng.integers(0, 256, (6, 5))
    table, noise = LookupTable.shuffled(256, rng), Noise.drawn((6, 5), rng)
    reading = transmit(things, table, noise, amplitude)
    book = {int(number): thing for thing, number in enumerate(table.codes)}
    for place, thing in np.ndenumerate(things):
        number = int(table.codes[thing])
        received = min(255, max(0, number + int(noise.moves(amplitude)[place])))
        assert reading.written[place] == number
        assert reading.received[place] == received
        assert reading.things[place] == book[received]
    if amplitude == 0:
        assert count_different(things, reading.things) == 0
        assert mean_change(things, reading.things, 256) == 0.0


def test_change_is_counted_and_measured_against_the_range() -> None:
    before, after = np.array([0, 10, 255, 7]), np.array([255, 10, 0, 7])
    assert count_different(before, after) == 2
    assert mean_change(before, after, 256) == 0.5
    assert mean_change(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 256) == 0.0


def test_greyscale_weighs_the_colours_as_the_eye_does() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    assert greyscale(colours).tolist() == [[0, 255, 76, 150, 29]]


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_a_shuffled_table_loses_nothing(size: int, seed: int) -> None:
    table = LookupTable.shuffled(size, np.random.default_rng(seed))
    things = np.arange(size)
    assert sorted(table.write(things).tolist()) == things.tolist()
    assert table.read(table.write(things)).tolist() == things.tolist()


@given(st.text())
def test_code_points_are_pythons_own(text: str) -> None:
    assert code_points(text).tolist() == [ord(c) for c in text]


def test_a_lone_surrogate_reads_as_the_replacement_character() -> None:
    assert code_points("a\ud800b").tolist() == [97, 0xFFFD, 98]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cn", "Co", "Cc"])), st.integers(0))
def test_text_survives_the_shuffled_table(text: str, seed: int) -> None:
    table = text_table(np.random.default_rng(seed))
    assert text_of(table.read(table.write(code_points(text)))) == text


def test_the_shuffled_table_really_shuffles() -> None:
    table = text_table(np.random.default_rng(1))
    latin = np.arange(ord("a"), ord("z") + 1)
    assert np.abs(np.diff(table.write(latin))).min() > 1


def test_what_is_no_character_reads_as_the_replacement_character() -> None:
    assert text_of(np.array([0x378, 0xD800, 0x07, 0x41, 0x10FFFF])) == "���A�"


def test_noise_hurts_a_shuffled_picture_more_than_an_ordered_one() -> None:
    rng = np.random.default_rng(0)
    picture = np.tile(np.arange(256), (64, 1))
    errors = []
    for table in (LookupTable.in_order(256), LookupTable.shuffled(256, rng)):
        decoded = table.read(add_noise(table.write(picture), 3, 256, rng))
        errors.append(float(np.abs(decoded - picture).mean()))
    assert errors[0] < 3
    assert errors[1] > 50


def test_the_bundled_sound_reads_as_the_wave_module_reads_it() -> None:
    path = ASSETS / "sounds" / "plucked_strings.wav"
    sound = read_wav(path)
    with wave.open(str(path)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        assert sound.rate == file.getframerate()
    assert (sound.samples - 32_768).tolist() == expected.tolist()
    assert np.abs(sound.amplitudes).max() <= 1


@pytest.mark.parametrize(
    ("width", "frames", "expected"),
    [
        (1, bytes([0, 128, 255]), [0, 32_768, 65_280]),
        (2, struct.pack("<3h", -32_768, 0, 32_767), [0, 32_768, 65_535]),
        (3, b"\x00\x00\x80" + b"\x00\x00\x00" + b"\xff\xff\x7f", [0, 32_768, 65_535]),
        (4, struct.pack("<3i", -(2**31), 0, 2**31 - 1), [0, 32_768, 65_535]),
    ],
)
def test_every_sample_width_is_read(
    tmp_path: Path, width: int, frames: bytes, expected: list[int]
) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(frames)
    assert read_wav(path).samples.tolist() == expected


def test_written_sounds_read_back_and_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    sound = Sound(np.array([0, 32_768, 65_535]), 8000)
    write_wav(path, sound)
    assert read_wav(path).samples.tolist() == sound.samples.tolist()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack("<4h", 100, 300, -50, 50))
    assert (read_wav(path).samples - 32_768).tolist() == [200, 0]


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a sound at all" * 10])
def test_what_is_no_wav_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(content)
    with pytest.raises(LabError, match="not an uncompressed WAV file"):
        read_wav(path)


@given(
    st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda fields, size, data: (
                b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", *fields) + b"data" + size + data
            ),
            st.tuples(
                st.sampled_from([1, 1, 1, 3, 0xFFFE]),
                st.integers(0, 0xFFFF),
                st.integers(0, 0xFFFFFFFF),
                st.integers(0, 0xFFFFFFFF),
                st.integers(0, 0xFFFF),
                st.integers(0, 0xFFFF),
            ),
            st.binary(min_size=4, max_size=4),
            st.binary(max_size=60),
        ),
    )
)
def test_any_bytes_after_a_wav_header_are_read_or_refused(tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(tail)) + b"WAVE" + tail)
        with contextlib.suppress(LabError):
            read_wav(path)


def test_more_bits_than_any_recorder_writes_are_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 64_000, 8, 64)
    body = struct.pack("<4sI", b"data", 16) + bytes(16)
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(header + body)) + b"WAVE" + header + body)
    with pytest.raises(LabError, match="64 bits a sample"):
        read_wav(path)


def test_only_the_beginning_is_read_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    samples = np.arange(1000) * 60
    write_wav(path, Sound(samples, 8000))
    assert read_wav(path, max_samples=250).samples.tolist() == samples[:250].tolist()
    assert read_wav(path, max_samples=5000).samples.tolist() == samples.tolist()


@given(
    count=st.integers(1, 300),
    channels=st.integers(1, 3),
    lost=st.integers(0, 300),
    most=st.one_of(st.none(), st.integers(1, 400)),
)
def test_samples_that_were_promised_but_are_missing_are_counted(
    count: int, channels: int, lost: int, most: int | None
) -> None:
    lost = min(lost, count - 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cut.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(2 * channels * count))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) - 2 * channels * lost])
        sound = read_wav(path, most)
    there = count - lost
    wanted = count if most is None else min(most, count)
    assert len(sound.samples) == min(there, wanted)
    # Where fewer were asked for than are there, nothing is known of the rest.
    assert sound.missing == (count - there if wanted > there else 0)


def test_a_length_that_was_never_filled_in_promises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    write_wav(path, Sound(np.arange(100), 8000))
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    sound = read_wav(path)
    assert len(sound.samples) == 100 and sound.missing == 0


def test_missing_and_empty_sounds_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot be read"):
        read_wav(tmp_path / "none.wav")
    path = tmp_path / "empty.wav"
    write_wav(path, Sound(np.array([], dtype=np.int64), 8000))
    with pytest.raises(LabError, match="no samples"):
        read_wav(path)
