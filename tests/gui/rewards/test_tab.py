"""The tab as a person uses it: real clicks and keys, on the bundled policy of the sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from gui.lab import Lab
from gui.rewards.curves_page import MEASURES, REWARD, TRUE
from gui.rewards.group_told import NO_SPREAD
from gui.rewards.news import News
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab
from gui.widgets.number_field import NumberField

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def click(qtbot: Any) -> Callable[[QAbstractButton], None]:
    def press(button: QAbstractButton) -> None:
        assert button.isEnabled(), f"{button.text()} is greyed out"
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


def type_into(qtbot: Any, field: NumberField, text: str) -> None:
    line = field.box.lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)


def news_of(tab: RewardsTab) -> News:
    assert tab.session.news is not None
    return tab.session.news


def in_phase(tab: RewardsTab, phase: Phase) -> Callable[[], bool]:
    return lambda: tab.session.phase is phase


def test_a_run_ends_with_its_curves_and_says_how_it_went(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    assert "Press Start" in tab.transport.words.text()
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    news = news_of(tab)
    assert [r.update for r in news.records] == [1, 2, 3, 4, 5, 6]
    assert [s.update for s in news.scores] == [0, 5, 6]
    curve = tab.curves.main._curves[REWARD]
    assert curve.x.tolist() == [1, 2, 3, 4, 5, 6]
    assert curve.y.tolist() == [r.reward for r in news.records]
    assert tab.curves.main._curves[TRUE].y.tolist() == [s.value for s in news.scores]
    words = tab.transport.words.text()
    assert words.startswith("Update 6 of 6 · done · held-out true score ")
    assert f"{news.scores[-1].value:.0%}" in words


def test_one_update_from_nothing_makes_one_and_pauses(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    assert news_of(tab).update == 1
    assert not tab.transport.start.isEnabled()
    click(tab.transport.step)
    until(lambda: news_of(tab).update == 2 and tab.session.phase is Phase.PAUSED)
    click(tab.transport.resume)
    until(in_phase(tab, Phase.FINISHED))
    assert news_of(tab).update == 6


def test_stepping_pausing_and_stopping_do_not_change_the_numbers(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    straight = [(r.reward, r.loss, r.kl) for r in news_of(tab).records]
    click(tab.transport.start)
    until(lambda: tab.session.news is not None and news_of(tab).update >= 1)
    click(tab.transport.stop)
    until(lambda: tab.session.phase in (Phase.STOPPED, Phase.FINISHED))
    if tab.session.phase is Phase.STOPPED:
        click(tab.transport.step)
        until(lambda: tab.session.phase in (Phase.PAUSED, Phase.FINISHED))
        if tab.session.phase is Phase.PAUSED:
            click(tab.transport.resume)
    until(in_phase(tab, Phase.FINISHED))
    assert [(r.reward, r.loss, r.kl) for r in news_of(tab).records] == straight


def test_a_pause_holds_and_stop_ends_it(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.setup.numbers["updates"].set_value(2000)
    click(tab.transport.start)
    until(lambda: tab.session.news is not None and news_of(tab).update >= 1)
    click(tab.transport.pause)
    until(in_phase(tab, Phase.PAUSED))
    click(tab.transport.step)
    until(lambda: tab.session.phase is Phase.PAUSED and tab.session.job is None)
    click(tab.transport.stop)
    assert tab.session.phase is Phase.STOPPED
    assert tab.transport.start.isEnabled() and tab.transport.resume.isEnabled()


def test_a_weight_typed_while_running_counts_from_the_next_update(
    tab: RewardsTab, until: Until, click: Any, qtbot: Any
) -> None:
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    assert dict(news_of(tab).records[0].reward_mix)["Length"] == 0
    type_into(qtbot, tab.setup.weights["length"], "-0.5")
    click(tab.transport.step)
    until(lambda: news_of(tab).update == 2 and tab.session.phase is Phase.PAUSED)
    record = news_of(tab).records[1]
    assert dict(record.reward_mix)["Length"] == -0.5
    assert record.terms[3] == pytest.approx(-0.5 * record.length)
    assert [e.update for e in news_of(tab).events] == [1]
    assert "0.5 × Length" in news_of(tab).events[0].text
    assert len(tab.curves.main._content.marks) == 1


def test_a_group_opened_up_shows_what_the_update_did(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    tab.setup.numbers["group"].set_value(12)
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    click(tab.pages.button("group"))
    tab.group.question.skip()
    group = news_of(tab).records[0].group
    rows = tab.group.samples.rows
    assert len(rows) == 12 and group.prompt.text in tab.group.prompt.text()
    assert [row[-2] for row in rows] == group.advantages.tolist()
    assert [row[-3] for row in rows] == group.rewards.tolist()
    tab.group.samples.selectRow(3)
    pushes = tab.group.pushes.rows
    assert len(pushes) == len(group.tokens[3])
    for row, old, new in zip(pushes, group.before[3], group.after[3], strict=True):
        assert row[1:6] == pytest.approx((np.exp(old), np.exp(new), old, new, new - old))
    assert sum(float(row[5]) for row in pushes) == pytest.approx(rows[3][-1])


def test_no_spread_no_learning_is_said(
    tab: RewardsTab, until: Until, click: Any, qtbot: Any
) -> None:
    type_into(qtbot, tab.setup.weights["exact"], "0")
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    tab.show_page("group")
    assert tab.group.silent.isVisible() and tab.group.silent.text == NO_SPREAD
    assert news_of(tab).records[0].gradient_norm == 0


def test_the_slider_goes_back_and_stays_there(tab: RewardsTab, until: Until, click: Any) -> None:
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    tab.show_page("group")
    click(tab.transport.step)
    until(lambda: news_of(tab).update == 2 and tab.session.phase is Phase.PAUSED)
    assert tab.group.slider.value() == 2
    tab.group.slider.setValue(1)
    click(tab.transport.step)
    until(lambda: news_of(tab).update == 3 and tab.session.phase is Phase.PAUSED)
    assert tab.group.slider.value() == 1
    assert tab.group.record is news_of(tab).records[0]


def test_policy_and_reference_answer_the_same_prompt(
    tab: RewardsTab, until: Until, click: Any, qtbot: Any
) -> None:
    found: list[Any] = []
    tab.session.compared.connect(found.append)
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    tab.show_page("compare")
    until(lambda: bool(found))
    assert sum(n for _, n in found[-1].policy) == sum(n for _, n in found[-1].reference)
    assert np.exp(found[-1].policy_next).sum() == pytest.approx(1)
    assert {m.kind for m in tab.compare.bars.shown_models()} == {"policy", "reference"}
    line = tab.compare.prompt.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "11+22=")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    until(lambda: found[-1].prompt == "11+22=")
    line.selectAll()
    qtbot.keyClicks(line, "what?")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    until(lambda: tab.compare.problem.isVisible())
    assert "reads only the characters" in tab.compare.problem.text


def test_a_field_without_a_number_is_told_in_place(tab: RewardsTab, click: Any, qtbot: Any) -> None:
    type_into(qtbot, tab.setup.weights["exact"], "much")
    click(tab.transport.start)
    assert tab.session.phase is Phase.EMPTY
    assert "Exactly right" in tab.problem.text
    type_into(qtbot, tab.setup.weights["exact"], "1")


def test_a_policy_that_blows_up_is_told_and_a_new_run_can_begin(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    click(tab.transport.step)
    until(in_phase(tab, Phase.PAUSED))
    live = tab.session._live
    assert live is not None and live._grpo is not None
    with torch.no_grad():
        for parameter in live._grpo.module.parameters():
            parameter.fill_(float("nan"))
    click(tab.transport.resume)
    until(in_phase(tab, Phase.FAILED))
    assert "blown up" in tab.problem.text or "no longer a number" in tab.problem.text
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    assert tab.problem.isHidden()


def test_every_page_shows_and_every_measure_draws(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    for key in tab.page_keys:
        tab.show_page(key)
        assert tab.pages.current_key == key
    until(lambda: tab.objective.aim.is_typeset and tab.objective.step.is_typeset)
    assert "Σ|yᵢ|" in [row[0] for row in tab.objective.numbers.rows]
    tab.show_page("curves")
    assert MEASURES[-1].key == "loss"
    for index, measure in enumerate(MEASURES):
        tab.curves.choice.setCurrentIndex(index)
        assert tab.curves.side.series_names()
        assert tab.curves.side.title == measure.title


def test_the_other_task_runs_too(tab: RewardsTab, until: Until, click: Any) -> None:
    tab.setup.tasks.setCurrentIndex(1)
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    assert news_of(tab).order.task.key == "letters"


def test_every_control_has_a_name_and_a_tip(tab: RewardsTab) -> None:
    tab.setup.fold.set_open(True)
    own = [
        w
        for kind in (QAbstractButton, QComboBox, QLineEdit)
        for w in tab.findChildren(kind)
        if w.isVisibleTo(tab)
        and w.objectName() != "qt_spinbox_lineedit"
        and not isinstance(w.parent(), QComboBox)
    ]
    nameless = [
        w
        for w in own
        if not (w.accessibleName() or getattr(w, "text", str)())
        and not w.objectName().startswith("qt_")
    ]
    assert own
    assert not [(w.objectName(), type(w).__name__, w.parent()) for w in nameless]


def test_nothing_is_cut_off_in_a_small_window(tab: RewardsTab, lab: Lab, qtbot: Any) -> None:
    tab.resize(700, 600)
    fold = tab.setup.panel.fold
    fold.setChecked(False)
    fold.click()  # opened by hand, it stays open at any size
    for size in (75, 200, 250):
        lab.theme.set_text_size(size)
        qtbot.waitExposed(tab)
        QApplication.sendPostedEvents()
        widgets: list[QWidget] = [
            tab.transport.start,
            tab.transport.stop,
            *tab.setup.weights.values(),
            tab.setup.tasks,
        ]
        for widget in widgets:
            assert widget.width() >= widget.minimumSizeHint().width()
            assert widget.height() >= widget.minimumSizeHint().height()


def test_the_weights_make_room_for_the_page_until_someone_opens_them(
    tab: RewardsTab, lab: Lab, qtbot: Any
) -> None:
    fold = tab.setup.panel.fold
    weight = tab.setup.weights["exact"]
    qtbot.waitUntil(lambda: fold.isChecked() and weight.isVisible())
    lab.theme.set_text_size(200)
    qtbot.waitUntil(lambda: not fold.isChecked() and not weight.isVisible())
    assert "Exactly right" in tab.setup.panel.formula.text() and tab.transport.start.isVisible()
    qtbot.mouseClick(fold, Qt.MouseButton.LeftButton)
    lab.theme.set_text_size(190)
    qtbot.waitUntil(lambda: weight.isVisible())


def test_the_run_at_hand_is_named_where_another_is_set_up(tab: RewardsTab, until: Until) -> None:
    tab.transport.start.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert not tab.elsewhere.isVisible()
    tab.setup.tasks.setCurrentIndex(1)
    assert tab.elsewhere.isVisible()
    assert "Small sums" in tab.elsewhere.text() and "Exactly right" in tab.elsewhere.text()
    tab.setup.tasks.setCurrentIndex(0)
    assert not tab.elsewhere.isVisible()


def test_a_reward_of_nothing_is_told(tab: RewardsTab, until: Until) -> None:
    tab.setup.weights["exact"].set_value(0.0)
    tab.transport.start.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    assert "nothing will be learned" in tab.problem.text
    tab.setup.weights["exact"].set_value(1.0)
    assert tab.problem.text == ""


def test_the_tab_dies_with_its_window(lab: Lab, dies: Callable[[QWidget], None]) -> None:
    dies(an_opened_tab(lab))


def an_opened_tab(lab: Lab) -> RewardsTab:
    made = RewardsTab(lab)
    made.show_page("group")
    return made


def test_samples_over_time_stand_beside_the_references(
    tab: RewardsTab, until: Until, click: Any
) -> None:
    click(tab.transport.start)
    until(in_phase(tab, Phase.FINISHED))
    tab.show_page("samples")
    news, page = news_of(tab), tab.samples
    assert [look.update for look in news.looks] == [0, 5, 6]
    assert page.slider.value() == 2 and page.which.text().endswith("6")
    for row, prompt, first, last in zip(
        page.sheet.rows, news.shown, news.looks[0].answers, news.looks[-1].answers, strict=True
    ):
        assert row[:2] == (prompt.text, prompt.target)
        assert str(row[2]).startswith(first.text) and str(row[3]).startswith(last.text)
    page.sheet.selectRow(3)
    shown = {m.kind: m.log_probs for m in page.bars.shown_models()}
    assert shown["policy"].tolist() == news.looks[-1].first_tokens[3].tolist()
    page.slider.setValue(0)
    shown = {m.kind: m.log_probs for m in page.bars.shown_models()}
    assert shown["policy"].tolist() == shown["reference"].tolist()
