"""Comparisons of two answers to one prompt, and how they are kept in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.posttraining.candidates import Candidates
from engine.posttraining.prompts import Answer, Prompt

Floats = npt.NDArray[np.float64]
Choice = Literal["a", "b", "tie", "skip"]
"""What was clicked. A skipped pair is kept, and teaches nothing."""

FORMAT, VERSION = "next-token-lab preferences", 1
MOST_PREFERENCES = 20_000
_LONGEST_TEXT = 2_000
_OUTCOMES: dict[Choice, float] = {"a": 1.0, "b": 0.0, "tie": 0.5}


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt."""

    prompt: Prompt
    a: Answer
    b: Answer


@dataclass(frozen=True)
class Preference:
    """A pair, and what someone said of it."""

    pair: Pair
    choice: Choice

    @property
    def outcome(self) -> float:
        """1 where A was preferred, 0 where B was, ½ for a tie.

        Raises:
            KeyError: for a pair that was skipped.
        """
        return _OUTCOMES[self.choice]


def telling(preferences: Sequence[Preference]) -> tuple[Preference, ...]:
    """Those that were not skipped."""
    return tuple(p for p in preferences if p.choice != "skip")


def draw_pairs(candidates: Candidates, n: int, seed: int) -> tuple[Pair, ...]:
    """n pairs of different answers to one prompt, each pair of answers at most once, in random
    order of pairs and of A and B; fewer if there are not as many."""
    rng = np.random.default_rng(seed)
    group = candidates.group
    possible: list[tuple[int, int]] = []
    for start in range(0, len(candidates.answers), group):
        seen: set[frozenset[tuple[str, bool]]] = set()
        for i in range(start, start + group):
            for j in range(i + 1, start + group):
                a, b = candidates.answers[i], candidates.answers[j]
                both = frozenset({(a.text, a.finished), (b.text, b.finished)})
                if len(both) == 2 and both not in seen:
                    seen.add(both)
                    possible.append((i, j))
    order = rng.permutation(len(possible))[:n]
    flipped = rng.random(len(order)) < 0.5
    pairs = []
    for place, flip in zip(order.tolist(), flipped.tolist(), strict=True):
        i, j = possible[place][::-1] if flip else possible[place]
        prompt = candidates.prompts[i // group]
        pairs.append(Pair(prompt, candidates.answers[i], candidates.answers[j]))
    return tuple(pairs)


def split_by_prompt(
    preferences: Sequence[Preference], share: float = 0.3, seed: int = 0
) -> tuple[tuple[Preference, ...], tuple[Preference, ...]]:
    """(To learn from, held out): about this share of the comparisons is held out, and no prompt
    is on both sides, so that nothing about a held-out answer can be known by heart.

    With comparisons of a single prompt nothing is held out.
    """
    by_prompt: dict[str, list[Preference]] = {}
    for preference in preferences:
        by_prompt.setdefault(preference.pair.prompt.text, []).append(preference)
    names = list(by_prompt)
    np.random.default_rng(seed).shuffle(names)
    held_out: list[Preference] = []
    kept: list[Preference] = []
    for place, name in enumerate(names):
        last = place == len(names) - 1 and not kept
        full = len(held_out) >= share * len(preferences)
        (kept if full or last else held_out).extend(by_prompt[name])
    return tuple(kept), tuple(held_out)


def write_preferences(task_key: str, preferences: Sequence[Preference]) -> str:
    """The comparisons as a JSON text that ``read_preferences`` takes."""
    rows = [
        {
            "prompt": {"text": p.pair.prompt.text, "target": p.pair.prompt.target},
            "a": _answer_json(p.pair.a),
            "b": _answer_json(p.pair.b),
            "choice": p.choice,
        }
        for p in preferences
    ]
    data = {"format": FORMAT, "version": VERSION, "task": task_key, "comparisons": rows}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def read_preferences(text: str, task_key: str) -> tuple[Preference, ...]:
    """The comparisons in a file's text.

    Raises:
        LabError: if the text is no such file, of another task, damaged, or too large.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LabError("This file is no JSON, so it holds no comparisons.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise LabError("This file holds no comparisons of answers.")
    if data.get("version") != VERSION:
        raise LabError("These comparisons were written by another version of the lab.")
    if data.get("task") != task_key:
        raise LabError(
            f"These comparisons are of the task “{str(data.get('task'))[:40]}”; choose it first."
        )
    rows = data.get("comparisons")
    if not isinstance(rows, list):
        raise LabError("The list of comparisons is missing in this file.")
    if len(rows) > MOST_PREFERENCES:
        raise LabError(f"A file may hold {MOST_PREFERENCES:,} comparisons, not {len(rows):,}.")
    found = []
    for number, row in enumerate(rows, 1):
        try:
            prompt = Prompt(_text(row["prompt"]["text"]), _text(row["prompt"]["target"]))
            choice = row["choice"]
            if choice not in get_args(Choice):
                raise ValueError("no such choice")
            pair = Pair(prompt, _answer(row["a"]), _answer(row["b"]))
        except (KeyError, TypeError, ValueError) as error:
            raise LabError(f"Comparison {number:,} of this file is damaged.") from error
        found.append(Preference(pair, choice))
    return tuple(found)


def _answer_json(answer: Answer) -> dict[str, Any]:
    return {"text": answer.text, "finished": answer.finished, "length": answer.length}


def _answer(row: Any) -> Answer:
    finished, length = row["finished"], row["length"]
    if type(finished) is not bool or type(length) is not int or not 0 <= length <= _LONGEST_TEXT:
        raise ValueError("no answer")
    return Answer(_text(row["text"]), finished, length)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError("no text of a bearable length")
    return value
