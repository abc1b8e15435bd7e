"""nanoGPT's CPU demo as it trains there, for comparison: the model and the step of its eager mode.

Written out anew after github.com/karpathy/nanoGPT (model.py and train.py, README section
"I only have a macbook"): plain modules, torch's attention and AdamW, windows drawn one by one.
Nothing in it is made slower or faster than there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from engine.tokenizers.stream import TokenStream

LAYERS, HEADS, WIDTH, CONTEXT, BATCH, STEPS = 4, 4, 128, 64, 12, 2000
RATE, LEAST_RATE, WARMUP = 1e-3, 1e-4, 100
PUBLISHED_LOSS = 1.885
"""Held-out nats per character after 2000 steps, by this recipe."""


class LayerNorm(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, self.weight.shape, self.weight, None, 1e-5)


class CausalSelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c_attn = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.c_proj = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        B, T, _ = x.shape
        q, k, v = (
            part.view(B, T, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in self.c_attn(x).split(WIDTH, dim=2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, WIDTH))


class MLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.c_fc = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.c_proj = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.c_proj(functional.gelu(self.c_fc(x)))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.attn = LayerNorm(WIDTH), CausalSelfAttention()
        self.ln_2, self.mlp = LayerNorm(WIDTH), MLP()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """ids (B, T), targets (B, T) → mean loss."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab_size, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.h = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f = LayerNorm(WIDTH)
        self.lm_head = nn.Linear(WIDTH, vocab_size, bias=False)
        self.wte.weight = self.lm_head.weight
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(p, 0.0, 0.02 / math.sqrt(2 * LAYERS))
            elif p.dim() == 2:
                nn.init.normal_(p, 0.0, 0.02)

    def forward(self, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return functional.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


@dataclass
class Reference:
    """The demo's run, step by step."""

    model: GPT
    optimizer: Any
    data: np.ndarray
    step_count: int = 0

    @classmethod
    def start(cls, train: TokenStream, seed: int = 1337) -> Reference:
        torch.manual_seed(seed)
        model = GPT(train.vocab_size)
        parameters = list(model.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99))
        return cls(model, optimizer, train.ids.astype(np.uint16))

    def step(self) -> None:
        at = self.step_count
        done = (at - WARMUP) / (STEPS - WARMUP)
        falling = LEAST_RATE + 0.5 * (1 + math.cos(math.pi * done)) * (RATE - LEAST_RATE)
        rate = RATE * (at + 1) / (WARMUP + 1) if at < WARMUP else falling
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(self.data) - CONTEXT, (BATCH,)).tolist()
        x = torch.stack([self._window(i) for i in starts])
        y = torch.stack([self._window(i + 1) for i in starts])
        loss = self.model(x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step_count += 1

    def _window(self, start: int) -> torch.Tensor:
        return torch.from_numpy(self.data[start : start + CONTEXT].astype(np.int64))

    @torch.no_grad()
    def evaluate(self, held_out: TokenStream) -> float:
        """Nats per token on the whole held-out text, in windows that don't overlap."""
        ids = torch.from_numpy(held_out.ids).long()
        whole = held_out.n_targets // CONTEXT * CONTEXT
        total = 0.0
        for start in range(0, whole, 32 * CONTEXT):
            end = min(start + 32 * CONTEXT, whole)
            x, y = ids[start:end].view(-1, CONTEXT), ids[start + 1 : end + 1].view(-1, CONTEXT)
            total += self.model(x, y).item() * y.numel()
        rest = (ids[None, whole:-1], ids[None, whole + 1 :])
        if rest[1].numel():
            total += self.model(*rest).item() * rest[1].numel()
        return total / held_out.n_targets
