"""The chain rule from the other end: p(x) = ∏ₜ p(xₜ | xₜ₊₁:T), each token after those behind it.

A model of reversed text is an ordinary language model; only its reading direction differs.
``ReversedModel`` remembers that, so that its bars ("what came before?") are never put beside
bars that answer "what comes next?". Whole texts it scores like any other model.

``both_ways`` counts a small text with exact fractions. It shows an identity: by maximum
likelihood, an n-gram of either direction gives a text the same probability. For the bigram, with
E the edge of a text, c(a b) the times b followed a, and c(a) the times a occurred,

    ∏ c(a b) / c(a)  =  ∏ c(a b) / c(b)

over the pairs (a, b) of E x₁ … x_T E: the numerators are the same, and in the denominators every
token stands once as the left and once as the right one of a pair. Add-k leaves a bigram's
denominators alike, too; Kneser–Ney, which counts different neighbours to either side, does not.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens, check_ids
from engine.tokenizers.stream import TokenStream

EDGE = ""
"""Stands before and behind every text in ``both_ways``; no word is empty."""


def reverse_stream(stream: TokenStream) -> TokenStream:
    """The same documents, each backwards (and in reverse order), as a stream to learn from.

    >>> from engine.models.ngram.counting import document_stream
    >>> reverse_stream(document_stream([[0, 1], [1, 1, 0]], 3)).ids.tolist()
    [2, 0, 1, 1, 2, 1, 0, 2]
    """
    backwards = np.ascontiguousarray(stream.ids[::-1])  # E stands at both ends of the stream
    return TokenStream(backwards, stream.end_of_text, stream.n_bytes)


class ReversedModel(LanguageModel):
    """A language model over reversed ids.

    As a ``LanguageModel`` it is the model it wraps: contexts are texts from their last token
    backwards, and the "next" token is the one that stood before them; end-of-text after a
    context says that the text began there. The methods of its own take ids in reading order.
    """

    def __init__(self, backwards: LanguageModel) -> None:
        """
        Args:
            backwards: a model that learned from reversed text (see ``reverse_stream``).
        """
        self.backwards = backwards
        self.kind = backwards.kind

    @property
    def name(self) -> str:
        """Such as "trigram, Kneser–Ney, reversed"."""
        return f"{self.backwards.name}, reversed"

    @property
    def vocab_size(self) -> int:
        """V, end-of-text included."""
        return self.backwards.vocab_size

    def next_log_probs(self, context: Tokens) -> LogProbs:
        """log p(· | what stands behind it), shape (V,); ``context`` runs backwards."""
        return self.backwards.next_log_probs(context)

    def log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T, V), ``ids`` running backwards."""
        return self.backwards.log_probs(ids)

    def token_log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T,), ``ids`` running backwards."""
        return self.backwards.token_log_probs(ids)

    def stream_log_probs(self, stream: TokenStream, job: Job = NO_JOB) -> LogProbs:
        """Of a reversed stream; see ``reverse_stream``."""
        return self.backwards.stream_log_probs(stream, job)

    def continuation(self, context: Tokens) -> Continuation:
        """A text written from its end to its beginning."""
        return self.backwards.continuation(context)

    # In reading order

    def previous_log_probs(self, following: Tokens) -> LogProbs:
        """log p(xₜ = · | xₜ₊₁:T), shape (V,): what stood before ``following``, which runs to the
        end of the text. The last entry is that nothing did: the text begins there.

        Raises:
            ValueError: if an id lies outside the vocabulary.
        """
        return self.backwards.next_log_probs(check_ids(following, self.vocab_size)[::-1])

    def document_log_probs(self, ids: Tokens) -> LogProbs:
        """The factors of a whole text in reading order, shape (T + 1,).

        Args:
            ids: the text's T tokens, end-of-text not among them.

        Returns:
            First log p(the text begins | x₁:T), then log p(xₜ | xₜ₊₁:T) for t = 1 … T. Their sum
            is log p(x), to be compared with that of any model from left to right.

        Raises:
            ValueError: if an id lies outside the vocabulary.
        """
        backwards = check_ids(ids, self.vocab_size)[::-1]
        return self.backwards.token_log_probs(np.append(backwards, np.int32(self.end_of_text)))[
            ::-1
        ]


@dataclass(frozen=True)
class Pair:
    """Two neighbours of a text, and how often they and each of them occurred in training."""

    left: str
    right: str
    together: int
    """c(left right): how often right followed left."""
    left_total: int
    """c(left)."""
    right_total: int
    """c(right)."""

    @property
    def forward(self) -> Fraction | None:
        """p(right | left) = c(left right) ÷ c(left); None where left never occurred."""
        return Fraction(self.together, self.left_total) if self.left_total else None

    @property
    def backward(self) -> Fraction | None:
        """p(left | right) = c(left right) ÷ c(right); None where right never occurred."""
        return Fraction(self.together, self.right_total) if self.right_total else None


def both_ways(documents: Sequence[Sequence[str]], text: Sequence[str]) -> tuple[Pair, ...]:
    """The pairs of a text, each with the counts that both directions divide.

    Args:
        documents: what is counted, each a sequence of words, none of them empty.
        text: the words of the text to score.

    Returns:
        T + 1 pairs: (EDGE, x₁), (x₁, x₂), …, (x_T, EDGE).

    >>> [str(pair.forward) for pair in both_ways(["ab", "b"], "ab")]
    ['1/2', '1', '1']
    >>> [str(pair.backward) for pair in both_ways(["ab", "b"], "ab")]
    ['1', '1/2', '1']
    """
    pairs: Counter[tuple[str, str]] = Counter()
    singles: Counter[str] = Counter()
    for document in documents:
        padded = [EDGE, *document, EDGE]
        pairs.update(itertools.pairwise(padded))
        singles.update(padded[1:])
    return tuple(
        Pair(left, right, pairs[left, right], singles[left], singles[right])
        for left, right in itertools.pairwise([EDGE, *text, EDGE])
    )


def product(factors: Sequence[Fraction | None]) -> Fraction | None:
    """Their product; None where one is undefined.

    A probability of 0 before an undefined factor stays undefined, for the chain rule asks for
    every conditional.
    """
    defined = [factor for factor in factors if factor is not None]
    return math.prod(defined, start=Fraction(1)) if len(defined) == len(factors) else None
