"""Next-token distributions of several models, set side by side in rows. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.models.base import LogProbs

_SCALES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Distribution:
    """What one model says about the next token."""

    name: str
    kind: str
    """A key of gui.colours.SERIES, for colour and pattern."""
    log_probs: LogProbs
    """(V,) natural logs; −inf throughout where the distribution is undefined."""
    note: str = ""
    """Why it is undefined, in a sentence; a general one is said without it."""

    @property
    def defined(self) -> bool:
        """Whether any token has a probability at all."""
        return bool(np.isfinite(self.log_probs).any())

    @property
    def entropy(self) -> float:
        """H = −Σ p log₂ p in bits, with 0·log 0 = 0; NaN if undefined."""
        if not self.defined:
            return math.nan
        logs = self.log_probs[np.isfinite(self.log_probs)]
        return max(0.0, -float(np.exp(logs) @ logs) / math.log(2.0))

    def rank(self, token_id: int) -> int:
        """1 for the most probable token; equals share the best of their places."""
        return int((self.log_probs > self.log_probs[token_id]).sum()) + 1

    def words(self) -> str:
        """The entropy in a sentence, or why there is none."""
        if not self.defined:
            return self.note or f"{self.name} gives no distribution after this context."
        bits = self.entropy
        alike = 2.0**bits
        return f"{self.name}: entropy {bits:.2f} bits, as unsure as {alike:.1f} equal choices"


@dataclass(frozen=True)
class Row:
    """One token, or (None) all tokens that have no row of their own, under each model."""

    token_id: int | None
    log_probs: tuple[float, ...]
    """For each model; NaN where its distribution is undefined."""
    ranks: tuple[int, ...] = ()
    """For each model; 0 where undefined. Empty for the row of all others."""


def rows_of(
    models: Sequence[Distribution], count: int, sort: int = 0, marked: int | None = None
) -> list[Row]:
    """The ``count`` most probable tokens under model ``sort``, most probable first (equals by
    id), then the token asked about if it is not among them, then all others together.

    If that model is undefined, the order is that of the first one that is not.

    Raises:
        ValueError: if the models do not share one vocabulary size.
    """
    sizes = {len(model.log_probs) for model in models}
    if len(sizes) > 1:
        raise ValueError("models side by side must share one vocabulary")
    if not models or sizes == {0}:
        return []
    leader = models[min(sort, len(models) - 1)]
    if not leader.defined:
        leader = next((model for model in models if model.defined), leader)
    size = len(leader.log_probs)
    order = np.argsort(-leader.log_probs, kind="stable")[:count].tolist() if leader.defined else []
    if marked is not None and 0 <= marked < size and marked not in order:
        order.append(marked)
    rows = [
        Row(
            token,
            tuple(float(m.log_probs[token]) if m.defined else math.nan for m in models),
            tuple(m.rank(token) if m.defined else 0 for m in models),
        )
        for token in order
    ]
    if order and len(order) < size:
        others = np.ones(size, np.bool_)
        others[order] = False
        rows.append(Row(None, tuple(_total(m, others) for m in models)))
    return rows


def _total(model: Distribution, chosen: npt.NDArray[np.bool_]) -> float:
    """The log of the chosen tokens' probability together."""
    if not model.defined:
        return math.nan
    logs = model.log_probs[chosen]
    top = float(np.max(logs))
    if top == -math.inf:
        return -math.inf
    return top + math.log(float(np.exp(logs - top).sum()))


@dataclass(frozen=True)
class Scale:
    """The probability axis: linear from 0 to ``top``, or logarithmic from ``bottom`` to 1."""

    top: float = 1.0
    log: bool = False
    bottom: float = 1e-6

    @classmethod
    def fitting(cls, rows: Sequence[Row], *, log: bool) -> Scale:
        """A linear axis just long enough for the tokens' bars, or the logarithmic one. What all
        others have together may be cut, and is then shown running off the axis."""
        if log:
            return cls(log=True)
        logs = [lp for row in rows if row.token_id is not None for lp in row.log_probs]
        most = max((math.exp(lp) for lp in logs if not math.isnan(lp)), default=1.0)
        return cls(top=next((top for top in _SCALES if most <= top), 1.0))

    def place(self, log_prob: float) -> float:
        """Where a bar ends, as a share of the axis: 0 … 1."""
        if math.isnan(log_prob) or log_prob == -math.inf:
            return 0.0
        if self.log:
            share = 1.0 - log_prob / math.log(self.bottom)
        else:
            share = math.exp(log_prob) / self.top
        return min(1.0, max(0.0, share))

    def ticks(self) -> list[tuple[float, float]]:
        """(probability, share of the axis) of the numbers along it."""
        if self.log:
            decades = round(-math.log10(self.bottom))
            values = [10.0**-d for d in range(decades, -1, -1)]
            return [(v, self.place(math.log(v))) for v in values]
        return [(self.top * i / 5, i / 5) for i in range(6)]
