"""A matrix as cells: what is under the mouse, what is named, what is exported."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT
from gui.theme import palette
from gui.widgets.heatmap import Heatmap
from tests.gui.widgets.helpers import has_colour, picture

NAMES = ["␣The", "␣cat", "<b>", "שלום"]
BLANK = np.nan
MATRIX = np.array(
    [
        [1.0, BLANK, BLANK, BLANK],
        [0.5, 0.5, BLANK, BLANK],
        [0.2, 0.3, 0.5, BLANK],
        [0.1, 0.2, 0.3, 0.4],
    ]
)


@pytest.fixture
def heatmap(qtbot: QtBot) -> Heatmap:
    made = Heatmap("Attention", "query", "key", "weight")
    qtbot.addWidget(made)
    made.resize(500, 420)
    made.set_matrix(MATRIX, NAMES, NAMES, low=0.0, high=1.0)
    with qtbot.waitExposed(made):
        made.show()
    return made


def spot(heatmap: Heatmap, row: int, column: int) -> QPoint:
    place = heatmap.view.pixel(column + 0.5, row + 0.5)
    assert place is not None
    return place.toPoint()


def test_row_0_is_at_the_top(heatmap: Heatmap) -> None:
    assert spot(heatmap, 0, 0).y() < spot(heatmap, 3, 0).y()
    colour = picture(heatmap.view).pixelColor(spot(heatmap, 0, 0))
    assert colour == LIGHT.heat_color(1.0)


def test_hovering_tells_the_value(heatmap: Heatmap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(heatmap.hovered) as hovered:
        qtbot.mouseMove(heatmap.view.viewport(), spot(heatmap, 2, 1))
    assert hovered.args == [2, 1]
    assert heatmap.readout.text() == "query 3 \u2068<b>\u2069, key 2 \u2068␣cat\u2069: weight 0.3"
    assert heatmap.readout.textFormat() == Qt.TextFormat.PlainText
    assert "masked" in heatmap.cell_text(0, 3)


def test_a_click_and_the_keys_choose_a_cell(heatmap: Heatmap, qtbot: QtBot) -> None:
    with qtbot.waitSignal(heatmap.clicked) as clicked:
        where = spot(heatmap, 3, 2)
        qtbot.mouseClick(heatmap.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert clicked.args == [3, 2]
    heatmap._point(-1, -1)
    heatmap.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left):
        qtbot.keyClick(heatmap, key)
    assert heatmap.cell() == (1, 0)
    with qtbot.waitSignal(heatmap.clicked) as clicked:
        qtbot.keyClick(heatmap, Qt.Key.Key_Return)
    assert clicked.args == [1, 0]


def test_every_place_of_the_view_belongs_to_its_cell(heatmap: Heatmap) -> None:
    for row in range(4):
        for column in range(4):
            for dx, dy in ((0.01, 0.01), (0.99, 0.99)):
                assert heatmap.view.cell_at(QPointF(column + dx, row + dy)) == (row, column)
    assert heatmap.view.cell_at(QPointF(-0.1, 1.0)) == (-1, -1)
    assert heatmap.view.cell_at(QPointF(1.0, 4.0)) == (-1, -1)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_names_along_the_axes_do_not_overlap(heatmap: Heatmap, scale: float) -> None:
    font = QFont(heatmap.font())
    font.setPointSizeF(font.pointSizeF() * scale)
    heatmap.setFont(font)
    names = [f"␣token{i}" for i in range(40)]
    heatmap.set_matrix(np.eye(40), names, names)
    metrics = QFontMetricsF(font)
    for axis, length in (("bottom", heatmap.view.box.width()), ("left", heatmap.view.box.height())):
        shown = heatmap.view.shown_names(axis)
        assert len(shown) >= 2
        gap = (shown[1][0] - shown[0][0]) * length / 40
        need = metrics.height() if axis == "left" else metrics.horizontalAdvance(shown[0][1])
        assert gap >= need


def test_the_theme_recolours_cells(heatmap: Heatmap) -> None:
    heatmap.setPalette(palette(DARK))
    assert has_colour(picture(heatmap.view), DARK.heat_color(1.0))


def test_odd_matrices(heatmap: Heatmap) -> None:
    heatmap.set_matrix(np.empty((0, 0)), [], [])
    heatmap.grab()
    heatmap.set_matrix(np.full((2, 3), np.nan), ["a", "b"], ["c", "d", "e"])
    heatmap.grab()
    heatmap.set_matrix(np.full((1, 1), 7.0), ["a"], ["b"])
    heatmap.grab()
    with pytest.raises(ValueError, match="one name for each"):
        heatmap.set_matrix(np.eye(2), ["a"], ["b", "c"])


def test_exports(heatmap: Heatmap, tmp_path: Path) -> None:
    for ending in ("csv", "png", "svg"):
        heatmap.export(ending, str(tmp_path / f"a.{ending}"))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["", *NAMES] and rows[2] == ["␣cat", "0.5", "0.5", "nan", "nan"]
    assert has_colour(QImage(str(tmp_path / "a.png")), LIGHT.heat_color(1.0))
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_the_heatmap_dies_with_its_parent(dies: Callable[[QWidget], None]) -> None:
    window = QWidget()
    QVBoxLayout(window).addWidget(Heatmap("Attention", "query", "key", parent=window))
    window.show()
    dies(window)
