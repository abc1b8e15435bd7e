"""Next-token bars: the numbers behind them, and what mouse and keyboard do."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT
from gui.theme import palette
from gui.widgets.distribution_bars import DistributionBars
from gui.widgets.distributions import Distribution, Scale, rows_of
from gui.widgets.token_text import Vocabulary
from tests.gui.widgets.helpers import has_colour, picture

VOCABULARY = Vocabulary(lambda i: b" w%d" % i, names={9: "end of text"})


def distribution(name: str, weights: list[float], kind: str = "ngram") -> Distribution:
    p = np.asarray(weights, np.float64)
    with np.errstate(divide="ignore"):
        return Distribution(name, kind, np.log(p / p.sum()))


A = distribution("transformer", [1, 2, 3, 4, 30, 20, 10, 5, 0, 25], "transformer")
B = distribution("5-gram", [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
NONE = Distribution("bigram", "hmm", np.full(10, -np.inf), "The bigram never saw this context.")


@pytest.fixture
def bars(qtbot: QtBot) -> DistributionBars:
    made = DistributionBars(count=4)
    qtbot.addWidget(made)
    made.resize(640, 520)
    made.set_distributions([A, B], VOCABULARY)
    with qtbot.waitExposed(made):
        made.show()
    return made


def spot(bars: DistributionBars, row: int) -> QPoint:
    return bars.area.bar_rect(row, 0).center().toPoint()


weights = st.lists(st.sampled_from([0.0, 1.0, 1.0, 2.5, 1e-9, 7.0]), min_size=6, max_size=6)


@given(weights.filter(any), weights.filter(any), st.integers(0, 8), st.integers(0, 5))
def test_rows_hold_all_probability_in_order(
    first: list[float], second: list[float], count: int, marked: int
) -> None:
    models = [distribution("a", first), distribution("b", second)]
    rows = rows_of(models, count, 1, marked)
    own = [row for row in rows if row.token_id is not None]
    tokens = [row.token_id for row in own]
    assert len(set(tokens)) == len(tokens) and marked in tokens
    ordered = sorted(range(6), key=lambda i: (-models[1].log_probs[i], i))
    assert tokens[:count] == ordered[: min(count, 6)]
    for number, model in enumerate(models):
        total = sum(math.exp(row.log_probs[number]) for row in rows)
        assert total == pytest.approx(1.0)
        for row in own:
            assert row.token_id is not None
            better = sum(lp > model.log_probs[row.token_id] for lp in model.log_probs)
            assert row.ranks[number] == better + 1


@given(weights.filter(any))
def test_entropy_is_the_formula(values: list[float]) -> None:
    p = np.asarray(values) / sum(values)
    wanted = -sum(x * math.log2(x) for x in p if x > 0)
    assert distribution("a", values).entropy == pytest.approx(wanted, abs=1e-12)


def test_undefined_is_not_zero() -> None:
    assert not NONE.defined and math.isnan(NONE.entropy)
    assert NONE.words() == "The bigram never saw this context."
    row = rows_of([NONE, A], 2, 0)[0]
    assert math.isnan(row.log_probs[0]) and row.ranks[0] == 0
    assert row.token_id == 4  # the order is that of the first model that has one
    assert rows_of([NONE], 3) == [] and rows_of([], 3) == []
    with pytest.raises(ValueError, match="share one vocabulary"):
        rows_of([A, distribution("x", [1.0])], 3)


def test_the_axis_is_just_long_enough() -> None:
    rows = rows_of([A], 3)
    scale = Scale.fitting(rows, log=False)
    assert scale.top == 0.5
    assert scale.place(math.log(0.25)) == pytest.approx(0.5)
    assert scale.place(-math.inf) == 0.0 and scale.place(math.nan) == 0.0
    assert scale.place(0.0) == 1.0  # cut, not running out of the widget
    log = Scale.fitting(rows, log=True)
    assert log.place(math.log(1e-3)) == pytest.approx(0.5)
    assert log.place(math.log(1e-9)) == 0.0
    assert [round(math.log10(v)) for v, _ in log.ticks()] == list(range(-6, 1))


def test_a_click_selects_and_a_double_click_activates(bars: DistributionBars, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bars.selected) as selected:
        qtbot.mouseClick(bars.area.viewport(), Qt.MouseButton.LeftButton, pos=spot(bars, 1))
    assert selected.args == [9]
    with qtbot.waitSignal(bars.activated) as activated:
        qtbot.mouseDClick(bars.area.viewport(), Qt.MouseButton.LeftButton, pos=spot(bars, 0))
    assert activated.args == [4]


def test_the_row_of_all_others_selects_nothing(bars: DistributionBars, qtbot: QtBot) -> None:
    heard: list[int] = []
    bars.selected.connect(heard.append)
    bars.area.select_row(4)
    assert bars.area.row_text(4).startswith("all tokens without a row")
    assert heard == []


def test_keys_walk_the_rows(bars: DistributionBars, qtbot: QtBot) -> None:
    heard: list[int] = []
    bars.selected.connect(heard.append)
    bars.area.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Down, Qt.Key.Key_Up):
        qtbot.keyClick(bars.area, key)
    assert heard == [4, 9, 6, 6, 5]
    with qtbot.waitSignal(bars.activated) as activated:
        qtbot.keyClick(bars.area, Qt.Key.Key_Return)
    assert activated.args == [5]


def test_hovering_tells_the_token_and_exact_values(bars: DistributionBars, qtbot: QtBot) -> None:
    with qtbot.waitSignal(bars.hovered) as hovered:
        qtbot.mouseMove(bars.area.viewport(), spot(bars, 0))
    assert hovered.args == [4]
    assert bars.area.row_text(0).split("\n") == [
        "\u2068␣w4\u2069   id 4",
        "bytes 20 77 34",
        "transformer: 0.300, rank 1, 1.737 bits",
        "5-gram: 0.111, rank 5, 3.170 bits",
    ]
    assert "⟨end of text⟩" in bars.area.row_text(1)


def test_sorting_by_another_model(bars: DistributionBars, qtbot: QtBot) -> None:
    bars.sort_box.setFocus()
    qtbot.keyClick(bars.sort_box, Qt.Key.Key_Down)
    assert [row.token_id for row in bars.rows()] == [0, 1, 2, 3, None]
    bars.set_distributions([B, A], VOCABULARY)  # the choice is kept by name
    assert bars.sort_box.currentText() == "Sorted by 5-gram"


def test_a_hidden_model_has_no_bars_and_does_not_sort(bars: DistributionBars, qtbot: QtBot) -> None:
    qtbot.mouseClick(bars.legend.button("transformer"), Qt.MouseButton.LeftButton)
    assert [m.name for m in bars.shown_models()] == ["5-gram"]
    assert bars.rows()[0].token_id == 0
    assert not has_colour(picture(bars.area), LIGHT.series("transformer"))


def test_the_token_of_interest_has_a_row(bars: DistributionBars) -> None:
    bars.set_marked(8)
    assert [row.token_id for row in bars.rows()] == [4, 9, 5, 6, 8, None]
    assert bars.rows()[4].log_probs[0] == -math.inf
    assert has_colour(picture(bars.area), LIGHT.color("highlight"))


def test_undefined_is_said_in_words(bars: DistributionBars) -> None:
    bars.set_distributions([NONE, A], VOCABULARY)
    assert bars.words.text().split("\n") == [NONE.note, A.words()]
    assert [m.name for m in bars.shown_models()] == ["transformer"]
    bars.set_distributions([NONE], VOCABULARY)
    assert bars.rows() == []
    bars.grab()


def test_the_selection_stays_with_its_token(bars: DistributionBars) -> None:
    bars.area.select_row(0)
    assert bars.area.current_token() == 4
    bars.set_sorted_by("5-gram")
    assert bars.area.current_token() is None  # no row of its own any more
    bars.set_marked(4)
    bars.area.select_row(4)
    bars.set_sorted_by("transformer")
    assert bars.area.current_token() == 4


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_bars_stay_in_their_rows_and_leave_room_for_numbers(
    bars: DistributionBars, scale: float
) -> None:
    font = QFont(bars.font())
    font.setPointSizeF(font.pointSizeF() * scale)
    bars.setFont(font)
    width = bars.area.viewport().width()
    number = bars.area.fontMetrics().horizontalAdvance("0.00×10⁻⁰⁰")
    for row in range(5):
        for model in range(2):
            rect = bars.area.bar_rect(row, model)
            assert row * bars.area.row_height() <= rect.top()
            assert rect.bottom() <= (row + 1) * bars.area.row_height()
            assert rect.height() >= bars.area.fontMetrics().height() * 0.7
            assert rect.right() + number <= width + 1
    bars.grab()


def test_the_theme_recolours_the_bars(bars: DistributionBars) -> None:
    assert has_colour(picture(bars.area), LIGHT.series("transformer"))
    bars.setPalette(palette(DARK))
    assert has_colour(picture(bars.area), DARK.series("transformer"))


def test_exports(bars: DistributionBars, tmp_path: Path) -> None:
    bars.export("csv", str(tmp_path / "a.csv"))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id", "token", "bytes", "log p, transformer", "log p, 5-gram"]
    assert len(rows) == 11 and rows[9][3] == "-inf"
    values = [float(row[4]) for row in rows[1:]]
    assert values == B.log_probs.tolist()
    bars.export("png", str(tmp_path / "a.png"))
    assert has_colour(QImage(str(tmp_path / "a.png")), LIGHT.series("transformer"))
    bars.export("svg", str(tmp_path / "a.svg"))
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("0.300" in t for t in texts)


def test_the_bars_die_with_their_parent(dies: Callable[[QWidget], None]) -> None:
    window = QWidget()
    inside = DistributionBars(window)
    inside.set_distributions([A, B], VOCABULARY)
    QVBoxLayout(window).addWidget(inside)
    del inside
    window.show()
    dies(window)
