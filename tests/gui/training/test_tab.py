"""The tab as a person uses it: real clicks and keys, on a small text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSpinBox, QWidget

from engine.errors import LabError
from engine.training import Recipe
from engine.workspace.choices import CorpusChoice
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.training.loss_view import HELD_OUT, TRAINING, WHOLE_TRAINING
from gui.training.session import Phase
from gui.training.tab import TrainingTab
from gui.training.tab_pages import OF_THEIR_OWN
from tests.gui.conftest import WAIT_MS
from tests.gui.training.conftest import OTHER

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def click(qtbot: Any) -> Callable[[QAbstractButton], None]:
    def press(button: QAbstractButton) -> None:
        assert button.isEnabled(), f"{button.text()} is greyed out"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


def plotted(tab: TrainingTab, name: str) -> tuple[Any, Any]:
    curve = tab.losses.plot._curves[name]
    return curve.x, curve.y


def test_start_draws_the_curves_between_the_landmarks_and_ends_in_words(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    assert "Press Start" in tab.transport.words.text()
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    news = tab.session.news
    assert news is not None and news.step == 6
    for got, expected in zip(plotted(tab, TRAINING), ("step", "loss"), strict=True):
        np.testing.assert_array_equal(got, news.steps[expected])
    for got, expected in zip(plotted(tab, HELD_OUT), ("step", "loss"), strict=True):
        np.testing.assert_array_equal(got, news.evaluations[expected])
    assert tab.transport.words.text().startswith("Done: 6 steps in ")
    until(lambda: bool(tab.landmarks.of(news_streams(tab).made_from)))
    names = [m.name for m in tab.losses.plot._landmarks]
    assert names[:3] == ["guessing (ln 257)", "unigram", "bigram"]
    text = tab.samples.text.toPlainText()
    assert text.index("After 6 steps") < text.index("Before training")


def news_streams(tab: TrainingTab) -> Any:
    assert tab.session.order is not None
    return tab.session.order.streams


def test_step_from_nothing_takes_one_step_then_pauses(
    tab: TrainingTab, until: Until, click: Any
) -> None:
    for step in (1, 2, 3):
        click(tab.transport.step)
        until(lambda step=step: tab.session.phase is Phase.PAUSED and tab.session.news.step == step)
        assert len(plotted(tab, TRAINING)[0]) == step
    assert tab.transport.words.text().startswith("Step 3 of 6 · paused")
    assert not tab.transport.start.isEnabled()
    assert tab.transport.resume.property("primary") and not tab.transport.start.property("primary")
    click(tab.transport.resume)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert not tab.transport.step.isEnabled() and not tab.transport.resume.isEnabled()


def test_pause_resume_and_stop_by_keyboard(tab: TrainingTab, until: Until, qtbot: Any) -> None:
    tab.setup.steps.setValue(100_000)
    tab.transport.start.setFocus()
    qtbot.keyClick(tab.transport.start, Qt.Key.Key_Space)
    until(lambda: tab.session.news is not None and tab.session.news.step > 0)
    assert tab.transport.pause.hasFocus()  # not lost on the greyed Start
    qtbot.keyClick(tab.transport.pause, Qt.Key.Key_Space)
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.transport.resume.hasFocus()
    qtbot.keyClick(tab.transport.resume, Qt.Key.Key_Space)
    until(lambda: tab.session.phase is Phase.RUNNING)
    qtbot.keyClick(tab.transport.stop, Qt.Key.Key_Space)
    until(lambda: tab.session.phase is Phase.STOPPED)
    assert "stopped" in tab.transport.words.text()


def test_another_text_is_said_and_the_curves_stay_until_a_new_start(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    before = plotted(tab, TRAINING)[1].copy()
    lab.choose_corpus(OTHER)
    until(lambda: lab.preparing is None)
    assert "chosen before" in tab.old_text.text
    np.testing.assert_array_equal(plotted(tab, TRAINING)[1], before)
    assert tab.samples.prompt.text() == "Dog number" or "Dog" in tab.samples.prompt.text()
    click(tab.transport.start)
    assert tab.old_text.text == ""
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.session.order is not None and lab.streams is not None
    assert tab.session.order.streams.made_from == lab.streams.made_from


def test_a_text_of_one_character_trains_and_says_that_nothing_is_held_out(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    lab.choose_corpus(CorpusChoice("text", text="x"))
    until(lambda: lab.preparing is None)
    assert "too short to hold any of it out" in tab.no_held_out.text
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert WHOLE_TRAINING in tab.losses.plot.series_names()
    assert HELD_OUT not in tab.losses.plot.series_names()
    assert [m.name for m in tab.losses.plot._landmarks] == ["guessing (ln 257)"]


def test_a_hidden_tab_draws_nothing_and_catches_up_when_it_is_seen(
    tab: TrainingTab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    tab.hide()
    until(lambda: tab.session.phase is Phase.FINISHED)
    drawn = tab.losses.plot.series_names()
    tab.show()
    assert drawn == [] and len(plotted(tab, TRAINING)[0]) == 6


def test_the_pace_of_a_run_is_what_the_next_is_planned_with(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    tab.setup.steps.setValue(30)
    until(lambda: tab.paces.pace(tab.setup.base, lab.streams) is not None and lab.compute.idle)
    measured = tab.paces.pace(tab.setup.base, lab.streams)
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    learned = tab.paces.pace(tab.setup.base, lab.streams)
    news = tab.session.news
    assert measured is not None and learned is not None and news is not None and learned[1]
    seconds = np.diff(np.asarray(news.steps["seconds"]))
    assert learned[0].step_seconds == pytest.approx(float(np.median(seconds)))
    assert learned[0].flops_per_second == pytest.approx(
        news.flops_per_step / learned[0].step_seconds
    )
    assert learned[0].evaluation_seconds == measured[0].evaluation_seconds


def test_a_run_begun_before_anything_was_measured_leaves_that_to_the_probe(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    """A run's own numbers do not tell what scoring takes, and the time of the next counts it."""
    tab.setup.steps.setValue(30)
    assert tab.paces.pace(tab.setup.base, lab.streams) is None
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    until(lambda: tab.paces.pace(tab.setup.base, lab.streams) is not None)
    assert "measured on this computer" in tab.setup.about.text()


