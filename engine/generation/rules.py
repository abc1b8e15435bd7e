"""Sampling rules: how a next token is chosen from a model's distribution.

The rules are applied in this order, as Hugging Face's ``generate`` applies them:

1. **temperature** τ: p ∝ p^(1/τ); τ = 0 puts all mass on the most probable token (greedy);
2. **top-k**: the k most probable tokens stay (Fan et al., 2018);
3. **top-p**: of what top-k left, renormalised, the smallest set of most probable tokens whose
   probabilities add up to at least p stays, one token at least (nucleus sampling, Holtzman et
   al., 2020);

and what stays is renormalised. Equal probabilities rank by id, smaller first, so that top-k
leaves exactly k tokens. One number u, uniform on [0, 1), then picks the token on whose piece of
the cumulative distribution, most probable token first, it falls.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.models.base import LogProbs

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

ROUNDING = 1e-12
"""A sum of probabilities that misses top-p by no more than this has reached it."""


class Cut(IntEnum):
    """Which rule a token fell to."""

    KEPT = 0
    IMPOSSIBLE = 1
    """Probability 0 before any cut: under the model, or by temperature 0."""
    TOP_K = 2
    TOP_P = 3


@dataclass(frozen=True)
class SamplingRules:
    """How the next token is chosen; the module says in which order the rules apply."""

    temperature: float = 1.0
    """τ ≥ 0: 1 is the model as it is, below 1 sharper, above 1 flatter, 0 greedy."""
    top_k: int | None = None
    """How many tokens stay, 1 or more; None for all."""
    top_p: float | None = None
    """The share of the mass that stays, in (0, 1]; None for all."""

    def __post_init__(self) -> None:
        """Raises LabError for a rule that means nothing."""
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise LabError(f"The temperature must be 0 or more, not {self.temperature}.")
        if self.top_k is not None:
            whole = isinstance(self.top_k, int) and not isinstance(self.top_k, bool)
            if not whole or self.top_k < 1:
                raise LabError(f"Top-k must be a whole number of 1 or more, not {self.top_k}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise LabError(f"Top-p must be above 0 and at most 1, not {self.top_p}.")

    def apply(self, log_probs: LogProbs) -> SampledDistribution:
        """The distribution that the rules make of a model's.

        Args:
            log_probs: natural logarithms, shape (V,), up to a constant; −inf for impossible.

        Raises:
            ValueError: if no token is possible, or a value is NaN or +inf. See ``is_defined``.
        """
        if not is_defined(log_probs):
            raise ValueError("there is no distribution to sample from")
        ranked = np.argsort(-log_probs, kind="stable")  # (V,) stable: equals stay by id
        scaled = self._at_temperature(log_probs, int(ranked[0]))
        cut = np.full(len(log_probs), Cut.KEPT, dtype=np.int8)
        cut[scaled == 0] = Cut.IMPOSSIBLE
        staying = ranked[: int(np.count_nonzero(scaled))]
        if self.top_k is not None:
            cut[staying[self.top_k :]] = Cut.TOP_K
            staying = staying[: self.top_k]
        if self.top_p is not None and self.top_p < 1:
            reached = np.cumsum(scaled[staying] / scaled[staying].sum())
            n = int(np.count_nonzero(reached < self.top_p - ROUNDING)) + 1
            cut[staying[n:]] = Cut.TOP_P
            staying = staying[:n]
        probabilities = np.zeros(len(log_probs))
        probabilities[staying] = scaled[staying] / scaled[staying].sum()
        cumulative = np.minimum(np.cumsum(probabilities[staying]), 1.0)
        cumulative[-1] = 1.0  # so that rounding leaves no u without a token
        return SampledDistribution(
            at_temperature=scaled,
            probabilities=probabilities,
            cut=cut,
            ranked=ranked,
            cumulative=cumulative,
        )

    def _at_temperature(self, log_probs: LogProbs, best: int) -> Floats:
        """p^(1/τ), normalised, shape (V,)."""
        if self.temperature == 0:
            greedy = np.zeros(len(log_probs))
            greedy[best] = 1.0
            return greedy
        with np.errstate(over="ignore", under="ignore"):
            heated: Floats = np.exp((log_probs - log_probs[best]) / self.temperature)
        return heated / np.sum(heated)


@dataclass(frozen=True)
class SampledDistribution:
    """What sampling rules make of a distribution over V tokens, with every step in view."""

    at_temperature: Floats
    """After temperature, before any cut, shape (V,)."""
    probabilities: Floats
    """After all rules, shape (V,): 0 for what was cut; adds up to 1."""
    cut: npt.NDArray[np.int8]
    """Which rule each token fell to, shape (V,): values of ``Cut``."""
    ranked: Int64s
    """All ids by falling probability under the model, shape (V,). The first ``n_kept`` stay."""
    cumulative: Floats
    """Shape (n_kept,): the probabilities of the kept tokens in ranked order, added up; ends in
    1. The token ``ranked[i]`` owns [cumulative[i − 1], cumulative[i])."""

    @property
    def n_kept(self) -> int:
        """How many tokens can be drawn."""
        return len(self.cumulative)

    @property
    def kept(self) -> Int64s:
        """Their ids, most probable first."""
        return self.ranked[: self.n_kept]

    def token_at(self, u: float) -> int:
        """The token that owns u on the cumulative distribution, 0 ≤ u < 1."""
        if not 0 <= u < 1:
            raise ValueError("u must lie in [0, 1)")
        return int(self.ranked[np.searchsorted(self.cumulative, u, side="right")])

    def draw(self, rng: np.random.Generator) -> tuple[int, float]:
        """Roll the dice: (token, the u that picked it). Takes one number from ``rng``."""
        u = float(rng.random())
        return self.token_at(u), u


def is_defined(log_probs: LogProbs) -> bool:
    """Whether a row is a distribution at all: some token possible, no NaN, no +inf."""
    top = float(np.max(log_probs, initial=-math.inf))  # NaN if there is one
    return math.isfinite(top)
