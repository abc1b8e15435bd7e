"""What a reward model has learned above all, held against what somebody predicted."""

from __future__ import annotations

from collections.abc import Sequence

from engine.posttraining.reward_model_report import Learned, Report
from gui.rewards.asking import Simulated
from gui.rewards.effect_bars import signed
from gui.widgets.numbers import format_number


def effect_words(one: Learned) -> str:
    """An effect with its 95 % interval, such as "+0.16 ± 0.4"."""
    return f"{signed(one.effect)} ± {format_number(one.margin, 2)}"


def answered(
    report: Report, asked: Sequence[str], chosen: int, made: Simulated | None
) -> tuple[list[int] | None, str]:
    """Which of the choices are right, and why.

    Args:
        report: what the trained reward model looks at.
        asked: keys of the features that could be chosen.
        chosen: the place of the choice among them.
        made: the simulated comparisons that it learned from, if any.

    Returns:
        The places of the right choices, None where nobody can tell; and the explanation.
    """
    listed = [one for one in report.learned if one.key in asked]
    first = listed[0]
    hidden = _hidden(asked[chosen], made)
    if report.held_out.may_be_chance or not first.certain:
        return None, (
            "No better than chance so far, so nobody can tell what it has learned above all. "
            f"{hidden}Compare more."
        )
    # A bet on measured values: every choice whose 95 % interval reaches the best is right.
    right = [
        asked.index(one.key) for one in listed if abs(one.effect) + one.margin >= abs(first.effect)
    ]
    return right, (
        f"{first.title} moves its reward the most: {effect_words(first)} log-odds for a "
        f"standard deviation. {hidden}A reward model learns what was clicked, whatever was meant."
    )


def _hidden(chosen: str, made: Simulated | None) -> str:
    """Why a feature that the annotator does look at cannot be learned from these answers."""
    if made is None:
        return ""
    for one in made.influences:
        if one.key == chosen and not one.shows:
            return (
                f"The annotator does weigh {one.title.lower()}, but it differs in only "
                f"{one.differing:.0%} of the pairs and tips few clicks. "
            )
    return ""
