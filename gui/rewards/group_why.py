"""Why each answer of a group got what it got from each term of the reward. No Qt.

Some judges are models, so this belongs to the compute thread.
"""

from __future__ import annotations

from collections.abc import Sequence

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
        terms: those of the run's reward; one that is no longer among them is told to be gone.
    """
    group, counted = record.group, counted_terms(record)
    known = {term.title: term for term in terms}
    told = []
    for i, answer in enumerate(group.answers):
        added = [float(group.terms[i, j]) for j in counted]
        whole = sum(abs(value) for value in added)
        row = []
        for j, value in zip(counted, added, strict=True):
            title = record.reward_mix[j][0]
            term = known.get(title)
            why = GONE if term is None else term.explain(group.prompt, answer)
            share = (
                f", {abs(value) / whole:.0%} of all points given or taken"
                if len(counted) > 1 and whole
                else ""
            )
            row.append(f"{title}: {format_number(value, 3)}{share}. {why}")
        told.append(tuple(row))
    return tuple(told)
