"""The page of kept runs: what is read, drawn, renamed, pinned, deleted and brought back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt

from engine.runs import Catalogue
from engine.training import Recipe, Trainer, gpt2_style, modern, sized
from engine.training.comparing import compared_runs, in_short, read_curves
from engine.training.experiments import Experiment
from engine.training.runs import Recorder, describe
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.compare_page import ComparePage
from gui.training.compare_plot import OTHER_TOKENS, short
from gui.training.compare_table import COLUMNS, FEW_ROWS
from gui.training.compare_work import said_differences
from gui.training.paces import Paces
from gui.training.setup import SetupPanel
from gui.training.wishes import Wishes
from tests.gui.training.conftest import a_recipe

Until = Callable[[Callable[[], bool]], None]


def keep(lab: Lab, title: str, recipe: Recipe) -> str:
    """Train a run and keep it; its key."""
    streams, tokenizer = lab.streams, lab.tokenizer
    assert streams is not None and tokenizer is not None
    trainer = Trainer(recipe, streams.train, streams.held_out)
    for _ in trainer.run():
        pass
    kept = catalogue()
    run = kept.create(describe(recipe, title, streams, tokenizer, kept.store))
    Recorder(run).end("finished", trainer)
    return run.key


@pytest.fixture
def keys(lab: Lab) -> dict[str, str]:
    recipes = {"first": a_recipe(), "second": a_recipe().but(learning_rate=0.001, ffn="gelu")}
    return {title: keep(lab, title, recipe) for title, recipe in recipes.items()}


@pytest.fixture
def page(lab: Lab, keys: dict[str, str], qtbot: Any, until: Until) -> ComparePage:
    made = ComparePage(lab, Wishes(lab))
    qtbot.addWidget(made)
    made.resize(1100, 900)
    made.show()
    until(lambda: len(made._curves) == len(keys))
    return made


def row_of(page: ComparePage, key: str) -> int:
    items = [page.table.item(row, 0) for row in range(page.table.rowCount())]
    return next(i.row() for i in items if i.data(Qt.ItemDataRole.UserRole) == key)


def select(page: ComparePage, *keys: str) -> None:
    model = page.table.selectionModel()
    model.clearSelection()
    for key in keys:
        flags = QItemSelectionModel.SelectionFlag
        index = page.table.model().index(row_of(page, key), 0)
        model.select(index, flags.Select | flags.Rows)


def cell(page: ComparePage, key: str, column: str) -> str:
    return page.table.item(row_of(page, key), list(COLUMNS).index(column)).text()


def test_what_is_kept_is_what_was_trained(page: ComparePage, keys: dict[str, str]) -> None:
    runs, damaged = compared_runs(catalogue())
    assert not damaged and [run.summary.name for run in runs] == ["second", "first"]
    streams = page._lab.streams
    assert streams is not None
    again = Trainer(a_recipe(), streams.train, streams.held_out)
    for _ in again.run():
        pass
    curves = read_curves(catalogue(), keys["first"])
    assert curves.steps["loss"].tolist() == [r.loss for r in again.history.steps]
    first = runs[1]
    loss = again.history.evaluations[-1].loss
    assert first.held_out == loss
    per_byte = streams.held_out.n_targets / streams.held_out.n_bytes
    assert first.bits_per_byte == pytest.approx(loss * per_byte / np.log(2), rel=1e-12)
    assert first.text is not None and first.text.vocab_size == streams.train.vocab_size
    assert first.flops_per_token == again.flops_per_step / again.tokens_per_step
    assert cell(page, keys["first"], "Held-out loss") == f"{loss:.3f}"
    assert cell(page, keys["first"], "Steps") == "12 of 12"
    assert in_short(a_recipe()) in cell(page, keys["first"], "Settings")


def test_curves_are_drawn_in_every_unit(page: ComparePage, keys: dict[str, str]) -> None:
    page.training_too.setChecked(True)
    curves = read_curves(catalogue(), keys["first"])
    assert page.plot._curves["first"].y.tolist() == curves.held_out["loss"].tolist()
    assert page.plot._curves["first, training"].x.tolist() == curves.steps["step"].tolist()
    page.along.setCurrentIndex(1)
    assert page.plot._curves["first"].x.tolist() == curves.held_out["tokens"].tolist()
    page.unit.setCurrentIndex(2)
    assert page.plot._curves["first"].y == pytest.approx(np.exp(curves.held_out["loss"]))
    page.training_too.setChecked(False)
    assert sorted(page.plot.series_names()) == ["first", "second"]


def test_an_unticked_run_is_not_drawn(page: ComparePage, keys: dict[str, str]) -> None:
    page.table.item(row_of(page, keys["first"]), 0).setCheckState(Qt.CheckState.Unchecked)
    assert page.plot.series_names() == ["second"]
    page.table.item(row_of(page, keys["first"]), 0).setCheckState(Qt.CheckState.Checked)
    assert sorted(page.plot.series_names()) == ["first", "second"]


def test_a_few_runs_are_in_view_without_scrolling(page: ComparePage, lab: Lab) -> None:
    lab.theme.set_text_size(200)
    page.table.show_runs(page.table.runs * 2, set())
    page.table.resize(page.table.width(), page.table.minimumSizeHint().height())
    assert page.table.verticalScrollBar().maximum() == 0
    lab.theme.set_text_size(100)


def test_renamed_in_place_and_noted(page: ComparePage, keys: dict[str, str], until: Until) -> None:
    page.table.item(row_of(page, keys["first"]), 0).setText("better name")
    until(lambda: catalogue().summary(keys["first"]).name == "better name")
    until(lambda: cell(page, keys["first"], "Run") == "better name")
    select(page, keys["first"])
    page.note.setText("odd at the start")
    page.note.editingFinished.emit()
    until(lambda: catalogue().summary(keys["first"]).note == "odd at the start")


def test_a_pinned_run_is_what_the_others_are_held_against(
    page: ComparePage, keys: dict[str, str], until: Until
) -> None:
    select(page, keys["first"])
    page.pin.click()
    until(lambda: page.table.baseline is not None)
    runs = {run.key: run for run in page.table.runs}
    less = runs[keys["second"]].held_out - runs[keys["first"]].held_out  # type: ignore[operator]
    assert cell(page, keys["second"], "− baseline") == f"{less:+.3f}".replace("-", "−")
    assert cell(page, keys["first"], "− baseline") == ""
    select(page, keys["second"])
    assert "Learning rate: 0.03 | 0.001" in page.about.text()
    page.pin.click()
    until(lambda: page.table.baseline is not None and page.table.baseline.key == keys["second"])
    assert not catalogue().summary(keys["first"]).pinned


def test_differences_are_listed_by_their_labels(page: ComparePage) -> None:
    second, first = page.table.runs
    told = said_differences((first, second))
    assert "FFN: relu2 | gelu" in told and "Learning rate: 0.03 | 0.001" in told
    assert told.count(";") == 1
    assert said_differences((first, first)).endswith("the same settings and text.")


def test_what_was_done_by_hand_is_told_beside_the_settings(keys: dict[str, str], lab: Lab) -> None:
    journal = catalogue().open(keys["second"]).journal("events")
    for step in (4, 9):
        entry = {"step": step, "kind": "rate", "text": f"learning rate × {step}"}
        journal.append(entry)
    journal.append({"step": 9, "kind": "plan", "text": "not by hand"})
    journal.append({"step": "?", "kind": "rate", "text": "no event"})
    runs, _ = compared_runs(catalogue())
    told = said_differences(tuple(runs))
    assert told.count("Done by hand") == 1 and told.endswith(
        "Done by hand in “second”: learning rate × 4 at step 4; learning rate × 9 at step 9."
    )
    many = replace(runs[0], by_hand=tuple((i, "turned") for i in range(1, 6)))
    assert said_differences((many, many)).endswith("turned at step 3; and 2 more.")


def test_deleted_and_brought_back(page: ComparePage, keys: dict[str, str], until: Until) -> None:
    select(page, *keys.values())
    page.delete.click()
    until(lambda: page.table.rowCount() == 0)
    assert page.undo.isVisible() and not catalogue().runs().runs
    page.undo.button.click()
    until(lambda: page.table.rowCount() == 2)
    assert {run.key for run in catalogue().runs().runs} == set(keys.values())
    assert not page.undo.isVisible()


def test_a_race_of_two_has_their_settings_and_one_seed(
    page: ComparePage, keys: dict[str, str]
) -> None:
    wished: list[Experiment] = []
    page._wishes.race.connect(wished.append)
    select(page, keys["first"])
    assert not page.race.isEnabled()
    select(page, *keys.values())
    page.race_by.setCurrentIndex(1)
    page.amount.setValue(7)
    page.race.click()
    (made,) = wished
    assert made.by == "seconds" and made.seconds == 7.0
    assert {arm.name: arm.recipe.ffn for arm in made.arms} == {"first": "relu2", "second": "gelu"}
    assert {arm.recipe.seed for arm in made.arms} == {page._lab.seed}


def test_other_tokens_call_for_bits_per_byte(page: ComparePage, lab: Lab, until: Until) -> None:
    from engine.workspace.choices import TokenizerSpec

    assert not page.units_note.isVisible()
    lab.choose_tokenizer(TokenizerSpec("bpe", 270))
    until(lambda: lab.preparing is None and lab.streams is not None and not lab.compute.jobs)
    keep(lab, "letters", a_recipe())
    page.show_too({run.key for run in compared_runs(catalogue())[0]})
    until(lambda: len(page._curves) == 3)
    assert page.units_note.label.text() == OTHER_TOKENS
    page.units_note.button.click()
    assert page.unit.currentData() == "bits" and not page.units_note.isVisible()
    assert "letters" in page.plot.series_names()


def test_a_damaged_run_is_named_and_the_others_are_shown(
    page: ComparePage, keys: dict[str, str], until: Until
) -> None:
    (catalogue().folder / keys["first"] / "run.json").write_text("{}")
    page.refresh()
    until(lambda: page.table.rowCount() == 1)
    assert keys["first"] in page.said.label.text()


def test_a_run_without_its_text_has_no_bits(keys: dict[str, str]) -> None:
    kept: Catalogue = catalogue()
    for path in kept.store.folder.iterdir():
        path.unlink()
    runs, _ = compared_runs(kept)
    assert {run.text for run in runs} == {None}
    assert runs[0].bits_per_byte is None and runs[0].held_out is not None


def test_cloned_settings_are_set_up_again(lab: Lab, qtbot: Any) -> None:
    panel = SetupPanel(lab, Paces(lab, lab))
    qtbot.addWidget(panel)
    wanted = sized(gpt2_style(), "tiny").but(
        learning_rate=0.005, residual=False, steps=77, seed=lab.seed, batch_size=5
    )
    panel.adopt(wanted)
    order = panel.order("")
    assert order.recipe.but(eval_every=0, warmup=0) == wanted.but(eval_every=0, warmup=0)
    own = modern().but(layers=3, width=48, heads=2, steps=10, seed=lab.seed)
    panel.adopt(own)
    assert panel.order("").recipe.but(eval_every=0) == own.but(eval_every=0)
    assert panel.size_box.currentData() == "small" and not panel._size_word()


def test_all_runs_are_in_view_only_when_asked_for(page: ComparePage) -> None:
    run = page.table.runs[0]
    many = tuple(
        replace(run, summary=replace(run.summary, key=f"20261129-090000-{n:06x}"))
        for n in range(FEW_ROWS + 3)
    )
    page._listed((many, ()))
    assert page.more.isVisible() and page.more.text() == f"Show all {FEW_ROWS + 3} runs"
    table = page.table

    def in_view() -> int:
        return sum(not table.isRowHidden(row) for row in range(table.rowCount()))

    few = table.minimumSizeHint().height()
    assert in_view() == FEW_ROWS
    page.more.click()
    assert in_view() == FEW_ROWS + 3 and page.more.text() == f"Show only {FEW_ROWS} runs"
    assert table.minimumSizeHint().height() == few + 3 * table.verticalHeader().defaultSectionSize()
    page.more.click()
    assert in_view() == FEW_ROWS


def test_what_a_narrow_table_leaves_out_is_told_of_the_selected_run(
    page: ComparePage, keys: dict[str, str]
) -> None:
    page.resize(2400, 900)
    select(page, keys["first"])
    assert page.table.left_out == () and "Settings:" not in page.about.text()
    page.resize(620, 900)
    out = page.table.left_out
    assert "Settings" in out and "Run" not in out and "Held-out loss" not in out
    assert f"Settings: {in_short(a_recipe())}" in page.about.text()
    assert all(f"{title}: " in page.about.text() for title in out)
    assert page.table.horizontalScrollBar().maximum() == 0
    page.resize(2400, 900)
    assert page.table.left_out == () and "Settings:" not in page.about.text()


def test_the_page_needs_no_more_height_for_having_been_tall(page: ComparePage) -> None:
    before = page.heightForWidth(1100)
    page.resize(1100, 3000)
    assert page.plot.height() > 2000
    assert page.heightForWidth(1100) == before
    page.resize(1100, before)
    assert page.plot.view.height() >= page.plot.view.minimumHeight()


def test_names_from_others_are_shortened_on_one_line() -> None:
    assert short("as it is") == "as it is"
    told = short("one\ntwo " + "x" * 5000)
    assert told.startswith("one two x") and "…" in told and len(told) <= 52
