"""A sweep of β in numbers: each point with its errors, and whether they differ at all. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.posttraining.arm_records import ArmState, TradeOff, trade_off
from engine.posttraining.rewards import RewardMix, terms_for
from engine.posttraining.tasks import Task

LAST = 5
"""Updates that each point is the mean of."""
ERRORS = 3.0
"""Standard errors of a difference beyond which it is more than chance. The best and the worst of
seven points lie some 2.7 errors of one point apart by chance alone."""
CARELESS = ("anywhere", "keywords", "length")
"""Keys of terms that can be had without being right, the most telling first."""
NOTHING_TO_TRADE = (
    "The reward is the true score itself here: nothing is lost by going far for it, so a sweep of "
    "β cannot show a trade-off. A careless reward shows more."
)


@dataclass(frozen=True)
class Point:
    """Where one β ended."""

    found: TradeOff
    reward_error: float
    """Standard error of the mean reward."""

    def words(self, updates: int) -> str:
        """What it reached, in a line."""
        f = self.found
        many = "1 update" if updates == 1 else f"{updates:,} updates"
        return (
            f"After {many}: reward {f.reward:.2f} ± {self.reward_error:.2f}, true score "
            f"{f.true_score:.0%} ± {f.true_error:.1%}, KL {f.kl:.2f} ± {f.kl_error:.2f} nats per "
            f"answer, {f.length:.1f} tokens."
        )


def point_of(state: ArmState) -> Point | None:
    """Where an arm stands, with its errors; None before its first update.

    The errors are those of drawing so many answers: of the newest updates' N answers each,
    σ/√N, put together for their mean. That answers to one prompt resemble one another is left
    out, as it is in the true score's own error.
    """
    found = trade_off(state, LAST)
    if found is None:
        return None
    s = state.arm.settings
    newest = state.records[-LAST:]
    squares = sum(r.reward_std**2 / (s.prompts * s.group) for r in newest)
    return Point(found, math.sqrt(squares) / len(newest))


def spread(points: Sequence[Point]) -> str:
    """Whether the points differ by more than their errors, reward and true score apart; an empty
    text with fewer than two."""
    if len(points) < 2:
        return ""
    reward = [(p.found.reward, p.reward_error, p.found.beta) for p in points]
    true = [(p.found.true_score, p.found.true_error, p.found.beta) for p in points]
    told = [_compared("Reward", reward, False), _compared("True score", true, True)]
    within = [text is None for text in told]
    if all(within):
        return (
            f"All within the error: neither reward nor true score differs between two β by more "
            f"than {ERRORS:g} standard errors. What goes up and down here may be chance; more "
            "updates or a careless reward tell more."
        )
    names = ("Reward", "True score")
    return " ".join(
        text or f"{name}: differences are within the error."
        for name, text in zip(names, told, strict=True)
    )


def _compared(name: str, points: list[tuple[float, float, float]], share: bool) -> str | None:
    """The best and the worst β, None if they may be the same."""
    best, worst = max(points), min(points)
    if best[0] - worst[0] <= ERRORS * math.hypot(best[1], worst[1]):
        return None
    high, low = (_value(p, share) for p in (best, worst))
    return f"{name}: best {high} at β = {best[2]:g}, worst {low} at β = {worst[2]:g}."


def _value(point: tuple[float, float, float], share: bool) -> str:
    value, error, _ = point
    return f"{value:.0%} ± {error:.1%}" if share else f"{value:.2f} ± {error:.2f}"


def is_true_score(mix: RewardMix) -> bool:
    """Whether nothing but being right is rewarded, which cannot be hacked."""
    counted = [(term.key, weight) for term, weight in mix.terms if weight != 0]
    return [key for key, _ in counted] == ["exact"] and counted[0][1] > 0


def careless_term(task: Task) -> str:
    """The key of the task's most telling careless term."""
    there = {term.key for term in terms_for(task)}
    return next(key for key in CARELESS if key in there)