def test_a_kept_run_that_goes_on_tells_no_pace(
    tab: TrainingTab, lab: Lab, until: Until, click: Any
) -> None:
    """It may have been trained on another computer."""
    tab.setup.steps.setValue(30)
    until(lambda: tab.paces.pace(tab.setup.base, lab.streams) is not None and lab.compute.idle)
    click(tab.transport.start)
    until(lambda: tab.session.news is not None and tab.session.news.step >= 2)
    click(tab.transport.stop)
    until(lambda: tab.session.can_start)
    before = tab.paces.pace(tab.setup.base, lab.streams)
    (kept,) = catalogue().runs().runs
    tab.continue_run(kept.key)
    until(lambda: tab.session.phase is Phase.FINISHED and tab.session.order.key == kept.key)  # type: ignore[union-attr]
    assert tab.session.news is not None and tab.session.news.step == 30
    assert tab.paces.pace(tab.setup.base, lab.streams) == before


def test_a_time_is_turned_into_measured_steps(tab: TrainingTab, lab: Lab, until: Until) -> None:
    until(lambda: tab.paces.pace(tab.setup.base, lab.streams) is not None)
    tab.setup.time.setCurrentIndex(0)
    assert "measured on this computer" in tab.setup.about.text()
    order = tab.setup.order("")
    assert order.seconds is None
    assert f"30 s are about {order.recipe.steps:,} steps" in tab.setup.about.text()
    tab.setup.recipe.setCurrentIndex(1)  # another design: not measured yet
    assert "estimated" in tab.setup.about.text()
    assert tab.setup.order("").seconds == 30.0
    known = lambda: tab.paces.pace(tab.setup.base, lab.streams)  # noqa: E731
    until(lambda: known()[1])
    assert "measured" in tab.setup.about.text()


