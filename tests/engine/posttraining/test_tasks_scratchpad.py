"""Sums with a scratchpad, against Python's own arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.tasks import Scratchpad
from engine.posttraining.tasks.scratchpad import numbers

ASKED = Prompt("37+48+25=", "110")


def test_the_final_answer_alone_is_scored() -> None:
    task = Scratchpad()
    assert task.answer_of("85+25=110") == task.answer_of("110") == "110"
    for right in ("110", "85+25=110", "99+99=110", "=110"):
        assert task.true_score(ASKED, right) == 1.0
    for wrong in ("111", "85+25=111", "110=", "1100", "", "85+25"):
        assert task.true_score(ASKED, wrong) == 0.0
    assert [task.uses_scratchpad(t) for t in ("110", "85+25=110")] == [False, True]
    assert [task.is_well_formed(ASKED, t) for t in ("1", "8+2=1", "=1", "8+=1", "8+2", "")] == [
        True,
        True,
        *([False] * 4),
    ]


def test_targets_and_worked_sums_are_pythons() -> None:
    task = Scratchpad()
    rng = np.random.default_rng(0)
    worked = 0
    for prompt in task.prompts(held_out=True)[:300]:
        assert int(prompt.target) == sum(numbers(prompt.text))
        assert sum(numbers(prompt.text)) == eval(prompt.text[:-1])  # noqa: S307 - our own digits
        answer = task.good_answer(prompt, rng)
        if task.uses_scratchpad(answer):
            worked += 1
            sums = answer.split("=")
            assert eval(sums[0]) == int(sums[1])  # noqa: S307
            assert sums[0].endswith(f"+{numbers(prompt.text)[2]}")
    assert worked / 300 == pytest.approx(task.worked_share, abs=0.1)
    assert numbers("37+48=") == numbers("a+b+c=") == ()


def test_the_textbook_works_most_sums_out_and_asks_nothing_held_out() -> None:
    task = Scratchpad()
    held_out = {p.text for p in task.prompts(held_out=True)}
    worked = 0
    for document in task.textbook_documents(300, seed=1):
        asked, *pad, answer = document.split("=")
        assert f"{asked}=" not in held_out
        assert eval(asked) == int(answer)  # noqa: S307
        assert all(eval(line) == int(answer) for line in pad)  # noqa: S307
        worked += len(pad)
    assert worked / 300 == pytest.approx(task.textbook_worked_share, abs=0.1)


@pytest.mark.parametrize(
    ("answer", "works_out", "sound"),
    [
        ("110", 0, 0),
        ("85+25=110", 2, 2),
        ("84+25=109", 2, 1),  # adds up, but 37+48 is not 84
        ("85+25=111", 2, 1),
        ("84+26=111", 2, 0),
        ("=110", 1, 0),
        ("8=5=110", 1, 0),
        ("", 0, 0),
    ],
)
def test_criteria_judge_the_work(answer: str, works_out: int, sound: int) -> None:
    judges = {c.key: c.judge for c in Scratchpad().criteria()}
    given = Answer(answer, True, len(answer) + 1)
    assert judges["works_out"](ASKED, given).score == works_out
    assert judges["sound"](ASKED, given).score == sound
