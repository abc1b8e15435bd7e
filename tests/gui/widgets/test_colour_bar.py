"""Colours for numbers: the scale that diverges at 0, and what it means in words and pictures."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT, Colours, contrast
from gui.widgets.colour_bar import colour_table, paint_colour_bar, shade, shaded

BOTH = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour: QColor, blindness: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """CIELAB (D65) of a colour as someone with that blindness sees it."""
    rgb = np.array([colour.redF(), colour.greenF(), colour.blueF()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(blindness) @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ linear / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@BOTH
@pytest.mark.parametrize("blindness", BLINDNESS.values(), ids=BLINDNESS.keys())
def test_numbers_of_opposite_sign_look_different_to_everyone(
    colours: Colours, blindness: npt.ArrayLike
) -> None:
    for x in (0.25, 0.5, 0.75, 1.0):
        above, below = (lab(colours.diverging_color(v), blindness) for v in (x, -x))
        assert np.linalg.norm(above - below) > 15  # ΔE*ab; about 2 can just be told apart


@BOTH
@pytest.mark.parametrize("sign", [1, -1])
def test_both_arms_grow_steadily_in_contrast_with_the_ground(colours: Colours, sign: int) -> None:
    ground = colours.color("surface")
    assert colours.diverging_color(0.0) == ground
    steps = [contrast(colours.diverging_color(sign * x / 50), ground) for x in range(51)]
    assert all(b >= a - 1e-2 for a, b in itertools.pairwise(steps)) and steps[-1] > 4.5


@BOTH
def test_the_scale_takes_no_models_colour(colours: Colours) -> None:
    stops = [QColor(stop) for stop in colours.diverging[:3]]
    taken = [colours.series(kind) for kind in ("ngram", "hmm", "policy")]
    for stop, other in itertools.product(stops, taken):
        assert np.linalg.norm(lab(stop, np.eye(3)) - lab(other, np.eye(3))) > 15


def test_a_picture_of_numbers_has_the_scales_colours() -> None:
    values = np.array([[-2.0, -1.0, 0.0], [1.0, 2.0, np.nan]])
    picture = shaded(values, 2.0, True, LIGHT)
    for row, column in np.ndindex(values.shape):
        value = float(np.nan_to_num(values[row, column]))
        wanted, found = shade(value, 2.0, True, LIGHT), picture.pixelColor(column, row)
        for part in ("red", "green", "blue"):  # the picture has 256 shades
            assert abs(getattr(wanted, part)() - getattr(found, part)()) <= 4
    table = colour_table(LIGHT)
    assert tuple(table[0]) == (255, 255, 255) and len(table) == 256


@pytest.mark.parametrize("upright", [True, False])
def test_the_bar_runs_from_least_to_greatest(qtbot: QtBot, upright: bool) -> None:
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    painter = QPainter(image)
    painter.setPen(Qt.GlobalColor.black)
    rect = QRectF(80, 0, 40, 200) if upright else QRectF(0, 90, 200, 20)
    paint_colour_bar(painter, rect, LIGHT, -3.0, 3.0, signed=True, upright=upright)
    painter.end()
    # The middle line, but not its very middle, where the 0 stands.
    line = [
        image.pixelColor(100, 199 - i) if upright else image.pixelColor(i, 93) for i in range(200)
    ]
    line = [c for c in line if c != QColor("black")]
    warm = [c.red() > c.blue() for c in line]
    assert warm[0] and not warm[-1] and len(line) > 80
    assert sum(a != b for a, b in itertools.pairwise(warm)) <= 2  # warm below 0, cold above