def test_closing_while_training(lab: Lab, qtbot: Any, until: Until, dies: Any) -> None:
    def started() -> TrainingTab:
        made = TrainingTab(lab)
        made.setup.size_box.setCurrentIndex(0)
        made.setup.time.setCurrentIndex(made.setup.time.count() - 1)
        made.setup.steps.setValue(100_000)
        made.show()
        qtbot.mouseClick(made.transport.start, Qt.MouseButton.LeftButton)
        until(lambda: made.session.news is not None and made.session.news.step > 2)
        assert lab.compute.shutdown(WAIT_MS / 1000)
        made.close()
        return made

    dies(started())


def test_every_control_has_a_name_and_a_tip(tab: TrainingTab) -> None:
    controls: list[QWidget] = []
    for kind in (QAbstractButton, QComboBox, QLineEdit, QSpinBox):
        controls += tab.findChildren(kind)
    inner = "qt_spinbox_lineedit"
    own = [c for c in controls if c.window() is tab and c.objectName() != inner]
    assert len(own) > 8
    for control in own:
        name = control.accessibleName() or getattr(control, "text", str)()
        if not name and not control.isVisibleTo(tab):
            continue  # a notice's button gets its text when there is something to press it for
        assert name, f"{control} has no name"
        assert control.toolTip(), f"{name} has no tooltip"


def test_every_page_can_be_brought_to_the_front_by_its_key(tab: TrainingTab) -> None:
    assert tab.page_keys == tuple(page.key for page in tab.pages.pages)
    for key in tab.page_keys:
        tab.show_page(key)
        assert tab.pages.current_key == key and tab.pages.page(key).isVisible()


def test_pages_without_the_controls_of_the_run_scroll_by_themselves(tab: TrainingTab) -> None:
    for key in tab.page_keys:
        tab.show_page(key)
        alone = key in OF_THEIR_OWN
        assert tab.driving.isHidden() == alone
        assert (tab.pages.minimumHeight() == 0) == alone


@pytest.mark.parametrize("size", [75, 100, 200, 250])
def test_no_text_of_a_control_is_cut_off(tab: TrainingTab, lab: Lab, size: int, qtbot: Any) -> None:
    lab.theme.set_text_size(size)
    qtbot.waitUntil(lambda: not tab.losses.plot.turns.waiting, timeout=WAIT_MS)
    tab.resize(max(tab.minimumSizeHint().width(), 1240), 600)
    tab.layout().activate()
    for button in tab.findChildren(QAbstractButton):
        if button.isVisibleTo(tab):
            assert button.width() >= button.minimumSizeHint().width(), button.text()
            assert button.mapTo(tab, button.rect().bottomRight()).x() <= tab.width(), button.text()
    lab.theme.set_text_size(100)


def test_a_slider_scrubs_through_the_samples(
    tab: TrainingTab, until: Until, click: Any, qtbot: Any
) -> None:
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.session.news is not None
    steps = [s.step for s in tab.session.news.samples]
    assert tab.samples.slider.value() == len(steps) - 1
    for place in range(len(steps) - 2, -1, -1):
        qtbot.keyClick(tab.samples.slider, Qt.Key.Key_Left)
        text = tab.samples.text.toPlainText()
        first = "Before training" if steps[place] == 0 else f"After {steps[place]:,} steps"
        assert text.startswith(first) and f"After {steps[place + 1]:,} steps" not in text


