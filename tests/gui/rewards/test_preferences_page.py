"""Preferences as a person gives them: clicks and keys, an annotator, a trained reward model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from gui.lab import Lab
from gui.rewards.annotator_box import PRESETS
from gui.rewards.effect_bars import EffectBar, EffectBars
from gui.rewards.model_pane import HELD_OUT
from gui.rewards.preferences_page import PreferencesPage
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def page(tab: RewardsTab, until: Until) -> PreferencesPage:
    tab.show_page("preferences")
    until(lambda: tab.preferences.clicks.pair is not None)
    return tab.preferences


def trained(page: PreferencesPage, until: Until, n: int = 200, preset: int = 0) -> None:
    page.annotator.presets.setCurrentIndex(preset)
    page.annotator.number.set_value(n)
    page.annotator.button.click()
    until(lambda: page._simulated is not None and page._job is None)
    page.train.click()
    until(lambda: page.model.report is not None and page._job is None)


def test_keys_compare_and_undo_takes_back(page: PreferencesPage, qtbot: Any) -> None:
    clicks = page.clicks
    clicks.setFocus()
    seen = []
    for key in (Qt.Key.Key_A, Qt.Key.Key_Right, Qt.Key.Key_T, Qt.Key.Key_Space, Qt.Key.Key_Left):
        seen.append(clicks.pair)
        qtbot.keyClick(clicks, key)
    assert [p.choice for p in clicks.preferences] == ["a", "b", "tie", "skip", "a"]
    assert [p.pair for p in clicks.preferences] == seen
    assert "5 comparisons: 2 × A, 1 × B, 1 equal, 1 skipped" in clicks.counter.text()
    now = clicks.pair
    qtbot.keyClick(clicks, Qt.Key.Key_U)
    assert clicks.pair == seen[-1] and len(clicks.preferences) == 4
    qtbot.keyClick(clicks, Qt.Key.Key_B)
    assert clicks.pair == now and clicks.preferences[-1].choice == "b"
    assert clicks.a.text.text().startswith(now.a.text.strip() or "(empty)")


def test_buttons_do_what_keys_do_and_more_answers_come_when_all_are_compared(
    page: PreferencesPage, qtbot: Any, until: Until
) -> None:
    first = page.clicks.pair
    n = len(page.clicks._waiting)
    for _ in range(n):
        qtbot.mouseClick(page.clicks.buttons["b"], Qt.MouseButton.LeftButton)
    assert len(page.clicks.preferences) == n
    until(lambda: page.clicks.pair is not None)
    assert page.clicks.pair != first


def test_too_few_comparisons_are_told(page: PreferencesPage, until: Until) -> None:
    assert not page.train.isEnabled()
    page.clicks.choose("a")
    page.train.click()
    until(lambda: page.problem.isVisible())
    assert "at least 4 pairs: so far there are 1" in page.problem.text


def test_a_simulated_annotator_trains_a_model_that_becomes_a_term(
    tab: RewardsTab, page: PreferencesPage, until: Until, qtbot: Any
) -> None:
    assert "preferences" not in tab.setup.weights
    page.card.choose(1)
    qtbot.mouseClick(page.annotator.button, Qt.MouseButton.LeftButton)
    until(lambda: page._simulated is not None and page._job is None)
    assert page._simulated is not None and len(page._simulated.preferences) == 500
    assert page.data.currentData() == "simulated"
    page.card.choose(1)  # the true score, which the first preset looks for
    page.card.lock()
    until(lambda: page.model.report is not None)
    report = page.model.report
    assert report is not None and report.learned[0].key == "true"
    assert page.card.verdict.text().startswith("Right.")
    assert report.best is not None and page.model.best.text() == f"{report.best:.0%}"
    assert page.model.bars.bars[0].value == report.learned[0].effect
    assert page.model.curve._curves[HELD_OUT].y.tolist() == [p.accuracy.value for p in report.curve]
    assert sum(b.n for b in report.bins) >= report.held_out.n
    for key in ("learned", "curve", "truth", "length", "calibration"):
        page.model.views.show_page(key)
        assert page.model.note.text()
    qtbot.mouseClick(page.done.button, Qt.MouseButton.LeftButton)
    assert tab.setup.panel.formula.text() == "Reward = 1 × Preferences"


def test_a_run_is_rewarded_by_the_reward_model(
    tab: RewardsTab, page: PreferencesPage, until: Until
) -> None:
    trained(page, until)
    tab.setup.weights["preferences"].set_value(2.0)
    tab.show_page("group")
    tab.transport.step.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    assert tab.session.news is not None
    record = tab.session.news.records[0]
    assert ("Preferences", 2.0) in record.reward_mix
    report = page.model.report
    assert report is not None
    group = record.group
    place = [title for title, _ in record.reward_mix].index("Preferences")
    expected = 2.0 * report.model.score_many([group.prompt] * len(group.answers), group.answers)
    assert group.terms[:, place] == pytest.approx(expected)
    # The policy as it is now can be compared too.
    tab.show_page("preferences")
    before = page.clicks.pair
    page.source.setCurrentIndex(1)
    until(lambda: page.clicks.pair is not None and page.clicks.pair != before)


def test_the_transformer_learns_too(page: PreferencesPage, until: Until) -> None:
    page.kind.setCurrentIndex(1)
    trained(page, until)
    report = page.model.report
    assert report is not None and report.model.kind == "neural" and report.explained < 1
    assert "A linear fit" in page.model.note.text()


def test_comparisons_go_into_a_file_and_come_back(
    tab: RewardsTab, page: PreferencesPage, tmp_path: Path
) -> None:
    for choice in ("a", "b", "tie"):
        page.clicks.choose(choice)
    before = list(page.clicks.preferences)
    path = tmp_path / "mine.json"
    page.own.save_to(str(path))
    assert json.loads(path.read_text())["task"] == "sums"
    page.clicks.choose("b")
    page.own.load_from(str(path))
    assert page.clicks.preferences == before and "3 comparisons taken" in page.own.told.text
    (tmp_path / "bad.json").write_text("{}")
    for name, said in (("bad.json", "no comparisons"), ("none.json", "could not be read")):
        page.own.load_from(str(tmp_path / name))
        assert said in page.own.told.text and page.own.told.tone == "error"
    assert page.clicks.preferences == before
    page.own.save_to(str(tmp_path / "no" / "such.json"))
    assert "could not be written" in page.own.told.text


def test_each_task_keeps_its_comparisons_for_the_session(
    tab: RewardsTab, page: PreferencesPage, until: Until
) -> None:
    page.clicks.choose("a")
    mine = list(page.clicks.preferences)
    tab.setup.tasks.setCurrentIndex(1)
    until(lambda: page.clicks.pair is not None)
    assert page.clicks.preferences == []
    tab.setup.tasks.setCurrentIndex(0)
    assert page.clicks.preferences == mine


def test_a_field_without_a_number_is_told(page: PreferencesPage) -> None:
    page.annotator.fields["noise"].box.lineEdit().setText("2")
    page.annotator.button.click()
    told = page.annotator.problem  # where the field is
    assert page._job is None and "Blind clicks" in told.text and not page.problem.text
    page.annotator.fields["noise"].box.lineEdit().setText("0.2")
    assert not told.text


def test_presets_fill_the_fields(page: PreferencesPage) -> None:
    for preset, (_, wanted) in enumerate(PRESETS):
        page.annotator.presets.setCurrentIndex(preset)
        made = page.annotator.annotator()
        for name in ("true", "length", "format", "repeats", "noise", "tie"):
            assert getattr(made, name) == getattr(wanted, name)


def test_answers_are_whole_at_every_text_size(
    tab: RewardsTab, page: PreferencesPage, lab: Lab, until: Until
) -> None:
    for size in (75, 200, 250, 100):
        lab.theme.set_text_size(size)
        for card in (page.clicks.a, page.clicks.b):
            until(
                lambda card=card: card.text.height() >= card.text.heightForWidth(card.text.width())
            )  # type: ignore[misc]


def test_bars_are_told_and_saved(lab: Lab, qtbot: Any, tmp_path: Path) -> None:
    bars = EffectBars("Learned", "log-odds")
    qtbot.addWidget(bars)
    bars.set_empty_text("Nothing.")
    bars.resize(500, 300)
    bars.show()
    assert bars.empty.isVisible()
    bars.set_bars([EffectBar("Length", 1.5, "long"), EffectBar("Truth", -0.25, "true")])
    assert not bars.empty.isVisible()
    assert bars.area.accessibleName() == "Learned: Length +1.5, Truth −0.25"
    for ending in ("png", "svg", "csv"):
        bars.export(ending, str(tmp_path / f"x.{ending}"))
    text = (tmp_path / "x.csv").read_text()
    assert "Length,1.5,long" in text
    image = bars.grab().toImage()
    ratio = image.devicePixelRatio()
    top = bars.area.mapTo(bars, bars.place_of(0).center())
    right = image.pixelColor(int((top.x() + 60) * ratio), int(top.y() * ratio))
    assert right == lab.theme.colours.color("good")
