"""Pages of the tab show the run as it is: its settings, its newest state, the group chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from engine.posttraining.rewards import RewardMix
from gui.rewards import aim_page, group_page
from gui.rewards.arm_view import ALL_RIGHT, REWARD, TRUE
from gui.rewards.drive import STOPPED_EARLY, Stage
from gui.rewards.formula_told import lines_of
from gui.rewards.group_question import GroupQuestion
from gui.rewards.group_told import ALL_ZERO
from gui.rewards.objective_page import AT_FIRST, IN_FORCE
from gui.rewards.session import Phase
from gui.rewards.sweep_told import careless_term
from gui.rewards.tab import RewardsTab
from tests.gui.rewards.made import arm

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def click(qtbot: Any) -> Callable[[QAbstractButton], None]:
    def press(button: QAbstractButton) -> None:
        assert button.isEnabled(), f"{button.text()} is greyed out"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


def step(tab: RewardsTab, until: Until, click: Any, update: int) -> None:
    click(tab.transport.step)
    until(lambda: tab.session.news is not None and tab.session.news.update == update)
    until(lambda: tab.session.phase is Phase.PAUSED)


def test_a_question_belongs_to_its_group(
    tab: RewardsTab, until: Until, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def about(group: Any, baseline: str) -> GroupQuestion:
        return GroupQuestion(f"{group.prompt.text} Which?", ("a", "b"), (0,), "So.")

    monkeypatch.setattr(group_page, "question_of", about)
    tab.show_page("group")
    page = tab.group
    step(tab, until, click, 1)
    page.question.skip()
    step(tab, until, click, 2)
    assert tab.session.news is not None
    first, second = (r.group for r in tab.session.news.records)
    assert page.question.isVisible() and second.prompt.text in page.question.question.text()
    assert "right answer" not in page.prompt.text()  # it would answer the question
    assert len(page.samples._columns) == 1
    page.slider.setValue(1)
    assert not page.question.isVisible()
    assert f"{first.prompt.text}   right answer {first.prompt.target}" == page.prompt.text()
    assert len(page.samples._columns) > 4
    page.samples.selectRow(1)
    assert len(page.pushes.rows) == len(first.tokens[1])
    page.slider.setValue(2)
    assert page.question.isVisible() and page.question.open
    assert len(page.samples._columns) == 1
    page.question.choose(0)
    click(page.question.lock_button)
    assert "right answer" in page.prompt.text()
    page.slider.setValue(1)
    assert not page.question.isVisible()


def test_equal_rewards_without_a_baseline_are_said_to_push(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    box = tab.setup.choices["baseline"]
    box.setCurrentIndex(box.findData("none"))
    tab.setup.weights["exact"].set_value(0)
    tab.show_page("group")
    step(tab, until, click, 1)
    assert tab.group.silent.text == ALL_ZERO
    assert tab.session.news is not None
    assert tab.session.news.records[0].silent_groups == 1


def test_the_formula_is_that_of_the_run(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.show_page("objective")
    page = tab.objective
    assert page.which.text().startswith(AT_FIRST) and not page.numbers.rows
    until(lambda: page.lines[0].is_typeset)
    for key, value in (("baseline", "none"), ("weights", "sequences"), ("penalty", "reward")):
        box = tab.setup.choices[key]
        box.setCurrentIndex(box.findData(value))
    tab.setup.numbers["beta"].set_value(0.1)
    step(tab, until, click, 1)
    assert tab.session.news is not None
    settings = tab.session.news.order.settings
    lines = lines_of(settings)
    until(lambda: page.lines[0].latex == lines[0].latex)
    assert [f.latex for f in page.lines if f.isVisible()] == [line.latex for line in lines]
    assert all(f.is_typeset for f in page.lines if f.isVisible())
    assert page.which.text().startswith(IN_FORCE) and "REINFORCE" in page.differs.text()
    values = {row[0]: row[2] for row in page.numbers.rows}
    assert values["Σ|yᵢ|"] == f"{tab.session.news.records[0].tokens:,}"
    assert page.aim.latex and page.step.latex  # the tutorial's form stays


def test_the_closed_form_shows_the_newest_state_when_one_comes_back(
    tab: RewardsTab, until: Until, click: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aim_page, "UPDATES", 3)
    tab.show_page("closed")
    page = tab.aim
    until(lambda: page.target is not None)
    prompt = page._task.prompts(held_out=False)[page.prompt.currentIndex()]
    assert prompt.target not in prompt.text  # something is to be done
    assert page.bars.area.axis_title == "probability of the whole answer"
    assert prompt.target in page.marked.text()
    click(page.drive.start)
    tab.show_page("curves")
    until(lambda: page.drive.stage is Stage.DONE)
    tab.show_page("closed")
    assert "after 3 updates" in page.numbers.text()
    curve = page.plot._curves[aim_page.AIMS]
    assert curve.x.tolist() == [0, 3]
    page.log_y.setChecked(False)
    assert not page.plot._content.y.log


def test_the_closed_form_says_what_it_waits_for(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.setup.numbers["updates"].set_value(2000)
    click(tab.transport.start)
    until(lambda: tab.session.phase is Phase.RUNNING)
    tab.show_page("closed")
    assert f"“Rewards: {tab.setup.task.title}”" in tab.aim.numbers.text()
    tab.session.stop()
    until(lambda: tab.session.can_start)


def test_an_experiment_can_be_paused_where_it_stands(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    page = tab.hacking
    page._all = tuple(replace(e, updates=30) for e in page._all)
    tab.show_page("hacking")
    drive = page.drive
    click(drive.start)
    until(lambda: bool(page.states))
    click(drive.pause)
    until(lambda: drive.stage is Stage.PAUSED)
    assert "paused" in drive.words.text() and drive.resume.isEnabled()
    assert not drive.start.isEnabled()
    made = len(page.states[0].records)
    click(drive.resume)
    until(lambda: len(page.states[0].records) > made)
    click(drive.stop)
    until(lambda: drive.stage is Stage.STOPPED)


def test_a_stop_before_the_first_update_is_told(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.show_page("hacking")
    drive = tab.hacking.drive
    assert drive.words.text() == ""
    click(drive.start)
    click(drive.stop)
    until(lambda: drive.stage is Stage.EMPTY)
    assert drive.words.text() == STOPPED_EARLY


def test_both_arms_are_drawn_alike_with_the_verdict_above(tab: RewardsTab, until: Until) -> None:
    page = tab.hacking
    tab.show_page("hacking")
    page.views[0].show_state(arm(reward=[3, 5, 1, 9], true_score=[0.3, 0.2, 0.2, 0.1]), ended=True)
    page.views[1].show_state(arm(reward=[0.2] * 4, true_score=[0.3, 0.5, 0.7, 0.8]), ended=True)
    for view in page.views:
        view.plot.redraw()
    first, second = page.views
    assert first.plot.view.ranges()[1] == second.plot.view.ranges()[1]
    assert first.plot._curves[REWARD].y.tolist() == [0.25, 0.5, 0, 1]
    assert first.plot._curves[TRUE].y.max() < ALL_RIGHT.value
    tab.repaint()
    assert first.plot.height() == second.plot.height()
    assert first.verdict.geometry().bottom() < first.plot.geometry().top()


def test_a_sweep_of_the_true_score_is_advised_against(tab: RewardsTab, click: Any) -> None:
    tab.show_page("sweep")
    advice = tab.sweep.advice
    assert advice.isVisible() and "true score itself" in advice.text
    click(advice.button)
    assert not advice.isVisible()
    counted = [t.key for t, w in tab.setup.reward.terms if w]
    assert counted == [careless_term(tab.setup.task)]
    tab.setup.weights["exact"].set_value(1)
    tab.setup.weights[counted[0]].set_value(0)
    assert advice.isVisible()


def test_every_point_of_a_sweep_has_its_price_and_its_error(tab: RewardsTab) -> None:
    page = tab.sweep
    tab.show_page("sweep")
    base = arm(reward=[0.5] * 5, reward_std=[0.4] * 5, true_error=[0.1] * 5)
    states = []
    for beta in (0.0, 0.1):
        settings = replace(base.arm.settings, beta=beta)
        one = replace(base.arm, settings=settings, reward=RewardMix(base.arm.reward.terms))
        states.append(replace(base, arm=one))
    page._take(tuple(states))
    assert [m.name for m in page.plot._content.marks] == ["β = 0", "β = 0.1"]
    assert "±" in page.plot._content.marks[1].explanation
    middle, low, high = (page.plot._curves[n] for n in page.plot.series_names()[:3])
    assert (high.y - middle.y).tolist() == pytest.approx((middle.y - low.y).tolist())
    assert float((high.y - middle.y)[0]) == pytest.approx(page.points[0].reward_error)
    assert "within the error" in page.apart.text()