def test_the_learning_rate_is_steered_and_marked(
    tab: TrainingTab, until: Until, click: Any, qtbot: Any
) -> None:
    assert not tab.steering.isVisible()
    click(tab.transport.step)
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.steering.isVisible() and tab.steering.scale.text() == "1"
    click(tab.steering.half)
    click(tab.steering.half)
    until(lambda: tab.session.news is not None and tab.session.news.rate_scale == 0.25)
    assert tab.steering.scale.text() == "0.25"
    tab.steering.scale.selectAll()
    qtbot.keyClicks(tab.steering.scale, "no number")
    qtbot.keyClick(tab.steering.scale, Qt.Key.Key_Return)
    assert tab.steering.scale.text() == "0.25"
    tab.steering.scale.selectAll()
    qtbot.keyClicks(tab.steering.scale, "3")
    qtbot.keyClick(tab.steering.scale, Qt.Key.Key_Return)
    until(lambda: tab.session.news is not None and tab.session.news.rate_scale == 3)
    (mark,) = tab.losses.plot._content.marks
    assert mark.x == 1 and "× 3" in mark.name
    rates_page = tab.pages.page("rates")
    click(tab.transport.step)
    until(lambda: tab.session.news is not None and tab.session.news.step == 2)
    tab.pages.show_page("rates")
    rates = rates_page.rate._curves["learning rate"].y
    assert rates[1] == pytest.approx(3 * rates[0], rel=0.5)


def test_going_back_to_the_start(tab: TrainingTab, until: Until, click: Any) -> None:
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert [tab.steering.back.itemData(i) for i in (1, 2)] == [0, 1]
    tab.steering.back.activated.emit(1)
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.session.news is not None and tab.session.news.step == 0
    assert tab.transport.resume.isEnabled()


def test_units_change_the_numbers_and_the_landmarks(
    tab: TrainingTab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    news = tab.session.news
    assert news is not None
    until(lambda: len(tab.losses.plot._landmarks) > 1)
    tab.losses.unit.setCurrentIndex(2)
    tab.losses.along.setCurrentIndex(1)
    x, y = plotted(tab, TRAINING)
    np.testing.assert_array_equal(x, news.steps["tokens"])
    np.testing.assert_allclose(y, np.exp(news.steps["loss"]))
    assert tab.losses.plot._landmarks[0].value == pytest.approx(257)


def test_every_knob_is_there_with_its_sentence_and_turns(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    tab.pages.show_page("settings")
    page = tab.pages.page("settings")
    cells = page.knobs.cells
    assert set(cells) == set(Recipe.knobs()) - {"name", "seed", "steps", "eval_every"}
    for name, cell in cells.items():
        assert cell.sentence.text() == Recipe.knobs()[name].sentence
    before = page.totals.text()
    cells["layers"].field.setValue(4)
    assert tab.setup.turned_knobs == {"layers": 4} and page.totals.text() != before
    assert "Layers 4" in tab.setup.about.text()
    assert tab.setup.order("").recipe.layers == 4
    assert tab.setup.order("").title == "Modern, own shape, layers 4"
    cells["heads"].field.setValue(3)
    assert "multiple of the number of heads" in tab.setup.wrong.text()
    with pytest.raises(LabError):
        tab.setup.order("")
    qtbot.mouseClick(page.back, Qt.MouseButton.LeftButton)
    assert tab.setup.turned_knobs == {} and tab.setup.wrong.text() == ""
    assert page.totals.text() == before


@pytest.mark.parametrize("text", ["", "fast", "nan", "-1", "1e99"])
def test_a_learning_rate_that_is_none_is_explained_in_place(
    tab: TrainingTab, text: str, qtbot: Any
) -> None:
    tab.pages.show_page("settings")
    cell = tab.pages.page("settings").knobs.cells["learning_rate"]
    cell.field.selectAll()
    qtbot.keyClicks(cell.field, text)
    if not text:
        cell.field.clear()
    qtbot.keyClick(cell.field, Qt.Key.Key_Return)
    assert cell.problem and tab.setup.turned_knobs == {}


def test_how_far_it_is_is_told_once_there_is_a_rate(
    tab: TrainingTab, until: Until, click: Any
) -> None:
    tab.pages.show_page("scale")
    page = tab.pages.page("scale")
    assert "Train for a moment" in page.years.text()
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert "years for a large one" in page.years.text()
    assert all(strip.isVisible() and strip.accessibleName() for strip in page.strips.values())
