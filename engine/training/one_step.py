"""One gradient step, slowly: what it does to every number of a model, on a text one can read.

θ ← θ + η ∇ log p_θ(text), with log p(text) as the mean over the predicted tokens, which is what
training follows. The model that is given stays as it is: the step is taken on a copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.model import TransformerModel
from engine.models.transformer.module import Transformer
from engine.tokenizers.base import Tokenizer
from engine.training.flat import FlatParameters
from engine.training.optimizers import make_optimizer
from engine.training.recipe import Recipe

NO_TARGET = -100
"""Stands in the targets where a line of the batch has ended; torch leaves it out of a loss."""
MOST_TOKENS = 128
"""Tokens that a batch to be read may have."""
MOST_NUMBERS = 6_000_000
"""Probabilities kept of each of the two moments: every token of the vocabulary at each place."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Lines of text as a model is trained on them: the targets are the inputs shifted by one."""

    inputs: Ids
    """(B, T): begin-of-text, then the line's tokens but the last; 0 behind a line's end."""
    targets: Ids
    """(B, T): the line's tokens; NO_TARGET behind its end."""

    @property
    def predicted(self) -> npt.NDArray[np.bool_]:
        """(B, T): where there is something to predict."""
        where: npt.NDArray[np.bool_] = self.targets != NO_TARGET
        return where

    @property
    def tokens(self) -> int:
        """How many tokens are predicted."""
        return int(self.predicted.sum())


def readable_batch(tokenizer: Tokenizer, lines: Sequence[str], context: int) -> Batch:
    """The batch that lines of text make, each the beginning of a document.

    Args:
        tokenizer: what cuts them.
        lines: one or more; empty ones are left out.
        context: the most tokens that the model reads at once.

    Raises:
        LabError: if no line holds a token, one is longer than the context, or all together are
            more than MOST_TOKENS.
    """
    cut = [tokenizer.encode(line) for line in lines if line.strip()]
    cut = [ids for ids in cut if ids]
    if not cut:
        raise LabError("Write a sentence for the model to learn from.")
    longest = max(len(ids) for ids in cut)
    if longest > context:
        raise LabError(
            f"A line is {longest:,} tokens long, and this model reads {context:,} at once. "
            "Shorten it, or split it into two lines."
        )
    if sum(len(ids) for ids in cut) > MOST_TOKENS:
        raise LabError(f"Keep the batch to {MOST_TOKENS} tokens, so that each can be looked at.")
    inputs = np.zeros((len(cut), longest), np.int64)
    targets = np.full((len(cut), longest), NO_TARGET, np.int64)
    for row, ids in enumerate(cut):
        inputs[row, : len(ids)] = [tokenizer.vocab_size, *ids[:-1]]  # begin-of-text first
        targets[row, : len(ids)] = ids
    return Batch(inputs, targets)


@dataclass(frozen=True)
class MatrixChange:
    """What the step did to one matrix or vector."""

    name: str
    """Such as "layer 1, W_Q" or "embedding W"."""
    shape: tuple[int, ...]
    size: float
    """‖θ‖ before."""
    gradient: float
    """‖∇ log p‖ with respect to it."""
    moved: float
    """‖Δθ‖."""
    largest: float
    """The largest |Δθᵢ|."""
    changed: int
    """How many of its numbers are others now."""

    @property
    def share(self) -> float:
        """‖Δθ‖ ÷ ‖θ‖; infinite where a matrix of zeros began to move."""
        if self.size:
            return self.moved / self.size
        return math.inf if self.moved else 0.0


@dataclass(frozen=True)
class Followed:
    """One number of the model, followed through the step."""

    token: int
    """The row of the embedding W that it stands in."""
    column: int
    before: float
    gradient: float
    """∂ log p / ∂θ."""
    after: float


