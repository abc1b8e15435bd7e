"""Steps of the forward pass whose gradients are written out by hand.

autograd would find the same gradients (the tests compare them), through more and smaller
operations; on a small model those cost as much time as the matrix products do. Each function
gives its derivation in a line or two.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

RMS_EPSILON = 1e-6
PATTERN_LIMIT = 2**23
"""Most numbers that the patterns of one layer may hold, 32 MB, for attention to keep them."""


def keeps_pattern(B: int, H: int, T: int) -> bool:
    """Whether attention keeps its whole pattern (B, H, T, T). That is 1.6 times as fast as torch's
    own attention, which never does (measured up to T = 256), but memory grows as T²."""
    return B * H * T * T <= PATTERN_LIMIT


def rms_norm(x: Tensor) -> Tensor:
    """x / √(mean(x²) + ε) over the last dimension: (…, D) → (…, D) (Zhang & Sennrich 2019)."""
    if not (torch.is_grad_enabled() and x.requires_grad):
        return x * _inverse_rms(x)  # a third of the time of torch's on one position
    y: Tensor = _RMSNorm.apply(x)  # type: ignore[no-untyped-call]
    return y


class _RMSNorm(torch.autograd.Function):
    """y = r·x with r = (mean(x²) + ε)^−½, so dr = −r³·mean(x·dx), and
    ∂x = r·(g − y·mean(g·y))."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # (…, D)
        r = _inverse_rms(x)  # (…, 1)
        y = x * r  # (…, D)
        ctx.save_for_backward(y, r)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,) = gradients  # (…, D)
        y, r = ctx.saved_tensors
        mean = (g * y).mean(dim=-1, keepdim=True)  # (…, 1)
        dx: Tensor = torch.addcmul(g, y, mean, value=-1).mul_(r)  # (…, D)
        return dx


def relu_squared(x: Tensor) -> Tensor:
    """ReLU(x)² (So et al. 2021), any shape."""
    if not (torch.is_grad_enabled() and x.requires_grad):
        return x.clamp_min(0).square_()
    y: Tensor = _ReluSquared.apply(x)  # type: ignore[no-untyped-call]
    return y


