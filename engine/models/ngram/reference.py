"""Interpolated modified Kneser–Ney, slow and obvious: the equations with dictionaries.

The tests hold the fast path (``counting``, ``estimates``, ``lookup``) against this one, which
shares no code with it. Read it to see what is computed; see ``estimates`` for the sources.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

NGram = tuple[int, ...]


class ReferenceKneserNey:
    """p(w | h) for documents of ids 0 … V − 2; V − 1 opens (as context) and ends them.

    >>> model = ReferenceKneserNey([[0, 1, 0, 1], [0, 1]], vocab_size=3, order=2)
    >>> round(sum(model.probability((0,), w) for w in range(3)), 12)
    1.0
    """

    def __init__(self, documents: Sequence[Sequence[int]], vocab_size: int, order: int) -> None:
        self.vocab_size = vocab_size
        self.order = order
        self.end = vocab_size - 1
        # c(g): how often each n-gram occurs that ends in a predicted token
        self.counts: list[Counter[NGram]] = [Counter() for _ in range(order + 1)]
        for document in documents:
            tokens = (self.end, *document, self.end)
            for last in range(1, len(tokens)):
                for n in range(1, min(order, last + 1) + 1):
                    self.counts[n][tokens[last - n + 1 : last + 1]] += 1
        self.adjusted = [self._adjusted(n) for n in range(order + 1)]
        self.discounts = [self._discounts(n) for n in range(order + 1)]
        # followers of h: every (w, a(hw)) with a(hw) > 0
        self.followers: dict[NGram, dict[int, int]] = defaultdict(dict)
        for n in range(1, order + 1):
            for ngram, count in self.adjusted[n].items():
                self.followers[ngram[:-1]][ngram[-1]] = count

    def _adjusted(self, n: int) -> Counter[NGram]:
        """a(g) = c(g) for the highest order and for what begins a document; otherwise
        N₁₊(•g), before how many different tokens g occurs."""
        if n in (0, self.order):
            return self.counts[n]
        before: dict[NGram, set[int]] = defaultdict(set)
        for longer in self.counts[n + 1]:
            before[longer[1:]].add(longer[0])
        opens = {g for g in self.counts[n] if n > 1 and g[0] == self.end}
        return Counter({g: c if g in opens else len(before[g]) for g, c in self.counts[n].items()})

    def _discounts(self, n: int) -> tuple[float, float, float]:
        """Chen & Goodman, eq. 26."""
        t = Counter(self.adjusted[n].values())
        if not (t[1] and t[2] and t[3]):
            return 0.5, 1.0, 1.5
        y = t[1] / (t[1] + 2 * t[2])
        d1 = 1 - 2 * y * t[2] / t[1]
        d2 = 2 - 3 * y * t[3] / t[2]
        d3 = 3 - 4 * y * t[4] / t[3]
        return (d1, d2, d3) if min(d1, d2, d3) > 1e-9 else (0.5, 1.0, 1.5)

    def _discount(self, n: int, count: int) -> float:
        return 0.0 if count == 0 else self.discounts[n][min(count, 3) - 1]

    def probability(self, history: NGram, token: int) -> float:
        """p(w | h), where h holds at most n − 1 tokens and may start with begin-of-text."""
        n = len(history) + 1
        lower = self.probability(history[1:], token) if n > 1 else 1 / self.vocab_size
        followers = self.followers.get(history, {})
        total = sum(followers.values())
        if total == 0:
            return lower
        count = followers.get(token, 0)
        free = sum(self._discount(n, c) for c in followers.values())  # γ(h) · total
        return (count - self._discount(n, count) + free * lower) / total
