"""How one number inside a transformer came about, term by term.

``explain`` takes a number of ``Inside`` by its place and computes it again, in float64, from
the numbers that went into it and the model's parameters: the formula with its real numbers.
What the model itself had (in float32) stands beside it and differs by rounding only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from engine.models.transformer.functions import RMS_EPSILON
from engine.models.transformer.inside import Inside
from engine.models.transformer.inside_terms import (
    Rule,
    Vector,
    Worked,
    added,
    linear_row,
    normed,
    nothing,
    products,
)
from engine.models.transformer.module import Block


@dataclass(frozen=True)
class Place:
    """One number: which point, and where in it.

    ``position`` counts from the window's start. ``index`` is the place in the vector; the key
    j for "scores" and "pattern"; the token's id for "logits" and "probability".
    """

    point: str
    position: int
    index: int
    layer: int = -1
    head: int = -1


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """A number, written out."""

    place: Place
    rule: Rule
    columns: tuple[str, ...]
    """What stands in the columns of ``terms``."""
    terms: Vector
    """(n, columns): the numbers that went in, one row a term; may be empty."""
    labels: tuple[int, ...]
    """(n,) what each row belongs to: a place in a vector, a position, or a token id."""
    steps: tuple[tuple[str, float], ...]
    """What is done with them, in words and symbols, each with its result."""
    value: float
    """The last step's result."""
    model: float
    """What the model had in its own pass."""


@torch.inference_mode()
def explain(inside: Inside, place: Place) -> Arithmetic:
    """Compute one number of a forward pass again from what went into it.

    Raises:
        KeyError: if the model has no such point.
        IndexError: if the point has no such place.
    """
    if place.point not in _WORK:
        raise KeyError(place.point)
    model = _recorded(inside, place)
    rule, columns, terms, labels, steps = _WORK[place.point](inside, place)
    return Arithmetic(place, rule, columns, terms, labels, tuple(steps), steps[-1][1], model)


def _recorded(inside: Inside, p: Place) -> float:
    if p.index < 0 or p.position < 0 or p.position >= len(inside.ids):
        raise IndexError("there is no such place in the window")
    if p.point in ("logits", "probability"):
        module = inside.model.module
        x = torch.from_numpy(inside.final[p.position].copy()).to(module.embedding.device)
        logits = module.unembed(x)  # (V,)
        chosen = logits if p.point == "logits" else logits.double().softmax(dim=-1)
        return float(chosen[p.index])
    array = inside.at(p.point, p.layer)
    where = (p.head, p.position, p.index) if array.ndim == 3 else (p.position, p.index)
    return float(array[where])


# ----------------------------------------------------------------------------- the residual stream
def _embedding(inside: Inside, p: Place) -> Worked:
    token = int(inside.ids[p.position])
    value = float(inside.model.module.embedding[token, p.index])
    return "lookup", (), nothing(), (), [(f"row {token} of W, number {p.index + 1}", value)]


def _resid_pre(inside: Inside, p: Place) -> Worked:
    if p.layer > 0:
        value = float(inside.layers[p.layer - 1]["resid_post"][p.position, p.index])
        return "carried", (), nothing(), (), [(f"what layer {p.layer} left behind", value)]
    x = float(inside.embedding[p.position, p.index])
    learned = inside.model.module.positions
    if learned is None or inside.model.off.positions:
        return "carried", (), nothing(), (), [("the embedding, nothing added", x)]
    at = float(learned[p.position, p.index])
    return added([("embedding xₜ", x), (f"vector of position {p.position}", at)])


def _resid_mid(inside: Inside, p: Place) -> Worked:
    return _residual(inside, p, "resid_pre", "xₜ", "attn_out", "attention's output")


def _resid_post(inside: Inside, p: Place) -> Worked:
    return _residual(inside, p, "resid_mid", "oₜ", "mlp_out", "FFN(oₜ)")


def _residual(inside: Inside, p: Place, kept: str, x: str, update: str, name: str) -> Worked:
    layer = inside.layers[p.layer]
    out = (name, float(layer[update][p.position, p.index]))
    if not inside.config.residual or p.layer in inside.model.off.residuals:
        return "carried", (), nothing(), (), [(f"{name} alone: no residual connection", out[1])]
    return added([(x, float(layer[kept][p.position, p.index])), out])


# ---------------------------------------------------------------------------------------- the norms
def _attn_in(inside: Inside, p: Place) -> Worked:
    block = _block(inside, p)
    return normed(block.attention_norm, inside.layers[p.layer]["resid_pre"][p.position], p.index)


def _ffn_in(inside: Inside, p: Place) -> Worked:
    return normed(
        _block(inside, p).ffn_norm, inside.layers[p.layer]["resid_mid"][p.position], p.index
    )


def _final(inside: Inside, p: Place) -> Worked:
    x = inside.layers[-1]["resid_post"][p.position]
    return normed(inside.model.module.final_norm, x, p.index)


