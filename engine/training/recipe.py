"""Every knob of a training run in one dataclass, a sentence each.

Imports no torch, so that a window can show and check knobs before torch is loaded.
"""

# ruff: noqa: RUF009 - _knob is dataclasses.field with an explanation

from __future__ import annotations

import math
from dataclasses import Field, asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from engine.errors import LabError
from engine.models.transformer.config import FFN, Norm, Positions, TransformerConfig

Optimizer = Literal["sgd", "adamw", "muon"]
Schedule = Literal["constant", "cosine", "trapezoid"]
Sampling = Literal["random", "shuffled"]
Initial = Literal["gpt2", "modern"]
Device = Literal["cpu", "cuda", "mps"]
_ADDED = frozenset({"checkpoint_every", "checkpoint_seconds"})
"""Fields that recipes written by earlier versions lack."""


@dataclass(frozen=True)
class Knob:
    """What a person is told about one field of a Recipe, and which values it may take."""

    name: str
    """The field's name in Recipe."""
    label: str
    """What the knob is called on screen."""
    sentence: str
    """What it does, in one sentence."""
    group: str
    """"model", "optimizer", "schedule", "data" or "run"."""
    low: float | None = None
    """Smallest value allowed (numbers only)."""
    high: float | None = None
    """Largest value allowed (numbers only)."""
    choices: tuple[str, ...] = ()
    """The values allowed (words only)."""


