"""A decoder-only transformer: text in, for every position the scores of the next token out.

Vaswani et al. 2017 with the norms moved to the front of each sublayer (Radford et al. 2019),
and the choices of TransformerConfig. Left out: dropout (no model here is large enough to need
it before it runs out of time) and sparse or sliding attention.

Shapes: B documents, T positions, D width, H heads, d = D/H, F hidden width of the FFN, V tokens.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.models.transformer.cache import KVCache
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.functions import (
    causal_attention,
    keeps_pattern,
    relu_squared,
    rms_norm,
)
from engine.models.transformer.points import Recorder, SwitchedOff

NOTHING_OFF = SwitchedOff()


class Linear(nn.Module):
    """A matrix that multiplies, with a bias if the config says so."""

    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)


class Norm(nn.Module):
    """LayerNorm (Ba et al. 2016) or RMSNorm (Zhang & Sennrich 2019) over the last dimension."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.kind = config.norm
        self.width = config.width
        self.gain = nn.Parameter(torch.ones(config.width)) if config.norm_gain else None
        shift = config.norm_gain and config.bias and config.norm == "layernorm"
        self.shift = nn.Parameter(torch.zeros(config.width)) if shift else None

    def forward(self, x: Tensor) -> Tensor:
        if self.kind == "layernorm":
            return functional.layer_norm(x, (self.width,), self.gain, self.shift)  # (B, T, D)
        y = rms_norm(x)  # (B, T, D)
        return y if self.gain is None else y * self.gain  # (B, T, D)


class Attention(nn.Module):
    """Causal self-attention: each position gathers values from itself and those before it."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        D = config.width
        self.qkv = Linear(D, 3 * D, config.bias)  # W_Q, W_K and W_V above one another
        self.out = Linear(D, D, config.bias)  # W_O

    def forward(
        self,
        x: Tensor,
        turns: Tensor | None,
        layer: int,
        cache: KVCache | None,
        record: Recorder | None,
        off: SwitchedOff,
    ) -> Tensor:
        B, T, D = x.shape
        H, d = self.config.heads, self.config.head_width
        qkv = self.qkv(x)  # (B, T, 3·D)
        plain = cache is None and record is None and off is NOTHING_OFF
        if plain and keeps_pattern(B, H, T):
            z = causal_attention(qkv, H, self.config.qk_norm, turns)  # (B, T, D)
            fast: Tensor = self.out(z)  # (B, T, D)
            return fast
        parts = qkv.view(B, T, 3, H, d).permute(2, 0, 3, 1, 4)  # (3, B, H, T, d)
        qk, v = parts[:2], parts[2]  # (2, B, H, T, d), (B, H, T, d)
        if self.config.qk_norm:
            qk = rms_norm(qk)  # (2, B, H, T, d)
        if turns is not None:
            qk = rotate(qk, turns)  # (2, B, H, T, d)
        q, k = qk[0], qk[1]  # (B, H, T, d) each
        if record is not None:
            for point, value in (("q", q), ("k", k), ("v", v)):
                record.keep(f"{layer}.{point}", value)
        if cache is not None:
            k, v = cache.extend(layer, k, v)  # (B, H, S, d) each, S = T + tokens before
        if record is not None:
            z = self._explicit(q, k, v, layer, record)  # (B, H, T, d)
        elif T == 1:
            # the only query sees every key: no mask
            scores = torch.bmm(q.flatten(0, 1), k.flatten(0, 1).mT)  # (B·H, 1, S)
            pattern = scores.div_(math.sqrt(d)).softmax(dim=-1)  # (B·H, 1, S)
            z = torch.bmm(pattern, v.flatten(0, 1)).view(B, H, 1, d)
        elif k.shape[2] == T:
            z = functional.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, H, T, d)
        else:
            mask = causal_mask(T, k.shape[2], q.device)  # (T, S)
            z = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, H, T, d)
        silent = [head for where, head in off.heads if where == layer]
        if silent:
            z = z.index_fill(1, torch.tensor(silent, device=z.device), 0.0)  # (B, H, T, d)
        if record is not None:
            record.keep(f"{layer}.z", z)
        joined = z.transpose(1, 2).reshape(B, T, D)  # (B, T, D)
        out: Tensor = self.out(joined)  # (B, T, D)
        return out

    @staticmethod
    def _explicit(q: Tensor, k: Tensor, v: Tensor, layer: int, record: Recorder) -> Tensor:
        """softmax(mask(q kᵀ/√d)) v written out, so that scores and pattern can be seen."""
        T, S = q.shape[2], k.shape[2]
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # (B, H, T, S)
        visible = causal_mask(T, S, q.device)  # (T, S)
        pattern = scores.masked_fill(~visible, -math.inf).softmax(dim=-1)  # (B, H, T, S)
        record.keep(f"{layer}.scores", scores)
        record.keep(f"{layer}.pattern", pattern)
        return pattern @ v  # (B, H, T, d)


class FeedForward(nn.Module):
    """The FFN: each position by itself through a wider layer.

    ReLU(xW₁)W₂, GELU(xW₁)W₂, ReLU(xW₁)²W₂ (So et al. 2021), or gated,
    (Swish(xW₁) ⊙ xW₂)W₃ (Shazeer 2020). GELU is the exact one, x·Φ(x).
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.kind = config.ffn
        self.up = Linear(config.width, config.hidden, config.bias)  # W₁
        gated = config.ffn == "swiglu"
        self.gate = Linear(config.width, config.hidden, config.bias) if gated else None  # W₂
        self.down = Linear(config.hidden, config.width, config.bias)  # W₂, or W₃ if gated

    def forward(self, x: Tensor, layer: int, record: Recorder | None) -> Tensor:
        pre = self.up(x)  # (B, T, F)
        if self.kind == "relu":
            post = functional.relu(pre)  # (B, T, F)
        elif self.kind == "gelu":
            post = functional.gelu(pre)  # (B, T, F)
        elif self.kind == "relu2":
            post = relu_squared(pre)  # (B, T, F)
        else:
            assert self.gate is not None
            gate = self.gate(x)  # (B, T, F)
            post = functional.silu(pre) * gate  # (B, T, F)
            if record is not None:
                record.keep(f"{layer}.mlp_gate", gate)
        if record is not None:
            record.keep(f"{layer}.mlp_pre", pre)
            record.keep(f"{layer}.mlp_post", post)
        out: Tensor = self.down(post)  # (B, T, D)
        return out


