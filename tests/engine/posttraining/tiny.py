"""A policy and a task so small that every answer can be listed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.models.transformer import TransformerConfig, TransformerModel
from engine.posttraining.prompts import Prompt
from engine.posttraining.tasks import Task


class Echo(Task):
    """Say the letter again."""

    key, title, description = "echo", "Echo", "Say it again."
    alphabet, max_answer = "ab?", 3

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return (Prompt("b?", "b"),) if held_out else (Prompt("a?", "a"), Prompt("aa?", "a"))

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        return "?"


def tiny_policy(seed: int = 0) -> TransformerModel:
    """Untrained, over Echo's characters."""
    size = Echo().tokenizer.vocab_size + 1
    config = TransformerConfig(vocab_size=size, context=8, layers=1, heads=2, width=16)
    return TransformerModel.untrained(config, seed=seed)
