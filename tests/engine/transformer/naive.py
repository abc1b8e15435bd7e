"""A transformer written out with loops and float64 numpy, for comparison. Shares no code."""

from __future__ import annotations

import math

import numpy as np

from engine.models.transformer import Transformer, TransformerConfig


def _normalise(x, kind, gain, shift):
    if kind == "layernorm":
        y = (x - x.mean()) / math.sqrt(x.var() + 1e-5)
    else:
        y = x / math.sqrt((x * x).mean() + 1e-6)
    y = y if gain is None else y * gain
    return y if shift is None else y + shift


def _activation(x, kind):
    if kind == "gelu":
        return x * 0.5 * (1 + math.erf(x / math.sqrt(2)))
    if kind == "swiglu":
        return x / (1 + math.exp(-x))
    return max(x, 0.0) ** (2 if kind == "relu2" else 1)


def _turned(x, t):
    y = x.copy()
    for j in range(len(x) // 2):
        angle = t * 10000 ** (-2 * j / len(x))
        a, b = x[2 * j], x[2 * j + 1]
        y[2 * j] = a * math.cos(angle) - b * math.sin(angle)
        y[2 * j + 1] = a * math.sin(angle) + b * math.cos(angle)
    return y


def naive_logits(module: Transformer, ids: list[int]) -> np.ndarray:
    """(T, V) logits of one document, token by token, head by head, term by term."""
    c: TransformerConfig = module.config
    p = {name: t.detach().double().numpy() for name, t in module.named_parameters()}

    def affine(name, x):
        y = p[f"{name}.weight"] @ x
        return y + p[f"{name}.bias"] if f"{name}.bias" in p else y

    def norm(name, x):
        return _normalise(x, c.norm, p.get(f"{name}.gain"), p.get(f"{name}.shift"))

    stream = [p["embedding"][i].copy() for i in ids]
    if c.positions == "learned":
        stream = [x + p["positions"][t] for t, x in enumerate(stream)]
    for layer in range(c.layers):
        block = f"blocks.{layer}"
        d = c.width // c.heads
        queries, keys, values = [], [], []
        for t, x in enumerate(stream):
            qkv = affine(f"{block}.attention.qkv", norm(f"{block}.attention_norm", x))
            q, k, v = qkv[: c.width], qkv[c.width : 2 * c.width], qkv[2 * c.width :]
            heads_q, heads_k, heads_v = [], [], []
            for h in range(c.heads):
                part = slice(h * d, (h + 1) * d)
                qh, kh = q[part], k[part]
                if c.qk_norm:
                    qh = _normalise(qh, "rmsnorm", None, None)
                    kh = _normalise(kh, "rmsnorm", None, None)
                if c.positions == "rotary":
                    qh, kh = _turned(qh, t), _turned(kh, t)
                heads_q.append(qh)
                heads_k.append(kh)
                heads_v.append(v[part])
            queries.append(heads_q)
            keys.append(heads_k)
            values.append(heads_v)
        after = []
        for t, x in enumerate(stream):
            joined = []
            for h in range(c.heads):
                weights = [
                    math.exp(queries[t][h] @ keys[j][h] / math.sqrt(d)) for j in range(t + 1)
                ]
                total = sum(weights)
                joined.append(sum(w / total * values[j][h] for j, w in enumerate(weights)))
            attended = affine(f"{block}.attention.out", np.concatenate(joined))
            o = x + attended if c.residual else attended
            y = norm(f"{block}.ffn_norm", o)
            hidden = np.array([_activation(a, c.ffn) for a in affine(f"{block}.ffn.up", y)])
            if c.ffn == "swiglu":
                hidden = hidden * affine(f"{block}.ffn.gate", y)
            out = affine(f"{block}.ffn.down", hidden)
            after.append(o + out if c.residual else out)
        stream = after
    matrix = p["embedding"] if c.tied else p["output"]
    return np.stack([matrix @ norm("final_norm", x) for x in stream])
