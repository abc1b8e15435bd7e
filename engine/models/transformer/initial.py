"""The numbers a transformer starts from."""

from __future__ import annotations

import math
from typing import Literal

import torch

from engine.models.transformer.module import Transformer

Initial = Literal["gpt2", "modern"]


def initialise(model: Transformer, scheme: Initial, seed: int) -> None:
    """Fill every parameter; same seed, same machine, same numbers.

    "gpt2": normal with standard deviation 0.02, matrices that write to the residual stream
    divided by √(2·layers), so that its size does not grow with depth (Radford et al. 2019).
    "modern": normal with standard deviation 1/√inputs (so that outputs are as large as inputs),
    zero where a sublayer writes to the residual stream, so that every block starts as the
    identity; embeddings 1, an output matrix of its own 0 (uniform guesses at the start).
    Biases start at 0, gains at 1 in both.
    """
    generator = torch.Generator().manual_seed(seed)
    depth = math.sqrt(2 * model.config.layers)
    with torch.no_grad():
        for name, p in model.named_parameters():
            writes = name.endswith(("attention.out.weight", "ffn.down.weight"))
            table = name in ("embedding", "positions", "output")
            if name.endswith(("bias", "shift")):
                p.zero_()
            elif name.endswith("gain"):
                p.fill_(1.0)
            elif scheme == "gpt2":
                p.normal_(0.0, 0.02 / depth if writes else 0.02, generator=generator)
            elif writes or name == "output":
                # without residual connections zeros would let nothing through, ever
                p.zero_() if model.config.residual or name == "output" else p.normal_(
                    0.0, p.shape[1] ** -0.5, generator=generator
                )
            elif table:
                tied = name == "embedding" and model.config.tied
                p.normal_(0.0, 0.02 if tied else 1.0, generator=generator)
            else:
                p.normal_(0.0, p.shape[1] ** -0.5, generator=generator)
