"""The pages with runs of their own: closed form, reward hacking, sweep of β."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from engine.posttraining.hacking import hack_of, length_direction
from gui.rewards import aim_page
from gui.rewards.drive import Stage
from gui.rewards.group_page import ANSWER
from gui.rewards.group_question import question_of
from gui.rewards.hacking_page import LENGTHS, HackingPage
from gui.rewards.session import Phase
from gui.rewards.sweep_page import BETAS
from gui.rewards.tab import OWN_RUNS, OWN_SETUP, RewardsTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def click(qtbot: Any) -> Callable[[QAbstractButton], None]:
    def press(button: QAbstractButton) -> None:
        assert button.isEnabled(), f"{button.text()} is greyed out"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


def short(page: HackingPage, updates: int) -> None:
    """The same experiments with small batches' worth of updates."""
    page._all = tuple(replace(e, updates=updates) for e in page._all)


def test_the_closed_form_is_there_before_any_run_and_follows_beta(
    tab: RewardsTab, until: Until
) -> None:
    tab.show_page("closed")
    until(lambda: tab.aim.target is not None)
    first = tab.aim.target
    assert first is not None
    shown = {m.name: m.log_probs for m in tab.aim.bars.shown_models()}
    assert list(shown) == ["Reference policy", "π* (closed form)"]
    best = np.exp(shown["π* (closed form)"])
    asked = first.asked[tab.aim.prompt.currentIndex()]
    expected = np.exp(shown["Reference policy"] + asked.rewards / first.beta)
    assert best == pytest.approx(expected / expected.sum())
    tab.aim.beta.set_value(0.2)
    until(lambda: tab.aim.target is not None and tab.aim.target.beta == 0.2)
    assert tab.aim.target is not None and tab.aim.target.values[0] != first.values[0]


def test_both_runs_are_drawn_beside_the_closed_form(
    tab: RewardsTab, until: Until, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aim_page, "UPDATES", 3)
    tab.show_page("closed")
    click(tab.aim.drive.start)
    until(lambda: tab.aim.drive.stage is Stage.DONE)
    assert tab.aim.plot.series_names() == [aim_page.AIMS, aim_page.USUAL]
    state = tab.aim._state
    assert state is not None and state.updates == (0, 3)
    tab.aim.prompt.setCurrentIndex(2)
    curve = tab.aim.plot._curves[aim_page.AIMS]
    assert curve.y.tolist() == state.divergence[:, 0, 2].tolist()
    assert f"{state.values[-1, 0, 2]:.3f}" in tab.aim.numbers.text()


def test_an_experiment_is_predicted_run_and_scored_by_what_happened(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    page = tab.hacking
    tab.show_page("hacking")
    short(page, 7)
    page.hacked.choose(0)
    click(page.hacked.lock_button)
    page.length.choose(0)
    click(page.length.lock_button)
    assert page.hacked.state == "locked"
    click(page.drive.start)
    until(lambda: page.drive.stage is Stage.DONE)
    careless = page.states[0]
    assert [len(s.records) for s in page.states] == [7, 7]
    assert page.hacked.score == (int(hack_of(careless) is not None), 1)
    way = length_direction(careless.series("length"))
    assert page.length.score == (int(LENGTHS[0][0] == way), 1)
    for view, state in zip(page.views, page.states, strict=True):
        found = hack_of(state)
        assert view.verdict.text().startswith("Not hacked" if found is None else "Hacked from")
        assert len(view.plot._content.marks) == (found is not None)
    assert page.lesson.text() == page.experiment.lesson
    assert len(page.looks.sheet.rows) == len(careless.prompts)
    page.looks.slider.setValue(0)
    assert page.looks.sheet.rows[0][2].startswith(careless.looks[0].answers[0].text)  # type: ignore[union-attr]


def test_an_experiment_that_is_stopped_can_go_on(tab: RewardsTab, until: Until, click: Any) -> None:
    page = tab.hacking
    tab.show_page("hacking")
    short(page, 4)
    click(page.drive.start)
    until(lambda: bool(page.states))
    click(page.drive.stop)
    until(lambda: not page.drive.busy)
    if page.drive.stage is Stage.STOPPED:
        click(page.drive.resume)
        until(lambda: page.drive.stage is Stage.DONE)
    assert [len(s.records) for s in page.states] == [4, 4]
    assert page.choice.isEnabled()
    # Nobody predicted anything, and now the answers are on screen.
    assert page.hacked.state == page.length.state == "skipped"
    assert not page.hacked.isVisible() and page.hacked.score == (0, 0)


def test_a_sweep_draws_one_point_for_each_price(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.show_page("sweep")
    tab.sweep.updates.set_value(1)
    click(tab.sweep.drive.start)
    until(lambda: tab.sweep.drive.stage is Stage.DONE)
    assert [s.arm.settings.beta for s in tab.sweep.states] == list(BETAS)
    curve = next(iter(tab.sweep.plot._curves.values()))
    assert len(curve.x) == len(BETAS) and sorted(curve.x.tolist()) == curve.x.tolist()
    tab.sweep.against.setCurrentIndex(1)
    curve = next(iter(tab.sweep.plot._curves.values()))
    assert curve.x.tolist() == list(BETAS)
    tab.sweep.slider.setValue(3)
    assert tab.sweep.which.text() == f"&β = {BETAS[3]:g}"
    assert "After 1 update:" in tab.sweep.reached.text()
    # Another task is chosen: what the curves are about is still told.
    tab.setup.tasks.setCurrentIndex(tab.setup.tasks.findData("letters"))
    assert "“Small sums”, rewarded by 1 × Exactly right, 1 update each" in tab.sweep.whose.text()
    assert tab.sweep.whose.isVisible() and "Small sums" in tab.sweep.plot.title


def test_pages_with_runs_of_their_own_have_the_room(tab: RewardsTab) -> None:
    for key in tab.page_keys:
        tab.show_page(key)
        assert tab.transport.isVisible() == (key not in OWN_RUNS)
        assert tab.setup.isVisible() == (key not in OWN_SETUP)


def test_a_new_group_is_asked_about_before_it_is_opened(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    tab.setup.numbers["group"].set_value(16)
    tab.show_page("group")
    click(tab.transport.step)
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.session.news is not None
    group = tab.session.news.records[-1].group
    question = question_of(group)
    assert question is not None, "this seed's first group has no spread"
    card = tab.group.question
    assert card.open and tab.group.samples._columns == (ANSWER,)
    assert [b.text()[2:] for b in card.buttons] == list(question.choices)
    better = {
        (a.text if a.finished else f"{a.text}…") or "(empty)"
        for a, advantage in zip(group.answers, group.advantages, strict=True)
        if advantage > 0
    }
    assert [c in better for c in question.choices] == [
        i in question.right for i in range(len(question.choices))
    ]
    card.choose(question.right[0])
    click(card.lock_button)
    assert card.score == (1, 1)
    assert len(tab.group.samples._columns) > 4
    tab.group.slider.setValue(1)
    assert not card.open  # it is asked about once
