"""What is said of groups, formulas, hacks and sweeps follows from the numbers and the settings."""

from __future__ import annotations

import numpy as np
import pytest

from engine.posttraining.hacking import find_hack
from engine.posttraining.objective import STD_EPSILON
from engine.posttraining.rewards import RewardMix, terms_for
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import TASKS
from gui.rewards.formula_told import differences, lines_of, numbers_of
from gui.rewards.group_question import question_of
from gui.rewards.group_told import ALL_ZERO, ALONE, NO_SPREAD, PRICE_ALONE, told_of_spread
from gui.rewards.hacking_told import verdict, why_hacked, why_length
from gui.rewards.sweep_told import careless_term, is_true_score, point_of, spread
from gui.widgets.formula import typeset
from tests.gui.rewards.made import arm, group, record

PLAIN = GRPOSettings()
NONE = GRPOSettings(baseline="none")
IN_REWARD = GRPOSettings(beta=0.1, penalty="reward")


# ---------------------------------------------------------------------------------- groups
def test_equal_rewards_are_told_by_what_the_baseline_makes_of_them() -> None:
    assert told_of_spread(group((1, 1, 1), PLAIN), PLAIN) == (NO_SPREAD, "warning")
    assert told_of_spread(group((0, 1, 1), PLAIN), PLAIN)[0] == ""
    assert told_of_spread(group((0, 0), NONE), NONE)[0] == ALL_ZERO
    assert told_of_spread(group((1,), PLAIN), PLAIN)[0] == ALONE
    pushed = group((1, 1, 1), NONE)
    assert not pushed.silent and "made more probable" in told_of_spread(pushed, NONE)[0]
    assert "made less probable" in told_of_spread(group((-1, -1), NONE), NONE)[0]


def test_a_price_that_pulls_all_the_same_is_told() -> None:
    loss = GRPOSettings(beta=0.1)
    assert "KL term of the loss still pulls" in told_of_spread(group((1, 1), loss), loss)[0]
    priced = group((0.9, 0.8), IN_REWARD, terms=(1, 1))
    assert told_of_spread(priced, IN_REWARD) == (PRICE_ALONE, "info")
    assert told_of_spread(group((0.9, 0.1), IN_REWARD, terms=(1, 0)), IN_REWARD)[0] == ""


def test_without_a_baseline_the_reason_speaks_of_no_mean() -> None:
    asked = question_of(group((1, 0, 1), NONE), "none")
    assert asked is not None and "mean" not in asked.why and "no baseline" in asked.why
    asked = question_of(group((1, 0, 1), PLAIN))
    assert asked is not None and "mean reward is 0.67" in asked.why


# --------------------------------------------------------------------------------- formula
def latex_of(settings: GRPOSettings) -> str:
    return "\n".join(line.latex for line in lines_of(settings))


def test_the_formula_follows_the_settings() -> None:
    plain = latex_of(PLAIN)
    assert r"\frac{1}{\sum_i |y_i|}" in plain and "clip" not in plain and "k_3" not in plain
    assert r"\gamma" not in plain and r"\sigma + 10^{-4}" in plain and STD_EPSILON == 1e-4
    answers = latex_of(GRPOSettings(weights="sequences", baseline="mean"))
    assert r"\frac{1}{N}" in answers and r"\sum_i |y_i|" not in answers
    assert r"r_i - \bar{r}" in answers and r"\sigma" not in answers
    assert r"\hat{A}_i = r_i" in latex_of(NONE) and r"\bar{r}" not in latex_of(NONE)
    assert "clip" in latex_of(GRPOSettings(updates_per_batch=2))
    assert "k_3" in latex_of(GRPOSettings(beta=0.1))
    priced = latex_of(IN_REWARD)
    assert "k_3" not in priced and r"r_i = r(x, y_i) - \beta \log" in priced


@pytest.mark.parametrize(
    "settings",
    [
        PLAIN,
        NONE,
        GRPOSettings(weights="sequences", baseline="mean", beta=0.1, updates_per_batch=3),
        GRPOSettings(beta=0.1, penalty="reward", updates_per_batch=2),
    ],
)
def test_every_formula_is_latex_and_its_signs_are_in_the_table(settings: GRPOSettings) -> None:
    assert all(typeset(line.latex, "#000000") is not None for line in lines_of(settings))
    rows = numbers_of(record(3, settings, reward=0.25, gradient_norm=1.5, kl=0.5), settings)
    signs = [sign for sign, _, _ in rows]
    assert len(set(signs)) == len(signs)
    assert {"N", "Σ|yᵢ|", "r", "Â", "γ", "β"} <= set(signs)
    assert ("σ" in signs) == (settings.baseline == "mean_std")
    assert ("ε" in signs) == (settings.updates_per_batch > 1)
    assert ("β k₃" in signs) == (settings.beta > 0 and settings.penalty == "loss")
    assert ("β log π/π_ref" in signs) == (settings.beta > 0 and settings.penalty == "reward")
    assert {sign: value for sign, _, value in rows}["r"] == "0.25"


