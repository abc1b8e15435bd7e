"""What an experiment showed, held against what was predicted: from its real numbers alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.models.landmarks import Landmark
from engine.training.experiment_runs import ArmStanding, Standing
from engine.training.experiments import Asked

TIE = 0.02
"""Nats per token within which two losses count as equal. Two seeds of the small experiments differ
by about this much (docs/decisions.md), so a smaller difference says nothing about the settings."""
RISEN = 1.02
"""How far above its lowest a held-out loss ends that has risen again, as a factor."""
FALLING = 0.98
"""How far below its middle a held-out loss ends that keeps falling, as a factor."""

UNFAIR = 1.1
"""How many times the shortest arm's time another may take for a race by seconds to be fair."""


@dataclass(frozen=True)
class Answer:
    """Which choices were right, and why."""

    right: tuple[int, ...]
    """More than one where they tie."""
    why: str
    """One to three sentences."""


def answer(standing: Standing, lines: Sequence[Landmark] = ()) -> Answer | None:
    """The answer to an experiment's question; None while the experiment cannot give it.

    Args:
        standing: where the experiment stands.
        lines: the landmarks of its text; questions about them need them.
    """
    question = standing.experiment.question
    if question is None or not standing.finished:
        return None
    return _ANSWERS[question.asked](standing, {line.key: line.nats_per_token for line in lines})


def times_told(standing: Standing) -> str:
    """By seconds: how long each arm's steps really took, and how many fitted; else nothing.

    Where the times are unlike, that is said too: no number of long steps may give all the same.
    An arm that diverged had no use for its time.
    """
    if standing.experiment.by != "seconds":
        return ""
    parts = []
    for arm in standing.arms:
        again = "" if not arm.replanned else f", planned anew {_often(arm.replanned)}"
        parts.append(f"{arm.arm.name} {arm.seconds:.1f} s ({arm.step:,} steps{again})")
    sentence = (
        f"Of {standing.experiment.seconds:g} s each had in its own steps: {'; '.join(parts)}."
    )
    spent = [arm.seconds for arm in standing.arms if arm.state == "finished"]
    if len(spent) < 2 or max(spent) <= UNFAIR * min(spent):
        return sentence
    return (
        f"{sentence} These times are unlike, since a single step took long or the pace changed at "
        "the very end: hold the curves against each other along seconds, or race them for longer."
    )


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def told(arm: ArmStanding, standing: Standing) -> str:
    """An arm's last loss in words, such as "1.234 nats"."""
    if arm.state == "diverged":
        return arm.problem
    if not standing.learned(arm):
        return f"{arm.loss:.3f}, no better than guessing ({standing.guessing:.2f})"
    return f"{arm.loss:.3f}"


def best_of(arms: Sequence[ArmStanding]) -> tuple[int, ...]:
    """The places of the arm with the lowest loss and of those that tie with it."""
    losses = [arm.loss if math.isfinite(arm.loss) else math.inf for arm in arms]
    lowest = min(losses)
    return tuple(i for i, loss in enumerate(losses) if loss <= lowest + TIE)


def _lowest(standing: Standing, _: dict[str, float]) -> Answer:
    """Which of the arms ends lowest; a choice beyond the arms means that none does."""
    question, arms = standing.experiment.question, standing.arms
    assert question is not None
    best = best_of(arms)
    losses = "; ".join(f"{arm.arm.name}: {told(arm, standing)}" for arm in arms)
    numbers = f"Held-out losses at the end, in nats per token: {losses}."
    alike = len(best) > 1
    if len(question.choices) > len(arms) and len(best) == len(arms):
        last = len(question.choices) - 1
        return Answer((last,), f"{numbers} All lie within {TIE:g}, as far apart as two seeds.")
    if alike:
        names = " and ".join(arms[i].arm.name for i in best)
        return Answer(
            best, f"{numbers} {names} are within {TIE:g} of each other, which counts as a tie."
        )
    rest = [arm.loss for i, arm in enumerate(arms) if i not in best]
    lead = min(rest) - arms[best[0]].loss
    lead_said = f" by {lead:.3f}" if math.isfinite(lead) else ""
    return Answer(best, f"{numbers} {arms[best[0]].arm.name} is lowest{lead_said}.")


