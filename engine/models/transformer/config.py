"""The shape of a decoder-only transformer, and what follows from it by arithmetic alone.

Imports no torch, so that a window can show parameter counts before torch is loaded.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from engine.errors import LabError

FFN = Literal["relu", "gelu", "swiglu", "relu2"]
Positions = Literal["learned", "rotary", "none"]
Norm = Literal["layernorm", "rmsnorm"]

MAX_PARAMETERS = 200_000_000
"""Larger models are refused: they'd need gigabytes and days on the machines this is made for."""


@dataclass(frozen=True)
class TransformerConfig:
    """Everything that decides which parameters a transformer has and how it computes.

    Raises:
        LabError: on construction, if the values don't describe a transformer.
    """

    vocab_size: int
    """V: the tokenizer's tokens and end-of-text."""
    context: int = 64
    """The most tokens that one prediction can look back on, itself included."""
    layers: int = 4
    """How many blocks (attention, then FFN) follow one another."""
    heads: int = 4
    """Attention heads per layer; they share the width."""
    width: int = 128
    """D: numbers in the vector that stands for a token (the residual stream)."""
    ffn: FFN = "gelu"
    """The FFN's activation: ReLU, GELU, gated (SwiGLU), or ReLU²."""
    ffn_width: int = 0
    """F: hidden numbers of the FFN. 0 means 4·D, or for SwiGLU, whose FFN has three matrices
    instead of two, the F of as many parameters (⅔ of 4·D, rounded to a multiple of 8)."""
    positions: Positions = "learned"
    """How the model knows the order: a learned vector per position, rotated q and k, or not."""
    norm: Norm = "layernorm"
    """What tames each sublayer's input: LayerNorm, or RMSNorm, which subtracts no mean."""
    norm_gain: bool = True
    """Whether norms have a learned gain per number (and a learned shift, where ``bias``)."""
    bias: bool = False
    """Whether matrices (and LayerNorms) have a learned vector added."""
    tied: bool = True
    """Whether the output matrix is the embedding matrix used a second time."""
    qk_norm: bool = False
    """Whether q and k are scaled to root mean square 1 in each head before their product."""
    residual: bool = True
    """Whether each sublayer's output is added to its input, or replaces it."""

    def __post_init__(self) -> None:
        bounds = {
            "vocab_size": (2, 1_000_000),
            "context": (1, 8192),
            "layers": (1, 64),
            "heads": (1, 128),
            "width": (2, 8192),
            "ffn_width": (0, 65536),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise LabError(
                    f"{name} is {value!r}; it must be a whole number from {low} to {high}."
                )
        for name, kinds in (("ffn", FFN), ("positions", Positions), ("norm", Norm)):
            if getattr(self, name) not in get_args(kinds):
                raise LabError(
                    f"{name} is {getattr(self, name)!r}; it must be one of "
                    f"{', '.join(get_args(kinds))}."
                )
        for name in ("norm_gain", "bias", "tied", "qk_norm", "residual"):
            if type(getattr(self, name)) is not bool:
                raise LabError(f"{name} is {getattr(self, name)!r}; it must be true or false.")
        if self.width % self.heads:
            raise LabError(
                f"A width of {self.width} can't be shared evenly among {self.heads} heads. "
                "Choose a width that is a multiple of the number of heads."
            )
        if self.positions == "rotary" and self.head_width % 2:
            raise LabError(
                f"Rotary positions turn pairs of numbers, but each head has {self.head_width}. "
                "Choose a width that gives every head an even number."
            )
        total = parameter_counts(self)["total"]
        if total > MAX_PARAMETERS:
            raise LabError(
                f"This model would have {total:,} parameters; at most {MAX_PARAMETERS:,} fit. "
                "Choose fewer layers, a smaller width or a smaller vocabulary."
            )

    @property
    def head_width(self) -> int:
        """d = D / heads: numbers in one head's q, k and v."""
        return self.width // self.heads

    @property
    def hidden(self) -> int:
        """F, the FFN's hidden width after ``ffn_width`` = 0 has been resolved."""
        if self.ffn_width:
            return self.ffn_width
        if self.ffn == "swiglu":
            return max(8, 8 * round(self.width / 3))  # ⅔ · 4D = 8 · D/3
        return 4 * self.width

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> TransformerConfig:
        """The config of ``to_dict``'s values.

        Raises:
            LabError: if a field is missing, unknown, or has a value that isn't allowed.
        """
        names = [f.name for f in fields(cls)]
        if not isinstance(data, dict) or sorted(data) != sorted(names):
            raise LabError("The description of the transformer doesn't have the expected fields.")
        return cls(**data)


def parameter_counts(config: TransformerConfig) -> dict[str, int]:
    """How many numbers each part learns, all layers together, and their "total".

    >>> parameter_counts(TransformerConfig(vocab_size=66))["attention"]
    262144
    """
    V, D, F, L = config.vocab_size, config.width, config.hidden, config.layers
    ffn_matrices = 3 if config.ffn == "swiglu" else 2
    norm_vectors = 0
    if config.norm_gain:
        norm_vectors = 2 if config.bias and config.norm == "layernorm" else 1
    ffn_biases = (ffn_matrices - 1) * F + D
    counts = {
        "embedding": V * D,
        "positions": config.context * D if config.positions == "learned" else 0,
        "attention": L * (4 * D * D + (4 * D if config.bias else 0)),
        "ffn": L * (ffn_matrices * D * F + (ffn_biases if config.bias else 0)),
        "norms": (2 * L + 1) * norm_vectors * D,
        "output": 0 if config.tied else V * D,
    }
    counts["total"] = sum(counts.values())
    return counts


def flops_per_token(config: TransformerConfig) -> int:
    """Floating-point operations of one training step for each of its tokens.

    Forward: 2 for every weight of a matrix that multiplies (the embedding is a look-up and
    counts only where it serves as output matrix), and 2·2·D·(T+1)/2 per layer for the products
    q·k and pattern·v, of which the causal mask leaves half. Backward is twice the forward
    (Kaplan et al. 2020, section 2.1; Hoffmann et al. 2022, appendix F).
    """
    V, D, F, L = config.vocab_size, config.width, config.hidden, config.layers
    ffn_matrices = 3 if config.ffn == "swiglu" else 2
    weights = L * (4 * D * D + ffn_matrices * D * F) + V * D
    attention = L * 2 * D * (config.context + 1)
    return 3 * (2 * weights + attention)
