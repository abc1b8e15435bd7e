"""Generation: keeping keys and values against reading the whole context again for each token."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.row import Row
from engine.models.base import Continuation
from engine.models.transformer import TransformerModel
from engine.training import modern

VOCAB_SIZE, TOKENS = 66, 256


def tokens_per_second(writing: Continuation, count: int, seed: int = 0) -> float:
    """Sample tokens at temperature 1; how many a second."""
    random = np.random.default_rng(seed)
    began = time.perf_counter()
    for _ in range(count):
        p = np.exp(writing.next_log_probs())
        writing.append(int(random.choice(len(p), p=p / p.sum())))
    return count / (time.perf_counter() - began)


def cached(path: Path | None = None) -> list[Row]:
    """Both ways from the same prompt, a context of 512 filled from half to full."""
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for layers, width in ((4, 128), (6, 384)):
        config = (
            modern().but(context=2 * TOKENS, layers=layers, width=width).model_config(VOCAB_SIZE)
        )
        model = TransformerModel.untrained(config, "modern")
        prompt = np.random.default_rng(1).integers(0, VOCAB_SIZE - 1, TOKENS - 1)
        rate = max(tokens_per_second(model.continuation(prompt), TOKENS) for _ in range(3))
        reference = tokens_per_second(Continuation(model, prompt), TOKENS)
        rows.append(
            Row(
                f"generation-{layers}x{width}",
                f"tokens a second with the KV cache, {layers} layers × {width}",
                rate,
                "tokens/s",
                reference,
                "recomputing the context for each token",
                rate / reference,
                "≥ 10 times the reference",
                rate >= 10 * reference,
            )
        )
    return rows


BENCHMARKS: dict[str, Callable[[Path | None], list[Row]]] = {"generation": cached}


def run(only: str | None = None) -> list[Row]:
    """Run one of them, or all."""
    return [row for name, part in BENCHMARKS.items() if only in (None, name) for row in part(None)]
