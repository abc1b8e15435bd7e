"""Documents as one stream of ids, the form in which language models are trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.tokenizers.base import Ids, Tokenizer, to_utf8


@dataclass(frozen=True, eq=False)
class TokenStream:
    """Encoded documents, with an end-of-text token E before the first and after each. Equal only to
    itself: comparing arrays gives no answer.

    ``ids`` = [E, d₁…, E, d₂…, E]. The E in front of a document is its begin-of-text: the one
    id serves as both, as in GPT-2, so that V = |Σ| + 1 and p(x) is a distribution over strings.
    """

    ids: Ids
    """Shape (N,), int32; ids 0 … end_of_text."""
    end_of_text: int
    """The id of E, equal to the tokenizer's vocab_size."""
    n_bytes: int
    """UTF-8 bytes of the documents' text, for bits per byte."""

    @property
    def vocab_size(self) -> int:
        """V: the tokenizer's tokens and E."""
        return self.end_of_text + 1

    @property
    def n_targets(self) -> int:
        """How many tokens a model predicts: all of ``ids`` but the first E."""
        return max(0, len(self.ids) - 1)

    @property
    def boundaries(self) -> Ids:
        """Positions of every E in ``ids``, shape (documents + 1,)."""
        return np.flatnonzero(self.ids == self.end_of_text).astype(np.int32)

    def documents(self) -> Iterator[Ids]:
        """Each document's ids with its closing E, without the one before it."""
        cuts = self.boundaries
        for start, end in itertools.pairwise(cuts):
            yield self.ids[start + 1 : end + 1]


def encode_documents(
    tokenizer: Tokenizer, documents: Sequence[str], job: Job = NO_JOB
) -> TokenStream:
    """Encode documents into one stream, with progress by documents."""
    end = tokenizer.vocab_size
    marker = np.array([end], dtype=np.int32)
    parts: list[Ids] = [marker]
    n_bytes = 0
    for done, document in enumerate(documents):
        if done % 64 == 0:
            job.progress(done, len(documents), "Encoding the text")
        parts += [tokenizer.encode_array(document), marker]
        n_bytes += len(to_utf8(document))
    return TokenStream(ids=np.concatenate(parts), end_of_text=end, n_bytes=n_bytes)
