"""The learner's comparisons by mouse, wheel and key in the real window, and across sessions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from engine.errors import LabError
from engine.posttraining.kept_comparisons import KeptComparisons
from engine.posttraining.reward_model_report import Accuracy, Learned, wilson
from gui.lab import Lab
from gui.main_window import MainWindow
from gui.places import data_dir
from gui.rewards import preferences_page
from gui.rewards.annotator_box import PRESETS
from gui.rewards.asking import NO_RUN
from gui.rewards.model_pane import verdict
from gui.rewards.preferences_page import PreferencesPage
from gui.rewards.tab import RewardsTab
from gui.settings import WindowState
from gui.tabs import TabSpec

Until = Callable[[Callable[[], bool]], None]


def plain_tab(lab: Lab) -> QWidget:
    return QLabel("nothing")


@pytest.fixture
def window(lab: Lab, tmp_path: Path, qtbot: Any) -> MainWindow:
    tabs = (
        TabSpec("rewards", "Rewards", "Rewards.", RewardsTab),
        TabSpec("other", "Other", "Other.", plain_tab),
    )
    made = MainWindow(lab, WindowState(tmp_path), tabs)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    made.open_first_tab()
    qtbot.waitExposed(made)
    return made


def rewards(window: MainWindow) -> RewardsTab:
    tab = window.tab("rewards")
    assert isinstance(tab, RewardsTab)
    return tab


def focused() -> QWidget:
    widget = QApplication.focusWidget()
    assert widget is not None
    return widget


def roll(widget: QWidget) -> None:
    window = widget.window()
    middle = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(middle), QPoint(0, -360))
    QApplication.processEvents()


def test_the_wheel_changes_neither_weight_nor_task_nor_seed(
    window: MainWindow, qtbot: Any, lab: Lab
) -> None:
    tab = rewards(window)
    weight, tasks, seed = tab.setup.weights["length"], tab.setup.tasks, window.header.seed
    tab.transport.start.setFocus()
    lab.set_seed(7)
    for widget in (weight.box, weight.box.lineEdit(), tasks, seed):
        roll(widget)
    assert weight.value() == 0 and tasks.currentIndex() == 0 and lab.seed == 7
    weight.box.setFocus()
    qtbot.waitUntil(weight.box.hasFocus)
    roll(weight.box)
    assert weight.value() != 0


def test_the_keys_work_as_soon_as_the_page_is_opened(
    window: MainWindow, qtbot: Any, until: Until
) -> None:
    tab = rewards(window)
    clicks = tab.preferences.clicks
    qtbot.mouseClick(tab.pages.heading("Reward"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(tab.pages.button("preferences"), Qt.MouseButton.LeftButton)
    until(lambda: clicks.pair is not None)
    assert focused() is clicks
    keys = (Qt.Key.Key_A, Qt.Key.Key_Left, Qt.Key.Key_B, Qt.Key.Key_Right, Qt.Key.Key_T)
    for key in (*keys, Qt.Key.Key_Down, Qt.Key.Key_S, Qt.Key.Key_Space):
        qtbot.keyClick(focused(), key)
    assert [p.choice for p in clicks.preferences] == [
        "a", "a", "b", "b", "tie", "tie", "skip", "skip",
    ]  # fmt: skip
    assert tab.pages.current_key == "preferences"
    qtbot.keyClick(focused(), Qt.Key.Key_U)
    assert len(clicks.preferences) == 7
    # The mark of the focus is there, and goes with it.
    accent = tab.session._lab.theme.colours.color("accent")
    at = clicks.rect().center().x(), 1
    assert clicks.grab().toImage().pixelColor(*at) == accent
    qtbot.keyClick(focused(), Qt.Key.Key_Tab)
    assert focused() is clicks.buttons["a"]
    assert clicks.grab().toImage().pixelColor(*at) != accent
    for button in (*list(clicks.buttons.values())[1:], clicks.undo):
        qtbot.keyClick(focused(), Qt.Key.Key_Tab)
        assert focused() is button


def test_who_walks_along_the_page_buttons_walks_on(window: MainWindow, qtbot: Any) -> None:
    tab = rewards(window)
    tab.show_page("objective")
    tab.pages.button("objective").setFocus()
    for key in ("preferences", "rubric"):
        qtbot.keyClick(focused(), Qt.Key.Key_Right)
        assert tab.pages.current_key == key and focused() is tab.pages.button(key)


@pytest.fixture
def page(tab: RewardsTab, until: Until) -> PreferencesPage:
    tab.show_page("preferences")
    until(lambda: tab.preferences.clicks.pair is not None)
    return tab.preferences


def kept(task: str = "sums") -> list[str]:
    return [p.choice for p in KeptComparisons(data_dir()).read(task).preferences]


def test_comparisons_outlive_the_window(
    lab: Lab, tab: RewardsTab, page: PreferencesPage, until: Until, qtbot: Any
) -> None:
    for choice in ("a", "b", "skip"):
        page.clicks.choose(choice)
    until(lambda: kept() == ["a", "b", "skip"])
    page.clicks.take_back()
    tab.hide()  # as when the window closes: not even the compute thread is waited for
    assert kept() == ["a", "b"]
    again = RewardsTab(lab)
    qtbot.addWidget(again)
    again.show()
    assert [p.choice for p in again.preferences.clicks.preferences] == ["a", "b"]
    assert "Kept on this computer" in again.preferences.own.kept.text()
    again.setup.tasks.setCurrentIndex(1)
    assert again.preferences.clicks.preferences == [] and kept("letters") == []
    again.hide()


def test_all_can_be_thrown_away_and_brought_back(page: PreferencesPage, qtbot: Any) -> None:
    own = page.own
    assert not own.clear.isEnabled()
    for choice in ("a", "b"):
        page.clicks.choose(choice)
    qtbot.mouseClick(own.clear, Qt.MouseButton.LeftButton)
    assert page.clicks.preferences == [] and "2 comparisons thrown away" in own.told.text
    page.clicks.choose("tie")
    qtbot.mouseClick(own.told.button, Qt.MouseButton.LeftButton)
    assert [p.choice for p in page.clicks.preferences] == ["a", "b", "tie"]
    own.hide()
    assert kept() == ["a", "b", "tie"]


def test_a_damaged_file_is_told_and_set_aside(
    lab: Lab, tab: RewardsTab, qtbot: Any, home: Path
) -> None:
    path = KeptComparisons(data_dir()).path("sums")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    again = RewardsTab(lab)
    qtbot.addWidget(again)
    told = again.preferences.own.told
    assert "could not be read" in told.text and told.tone == "warning"
    assert (path.parent / "sums.damaged-1.json").read_text() == "{"


def test_what_cannot_be_kept_is_told(
    page: PreferencesPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise LabError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(KeptComparisons, "write", full)
        page.clicks.choose("a")
        until(lambda: "not kept. The disk is full." in page.own.told.text)
    page.clicks.choose("b")
    until(lambda: kept() == ["a", "b"])
    assert json.loads(KeptComparisons(data_dir()).path("sums").read_text())["version"] == 1


def test_whose_answers_these_are_is_said(
    page: PreferencesPage, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.source.setCurrentIndex(1)  # there is no run
    assert page.clicks.pair is None
    until(lambda: page.clicks.pair is not None)
    assert page.own.told.text == NO_RUN
    page.source.setCurrentIndex(0)
    until(lambda: page.clicks.pair is not None)
    assert page.own.told.text == ""

    def same(*args: object, **kwargs: object) -> None:
        raise LabError("The same answer every time.")

    monkeypatch.setattr(preferences_page, "draw_to_click", same)
    page.source.setCurrentIndex(1)
    until(lambda: "same answer" in page.own.told.text)
    assert page.clicks.pair is None and "no answers" in page.clicks.prompt.text()
    assert not page.problem.text


def test_a_bias_that_cannot_show_is_told_before_the_prediction(
    page: PreferencesPage, until: Until
) -> None:
    hint = page.annotator.hint
    names = [name for name, _ in PRESETS]
    assert hint.text == ""
    page.annotator.presets.setCurrentIndex(names.index("Likes long answers"))
    assert "length differs in only" in hint.text and "Polite replies" in hint.text
    page.annotator.presets.setCurrentIndex(names.index("Falls for the format"))
    assert "format never differs" in hint.text and "In no task" in hint.text
    page.annotator.presets.setCurrentIndex(names.index("Falls for kind words"))
    assert "no kind words" in hint.text and "Polite replies" in hint.text
    page.annotator.presets.setCurrentIndex(0)
    assert hint.text == ""
    # A prediction of it is judged by what was measured, and told why.
    page.annotator.presets.setCurrentIndex(names.index("Likes long answers"))
    page.annotator.number.set_value(60)
    page.annotator.button.click()
    until(lambda: page._simulated is not None and page._job is None)
    page.card.choose(page._asked.index("length"))
    page.card.lock()
    until(lambda: page.model.report is not None and page._job is None)
    assert page.card.state == "revealed"
    assert "The annotator does weigh length, but it differs in only" in page.card.verdict.text()
    report = page.model.report
    assert report is not None
    chance = Accuracy(0.55, 22, *wilson(12, 22))
    noise = tuple(replace(one, effect=0.16, error=0.2) for one in report.learned)
    blind = verdict(replace(report, held_out=chance, learned=noise, best=None))
    assert "No better than chance so far" in blind and "95 % interval (Wilson)" in blind
    assert "More comparisons are needed" in blind and "longer" not in blind
    sure = Learned("length", "Length", "token", 1.0, 1.5, 0.9, 0.1)
    good = Accuracy(0.8, 200, *wilson(160, 200))
    told = verdict(replace(report, held_out=good, learned=(sure, *noise), best=0.79))
    assert "rewards length (+1.5 ± 0.2)" in told and "will write longer" in told
    assert "80% is above the best possible 79%" in told
