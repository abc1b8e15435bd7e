"""The sound beside its samples, with mouse, wheel and keyboard."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.signals import Sound, read_wav, write_wav
from gui.theme import Theme
from gui.tokenization.numbers.files import MAX_SAMPLES
from gui.tokenization.numbers.model import SOUND
from gui.tokenization.numbers.sound_pane import SoundPane
from gui.tokenization.numbers.viewport import Span
from gui.tokenization.numbers.wave import envelope, time_step
from gui.tokenization.numbers_page import NumbersPage
from tests.gui.tokenization.numbers_lab import (  # noqa: F401
    lab_fixture,
    move_mouse,
    page_fixture,
    turn_wheel,
)


@pytest.fixture
def pane(page: NumbersPage, qtbot: QtBot) -> SoundPane:
    qtbot.mouseClick(page.parts.button(1), Qt.MouseButton.LeftButton)
    QTest.qWait(0)
    return page.sound


def test_the_samples_are_the_files(page: NumbersPage) -> None:
    with wave.open(str(SOUND)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert (page.model.sound.samples == data.astype(int) + 32_768).all()
    assert page.sound.shape.text() == (
        "3.48 seconds × 22,050 samples a second = 76,734 numbers from 0 to 65,535"
    )


def test_samples_can_be_read_at_once_and_hover_tells_place_and_value(
    page: NumbersPage,
    pane: SoundPane,
) -> None:
    samples = page.model.sound.samples
    loudest = int(np.abs(samples - 32_768).argmax())
    view = pane.wave
    assert view.numbers_are_shown()
    assert view.span.first <= loudest < view.span.first + view.span.count
    move_mouse(view, QPointF(view.x_of(loudest), 40))
    assert pane.readout.text() == (
        f"Sample {loudest + 1:,} of 76,734, at {loudest / 22_050:.4f} seconds: {samples[loudest]:,}"
    )


def test_a_wider_window_shows_more_numbers_until_someone_looks_elsewhere(
    page: NumbersPage, pane: SoundPane
) -> None:
    before = pane.span.count
    page.resize(1700, 720)
    QTest.qWait(0)
    assert pane.span.count > before * 1.2
    assert pane.wave.numbers_are_shown()
    pane.span.show(5000, 30)
    page.resize(1200, 720)
    QTest.qWait(0)
    assert pane.span.first <= 5015 < pane.span.first + pane.span.count


def test_a_sample_stands_at_its_height(pane: SoundPane) -> None:
    view = pane.wave
    image = view.grab().toImage()
    ink = view._ink()
    first = int(view.span.first) + 1
    for sample in range(first, first + 12):
        y = view.y_of(int(view.sound.samples[sample]))
        assert image.pixelColor(QPoint(round(view.x_of(sample)), round(y))) == ink


def test_wheel_keys_and_buttons_zoom_and_scroll(
    pane: SoundPane,
    qtbot: QtBot,
) -> None:
    view, span = pane.wave, pane.span
    qtbot.mouseClick(pane.all_button, Qt.MouseButton.LeftButton)
    assert (span.first, span.count) == (0, span.length)
    assert not view.numbers_are_shown()
    point = QPointF(view.x_of(20_000), 50)
    while turn_wheel(view, point, 1):
        assert abs(view.sample_at(point.x()) - 20_000) <= span.count / view.width() + 1
    assert span.count == Span.FEWEST
    assert view.numbers_are_shown()
    for _ in range(60):
        turn_wheel(view, point, -1)
    assert (span.first, span.count) == (0, span.length)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert span.count == pytest.approx(span.length / 1.5)
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert span.first + span.count == pytest.approx(span.length)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.numbers_are_shown()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    at = span.at
    for _ in range(100):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert span.at == at + 100
    assert span.first <= span.at < span.first + span.count
    assert f": {view.sound.samples[span.at]:,}" in pane.readout.text()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert span.count == span.length


def test_dragging_moves_the_sound_with_the_mouse(pane: SoundPane) -> None:
    view = pane.wave
    start, end = QPoint(400, 60), QPoint(250, 60)
    under = view.sample_at(start.x())
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert abs(view.sample_at(end.x()) - under) <= 1


def test_a_click_on_the_whole_sound_looks_there(pane: SoundPane) -> None:
    x = pane.overview.x_of(30_000)
    QTest.mouseClick(pane.overview, Qt.MouseButton.LeftButton, pos=QPoint(round(x), 30))
    middle = pane.span.first + pane.span.count / 2
    assert abs(middle - 30_000) < 2 * pane.span.length / pane.overview.width()
    assert pane.overview.frame().left() - 1 <= x <= pane.overview.frame().right() + 1


def test_the_numbers_stay_readable_at_another_text_size(
    pane: SoundPane,
    look: Theme,
) -> None:
    pane.wave.grab()
    look.set_text_size(200)
    assert pane.wave.numbers_are_shown()


@given(
    st.lists(st.integers(0, 65_535), min_size=1, max_size=60),
    st.integers(1, 60),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_outline_is_the_lowest_and_highest_of_every_stretch(
    values: list[int], columns: int, start: float, share: float
) -> None:
    samples = np.array(values)
    columns = min(columns, len(values))
    count = columns + share * (len(values) - columns)
    first = start * (len(values) - count)
    bounds = envelope(samples, first, count, columns)
    edges = [int(np.floor(first + i * count / columns)) for i in range(columns + 1)]
    for i, (low, high) in enumerate(bounds.tolist()):
        stretch = values[edges[i] : max(edges[i + 1], edges[i] + 1)]
        assert (low, high) == (min(stretch), max(stretch))


@settings(max_examples=50)
@given(st.floats(1e-4, 1e4), st.integers(1, 12))
def test_ticks_are_round_and_few(seconds: float, most: int) -> None:
    step = time_step(seconds, most)
    assert seconds / step <= most * 1.001
    assert float(f"{step:.0e}"[0]) in (1, 2, 5)


# ---------------------------------------------------------------------------- playing and opening


def test_play_opens_a_wav_of_exactly_these_samples(
    page: NumbersPage, pane: SoundPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or True)
    qtbot.mouseClick(pane.play, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.play, Qt.MouseButton.LeftButton)
    paths = [url.toLocalFile() for url in opened]
    assert len(set(paths)) == 2  # a player may still hold the first
    played = read_wav(Path(paths[0]))
    assert (played.samples == page.model.sound.samples).all()
    assert played.rate == 22_050
    assert paths[1] in pane.message.text()


def test_where_no_player_opens_the_file_is_named(
    pane: SoundPane,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    qtbot.mouseClick(pane.play, Qt.MouseButton.LeftButton)
    text = pane.message.text()
    assert text.startswith("No player could be opened. The sound is in ")
    assert Path(text.split(" is in ")[1].split(";")[0]).is_file()


def test_own_sounds_and_bad_files(
    page: NumbersPage,
    pane: SoundPane,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFFxxxxWAVEfmt ")
    pane.open_file(str(bad))
    qtbot.waitUntil(lambda: pane.message.isVisible())
    assert "not an uncompressed WAV file" in pane.message.text()
    assert len(page.model.sound.samples) == 76_734
    for length, said in ((3, ""), (MAX_SAMPLES + 10, "The first 10.0 seconds")):
        samples = np.arange(length) % 65_536
        write_wav(tmp_path / "own.wav", Sound(samples, 48_000))
        with qtbot.waitSignal(page.model.sound_changed):
            pane.open_file(str(tmp_path / "own.wav"))
        assert (page.model.sound.samples == samples[:MAX_SAMPLES]).all()
        assert pane.message.text().startswith(said)
        assert pane.message.isVisible() == bool(said)
        pane.wave.show_all()
        pane.grab()
        assert pane.span.length == min(length, MAX_SAMPLES)
    write_wav(tmp_path / "cut.wav", Sound(np.arange(8_000), 8_000))
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:-10_000])
    with qtbot.waitSignal(page.model.sound_changed):
        pane.open_file(str(tmp_path / "cut.wav"))
    assert "shorter than it says: 3,000 of 8,000 samples" in pane.message.text()
    qtbot.mouseClick(pane.back, Qt.MouseButton.LeftButton)
    assert len(page.model.sound.samples) == 76_734 and not pane.message.isVisible()


def test_the_samples_are_saved_as_they_are(
    page: NumbersPage,
    pane: SoundPane,
    tmp_path: Path,
) -> None:
    pane.export.wanted.emit("csv", str(tmp_path / "s.csv"))
    rows = (tmp_path / "s.csv").read_text().splitlines()
    assert rows[0] == "sample,seconds,number"
    assert [int(row.split(",")[2]) for row in rows[1:]] == page.model.sound.samples.tolist()
    pane.export.wanted.emit("png", str(tmp_path / "s.png"))
    assert QImage(str(tmp_path / "s.png")).size() == pane.wave.size() * 2
