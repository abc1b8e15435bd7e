"""The chain rule written out: log p(x) = Σₜ log p(xₜ | x_<t), one line a token.

With a rank for each token, as in GLTR (Gehrmann, Strobelt and Rush, 2019), which colours a text
by how far down a model's list each of its tokens stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.models.base import LanguageModel, LogProbs
from engine.models.scores import Score, spelling_nats
from engine.tokenizers.base import Ids, Tokenizer, to_utf8

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ledger:
    """A text token by token under one model."""

    log_probs: LogProbs
    """log p(xₜ | x_<t), shape (T,); −inf where it is 0 or undefined."""
    defined: npt.NDArray[np.bool_]
    """Whether the model has a distribution at t at all, shape (T,)."""
    ranks: Int64s
    """Shape (T,): 1 + the number of tokens more probable than xₜ; 0 where undefined."""
    score: Score
    """The totals."""

    @property
    def running(self) -> LogProbs:
        """log p(x₁…xₜ), shape (T,): the product up to and with each token."""
        sums: LogProbs = np.cumsum(self.log_probs)
        return sums


def ledger_ids(tokenizer: Tokenizer, text: str, closed: bool) -> Ids:
    """The ids that a ledger is about: the text's, then end-of-text if it is closed."""
    ids = tokenizer.encode_array(text)
    return np.append(ids, np.int32(tokenizer.vocab_size)) if closed else ids


def ledger(
    model: LanguageModel, tokenizer: Tokenizer, text: str, closed: bool = True, job: Job = NO_JOB
) -> Ledger:
    """Score a text, and keep what each token adds.

    Args:
        model: any language model over the tokenizer's tokens and end-of-text.
        tokenizer: cuts the text.
        text: one document, short enough that (T, V) fits in memory.
        closed: whether the document ends here; its end-of-text is then the last token.
        job: may be dropped before and after the model's pass.

    Raises:
        LabError: if the truth has too many cases to list (see ``StoryModel``).
    """
    ids = ledger_ids(tokenizer, text, closed)
    job.yield_point()
    table = model.log_probs(ids)  # (T, V)
    job.yield_point()
    own = table[np.arange(len(ids)), ids]  # (T,)
    defined = np.isfinite(np.max(table, axis=1, initial=-np.inf))
    ranks = np.where(defined, 1 + np.count_nonzero(table > own[:, None], axis=1), 0)
    own = np.where(np.isnan(own), -np.inf, own)
    score = Score(
        nats=0.0 - float(np.sum(own)),
        tokens=len(ids),
        n_bytes=len(to_utf8(text)),
        impossible=int(np.count_nonzero(np.isneginf(own))),
        spelling_nats=spelling_nats(tokenizer, text),
    )
    return Ledger(own, defined, ranks.astype(np.int64), score)
