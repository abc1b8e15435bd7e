"""What describes a post-training run's checkpoint (``checkpoints``), read with suspicion.

The reward's terms are checked here from their JSON alone: names, weights, and for what was learned
or put together by somebody the shape of its numbers. Imports no torch, so that a window can tell
what a run is rewarded by before anything is loaded.

    "reward": [{"key": "exact", "title": "Exactly right", "weight": 1.0},
               {"key": "preferences", "title": "Preferences", "weight": 0.5,
                "made": {"kind": "linear", "comparisons": 500, "features": [["length", "…"], …]}}]

Version 1 named the terms only: ``[["exact", "Exactly right", 1.0], …]``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import LabError
from engine.files import read_json
from engine.models.transformer.config import TransformerConfig, parameter_counts

STATE_FILE = "state.json"
FORMAT, VERSION = "next-token-lab post-training", 2
_VERSIONS = (1, VERSION)
MOST_TERMS = 64
MOST_LINES = 128
"""Features of a linear model, or criteria of a rubric."""
MOST_READER_PARAMETERS = 20_000_000
"""Of all the transformers that a run's reward models read with, together."""
_MOST_COMPARISONS = 1_000_000
_GREATEST_WEIGHT = 1e6
_LONGEST_NAME, _LONGEST_RULE = 200, 5_000


@dataclass(frozen=True)
class KeptLinear:
    """A reward model on features."""

    features: tuple[tuple[str, str], ...]
    """Key and sentence of each."""
    comparisons: int
    """How many it learned from."""

    @property
    def numbers(self) -> int:
        """k: what its reader makes of an answer."""
        return len(self.features)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        features = [list(pair) for pair in self.features]
        return {"kind": "linear", "comparisons": self.comparisons, "features": features}


@dataclass(frozen=True)
class KeptNeural:
    """A reward model that reads with a transformer."""

    config: TransformerConfig
    """Of the transformer."""
    comparisons: int

    @property
    def numbers(self) -> int:
        """k: see ``reward_model_neural``."""
        return 2 * self.config.width + 3

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        config = self.config.to_dict()
        return {"kind": "neural", "comparisons": self.comparisons, "config": config}


@dataclass(frozen=True)
class KeptRubric:
    """A rubric."""

    criteria: tuple[tuple[str, str, float], ...]
    """Key, rule and weight of each that counts."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"kind": "rubric", "criteria": [list(line) for line in self.criteria]}


KeptMade = KeptLinear | KeptNeural | KeptRubric


@dataclass(frozen=True)
class KeptTerm:
    """One term of a kept run's reward."""

    key: str
    title: str
    weight: float
    made: KeptMade | None
    """What it consists of; None for a term that is only named."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        named = {"key": self.key, "title": self.title, "weight": self.weight}
        return named if self.made is None else {**named, "made": self.made.to_dict()}


def read_state(folder: Path) -> dict[str, Any]:
    """A checkpoint's description, of which only format and version are checked.

    Raises:
        LabError: if it is missing, damaged, or of another version.
    """
    state = read_json(folder / STATE_FILE)
    version = state.get("version")
    if state.get("format") != FORMAT or type(version) is not int or version not in _VERSIONS:
        raise damaged(folder)
    return state


def damaged(folder: Path) -> LabError:
    """What to tell of a description that makes no sense."""
    return LabError(f"{STATE_FILE} in {folder} describes no run that this version can read.")


def lost(title: str) -> LabError:
    """What to tell where a term that counts was not kept, and is not there."""
    return LabError(
        f"This run was rewarded by “{title}”, which was not kept with it and is not there now. "
        "Make it again, then resume."
    )


def read_kept_reward(folder: Path) -> tuple[KeptTerm, ...]:
    """What a checkpoint's run is rewarded by.

    Raises:
        LabError: as ``read_state``, or if the reward is damaged.
    """
    state = read_state(folder)
    try:
        return kept_terms(state)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise damaged(folder) from error


def kept_terms(state: dict[str, Any]) -> tuple[KeptTerm, ...]:
    """The terms in a checkpoint's description.

    Raises:
        LabError: if the transformer of a reward model is none, or there are too many of them.
        KeyError, TypeError, ValueError, OverflowError: if they are damaged.
    """
    read: Callable[[Any], KeptTerm] = _named if state["version"] == 1 else _term
    terms = tuple(read(row) for row in _rows(state["reward"], MOST_TERMS))
    if not terms:
        raise ValueError("no terms")
    size = sum(
        parameter_counts(t.made.config)["total"] for t in terms if isinstance(t.made, KeptNeural)
    )
    if size > MOST_READER_PARAMETERS:
        raise LabError(
            f"The reward models of this run have {size:,} parameters; at most "
            f"{MOST_READER_PARAMETERS:,} are read."
        )
    return terms


def reward_bytes(terms: Sequence[KeptTerm]) -> int:
    """The bytes of the numbers that the terms call for: float64 for a reward model's own, float32
    for its transformer's."""
    total = 0
    for term in terms:
        if isinstance(term.made, KeptLinear | KeptNeural):
            total += 3 * 8 * term.made.numbers
        if isinstance(term.made, KeptNeural):
            total += 4 * parameter_counts(term.made.config)["total"]
    return total


def _named(row: Any) -> KeptTerm:
    key, title, weight = row
    return KeptTerm(_text(key), _text(title), _number(weight), None)


def _term(row: Any) -> KeptTerm:
    made = _made(row["made"]) if "made" in row else None
    return KeptTerm(_text(row["key"]), _text(row["title"]), _number(row["weight"]), made)


def _made(data: Any) -> KeptMade:
    kind = data["kind"]
    if kind == "linear":
        pairs = [
            (_text(key), _text(sentence, _LONGEST_RULE))
            for key, sentence in _rows(data["features"], MOST_LINES)
        ]
        _each_once([key for key, _ in pairs])
        return KeptLinear(tuple(pairs), _comparisons(data["comparisons"]))
    if kind == "neural":
        return KeptNeural(
            TransformerConfig.from_dict(data["config"]), _comparisons(data["comparisons"])
        )
    if kind == "rubric":
        lines = [
            (_text(key), _text(rule, _LONGEST_RULE), _number(weight))
            for key, rule, weight in _rows(data["criteria"], MOST_LINES)
        ]
        _each_once([key for key, _, _ in lines])
        if not all(0 < weight <= _GREATEST_WEIGHT for _, _, weight in lines):
            raise ValueError("weight of a criterion")
        return KeptRubric(tuple(lines))
    raise ValueError(kind)


def _rows(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError("not a list of a bearable length")
    return value


def _each_once(keys: list[str]) -> None:
    if not keys or len(set(keys)) != len(keys):
        raise ValueError("none, or one of them twice")


def _text(value: Any, longest: int = _LONGEST_NAME) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise TypeError("not a text of a bearable length")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError("not a number")
    return float(value)


def _comparisons(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= _MOST_COMPARISONS:
        raise TypeError("not a number of comparisons")
    return value
