"""Runs kept, compared, named, deleted, resumed and exported; the policy in the other tabs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt

from engine.workspace.made import tokenizer_fingerprint
from gui.lab import Lab
from gui.pages import ContinuesRuns
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def two_runs(tab: RewardsTab, until: Until) -> RewardsTab:
    """A run to its end, and one with another β stopped at its fifth update."""
    tab.transport.start.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    tab.setup.numbers["beta"].set_value(0.5)
    tab.setup.numbers["updates"].set_value(9)
    tab.transport.start.click()
    until(lambda: tab.session.news is not None and tab.session.news.update >= 5)
    tab.transport.stop.click()
    until(lambda: tab.session.phase in (Phase.STOPPED, Phase.FINISHED))
    tab.show_page("kept")
    assert len(tab.kept.runs) == 2
    return tab


def choose(tab: RewardsTab, *rows: int) -> None:
    model = tab.kept.list.selectionModel()
    model.clearSelection()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in rows:
        model.select(tab.kept.list.model().index(row, 0), flags)


def test_runs_are_listed_compared_and_told_apart(two_runs: RewardsTab) -> None:
    page = two_runs.kept
    newest, first = page.runs
    assert first.mark == "finished" and first.step == 6
    choose(two_runs, 0, 1)
    assert len(page.plot.series_names()) == 2
    page.choice.setCurrentIndex(1)  # the reward
    curves = list(page.plot._curves.values())
    expected = page._catalogue.curves(newest.key)["updates"]["reward"]
    assert curves[0].y.tolist() == expected.tolist() and len(curves[1].y) == 6
    assert {row[0] for row in map(list, page.settings.table.rows)} == {
        "KL coefficient β",
        "Updates",
    }
    assert ("KL coefficient β", "0.5", "0.0") in page.settings.table.rows
    choose(two_runs, 1)
    assert first.name in page.settings.heading.text()
    assert ("KL coefficient β", "0.0") in page.settings.table.rows
    assert ("Baseline", "group mean, divided by std (GRPO)") in page.settings.table.rows
    assert ("Group size G", str(first.description.settings["group"])) in page.settings.table.rows
    page.settings.show_runs((first, first))
    assert "same settings" in page.settings.heading.text() and not page.settings.table.isVisible()
    choose(two_runs)
    assert page.settings.table.isVisible() and page.settings.table.rows == ()


def test_a_run_is_named_noted_pinned_deleted_and_brought_back(
    two_runs: RewardsTab, qtbot: Any
) -> None:
    page = two_runs.kept
    choose(two_runs, 1)
    key = page.chosen[0].key
    for line, text in ((page.name, "Baseline"), (page.note, "look here")):
        line.setFocus()
        line.selectAll()
        qtbot.keyClicks(line, text)
        qtbot.keyClick(line, Qt.Key.Key_Return)
    page.pin.click()
    run = page.runs[1]
    assert (run.key, run.name, run.note, run.pinned) == (key, "Baseline", "look here", True)
    page.delete.click()
    assert key not in [r.key for r in page.runs]
    page.undo.click()
    assert page.runs[1].key == key and not page.undo.isEnabled()


def test_a_stopped_run_goes_on_as_if_it_had_never_stopped(
    two_runs: RewardsTab, until: Until
) -> None:
    tab = two_runs
    order = tab.session.order
    assert order is not None and tab.session.news is not None
    stopped = tab.kept.runs[0]
    tab.transport.resume.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    straight = [(r.reward, r.loss, r.kl) for r in tab.session.news.records]
    assert len(straight) == 9
    tab.kept.refresh()
    again = tab.kept._catalogue.summary(stopped.key)
    assert again.step == 9 and again.mark == "finished"
    choose(tab, 0)
    tab.kept.resume.click()
    until(lambda: tab.session.phase is Phase.FINISHED and tab.session.news is not None)
    loaded = tab.session.news
    assert [(r.reward, r.loss, r.kl) for r in loaded.records] == straight
    assert np.isfinite(loaded.scores[-1].value) and loaded.order.settings == order.settings
    tab.show_page("group")
    assert tab.group.record is not None and tab.group.record.group.rewards.shape == (4,)


def test_a_kept_run_travels_as_a_folder(two_runs: RewardsTab, until: Until, tmp_path: Path) -> None:
    page = two_runs.kept
    choose(two_runs, 1)
    page.save_folder(str(tmp_path / "out"))
    until(lambda: "out" in page.problem.text)
    page.import_.take(str(tmp_path / "out"))
    until(lambda: len(page.runs) == 3)
    assert page.runs[0].step == 6
    page.import_.take(str(tmp_path))
    until(lambda: "holds no run" in page.problem.text)


def test_the_policy_is_in_the_lab_with_its_own_tokens(
    two_runs: RewardsTab, lab: Lab, until: Until
) -> None:
    until(lambda: len(lab.runs) == 2)
    run, stopped = lab.runs
    assert run.facts["Updates"] == "6" and int(stopped.facts["Updates"]) >= 5
    assert run.name.startswith("Policy: Small sums")
    assert run.tokenizer.fingerprint == tokenizer_fingerprint(run.tokenizer.tokenizer)
    assert run.tokenizer.tokenizer.decode(run.tokenizer.tokenizer.encode("12+34=")) == "12+34="
    assert run.model.vocab_size == run.tokenizer.tokenizer.vocab_size + 1
    assert run.facts["Task"] == "Small sums"


def test_an_interrupted_run_can_be_opened_by_its_key(two_runs: RewardsTab, until: Until) -> None:
    assert isinstance(two_runs, ContinuesRuns)
    first = two_runs.kept.runs[1]
    two_runs.continue_run(first.key)
    ended = (Phase.PAUSED, Phase.FINISHED)
    until(lambda: two_runs.session.phase in ended and two_runs.session.news is not None)
    assert two_runs.session.news is not None and two_runs.session.news.update == first.step
    two_runs.continue_run("20260101-000000-000000")
    assert "no longer there" in two_runs.problem.text
