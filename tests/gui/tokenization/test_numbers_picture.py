"""The picture beside its matrix, with mouse, wheel and keyboard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, qRgb
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.errors import LabError
from gui.theme import Theme
from gui.tokenization.numbers.files import MAX_SIDE, read_picture
from gui.tokenization.numbers.matrix import to_image
from gui.tokenization.numbers.model import PICTURE
from gui.tokenization.numbers_page import NumbersPage
from tests.gui.tokenization.numbers_lab import (  # noqa: F401
    lab_fixture,
    move_mouse,
    page_fixture,
    turn_wheel,
)


def oracle() -> np.ndarray:
    """The bundled picture's intensities by Qt's pixel access and Rec. 601's weights."""
    image = QImage(str(PICTURE))
    return np.array(
        [
            [
                round(0.299 * c.red() + 0.587 * c.green() + 0.114 * c.blue())
                for x in range(image.width())
                for c in [image.pixelColor(x, y)]
            ]
            for y in range(image.height())
        ]
    )


def test_the_numbers_are_the_pictures(page: NumbersPage) -> None:
    assert (page.model.picture == oracle()).all()
    assert page.picture.shape.text() == "180 rows × 240 columns = 43,200 numbers from 0 to 255"
    assert page.picture.matrix.picture is page.model.picture


def test_numbers_can_be_read_at_once_and_hover_tells_place_and_value(
    page: NumbersPage,
) -> None:
    matrix = page.picture.matrix
    assert matrix.numbers_are_shown()
    top, _, left, _ = matrix.shown_cells()
    row, column = top + 3, left + 5
    move_mouse(matrix, matrix.cell_rect(row, column).center())
    value = oracle()[row, column]
    assert page.picture.readout.text() == (
        f"Row {row + 1} of 180, column {column + 1} of 240: {value}"
    )
    assert page.picture.overview.viewport.at == (row, column)


def test_every_cell_has_its_intensity_as_ground(page: NumbersPage) -> None:
    matrix = page.picture.matrix
    image = matrix.grab().toImage()
    top, bottom, left, right = matrix.shown_cells()
    for row in range(top + 1, bottom - 1, 4):
        for column in range(left + 1, right - 1, 5):
            corner = matrix.cell_rect(row, column).topLeft() + QPointF(3, 3)
            assert image.pixelColor(corner.toPoint()).red() == page.model.picture[row, column]


def test_the_wheel_zooms_around_the_mouse_and_ends_at_the_whole_picture(
    page: NumbersPage,
) -> None:
    matrix = page.picture.matrix
    matrix.show_all()
    assert not matrix.numbers_are_shown()
    point = matrix.cell_rect(90, 100).center()
    for _ in range(30):
        under = matrix.cell_at(point)
        if not turn_wheel(matrix, point, 1):
            break
        assert matrix.cell_at(point) == under == (90, 100)
    assert matrix.numbers_are_shown()
    assert matrix.cell() == matrix.largest_cell()
    for _ in range(40):
        if not turn_wheel(matrix, point, -1):
            break
    assert matrix.shown_cells() == (0, 180, 0, 240)
    assert matrix.cell() == pytest.approx(min(matrix.width() / 240, matrix.height() / 180))


def test_keys_zoom_and_walk(page: NumbersPage, qtbot: QtBot) -> None:
    matrix = page.picture.matrix
    matrix.setFocus()
    qtbot.keyClick(matrix, Qt.Key.Key_Home)
    assert matrix.shown_cells() == (0, 180, 0, 240)
    before = matrix.cell()
    qtbot.keyClick(matrix, Qt.Key.Key_Plus)
    assert matrix.cell() == pytest.approx(1.25 * before)
    qtbot.keyClick(matrix, Qt.Key.Key_Minus)
    assert matrix.cell() == pytest.approx(before)
    qtbot.keyClick(matrix, Qt.Key.Key_Right)
    row, column = matrix.viewport.at
    qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert matrix.numbers_are_shown()
    for _ in range(60):
        qtbot.keyClick(matrix, Qt.Key.Key_Right)
    assert matrix.viewport.at == (row, column + 60)
    assert matrix.rect().contains(matrix.cell_rect(row, column + 60).toRect())
    for _ in range(300):
        qtbot.keyClick(matrix, Qt.Key.Key_Down)
    assert matrix.viewport.at == (179, column + 60)
    assert f"{page.model.picture[179, column + 60]}" == page.picture.readout.text().split()[-1]