# ---------------------------------------------------------------------------------------- attention
def _projected(part: int, name: str) -> Callable[[Inside, Place], Worked]:
    def work(inside: Inside, p: Place) -> Worked:
        row = part * inside.config.width + p.head * inside.config.head_width + p.index
        x = inside.layers[p.layer]["attn_in"][p.position]
        return linear_row(_block(inside, p).attention.qkv, row, x, ("norm(x)", name))

    return work


def _qk_normed(name: str) -> Callable[[Inside, Place], Worked]:
    def work(inside: Inside, p: Place) -> Worked:
        raw = inside.layers[p.layer][f"{name}_raw"][p.head, p.position].astype(np.float64)  # (d,)
        if not inside.config.qk_norm:
            return "carried", (), nothing(), (), [("unchanged: no QK-norm", float(raw[p.index]))]
        square = float((raw**2).mean())
        value = float(raw[p.index]) / math.sqrt(square + RMS_EPSILON)
        steps = [
            (f"{name}ᵢ before", float(raw[p.index])),
            ("mean of the squares", square),
            (f"{name}ᵢ / √(mean of squares + {RMS_EPSILON:g})", value),
        ]
        terms = np.stack([raw, raw**2], axis=1)
        return "qk_norm", (name, f"{name}²"), terms, tuple(range(len(raw))), steps

    return work


def _turned(name: str) -> Callable[[Inside, Place], Worked]:
    """Su et al. 2021, eq. 34: a pair of numbers is turned by position · 10000^(−2j/d)."""

    def work(inside: Inside, p: Place) -> Worked:
        x = inside.layers[p.layer][f"{name}_normed"][p.head, p.position].astype(np.float64)
        if inside.config.positions != "rotary" or inside.model.off.positions:
            why = "positions are switched off" if inside.model.off.positions else "no rotation"
            return "carried", (), nothing(), (), [(f"unchanged: {why}", float(x[p.index]))]
        pair = p.index // 2
        angle = p.position * 10000.0 ** (-2 * pair / inside.config.head_width)
        a, b = float(x[2 * pair]), float(x[2 * pair + 1])
        first = p.index % 2 == 0
        turned = "a·cos − b·sin" if first else "a·sin + b·cos"
        c, s = math.cos(angle), math.sin(angle)
        value = a * c - b * s if first else a * s + b * c
        steps = [
            ("a, the pair's first number", a),
            ("b, its second", b),
            (f"angle = {p.position} · 10000^(−{2 * pair}/{inside.config.head_width})", angle),
            (turned, value),
        ]
        return "turn", (), nothing(), (), steps

    return work


def _score(inside: Inside, p: Place) -> Worked:
    layer, d = inside.layers[p.layer], inside.config.head_width
    q = layer["q"][p.head, p.position].astype(np.float64)  # (d,)
    k = layer["k"][p.head, p.index].astype(np.float64)  # (d,)
    total = float(q @ k)
    steps = [("sum of the products", total), (f"÷ √d = √{d}", total / math.sqrt(d))]
    return "score", ("qₜ", "kⱼ", "qₜ·kⱼ"), np.stack([q, k, q * k], 1), tuple(range(d)), steps


def _pattern(inside: Inside, p: Place) -> Worked:
    t, j = p.position, p.index
    if j > t:
        return "masked", (), nothing(), (), [("masked: position j lies in the future of t", 0.0)]
    scores = inside.layers[p.layer]["scores"][p.head, t, : t + 1].astype(np.float64)  # (t + 1,)
    top = float(scores.max())
    powers = np.exp(scores - top)  # (t + 1,)
    total = float(powers.sum())
    steps = [
        ("score", float(scores[j])),
        ("largest score m (cancels, keeps exp in range)", top),
        ("exp(score − m)", float(powers[j])),
        ("sum over all j ≤ t", total),
        ("exp(score − m) ÷ sum", float(powers[j]) / total),
    ]
    terms = np.stack([scores, powers, powers / total], axis=1)
    columns = ("score", "exp(score − m)", "attention")
    return "softmax", columns, terms, tuple(range(t + 1)), steps


def _z(inside: Inside, p: Place) -> Worked:
    if (p.layer, p.head) in inside.model.off.heads:
        return "off", (), nothing(), (), [("this head is switched off", 0.0)]
    layer, t = inside.layers[p.layer], p.position
    a = layer["pattern"][p.head, t, : t + 1].astype(np.float64)  # (t + 1,)
    v = layer["v"][p.head, : t + 1, p.index].astype(np.float64)  # (t + 1,)
    columns = ("attention", "vⱼ", "attention·vⱼ")
    steps = [("sum over all j ≤ t", float(a @ v))]
    return "mixture", columns, np.stack([a, v, a * v], 1), tuple(range(t + 1)), steps