def test_where_settings_differ_from_the_tutorial_is_said() -> None:
    told = " ".join(differences(GRPOSettings(weights="sequences", baseline="none")))
    assert "1/N" in told and "REINFORCE" in told and "β = 0" in told
    assert "part of Â" in " ".join(differences(IN_REWARD))


# ----------------------------------------------------------------------------------- hacks
def hacked() -> dict[str, np.ndarray]:
    true = np.r_[0.34, np.full(9, 0.3), np.linspace(0.3, 0.02, 20)]
    return {"reward": np.linspace(0.2, 1, 30), "true_score": true, "true_error": np.full(30, 0.01)}


def test_a_verdict_says_what_its_start_is_the_mean_of() -> None:
    curves = hacked()
    found = find_hack(curves["reward"], curves["true_score"], curves["true_error"])
    assert found is not None
    words = verdict(arm(**curves))
    first, last = found.best_updates
    best = float(curves["true_score"][first - 1 : last].mean())
    assert f"{best:.0%} (mean of updates {first} to {last})" in words
    assert f"{found.reward_before:.2f} to {found.reward_after:.2f}" in words
    assert f"at the end it was {found.true_after:.0%}" in why_hacked(arm(**curves))
    curves["true_score"] = np.linspace(0.2, 0.8, 30)
    start, end = curves["true_score"][:5].mean(), curves["true_score"][-5:].mean()
    assert f"{start:.0%} → {end:.0%}" in verdict(arm(**curves))
    assert "first and the last 5 updates" in verdict(arm(**curves))


def test_the_length_is_explained_by_what_was_measured() -> None:
    up = np.linspace(0, 1, 20)
    same = why_length(arm(reward=up, length=np.full(20, 6.0)))
    assert same.startswith("No change to speak of: 6.0 → 6.0") and "pays for tokens" not in same
    longer = why_length(arm(reward=up, length=np.linspace(3, 6, 20)))
    assert "longer" in longer and "reward rose along" in longer
    shorter = why_length(arm(reward=up[::-1], length=np.linspace(6, 3, 20)))
    assert "shorter" in shorter and "reward did not rise" in shorter


# ---------------------------------------------------------------------------------- sweeps
def swept(beta: float, reward: float, std: float) -> object:
    settings = GRPOSettings(prompts=4, group=4, beta=beta)
    many = {"reward": [reward] * 5, "reward_std": [std] * 5, "true_score": [reward] * 5}
    return point_of(arm(settings, true_error=[std / 4] * 5, **many))


def test_a_points_error_is_that_of_the_mean_of_its_updates() -> None:
    point = swept(0.0, 0.5, 0.4)
    assert point.reward_error == pytest.approx(0.4 / np.sqrt(5 * 16))  # type: ignore[attr-defined]
    assert f"± {0.4 / np.sqrt(80):.2f}" in point.words(5)  # type: ignore[attr-defined]


def test_differences_within_the_error_are_called_so() -> None:
    noise = [swept(b, 0.5 + 0.01 * b, 0.4) for b in (0.0, 0.5, 1.0)]
    assert spread(noise).startswith("All within the error")  # type: ignore[arg-type]
    real = [swept(0.0, 0.9, 0.4), swept(1.0, 0.2, 0.4)]
    told = spread(real)  # type: ignore[arg-type]
    assert "best 0.90" in told and "at β = 0," in told and "at β = 1." in told
    assert spread(real[:1]) == ""  # type: ignore[arg-type]


def test_only_being_right_is_the_true_score_and_every_task_has_a_careless_term() -> None:
    for kind in TASKS:
        terms = terms_for(kind())
        exact = next(t for t in terms if t.key == "exact")
        careless = next(t for t in terms if t.key == careless_term(kind()))
        assert is_true_score(RewardMix(((exact, 2.0), (careless, 0.0))))
        assert not is_true_score(RewardMix(((exact, 1.0), (careless, 1.0))))
        assert not is_true_score(RewardMix(((exact, -1.0),)))