def test_dragging_moves_the_picture_with_the_mouse(page: NumbersPage) -> None:
    matrix = page.picture.matrix
    matrix.show_numbers(90, 120)
    start = QPoint(300, 200)
    under = matrix.cell_at(QPointF(start))
    QTest.mousePress(matrix, Qt.MouseButton.LeftButton, pos=start)
    end = QPoint(220, 260)
    QTest.mouseMove(matrix, end)
    QTest.mouseRelease(matrix, Qt.MouseButton.LeftButton, pos=end)
    assert matrix.cell_at(QPointF(end)) == under


def test_a_click_on_the_whole_picture_looks_there(page: NumbersPage) -> None:
    pane = page.picture
    point = pane.overview.cell_rect(120, 30).center().toPoint()
    QTest.mouseClick(pane.overview, Qt.MouseButton.LeftButton, pos=point)
    top, bottom, left, right = pane.matrix.shown_cells()
    assert top <= 120 < bottom
    assert left <= 30 < right
    frame = pane.overview.frame()
    assert frame.contains(pane.overview.cell_rect(120, 30).center())


def test_buttons_zoom(page: NumbersPage, qtbot: QtBot) -> None:
    pane = page.picture
    qtbot.mouseClick(pane.all_button, Qt.MouseButton.LeftButton)
    whole = pane.matrix.cell()
    qtbot.mouseClick(pane.in_button, Qt.MouseButton.LeftButton)
    assert pane.matrix.cell() > whole
    qtbot.mouseClick(pane.out_button, Qt.MouseButton.LeftButton)
    assert pane.matrix.cell() == pytest.approx(whole)
    qtbot.mouseClick(pane.numbers_button, Qt.MouseButton.LeftButton)
    assert pane.matrix.numbers_are_shown()


def test_colour_has_three_numbers_a_pixel_and_single_channels(
    page: NumbersPage,
    qtbot: QtBot,
) -> None:
    pane = page.picture
    assert not pane.channel.isVisible()
    qtbot.mouseClick(pane.mode.button(1), Qt.MouseButton.LeftButton)
    assert page.model.picture.shape == (180, 240, 3)
    assert pane.shape.text().startswith("180 rows × 240 columns × 3 colours = 129,600 numbers")
    assert pane.matrix.numbers_are_shown()
    colour = QImage(str(PICTURE)).pixelColor(70, 100)
    assert pane.matrix.values_at(100, 70) == (colour.red(), colour.green(), colour.blue())
    assert f"red {colour.red()}, green {colour.green()}" in pane.matrix.describe(100, 70)
    assert pane.channel.isVisible()
    pane.channel.setFocus()
    qtbot.keyClick(pane.channel, Qt.Key.Key_Down)
    qtbot.keyClick(pane.channel, Qt.Key.Key_Down)
    assert pane.channel.currentText() == "Green only"
    assert pane.matrix.values_at(100, 70) == (colour.green(),)
    pane.matrix.show_numbers(100.5, 70.5)
    corner = pane.matrix.cell_rect(100, 70).topLeft() + QPointF(3, 3)
    shown = pane.matrix.grab().toImage().pixelColor(corner.toPoint())
    assert shown == QColor(0, colour.green(), 0)
    qtbot.mouseClick(pane.mode.button(0), Qt.MouseButton.LeftButton)
    assert (page.model.picture == oracle()).all()


def test_the_numbers_stay_readable_at_another_text_size(
    page: NumbersPage,
    look: Theme,
) -> None:
    look.set_text_size(200)
    assert page.picture.matrix.numbers_are_shown()
    look.set_text_size(75)
    assert page.picture.matrix.numbers_are_shown()


# ------------------------------------------------------------------------------- other pictures


def test_an_image_of_numbers_has_these_numbers() -> None:
    numbers = np.arange(7 * 5).reshape(7, 5)
    image = to_image(numbers)
    assert [
        [image.pixelColor(x, y).green() for x in range(5)] for y in range(7)
    ] == numbers.tolist()


def test_a_picture_reads_pixel_by_pixel(tmp_path: Path) -> None:
    image = QImage(5, 3, QImage.Format.Format_RGB32)  # five pixels: padded lines
    expected = np.random.default_rng(0).integers(0, 256, (3, 5, 3))
    for y, line in enumerate(expected.tolist()):
        for x, rgb in enumerate(line):
            image.setPixel(x, y, qRgb(*rgb))
    assert image.save(str(tmp_path / "small.png"))
    assert (read_picture(tmp_path / "small.png") == expected).all()


