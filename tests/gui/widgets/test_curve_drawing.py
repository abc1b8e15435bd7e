"""How curves are painted: in short turns, into a picture that moves with the view."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, QTimer
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gui.colours import LIGHT
from gui.widgets import turns
from gui.widgets.curve_plot import CurvePlot
from tests.gui.widgets.helpers import has_colour


def test_long_curves_are_drawn_in_turns_and_shown_when_complete(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "SLICE_MS", 0)  # a step takes longer than there is
    made = CurvePlot("Ten runs", "step", "loss")
    qtbot.addWidget(made)
    made.resize(700, 400)
    with qtbot.waitExposed(made):
        made.show()
    made.set_series("old", [0.0, 1.0], [0.0, 1.0], kind="policy")
    qtbot.waitUntil(lambda: not made.turns.waiting)
    events: list[str] = []
    monkeypatch.setattr(made.canvas, "add", lambda stroke: events.append("stroke"))
    plain = made.canvas.show_picture
    made.canvas.show_picture = lambda: (events.append("shown"), plain())
    tick = QTimer()
    tick.timeout.connect(lambda: events.append("tick"))
    tick.start(0)
    made.remove_series("old")
    x = np.arange(5000.0)
    for n in range(4):
        made.set_series(f"run {n}", x, np.sin(x) + n, smooth=True, kind="policy")
    assert made.view.ranges()[0] == (0.0, 1.0)
    qtbot.waitUntil(lambda: "shown" in events)
    tick.stop()
    drawn = events[: events.index("shown") + 1]
    assert drawn.count("stroke") == 8  # raw and smoothed
    first = drawn.index("stroke")
    assert "tick" in drawn[first:-1]  # others have their turn in between
    assert all(pair != ("stroke", "stroke") for pair in pairwise(drawn))
    assert made.view.ranges()[0] == (0.0, 4999.0)


def test_work_that_is_asked_for_all_the_time_leaves_time_for_others(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Owner(QWidget):
        done, now = 0, 1000.0

        def work(self) -> Iterator[None]:
            for _ in range(3):
                self.now += 10.0  # milliseconds, by a clock of its own
                yield
            self.done += 1
            if self.done == 1:
                made.ask()

    owner = Owner()
    qtbot.addWidget(owner)
    made = turns.Turns(owner.work, owner)
    monkeypatch.setattr(made, "_now", lambda: owner.now)
    made.ask()
    assert made._timer.interval() == 0
    qtbot.waitUntil(lambda: owner.done == 1)
    assert made.waiting and made._timer.interval() == turns.REST * 30
    qtbot.waitUntil(lambda: owner.done == 2 and not made.waiting)
    owner.now += 45.0
    made.ask()
    assert made._timer.interval() == turns.REST * 30 - 45
    made.do_now()  # waits for nothing
    assert owner.done == 3 and not made.waiting


def test_work_that_fails_can_be_asked_for_again(qtbot: QtBot) -> None:
    class Owner(QWidget):
        tries = 0

        def work(self) -> Iterator[None]:
            self.tries += 1
            if self.tries == 1:
                raise RuntimeError("as if")
            yield

    owner = Owner()
    qtbot.addWidget(owner)
    made = turns.Turns(owner.work, owner)
    with qtbot.captureExceptions() as caught:
        made.ask()
        qtbot.waitUntil(lambda: len(caught) == 1)
    made.ask()
    qtbot.waitUntil(lambda: owner.tries == 2 and not made.waiting)


def test_a_view_that_is_moved_while_it_is_drawn_stays_where_it_was_put(plot: CurvePlot) -> None:
    plot.set_series("held-out", [1, 3000], [6.1, 1.4], kind="policy")
    steps = plot._draw()
    next(steps)
    plot.zoom(0.5)
    moved = plot.view.ranges()
    for _ in steps:
        pass
    assert plot.view.ranges() == moved and plot.turns.waiting


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize("n", [2, 30, 5000])
def test_a_stroke_goes_through_the_points_of_its_curve(
    plot: CurvePlot, qtbot: QtBot, ratio: float, n: int
) -> None:
    plot.clear()
    x = np.linspace(0.0, 10.0, n)
    plot.set_series("line", x, x**2, kind="policy")
    plot.redraw()
    sheet = plot.sheet(*plot.view.ranges(), ratio)
    plot.canvas.begin(sheet)
    for stroke in plot.strokes(sheet):
        plot.canvas.add(stroke)
    image, _ = plot.canvas._next
    assert image.width() == int(plot.view.box.width() * ratio)
    for at in x[1:-1:7]:
        value = float(np.interp(at, x, x**2))
        place = plot.view.box.mapFromView(QPointF(at, value))
        spot = (place * ratio).toPoint()
        around = {
            image.pixelColor(spot + QPoint(i, j)).rgb()
            for i in (-1, 0, 1)
            for j in (-2, -1, 0, 1)
            if image.valid(spot + QPoint(i, j))
        }
        assert LIGHT.series("policy").rgb() in around, f"nothing at {at:.2f}"


def test_a_moved_view_moves_the_last_picture_along(plot: CurvePlot) -> None:
    plot.clear()
    plot.set_series("step", [0.0, 50.0, 50.001, 100.0], [0.0, 0.0, 1.0, 1.0], kind="policy")
    plot.redraw()
    (_, (bottom, top)) = plot.view.ranges()
    plot.view.box.setRange(xRange=(-50.0, 50.0), yRange=(bottom, top), padding=0)
    image = plot.view.grab().toImage()  # before it is drawn anew
    area = plot.view.area().toRect()
    middle = area.center().x()
    blank = image.copy(area.left() + 2, area.top(), middle - area.left() - 6, area.height())
    assert not has_colour(blank, LIGHT.series("policy"))
    drawn = image.copy(middle, area.top(), area.right() - middle, area.height())
    assert has_colour(drawn, LIGHT.series("policy"))


@pytest.mark.parametrize("laid_out_first", [True, False])
def test_a_curve_is_painted_at_every_text_size(qtbot: QtBot, laid_out_first: bool) -> None:
    made = CurvePlot("Lengths", "merges", "tokens")
    qtbot.addWidget(made)
    made.resize(700, 400)
    x, y = np.arange(259.0), np.linspace(2000, 600, 259)
    if not laid_out_first:
        made.set_series("tokens", x, y, kind="policy")
    with qtbot.waitExposed(made):
        made.show()
    if laid_out_first:
        made.set_series("tokens", x, y, kind="policy")
    plain = made.font()
    for factor in (1.0, 2.0, 1.0):
        font = QFont(plain)
        font.setPointSizeF(plain.pointSizeF() * factor)
        made.setFont(font)
        made.redraw()
        # The line alone: the legend shows its colour too.
        image = made.view.grab().toImage()
        assert has_colour(image, LIGHT.series("policy")), f"no curve at {factor:.0%}"


def test_what_plots_show_at_one_moment_is_shown_apart() -> None:
    apart = turns.Apart()
    first, second, third = apart.wait(), apart.wait(), apart.wait()
    assert first == 0 < second <= turns.APART_MS < third <= 2 * turns.APART_MS


def test_a_step_can_ask_for_a_pause(qtbot: QtBot) -> None:
    class Worker(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.turns = turns.Turns(self.work, self)
            self.steps = 0

        def work(self) -> Iterator[float | None]:
            self.steps += 1
            yield 30.0
            self.steps += 1

    worker = Worker()
    worker.turns.ask()
    qtbot.waitUntil(lambda: worker.steps == 1)
    assert worker.turns.waiting and worker.turns._timer.interval() == 30
    qtbot.waitUntil(lambda: worker.steps == 2)
    worker.turns.do_now()
    assert worker.steps == 4, "at once means at once"
