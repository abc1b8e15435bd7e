"""Where a run can be computed: the processor and, where torch has one that works, a GPU.

A GPU is believed only after a try: torch may be built for one that the driver or the model's
operations don't support, and a run must not fail, or compute something else, for that.
"""

from __future__ import annotations

import logging
import math
from functools import cache

import torch
from torch import Tensor

from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.initial import initialise
from engine.models.transformer.module import Transformer

log = logging.getLogger(__name__)

_TRIED = TransformerConfig(
    11, layers=2, heads=2, width=16, context=8, ffn="relu2", positions="rotary", norm="rmsnorm",
    norm_gain=False, tied=False, qk_norm=True,
)  # fmt: skip
TOLERANCE = 1e-3
"""Relative: float32 on both sides, added up in another order (TF32 would differ by about this
much too; torch leaves it off for matrix products unless asked)."""


def available() -> tuple[str, ...]:
    """The devices that a recipe may name here: "cpu" first, then "cuda" or "mps"."""
    return ("cpu", *(name for name in ("cuda", "mps") if usable(name)))


@cache
def usable(device: str) -> bool:
    """Whether a transformer's loss and gradients come out on this device as on the processor.
    Tried out once, with a tiny one."""
    if device == "cpu":
        return True
    if not _present(device):
        return False
    try:
        there, here = try_step(device), try_step("cpu")
    except (RuntimeError, NotImplementedError, TypeError) as error:  # an operation is missing
        log.warning("The device %s is left out: %s", device, error)
        return False
    fits = all(math.isclose(a, b, rel_tol=TOLERANCE) for a, b in zip(there, here, strict=True))
    if not fits:
        log.warning("The device %s is left out: it computes %s for %s", device, there, here)
    return fits


def try_step(device: str) -> tuple[float, float]:
    """Loss and gradient norm of a tiny transformer with fixed parameters and text."""
    module = Transformer(_TRIED)
    initialise(module, "gpt2", 0)
    module.to(device)
    ids = torch.arange(18, device=device).remainder(11).view(2, 9)  # (B, T + 1)
    loss: Tensor = module.loss(ids[:, :-1], ids[:, 1:])
    loss.backward()  # type: ignore[no-untyped-call]
    squares = [p.grad.square().sum() for p in module.parameters() if p.grad is not None]
    return float(loss.item()), float(torch.stack(squares).sum().sqrt())


def in_words(device: str) -> str:
    """What the learner reads, such as "the GPU (NVIDIA H200)"."""
    if device == "cuda" and torch.cuda.is_available():
        return f"the GPU ({torch.cuda.get_device_name(0)})"
    return "the processor" if device == "cpu" else "the GPU"


def _present(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_available())
    return device == "mps" and bool(torch.backends.mps.is_available())