def test_transparent_pictures_stand_on_white(tmp_path: Path) -> None:
    image = QImage(2, 1, QImage.Format.Format_ARGB32)
    image.setPixelColor(0, 0, QColor(0, 0, 0, 0))
    image.setPixelColor(1, 0, QColor(10, 20, 30, 255))
    assert image.save(str(tmp_path / "clear.png"))
    assert read_picture(tmp_path / "clear.png").tolist() == [[[255, 255, 255], [10, 20, 30]]]


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp"])
def test_large_pictures_are_scaled_down(tmp_path: Path, ending: str) -> None:
    image = QImage(1500, 600, QImage.Format.Format_RGB32)
    image.fill(QColor(90, 90, 90))
    path = tmp_path / f"large.{ending}"
    assert image.save(str(path))
    numbers = read_picture(path)
    assert numbers.shape == (192, MAX_SIDE, 3)
    assert np.abs(numbers - 90).max() <= 2


def test_a_picture_of_one_row_keeps_it(tmp_path: Path) -> None:
    image = QImage(3000, 1, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(tmp_path / "row.png"))
    assert read_picture(tmp_path / "row.png").shape == (1, MAX_SIDE, 3)


def test_what_is_no_picture_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(LabError, match=r"text\.png is not a picture"):
        read_picture(tmp_path / "text.png")
    with pytest.raises(LabError, match=r"none\.png cannot be read"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(LabError, match="cannot be read"):
        read_picture(tmp_path)
    header = b"P6\n20000 20000\n255\n"
    (tmp_path / "huge.ppm").write_bytes(header + b"\0" * 100)
    with pytest.raises(LabError, match="20,000 × 20,000 pixels"):
        read_picture(tmp_path / "huge.ppm")
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(LabError, match="larger than 50 MB"):
        read_picture(tmp_path / "long.png")
    (tmp_path / "cut.png").write_bytes(PICTURE.read_bytes()[:3000])
    with pytest.raises(LabError, match="damaged"):
        read_picture(tmp_path / "cut.png")


def test_an_own_picture_replaces_the_built_in_one_and_back(
    page: NumbersPage,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    pane = page.picture
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"nothing")
    pane.open_file(str(bad))
    qtbot.waitUntil(lambda: pane.message.isVisible())
    assert pane.message.text().startswith("bad.png is not a picture")
    assert page.model.picture.shape == (180, 240)
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(QColor(200, 200, 200))
    good = tmp_path / "good.png"
    assert image.save(str(good))
    with qtbot.waitSignal(page.model.picture_changed):
        pane.open_file(str(good))
    assert not pane.message.isVisible()
    assert page.model.picture.tolist() == np.full((20, 30), 200).tolist()
    assert pane.shape.text().startswith("20 rows × 30 columns = 600 numbers")
    assert pane.matrix.shown_cells()[1] <= 20
    qtbot.mouseClick(pane.back, Qt.MouseButton.LeftButton)
    assert (page.model.picture == oracle()).all()
    assert not pane.back.isVisible()


def test_the_numbers_are_saved_as_they_are(page: NumbersPage, tmp_path: Path) -> None:
    pane = page.picture
    pane.export.wanted.emit("csv", str(tmp_path / "numbers.csv"))
    rows = (tmp_path / "numbers.csv").read_text().splitlines()
    assert len(rows) == 181
    assert [int(n) for n in rows[51].split(",")] == page.model.picture[50].tolist()
    pane.export.wanted.emit("png", str(tmp_path / "numbers.png"))
    saved = QImage(str(tmp_path / "numbers.png"))
    assert saved.size() == pane.matrix.size() * 2


@pytest.mark.parametrize(("side", "said"), [(480, ""), (961, "Scaled down from 961 × 300 pixels")])
def test_a_picture_that_was_scaled_down_says_so(
    page: NumbersPage, qtbot: QtBot, tmp_path: Path, side: int, said: str
) -> None:
    pane = page.picture
    path = tmp_path / "own.png"
    image = QImage(side, 300, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    assert image.save(str(path))
    with qtbot.waitSignal(pane._model.picture_changed):
        pane.open_file(str(path))
    assert pane.message.text().startswith(said) and pane.message.isVisible() == bool(said)
    assert pane._model.colours.shape[1] == 480
