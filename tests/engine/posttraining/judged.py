"""Rewards that somebody made for the tiny task: learned models of both kinds, and a rubric."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.posttraining.annotators import Annotator
from engine.posttraining.candidates import Candidates
from engine.posttraining.checkpoints import load_run
from engine.posttraining.features import features_of
from engine.posttraining.grpo import GRPO
from engine.posttraining.preferences import draw_pairs
from engine.posttraining.prompts import Answer
from engine.posttraining.record_files import record_to_dict
from engine.posttraining.reward_model import (
    FeatureReader,
    Reader,
    RewardModel,
    as_term,
    learn,
    read_comparisons,
)
from engine.posttraining.reward_model_neural import PolicyReader
from engine.posttraining.rewards import RewardMix, RewardTerm, terms_for
from engine.posttraining.rubric import Rubric, criteria_for
from engine.posttraining.settings import GRPOSettings
from tests.engine.posttraining.tiny import Echo, tiny_policy

ECHO = Echo()
EXACT, PARTIAL, FORMAT, LENGTH, ANYWHERE = terms_for(ECHO)
SETTINGS = GRPOSettings(prompts=4, group=4, beta=0.1, penalty="reward", seed=3)
KINDS = ("linear", "neural", "rubric", "mix")


@cache
def model(kind: str, seed: int = 0) -> RewardModel:
    """What an annotator who likes long and right answers taught."""
    rng = np.random.default_rng(seed)
    prompts = tuple(ECHO.prompts(held_out=False))
    answers = []
    for _ in range(16):
        n = int(rng.integers(1, 3))
        text = "".join(rng.choice(list("ab?"), size=n))
        answers.append(Answer(text, bool(rng.random() < 0.8), n + 1))
    pool = Candidates(prompts, tuple(answers), 8)
    features = features_of(ECHO)
    clicks = Annotator(true=2.0, length=1.0).compare(features, draw_pairs(pool, 40, seed), seed)
    reader: Reader = FeatureReader(features)
    if kind == "neural":
        reader = PolicyReader(tiny_policy(seed + 7), ECHO)
    return learn(reader, read_comparisons(reader, clicks))


@cache
def rubric() -> Rubric:
    """Odd weights, one of them 0."""
    criteria = criteria_for(ECHO)
    return Rubric(tuple((c, 0.0 if i == 1 else 0.3 + i / 7) for i, c in enumerate(criteria)))


def reward(kind: str) -> RewardMix:
    """One of KINDS."""
    made: dict[str, tuple[tuple[RewardTerm, float], ...]] = {
        "linear": ((as_term(model("linear"), 1), 0.7),),
        "neural": ((as_term(model("neural"), 1), 1.3),),
        "rubric": ((rubric().as_term(), 2.0),),
    }
    every = tuple(pair for pairs in made.values() for pair in pairs)
    return RewardMix(((EXACT, 1.0), (LENGTH, 0.0), *made.get(kind, every)))


def a_run(mix: RewardMix) -> GRPO:
    """A run of the tiny policy, not begun."""
    return GRPO(tiny_policy(1), ECHO, mix, SETTINGS)


def next_updates(run: GRPO, n: int = 2) -> list[dict[str, Any]]:
    """All that the next updates did, as JSON values, but for the seconds they took."""
    found = []
    for _ in range(n):
        record = record_to_dict(run.update())
        record["numbers"][-1] = 0
        found.append(record)
    return found


if __name__ == "__main__":  # a process that has made nothing
    went_on = {
        name: next_updates(load_run(Path(sys.argv[1]) / name, ECHO, terms_for(ECHO)))
        for name in sys.argv[2:]
    }
    sys.stdout.write(json.dumps(went_on))
