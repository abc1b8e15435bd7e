"""Predict first: which answers of a group get a positive advantage. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from engine.posttraining.records import Group
from engine.posttraining.settings import Baseline

MOST_CHOICES = 5


@dataclass(frozen=True)
class GroupQuestion:
    """A question about one group; every right choice counts."""

    text: str
    choices: tuple[str, ...]
    right: tuple[int, ...]
    why: str


def question_of(group: Group, baseline: Baseline = "mean_std") -> GroupQuestion | None:
    """Which of a group's answers get a positive advantage; None where all or none do, or all
    answers read alike.

    Among at most five different answers there is always one that does and one that doesn't.

    Args:
        group: what is asked about.
        baseline: what its rewards were compared with.
    """
    texts = [a.text if a.finished else f"{a.text}…" for a in group.answers]
    first: dict[str, int] = {}
    for i, text in enumerate(texts):
        first.setdefault(text, i)
    better = [i for i in first.values() if group.advantages[i] > 0]
    worse = [i for i in first.values() if group.advantages[i] <= 0]
    if group.silent or not better or not worse:
        return None
    chosen = sorted([*better[:2], *worse[: MOST_CHOICES - len(better[:2])]])
    best = max(better, key=lambda i: float(group.advantages[i]))
    right = tuple(j for j, i in enumerate(chosen) if group.advantages[i] > 0)
    got, advantage = float(group.rewards[best]), float(group.advantages[best])
    if baseline == "none":
        why = (
            f"There is no baseline, so Â is the reward itself: “{texts[best]}” got {got:.2f}. "
            "Whatever has a reward above 0 is made more probable, however the others did."
        )
    else:
        why = (
            f"The group's mean reward is {float(group.rewards.mean()):.2f}; “{texts[best]}” got "
            f"{got:.2f}, so its Â is {advantage:+.2f}. What lies below the mean is made less "
            "probable, even if its own reward is above 0."
        )
    return GroupQuestion(
        f"{group.prompt.text} Which answer gets a positive advantage?",
        tuple(texts[i] or "(empty)" for i in chosen),
        right,
        why,
    )
