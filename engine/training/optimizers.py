"""From gradients to steps: SGD, AdamW, Muon, each over one flat vector of parameters.

Their state is a few plain named tensors, so that a checkpoint can hold it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from engine.training.flat import FlatParameters
from engine.training.muon import orthogonalised
from engine.training.recipe import Recipe

ADAM_EPSILON = 1e-8


class Optimizer(ABC):
    """Changes ``flat.values`` by what ``flat.gradients`` say."""

    def __init__(self, flat: FlatParameters, recipe: Recipe) -> None:
        self.flat = flat
        self.recipe = recipe
        self.steps = 0
        """Steps taken, for Adam's bias correction."""

    def prepare(self, breathe: Callable[[], None] = lambda: None) -> None:
        """Work out what the step of these gradients needs and the rate does not matter for.
        Neither parameters nor state are changed; ``breathe`` may raise, and the step is off."""
        breathe()

    @abstractmethod
    def step(self, factor: float) -> None:
        """One step, which was prepared, with the recipe's learning rates times ``factor``."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """The tensors themselves (not copies) that the next step depends on."""

    def _decay(self, count: int, rate: float) -> None:
        """θ ← θ − rate·λ·θ for the first ``count`` numbers (Loshchilov & Hutter 2019)."""
        if self.recipe.weight_decay:
            self.flat.values[:count].mul_(1 - rate * self.recipe.weight_decay)


class SGD(Optimizer):
    """θ ← θ − η·m, m ← μ·m + ∇ (Polyak's heavy ball, as torch.optim.SGD writes it)."""

    def __init__(self, flat: FlatParameters, recipe: Recipe) -> None:
        super().__init__(flat, recipe)
        self.velocity = torch.zeros_like(flat.values)  # (N,)

    def step(self, factor: float) -> None:
        rate = self.recipe.learning_rate * factor
        self.velocity.mul_(self.recipe.momentum).add_(self.flat.gradients)  # (N,)
        self._decay(self.flat.decayed, rate)
        self.flat.values.add_(self.velocity, alpha=-rate)  # (N,)
        self.steps += 1

    def state(self) -> dict[str, Tensor]:
        return {"velocity": self.velocity}


class _Adam:
    """Adam's two running means over a slice of the flat vectors (Kingma & Ba 2015, alg. 1)."""

    def __init__(self, values: Tensor, gradients: Tensor, recipe: Recipe) -> None:
        self.values, self.gradients = values, gradients  # (n,) each
        self.beta1, self.beta2 = recipe.beta1, recipe.beta2
        self.mean = torch.zeros_like(values)  # (n,)
        self.square = torch.zeros_like(values)  # (n,)
        self._scratch = torch.empty_like(values)  # (n,)

    def step(self, rate: float, steps: int) -> None:
        """``steps`` counts from 1."""
        g = self.gradients
        self.mean.lerp_(g, 1 - self.beta1)  # (n,)
        self.square.mul_(self.beta2).addcmul_(g, g, value=1 - self.beta2)  # (n,)
        correction = math.sqrt(1 - self.beta2**steps)
        torch.sqrt(self.square, out=self._scratch)  # (n,)
        self._scratch.div_(correction).add_(ADAM_EPSILON)  # (n,)
        self.values.addcdiv_(self.mean, self._scratch, value=-rate / (1 - self.beta1**steps))


class AdamW(Optimizer):
    """Adam with decoupled weight decay on everything that has two dimensions."""

    def __init__(self, flat: FlatParameters, recipe: Recipe) -> None:
        super().__init__(flat, recipe)
        self.adam = _Adam(flat.values, flat.gradients, recipe)

    def step(self, factor: float) -> None:
        rate = self.recipe.learning_rate * factor
        self.steps += 1
        self._decay(self.flat.decayed, rate)
        self.adam.step(rate, self.steps)

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.adam.mean, "square": self.adam.square}


class Muon(Optimizer):
    """Momentum made orthogonal, for the matrices of the blocks (Jordan et al. 2024); Adam for
    embeddings, output matrix and vectors.

    m ← μ·m + (1 − μ)·∇; u = orthogonalised(Nesterov's look-ahead (1 − μ)·∇ + μ·m);
    θ ← θ − η·√max(1, rows/columns)·u. W_Q, W_K and W_V count as three matrices.
    """

    def __init__(self, flat: FlatParameters, recipe: Recipe) -> None:
        super().__init__(flat, recipe)
        n = flat.matrices
        self.velocity = torch.zeros_like(flat.values[:n])  # (n,)
        self._next = torch.zeros_like(self.velocity)  # (n,)
        self._update = torch.empty_like(self.velocity)  # (n,)
        self.adam = _Adam(flat.values[n:], flat.gradients[n:], recipe)
        self._stacks = _stacks(flat)

    def prepare(self, breathe: Callable[[], None] = lambda: None) -> None:
        mu = self.recipe.momentum
        gradients = self.flat.gradients[: self.flat.matrices]  # (n,)
        torch.lerp(self.velocity, gradients, 1 - mu, out=self._next)  # (n,)
        torch.lerp(gradients, self._next, mu, out=self._update)  # (n,)
        for start, end, rows, columns in self._stacks:
            breathe()
            stack = self._update[start:end].view(-1, rows, columns)  # (K, rows, columns)
            stack.copy_(orthogonalised(stack))  # (K, rows, columns)

    def step(self, factor: float) -> None:
        rate = self.recipe.learning_rate * factor
        self.velocity.copy_(self._next)  # (n,)
        self._decay(self.flat.matrices, rate)
        for start, end, rows, columns in self._stacks:
            scale = math.sqrt(max(1.0, rows / columns))
            self.flat.values[start:end].add_(self._update[start:end], alpha=-rate * scale)
        self.steps += 1
        beside = self.recipe.embedding_learning_rate or self.recipe.learning_rate
        self.adam.step(beside * factor, self.steps)

    def state(self) -> dict[str, Tensor]:
        return {
            "velocity": self.velocity,
            "mean": self.adam.mean,
            "square": self.adam.square,
        }


def _stacks(flat: FlatParameters) -> list[tuple[int, int, int, int]]:
    """(start, end, rows, columns) of each run of same-shape matrices in the flat vector."""
    stacks: list[tuple[int, int, int, int]] = []
    for slot in flat.slots:
        if slot.end > flat.matrices:
            break
        rows, columns = slot.shape
        if "qkv" in slot.name:
            rows //= 3
        if stacks and stacks[-1][2:] == (rows, columns):
            stacks[-1] = (stacks[-1][0], slot.end, rows, columns)
        else:
            stacks.append((slot.start, slot.end, rows, columns))
    return stacks


def make_optimizer(flat: FlatParameters, recipe: Recipe) -> Optimizer:
    """The recipe's optimizer, with fresh state."""
    kinds: dict[str, type[Optimizer]] = {"sgd": SGD, "adamw": AdamW, "muon": Muon}
    return kinds[recipe.optimizer](flat, recipe)
