"""What was seen of a run before a restart is there after it: answers over time, and events."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import LabError
from engine.jobs import Job
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.settings import GRPOSettings
from engine.runs import Catalogue, KeptRun, RunSummary
from gui.rewards import live
from gui.rewards.keeping import EVENTS, KIND, LOOKS
from gui.rewards.live import KEPT_FROM, LiveRun, make_task
from gui.rewards.looks_kept import DIGITS, events_from, look_from_dict, look_to_dict
from gui.rewards.news import Event, Look, News, Order
from gui.rewards.session import Phase
from gui.rewards.tab import RewardsTab
from tests.gui.rewards.test_kept import choose

Until = Callable[[Callable[[], bool]], None]
SHOWN = (Prompt("1+2=", "3"), Prompt("4+5=", "9"))
LOOK = Look(
    5,
    (Answer("3", True, 2), Answer("77", False, 2)),
    np.array([1.0, 0.0]),
    np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]])),
)


def order(updates: int) -> Order:
    mix = RewardMix(((TERMS[0], 1.0),))
    return Order(make_task("sums"), GRPOSettings(prompts=2, group=2), mix, updates)


class Watching(Job):
    """Looks into the catalogue whenever the run has news."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.seen: dict[int, tuple[RunSummary, ...]] = {}

    def publish(self, snapshot: News) -> None:
        self.seen[snapshot.update] = self._catalogue.runs(KIND).runs


def test_a_run_is_kept_from_its_fifth_update_on_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SCORED_PROMPTS", 4)
    catalogue = Catalogue(tmp_path)
    run = LiveRun(order(updates=12), catalogue)
    run.run(KEPT_FROM - 1)
    assert catalogue.runs(KIND).runs == (), "a few steps are not worth keeping"
    job = Watching(catalogue)
    run.run(3, job=job)
    assert job.seen[KEPT_FROM] == (), "told before it is written"
    (kept,) = job.seen[KEPT_FROM + 1]
    assert kept.step == KEPT_FROM and [c.step for c in kept.checkpoints] == [KEPT_FROM]


def test_answers_over_time_and_events_come_back_with_a_kept_run(
    tab: RewardsTab, until: Until
) -> None:
    tab.setup.numbers["updates"].set_value(12)
    tab.session.start(tab.setup.order(), 6)
    until(lambda: tab.session.phase is Phase.PAUSED)
    tab.setup.weights["exact"].set_value(2)
    tab.session.resume()
    until(lambda: tab.session.phase is Phase.FINISHED)
    before = tab.session.news
    assert before is not None and [look.update for look in before.looks] == [0, 5, 10, 12]
    assert [event.update for event in before.events] == [6]
    tab.show_page("kept")
    choose(tab, 0)
    tab.kept.resume.click()
    until(lambda: tab.session.phase is Phase.FINISHED and not tab.session.opening)
    after = tab.session.news
    assert after is not None and after is not before and after.events == before.events
    for then, now in zip(before.looks, after.looks, strict=True):
        assert (then.update, then.answers) == (now.update, now.answers)
        assert then.true_scores.tolist() == now.true_scores.tolist()
        np.testing.assert_allclose(now.first_tokens, then.first_tokens, atol=10.0**-DIGITS)
    tab.show_page("samples")
    assert tab.samples.slider.maximum() == 3


@pytest.mark.parametrize("what", ["damaged", "unreadable", "of before they were kept"])
def test_a_run_without_looks_that_can_be_read_goes_on_without_them(
    tab: RewardsTab, until: Until, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = KeptRun.entries

    def read(kept: KeptRun, name: str) -> list[dict[str, Any]]:
        if what == "unreadable" and name in (LOOKS, EVENTS):
            raise LabError("It can't be read.")
        return entries(kept, name)

    monkeypatch.setattr(KeptRun, "entries", read)
    tab.transport.start.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    tab.show_page("kept")
    folder = tab.session.catalogue.folder / tab.kept.runs[0].key
    for name in (LOOKS, EVENTS):
        path = folder / f"{name}.jsonl"
        path.unlink(missing_ok=True)
        if what == "damaged":
            path.write_text('{"step": 5, "answers": 7}\n[]\n')
    choose(tab, 0)
    tab.kept.resume.click()
    until(lambda: tab.session.phase is Phase.FINISHED and not tab.session.opening)
    assert tab.session.news is not None and tab.session.news.events == ()
    assert tab.session.news.looks[0].update == 0, "the reference is asked again"


def test_a_damaged_run_that_is_continued_at_the_start_says_so_on_the_page_in_front(
    tab: RewardsTab, until: Until
) -> None:
    tab.transport.start.click()
    until(lambda: tab.session.phase is Phase.FINISHED)
    tab.kept.refresh()
    (run,) = tab.kept.runs
    for checkpoint in run.checkpoints:
        (checkpoint.folder / "state.json").write_text("{")
    assert tab.pages.current_key == "curves"
    tab.continue_run(run.key)
    assert tab.problem.tone == "error" and tab.problem.isVisible()
    assert not tab.kept.problem.text
    tab.show_page("kept")
    choose(tab, 0)
    tab.kept.resume.click()
    assert tab.kept.problem.tone == "error"


def test_a_look_survives_json() -> None:
    data = json.loads(json.dumps(look_to_dict(LOOK, SHOWN)))
    again = look_from_dict(data, SHOWN, 3)
    assert again is not None and again.answers == LOOK.answers
    np.testing.assert_allclose(again.first_tokens, LOOK.first_tokens, atol=10.0**-DIGITS)


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": "5"},
        {"step": None},
        {"prompts": ["1+2=", "something else"]},
        {"answers": [["3", True, 2]]},
        {"answers": [["3", True], ["77", False]]},
        {"answers": [[3, True, 2], ["77", False, 2]]},
        {"true_scores": [1.0]},
        {"true_scores": [1.0, float("nan")]},
        {"first_tokens": [[-1.0, -1.0], [-1.0, -1.0]]},
        {"first_tokens": [[0.5, -1.0, -1.0], [-1.0, -1.0, -1.0]]},
        {"first_tokens": "none"},
    ],
)
def test_what_is_no_look_at_these_prompts_is_left_out(change: dict[str, Any]) -> None:
    assert look_from_dict({**look_to_dict(LOOK, SHOWN), **change}, SHOWN, 3) is None


def test_events_are_read_up_to_an_update_and_the_later_of_two_counts() -> None:
    entries: list[dict[str, Any]] = [
        {"step": 3, "text": "first"},
        {"step": 3, "text": "second"},
        {"step": 9, "text": "too late"},
        {"step": True, "text": "no number"},
        {"step": 1},
    ]
    assert events_from(entries, 8) == [Event(3, "second")]
