"""How a tokenizer does on a text: lengths, unknown tokens, and how often each token is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.tokenizers.base import Ids, Tokenizer, to_utf8


@dataclass(frozen=True, slots=True)
class TokenStatistics:
    """Counts for one text under one tokenizer."""

    tokens: int
    characters: int
    """Code points of the text."""
    n_bytes: int
    """UTF-8 bytes of the text."""
    unknown: int
    """Tokens that are ``<unk>``."""
    distinct: int
    """Different tokens in use."""

    @property
    def characters_per_token(self) -> float:
        """NaN for an empty text."""
        return self.characters / self.tokens if self.tokens else float("nan")

    @property
    def bytes_per_token(self) -> float:
        """NaN for an empty text."""
        return self.n_bytes / self.tokens if self.tokens else float("nan")

    @property
    def unknown_rate(self) -> float:
        """The share of tokens that are ``<unk>``; NaN for an empty text."""
        return self.unknown / self.tokens if self.tokens else float("nan")


def token_statistics(tokenizer: Tokenizer, text: str, ids: Ids | None = None) -> TokenStatistics:
    """Count a text's tokens; pass ``ids`` if they are encoded already."""
    encoded = tokenizer.encode_array(text) if ids is None else ids
    unknown = tokenizer.unknown_id
    return TokenStatistics(
        tokens=len(encoded),
        characters=len(text),
        n_bytes=len(to_utf8(text)),
        unknown=0 if unknown is None else int(np.count_nonzero(encoded == unknown)),
        distinct=len(np.unique(encoded)),
    )


def token_counts(ids: Ids, vocab_size: int) -> npt.NDArray[np.int64]:
    """How often each token occurs, shape (vocab_size,)."""
    return np.bincount(ids, minlength=vocab_size).astype(np.int64)
