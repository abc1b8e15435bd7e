"""Sampling rules, and generation from any language model."""

from engine.generation.generate import Ending, GeneratedToken, Generation, generate
from engine.generation.rules import Cut, SampledDistribution, SamplingRules, is_defined

__all__ = [
    "Cut",
    "Ending",
    "GeneratedToken",
    "Generation",
    "SampledDistribution",
    "SamplingRules",
    "generate",
    "is_defined",
]
