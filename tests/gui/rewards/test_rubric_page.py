"""The rubric's page and the panel of weights, as a person uses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt

from engine.posttraining.rubric import Rubric, is_careless
from gui.rewards.asking import NO_RUN
from gui.rewards.rubric_page import RubricPage
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def page(tab: RewardsTab, until: Until) -> RubricPage:
    tab.show_page("rubric")
    until(lambda: tab.rubric.rubric is not None and bool(tab.rubric.table.rows))
    return tab.rubric


def rubric_of(page: RubricPage) -> Rubric:
    assert page.rubric is not None
    return page.rubric


def test_the_buttons_of_the_panel_lead_to_where_things_are_made(
    tab: RewardsTab, qtbot: Any
) -> None:
    assert set(tab.setup.panel.makers) == {"preferences", "rubric"}
    for key, button in list(tab.setup.panel.makers.items()):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert tab.pages.current_key == key


def test_every_verdict_is_shown_with_its_reason(page: RubricPage) -> None:
    rubric = rubric_of(page)
    assert not any(is_careless(c) for c, _ in rubric.used)
    assert page.formula.text() == f"Score = {rubric.words()}"
    drawn = page._drawn
    assert drawn is not None and len(page.table.rows) == len(drawn.answers)
    for (prompt, answer), row in zip(page._rows, page.table.rows, strict=True):
        assert row[0] == prompt.text
        assert row[2] == pytest.approx(rubric.score(prompt, answer))
        assert row[4:] == tuple(str(v.score) for v in rubric.verdicts(prompt, answer))
    page.table.selectRow(2)
    prompt, answer = page._rows[2]
    for (criterion, _), verdict in zip(rubric.used, rubric.verdicts(prompt, answer), strict=True):
        line = f"{verdict.score}/2  {criterion.title}: {verdict.reason}"
        assert line in page.reasons.text().splitlines()


def test_weights_make_another_rubric_and_the_careless_one_is_at_hand(
    tab: RewardsTab, page: RubricPage, qtbot: Any
) -> None:
    first = page.lines[0]
    first.weight.set_value(3)
    assert rubric_of(page).used[0][1] == 3
    assert page.formula.text().startswith(f"Score = (3 × {first.criterion.title}")
    qtbot.mouseClick(page.careless, Qt.MouseButton.LeftButton)
    assert all(is_careless(c) for c, _ in rubric_of(page).used)
    qtbot.mouseClick(page.alone, Qt.MouseButton.LeftButton)
    assert tab.setup.panel.formula.text() == "Reward = 1 × Rubric"
    before = rubric_of(page)
    for line in page.lines:
        line.weight.set_value(0)
    assert "at least one criterion" in page.problem.text
    assert page.rubric == before or page.rubric is not None  # the last good one stays in force
    qtbot.mouseClick(page.sound, Qt.MouseButton.LeftButton)
    assert page.problem.isHidden() and not any(is_careless(c) for c, _ in rubric_of(page).used)


def test_other_answers_are_drawn(page: RubricPage, until: Until, qtbot: Any) -> None:
    before = page._drawn
    qtbot.mouseClick(page.more, Qt.MouseButton.LeftButton)
    until(lambda: page._drawn is not before)
    assert page._drawn != before


def test_a_run_is_rewarded_by_the_rubric_and_shows_its_share(
    tab: RewardsTab, page: RubricPage, until: Until
) -> None:
    rubric = rubric_of(page)
    tab.setup.weights["rubric"].set_value(0.5)
    assert tab.setup.panel.formula.text() == "Reward = 1 × Exactly right + 0.5 × Rubric"
    tab.show_page("group")
    tab.transport.step.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.session.news is not None
    record = tab.session.news.records[0]
    place = [title for title, _ in record.reward_mix].index("Rubric")
    group = record.group
    expected = 0.5 * rubric.score_many([group.prompt] * len(group.answers), group.answers)
    assert group.terms[:, place] == pytest.approx(expected)


def test_another_task_has_other_criteria_and_weights_come_back(
    tab: RewardsTab, page: RubricPage, until: Until
) -> None:
    page.lines[0].weight.set_value(4)
    tab.setup.weights["rubric"].set_value(1)
    tab.setup.tasks.setCurrentIndex(1)
    assert "rubric" not in tab.setup.weights  # the other task's rubric is not in force
    until(lambda: page.rubric is not None)
    assert page.lines[0].weight.value() == 1
    tab.setup.tasks.setCurrentIndex(0)
    until(lambda: page.rubric is not None)
    assert page.lines[0].weight.value() == 4
    assert tab.setup.weights["rubric"].value() == 1


def test_another_task_does_not_change_the_reward_of_the_run_at_work(
    tab: RewardsTab, until: Until
) -> None:
    tab.transport.step.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    live = tab.session.live
    assert live is not None
    before = live.reward
    tab.setup.tasks.setCurrentIndex(1)
    tab.setup.weights["length"].set_value(-1)
    assert live.reward is before
    tab.setup.tasks.setCurrentIndex(0)
    tab.setup.weights["length"].set_value(-2)
    assert {t.key: w for t, w in live.reward.terms}["length"] == -2


def test_every_criterion_has_its_room_when_the_criteria_come_late(
    tab: RewardsTab, page: RubricPage, until: Until
) -> None:
    tab.resize(1200, 500)
    tab.setup.tasks.setCurrentIndex(1)
    until(lambda: page.rubric is not None)
    left = page._left_side
    until(lambda: left.minimumHeight() >= sum(line.minimumHeight() for line in page.lines))
    last = page.lines[-1]
    until(lambda: last.geometry().bottom() <= left.rect().bottom())
    assert last.height() >= last.minimumHeight()


def test_a_table_whose_answers_are_being_drawn_says_so(
    tab: RewardsTab, page: RubricPage, until: Until
) -> None:
    page.draw()
    assert page.drawing.isVisible()
    until(lambda: page.drawing.isHidden())
    page.source.setCurrentIndex(1)  # there is no run
    assert page.table._placeholder.isVisible()
    assert "answering" in page.table._placeholder.text() and not page.table.rows
    until(lambda: bool(page.table.rows))
    assert page.whose.text == NO_RUN


def test_what_tells_most_comes_first(page: RubricPage) -> None:
    titles = [column.title for column in page.table._columns]
    assert titles[:5] == ["Prompt", "Answer", "Score", "True score", "Accurate"]