@dataclass(frozen=True, eq=False)
class OneStep:
    """Everything about one step. B lines, T places, V tokens."""

    batch: Batch
    rate: float
    """η."""
    before: npt.NDArray[np.float32]
    """(B, T, V): log p of every next token before the step."""
    after: npt.NDArray[np.float32]
    """(B, T, V): the same after it. NaN where the model's numbers have blown up."""
    gradient: float
    """‖∇ log p‖ of the whole model."""
    expected: float
    """∇ log p · Δθ: by how much log p (mean per token) would have risen if it were a straight
    line; with plain ascent that is η‖∇ log p‖²."""
    matrices: tuple[MatrixChange, ...]
    """In the order of the model."""
    rows: Floats
    """(V,): how far each token's row of the embedding W moved."""
    followed: Followed

    @property
    def log_p_before(self) -> Floats:
        """(B, T): log p(target) before; NaN behind a line's end."""
        return self._of_targets(self.before)

    @property
    def log_p_after(self) -> Floats:
        """(B, T): log p(target) after."""
        return self._of_targets(self.after)

    @property
    def gain(self) -> float:
        """By how much log p, mean per token, really rose; NaN if the model has blown up."""
        where = self.batch.predicted
        return float((self.log_p_after - self.log_p_before)[where].mean())

    def times_read(self) -> Ids:
        """(V,): how often each token stands in the batch's inputs."""
        read = self.batch.inputs[self.batch.predicted]
        return np.bincount(read, minlength=len(self.rows)).astype(np.int64)

    def times_target(self) -> Ids:
        """(V,): how often each token is a target."""
        wanted = self.batch.targets[self.batch.predicted]
        return np.bincount(wanted, minlength=len(self.rows)).astype(np.int64)

    def _of_targets(self, table: npt.NDArray[np.float32]) -> Floats:
        at = np.maximum(self.batch.targets, 0)[..., None]
        found = np.take_along_axis(table, at, axis=-1)[..., 0].astype(np.float64)
        return np.where(self.batch.predicted, found, np.nan)


def plain_ascent(recipe: Recipe) -> Recipe:
    """The recipe with θ ← θ + η ∇ log p and nothing else: no momentum, decay or clipping."""
    return recipe.but(optimizer="sgd", momentum=0.0, weight_decay=0.0, grad_clip=0.0)


def take_one_step(
    model: TransformerModel, batch: Batch, recipe: Recipe, rate: float, job: Job = NO_JOB
) -> OneStep:
    """Take one step on a copy of the model, and tell everything that changed.

    Args:
        model: the model as it is; it stays so.
        batch: the text.
        recipe: whose optimizer takes the step, in its first state; ``plain_ascent`` for the
            formula alone. Its clipping and weight decay apply, its schedule does not.
        rate: η, the learning rate of the matrices; a second one keeps its ratio to it.
        job: for cancellation.

    Raises:
        LabError: if the rate is no number above 0, the batch is longer than the model's context
            or of another vocabulary, or there are too many probabilities to keep.
        JobCancelled: at a yield point.
    """
    if not (math.isfinite(rate) and rate > 0):
        raise LabError("The learning rate must be a number above 0.")
    config = model.config
    B, T = batch.inputs.shape
    if config.context < T:
        raise LabError(f"The batch is {T} tokens long; this model reads {config.context} at once.")
    if max(int(batch.inputs.max()), int(batch.targets.max())) >= config.vocab_size:
        raise LabError("The batch was cut by another tokenizer than the model's.")
    if B * T * config.vocab_size > MOST_NUMBERS:
        raise LabError(
            f"With {config.vocab_size:,} tokens in the vocabulary a batch may have "
            f"{MOST_NUMBERS // config.vocab_size} places. Write less."
        )
    if recipe.learning_rate <= 0:
        recipe = recipe.but(learning_rate=1.0)
    module = Transformer(config)
    with torch.no_grad():
        for p, q in zip(module.parameters(), model.module.parameters(), strict=True):
            p.copy_(q)
    flat = FlatParameters(module)
    optimizer = make_optimizer(flat, recipe)
    inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)

    job.yield_point()
    logits = module(inputs)  # (B, T, V)
    flat.gradients.zero_()
    functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET
    ).backward()  # type: ignore[no-untyped-call]
    before = _log_probs(logits)
    old, downhill = flat.values.clone(), flat.gradients.clone()  # (N,) each; ∇ of −log p
    length = float(downhill.norm())
    if 0 < recipe.grad_clip < length:
        flat.gradients.mul_(recipe.grad_clip / length)
    optimizer.step(rate / recipe.learning_rate)
    job.yield_point()
    with torch.no_grad():
        after = _log_probs(module(inputs))
    moved = flat.values - old  # (N,)
    changes, embedding = [], None
    for name, start, end, shape in _matrices(flat, config.width):
        theta, uphill, delta = old[start:end], -downhill[start:end], moved[start:end]
        changes.append(
            MatrixChange(
                name=name,
                shape=shape,
                size=float(theta.norm()),
                gradient=float(uphill.norm()),
                moved=float(delta.norm()),
                largest=float(delta.abs().max()),
                changed=int((delta != 0).sum()),
            )
        )
        if name == EMBEDDING:
            embedding = (theta.view(shape), uphill.view(shape), delta.view(shape))
    assert embedding is not None
    W, uphill, delta = embedding  # (V, D) each
    return OneStep(
        batch=batch,
        rate=rate,
        before=before,
        after=after,
        gradient=length,
        expected=float(-(downhill.double() @ moved.double())),
        matrices=tuple(changes),
        rows=delta.norm(dim=1).double().numpy(),
        followed=_follow(batch, W, uphill, delta),
    )


