"""The kinds of sum that a transformer is made of, each written out term by term."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from torch import Tensor

from engine.models.transformer.functions import RMS_EPSILON
from engine.models.transformer.module import Linear, Norm

Vector = npt.NDArray[np.float64]
LAYER_NORM_EPSILON = 1e-5

Rule = Literal[
    "lookup", "sum", "carried", "norm", "products", "turn", "qk_norm",
    "score", "masked", "softmax", "mixture", "activation", "off",
]  # fmt: skip

Worked = tuple[Rule, tuple[str, ...], Vector, tuple[int, ...], list[tuple[str, float]]]
"""Rule, columns, terms (n, columns), labels (n,), and steps with their results."""


def added(parts: list[tuple[str, float]]) -> Worked:
    """A sum of a few named numbers."""
    total = sum(value for _, value in parts)
    return "sum", (), nothing(), (), [*parts, (" + ".join(name for name, _ in parts), total)]


def normed(norm: Norm, x32: npt.NDArray[np.float32], index: int) -> Worked:
    """LayerNorm: (xᵢ − mean)/√(variance + ε); RMSNorm: xᵢ/√(mean of squares + ε)."""
    x = x32.astype(np.float64)  # (D,)
    layer_norm = norm.kind == "layernorm"
    mean = float(x.mean()) if layer_norm else 0.0
    square = float(((x - mean) ** 2).mean())
    epsilon = LAYER_NORM_EPSILON if layer_norm else RMS_EPSILON
    value = (x[index] - mean) / math.sqrt(square + epsilon)
    steps = [("xᵢ", float(x[index]))]
    if layer_norm:
        steps += [("mean of x", mean), ("variance of x", square)]
        steps.append((f"(xᵢ − mean) / √(variance + {epsilon:g})", float(value)))
    else:
        steps.append(("mean of the squares", square))
        steps.append((f"xᵢ / √(mean of squares + {epsilon:g})", float(value)))
    if norm.gain is not None:
        value *= float(norm.gain[index])
        steps.append((f"· gain {float(norm.gain[index]):.4g}", float(value)))
    if norm.shift is not None:
        value += float(norm.shift[index])
        steps.append((f"+ shift {float(norm.shift[index]):.4g}", float(value)))
    terms = np.stack([x, (x - mean) ** 2], axis=1)  # (D, 2)
    squared = "(x − mean)²" if layer_norm else "x²"
    return "norm", ("x", squared), terms, tuple(range(len(x))), steps


def linear_row(
    linear: Linear, row: int, x: npt.NDArray[np.float32], names: tuple[str, str]
) -> Worked:
    bias = None if linear.bias is None else float(linear.bias[row])
    return products(x, linear.weight[row], bias, names)


def products(
    x32: npt.NDArray[np.float32], weights: Tensor, bias: float | None, names: tuple[str, str]
) -> Worked:
    x, w = x32.astype(np.float64), weights.double().cpu().numpy()  # (n,) each
    total = float(x @ w)
    steps = [("sum of the products", total)]
    if bias is not None:
        steps.append((f"+ bias {bias:.4g}", total + bias))
    columns = (*names, "product")
    return "products", columns, np.stack([x, w, x * w], 1), tuple(range(len(x))), steps


def nothing() -> Vector:
    """No terms."""
    return np.empty((0, 0))
