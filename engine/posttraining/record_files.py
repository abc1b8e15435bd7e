"""Update records as JSON values and back, so that a kept run can be looked into again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from engine.errors import LabError
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import Group, UpdateRecord
from engine.posttraining.rewards import Floats

COLUMNS = (
    "update",
    "reward",
    "reward_std",
    "penalty",
    "true_score",
    "true_error",
    "tokens",
    "length",
    "entropy",
    "kl",
    "answer_kl",
    "silent_groups",
    "clipped",
    "loss",
    "gradient_norm",
    "seconds",
)
"""The single numbers of an update, in the order of a kept run's table."""
_WHOLE = frozenset({"update", "tokens"})
_MOST_ANSWERS = 256


def row_of(record: UpdateRecord) -> tuple[float, ...]:
    """An update's single numbers in the order of COLUMNS."""
    return tuple(float(getattr(record, name)) for name in COLUMNS)


def record_to_dict(record: UpdateRecord) -> dict[str, Any]:
    """Everything in a record as JSON values."""
    group = record.group
    return {
        "step": record.update,
        "numbers": list(row_of(record)),
        "terms": list(record.terms),
        "mix": [list(pair) for pair in record.reward_mix],
        "prompt": [group.prompt.text, group.prompt.target],
        "answers": [[a.text, a.finished, a.length] for a in group.answers],
        "tokens": [list(row) for row in group.tokens],
        "group_terms": group.terms.tolist(),
        "true_scores": group.true_scores.tolist(),
        "rewards": group.rewards.tolist(),
        "advantages": group.advantages.tolist(),
        "before": [row.tolist() for row in group.before],
        "reference": [row.tolist() for row in group.reference],
        "after": [row.tolist() for row in group.after],
    }


def record_from_dict(data: Mapping[str, Any]) -> UpdateRecord:
    """The record of ``record_to_dict``'s values, which may come from anyone.

    Raises:
        LabError: if they describe no update.
    """
    try:
        return _record(data)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise LabError("What the run did in an update can't be read: it is damaged.") from error


def _record(data: Mapping[str, Any]) -> UpdateRecord:
    numbers = dict(zip(COLUMNS, map(float, data["numbers"]), strict=True))
    answers = tuple(
        Answer(_text(text), bool(finished), int(n)) for text, finished, n in data["answers"]
    )
    n = len(answers)
    tokens = tuple(tuple(int(t) for t in row) for row in data["tokens"])
    if not 1 <= n <= _MOST_ANSWERS or len(tokens) != n:
        raise ValueError("answers")
    mix = tuple((_text(title), float(weight)) for title, weight in data["mix"])
    terms = _table(data["group_terms"], (n, len(mix)))
    prompt = Prompt(*map(_text, data["prompt"]))

    def rows(name: str) -> tuple[Floats, ...]:
        found = tuple(np.asarray(row, dtype=np.float64) for row in data[name])
        if [row.shape for row in found] != [(len(t),) for t in tokens]:
            raise ValueError(name)
        return found

    group = Group(
        prompt=prompt,
        answers=answers,
        tokens=tokens,
        terms=terms,
        true_scores=_table(data["true_scores"], (n,)),
        rewards=_table(data["rewards"], (n,)),
        advantages=_table(data["advantages"], (n,)),
        before=rows("before"),
        reference=rows("reference"),
        after=rows("after"),
    )
    means = tuple(float(v) for v in data["terms"])
    if len(means) != len(mix):
        raise ValueError("terms")
    plain: dict[str, Any] = {
        f.name: _number(f.name, numbers[f.name]) for f in fields(UpdateRecord) if f.name in numbers
    }
    return UpdateRecord(**plain, terms=means, reward_mix=mix, group=group)


def _number(name: str, value: float) -> float:
    return int(value) if name in _WHOLE else value


def _table(values: Any, shape: tuple[int, ...]) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.shape != shape:
        raise ValueError(shape)
    return table


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
