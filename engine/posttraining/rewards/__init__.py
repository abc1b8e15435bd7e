"""What is rewarded: terms, and their mix with weights (reward shaping)."""

from engine.posttraining.rewards.for_task import terms_for
from engine.posttraining.rewards.mix import RewardMix
from engine.posttraining.rewards.term import Floats, Kind, RewardTerm
from engine.posttraining.rewards.verifiable import (
    TERMS,
    exact,
    length,
    partial_credit,
    well_formed,
)

__all__ = [
    "TERMS",
    "Floats",
    "Kind",
    "RewardMix",
    "RewardTerm",
    "exact",
    "length",
    "partial_credit",
    "terms_for",
    "well_formed",
]
