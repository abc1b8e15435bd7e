"""One interface for everything that is a distribution over the next token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Ids
from engine.tokenizers.stream import TokenStream

LogProbs = npt.NDArray[np.float64]
"""Natural logarithms of probabilities; −inf where a probability is 0 or undefined."""

Tokens = Sequence[int] | Ids


class LanguageModel(ABC):
    """p(x) = ∏ₜ p(xₜ | x₁:ₜ₋₁) over ids 0 … V − 1, the last of which is end-of-text.

    Every document is read as if begin-of-text stood before it, and ends in end-of-text, so the
    probabilities of all strings sum to one. Callers pass a document's ids without
    begin-of-text; the closing end-of-text counts only where the caller includes it.
    A row that is undefined (maximum likelihood after a context never seen, the truth outside
    its language) is −inf throughout. Natural logarithms everywhere.
    """

    kind: str
    """"ngram", "hmm", "transformer", "truth": one colour and line style each in the window."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the learner reads, such as "5-gram, Kneser–Ney"."""

    @property
    @abstractmethod
    def vocab_size(self) -> int:
        """V, end-of-text included."""

    @property
    def end_of_text(self) -> int:
        """The id of end-of-text: V − 1. As a context it is begin-of-text."""
        return self.vocab_size - 1

    @abstractmethod
    def next_log_probs(self, context: Tokens) -> LogProbs:
        """log p(· | context), shape (V,), for a document that starts with ``context``.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
        """

    def log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T, V): row t is log p(xₜ = · | x_<t). For texts short enough for the table."""
        rows = [self.next_log_probs(ids[:t]) for t in range(len(ids))]
        return np.stack(rows) if rows else np.empty((0, self.vocab_size))

    def token_log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T,): log p(xₜ | x_<t), without the (T, V) table where a model can do so."""
        table = self.log_probs(ids)  # (T, V)
        picked: LogProbs = table[np.arange(len(ids)), np.asarray(ids, dtype=np.int64)]
        return picked

    def stream_log_probs(self, stream: TokenStream, job: Job = NO_JOB) -> LogProbs:
        """Shape (n_targets,): log p of every token of a stream but its first, each document
        read by itself. For the loss on held-out text; models may score documents together."""
        documents = list(stream.documents())
        parts: list[LogProbs] = [np.empty(0)]
        for done, ids in enumerate(documents):
            job.progress(done, len(documents), "Scoring")
            parts.append(self.token_log_probs(ids))
        return np.concatenate(parts)

    def continuation(self, context: Tokens) -> Continuation:
        """A document that starts with ``context``, to be written on token by token.

        Models that can keep state between tokens (a KV cache, a filter) return a subclass
        that does; the values are the same.
        """
        return Continuation(self, context)


class Continuation:
    """A document being written: the next token's distribution, then one token more."""

    def __init__(self, model: LanguageModel, context: Tokens) -> None:
        self._model = model
        self._ids: list[int] = check_ids(context, model.vocab_size).tolist()

    def next_log_probs(self) -> LogProbs:
        """log p(· | everything so far), shape (V,). Calling it twice changes nothing."""
        return self._model.next_log_probs(self._ids)

    def append(self, token_id: int) -> None:
        """Write one token more."""
        self._ids.append(int(token_id))


def check_ids(ids: Tokens, vocab_size: int) -> Ids:
    """The ids as an int32 array.

    Raises:
        ValueError: if one lies outside 0 … vocab_size − 1.
    """
    array = np.asarray(ids, dtype=np.int64).reshape(-1)
    if array.size and (array.min() < 0 or array.max() >= vocab_size):
        raise ValueError(f"token ids must lie in 0 … {vocab_size - 1}")
    return array.astype(np.int32)