class _ReluSquared(torch.autograd.Function):
    """y = h² with h = max(x, 0), so ∂x = 2h·g."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        h = x.clamp_min(0)
        ctx.save_for_backward(h)
        return h * h

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (g,) = gradients
        (h,) = ctx.saved_tensors
        dx: Tensor = (g * h).mul_(2)
        return dx


def causal_attention(qkv: Tensor, heads: int, qk_norm: bool, turns: Tensor | None) -> Tensor:
    """From q, k and v of every position to every head's weighted sum of values.

    qkv (B, T, 3·D), turns (T, d/2) complex or None → (B, T, D). Row t of the pattern is
    softmax over j ≤ t of q̂ₜ·k̂ⱼ/√d, where q̂ and k̂ are q and k after QK-norm and rotation.
    """
    z: Tensor = _CausalAttention.apply(qkv, heads, qk_norm, turns)  # type: ignore[no-untyped-call]
    return z


class _CausalAttention(torch.autograd.Function):
    """With S = Q̂K̂ᵀ/√d, P = softmax(S), Z = PV and G = ∂Z:

    ∂V = PᵀG, ∂P = GVᵀ, ∂S = P ⊙ (∂P − rowsum(P ⊙ ∂P)), ∂Q̂ = ∂S K̂/√d, ∂K̂ = ∂Sᵀ Q̂/√d.
    A rotation keeps lengths and products, so the norm's gradient may be taken in the rotated
    frame, and ∂ then turned back.
    """

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, heads: int, qk_norm: bool, turns: Tensor | None) -> Tensor:
        B, T, D = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
        d = D // heads
        parts = qkv.view(B, T, 3, heads, d)  # (B, T, 3, H, d)
        qk, r = parts[:, :, :2], None  # (B, T, 2, H, d)
        if qk_norm:
            r = _inverse_rms(qk)  # (B, T, 2, H, 1)
            qk = qk * r  # (B, T, 2, H, d)
        rotated = qkv.new_empty(2, B, heads, T, d)
        _turn(qk, turns, rotated.permute(1, 3, 0, 2, 4))  # into (B, T, 2, H, d)
        q, k = rotated.view(2, B * heads, T, d)  # (B·H, T, d) each
        v = parts[:, :, 2].transpose(1, 2).reshape(B * heads, T, d)  # (B·H, T, d)
        scores = torch.baddbmm(
            _mask(T, qkv), q, k.transpose(1, 2), alpha=1 / math.sqrt(d)
        )  # (B·H, T, T)
        pattern = torch.softmax(scores, dim=-1, out=scores)  # (B·H, T, T)
        z = torch.bmm(pattern, v)  # (B·H, T, d)
        ctx.save_for_backward(rotated, v, pattern, r, turns)
        return z.view(B, heads, T, d).transpose(1, 2).reshape(B, T, D)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        rotated, v, pattern, r, turns = ctx.saved_tensors
        _, B, H, T, d = rotated.shape
        g = gradients[0].view(B, T, H, d).transpose(1, 2).reshape(B * H, T, d)  # (B·H, T, d)
        q, k = rotated.view(2, B * H, T, d)  # (B·H, T, d) each
        out = g.new_empty(B, T, 3, H, d)
        dv = torch.bmm(pattern.transpose(1, 2), g)  # (B·H, T, d)
        out[:, :, 2] = dv.view(B, H, T, d).transpose(1, 2)  # (B, T, H, d)
        dp = torch.bmm(g, v.transpose(1, 2))  # (B·H, T, T)
        ds = torch.ops.aten._softmax_backward_data(dp, pattern, -1, dp.dtype)  # (B·H, T, T)
        turned = torch.empty_like(rotated)  # (2, B, H, T, d)
        torch.bmm(ds, k, out=turned[0].view(B * H, T, d))  # (B·H, T, d)
        torch.bmm(ds.transpose(1, 2), q, out=turned[1].view(B * H, T, d))  # (B·H, T, d)
        scale: Tensor | float = 1 / math.sqrt(d)
        if r is not None:
            mean = (turned * rotated).mean(dim=-1, keepdim=True)  # (2, B, H, T, 1)
            turned.addcmul_(rotated, mean, value=-1)  # (2, B, H, T, d)
            scale = r.permute(2, 0, 3, 1, 4) * scale  # (2, B, H, T, 1)
        turned.mul_(scale)  # (2, B, H, T, d)
        back = None if turns is None else turns.conj().resolve_conj()  # (T, d/2)
        _turn(turned.permute(1, 3, 0, 2, 4), back, out[:, :, :2])  # (B, T, 2, H, d)
        return out.view(B, T, -1), None, None, None


def _turn(x: Tensor, turns: Tensor | None, out: Tensor) -> None:
    """Write x (B, T, 2, H, d) into ``out``, each pair of numbers turned as position t is."""
    if turns is None:
        out.copy_(x)
        return
    torch.mul(_as_pairs(x), turns[:, None, None, :], out=_as_pairs(out))  # (B, T, 2, H, d/2)


def _as_pairs(x: Tensor) -> Tensor:
    """A view of (…, d) as d/2 complex numbers, x₂ⱼ + i·x₂ⱼ₊₁."""
    stride = x.stride()
    pairs = x.as_strided((*x.shape[:-1], x.shape[-1] // 2, 2), (*stride[:-1], 2, 1))
    return torch.view_as_complex(pairs)


def _inverse_rms(x: Tensor) -> Tensor:
    """(mean(x²) + ε)^−½ over the last dimension, (…, D) → (…, 1)."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)  # (…, 1)
    inverse: Tensor = length.square_().div_(x.shape[-1]).add_(RMS_EPSILON).rsqrt_()
    return inverse


_masks: dict[tuple[int, torch.device, torch.dtype], Tensor] = {}


def _mask(T: int, like: Tensor) -> Tensor:
    """(T, T): 0 where a query may look, −∞ above the diagonal."""
    key = (T, like.device, like.dtype)
    if key not in _masks:
        _masks[key] = like.new_full((T, T), -math.inf).triu(diagonal=1)
    return _masks[key]
