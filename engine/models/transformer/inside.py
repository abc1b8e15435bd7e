"""Inside a transformer: every number of one forward pass, as values that nothing changes.

``look_inside`` runs the model once over one context and keeps what each part computed;
``logit_lens`` says what the model would predict if it stopped after each layer
(nostalgebraist 2020, "interpreting GPT: the logit lens"). How a single number came about is
told by ``engine.models.transformer.inside_arithmetic.explain``.

Shapes: T positions of the window, D width, H heads, d = D/H, F hidden width, V tokens, L layers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.models.base import LogProbs, Tokens, check_ids
from engine.models.transformer.config import TransformerConfig
from engine.models.transformer.functions import rms_norm
from engine.models.transformer.model import TransformerModel, window_start
from engine.models.transformer.module import Attention, Block
from engine.models.transformer.points import LAYER_POINTS, Recorder
from engine.tokenizers.base import Ids

Array = npt.NDArray[np.float32]

MOST_SCORES = 16_000_000
"""Numbers that the scores of all heads may have together (64 MB, and as much for the patterns)."""

DERIVED_POINTS: dict[str, str] = {
    "attn_in": "(T, D) what attention reads: the normed residual stream",
    "q_raw": "(H, T, d) queries xₜW_Q, before QK-norm and rotation",
    "k_raw": "(H, T, d) keys xₜW_K, before QK-norm and rotation",
    "q_normed": "(H, T, d) after QK-norm, before rotation (as q_raw without QK-norm)",
    "k_normed": "(H, T, d) likewise",
    "ffn_in": "(T, D) what the FFN reads: the normed residual stream",
}
"""Points of each layer besides LAYER_POINTS; all of them without the batch dimension."""


@dataclass(frozen=True, eq=False)
class Inside:
    """Every activation of one forward pass over one window. Arrays are read-only."""

    model: TransformerModel
    """The model, with the parts switched off that were off in this pass."""
    ids: Ids
    """(T,) the window's tokens, begin-of-text among them if the window reaches back to it."""
    start: int
    """How many tokens of begin-of-text and context lie before the window."""
    shortened: bool
    """Whether fewer tokens were read than the model's window holds (MOST_SCORES)."""
    embedding: Array
    """(T, D) rows of the embedding matrix, before learned positions are added."""
    layers: tuple[Mapping[str, Array], ...]
    """For each layer, its LAYER_POINTS and DERIVED_POINTS by name."""
    final: Array
    """(T, D) the last residual stream after the final norm."""

    @property
    def config(self) -> TransformerConfig:
        return self.model.config

    def at(self, point: str, layer: int = -1) -> Array:
        """An activation by its name.

        Raises:
            KeyError: if this model has no such point.
        """
        if point == "embedding":
            return self.embedding
        return self.final if point == "final" else self.layers[layer][point]


@dataclass(frozen=True, eq=False)
class Lens:
    """What the residual stream at one position says after each layer."""

    position: int
    log_probs: LogProbs
    """(L + 1, V) natural logs; row 0 is the stream that enters the first layer, row l the one
    that leaves layer l. The last row is the model's own distribution."""


@torch.inference_mode()
def look_inside(model: TransformerModel, context: Tokens) -> Inside:
    """Run the model over the window that predicts the token after ``context``, and keep all.

    The window is the model's own (``window_start``); only where its scores would take more than
    MOST_SCORES numbers are fewer tokens read, the latest of them, which can change the answer.

    Raises:
        ValueError: if an id lies outside 0 … V − 1.
    """
    config = model.config
    checked = check_ids(context, model.vocab_size)
    stream = np.concatenate(([model.end_of_text], checked)).astype(np.int64)  # (≥ 1,)
    start = window_start(len(stream) - 1, config.context)
    most = max(1, math.isqrt(MOST_SCORES // (config.layers * config.heads)))
    shortened = len(stream) - start > most
    if shortened:
        start = len(stream) - most
    ids = torch.from_numpy(stream[start:]).to(model.module.embedding.device)  # (T,)
    points = [
        f"{layer}.{point}"
        for layer in range(config.layers)
        for point in LAYER_POINTS
        if point != "mlp_gate" or config.ffn == "swiglu"
    ]
    record = Recorder(["embedding", "final", *points])
    model.module(ids[None], record=record, off=model.off)
    layers = []
    for layer, block in enumerate(model.module.blocks):
        assert isinstance(block, Block)
        kept = {
            point: record[f"{layer}.{point}"][0]
            for point in LAYER_POINTS
            if f"{layer}.{point}" in record.activations
        }
        layers.append(_frozen({**kept, **_derived(block, kept, config)}))
    whole = _frozen({"embedding": record["embedding"][0], "final": record["final"][0]})
    window = ids.cpu().numpy().astype(np.int32)
    window.setflags(write=False)
    return Inside(
        model, window, start, shortened, whole["embedding"], tuple(layers), whole["final"]
    )


def _derived(
    block: Block, kept: Mapping[str, Tensor], config: TransformerConfig
) -> dict[str, Tensor]:
    """What the forward pass computes on the way and no point records."""
    T, H, d = kept["resid_pre"].shape[0], config.heads, config.head_width
    attention: Attention = block.attention
    attn_in = block.attention_norm(kept["resid_pre"])  # (T, D)
    qkv = attention.qkv(attn_in).view(T, 3, H, d)  # (T, 3, H, d)
    q, k = qkv[:, 0].transpose(0, 1), qkv[:, 1].transpose(0, 1)  # (H, T, d) each
    return {
        "attn_in": attn_in,
        "q_raw": q,
        "k_raw": k,
        "q_normed": rms_norm(q) if config.qk_norm else q,
        "k_normed": rms_norm(k) if config.qk_norm else k,
        "ffn_in": block.ffn_norm(kept["resid_mid"]),
    }


def _frozen(tensors: Mapping[str, Tensor]) -> Mapping[str, Array]:
    arrays: dict[str, Array] = {}
    for name, tensor in tensors.items():
        array = tensor.detach().float().cpu().contiguous().numpy().copy()
        array.setflags(write=False)
        arrays[name] = array
    return MappingProxyType(arrays)


@torch.inference_mode()
def logit_lens(inside: Inside, position: int) -> Lens:
    """The next-token distribution read off the residual stream after each layer, as if the
    model ended there: final norm, unembedding, softmax.

    Raises:
        IndexError: if the window has no such position.
    """
    T = len(inside.ids)
    if not 0 <= position < T:
        raise IndexError(f"the window has positions 0 to {T - 1}")
    module = inside.model.module
    rows = [inside.layers[0]["resid_pre"][position]]
    rows += [layer["resid_post"][position] for layer in inside.layers]
    stack = torch.from_numpy(np.stack(rows)).to(module.embedding.device)  # (L + 1, D)
    logits = module.unembed(module.final_norm(stack))  # (L + 1, V)
    log_probs = logits.double().log_softmax(dim=-1).cpu().numpy().copy()
    log_probs.setflags(write=False)
    return Lens(position, log_probs)
