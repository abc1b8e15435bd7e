"""What happens to n-gram models as n grows: contexts never seen, texts given probability zero,
perplexity on the text they learned from and on text held out.

The larger n, the sparser the counts: almost every long context is new, and maximum likelihood
has nothing to say after it. Smoothing gives every context a distribution; what stays is the gap
between what was learned and what is new.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.base import LogProbs
from engine.models.ngram.counting import NGramCounts, TooManyNGramsError
from engine.models.ngram.model import NGramModel, Smoothing
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.stream import TokenStream

SMOOTHINGS: tuple[Smoothing, ...] = ("maximum_likelihood", "add_k", "kneser_ney")
_SENTENCE_ENDS = (b".", b"!", b"?", b"\n")


@dataclass(frozen=True)
class OrderFigures:
    """One order n, on the same training and held-out text."""

    order: int
    n_grams: int
    """How many distinct n-grams the training text holds."""
    unseen_contexts: float
    """Share of held-out tokens whose n − 1 previous tokens were never followed by anything in
    training, 0 … 1."""
    impossible_sentences: float
    """Share of held-out sentences that maximum likelihood gives probability zero, or cannot
    give any, 0 … 1."""
    train_perplexity: dict[Smoothing, float]
    """exp(nats per token) on the training text."""
    held_out_perplexity: dict[Smoothing, float]
    """The same on held-out text; ∞ where one token was impossible."""


def order_sweep(
    train: TokenStream,
    held_out: TokenStream,
    tokenizer: Tokenizer,
    highest: int = 8,
    k: float = 1.0,
    job: Job = NO_JOB,
) -> Iterator[OrderFigures]:
    """The figures of every order from 1 up, lowest first, as they are ready.

    A sentence ends with a token that holds a full stop, an exclamation or question mark or a
    line break, and with the document.

    Args:
        train: the training documents.
        held_out: documents that were held out.
        tokenizer: what cut both.
        highest: the last order; fewer where the text holds too many n-grams to keep.
        k: what add-k adds.
        job: sees progress by orders.

    Raises:
        LabError: if either text is empty.
    """
    if held_out.n_targets == 0:
        raise LabError("There is no held-out text to measure on. Choose a longer text.")
    try:
        counts = NGramCounts.count(train, highest, job)
    except TooManyNGramsError as error:
        highest = max(1, error.order)
        counts = NGramCounts.count(train, highest, job)
    sentences = sentence_numbers(held_out, tokenizer)
    for order in range(1, highest + 1):
        learned, new = {}, {}
        impossible, unseen = math.nan, math.nan
        for smoothing in SMOOTHINGS:
            job.progress(order - 1, highest, "Measuring n-grams")
            model = NGramModel(counts, order, smoothing, k, job)
            on_new = model.stream_log_probs(held_out, job)
            learned[smoothing] = _perplexity(model.stream_log_probs(train, job))
            new[smoothing] = _perplexity(on_new)
            if smoothing == "maximum_likelihood":
                seen = model.seen_orders(held_out.ids[1:])
                unseen = float(np.mean(seen < order))
                impossible = _share_impossible(on_new, sentences)
        yield OrderFigures(order, counts.n_grams(order), unseen, impossible, learned, new)


def sentence_numbers(stream: TokenStream, tokenizer: Tokenizer) -> npt.NDArray[np.int64]:
    """Which sentence each target of a stream belongs to, shape (n_targets,), from 0 up."""
    ends = np.zeros(stream.vocab_size, dtype=np.bool_)
    for token in range(tokenizer.vocab_size):
        data = tokenizer.token_bytes(token)
        ends[token] = any(mark in data for mark in _SENTENCE_ENDS)
    ends[stream.end_of_text] = True
    closing = ends[stream.ids[1:]]  # (n_targets,)
    # Marks in a row, and the end of the document behind one, close the same sentence.
    opens = np.concatenate(([True], closing[:-1] & ~closing[1:]))
    after_document = np.concatenate(([False], stream.ids[1:-1] == stream.end_of_text))
    numbers: npt.NDArray[np.int64] = np.cumsum(opens | after_document) - 1
    return numbers


def _share_impossible(log_probs: LogProbs, sentences: npt.NDArray[np.int64]) -> float:
    zero = np.zeros(int(sentences[-1]) + 1, dtype=np.bool_)
    zero[sentences[np.isneginf(log_probs)]] = True
    return float(np.mean(zero))


def _perplexity(log_probs: LogProbs) -> float:
    nats = -float(np.mean(log_probs))
    return math.exp(nats) if nats < 700 else math.inf


def best_order(figures: Sequence[OrderFigures], smoothing: Smoothing) -> int:
    """The order with the lowest held-out perplexity."""
    return min(figures, key=lambda f: f.held_out_perplexity[smoothing]).order
