"""What is said of a group whose rewards, or what a reward's terms gave, do not differ. No Qt."""

from __future__ import annotations

from typing import Literal

from engine.posttraining.records import Group
from engine.posttraining.settings import Baseline, GRPOSettings

NO_SPREAD = (
    "No spread, no learning: every answer of this group got the same reward, so every advantage "
    "is 0 and this group's rewards push nothing."
)
ALL_ZERO = (
    "Nothing to push: every answer of this group got 0, and without a baseline the advantage is "
    "the reward itself."
)
ALONE = (
    "A group of one answer is its own mean: its advantage is 0 and it pushes nothing. Take two "
    "answers or more, or no baseline."
)
STILL_PULLED = " Only the KL term of the loss still pulls, towards the reference."
PRICE_ALONE = (
    "The reward's terms gave every answer of this group the same: what differs is the price of "
    "distance, − β log π/π_ref, and that alone pushes, towards the reference."
)
ADVANTAGES: dict[Baseline, str] = {
    "none": "Without a baseline the reward itself: Â = r.",
    "mean": "How much better than its group: Â = r − mean.",
    "mean_std": "How much better than its group: Â = (r − mean) ÷ (std + 0.0001).",
}
"""What an advantage is, by baseline."""


def told_of_spread(group: Group, settings: GRPOSettings) -> tuple[str, Literal["warning", "info"]]:
    """What there is to say, with its tone; an empty text where rewards differ as they should.

    Args:
        group: one group of an update.
        settings: those that it was pushed with.
    """
    if group.silent:
        why = NO_SPREAD if len(group.answers) > 1 else ALONE
        if settings.baseline == "none":
            why = ALL_ZERO
        pulled = settings.beta > 0 and settings.penalty == "loss"
        return why + (STILL_PULLED if pulled else ""), "warning"
    if group.even:
        reward = float(group.rewards[0])
        way = "more" if reward > 0 else "less"
        return (
            f"No spread, and still a push: without a baseline Â = r, so every answer of this group "
            f"is made {way} probable, the good ones no more than the bad ones.",
            "warning",
        )
    given = group.terms.sum(axis=1)
    priced = settings.beta > 0 and settings.penalty == "reward"
    if priced and settings.baseline != "none" and bool((given == given[0]).all()):
        return PRICE_ALONE, "info"
    return "", "info"