def _best(standing: Standing, _: dict[str, float]) -> Answer:
    """Which of the settings along an axis ends lowest; of several groups, in the last."""
    group = standing.arms[-1].arm.group
    arms = [arm for arm in standing.arms if arm.arm.group == group]
    best = best_of(arms)
    lowest = min(arms, key=lambda arm: arm.loss)
    at = arms.index(lowest)
    sentences = [f"{_short(lowest)} ends lowest, with {told(lowest, standing)} nats per token."]
    if len(best) > 1:
        others = ", ".join(_short(arms[i]) for i in best if i != at)
        sentences.append(f"Within {TIE:g} of it, and as good: {others}.")
    ends = f"At the ends: {_short(arms[0])} gives {told(arms[0], standing)}"
    sentences.append(f"{ends}; {_short(arms[-1])}: {told(arms[-1], standing)}.")
    if at in (0, len(arms) - 1):
        sentences.append("It lies at the edge of what was tried, so the best may lie beyond.")
    return Answer(best, " ".join(sentences))


def _short(arm: ArmStanding) -> str:
    """Its name without its group's."""
    return arm.arm.name.removeprefix(f"{arm.arm.group}, ")


def _crossing(standing: Standing, lines: dict[str, float]) -> Answer | None:
    """Which of two arms fell below the bigram's line; the choices are both, the second, the
    first, neither."""
    line = lines.get("bigram")
    if line is None:
        return None
    first, second = standing.arms
    places = [_first_below(arm, line) for arm in (first, second)]
    said = [
        f"{arm.arm.name} fell below it after {place:.1f} seconds"
        if place is not None
        else f"{arm.arm.name} ended at {told(arm, standing)}, above it"
        for arm, place in zip((first, second), places, strict=True)
    ]
    choice = {(True, True): 0, (False, True): 1, (True, False): 2, (False, False): 3}
    return Answer(
        (choice[places[0] is not None, places[1] is not None],),
        f"The bigram's line is at {line:.2f} nats per token. {said[0]}; {said[1]}. At the end: "
        f"{told(first, standing)} and {told(second, standing)}.",
    )


def _first_below(arm: ArmStanding, line: float) -> float | None:
    """After how many seconds in steps the held-out loss was first seen below a line."""
    below = np.flatnonzero(arm.evaluations["loss"] < line)
    return float(arm.evaluations["seconds"][below[0]]) if len(below) else None


def _overfitting(standing: Standing, _: dict[str, float]) -> Answer | None:
    """What the held-out loss of the last arm does: keep falling, level off, rise again."""
    arm, whole = standing.arms[-1], standing.arms[0]
    losses, steps = arm.evaluations["loss"], arm.evaluations["step"]
    if arm.state == "diverged" or len(losses) < 3:
        return None
    best = int(np.argmin(losses))
    lowest, last, middle = float(losses[best]), float(losses[-1]), float(losses[len(losses) // 2])
    train = float(np.mean(arm.steps["loss"][-20:]))
    if last > lowest * RISEN:
        return Answer(
            (2,),
            f"It was lowest at step {int(steps[best]):,} with {lowest:.2f} nats per token and "
            f"ended at {last:.2f}, while the training loss came down to {train:.2f}: the model "
            "learned these sentences, not the language. With all of the text it ended at "
            f"{told(whole, standing)}.",
        )
    if last < middle * FALLING:
        return Answer(
            (0,),
            f"It fell to the end, from {middle:.2f} half-way to {last:.2f} nats per token: this "
            "text is still enough for so many steps.",
        )
    return Answer(
        (1,),
        f"It stayed at about {last:.2f} nats per token from half-way on (training loss "
        f"{train:.2f}): reading the text again taught nothing more.",
    )


def _residuals(standing: Standing, lines: dict[str, float]) -> Answer | None:
    """How far the second arm, without residuals, comes: as far, less far, or to the unigram."""
    unigram = lines.get("unigram")
    with_them, without = standing.arms
    if unigram is None:
        return None
    numbers = (
        f"With residuals the held-out loss ends at {told(with_them, standing)}, without at "
        f"{told(without, standing)} nats per token; knowing only how frequent each token is gives "
        f"{unigram:.2f}."
    )
    if without.loss >= unigram - TIE:
        return Answer(
            (2,),
            f"{numbers} Without a way around, what tells the layers how to change has to pass "
            "through all the matrices above them, and nearly nothing of it arrives.",
        )
    if without.loss > with_them.loss + TIE:
        return Answer(
            (1,),
            f"{numbers} The layers do learn here, but more slowly: nothing lets the gradient past "
            "the matrices above.",
        )
    return Answer((0,), f"{numbers} With so few layers the gradient finds its way without them.")


_ANSWERS: dict[Asked, Callable[[Standing, dict[str, float]], Answer | None]] = {
    "lowest": _lowest,
    "best": _best,
    "crossing": _crossing,
    "overfitting": _overfitting,
    "residuals": _residuals,
}
