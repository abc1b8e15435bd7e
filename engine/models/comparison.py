"""Several models asked the same question: which token comes next?

Distributions over one vocabulary stand on one axis: the same tokens in the same order for each
model, so that bars side by side may be compared by eye.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engine.models.base import LanguageModel, LogProbs, Tokens

Int64s = npt.NDArray[np.int64]
FAVOURITES = 3
"""So many of every model's most probable tokens are among the rows, whichever model sorts."""


@dataclass(frozen=True)
class NextToken:
    """One model's distribution over the next token after one context.

    >>> next_token(model, []).entropy_bits  # 2 for four tokens, equally likely
    2.0
    """

    log_probs: LogProbs
    """Natural logarithms, shape (V,); −inf throughout where the model defines none."""

    @property
    def vocab_size(self) -> int:
        """V, end-of-text included."""
        return len(self.log_probs)

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Shape (V,)."""
        return np.exp(self.log_probs)

    @cached_property
    def defined(self) -> bool:
        """Whether there is a distribution at all: some token possible, none NaN or +∞."""
        return math.isfinite(float(np.max(self.log_probs, initial=-math.inf)))

    @cached_property
    def entropy_bits(self) -> float:
        """−Σ p log₂ p: how unsure the model is, in bits; NaN where it is undefined."""
        if not self.defined:
            return math.nan
        possible = self.log_probs > -math.inf
        nats = -float(np.sum(self.probabilities[possible] * self.log_probs[possible]))
        return max(0.0, nats) / math.log(2)

    @cached_property
    def ranking(self) -> Int64s:
        """All ids by falling probability, equals by id: shape (V,)."""
        return np.argsort(-self.log_probs, kind="stable")

    @cached_property
    def _ranks(self) -> Int64s:
        ranks = np.empty(self.vocab_size, dtype=np.int64)
        ranks[self.ranking] = np.arange(1, self.vocab_size + 1)
        return ranks

    def rank(self, token: int) -> int:
        """1 for the most probable token; equals by id."""
        return int(self._ranks[token])

    def probability(self, token: int) -> float:
        """p(token); NaN where the distribution is undefined."""
        return float(self.probabilities[token]) if self.defined else math.nan


def next_token(model: LanguageModel, context: Tokens) -> NextToken:
    """What a model says of the token after a context.

    Raises:
        ValueError: if an id lies outside the model's vocabulary.
    """
    return NextToken(model.next_log_probs(context))


def common_rows(
    answers: Sequence[NextToken], sort_by: int, n: int, also: Sequence[int] = ()
) -> list[int]:
    """The tokens to show, the same for all: sorted by one model, favourites of all among them.

    Those asked for by ``also`` are kept, and the first three of every model; where these are
    more than ``n`` together, the first two, or the first alone. The sorting model's next tokens
    fill the rest up to ``n`` (more only where more must be kept). Tokens that are impossible for
    every model are left out unless asked for.

    Args:
        answers: distributions over the same vocabulary; undefined ones have no favourites.
        sort_by: which of them sorts the rows. If it is undefined, the first defined one does.
        n: how many rows.
        also: tokens that must be among them.

    Raises:
        ValueError: if the vocabularies differ.
    """
    if len({answer.vocab_size for answer in answers}) > 1:
        raise ValueError("only distributions over one vocabulary share an axis")
    defined = [answer for answer in answers if answer.defined]
    if not defined:
        return list(dict.fromkeys(also))
    leader = answers[sort_by] if answers[sort_by].defined else defined[0]
    for favourites in range(FAVOURITES, 0, -1):
        kept = dict.fromkeys(also)
        for answer in defined:
            kept |= dict.fromkeys(_possible(answer, favourites))
        if len(kept) <= n:
            break
    for token in _possible(leader, n):
        if len(kept) >= n:
            break
        kept.setdefault(token)
    return sorted(kept, key=leader.rank)


def _possible(answer: NextToken, n: int) -> list[int]:
    """The n most probable tokens, those of probability 0 left out."""
    best = answer.ranking[:n]
    tokens: list[int] = best[answer.log_probs[best] > -math.inf].tolist()
    return tokens
