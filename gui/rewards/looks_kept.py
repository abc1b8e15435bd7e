"""Looks at a policy and events of its run as JSON values and back, for a kept run. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.posttraining.prompts import Answer, Prompt
from gui.rewards.news import Event, Look

DIGITS = 4
"""Decimals that a log-probability is kept with: more than the bars that show it can tell."""


def look_to_dict(look: Look, shown: Sequence[Prompt]) -> dict[str, Any]:
    """All of a look as JSON values, with the prompts (P) that it is about."""
    return {
        "step": look.update,
        "prompts": [prompt.text for prompt in shown],
        "answers": [[a.text, a.finished, a.length] for a in look.answers],
        "true_scores": look.true_scores.tolist(),
        "first_tokens": np.round(look.first_tokens, DIGITS).tolist(),
    }


def look_from_dict(data: Mapping[str, Any], shown: Sequence[Prompt], n_tokens: int) -> Look | None:
    """The look of ``look_to_dict``'s values, which may come from anyone.

    Args:
        data: the values.
        shown: the prompts that looks are about now, (P,).
        n_tokens: V, tokens that a policy of the task can say.

    Returns:
        None if they are no look at these prompts: one is for looking back only, and a run goes
        on without.
    """
    try:
        update = data["step"]
        answers = tuple(Answer(text, finished, n) for text, finished, n in data["answers"])
        scores = np.asarray(data["true_scores"], dtype=np.float64)
        rows = np.asarray(data["first_tokens"], dtype=np.float64)
        same = list(data["prompts"]) == [prompt.text for prompt in shown]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    typed = all(
        type(a.text) is str and type(a.finished) is bool and type(a.length) is int for a in answers
    )
    shapes = (len(answers), scores.shape, rows.shape)
    wanted = (len(shown), (len(shown),), (len(shown), n_tokens))
    if not same or not typed or type(update) is not int or update < 0 or shapes != wanted:
        return None
    if not np.isfinite(scores).all() or np.isnan(rows).any() or (rows > 0).any():
        return None
    return Look(update, answers, scores, rows)


def event_to_dict(event: Event) -> dict[str, Any]:
    """An event as JSON values."""
    return {"step": event.update, "text": event.text}


def events_from(entries: Sequence[Mapping[str, Any]], update: int) -> list[Event]:
    """The events of a kept run up to an update. Of two after the same update the later counts;
    what is no event is left out."""
    found: dict[int, Event] = {}
    for entry in entries:
        at, text = entry.get("step"), entry.get("text")
        if type(at) is int and 0 <= at <= update and isinstance(text, str):
            found[at] = Event(at, text)
    return [found[at] for at in sorted(found)]
