"""What is said and shown while a run is driven: notices, the prediction, the run at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from engine.errors import LabError
from engine.jobs import Job
from gui.lab import Lab
from gui.training.prediction import NEVER
from gui.training.session import Phase, TrainingSession
from gui.training.tab import TrainingTab
from tests.gui.conftest import flush_deletes
from tests.gui.training.conftest import OTHER, a_recipe, an_order

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def tab(lab: Lab, qtbot: Any) -> Iterator[TrainingTab]:
    made = TrainingTab(lab)
    qtbot.addWidget(made)
    made.resize(1248, 640)
    made.show()
    yield made
    made.close()
    made.paces.rest()
    flush_deletes()


def paused(tab: TrainingTab, lab: Lab, until: Until, steps: int = 5) -> None:
    tab.session.start(an_order(lab), steps=steps)
    until(lambda: tab.session.phase is Phase.PAUSED)


def done(tab: TrainingTab, lab: Lab, until: Until) -> None:
    tab.session.start(an_order(lab))
    until(lambda: tab.session.phase is Phase.FINISHED)


def test_the_state_says_which_run_it_is_about(tab: TrainingTab, lab: Lab, until: Until) -> None:
    paused(tab, lab, until)
    assert tab.setup.size_box.currentData() == "small"
    assert tab.transport.words.text().endswith(" · this run: Modern, tiny")
    tab.session.stop()
    until(lambda: tab.session.phase is Phase.STOPPED)
    assert tab.setup.about.text().startswith("These settings are for the next run.")


def test_a_locked_prediction_is_one_line_until_it_is_scored(
    tab: TrainingTab, lab: Lab, until: Until
) -> None:
    card = tab.prediction
    until(lambda: card.state == "asking")
    high = card.height()
    card.choose(NEVER)
    card.lock()
    assert card.line.isVisible() and not card.isVisible()
    assert card.line.text().startswith("You predicted: No, not in this run.")
    assert card.line.sizeHint().height() < high / 3
    done(tab, lab, until)
    assert card.isVisible() and card.state == "revealed" and not card.line.isVisible()


def test_while_a_run_is_at_work_the_plot_has_the_room(
    tab: TrainingTab, lab: Lab, until: Until
) -> None:
    card = tab.prediction
    until(lambda: card.state == "asking")
    assert tab.setup.about.isVisible()
    card.choose(NEVER)
    card.lock()
    paused(tab, lab, until)
    assert not tab.setup.about.isVisible()
    tab.layout().activate()
    assert tab.losses.plot.height() >= 200
    tab.show_page("settings")
    assert tab.setup.about.isVisible()


def test_a_failed_export_is_forgotten_with_the_next_thing_done(
    tab: TrainingTab, lab: Lab, until: Until, tmp_path: Path
) -> None:
    paused(tab, lab, until)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("precious")
    tab.export.save_folder(str(tmp_path / "full"))
    until(lambda: tab.exported.tone == "error")
    tab.session.resume()
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert tab.exported.text == "" and not tab.exported.isVisible()


def test_notices_are_closed_by_mouse_and_by_key(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    tab.session.refuse("This cannot be done.")
    assert tab.problem.isVisible()
    qtbot.mouseClick(tab.problem.close_button, Qt.MouseButton.LeftButton)
    assert not tab.problem.isVisible() and tab.session.problem == ""
    tab.session.refuse("This cannot be done.")  # it happened again: it is said again
    assert tab.problem.isVisible()
    tab.problem.close_button.setFocus()
    qtbot.keyClick(tab.problem.close_button, Qt.Key.Key_Escape)
    assert not tab.problem.isVisible() and tab.session.problem == ""


def test_what_stays_so_stays_closed(tab: TrainingTab, lab: Lab, until: Until, qtbot: Any) -> None:
    paused(tab, lab, until)
    lab.choose_corpus(OTHER)
    until(lambda: lab.preparing is None)
    assert tab.old_text.isVisible()
    qtbot.mouseClick(tab.old_text.close_button, Qt.MouseButton.LeftButton)
    tab.session.step()
    until(lambda: tab.session.news is not None and tab.session.news.step == 6)
    assert not tab.old_text.isVisible()


def test_no_sentence_stands_twice(tab: TrainingTab, lab: Lab, until: Until) -> None:
    paused(tab, lab, until)
    tab.exported.say("The disk is full.", "error")
    tab.session.refuse("The disk is full.")
    shown = [n.text for n in (tab.exported, tab.problem) if n.isVisible()]
    assert shown == ["The disk is full."]


@pytest.mark.parametrize("text", ["abc", "-1", "1e99", "nan", ""])
def test_a_scale_that_is_none_is_told_in_place(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any, text: str
) -> None:
    paused(tab, lab, until)
    field = tab.steering.scale
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert tab.steering.wrong.isVisible() and field.text() == "1"
    assert "Write a number from 0 to 1,000,000,000." in tab.steering.wrong.text()
    field.selectAll()
    qtbot.keyClicks(field, "0.5")
    assert not tab.steering.wrong.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    until(lambda: tab.session.news is not None and tab.session.news.rate_scale == 0.5)
    assert tab.steering.wrong.text() == ""


def test_a_finished_run_that_cannot_go_back_stays_finished(
    tab: TrainingTab, lab: Lab, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(tab, lab, until)
    assert tab.session.live is not None

    def damaged(step: int) -> None:
        raise LabError(f"The checkpoint of step {step} is damaged.")

    monkeypatch.setattr(tab.session.live._recording, "load", damaged)
    tab.session.go_back(4)
    until(lambda: bool(tab.session.problem))
    assert tab.session.phase is Phase.FINISHED
    assert tab.transport.words.text().startswith("Done: 12 steps")
    assert "is damaged" in tab.problem.text


def waits(*, job: Job) -> None:
    """A preparation that never ends by itself."""
    while True:
        job.yield_point()


def test_start_does_not_wait_for_what_nobody_asked_for(
    lab: Lab, session: TrainingSession, until: Until
) -> None:
    stopped: list[object] = []
    lab.compute.submit(waits, urgent=True, gives_way=True, on_cancelled=stopped.append)
    until(lambda: lab.compute.running is not None)
    session.start(an_order(lab))
    until(lambda: session.phase is Phase.FINISHED)
    assert len(stopped) == 1


def test_a_run_that_only_waits_is_stopped_at_once(
    lab: Lab, session: TrainingSession, until: Until
) -> None:
    before = lab.compute.submit(waits)
    until(lambda: lab.compute.running is before)
    session.start(an_order(lab, a_recipe(100_000)))
    assert session.phase is Phase.QUEUED
    session.stop()
    until(lambda: session.phase is Phase.EMPTY)
    assert lab.compute.running is before and session.can_start
    before.stop()
    until(lambda: lab.compute.idle)
