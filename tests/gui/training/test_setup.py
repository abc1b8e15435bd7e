"""Setting up a run: what is refused in place, what is typed, and what is said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPalette
from PySide6.QtWidgets import QLabel

from engine.errors import LabError
from engine.training.fitting import Memory
from gui.lab import Lab
from gui.training.rates_page import EMPTY
from gui.training.session import Phase
from gui.training.settings_page import fitting_text
from gui.training.tab import TrainingTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def tab(tab: TrainingTab) -> TrainingTab:
    tab.resize(1248, 640)  # what a window of 1280 × 800 leaves it
    return tab


def visible_labels(tab: TrainingTab, text: str) -> list[QLabel]:
    return [w for w in tab.findChildren(QLabel) if text in w.text() and w.isVisible()]


def write(field: Any, text: str, qtbot: Any) -> None:
    line = field if not hasattr(field, "lineEdit") else field.lineEdit()
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    qtbot.keyClicks(line, text)
    qtbot.keyClick(line, Qt.Key.Key_Return)


def test_what_does_not_fit_the_memory_is_refused_and_never_tried(
    tab: TrainingTab, lab: Lab, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    here = Memory(8 * 10**9, 5 * 10**9)
    monkeypatch.setattr("gui.training.setup.this_machine", lambda: here)
    monkeypatch.setattr("gui.training.paces.this_machine", lambda: here)
    tab.show_page("settings")
    cells = tab.pages.page("settings").knobs.cells
    write(cells["batch_size"].field, "4096", qtbot)
    write(cells["context"].field, "4096", qtbot)
    said = tab.setup.wrong.text()
    assert "of memory, and this computer has 8.0 GB" in said and "batch size" in said
    assert len(visible_labels(tab, said)) == 1
    assert not tab.transport.start.isEnabled() and tab.transport.start.toolTip() == said
    assert not tab.transport.step.isEnabled() and tab.transport.step.toolTip() == said
    assert "Press Start" not in tab.transport.words.text()
    tab.transport.start_pressed.emit()
    assert tab.session.phase is Phase.EMPTY and tab.session.problem == ""
    with pytest.raises(LabError, match="of memory"):
        tab.setup.order("")
    assert lab.streams is not None
    tab.paces.want(tab.setup.base, lab.streams)
    assert tab.paces._wish is None and not tab.paces._timer.isActive()
    qtbot.mouseClick(tab.pages.page("settings").back, Qt.MouseButton.LeftButton)
    assert tab.transport.start.isEnabled() and tab.setup.wrong.text() == ""
    assert tab.transport.start.toolTip() == "Begin a new run with the settings above."


def test_a_long_step_is_started_but_not_tried_out(tab: TrainingTab, lab: Lab) -> None:
    tab.setup.turn("batch_size", 2000)
    assert lab.streams is not None and tab.setup.wrong.text() == ""
    assert not tab.paces.can_measure(tab.setup.base, lab.streams)
    assert tab.paces._wish is None and not tab.paces._timer.isActive()
    assert "too long to be tried out" in tab.setup.about.text() or "(estimated)" in (
        tab.setup.about.text()
    )
    assert tab.transport.start.isEnabled()


def test_a_mistake_is_told_once_with_one_number(tab: TrainingTab, qtbot: Any) -> None:
    tab.show_page("settings")
    page = tab.pages.page("settings")
    tab.setup.turn("layers", 8)
    tab.setup.turn("width", 4096)
    assert len(visible_labels(tab, "This model would have")) == 1
    vocab = tab.setup.vocab_size
    with pytest.raises(LabError) as built:
        tab.setup.base.model_config(vocab)
    assert tab.setup.wrong.text() == str(built.value)
    assert not page.bar.isVisible() and not page.parts.isVisible() and not page.totals.isVisible()
    assert not tab.transport.start.isEnabled()
    tab.setup.put_back()
    assert page.bar.isVisible() and page.parts.isVisible() and page.totals.isVisible()


@pytest.mark.parametrize("text", ["12.5", "1e9", "-5", ""])
def test_steps_that_are_none_are_told_in_place(tab: TrainingTab, text: str, qtbot: Any) -> None:
    write(tab.setup.steps, text, qtbot)
    assert tab.setup.steps.text() == text
    assert "from 1 to 1,000,000" in tab.setup.wrong.text() and tab.setup.wrong.isVisible()
    assert not tab.transport.start.isEnabled()
    write(tab.setup.steps, "1,250", qtbot)
    assert tab.setup.wrong.text() == "" and tab.transport.start.isEnabled()
    assert tab.setup.order("").recipe.steps == 1250


@pytest.mark.parametrize("text", ["12.5", "999999999", "abc"])
def test_whole_knobs_tell_what_they_take(tab: TrainingTab, text: str, qtbot: Any) -> None:
    tab.show_page("settings")
    cell = tab.pages.page("settings").knobs.cells["width"]
    write(cell.field, text, qtbot)
    assert cell.field.text() == text and "from 2 to 8,192" in cell.problem
    assert cell.wrong.isVisible() and tab.setup.turned_knobs == {}
    write(cell.field, "96", qtbot)
    assert cell.problem == "" and tab.setup.turned_knobs == {"width": 96}


def test_limits_are_written_as_people_do(tab: TrainingTab, qtbot: Any) -> None:
    tab.show_page("settings")
    cell = tab.pages.page("settings").knobs.cells["learning_rate"]
    write(cell.field, "1e99", qtbot)
    assert cell.problem == "Write a number from 0 to 1,000,000,000."


def test_a_knob_put_back_loses_its_colour(tab: TrainingTab, qtbot: Any) -> None:
    tab.show_page("settings")
    page = tab.pages.page("settings")
    cell = page.knobs.cells["layers"]

    def colour() -> str:
        return cell.label.palette().color(QPalette.ColorRole.WindowText).name()

    plain = colour()
    write(cell.field, "3", qtbot)
    assert colour() != plain and cell.label.text() == "Layers *"
    qtbot.mouseClick(page.back, Qt.MouseButton.LeftButton)
    assert colour() == plain and cell.label.text() == "Layers"


def test_cells_of_a_row_begin_on_one_line(tab: TrainingTab) -> None:
    tab.show_page("settings")
    cells = list(tab.pages.page("settings").knobs.cells.values())
    rows: dict[tuple[int, int], set[int]] = {}
    for cell in cells:
        at = cell.label.mapTo(tab, cell.label.rect().center()).y()
        rows.setdefault((id(cell.parentWidget()), cell.y()), set()).add(at)
    assert any(len([c for c in cells if c.y() == y]) > 1 for _, y in rows)
    for heads in rows.values():
        assert max(heads) - min(heads) <= 2


def test_a_narrow_part_of_the_bar_says_what_fits(look: Any) -> None:
    metrics = QFontMetrics(look.font("body"))
    wide = metrics.horizontalAdvance("embedding 7%") + 4
    assert fitting_text("embedding", 0.07, metrics, wide) == "embedding 7%"
    assert fitting_text("embedding", 0.07, metrics, wide - 1) == "embedding"
    assert fitting_text("embedding", 0.07, metrics, metrics.horizontalAdvance("7%") + 4) == "7%"
    assert fitting_text("embedding", 0.07, metrics, 3) == ""


def test_empty_plots_say_what_will_be_seen_and_what_to_press(tab: TrainingTab) -> None:
    tab.show_page("rates")
    for plot, sentence in zip(tab.pages.page("rates").plots, EMPTY, strict=True):
        assert plot._empty.text() == f"{sentence} Press Start above."
