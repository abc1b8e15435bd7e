"""The n-gram language model: p(xₜ | x_<t) depends on the last n − 1 tokens only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens, check_ids
from engine.models.ngram import lookup
from engine.models.ngram.counting import (
    UNSEEN,
    Int32s,
    Int64s,
    NGramCounts,
    check_order,
    document_stream,
)
from engine.models.ngram.estimates import (
    Estimate,
    Floats,
    additive,
    adjusted_counts,
    kneser_ney,
)
from engine.tokenizers.base import Ids
from engine.tokenizers.stream import TokenStream

Smoothing = Literal["maximum_likelihood", "add_k", "kneser_ney"]


@dataclass(frozen=True)
class Share:
    """What one order gives to an interpolated probability; see ``interpolation_shares``."""

    order: int
    """m, for the counts after the last m − 1 tokens; 0 for the uniform distribution."""
    weight: float
    """The product of what all higher orders leave: the mass that reaches this order."""
    own: float
    """What this order's (discounted) counts keep for the token, out of a mass of 1."""

    @property
    def contribution(self) -> float:
        """weight · own. The contributions of all orders add up to the probability."""
        return self.weight * self.own


class NGramModel(LanguageModel):
    """An n-gram model by maximum likelihood, add-k, or interpolated modified Kneser–Ney.

    ``order`` is the field's n: the token predicted and the n − 1 before it. The tutorial's n
    counts the previous tokens only, so its n is ``order − 1``.

    Where fewer than n − 1 tokens stand before xₜ, begin-of-text is part of the context, as
    with KenLM's ``<s>``. An end-of-text inside a context starts a new document: what stands
    before it is not looked at. Add-k and Kneser–Ney give every token a probability above 0
    in every context; maximum likelihood is undefined (a row of −inf) after a context that the
    training text does not hold.
    """

    kind = "ngram"

    def __init__(
        self,
        counts: NGramCounts,
        order: int,
        smoothing: Smoothing = "kneser_ney",
        k: float = 1.0,
        job: Job = NO_JOB,
    ) -> None:
        """Estimate a model from counts of its order or a higher one.

        Raises:
            LabError: if the order, the smoothing or k is no such thing (see ``train``).
        """
        check_order(order)
        if smoothing not in get_args(Smoothing):
            raise LabError(
                f"There is no smoothing called {smoothing!r}. "
                f"Choose one of {', '.join(get_args(Smoothing))}."
            )
        if smoothing == "add_k" and not (math.isfinite(k) and k > 0):
            raise LabError(
                f"Add-k smoothing needs a k above 0, not {k}. For k = 0 choose maximum likelihood."
            )
        if order > counts.order:
            raise ValueError(f"counted up to order {counts.order}, asked for {order}")
        self.counts = counts
        self.order = int(order)
        self.smoothing: Smoothing = smoothing
        self.k = float(k)
        job.progress(order, order, "Turning counts into probabilities")
        self._estimate: Estimate
        if smoothing == "kneser_ney":
            self._estimate = kneser_ney(counts, self.order, job)
        else:
            self._estimate = additive(
                counts, self.order, self.k if smoothing == "add_k" else 0.0, job
            )

    @classmethod
    def train(
        cls,
        stream: TokenStream | Sequence[Tokens],
        order: int,
        smoothing: Smoothing = "kneser_ney",
        k: float = 1.0,
        job: Job = NO_JOB,
        *,
        vocab_size: int | None = None,
    ) -> NGramModel:
        """Count a text and estimate the model.

        Args:
            stream: the text; or documents' ids, without end-of-text.
            order: the field's n, 1 … 16: one more than the tutorial's.
            smoothing: "maximum_likelihood", "add_k" or "kneser_ney".
            k: what add-k adds to every count; other smoothings ignore it.
            job: sees progress by orders.
            vocab_size: V, end-of-text included; for documents only.

        Raises:
            LabError: if the order or k is out of range, the smoothing is unknown, the text is
                empty, or holds too many distinct n-grams to keep.
        """
        check_order(order)
        if not isinstance(stream, TokenStream):
            if vocab_size is None:
                raise TypeError("documents of ids need a vocab_size")
            stream = document_stream(stream, vocab_size)
        return cls(NGramCounts.count(stream, order, job), order, smoothing, k, job)

    @property
    def name(self) -> str:
        """Such as "5-gram, Kneser–Ney"."""
        first = {1: "unigram", 2: "bigram", 3: "trigram"}.get(self.order, f"{self.order}-gram")
        how = {
            "maximum_likelihood": "maximum likelihood",
            "add_k": f"add-{self.k:g}",
            "kneser_ney": "Kneser–Ney",
        }[self.smoothing]
        return f"{first}, {how}"

    @property
    def vocab_size(self) -> int:
        """V, end-of-text included."""
        return self.counts.vocab_size

    @property
    def discounts(self) -> tuple[tuple[float, float, float], ...]:
        """Kneser–Ney's D₁, D₂, D₃₊ of each order from 1 up; empty for other smoothings."""
        return self._estimate.discounts

    # Probabilities

    def next_log_probs(self, context: Tokens) -> LogProbs:
        """log p(· | context), shape (V,): −inf throughout where it is undefined.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """
        return _log(lookup.row(self.counts, self._estimate, self.history(context)))

    def log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T, V): row t is log p(xₜ = · | x_<t).

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """
        array = check_ids(ids, self.vocab_size)
        return _log(lookup.table(self.counts, self._estimate, array))

    def token_log_probs(self, ids: Tokens, job: Job = NO_JOB) -> LogProbs:
        """Shape (T,): log p(xₜ | x_<t), for texts of any length. An end-of-text inside the text
        ends a document and opens the next, so a whole stream may be scored at once.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """
        array = check_ids(ids, self.vocab_size)
        return _log(lookup.tokens(self.counts, self._estimate, array, job))

    def stream_log_probs(self, stream: TokenStream, job: Job = NO_JOB) -> LogProbs:
        """Shape (n_targets,): each document's ``token_log_probs``, one after another."""
        return self.token_log_probs(stream.ids[1:], job)

    def continuation(self, context: Tokens) -> Continuation:
        """A document to be written on, of which only the last n − 1 tokens are kept."""
        return _NGramContinuation(self, context)

    # What the probabilities are made of

    def history(self, context: Tokens) -> tuple[int, ...]:
        """All that the model sees of a document which starts with ``context``: its last n − 1
        tokens, begin-of-text (the id of end-of-text) in front where they reach so far.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """
        ids = check_ids(context, self.vocab_size)
        if self.order == 1:
            return ()
        tail = ids[-(self.order - 1) :].tolist()
        if len(ids) < self.order - 1:
            tail = [self.end_of_text, *tail]
        for place in range(len(tail) - 1, 0, -1):
            if tail[place] == self.end_of_text:
                return tuple(tail[place:])
        return tuple(tail)

    def seen(self, history: Tokens) -> bool:
        """Whether anything ever followed these tokens in the training text.

        Args:
            history: at most n − 1 ids, as ``history`` gives them: E only as begin-of-text.
        """
        tokens, _ = self.count_table(history)
        return len(tokens) > 0

    def count_table(self, history: Tokens) -> tuple[Ids, Int32s]:
        """What followed these tokens in the training text, most frequent first.

        Args:
            history: at most n − 1 ids; E only as the first, for begin-of-text. Nothing at all
                gives the counts of single tokens.

        Returns:
            (tokens, counts), two arrays of shape (followers,); ties by id.

        Raises:
            ValueError: if the history is longer, or an id lies outside 0 … V − 1.
        """
        nodes = self._followers(history)
        order = len(history) + 1
        tokens = self.counts.child_tokens(order, nodes)
        counts = self.counts.levels[order - 1].counts[nodes]
        ranking = np.argsort(-counts, kind="stable")
        ranking = ranking[counts[ranking] > 0]  # level 1 holds tokens that never occur
        return tokens[ranking].astype(np.int32), counts[ranking]

    def occurrences(self, ngram: Tokens, limit: int | None = None) -> Int64s:
        """Positions in ``counts.stream.ids`` where an n-gram of any length starts, ascending,
        at most ``limit`` of them."""
        return self.counts.occurrences(ngram, limit)

    def n_grams(self, order: int) -> int:
        """How many distinct n-grams of an order 1 … n the training text holds."""
        return self.counts.n_grams(order)

    def seen_orders(self, ids: Tokens) -> Int64s:
        """Shape (T,): for each token of a text, the highest order m ≤ n such that the m − 1
        tokens before it were followed by something in training.

        Where a document opens, the context with begin-of-text is as long as any can be: if it
        was seen, the value is n. So ``np.mean(model.seen_orders(ids) < m)`` is the share of
        contexts that a model of order m ≤ n has never seen.
        """
        array = check_ids(ids, self.vocab_size)
        full = lookup.orders_used(array, self.end_of_text, self.order)
        orders = np.ones(len(array), dtype=np.int64)
        for m, (contexts, _) in enumerate(self.counts.walk(array, self.order), start=1):
            seen = (contexts != UNSEEN) & (full >= m)
            if m == 2:  # level 1 has a node for every token, whether it occurs or not
                seen &= self.counts.levels[0].counts[contexts] > 0
            orders[seen] = m
        orders[orders == full] = self.order
        return orders

    def interpolation_shares(self, context: Tokens, token: int) -> list[Share]:
        """How each order adds to p(token | context), highest order first.

        For Kneser–Ney there is a share for each order down to 0, the uniform distribution;
        for add-k, one of the counts and one of the uniform distribution; for maximum
        likelihood, one. The contributions add up to the probability. Orders whose context was
        never seen keep nothing and pass on everything.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """
        check_ids([token], self.vocab_size)
        history = self.history(context)
        shares = []
        weight = 1.0
        lowest = 1 if self._estimate.interpolated else len(history) + 1
        for order in range(len(history) + 1, lowest - 1, -1):
            own, remainder = self._own(history[len(history) + 1 - order :], token)
            shares.append(Share(order, weight, own))
            weight *= remainder
        if self.smoothing != "maximum_likelihood":
            shares.append(Share(0, weight, 1.0 / self.vocab_size))
        return shares

    def _own(self, history: tuple[int, ...], token: int) -> tuple[float, float]:
        """What one order keeps for a token, and what it leaves to the rest."""
        order = len(history) + 1
        nodes = self._followers(history)
        level = self.counts.levels[order - 1]
        highest = self.smoothing != "kneser_ney" or order == self.order
        counts = adjusted_counts(level, highest, nodes)
        if not counts.any():
            return 0.0, 1.0
        count = int(counts[self.counts.child_tokens(order, nodes) == token].sum())
        total = float(counts.sum())
        if self.smoothing == "add_k":
            total += self.k * self.vocab_size
        discount = (0.0, *self.discounts[order - 1])[min(count, 3)] if self.discounts else 0.0
        context = self.counts.node(history) if history else 0
        remainder = float(self._estimate.levels[order - 1].remainders[context])
        return (count - discount) / total, remainder

    def _followers(self, history: Tokens) -> slice:
        """The nodes, on level len(history) + 1, of what followed a history."""
        if len(history) >= self.order:
            raise ValueError(f"order {self.order} has counts for {self.order - 1} tokens at most")
        if not len(history):
            return self.counts.children(1, 0)
        node = self.counts.node(history)
        return slice(0, 0) if node == UNSEEN else self.counts.children(len(history) + 1, node)


class _NGramContinuation(Continuation):
    """Keeps the last n − 1 tokens: all that the model sees."""

    def __init__(self, model: NGramModel, context: Tokens) -> None:
        super().__init__(model, context)
        self._width = max(1, model.order - 1)
        del self._ids[: -self._width]

    def append(self, token_id: int) -> None:
        super().append(token_id)
        del self._ids[: -self._width]


def _log(p: Floats) -> npt.NDArray[np.float64]:
    """The natural logarithm, with log 0 = −inf."""
    with np.errstate(divide="ignore"):
        logs: npt.NDArray[np.float64] = np.log(p)
    return logs
