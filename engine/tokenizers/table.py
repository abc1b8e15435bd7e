"""What all tokenizers with a fixed table of tokens share: looking ids up, and decoding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from engine.tokenizers.base import Ids, Tokenizer

UNKNOWN_BYTES = b"<unk>"
"""What the unknown token is written as."""


class TableTokenizer(Tokenizer):
    """A tokenizer whose token ``i`` stands for the bytes ``tokens[i]``, whatever is around it."""

    def __init__(self, tokens: Sequence[bytes], unknown_id: int | None = None) -> None:
        self._tokens = tuple(tokens)
        self._unknown_id = unknown_id
        self.lossless = unknown_id is None
        self._byte_lengths = np.fromiter(map(len, self._tokens), np.int64, len(self._tokens))

    @property
    def vocab_size(self) -> int:
        return len(self._tokens)

    @property
    def unknown_id(self) -> int | None:
        return self._unknown_id

    def token_bytes(self, token_id: int) -> bytes:
        if not 0 <= token_id < len(self._tokens):
            raise IndexError(f"there is no token {token_id}: ids are 0 … {len(self._tokens) - 1}")
        return self._tokens[token_id]

    def decode(self, ids: Sequence[int] | Iterable[int] | Ids) -> str:
        listed = ids.tolist() if isinstance(ids, np.ndarray) else [int(i) for i in ids]
        if listed and not 0 <= min(listed) <= max(listed) < len(self._tokens):
            raise IndexError(f"ids must lie in 0 … {len(self._tokens) - 1}")
        joined = b"".join([self._tokens[i] for i in listed])
        return joined.decode("utf-8", errors="replace")

    def byte_spans(self, text: str) -> list[tuple[int, int]]:
        ids = self.encode_array(text)
        lengths = self._byte_lengths[ids]  # (T,)
        if self._unknown_id is not None:
            # <unk> is as long as what it stands for, not as its own name.
            lengths[ids == self._unknown_id] = self._unknown_byte_lengths(text)
        ends = np.cumsum(lengths).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True)) if ends else []

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        """UTF-8 lengths of what ``<unk>`` stands for, in order of appearance."""
        raise NotImplementedError(f"{type(self).__name__} has an unknown token but no lengths")
