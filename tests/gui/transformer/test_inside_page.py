"""The page "Inside" through real clicks and keys; numbers against the model itself."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from engine.models.transformer import SwitchedOff, TransformerConfig
from engine.models.transformer.inside_ablation import ablate
from gui import theme
from gui.lab import Lab
from gui.language_models.tab import LanguageModelsTab
from gui.tabs import INSIDE, TABS
from gui.transformer.inside_page import InsidePage
from gui.transformer.looking import SAMPLE_TOKENS
from gui.transformer.steps import stages
from tests.gui.transformer.conftest import TEXT, WAIT_MS, add_run, settle

Open = Callable[..., InsidePage]
LEFT = Qt.MouseButton.LeftButton
SHAPES: list[dict[str, object]] = [
    {},
    {"ffn": "swiglu", "positions": "rotary", "norm": "rmsnorm", "qk_norm": True, "tied": False},
    {"ffn": "relu2", "positions": "none", "bias": True, "residual": False, "heads": 1},
    {"ffn": "relu", "norm": "rmsnorm", "norm_gain": False, "heads": 4, "layers": 1},
]


def click(qtbot: QtBot, widget: QWidget, point: QPoint) -> None:
    qtbot.mouseClick(widget, LEFT, pos=point)


def test_the_tab_shows_the_page_and_no_folder_imports_the_other() -> None:
    spec = next(tab for tab in TABS if tab.key == "language_models")
    assert INSIDE in spec.factory.__closure__[0].cell_contents  # type: ignore[attr-defined]


def test_without_a_transformer_it_says_where_to_get_one(qtbot: QtBot, lab: Lab) -> None:
    tab = LanguageModelsTab(lab, (INSIDE,))
    qtbot.addWidget(tab)
    tab.show()
    tab.pages.show_page("inside")
    page = tab.pages.page("inside")
    assert isinstance(page, InsidePage)
    qtbot.waitUntil(page.empty.isVisible, timeout=WAIT_MS)
    with qtbot.waitSignal(lab.tab_wished) as wished:
        qtbot.mouseClick(page.empty.button, LEFT)
    assert wished.args == ["training"]
    add_run(lab)
    settle(qtbot, page)
    assert not page.empty.isVisible()


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_next_leads_through_every_step_and_every_number_is_the_models(
    qtbot: QtBot, open_page: Open, fields: dict[str, object]
) -> None:
    page = open_page(**fields)
    assert page.look is not None
    expected = [step for stage in stages(page.look.inside.config) for step in stage.steps]
    for number, step in enumerate(expected):
        settle(qtbot, page)
        assert page.views.steps.step == step
        assert page.views.steps.formula.is_typeset, step.latex
        a = page.views.steps.arithmetic.arithmetic
        assert a is not None and a.place.point == step.point
        assert a.value == pytest.approx(a.model, rel=1e-4, abs=1e-5)
        if number + 1 < len(expected):
            qtbot.mouseClick(page.views.steps.next, LEFT)
    for step in reversed(expected[:-1]):
        qtbot.mouseClick(page.views.steps.back, LEFT)
        settle(qtbot, page)
        assert page.views.steps.step == step


def go_to(qtbot: QtBot, page: InsidePage, stage: int, point: str) -> None:
    """Click a block, then the button of a step."""
    click(qtbot, page.overview, page.overview.block_rect(stage).topLeft().toPoint() + QPoint(9, 9))
    settle(qtbot, page)
    steps = page._stages[stage].steps
    number = next(i for i, step in enumerate(steps) if step.point == point)
    qtbot.mouseClick(page.views.steps._buttons[number], LEFT)
    settle(qtbot, page)


def test_a_click_on_a_score_writes_out_its_dot_product(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    assert page.look is not None
    go_to(qtbot, page, 1, "scores")
    grid = page.views.steps.grid
    click(qtbot, grid, grid.cell_rect(4, 2).center().toPoint())
    settle(qtbot, page)
    layer = page.look.inside.layers[0]
    q, k = layer["q"][0, 4].astype(float), layer["k"][0, 2].astype(float)
    a = page.views.steps.arithmetic.arithmetic
    assert a is not None
    np.testing.assert_allclose(a.terms, np.stack([q, k, q * k], 1))
    assert a.value == pytest.approx(q @ k / math.sqrt(8))
    model = page.views.steps.arithmetic.table.model()
    assert (model.rowCount(), model.columnCount()) == (8, 4)
    assert "÷ √d = √8" in page.views.steps.arithmetic.steps.text()
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    settle(qtbot, page)
    assert grid.cell == (4, 3)
    moved = page.views.steps.arithmetic.arithmetic
    assert moved is not None and moved.place.index == 3
    assert "key 3" in grid.accessibleDescription()


def test_the_future_is_masked(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    go_to(qtbot, page, 1, "pattern")
    grid = page.views.steps.grid
    click(qtbot, grid, grid.cell_rect(1, 5).center().toPoint())
    settle(qtbot, page)
    a = page.views.steps.arithmetic.arithmetic
    assert a is not None and a.rule == "masked"
    assert "masked" in page.views.steps.arithmetic.steps.text()


def test_the_overview_chooses_heads_and_moves_by_key(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    click(qtbot, page.overview, page.overview.map_rect(3, 1).center().toPoint())
    settle(qtbot, page)
    assert page.views.steps.title.text() == "Layer 2: attention"
    assert page.views.steps._head == 1
    qtbot.keyClick(page.overview, Qt.Key.Key_Down)
    assert page.views.steps.title.text() == "Layer 2: FFN"
    for _ in range(9):
        qtbot.keyClick(page.overview, Qt.Key.Key_Up)
    assert page.views.steps.title.text() == "Embedding"


def test_choosing_a_token_follows_its_vector(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    assert page.look is not None
    last = page.look.position
    assert last == len(page.look.inside.ids) - 1
    page.strip.setFocus()
    qtbot.keyClick(page.strip, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: page.look is not None and page.look.position == last - 1)
    settle(qtbot, page)
    table = page.look.run.model.log_probs(page.look.inside.ids[1:])
    np.testing.assert_allclose(page.look.log_probs, table[last - 1], atol=1e-4)
    qtbot.keyClicks(page.field, " And")
    qtbot.waitUntil(lambda: page.look is not None and page.look.text == TEXT + " And")
    settle(qtbot, page)
    assert page.look.position == len(page.look.inside.ids) - 1
    assert page.context.text == TEXT + " And"


def test_attention_lines_show_the_row_looked_at(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    qtbot.mouseClick(page.views.button("heads"), LEFT)
    assert page.look is not None
    t = page.look.position
    np.testing.assert_array_equal(
        page.views.heads.lines._weights, page.look.inside.layers[0]["pattern"][:, t, : t + 1]
    )
    click(qtbot, page.views.heads.lines, page.views.heads.lines.lane(1).center().toPoint())
    assert "head 2" in page.views.heads.map_title.text()
    page.views.heads.layer_box.setFocus()
    qtbot.keyClick(page.views.heads.layer_box, Qt.Key.Key_Down)
    assert page.views.heads.map_title.text().startswith("Layer 2, head 2")
    np.testing.assert_array_equal(
        page.views.heads.lines._weights, page.look.inside.layers[1]["pattern"][:, t, : t + 1]
    )


def test_the_lens_compares_a_layer_with_the_answer(qtbot: QtBot, open_page: Open) -> None:
    page = open_page()
    qtbot.mouseClick(page.views.button("lens"), LEFT)
    grid = page.views.lens.table
    click(qtbot, grid, grid.cell_rect(0, 1).center().toPoint())
    assert page.look is not None
    names = [model.name for model in page.views.lens.bars.shown_models()]
    assert names == ["After the embedding", "The model's answer"]
    shown = page.views.lens.bars.shown_models()
    np.testing.assert_array_equal(shown[0].log_probs, page.look.lens.log_probs[0])
    answer = page.look.run.model.next_log_probs(page.look.inside.ids[1:])
    np.testing.assert_allclose(shown[1].log_probs, answer, atol=1e-4)


def test_switching_off_moves_the_bars_and_the_loss(qtbot: QtBot, lab: Lab, open_page: Open) -> None:
    page = open_page()
    assert page.look is not None
    run = page.look.run
    qtbot.mouseClick(page.views.button("off"), LEFT)
    for key, off in (
        (("head", 1, 0), SwitchedOff(heads=frozenset({(1, 0)}))),
        (("ffn", 0, 0), SwitchedOff(ffns=frozenset({0}))),
        (("residual", 1, 0), SwitchedOff(residuals=frozenset({1}))),
        (("positions", 0, 0), SwitchedOff(positions=True)),
    ):
        box = page.views.off.box(*key)
        qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
        qtbot.waitUntil(lambda: page.look is not None and bool(page.look.switches))
        settle(qtbot, page)
        context = page.look.inside.ids[1:]
        whole, without = page.views.off.bars.shown_models()
        np.testing.assert_allclose(whole.log_probs, run.model.next_log_probs(context), atol=1e-4)
        expected = run.model.without(off).next_log_probs(context)
        np.testing.assert_allclose(without.log_probs, expected, atol=1e-4)
        assert np.abs(whole.log_probs - without.log_probs).max() > 1e-3
        assert lab.streams is not None
        loss = ablate(run.model, off, lab.streams.held_out, SAMPLE_TOKENS)
        before, after = map(float, re.findall(r"[\d.]+", page.views.off.loss.text())[:2])
        assert (before, after) == pytest.approx((loss.whole, loss.without), abs=0.002)
        assert "switched off" in page.notice.text
        qtbot.mouseClick(page.views.off.all_on, LEFT)
        qtbot.waitUntil(lambda: page.look is not None and not page.look.switches)
        settle(qtbot, page)
        assert page.notice.text == ""
        assert box.isChecked()


def test_the_loss_on_all_held_out_text_can_be_asked_for(
    qtbot: QtBot, lab: Lab, open_page: Open
) -> None:
    page = open_page()
    qtbot.mouseClick(page.views.button("off"), LEFT)
    qtbot.mouseClick(page.views.off.everything, LEFT)
    settle(qtbot, page)
    assert lab.streams is not None
    assert f"{lab.streams.held_out.n_targets:,} held-out tokens" in page.views.off.loss.text()


def test_pictures_and_numbers_can_be_saved(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    go_to(qtbot, page, 1, "pattern")
    qtbot.mouseClick(page.views.button("heads"), LEFT)
    assert page.look is not None
    for widget, name in ((page.views.steps.grid, "grid"), (page.views.heads.lines, "lines")):
        for ending in ("png", "svg", "csv"):
            widget.export(ending, str(tmp_path / f"{name}.{ending}"))
        assert QImage(str(tmp_path / f"{name}.png")).width() > 100
        assert "<svg" in (tmp_path / f"{name}.svg").read_text()
    rows = list(csv.reader((tmp_path / "grid.csv").read_text(encoding="utf-8").splitlines()))
    values = np.array([[float(x) for x in row[1:]] for row in rows[1:]])
    np.testing.assert_allclose(values, page.look.inside.layers[0]["pattern"][0])


@pytest.mark.parametrize("size", [75, 250])
def test_theme_and_text_size_change_without_a_word(
    qtbot: QtBot, open_page: Open, size: int
) -> None:
    page = open_page(heads=4, positions="rotary")
    for mode in ("dark", "light"):
        theme.current().set_mode(mode)
        theme.current().set_text_size(size)
        for key in ("steps", "heads", "lens", "off"):
            page.views.show_page(key)
            settle(qtbot, page)
            assert not page.grab().isNull()


def test_a_run_of_another_shape_replaces_everything(
    qtbot: QtBot, lab: Lab, open_page: Open
) -> None:
    page = open_page()
    qtbot.mouseClick(page.views.button("off"), LEFT)
    box = page.views.off.box("head", 1, 1)
    qtbot.mouseClick(box, LEFT, pos=QPoint(8, box.height() // 2))
    settle(qtbot, page)
    add_run(lab, "Other", layers=1, heads=1, positions="none")
    settle(qtbot, page)
    assert page.look is not None
    assert page.look.run.name == "Other"
    assert not page.look.switches
    assert page.run_box.currentText() == "Other"
    index = page.run_box.findText("Tiny")
    page.run_box.setCurrentIndex(index)
    page.run_box.activated.emit(index)
    settle(qtbot, page)
    assert page.look.run.name == "Tiny"


def test_every_shape_has_one_formula_a_step() -> None:
    for fields in SHAPES:
        config = TransformerConfig(vocab_size=9, **fields)  # type: ignore[arg-type]
        steps = [step for stage in stages(config) for step in stage.steps]
        assert all(step.latex and step.spoken and step.caption for step in steps)
        assert ("mlp_gate" in {s.point for s in steps}) == (config.ffn == "swiglu")


def test_the_page_dies_with_its_tab(
    qtbot: QtBot, lab: Lab, dies: Callable[[QWidget], None]
) -> None:
    add_run(lab)

    def used() -> QWidget:
        tab = LanguageModelsTab(lab, (INSIDE,))
        tab.show()
        tab.pages.show_page("inside")
        page = tab.pages.page("inside")
        assert isinstance(page, InsidePage)
        for key in ("heads", "lens", "off", "steps"):
            page.views.show_page(key)
            settle(qtbot, page)
        return tab

    dies(used())


def test_the_overview_can_be_saved(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    assert page.look is not None
    for ending in ("png", "svg", "csv"):
        page.export_button.wanted.emit(ending, str(tmp_path / f"model.{ending}"))
    assert QImage(str(tmp_path / "model.png")).width() == 2 * page.overview.width()
    assert "Layer 1: attention" in (tmp_path / "model.svg").read_text(encoding="utf-8")
    rows = list(csv.reader((tmp_path / "model.csv").read_text(encoding="utf-8").splitlines()))
    inside, t = page.look.inside, page.look.position

    def numbers(block: str, quantity: str) -> list[float]:
        return [float(row[3]) for row in rows[1:] if row[:2] == [block, quantity]]

    layer = inside.layers[0]
    np.testing.assert_allclose(numbers("Layer 1: FFN", "hidden number"), layer["mlp_post"][t])
    np.testing.assert_allclose(numbers("Layer 1: FFN", "xₜ after it"), layer["resid_post"][t])
    read = numbers("Layer 1: attention", "head 2: attention to position")
    np.testing.assert_allclose(read, layer["pattern"][1][t])
