"""What a loss means: the lines to hold a training run against, from guessing to the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.ngram.counting import NGramCounts, TooManyNGramsError
from engine.models.ngram.model import NGramModel
from engine.models.scores import Score, held_out_score, spelling_nats
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.stream import TokenStream

if TYPE_CHECKING:
    from engine.text.story import StoryLanguage

BEST_OF_ORDERS = 6
"""The best n-gram is chosen among the orders 1 … 6."""


@dataclass(frozen=True)
class Landmark:
    """One line on the loss plot: what some simple predictor loses on the held-out text."""

    key: str
    """Machine name: "uniform", "unigram", "bigram", "ngram" or "truth"."""
    label: str
    """A few words for the plot, such as "best n-gram (5-gram)"."""
    nats_per_token: float
    """The line's height where losses are in nats per token."""
    bits_per_byte: float
    """The line's height where models with different tokens are compared."""
    explanation: str
    """What it means to fall below the line, in a sentence or two."""


def landmarks(
    train: TokenStream,
    held_out: TokenStream,
    language: StoryLanguage | None = None,
    documents: Sequence[str] | None = None,
    job: Job = NO_JOB,
    *,
    tokenizer: Tokenizer | None = None,
) -> list[Landmark]:
    """The landmarks of a corpus under a tokenizer, highest idea of ignorance first.

    All are exact losses on all of the held-out text, closing end-of-texts included: guessing
    (ln V); the unigram, the bigram, and the n-gram of the order from 1 to 6 that does best on
    the held-out text, each with Kneser–Ney smoothing; and, for a language whose probabilities
    are known, its own loss on the same documents, −log p(text) ÷ tokens.

    Args:
        train: the training documents.
        held_out: the held-out documents.
        language: the language that the documents were drawn from, if it is known.
        documents: the texts of ``held_out``; needed with a language or a lossy tokenizer.
        job: sees progress by orders.
        tokenizer: what cut the text. If it is lossy, bits per byte take in the spelling of its
            unknown tokens (``spelling_nats``). Where there are any, the truth's nats per token
            lie above the floor, for the truth still pays for the text they stand for; its
            explanation says so.

    Raises:
        LabError: if either text is empty.
        ValueError: if the two streams have different vocabularies, or documents are missing.
    """
    if train.vocab_size != held_out.vocab_size:
        raise ValueError("both streams must come from one tokenizer")
    if held_out.n_targets == 0:
        raise LabError("There is no held-out text to measure a loss on.")
    lossy = tokenizer is not None and not tokenizer.lossless
    if (language is not None or lossy) and documents is None:
        raise ValueError("the held-out documents' texts are needed")
    spelling = 0.0
    if lossy and tokenizer is not None:
        spelling = sum(spelling_nats(tokenizer, document) for document in documents or ())

    scores = _kneser_ney_scores(train, held_out, spelling, job)
    best = min(scores, key=lambda order: scores[order].nats)
    guessing = Score(
        nats=held_out.n_targets * math.log(held_out.vocab_size),
        tokens=held_out.n_targets,
        n_bytes=held_out.n_bytes,
        spelling_nats=spelling,
    )
    lines = [
        _line(
            "uniform",
            f"guessing (ln {held_out.vocab_size:,})",
            guessing,
            f"Every one of the {held_out.vocab_size:,} tokens equally likely. "
            "Above this line a model does worse than knowing nothing.",
        ),
        _line(
            "unigram",
            "unigram",
            scores[1],
            "How frequent each token is, whatever stands before it. "
            "Below this line a model makes use of context.",
        ),
        _line(
            "bigram",
            "bigram",
            scores[2],
            "Counts of what follows the one token before, smoothed (Kneser–Ney). "
            "Below this line a model looks further back, or knows that tokens are alike.",
        ),
        _line(
            "ngram",
            f"best n-gram ({_order_name(best)})",
            scores[best],
            f"The best that counting does on this held-out text: of the orders 1 to "
            f"{max(scores)} with Kneser–Ney smoothing, {best} (the tutorial's n = {best - 1}).",
        ),
    ]
    if language is not None and documents is not None:
        truth = _true_score(language, documents, held_out, job)
        explanation = (
            "The loss of the language itself on these documents. No model can be expected to "
            "fall below it on text it has not seen: what is left is chance."
        )
        if tokenizer is not None and spelling:
            n_unknown = np.count_nonzero(held_out.ids == tokenizer.unknown_id)
            explanation += (
                f" It pays for the words behind {n_unknown:,} <unk>, which models of these "
                "tokens need not tell apart: per token, the floor lies a little lower."
            )
        if math.isfinite(truth.nats):
            lines.append(_line("truth", "true entropy", truth, explanation))
    return lines


def _kneser_ney_scores(
    train: TokenStream, held_out: TokenStream, spelling: float, job: Job
) -> dict[int, Score]:
    """The held-out score of each order, from one count of the text."""
    try:
        counts = NGramCounts.count(train, BEST_OF_ORDERS, job)
    except TooManyNGramsError as error:
        counts = NGramCounts.count(train, max(2, error.order), job)
    scores = {}
    for order in range(1, counts.order + 1):
        job.progress(order - 1, counts.order, "Scoring n-grams")
        model = NGramModel(counts, order, "kneser_ney", job=job)
        scores[order] = held_out_score(model, held_out, job, spelling)
    return scores


def _true_score(
    language: StoryLanguage, documents: Sequence[str], held_out: TokenStream, job: Job
) -> Score:
    """The truth's loss: it is a probability of text, so any lossless tokens share it out."""
    return Score(
        nats=language.true_nats(documents, job),
        tokens=held_out.n_targets,
        n_bytes=held_out.n_bytes,
    )


def _line(key: str, label: str, score: Score, explanation: str) -> Landmark:
    return Landmark(key, label, score.nats_per_token, score.bits_per_byte, explanation)


def _order_name(order: int) -> str:
    return {1: "unigram", 2: "bigram", 3: "trigram"}.get(order, f"{order}-gram")
