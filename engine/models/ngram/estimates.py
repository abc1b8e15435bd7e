"""From counts to probabilities: maximum likelihood, add-k, modified Kneser–Ney.

All three have one form. With h a context and h′ the same without its first token,

    p(w | h) = own(w | h) + remainder(h) · rest(w | h′),

where ``own`` is what h's counts keep for w, ``remainder`` what they leave to others, and ``rest``
the next lower order (Kneser–Ney), the uniform 1/V (add-k: it is the mixture of maximum
likelihood and uniform with remainder kV / (c(h) + kV)), or nothing (maximum likelihood).

Kneser–Ney here is the interpolated modified form of Chen & Goodman, "An Empirical Study of
Smoothing Techniques for Language Modeling" (TR-10-98, Harvard, 1998), section 3, with KenLM's
conventions (Heafield et al., ACL 2013): the lowest order is interpolated with 1/V; n-grams that
start with begin-of-text keep their plain counts on every level; where an order's discounts
cannot be estimated they are 0.5, 1 and 1.5. One deviation: KenLM accepts a discount of exactly
0, which can leave unseen tokens with probability 0; here it counts as not estimable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.models.ngram.counting import Int32s, Level, NGramCounts

Floats = npt.NDArray[np.float64]

FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
"""D₁, D₂, D₃₊ where they cannot be estimated, as ``lmplz --discount_fallback`` has them."""


@dataclass(frozen=True)
class LevelEstimate:
    """The probabilities of one order m."""

    probabilities: Floats
    """p(last token | rest) of each m-gram that occurs: over the nodes of level m."""
    remainders: Floats
    """What each context leaves to others: over the nodes of level m − 1 (one, the root, for
    m = 1). For contexts that were never followed by anything: 1, or 0 for maximum likelihood."""


@dataclass(frozen=True)
class Estimate:
    """The probabilities of all orders, ready for look-up."""

    levels: tuple[LevelEstimate, ...]
    interpolated: bool
    """Whether the rest goes to the next lower order; if not, to ``floor``."""
    floor: float
    """The probability that the lowest (if interpolated) or only order passes the rest to."""
    discounts: tuple[tuple[float, float, float], ...] = ()
    """D₁, D₂, D₃₊ of each order, for Kneser–Ney."""


def additive(counts: NGramCounts, order: int, k: float, job: Job = NO_JOB) -> Estimate:
    """p(w | h) = (c(hw) + k) / (c(h) + kV); with k = 0, maximum likelihood.

    Levels below the order serve the openings of documents, where the context is shorter.
    """
    vocab_size = counts.vocab_size
    mass = k * vocab_size
    levels = []
    for m in range(1, order + 1):
        job.yield_point()
        level = counts.levels[m - 1]
        contexts, n_contexts = _contexts(counts, m)
        totals = _sums(contexts, level.counts, n_contexts) + mass  # (contexts,)
        # A context that nothing ever followed: all to the rest, which maximum likelihood lacks.
        remainders = np.full(n_contexts, 1.0 if k > 0 else 0.0)
        np.divide(mass, totals, out=remainders, where=totals > 0)
        levels.append(
            LevelEstimate(
                probabilities=(level.counts + k) / totals[contexts],
                remainders=remainders,
            )
        )
    floor = 1.0 / vocab_size if k > 0 else 0.0
    return Estimate(levels=tuple(levels), interpolated=False, floor=floor)


def kneser_ney(counts: NGramCounts, order: int, job: Job = NO_JOB) -> Estimate:
    """Interpolated modified Kneser–Ney of the given order (at most that of the counts)."""
    uniform = 1.0 / counts.vocab_size
    lower = np.array([uniform])  # p of the next lower order, over its nodes
    levels = []
    all_discounts = []
    for m in range(1, order + 1):
        job.yield_point()
        level = counts.levels[m - 1]
        adjusted = adjusted_counts(level, highest=m == order)  # (n-grams,)
        discounts = estimate_discounts(adjusted)
        contexts, n_contexts = _contexts(counts, m)
        discount = np.array([0.0, *discounts])[np.minimum(adjusted, 3)]  # (n-grams,)
        totals = _sums(contexts, adjusted, n_contexts)  # (contexts,)
        # γ(h), the mass that the discounts of h's followers set free: Chen & Goodman, eq. 24.
        remainders = np.ones(n_contexts)
        np.divide(_sums(contexts, discount, n_contexts), totals, out=remainders, where=totals > 0)
        job.yield_point()
        probabilities: Floats = (adjusted - discount) / totals[contexts]
        probabilities += remainders[contexts] * lower[level.suffixes]
        levels.append(LevelEstimate(probabilities=probabilities, remainders=remainders))
        all_discounts.append(discounts)
        lower = probabilities
    return Estimate(
        levels=tuple(levels), interpolated=True, floor=uniform, discounts=tuple(all_discounts)
    )


def adjusted_counts(level: Level, highest: bool, nodes: slice = slice(None)) -> Int32s:
    """The counts that Kneser–Ney discounts: plain ones on the highest order; below it, before
    how many distinct tokens the n-gram occurs, except where it starts with begin-of-text."""
    counts = level.counts[nodes]
    if highest:
        return counts
    # Whatever does not start a document has something before it: 0 means "starts with E".
    continuations = level.continuations[nodes]
    return np.where(continuations > 0, continuations, counts)


def estimate_discounts(adjusted: Int32s) -> tuple[float, float, float]:
    """D₁, D₂, D₃₊ from the numbers t₁ … t₄ of n-grams with adjusted counts 1 … 4.

    Chen & Goodman, eq. 26: Y = t₁ / (t₁ + 2 t₂), Dⱼ = j − (j + 1) Y tⱼ₊₁ / tⱼ.
    """
    t = np.bincount(np.minimum(adjusted, 5), minlength=6).tolist()
    if min(t[1:4]) == 0:
        return FALLBACK_DISCOUNTS
    y = t[1] / (t[1] + 2 * t[2])
    d1, d2, d3 = (j - (j + 1) * y * t[j + 1] / t[j] for j in (1, 2, 3))
    # No Dⱼ exceeds j. Rounding must not make a discount of 0 pass for a positive one.
    return (d1, d2, d3) if min(d1, d2, d3) > 1e-9 else FALLBACK_DISCOUNTS


def _contexts(counts: NGramCounts, order: int) -> tuple[npt.NDArray[np.int64], int]:
    """The context node of every node on a level, and how many contexts there are."""
    level = counts.levels[order - 1]
    if order == 1:
        return np.zeros(len(level), dtype=np.int64), 1
    return level.keys // counts.vocab_size, len(counts.levels[order - 2])


def _sums(groups: npt.NDArray[np.int64], values: Int32s | Floats, n: int) -> Floats:
    """The sum of the values of each group 0 … n − 1."""
    return np.bincount(groups, weights=values, minlength=n).astype(np.float64, copy=False)
