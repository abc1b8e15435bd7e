"""A kept run comes back with the reward that somebody made for it, beside what was made since."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from engine.posttraining.checkpoints import TENSOR_FILE
from engine.posttraining.kept_state import STATE_FILE, read_kept_reward
from engine.posttraining.reward_model import RewardModel
from engine.posttraining.rubric import Rubric
from engine.runs import RunSummary
from gui.lab import Lab
from gui.rewards.curves_page import MEASURES
from gui.rewards.group_why import GONE, counted_terms, reasons
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab
from tests.gui.rewards.test_kept import choose
from tests.gui.rewards.test_preferences_page import trained

Until = Callable[[Callable[[], bool]], None]
AT_REST = (Phase.PAUSED, Phase.FINISHED)
TITLES = {"linear": "Preferences", "neural": "Preferences", "rubric": "Rubric"}
KEPT_PREFERENCES, KEPT_RUBRIC = "Preferences (kept run)", "Rubric (kept run)"


@pytest.fixture
def restarted(tab: RewardsTab, lab: Lab, qtbot: Any) -> Callable[[], RewardsTab]:
    """The tab as after a restart of the app: with the kept runs, and nothing made."""

    def restart() -> RewardsTab:
        tab.close()
        made = RewardsTab(lab)
        qtbot.addWidget(made)
        made.resize(1200, 760)
        made.show()
        return made

    return restart


def rest(tab: RewardsTab, until: Until) -> None:
    until(lambda: tab.session.phase in AT_REST and not tab.session.opening)


def learn(tab: RewardsTab, until: Until, kind: str, n: int = 100) -> str:
    """Make what is to judge; the key of its weight."""
    if kind == "rubric":
        tab.show_page("rubric")
        until(lambda: tab.rubric.rubric is not None)
        tab.rubric.lines[0].weight.set_value(3)
        return "rubric"
    tab.show_page("preferences")
    until(lambda: tab.preferences.clicks.pair is not None)
    tab.preferences.kind.setCurrentIndex(int(kind == "neural"))
    trained(tab.preferences, until, n)
    return "preferences"


def run_of(tab: RewardsTab, until: Until, kind: str, updates: int = 6) -> RunSummary:
    """A run that is rewarded by what was made, its weight turned on the way; kept, at rest."""
    key = learn(tab, until, kind)
    tab.setup.weights[key].set_value(2)
    tab.setup.numbers["updates"].set_value(9)
    tab.session.start(tab.setup.order(), updates - 1)
    rest(tab, until)
    tab.setup.weights[key].set_value(1.5)
    tab.transport.step.click()
    until(lambda: tab.session.news is not None and tab.session.news.update == updates)
    rest(tab, until)
    tab.show_page("kept")
    return tab.kept.runs[0]


def resume(tab: RewardsTab, until: Until) -> None:
    tab.show_page("kept")
    choose(tab, 0)
    tab.kept.resume.click()
    rest(tab, until)


def labels(tab: RewardsTab) -> dict[str, float]:
    """The weights that are not 0, by the name of their field."""
    fields = tab.setup.weights.values()
    return {f.name_label.text(): f.value() for f in fields if f.value()}


def numbers(tab: RewardsTab) -> list[tuple[float, ...]]:
    assert tab.session.news is not None
    return [(r.reward, r.loss, r.kl, *r.terms) for r in tab.session.news.records]


def to_the_end(tab: RewardsTab, until: Until) -> list[tuple[float, ...]]:
    tab.transport.resume.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    return numbers(tab)


@pytest.mark.parametrize("kind", ["linear", "neural", "rubric"])
def test_a_run_resumes_after_a_restart_with_nothing_made_again(
    tab: RewardsTab,
    restarted: Callable[[], RewardsTab],
    until: Until,
    tmp_path: Path,
    kind: str,
) -> None:
    run_of(tab, until, kind)
    choose(tab, 0)
    tab.kept.save_folder(str(tmp_path / "out"))
    until(lambda: "out" in tab.kept.problem.text)
    straight = to_the_end(tab, until)
    again = restarted()
    again.show_page("kept")
    again.kept.import_.take(str(tmp_path / "out"))
    until(lambda: len(again.kept.runs) == 2)
    resume(again, until)
    assert again.session.news is not None and again.session.news.update == 6
    name = KEPT_RUBRIC if kind == "rubric" else KEPT_PREFERENCES
    assert labels(again) == {"Exactly right": 1.0, name: 1.5}
    assert again.setup.panel.formula.text() == f"Reward = 1 × Exactly right + 1.5 × {name}"
    assert name in again.problem.text and again.problem.tone == "info"
    own = "rubric" if kind == "rubric" else "preferences"
    assert own in again.setup.panel.makers, "one's own can still be made"
    assert to_the_end(again, until) == straight
    (turned,) = again.session.news.events
    assert turned.update == 5 and f"1.5 × {TITLES[kind]}" in turned.text
    # Why an answer got what it got is told as ever, also of updates before the restart.
    for record in (again.session.news.records[0], again.session.news.records[-1]):
        told = reasons(record, again.session.news.terms)
        assert all(len(row) == len(counted_terms(record)) == 2 for row in told)
        assert not any(GONE in line for row in told for line in row)


def test_what_was_made_since_stays_and_both_can_be_weighted(
    tab: RewardsTab, restarted: Callable[[], RewardsTab], until: Until
) -> None:
    run_of(tab, until, "linear")
    again = restarted()
    learn(again, until, "linear", n=80)
    again.setup.weights["preferences"].set_value(1)
    panel = again.setup.panel
    (mine,) = panel.made_for("sums")
    resume(again, until)
    assert labels(again) == {"Exactly right": 1.0, KEPT_PREFERENCES: 1.5}
    assert panel.made_for("sums") == (mine,) and again.setup.weights["preferences"].value() == 0
    assert "Your own “Preferences” is still there, now with weight 0." in again.problem.text
    live = again.session.live
    assert live is not None
    (kept,) = (t for t, w in live.reward.terms if w and t.kind == "preferences")
    assert isinstance(kept.made, RewardModel) and isinstance(mine.made, RewardModel)
    assert kept.made.comparisons != mine.made.comparisons
    # Turned while the run is there, they reward its next update.
    again.setup.weights["preferences"].set_value(0.25)
    again.setup.weights[kept.key].set_value(3)
    again.show_page("curves")
    again.transport.step.click()
    until(lambda: again.session.news is not None and again.session.news.update == 7)
    rest(again, until)
    news = again.session.news
    assert news is not None
    counted = {title: w for title, w in news.records[-1].reward_mix if w}
    assert counted == {"Exactly right": 1.0, KEPT_PREFERENCES: 3.0, "Preferences": 0.25}
    assert [event.update for event in news.events] == [5, 6], "the first is from before the restart"
    again.curves.choice.setCurrentIndex([m.key for m in MEASURES].index("terms"))
    drawn = again.curves.side._curves
    assert drawn[KEPT_PREFERENCES].x.tolist() == [7] and len(drawn["Exactly right"].x) == 7
    # Both came to the disk: another restart brings both back, told apart.
    third = restarted()
    resume(third, until)
    assert labels(third) == {
        "Exactly right": 1.0,
        "Preferences (kept run)": 0.25,
        "Preferences (kept run, 2)": 3.0,
    }


def test_in_one_session_the_model_is_not_there_twice(tab: RewardsTab, until: Until) -> None:
    for kind in ("linear", "rubric"):
        run_of(tab, until, kind, updates=5)
        tab.transport.stop.click()
        key = "rubric" if kind == "rubric" else "preferences"
        tab.setup.panel.use_alone("exact")
        resume(tab, until)
        assert tab.setup.weights[key].value() == 1.5
        assert not any("kept run" in name for name in labels(tab))
        tab.transport.stop.click()
        tab.setup.panel.use_alone("exact")


def test_the_task_of_the_run_is_chosen_and_what_other_tasks_have_waits(
    tab: RewardsTab, restarted: Callable[[], RewardsTab], until: Until
) -> None:
    run_of(tab, until, "rubric")
    again = restarted()
    again.setup.tasks.setCurrentIndex(1)
    learn(again, until, "linear")
    report = again.preferences.model.report
    again.setup.weights["preferences"].set_value(4)
    resume(again, until)
    assert again.setup.task.key == again.setup.tasks.currentData() == "sums"
    assert labels(again) == {"Exactly right": 1.0, KEPT_RUBRIC: 1.5}
    again.show_page("rubric")
    until(lambda: again.rubric.rubric is not None)
    assert again.session.live is not None
    made = [t.made for t, w in again.session.live.reward.terms if w and t.kind == "rubric"]
    assert len(made) == 1 and isinstance(made[0], Rubric), "one's own does not push it out"
    assert made[0].used[0][1] == 3 and labels(again)[KEPT_RUBRIC] == 1.5
    again.setup.tasks.setCurrentIndex(1)
    assert "preferences" in again.setup.weights and KEPT_RUBRIC not in labels(again)
    assert again.preferences.model.report is report
    again.setup.tasks.setCurrentIndex(0)
    assert KEPT_RUBRIC in [f.name_label.text() for f in again.setup.weights.values()]


def test_an_old_run_without_its_model_and_a_damaged_one_change_nothing(
    tab: RewardsTab, restarted: Callable[[], RewardsTab], until: Until
) -> None:
    run = run_of(tab, until, "linear")
    place = run.checkpoints[-1].folder / STATE_FILE
    state = json.loads(place.read_text())
    again = restarted()
    before = again.setup.reward
    for reward, said in (
        ([[r["key"], r["title"], r["weight"]] for r in state["reward"]], "Make it again"),
        ([["preferences", "Preferences", 1e9]], "Make it again"),
        (3, "describes no run"),
    ):
        place.write_text(json.dumps({**state, "version": 1, "reward": reward}))
        again.show_page("kept")
        choose(again, 0)
        again.kept.resume.click()
        assert said in again.kept.problem.text and again.session.live is None
    heavy = [{**row, "weight": 1e9} for row in state["reward"]]
    place.write_text(json.dumps({**state, "reward": heavy}))
    again.kept.resume.click()
    assert "more than can be set" in again.kept.problem.text
    spoilt = [{**row} for row in state["reward"]]
    features = spoilt[-1]["made"]["features"]
    others = [[key, "Something else."] for key, _ in features]
    spoilt[-1]["made"] = {**spoilt[-1]["made"], "features": others}
    place.write_text(json.dumps({**state, "reward": spoilt}))
    again.kept.resume.click()
    until(lambda: again.session.phase is Phase.FAILED)
    assert "another version" in again.problem.text and again.setup.reward == before
    assert not again.session.opening


def test_an_old_run_goes_on_with_the_model_that_there_is(
    tab: RewardsTab, restarted: Callable[[], RewardsTab], until: Until
) -> None:
    """A run of before rewards were kept whole; from now on its reward is."""
    folder = run_of(tab, until, "linear").checkpoints[-1].folder
    again = restarted()
    state = json.loads((folder / STATE_FILE).read_text())
    rows = [[r["key"], r["title"], r["weight"]] for r in state["reward"]]
    (folder / STATE_FILE).write_text(json.dumps({**state, "version": 1, "reward": rows}))
    tensors = load_file(folder / TENSOR_FILE)
    plain = {name: tensor for name, tensor in tensors.items() if not name.startswith("reward.")}
    save_file(plain, folder / TENSOR_FILE)
    learn(again, until, "linear")
    again.setup.tasks.setCurrentIndex(1)  # what is set up for another task is not meant
    resume(again, until)
    assert labels(again) == {"Exactly right": 1.0, "Preferences": 1.5}
    assert again.problem.text == ""
    third = restarted()
    resume(third, until)
    assert labels(third) == {"Exactly right": 1.0, KEPT_PREFERENCES: 1.5}


def test_a_weight_turned_while_a_run_pauses_is_kept_when_it_is_stopped(
    tab: RewardsTab, until: Until
) -> None:
    tab.setup.numbers["updates"].set_value(500)
    tab.transport.start.click()
    until(lambda: tab.session.news is not None and tab.session.news.update >= 5)
    tab.transport.pause.click()
    until(lambda: tab.session.phase is Phase.PAUSED)
    tab.setup.weights["length"].set_value(-0.5)
    tab.transport.stop.click()
    until(lambda: tab.session.phase is Phase.STOPPED)
    tab.show_page("kept")
    kept = read_kept_reward(tab.kept.runs[0].checkpoints[-1].folder)
    assert {t.title: t.weight for t in kept if t.weight} == {"Exactly right": 1.0, "Length": -0.5}
