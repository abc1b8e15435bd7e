"""Answers of experiments, from standings with made-up curves."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.models.landmarks import Landmark
from engine.training.answers import TIE, answer, times_told
from engine.training.experiment_runs import (
    EVALUATION_COLUMNS,
    STEP_COLUMNS,
    ArmStanding,
    Standing,
    State,
)
from engine.training.experiments import Arm, Asked, Experiment, Question
from engine.training.tables import Table
from tests.engine.training.toy import small

VOCABULARY = 100
LINES = (
    Landmark("unigram", "unigram", 3.0, 1.0, ""),
    Landmark("bigram", "bigram", 2.0, 0.7, ""),
)


def arm(
    name: str, losses: list[float], state: State = "finished", train: float = 1.0, group: str = ""
) -> ArmStanding:
    steps, scored = Table(*STEP_COLUMNS), Table(*EVALUATION_COLUMNS)
    for number, loss in enumerate(losses):
        steps.append((number + 1, train, 2.0 * (number + 1), 10.0))
        scored.append((number, loss, 2.0 * number, 10.0))
    return ArmStanding(
        Arm(name, small(), group=group),
        state,
        steps.view(),
        scored.view(),
        1,
        1,
        "diverged at step 3: the loss was no longer a number" if state == "diverged" else "",
    )


def standing(asked: Asked, choices: tuple[str, ...], *arms: ArmStanding) -> Standing:
    question = Question(asked, "?", choices)
    experiment = Experiment("k", "t", "a", "l", tuple(a.arm for a in arms), question)
    return Standing(experiment, arms, VOCABULARY)


def right(found: Standing) -> tuple[int, ...]:
    told = answer(found, LINES)
    assert told is not None
    return told.right


def test_the_lowest_wins_and_by_how_much_is_told() -> None:
    found = answer(
        standing("lowest", ("a", "b"), arm("a", [4.0, 1.5]), arm("b", [4.0, 1.25])), LINES
    )
    assert found is not None and found.right == (1,)
    assert "a: 1.500; b: 1.250" in found.why and "b is lowest by 0.250" in found.why


def test_a_difference_within_the_noise_is_a_tie() -> None:
    close = standing("lowest", ("a", "b"), arm("a", [1.5]), arm("b", [1.5 + TIE * 0.9]))
    assert right(close) == (0, 1)
    apart = standing("lowest", ("a", "b"), arm("a", [1.5]), arm("b", [1.5 + TIE * 1.1]))
    assert right(apart) == (0,)


def test_no_difference_is_right_where_all_tie_and_only_there() -> None:
    choices = ("a", "b", "no difference")
    assert right(standing("lowest", choices, arm("a", [1.5]), arm("b", [1.51]))) == (2,)
    assert right(standing("lowest", choices, arm("a", [1.5]), arm("b", [1.6]))) == (0,)


def test_a_diverged_arm_never_wins() -> None:
    wild = arm("wild", [4.0, 0.1], "diverged")
    found = answer(standing("lowest", ("a", "wild"), arm("a", [1.5]), wild), LINES)
    assert found is not None and found.right == (0,)
    assert "wild: diverged at step 3" in found.why and "inf" not in found.why


def test_of_groups_the_last_counts_and_an_edge_is_told() -> None:
    arms = [
        arm("A, 1", [1.0], group="A"),
        arm("A, 2", [2.0], group="A"),
        arm("B, 1", [1.9], group="B"),
        arm("B, 2", [1.5], group="B"),
    ]
    found = answer(standing("best", ("1", "2"), *arms), LINES)
    assert found is not None and found.right == (1,)
    assert found.why.startswith("2 ends lowest") and "at the edge" in found.why


def test_worse_than_guessing_is_said() -> None:
    arms = [arm("1", [2.0]), arm("2", [1.0]), arm("3", [61.0])]
    found = answer(standing("best", ("1", "2", "3"), *arms), LINES)
    assert found is not None and found.right == (1,)
    assert f"no better than guessing ({math.log(VOCABULARY):.2f})" in found.why
    assert "at the edge" not in found.why


@pytest.mark.parametrize(
    ("first", "second", "choice"), [(1.9, 1.9, 0), (2.1, 1.9, 1), (1.9, 2.1, 2), (2.1, 2.1, 3)]
)
def test_crossing_a_line(first: float, second: float, choice: int) -> None:
    found = standing(
        "crossing", ("both", "2nd", "1st", "none"), arm("x", [3, first]), arm("y", [3, second])
    )
    assert right(found) == (choice,)


def test_crossing_needs_the_line() -> None:
    found = standing("crossing", ("both", "2nd", "1st", "none"), arm("x", [1]), arm("y", [1]))
    assert answer(found) is None


@pytest.mark.parametrize(
    ("losses", "choice"),
    [([4, 3, 2, 1], 0), ([4, 2, 2, 2, 2], 1), ([4, 2, 3, 4, 5], 2), ([4, 2, 2.01, 2.02], 1)],
)
def test_overfitting(losses: list[float], choice: int) -> None:
    whole = arm("all", [4, 3, 2, 1])
    choices = ("falls", "level", "rises")
    assert right(standing("overfitting", choices, whole, arm("little", losses))) == (choice,)


@pytest.mark.parametrize(("without", "choice"), [(3.2, 2), (2.99, 2), (2.0, 1), (1.51, 0)])
def test_residuals(without: float, choice: int) -> None:
    found = standing("residuals", ("as well", "less", "not"), arm("w", [1.5]), arm("o", [without]))
    assert right(found) == (choice,)


def test_there_is_no_answer_before_the_end() -> None:
    assert answer(standing("lowest", ("a", "b"), arm("a", [1.0]), arm("b", [1.0], "running"))) is (
        None
    )


def test_the_times_of_a_race_are_told_and_unlike_ones_called_so() -> None:
    slow, quick = arm("slow", [3.0, 1.0, 1.0]), arm("quick", [3.0, 1.5])  # 6 and 4 seconds
    found = standing("lowest", ("slow", "quick"), slow, replace(quick, replanned=2))
    assert times_told(found) == ""
    timed = replace(found, experiment=replace(found.experiment, by="seconds", seconds=5.0))
    told = times_told(timed)
    assert told.startswith("Of 5 s each had in its own steps: slow 6.0 s (3 steps); quick 4.0 s ")
    assert "(2 steps, planned anew twice)" in told and "These times are unlike" in told
    even = replace(timed, arms=(slow, arm("quick", [3.0, 2.0, 1.5])))
    assert "unlike" not in times_told(even)
    failed = replace(timed, arms=(slow, arm("quick", [3.0], "diverged")))
    assert "unlike" not in times_told(failed)
