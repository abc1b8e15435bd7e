"""What is known of a post-training run, as its pages see it: all of it immutable. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import LabError
from engine.models.base import LogProbs
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import Floats, RewardMix, RewardTerm
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task

MOST_UPDATES = 2_000


@dataclass(frozen=True)
class Order:
    """What is to be post-trained, how, and for how long."""

    task: Task
    settings: GRPOSettings
    reward: RewardMix
    updates: int

    def __post_init__(self) -> None:
        if not 1 <= self.updates <= MOST_UPDATES:
            raise LabError(f"A run has 1 to {MOST_UPDATES:,} updates, not {self.updates:,}.")


@dataclass(frozen=True)
class Score:
    """The mean true score on held-out prompts after some updates."""

    update: int
    value: float


@dataclass(frozen=True)
class Look:
    """What the policy says to the shown prompts after some updates. P prompts."""

    update: int
    answers: tuple[Answer, ...]
    """One to each prompt, (P,); drawn with the same random numbers at every look."""
    true_scores: Floats
    """(P,)"""
    first_tokens: Floats
    """log p of each answer's first token, (P, V)."""


@dataclass(frozen=True)
class Event:
    """Something that happened to the run after ``update`` updates."""

    update: int
    text: str


@dataclass(frozen=True)
class News:
    """All there is to know of a run at one moment. Immutable."""

    order: Order
    records: tuple[UpdateRecord, ...] = ()
    scores: tuple[Score, ...] = ()
    events: tuple[Event, ...] = ()
    shown: tuple[Prompt, ...] = ()
    """The prompts that ``looks`` are about."""
    looks: tuple[Look, ...] = ()
    """The first is the reference's, before any update."""
    terms: tuple[RewardTerm, ...] = ()
    """Those of the reward as it was last, which the window may have changed since the order; after
    them those that judged before, the latest first."""

    @property
    def update(self) -> int:
        """Updates made."""
        return len(self.records)

    @property
    def finished(self) -> bool:
        """Whether all updates of the order were made."""
        return self.update >= self.order.updates


@dataclass(frozen=True)
class Ended:
    """How a job of post-training ended of itself."""

    news: News
    reason: Literal["finished", "paused"]


@dataclass(frozen=True)
class Comparison:
    """Policy and reference on one prompt."""

    prompt: str
    target: str
    """The right answer; empty where the prompt is the learner's own and none is known."""
    policy: tuple[tuple[str, int], ...]
    """Its answers with how often each came, the most frequent first."""
    reference: tuple[tuple[str, int], ...]
    policy_next: LogProbs
    """(V,): the policy's distribution over the answer's first token."""
    reference_next: LogProbs
    update: int