def _knob(
    default: Any,
    group: str,
    label: str,
    sentence: str,
    low: float | None = None,
    high: float | None = None,
    choices: Any = None,
) -> Any:
    about = {
        "label": label,
        "sentence": sentence,
        "group": group,
        "low": low,
        "high": high,
        "choices": get_args(choices) if choices else (),
    }
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Recipe:
    """How a transformer is built and trained. ``knobs()`` tells about every field.

    Values are checked by ``validated()``, not on construction, so that a form can hold a value
    that is still being typed.
    """

    name: str = _knob("GPT-2 style", "run", "Name", "What the run is called in the table of runs.")
    # --- the model
    layers: int = _knob(
        4, "model", "Layers", "How many blocks of attention and FFN follow one another.", 1, 64
    )
    heads: int = _knob(
        4, "model", "Heads", "Attention heads per layer; each looks back in its own way.", 1, 128
    )
    width: int = _knob(
        128, "model", "Width", "Numbers in the vector that stands for a token.", 2, 8192
    )
    context: int = _knob(
        64, "model", "Context", "The most tokens that one prediction can look back on.", 1, 8192
    )
    ffn: FFN = _knob(
        "gelu",
        "model",
        "FFN",
        "The FFN's activation: ReLU, GELU, gated (SwiGLU) or ReLU squared.",
        choices=FFN,
    )
    ffn_width: int = _knob(
        0,
        "model",
        "FFN width",
        "Hidden numbers of the FFN; 0 chooses four times the width, or as many parameters.",
        0,
        65536,
    )
    positions: Positions = _knob(
        "learned",
        "model",
        "Positions",
        "How order is known: a learned vector per position, rotated queries and keys, or not.",
        choices=Positions,
    )
    norm: Norm = _knob(
        "layernorm",
        "model",
        "Norm",
        "What keeps each sublayer's input at a steady size; RMSNorm subtracts no mean.",
        choices=Norm,
    )
    norm_gain: bool = _knob(
        True, "model", "Norm gains", "Whether norms learn a factor for every number."
    )
    bias: bool = _knob(
        False, "model", "Biases", "Whether matrices learn a vector that is added to the product."
    )
    tied: bool = _knob(
        True, "model", "Tied output", "Whether the output matrix is the embedding used again."
    )
    qk_norm: bool = _knob(
        False, "model", "QK-norm", "Whether queries and keys are brought to one size first."
    )
    residual: bool = _knob(
        True, "model", "Residuals", "Whether a sublayer's output is added to its input."
    )
    init: Initial = _knob(
        "gpt2",
        "model",
        "Initial weights",
        "Random numbers to start from: all small as in GPT-2, or blocks that start as identity.",
        choices=Initial,
    )
    # --- the optimizer
    optimizer: Optimizer = _knob(
        "adamw",
        "optimizer",
        "Optimizer",
        "How gradients become steps: plain SGD, AdamW, or Muon for matrices with Adam beside it.",
        choices=Optimizer,
    )
    learning_rate: float = _knob(
        1e-3,
        "optimizer",
        "Learning rate",
        "How far each step goes (η in θ ← θ + η∇ log p).",
        0.0,
        1e9,
    )
    embedding_learning_rate: float = _knob(
        0.0,
        "optimizer",
        "Embedding rate",
        "Muon only: Adam's learning rate for embeddings, output matrix and vectors; "
        "0 uses the learning rate.",
        0.0,
        1e9,
    )
    momentum: float = _knob(
        0.9, "optimizer", "Momentum", "SGD and Muon: how much of the last direction stays.", 0, 1
    )
    beta1: float = _knob(
        0.9, "optimizer", "Beta 1", "Adam: how much of the gradient's mean stays each step.", 0, 1
    )
    beta2: float = _knob(
        0.99, "optimizer", "Beta 2", "Adam: how much of its square's mean stays each step.", 0, 1
    )
    weight_decay: float = _knob(
        0.1, "optimizer", "Weight decay", "How strongly matrices are pulled to zero.", 0, 1000
    )
    grad_clip: float = _knob(
        1.0,
        "optimizer",
        "Gradient clipping",
        "Gradients longer than this are shortened to it; 0 leaves them as they are.",
        0,
        1e9,
    )
    # --- the schedule
    steps: int = _knob(
        2000, "schedule", "Steps", "After how many steps the run is complete.", 1, 100_000_000
    )
    warmup: int = _knob(
        100, "schedule", "Warm-up", "Steps over which the learning rate rises from 0.", 0, 10**8
    )
    schedule: Schedule = _knob(
        "cosine",
        "schedule",
        "Schedule",
        "How the learning rate falls: not at all, along a cosine, or straight down at the end.",
        choices=Schedule,
    )
    decay_share: float = _knob(
        0.6, "schedule", "Decay share", "Trapezoid: the last part of the run that decays.", 0, 1
    )
    final_share: float = _knob(
        0.1, "schedule", "Final share", "What is left of the learning rate at the end.", 0, 1
    )
    # --- the data
    batch_size: int = _knob(
        12, "data", "Batch size", "Windows of text read before each step.", 1, 65536
    )
    sampling: Sampling = _knob(
        "random",
        "data",
        "Sampling",
        "Windows drawn anywhere in the text, or the whole text in shuffled order, then again.",
        choices=Sampling,
    )
    # --- the run
    eval_every: int = _knob(
        250,
        "run",
        "Evaluate every",
        "Steps between two passes over the whole held-out text; 0 only at the end.",
        0,
        10**8,
    )
    checkpoint_every: int = _knob(
        0,
        "run",
        "Checkpoints",
        "Steps between two checkpoints to go back to; 0 keeps one with every evaluation.",
        0,
        10**8,
    )
    checkpoint_seconds: float = _knob(
        20.0,
        "run",
        "Checkpoint seconds",
        "After so many seconds a checkpoint is kept in any case, so that a crash loses no more; "
        "0 keeps none for that.",
        0,
        86_400,
    )
    seed: int = _knob(1, "run", "Seed", "Same seed, same machine: the same run.", 0, 2**31 - 1)
    threads: int = _knob(
        0, "run", "Threads", "Processor cores to compute on; 0 takes all, up to four.", 0, 256
    )
    device: Device = _knob(
        "cpu",
        "run",
        "Device",
        "Where to compute: the processor, or a GPU (cuda: NVIDIA or AMD, mps: Apple).",
        choices=Device,
    )

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """What to tell a person about each field, in order."""
        return {f.name: Knob(name=f.name, **f.metadata) for f in fields(cls)}

    def validated(self, vocab_size: int = 2) -> Recipe:
        """The recipe itself, if every value is allowed and they go together.

        Args:
            vocab_size: V, where it is known: how large the model is depends on it.

        Raises:
            LabError: naming the first knob that is wrong and what it may be.
        """
        for f in fields(self):
            _check(f, getattr(self, f.name))
        for name in ("momentum", "beta1", "beta2"):
            if getattr(self, name) == 1:
                raise LabError(f"{_label(name)} must be below 1, or nothing new is ever learned.")
        self.model_config(vocab_size)
        return self

    def model_config(self, vocab_size: int) -> TransformerConfig:
        """The transformer of this recipe for a vocabulary of V tokens, end-of-text included.

        Raises:
            LabError: if such a transformer can't be built.
        """
        names = {f.name for f in fields(TransformerConfig)} - {"vocab_size"}
        return TransformerConfig(vocab_size, **{name: getattr(self, name) for name in names})

    def learning_rate_factor(self, step: float) -> float:
        """What the learning rates are multiplied with at step 0, 1, … of the schedule, or between
        two of them.

        Warm-up rises linearly and reaches 1 at step ``warmup``. After the last step the factor
        stays where it ended, so that a run can go on.
        """
        if step < self.warmup:
            return (step + 1) / (self.warmup + 1)
        if self.schedule == "constant" or self.steps <= self.warmup:
            return 1.0
        if self.schedule == "cosine":
            done = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
            return self.final_share + (1 - self.final_share) * (1 + math.cos(math.pi * done)) / 2
        decay = max(1.0, self.decay_share * self.steps)
        left = min(1.0, max(0.0, (self.steps - step) / decay))
        return self.final_share + (1 - self.final_share) * left

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """The recipe of ``to_dict``'s values.

        Raises:
            LabError: if fields are missing (but for those that recipes of older versions didn't
                have, which take their defaults), unknown, or have values that aren't allowed.
        """
        names = {f.name for f in fields(cls)}
        if not isinstance(data, dict) or not names - _ADDED <= set(data) <= names:
            raise LabError("The training recipe doesn't have the expected fields.")
        return cls(**data).validated()

    def but(self, **changes: Any) -> Recipe:
        """This recipe with some knobs turned."""
        return replace(self, **changes)


def plain_number(value: float) -> str:
    """A bound as people write it: 1,000,000,000, not 1e+09."""
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _label(name: str) -> str:
    return Recipe.knobs()[name].label


def _check(f: Field[Any], value: Any) -> None:
    label, about = f.metadata["label"], f.metadata
    if f.name == "name":
        if not isinstance(value, str) or len(value) > 200:
            raise LabError("The name of a recipe must be a text of at most 200 characters.")
    elif about["choices"]:
        if value not in about["choices"]:
            raise LabError(f"{label} is {value!r}; choose one of {', '.join(about['choices'])}.")
    elif f.type == "bool":
        if type(value) is not bool:
            raise LabError(f"{label} is {value!r}; it must be true or false.")
    else:
        whole = f.type == "int"
        right_type = type(value) is int or (not whole and type(value) is float)
        if not right_type or not about["low"] <= value <= about["high"]:
            kind = "a whole number" if whole else "a number"
            raise LabError(
                f"{label} is {value!r}; it must be {kind} from {plain_number(about['low'])} "
                f"to {plain_number(about['high'])}."
            )
