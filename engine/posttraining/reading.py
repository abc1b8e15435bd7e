"""log π of answers that are there already: each prompt is read once for all its answers.

A group's G answers share their prompt, which is most of what there is to read. So the prompts go
through the model first, and the answers then attend to their keys and values, with gradients
flowing back through both. The same numbers come out as from G whole texts (the tests compare
them), for a third of the work on the sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.models.transformer.cache import KVCache
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.module import Transformer
from engine.posttraining.objective import token_log_probs

_ROWS_AT_ONCE = 128
"""Answers whose gradient is computed between two yield points."""


class SharedPrompts(KVCache):
    """Keys and values of p prompts, each seen by the G answers that follow it."""

    def __init__(self, config: TransformerConfig, group: int) -> None:
        self.length = 0
        self._group = group
        self._prompts: list[tuple[Tensor, Tensor]] = []

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """First the prompts' k and v (p, H, S, d), kept; then the answers' (p·G, H, L, d), given
        back behind their prompts', (p·G, H, S + L, d)."""
        if self.length == 0:
            self._prompts.append((k, v))
            return k, v
        first_k, first_v = (x.repeat_interleave(self._group, dim=0) for x in self._prompts[layer])
        return torch.cat([first_k, k], dim=2), torch.cat([first_v, v], dim=2)


def answer_log_probs(
    module: Transformer, prompts: Tensor, answers: Tensor, temperature: float = 1.0
) -> Tensor:
    """log π of every token of G answers to each prompt.

    Args:
        module: the policy.
        prompts: (p, S) token ids, begin-of-text in front.
        answers: (p·G, L) token ids, G in a row for each prompt.
        temperature: of the policy.

    Returns:
        (p·G, L)
    """
    group = len(answers) // len(prompts)
    cache = SharedPrompts(module.config, group)
    logits = module(prompts, cache=cache)[:, -1:]  # (p, 1, V)
    logits = logits.repeat_interleave(group, dim=0)  # (p·G, 1, V)
    if answers.shape[1] > 1:
        rest = module(answers[:, :-1], cache=cache)  # (p·G, L − 1, V)
        logits = torch.cat([logits, rest], dim=1)  # (p·G, L, V)
    return token_log_probs(logits, answers, temperature)


@dataclass(frozen=True)
class Piece:
    """Prompts of one length, side by side, and the rows of their answers in the batch."""

    prompts: Tensor
    """(p, S) token ids, begin-of-text in front."""
    rows: slice


def pieces_of(prompts: Sequence[Sequence[int]], group: int, begin: int) -> Iterator[Piece]:
    """Cut a batch into pieces of about as many answers as are worked on between two yield points.

    Args:
        prompts: token ids; those of one length should stand together, for long pieces.
        group: G.
        begin: the id put in front of each.
    """
    most, start = max(1, _ROWS_AT_ONCE // group), 0
    while start < len(prompts):
        end = start + 1
        while (
            end < len(prompts) and end - start < most and len(prompts[end]) == len(prompts[start])
        ):
            end += 1
        ids = torch.tensor([[begin, *prompt] for prompt in prompts[start:end]])  # (p, S)
        yield Piece(ids, slice(start * group, end * group))
        start = end