def _attn_out(inside: Inside, p: Place) -> Worked:
    if p.layer in inside.model.off.attentions:
        return "off", (), nothing(), (), [("this layer's attention is switched off", 0.0)]
    z = inside.layers[p.layer]["z"][:, p.position].reshape(-1)  # (D,): all heads in a row
    return linear_row(_block(inside, p).attention.out, p.index, z, ("heads", "W_O"))


# ------------------------------------------------------------------------------------------ the FFN
def _mlp_pre(inside: Inside, p: Place) -> Worked:
    x = inside.layers[p.layer]["ffn_in"][p.position]
    return linear_row(_block(inside, p).ffn.up, p.index, x, ("norm(o)", "W₁"))


def _mlp_gate(inside: Inside, p: Place) -> Worked:
    gate = _block(inside, p).ffn.gate
    if gate is None:
        raise KeyError(p.point)
    return linear_row(
        gate, p.index, inside.layers[p.layer]["ffn_in"][p.position], ("norm(o)", "W₂")
    )


def _mlp_post(inside: Inside, p: Place) -> Worked:
    layer, kind = inside.layers[p.layer], inside.config.ffn
    h = float(layer["mlp_pre"][p.position, p.index])
    steps = [("h, before the activation", h)]
    if kind == "gelu":
        phi = 0.5 * (1.0 + math.erf(h / math.sqrt(2.0)))
        steps += [("Φ(h) = ½(1 + erf(h/√2))", phi), ("GELU(h) = h·Φ(h)", h * phi)]
    elif kind == "swiglu":
        gate = float(layer["mlp_gate"][p.position, p.index])
        sigmoid = 0.5 * (1.0 + math.tanh(h / 2.0))  # 1/(1 + e^−h), without overflow
        steps += [
            ("σ(h) = 1/(1 + exp(−h))", sigmoid),
            ("Swish(h) = h·σ(h)", h * sigmoid),
            ("gate, from xW₂", gate),
            ("Swish(h) · gate", h * sigmoid * gate),
        ]
    else:
        steps.append(("ReLU(h) = max(0, h)", max(0.0, h)))
        if kind == "relu2":
            steps.append(("ReLU(h)²", max(0.0, h) ** 2))
    return "activation", (), nothing(), (), steps


def _mlp_out(inside: Inside, p: Place) -> Worked:
    if p.layer in inside.model.off.ffns:
        return "off", (), nothing(), (), [("this layer's FFN is switched off", 0.0)]
    hidden = inside.layers[p.layer]["mlp_post"][p.position]
    matrix = "W₃" if inside.config.ffn == "swiglu" else "W₂"
    return linear_row(_block(inside, p).ffn.down, p.index, hidden, ("hidden", matrix))


# ---------------------------------------------------------------------------------- the unembedding
def _logits(inside: Inside, p: Place) -> Worked:
    module = inside.model.module
    matrix = module.embedding if module.output is None else module.output
    x = inside.final[p.position]
    name = "row of W" if module.output is None else "row of the output matrix"
    return products(x, matrix[p.index], None, ("norm(x)", name))


def _probability(inside: Inside, p: Place) -> Worked:
    module = inside.model.module
    x = torch.from_numpy(inside.final[p.position].copy()).to(module.embedding.device)
    logits = module.unembed(x).double().cpu().numpy()  # (V,)
    top = float(logits.max())
    powers = np.exp(logits - top)  # (V,)
    total = float(powers.sum())
    steps = [
        ("logit", float(logits[p.index])),
        ("largest logit m (cancels, keeps exp in range)", top),
        ("exp(logit − m)", float(powers[p.index])),
        ("sum over all tokens", total),
        ("exp(logit − m) ÷ sum", float(powers[p.index]) / total),
    ]
    terms = np.stack([logits, powers, powers / total], axis=1)  # (V, 3)
    columns = ("logit", "exp(logit − m)", "p")
    return "softmax", columns, terms, tuple(range(len(logits))), steps


# ------------------------------------------------------------------------------------------- shared
def _block(inside: Inside, p: Place) -> Block:
    block = inside.model.module.blocks[p.layer]
    assert isinstance(block, Block)
    return block


_WORK: dict[str, Callable[[Inside, Place], Worked]] = {
    "embedding": _embedding,
    "resid_pre": _resid_pre,
    "attn_in": _attn_in,
    "q_raw": _projected(0, "W_Q"),
    "k_raw": _projected(1, "W_K"),
    "q_normed": _qk_normed("q"),
    "k_normed": _qk_normed("k"),
    "q": _turned("q"),
    "k": _turned("k"),
    "v": _projected(2, "W_V"),
    "scores": _score,
    "pattern": _pattern,
    "z": _z,
    "attn_out": _attn_out,
    "resid_mid": _resid_mid,
    "ffn_in": _ffn_in,
    "mlp_pre": _mlp_pre,
    "mlp_gate": _mlp_gate,
    "mlp_post": _mlp_post,
    "mlp_out": _mlp_out,
    "resid_post": _resid_post,
    "final": _final,
    "logits": _logits,
    "probability": _probability,
}