EMBEDDING = "embedding W"
_NAMES = {
    "embedding": EMBEDDING,
    "positions": "positions",
    "output": "output matrix",
    "attention.out.weight": "W_O",
    "ffn.up.weight": "FFN W₁",
    "ffn.gate.weight": "FFN W₂ (gate)",
    "ffn.down.weight": "FFN, last matrix",
}


def _matrices(flat: FlatParameters, width: int) -> list[tuple[str, int, int, tuple[int, ...]]]:
    """(name, start, end, shape) of each matrix and vector in the flat vector, in the order in
    which a token passes them. W_Q, W_K and W_V are told apart."""
    found: list[tuple[tuple[int, int], tuple[str, int, int, tuple[int, ...]]]] = []
    for slot in flat.slots:
        words = slot.name.split(".", 2)
        inside = words[0] == "blocks"
        layer = int(words[1]) + 1 if inside else 0
        part = words[2] if inside else slot.name
        where = f"layer {layer}, " if inside else ""
        # embeddings, then layer by layer, then what comes behind them
        place = layer if inside else (0 if part in ("embedding", "positions") else 10**6)
        shape = tuple(slot.shape)
        if part == "attention.qkv.weight":
            size = width * width
            for number, name in enumerate(("W_Q", "W_K", "W_V")):
                start = slot.start + number * size
                entry = (where + name, start, start + size, (width, width))
                found.append(((place, number), entry))
            continue
        order = ("attention.out", "ffn_norm", "ffn.up", "ffn.gate", "ffn.down")
        number = 3 + next((i for i, head in enumerate(order) if part.startswith(head)), 0)
        name = _NAMES.get(part, part.replace("_", " ").replace(".", ", "))
        found.append(((place, number), (where + name, slot.start, slot.end, shape)))
    return [entry for _, entry in sorted(found, key=lambda item: item[0])]


def _follow(batch: Batch, W: Tensor, uphill: Tensor, delta: Tensor) -> Followed:
    """The number with the steepest gradient in the rows of the tokens that were read (those of
    the lines, if they have more than begin-of-text)."""
    read = np.unique(batch.inputs[batch.predicted])
    own = read[read != W.shape[0] - 1]
    rows = torch.from_numpy(own if len(own) else read)  # (R,)
    steep = uphill[rows].abs()  # (R, D)
    best = int(steep.nan_to_num().argmax())
    row, column = int(rows[best // W.shape[1]]), best % W.shape[1]
    before = float(W[row, column])
    return Followed(
        token=row,
        column=column,
        before=before,
        gradient=float(uphill[row, column]),
        after=float(W[row, column] + delta[row, column]),
    )


def _log_probs(logits: Tensor) -> npt.NDArray[np.float32]:
    found: npt.NDArray[np.float32] = logits.detach().log_softmax(dim=-1).numpy()
    return found
