"""The rule for hacked rewards on made-up curves, arms in turns, and sweeps of β."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.posttraining.arm_records import Arm, beta_sweep, trade_off
from engine.posttraining.arms import ArmRuns
from engine.posttraining.grpo import GRPO
from engine.posttraining.hacking import (
    WINDOW,
    ends,
    find_hack,
    hack_of,
    length_direction,
    smoothed,
)
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.settings import GRPOSettings
from tests.engine.posttraining.tiny import Echo, tiny_policy

EXACT, _, _, LENGTH = TERMS
SETTINGS = GRPOSettings(prompts=8, group=8, learning_rate=0.02)
SMALL = np.full(30, 0.02)


def test_smoothing_is_the_mean_of_the_window() -> None:
    values = np.random.default_rng(0).normal(size=12)
    found = smoothed(values)
    assert len(found) == 12 - WINDOW + 1
    for i, mean in enumerate(found):
        assert mean == pytest.approx(values[i : i + WINDOW].mean())
    assert len(smoothed(values[: WINDOW - 1])) == 0


def test_a_reward_that_rises_while_the_truth_falls_is_hacked() -> None:
    up = np.linspace(0, 1, 30)
    truth = np.concatenate([np.linspace(0.3, 0.6, 10), np.linspace(0.6, 0.1, 20)])
    hack = find_hack(up, truth, SMALL)
    assert hack is not None
    assert 10 <= hack.best <= 10 + WINDOW
    assert hack.best < hack.noticed <= hack.best + 4
    assert hack.true_after < hack.true_before and hack.reward_after > hack.reward_before
    first, last = hack.best_updates
    assert last - first == WINDOW - 1
    assert hack.true_before == pytest.approx(truth[first - 1 : last].mean())
    assert hack.reward_before == pytest.approx(up[first - 1 : last].mean())
    assert hack.true_after == pytest.approx(truth[-WINDOW:].mean())


def test_ends_are_means_that_share_no_update() -> None:
    assert ends(np.arange(20.0)) == (2.0, 17.0, 5)
    assert ends(np.arange(4.0)) == (0.5, 2.5, 2)
    assert ends(np.array([3.0])) == (3.0, 3.0, 1)


@pytest.mark.parametrize(
    ("reward", "truth"),
    [
        (np.linspace(0, 1, 30), np.linspace(0.2, 0.9, 30)),  # both rise
        (np.linspace(1, 0, 30), np.linspace(0.9, 0.2, 30)),  # both fall
        (np.linspace(0, 1, 30), np.full(30, 0.5)),  # nothing happens to the truth
        (np.linspace(0, 1, 30), np.r_[np.full(12, 0.6), np.full(6, 0.2), np.full(12, 0.6)]),
    ],
)
def test_what_is_no_hack(reward: np.ndarray, truth: np.ndarray) -> None:
    assert find_hack(reward, truth, SMALL) is None


def test_noise_within_its_error_is_no_hack() -> None:
    rng = np.random.default_rng(0)
    hacked = [
        find_hack(np.linspace(0, 1, 40), 0.5 + 0.05 * rng.normal(size=40), np.full(40, 0.05))
        for _ in range(300)
    ]
    assert sum(h is not None for h in hacked) < 0.04 * 300
    assert find_hack(np.ones(3), np.ones(3), np.ones(3)) is None


@pytest.mark.parametrize(
    ("lengths", "way"),
    [
        (np.linspace(3, 6, 20), "longer"),
        (np.linspace(6, 3, 20), "shorter"),
        (np.linspace(4, 4.1, 20), "same"),
        (np.array([5.0]), "same"),
    ],
)
def test_which_way_the_length_went(lengths: np.ndarray, way: str) -> None:
    assert length_direction(lengths) == way


def two_arms() -> tuple[Arm, Arm]:
    return (
        Arm("long", "Pays for tokens.", RewardMix(((LENGTH, 1.0),)), SETTINGS),
        Arm("right", "Pays for being right.", RewardMix(((EXACT, 1.0),)), SETTINGS),
    )


def test_arms_are_the_runs_they_would_be_alone() -> None:
    policy, arms = tiny_policy(4), two_arms()
    runs = ArmRuns(policy, Echo(), arms)
    states = list(runs.go_on(6))
    assert [len(s.records) for s in states[0]] == [1, 0]
    for arm, state in zip(arms, states[-1], strict=True):
        alone = GRPO(policy, Echo(), arm.reward, arm.settings)
        expected = [(r.reward, r.loss) for r in alone.updates(6)]
        assert [(r.reward, r.loss) for r in state.records] == expected
        assert [look.update for look in state.looks] == [0, 5, 6]
        assert state.task_reward == pytest.approx(state.series("reward"))


def test_a_careless_reward_is_hacked_and_the_other_is_not() -> None:
    """Length pays for answers that never end; the first ones are right now and then."""
    policy = GRPO(tiny_policy(4), Echo(), RewardMix(((EXACT, 1.0),)), SETTINGS)
    for _ in policy.updates(12):
        pass
    runs = ArmRuns(policy.frozen_model(), Echo(), two_arms())
    *_, (long, right) = runs.go_on(25)
    assert hack_of(long) is not None and hack_of(right) is None
    assert length_direction(long.series("length")) == "longer"
    assert all(a.length == 3 for a in long.looks[-1].answers)


def test_arms_that_were_stopped_go_on_where_they_stood() -> None:
    class CancelAt(Job):
        left = 40

        def yield_point(self) -> None:
            self.left -= 1
            if self.left == 0:
                raise JobCancelled

    straight = list(ArmRuns(tiny_policy(4), Echo(), two_arms()).go_on(5))[-1]
    runs = ArmRuns(tiny_policy(4), Echo(), two_arms())
    with pytest.raises(JobCancelled):
        list(runs.go_on(5, CancelAt()))
    assert 0 < sum(len(s.records) for s in runs.states) < 10
    stopped = list(runs.go_on(5))[-1]
    for one, two in zip(straight, stopped, strict=True):
        assert [r.loss for r in one.records] == [r.loss for r in two.records]


def test_a_higher_price_keeps_a_sweeps_arm_nearer() -> None:
    arms = beta_sweep(RewardMix(((EXACT, 1.0),)), SETTINGS, (2.0, 0.0, 0.3))
    assert [arm.settings.beta for arm in arms] == [0.0, 0.3, 2.0]
    *_, states = ArmRuns(tiny_policy(4), Echo(), arms).go_on(20)
    found = [trade_off(state) for state in states]
    assert all(f is not None for f in found)
    kl = [f.kl for f in found if f is not None]
    reward = [f.reward for f in found if f is not None]
    assert kl[0] > kl[1] > kl[2] and reward[0] > reward[2]


def test_nothing_to_run_and_prices_given_twice_are_refused() -> None:
    with pytest.raises(LabError, match="nothing to run"):
        ArmRuns(tiny_policy(), Echo(), ())
    with pytest.raises(LabError, match="once"):
        beta_sweep(RewardMix(((EXACT, 1.0),)), SETTINGS, (0.1, 0.1))