class Block(nn.Module):
    """One layer: o = Attention(norm(x)) + x, then FFN(norm(o)) + o."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.residual = config.residual
        self.attention_norm = Norm(config)
        self.attention = Attention(config)
        self.ffn_norm = Norm(config)
        self.ffn = FeedForward(config)

    def forward(
        self,
        x: Tensor,
        turns: Tensor | None,
        layer: int,
        cache: KVCache | None,
        record: Recorder | None,
        off: SwitchedOff,
    ) -> Tensor:
        keep = 1.0 if self.residual and layer not in off.residuals else 0.0
        attended = self.attention(
            self.attention_norm(x), turns, layer, cache, record, off
        )  # (B, T, D)
        if layer in off.attentions:
            attended = torch.zeros_like(attended)  # (B, T, D)
        o = x + attended if keep else attended  # (B, T, D)
        transformed = self.ffn(self.ffn_norm(o), layer, record)  # (B, T, D)
        if layer in off.ffns:
            transformed = torch.zeros_like(transformed)  # (B, T, D)
        y: Tensor = o + transformed if keep else transformed  # (B, T, D)
        if record is not None:
            for point, value in (
                ("resid_pre", x),
                ("attn_out", attended),
                ("resid_mid", o),
                ("mlp_out", transformed),
                ("resid_post", y),
            ):
                record.keep(f"{layer}.{point}", value)
        return y


class Transformer(nn.Module):
    """The whole model. Parameters are uninitialised until ``initialise`` fills them."""

    turns: Tensor

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        V, D = config.vocab_size, config.width
        self.embedding = nn.Parameter(torch.empty(V, D))
        learned = config.positions == "learned"
        self.positions = nn.Parameter(torch.empty(config.context, D)) if learned else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = Norm(config)
        self.output = None if config.tied else nn.Parameter(torch.empty(V, D))
        if config.positions == "rotary":
            table = rotation_table(config.context, config.head_width)  # (context, d/2) complex
            self.register_buffer("turns", table, persistent=False)

    def forward(
        self,
        ids: Tensor,
        *,
        cache: KVCache | None = None,
        record: Recorder | None = None,
        off: SwitchedOff = NOTHING_OFF,
    ) -> Tensor:
        """ids (B, T) int64 → logits (B, T, V): row t scores the token after position t.

        With a cache, ids are the tokens that follow those in it, and the cache grows by T.
        The caller sees to it that no more than ``context`` tokens are seen at once.
        """
        start = 0 if cache is None else cache.length
        T = ids.shape[1]
        if start + T > self.config.context:
            raise ValueError(f"{start + T} tokens don't fit a context of {self.config.context}")
        x = functional.embedding(ids, self.embedding)  # (B, T, D)
        if record is not None:
            record.keep("embedding", x)
        if self.positions is not None and not off.positions:
            x = x + self.positions[start : start + T]  # (B, T, D)
        turns = None
        if self.config.positions == "rotary" and not off.positions:
            turns = self.turns[start : start + T]  # (T, d/2) complex
        for layer, block in enumerate(self.blocks):
            x = block(x, turns, layer, cache, record, off)  # (B, T, D)
        if cache is not None:
            cache.length += T
        x = self.final_norm(x)  # (B, T, D)
        logits = self.unembed(x)  # (B, T, V)
        if record is not None:
            record.keep("final", x)
            record.keep("logits", logits)
        return logits

    def unembed(self, x: Tensor) -> Tensor:
        """A normed residual stream (…, D) → logits (…, V). The logit lens puts any layer's in:
        ``model.unembed(model.final_norm(record["1.resid_post"]))``."""
        return functional.linear(x, self.embedding if self.output is None else self.output)

    def loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Mean −log p(target) in nats: ids (B, T), targets (B, T) → a scalar."""
        logits = self.forward(ids)  # (B, T, V)
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def causal_mask(T: int, S: int, device: torch.device) -> Tensor:
    """(T, S): true where a query may look. The last query stands at the last of S keys."""
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(diagonal=S - T)


def rotation_table(context: int, d: int) -> Tensor:
    """exp(i · position · 10000^(−2j/d)), shape (context, d/2), complex (Su et al. 2021, eq. 15)."""
    frequencies = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)  # (d/2,)
    angles = torch.arange(context, dtype=torch.float64)[:, None] * frequencies  # (context, d/2)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn the pair (x₂ⱼ, x₂ⱼ₊₁) of each position t by the angle t·θⱼ (Su et al. 2021, eq. 34).

    x (…, T, d), turns (T, d/2) complex → (…, T, d). A pair is the complex number
    x₂ⱼ + i·x₂ⱼ₊₁, and turning it is a multiplication. After it, q·k depends on how far apart two
    positions are, not on where they stand.
    """
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))  # (…, T, d/2)
    return torch.view_as_real(pairs * turns).flatten(-2)  # (…, T, d)
