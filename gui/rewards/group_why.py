"""Why each answer of a group got what it got from each term of the reward. No Qt.

Some judges are models, so this belongs to the compute thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import RewardTerm
from gui.widgets.numbers import format_number

GONE = "What judged here has been made anew since, so its reason can't be told."


def counted_terms(record: UpdateRecord) -> tuple[int, ...]:
    """The places of the terms that had a weight in this update."""
    return tuple(i for i, (_, weight) in enumerate(record.reward_mix) if weight != 0)


def reasons(record: UpdateRecord, terms: Sequence[RewardTerm]) -> tuple[tuple[str, ...], ...]:
    """For each answer of the update's group a sentence or two for each term that counted, (G, n):
    what the term added, which share that is of all that was added and taken off, and why.

    Args:
        record: the update.
        terms: those that have judged in the run, the latest first. Where none of a term's title
            gives what was given then, it is told to be gone.
    """
    group, counted = record.group, counted_terms(record)
    told = []
    for i, answer in enumerate(group.answers):
        added = [float(group.terms[i, j]) for j in counted]
        whole = sum(abs(value) for value in added)
        row = []
        for j, value in zip(counted, added, strict=True):
            title, weight = record.reward_mix[j]
            same = (t for t in terms if t.title == title)
            term = next((t for t in same if _gives(t, weight, group.prompt, answer, value)), None)
            why = GONE if term is None else term.explain(group.prompt, answer)
            share = (
                f", {abs(value) / whole:.0%} of all points given or taken"
                if len(counted) > 1 and whole
                else ""
            )
            row.append(f"{title}: {format_number(value, 3)}{share}. {why}")
        told.append(tuple(row))
    return tuple(told)


def _gives(term: RewardTerm, weight: float, prompt: Prompt, answer: Answer, value: float) -> bool:
    """Whether a term gives an answer this value; a transformer reads it alone as in a batch but
    for rounding."""
    return math.isclose(weight * term.score(prompt, answer), value, rel_tol=1e-3, abs_tol=1e-3)
