"""Training that aims at the closed form gets there; the usual settings go elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import LabError
from engine.posttraining.aiming import Aiming, aiming_settings, make_target, usual_settings
from engine.posttraining.closed_form import kl_divergence
from engine.posttraining.enumeration import enumerate_prompt, exact_log_probs
from engine.posttraining.policies import bundled_policy
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.tasks.pairs import Pairs
from tests.engine.posttraining.tiny import Echo, tiny_policy

MIX = RewardMix(((TERMS[0], 1.0),))


def test_only_the_run_that_aims_at_it_reaches_the_closed_form() -> None:
    runs = Aiming(tiny_policy(5), Echo(), MIX, beta=0.3)
    states = list(runs.go_on(60))
    last = states[-1]
    assert last.updates[0] == 0 and last.updates[-1] == 60 == runs.updates_made
    aims, usual = last.divergence.mean(axis=2).T  # (looks,) each
    assert aims[0] == usual[0] > 0.1
    assert aims[-1] < aims[0] / 4
    assert aims[-1] < usual[-1] / 2
    gap = last.target.values - last.values  # β KL(π ‖ π*)
    assert gap == pytest.approx(0.3 * last.divergence, abs=1e-6)
    rest = [kl_divergence(p, q) for p, q in zip(last.log_probs[1], last.target.rest, strict=True)]
    assert np.mean(rest) < usual[-1] / 2  # it rests where the stationary point says


def test_going_on_after_a_rest_gives_the_same_numbers() -> None:
    straight = list(Aiming(tiny_policy(3), Echo(), MIX, 0.5).go_on(8))[-1]
    runs = Aiming(tiny_policy(3), Echo(), MIX, 0.5)
    list(runs.go_on(4))
    rested = list(runs.go_on(8))[-1]
    assert rested.updates == straight.updates
    assert np.array_equal(rested.divergence, straight.divergence)


def test_the_two_differ_in_what_the_text_says_and_in_nothing_else() -> None:
    aims, usual = vars(aiming_settings(0.3)), vars(usual_settings(0.3))
    assert {k for k in aims if aims[k] != usual[k]} == {"baseline", "weights", "penalty"}


def test_the_bundled_policy_of_two_letters_leaves_room_to_rise() -> None:
    task = Pairs()
    asked = [enumerate_prompt(task, p, MIX) for p in task.prompts(held_out=False)[::5]]
    logs = exact_log_probs(bundled_policy(task).module, task, [a.ids for a in asked])
    right = [np.exp(row) @ a.true_scores for row, a in zip(logs, asked, strict=True)]
    assert 0.1 <= np.mean(right) <= 0.5


@pytest.mark.parametrize("beta", [0.0, 11.0, float("nan")])
def test_a_price_out_of_range_is_refused(beta: float) -> None:
    with pytest.raises(LabError, match="β must be"):
        make_target(tiny_policy(), Echo(), MIX, beta)
