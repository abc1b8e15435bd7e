"""Tokenizers from elsewhere whose ids or merges are arranged otherwise than ours.

Files of other programs may put control symbols first, list merges before what they use, or leave
bytes out. They are kept exactly as they are: the same ids for the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tokenizers.alphabet import Alphabet
from engine.tokenizers.base import Ids, without_surrogates
from engine.tokenizers.bpe_encode import Ranks, encode_linked, encode_short, is_ordered
from engine.tokenizers.linked import flatten
from engine.tokenizers.pretokenize import pretokenize
from engine.tokenizers.table import TableTokenizer

_SHORT_WORD = 48  # as in bpe: beyond, looking through the whole word for each merge is too slow


class ImportedTokenizer(TableTokenizer):
    """What an imported file does, by the ids of the file. Made by ``exchange_read``."""

    kind = "imported"

    def __init__(
        self, file: dict[str, Any], tokens: Sequence[bytes], unknown_id: int | None, name: str
    ) -> None:
        """
        Args:
            file: the values of an equivalent ``tokenizer.json``, kept for saving and exporting.
            tokens: the bytes of each id; control symbols have none.
            unknown_id: what stands for the unknown, if anything is ever unknown.
            name: what the learner reads.
        """
        super().__init__(tokens, unknown_id)
        self.file = file
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "version": 1, "file": self.file}


class ImportedBPE(ImportedTokenizer):
    """BPE by a table of ranks over any ids."""

    def __init__(
        self,
        file: dict[str, Any],
        tokens: Sequence[bytes],
        unknown_id: int | None,
        alphabet: Alphabet,
        base_ids: Sequence[int],
        ranks: Ranks,
        pre_tokenize: bool,
    ) -> None:
        """
        Args:
            file, tokens, unknown_id: see ImportedTokenizer.
            alphabet: cuts text into base symbols.
            base_ids: the file's id of each base symbol.
            ranks: what merges, by the file's ids.
            pre_tokenize: whether text is first cut into GPT-2's pre-tokens.
        """
        across = "" if pre_tokenize else " across words"
        super().__init__(file, tokens, unknown_id, f"Imported BPE{across}, {len(tokens):,} tokens")
        self.crosses_words = not pre_tokenize
        self._alphabet = alphabet
        self._base_ids = np.array(base_ids, dtype=np.int32)
        self._ranks = ranks
        self._ordered = is_ordered(ranks)
        self._pre_tokenize = pre_tokenize

    def encode_array(self, text: str) -> Ids:
        pieces = pretokenize(text) if self._pre_tokenize else [without_surrogates(text)]
        known = {piece: self._encode_piece(piece) for piece in dict.fromkeys(pieces)}
        return np.concatenate([np.empty(0, np.int32), *(known[piece] for piece in pieces)])

    def _encode_piece(self, piece: str) -> Ids:
        symbols = self._base_ids[self._alphabet.encode(piece)]
        if len(symbols) <= _SHORT_WORD:
            return np.array(encode_short(symbols.tolist(), self._ranks), dtype=np.int32)
        sequences = flatten(symbols, np.array([len(symbols)]))
        return encode_linked(sequences, self._ranks, self._ordered)[1:-1]

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        return self._alphabet.unknown_byte_lengths(text)


class ImportedWords(ImportedTokenizer):
    """One token a word, with any ids."""

    def __init__(
        self,
        file: dict[str, Any],
        tokens: Sequence[bytes],
        unknown_id: int,
        words: Mapping[str, int],
    ) -> None:
        super().__init__(file, tokens, unknown_id, f"Imported words, {len(tokens):,} tokens")
        self._words = words
        self._unknown = unknown_id

    def encode_array(self, text: str) -> Ids:
        get, unknown = self._words.get, self._unknown
        return np.array([get(piece, unknown) for piece in pretokenize(text)], dtype=np.int32)

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        get, unknown = self._words.get, self._unknown
        lengths = [
            len(piece.encode()) for piece in pretokenize(text) if get(piece, unknown) == unknown
        ]
        return np.array(lengths, dtype=np.int64)
