"""Live curves: what is in view, what the crosshair tells, what is exported."""

from __future__ import annotations

import csv
import math
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from engine.errors import LabError
from gui.colours import DARK, LIGHT
from gui.theme import Theme, palette
from gui.widgets.curve_plot import CurvePlot, Landmark, Mark
from tests.gui.widgets.helpers import has_colour, picture

LANDMARKS = [
    Landmark("guessing: ln V", 6.2, "Every token equally probable."),
    Landmark("bigram", 2.51, "Counts of pairs.", "ngram"),
    Landmark("unigram", 2.52, "Counts of tokens.", "ngram"),
    Landmark("true entropy", 1.1, "No model can do better in expectation.", "truth"),
]


def pixel(plot: CurvePlot, x: float, y: float) -> QPoint:
    place = plot.view.pixel(x, y)
    assert place is not None
    return place.toPoint()


def test_importing_the_plot_keeps_the_exception_hooks() -> None:
    assert "pyqtgraph" not in sys.excepthook.__module__
    assert "pyqtgraph" not in threading.excepthook.__module__


def test_everything_is_in_view_until_someone_zooms(plot: CurvePlot) -> None:
    plot.set_landmarks(LANDMARKS)
    plot.redraw()
    (x0, x1), (y0, y1) = plot.view.box.viewRange()
    assert (x0, x1) == (1.0, 1000.0)
    assert y0 < 1.1 and y1 > 6.2
    plot.set_series("held-out", [1, 2000], [6.1, 1.3])
    plot.redraw()
    assert plot.view.box.viewRange()[0] == [1.0, 2000.0]
    plot.zoom(0.5)
    plot.set_series("held-out", [1, 4000], [6.1, 1.3])
    plot.redraw()
    assert plot.view.box.viewRange()[0][1] < 2000.0
    plot.reset_view()
    plot.redraw()
    assert plot.view.box.viewRange()[0] == [1.0, 4000.0]


@pytest.mark.parametrize("size", [100, 200])
def test_the_highest_number_of_the_axis_is_not_cut_in_two(
    look: Theme, plot: CurvePlot, qtbot: QtBot, size: int
) -> None:
    look.set_text_size(size)
    plot.clear()
    plot.set_series("share", [0, 1], [0.0, 1.0])
    qtbot.waitUntil(lambda: not plot.turns.waiting)
    height = QFontMetricsF(plot.view.plot.getAxis("left").style["tickFont"]).height()
    assert plot.view.area().top() >= height / 2 - 1


def test_follow_keeps_the_newest_point_at_the_chosen_width(plot: CurvePlot, qtbot: QtBot) -> None:
    qtbot.mouseClick(plot.tools.follow, Qt.MouseButton.LeftButton)
    plot.redraw()
    low, high = plot.view.box.viewRange()[0]
    for end in (1500, 3000):
        plot.set_series("held-out", [1, end], [6.0, 1.2])
        plot.redraw()
        moved_low, moved_high = plot.view.box.viewRange()[0]
        assert moved_low < end <= moved_high
        assert moved_high - moved_low == pytest.approx(high - low, rel=0.05)


def test_twenty_updates_are_drawn_together(plot: CurvePlot, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not plot.turns.waiting)  # the first layout has settled
    drawn: list[int] = []
    plain = plot.canvas.show_picture
    plot.canvas.show_picture = lambda: (drawn.append(1), plain())[1]
    for n in range(20):
        plot.set_series("training", np.arange(n + 2), np.full(n + 2, 2.0))
    assert drawn == []
    qtbot.waitUntil(lambda: len(drawn) > 0)
    assert len(drawn) <= 2  # once more if the new range changes the room for numbers


