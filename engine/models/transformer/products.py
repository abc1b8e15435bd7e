"""Faster float32 matrix products, where this processor has them.

torch hands float32 products on a CPU to MKL, which leaves AVX-512 unused on AMD's processors;
oneDNN, which torch also carries, uses it: 2.2 times as many operations a second where this was
measured. torch goes to oneDNN only when it is allowed to round to bfloat16 on the way, and
whether it does so depends on the processor: without matrix units for bfloat16 it computes in
float32 all the same. So that is tried out first, and only if every digit is kept is it used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor

_PROBES = ((64, 64, 64), (96, 128, 384), (512, 512, 128), (1, 128, 512))
_USUAL = "none"
"""torch's own setting: as the next more general one says, which nobody here changes."""
_FLOAT32_ROUNDING = 1e-5
"""Relative error that separates float32 (about 1e-6 here) from bfloat16 (about 3e-3)."""


@contextmanager
def fast_products() -> Iterator[None]:
    """Within it, products of float32 matrices on the CPU take the faster route, if there is
    one that keeps float32's precision. The setting is the whole process's, and is put back."""
    if not keeps_float32():
        yield
        return
    with _allowed():
        yield


@contextmanager
def usual_products() -> Iterator[None]:
    """Within it, products take the route they take outside ``fast_products``: for work that is
    let in between, whose numbers must not depend on what it interrupts."""
    if not keeps_float32():
        yield
        return
    with _allowed(_USUAL):
        yield


@cache
def keeps_float32() -> bool:
    """Whether the faster route exists here and keeps float32's precision. Tried out once."""
    if not hasattr(torch.backends.mkldnn, "matmul") or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    generator = torch.Generator().manual_seed(0)
    with _allowed(), torch.no_grad():
        return all(_error(shape, generator) < _FLOAT32_ROUNDING for shape in _PROBES)


@contextmanager
def _allowed(precision: str = "bf16") -> Iterator[None]:
    settings: Any = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = settings.fp32_precision
    settings.fp32_precision = precision
    try:
        yield
    finally:
        settings.fp32_precision = before


def _error(shape: tuple[int, int, int], generator: torch.Generator) -> float:
    """Largest error of single and batched products of that shape, relative to √inner."""
    m, k, n = shape
    a = torch.randn(m, k, generator=generator)  # (m, k)
    b = torch.randn(k, n, generator=generator)  # (k, n)
    exact = a.double() @ b.double()  # (m, n)
    products: list[Tensor] = [
        a @ b,
        (b.t() @ a.t()).t(),
        a @ b.t().contiguous().t(),
        torch.bmm(a.expand(3, m, k), b.expand(3, k, n))[1],
    ]
    worst = max(float((p.double() - exact).abs().max()) for p in products)
    return worst / math.sqrt(k)
