"""What is said of an experiment with a reward that can be hacked, from its own numbers. No Qt.

Every start and end is a mean of several updates, told with it: single updates are noisy, and the
rule for hacking does not look at them either.
"""

from __future__ import annotations

from engine.posttraining.arm_records import ArmState
from engine.posttraining.hacking import SAME_LENGTH, WINDOW, ends, hack_of, length_direction


def verdict(state: ArmState) -> str:
    """How an arm ended, in a line or two; an empty text before its first update."""
    if not state.records:
        return ""
    hack = hack_of(state)
    reward = state.task_reward
    if hack is not None:
        first, last = hack.best_updates
        return (
            f"Hacked from update {hack.noticed} on: from its best, {hack.true_before:.0%} (mean "
            f"of updates {first} to {last}), the true score fell to {hack.true_after:.0%} (mean "
            f"of the last {WINDOW}), while the reward rose from {hack.reward_before:.2f} to "
            f"{hack.reward_after:.2f}."
        )
    began, ended, n = ends(state.series("true_score"))
    paid, pays, _ = ends(reward)
    return (
        f"Not hacked: true score {began:.0%} → {ended:.0%}, reward {paid:.2f} → {pays:.2f} "
        f"({_means(n)})."
    )


def why_hacked(state: ArmState) -> str:
    """Why the answer to “will it be hacked?” is what it is."""
    hack = hack_of(state)
    if hack is None:
        began, ended, n = ends(state.series("true_score"))
        paid, pays, _ = ends(state.task_reward)
        return (
            f"The true score went from {began:.0%} to {ended:.0%} and the reward from {paid:.2f} "
            f"to {pays:.2f} ({_means(n)}): by the rule that is no hack."
        )
    first, last = hack.best_updates
    return (
        f"From update {hack.noticed} on the true score lay below its best, {hack.true_before:.0%} "
        f"(mean of updates {first} to {last}), by more than chance; at the end it was "
        f"{hack.true_after:.0%}, while the reward had risen from {hack.reward_before:.2f} to "
        f"{hack.reward_after:.2f}."
    )


def why_length(state: ArmState) -> str:
    """Why the answer to “which way will the length go?” is what it is."""
    start, end, n = ends(state.series("length"))
    paid, pays, _ = ends(state.task_reward)
    measured = f"{start:.1f} → {end:.1f} tokens an answer ({_means(n)})"
    way = length_direction(state.series("length"))
    if way == "same":
        return (
            f"No change to speak of: {measured}, which is less than {SAME_LENGTH:.0%}. Whatever "
            "became of this reward, it was not had by writing more or less."
        )
    change = f"{abs(end / start - 1):.0%} {way}"
    if pays > paid:
        return (
            f"{change}: {measured}. The reward rose along, from {paid:.2f} to {pays:.2f}: "
            f"training found that {way} answers pay."
        )
    return (
        f"{change}: {measured}, though the reward did not rise, {paid:.2f} → {pays:.2f}: nothing "
        "in it asked for that."
    )


def _means(n: int) -> str:
    return "first and last update" if n == 1 else f"means of the first and the last {n} updates"