def test_the_crosshair_tells_exact_values(plot: CurvePlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.hovered) as hovered:
        qtbot.mouseMove(plot.view.viewport(), pixel(plot, 500.2, 2.0))
    assert abs(hovered.args[0] - 500.0) <= 1.0  # a pixel is a step and a half wide
    plot.crosshair.move(500.0)
    told = plot.crosshair.readout.text().split("\n")
    assert told[0] == "step 500"
    raw = 6.0 / math.sqrt(500) + 1.2
    assert told[1].startswith("training: ") and f"raw {raw:.4f}" in told[1]
    assert told[2] == "held-out: 1.6"
    box = plot.crosshair.readout.box()
    assert plot.crosshair.readout.rect().toRectF().contains(box)
    with qtbot.waitSignal(plot.hovered) as hovered:
        qtbot.mouseMove(plot.view.viewport(), QPoint(2, 2))
    assert math.isnan(hovered.args[0])


def test_a_click_tells_the_nearest_sample(plot: CurvePlot, qtbot: QtBot) -> None:
    with qtbot.waitSignal(plot.clicked) as clicked:
        spot = pixel(plot, 250.3, 2.0)
        qtbot.mouseClick(plot.view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert abs(clicked.args[0] - 250.0) <= 1.0  # a pixel is a step and a half wide


def test_keys_move_the_crosshair_zoom_and_reset(plot: CurvePlot, qtbot: QtBot) -> None:
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.crosshair.x == 1000.0
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.crosshair.x == 999.0
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    low, high = plot.view.box.viewRange()[0]
    assert high - low == pytest.approx(999 / 2)
    qtbot.keyClick(plot, Qt.Key.Key_0)
    plot.redraw()
    assert plot.view.box.viewRange()[0] == [1.0, 1000.0]
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.crosshair.x is None and plot.crosshair.readout.text() == ""


def test_the_legend_hides_and_shows(plot: CurvePlot, qtbot: QtBot) -> None:
    button = plot.legend.button("held-out")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    plot.redraw()
    plot.crosshair.move(500.0)
    assert "held-out" not in plot.crosshair.readout.text()
    assert not has_colour(plot.view.grab().toImage(), LIGHT.series("policy"))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    plot.redraw()
    plot.crosshair.refresh()
    assert "held-out" in plot.crosshair.readout.text()


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("size", [(800, 500), (500, 400)])
def test_landmark_names_neither_overlap_nor_leave(
    plot: CurvePlot, scale: float, size: tuple[int, int]
) -> None:
    font = QFont(plot.font())
    font.setPointSizeF(font.pointSizeF() * scale)
    plot.setFont(font)
    plot.resize(*size)
    plot.set_landmarks(LANDMARKS)
    plot.redraw()
    plot.grab()
    gutter = plot._gutter
    places = gutter.label_places()
    height = gutter.size().height()
    line = plot.fontMetrics().height()
    labels = sorted(label for _, _, label in places)
    assert len(places) >= min(4, int(height / line))
    assert all(b - a >= line - 1 for a, b in pairwise(labels))
    assert all(line / 2 - 1 <= label <= height - line / 2 + 1 for label in labels)
    assert gutter.size().width() <= plot.width() * 0.3 + 1
    landmark, _, label = places[0]
    assert gutter.told_at(QPointF(4.0, label)).split("\n")[1] == landmark.explanation
    for mark, where, _ in places:
        scene = plot.view.box.mapViewToScene(QPointF(0.0, mark.value))
        assert where == pytest.approx(gutter.mapFromScene(scene).y(), abs=0.5)


def test_marks_are_told_beside_the_values(plot: CurvePlot) -> None:
    plot.set_marks([Mark(500.0, "learning rate", "0.01 → 0.003"), Mark(math.nan, "lost")])
    plot.redraw()
    plot.crosshair.move(500.0)
    assert plot.crosshair.readout.text().endswith("learning rate: 0.01 → 0.003")


def test_marks_are_named_beside_their_lines(plot: CurvePlot) -> None:
    plot.set_marks([Mark(400.0, "rate halved"), Mark(405.0, "hacked"), Mark(990.0, "the last")])
    plot.redraw()
    plot.grab()
    names = dict(plot._mark_names.places())
    assert list(names) == ["rate halved", "hacked", "the last"]
    area = plot.view.box.rect()
    for at, rect in zip((400.0, 405.0, 990.0), names.values(), strict=True):
        line = plot.view.box.mapFromView(QPointF(at, 0.0)).x()
        assert area.contains(rect) and not rect.left() <= line <= rect.right()
    assert not names["rate halved"].intersects(names["hacked"])
    plot.view.box.setXRange(0.0, 300.0, padding=0)
    assert plot._mark_names.places() == []


def test_log_x_leaves_out_what_has_no_logarithm(plot: CurvePlot) -> None:
    plot.set_series("from zero", [0.0, 10.0, 100.0], [1.0, 2.0, 3.0])
    plot.set_log_x(True)
    plot.redraw()
    assert plot.view.box.viewRange()[0] == [0.0, 3.0]
    axis = plot.view.plot.getAxis("bottom")
    assert axis.tickStrings([0.0, 2.0, 6.0], 1.0, 1.0) == ["1", "100", "1,000,000"]
    plot.grab()
    plot.set_log_x(False)
    plot.redraw()
    assert plot.view.box.viewRange()[0] == [0.0, 1000.0]


@pytest.mark.parametrize("last", [400.0, 3e7, 1e15])
def test_turning_to_powers_of_ten_never_paints_the_old_range_as_powers(
    plot: CurvePlot, last: float, qtbot: QtBot
) -> None:
    plot.clear()
    plot.set_series("long", [1.0, last], [1.0, last], kind="policy")
    plot.redraw()
    for turn in (True, False):
        plot.set_log_x(turn)
        plot.set_log_y(turn)
        plot.grab()  # before it was drawn anew: 10 to the power of the last step is no number
        qtbot.waitUntil(lambda: not plot.turns.waiting)
        plot.grab()
        assert plot.view.ranges()[0][1] == pytest.approx(math.log10(last) if turn else last)
    plot.set_log_x(True)
    plot.clear()
    plot.redraw()
    plot.grab()


def test_log_y_shows_powers_of_ten_and_leaves_out_what_has_no_logarithm(plot: CurvePlot) -> None:
    plot.clear()
    plot.set_series("update", [1, 2, 3, 4], [1e-5, 0.0, 1e-3, 1e-1], kind="policy")
    plot.set_landmarks([Landmark("usual", 1e-3), Landmark("none", 0.0)])
    plot.set_log_y(True)
    plot.redraw()
    low, high = plot.view.box.viewRange()[1]
    assert -5.5 < low < -5 and -1 < high < -0.5
    markers = list(plot.strokes(plot.sheet(*plot.view.ranges())))[-1].points
    places = [plot.view.box.mapToView(QPointF(*point)) for point in markers]
    assert [p.y() for p in places] == pytest.approx([-5, -3, -1])
    assert [p.x() for p in places] == pytest.approx([1, 3, 4])
    (told, *_), *others = plot._gutter.label_places()
    assert told.name == "usual" and not others
    assert plot._gutter.y_of(1e-3) == pytest.approx(
        plot._gutter.mapFromItem(plot.view.box, plot.view.box.mapFromView(QPointF(0, -3))).y()
    )
    plot.crosshair.move(3.0)
    rows = plot.crosshair.readout._rows
    assert rows[0].value == "0.001" and rows[0].point == plot.view.pixel(3.0, -3.0)
    plot.set_log_y(False)
    plot.redraw()
    assert plot.view.box.viewRange()[1][1] == pytest.approx(0.105)


@pytest.mark.parametrize(
    "y", [[math.nan] * 3, [math.inf, 1.0, -math.inf], [2.0, 2.0, 2.0], [1e300, -1e300, 0.0], []]
)
def test_odd_values_are_drawn_without_complaint(plot: CurvePlot, y: list[float]) -> None:
    plot.set_series("odd", list(range(len(y))), y, smooth=len(y) == 3)
    plot.redraw()
    plot.grab()
    plot.crosshair.step(-1)


def test_a_series_with_unequal_lengths_is_refused(plot: CurvePlot) -> None:
    with pytest.raises(ValueError, match="as many x as y"):
        plot.set_series("bad", [1, 2], [1])


def test_removing_and_clearing(plot: CurvePlot) -> None:
    plot.remove_series("training")
    plot.remove_series("no such")
    assert plot.series_names() == ["held-out"]
    plot.set_empty_text("Press Start.")
    plot.clear()
    plot.redraw()
    assert plot.series_names() == [] and plot.legend.entries() == []
    assert plot._empty.isVisible() and plot._empty.text() == "Press Start."


def test_the_theme_recolours_the_plot(plot: CurvePlot) -> None:
    plot.set_landmarks(LANDMARKS[-1:])
    plot.redraw()
    assert has_colour(picture(plot), LIGHT.series("policy"))
    plot.setPalette(palette(DARK))
    plot.redraw()
    image = picture(plot)
    assert has_colour(image, DARK.series("policy"))
    assert has_colour(image, DARK.color("surface"))
    pens = {item.pen.color().name() for item in plot.view.plot.items if hasattr(item, "angle")}
    assert pens == {DARK.series("truth").name()}
    assert not has_colour(image, LIGHT.color("surface"))


def test_text_size_reaches_the_axes(plot: CurvePlot, qtbot: QtBot) -> None:
    font = QFont(plot.font())
    font.setPointSizeF(font.pointSizeF() * 2)
    small = plot.view.plot.getAxis("bottom").height()
    plot.setFont(font)
    qtbot.waitUntil(lambda: plot.view.plot.getAxis("bottom").height() > 1.5 * small)
    assert plot.y_title.height() >= plot.fontMetrics().height()


def test_an_empty_plot_makes_up_no_numbers(qtbot: QtBot) -> None:
    made = CurvePlot("Losses", "step", "loss")
    qtbot.addWidget(made)

    def numbers(name: str) -> list[str]:
        made.redraw()
        return list(made.view.plot.getAxis(name).tickStrings([0.0, 0.5], 1.0, 0.5))

    assert numbers("bottom") == numbers("left") == ["", ""]
    made.set_landmarks(LANDMARKS)
    assert numbers("bottom") == ["", ""]
    assert numbers("left") == ["0.0", "0.5"]
    made.set_series("training", [1, 2], [3, 4])
    assert numbers("bottom") == ["0.0", "0.5"]


def test_exports_hold_what_is_shown(plot: CurvePlot, tmp_path: Path) -> None:
    plot.set_landmarks(LANDMARKS)
    plot.export_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["series", "step", "loss (nats per token)", "smoothed"]
    assert len(rows) == 1 + 1000 + 3 + len(LANDMARKS)
    assert float(rows[1][2]) == 7.2 and rows[1003][0] == "held-out"
    plot.export_png(tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() == 2 * plot.view.width() and has_colour(image, LIGHT.series("policy"))
    plot.export_svg(tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = "".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
    for words in (plot.title, "held-out", "loss (nats per token)", "true entropy", "w = 0.98"):
        assert words in texts


def test_an_export_that_cannot_be_written_says_so(plot: CurvePlot, tmp_path: Path) -> None:
    for write in (plot.export_csv, plot.export_png, plot.export_svg):
        with pytest.raises(LabError, match="could not be written"):
            write(tmp_path / "no such folder" / "a")


def test_the_export_dialog_writes_where_it_is_told(
    plot: CurvePlot, qtbot: QtBot, tmp_path: Path
) -> None:
    dialog = plot.tools.export.ask("csv")
    assert dialog.isVisible() and dialog.defaultSuffix() == "csv"
    with qtbot.waitSignal(dialog.destroyed):
        dialog.fileSelected.emit(str(tmp_path / "out.csv"))
        dialog.done(0)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith("series,step")


def test_the_plot_dies_with_its_parent(qtbot: QtBot, dies: Callable[[QWidget], None]) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(CurvePlot("Loss", "step", "nats", window))
    window.show()
    dies(window)


def test_the_outermost_points_are_in_view_on_a_log_axis(plot: CurvePlot) -> None:
    for name in plot.series_names():
        plot.remove_series(name)
    x = np.array([38_448.0, 57_408.0, 104_544.0, 163_968.0, 319_680.0])
    assert 10 ** math.log10(x[-1]) < x[-1]  # there and back again, it is not the same number
    plot.set_series("U", x, [3.0, 2.5, 2.0, 2.5, 9.0])
    plot.set_log_x(True)
    plot.redraw()
    assert plot.view.box.viewRange()[1][1] > 9.0
