"""The simplest tokenizers: one token for each character, or for each UTF-8 byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.tokenizers.alphabet import ByteAlphabet, CharacterAlphabet
from engine.tokenizers.base import Ids
from engine.tokenizers.table import TableTokenizer


class CharacterTokenizer(TableTokenizer):
    """One token for each character of the training text, in the order of code points.

    What was never seen must go somewhere. By default it becomes ``<unk>``, one id behind the
    characters: the vocabulary is then just what the learner sees in the text (tinyshakespeare:
    65 characters and ``<unk>``), and the loss shows. With ``byte_fallback`` such a character
    is written as its UTF-8 bytes instead (as SentencePiece does): 256 ids more, nothing lost.

    >>> CharacterTokenizer.train("banana").encode("nab")
    [2, 0, 1]
    """

    kind = "characters"

    def __init__(self, characters: Sequence[str], byte_fallback: bool = False) -> None:
        self._alphabet = CharacterAlphabet(characters, byte_fallback)
        super().__init__(self._alphabet.tokens, self._alphabet.unknown_id)

    @classmethod
    def train(cls, text: str | Sequence[str], byte_fallback: bool = False) -> CharacterTokenizer:
        """The tokenizer of a text's (or several documents') characters."""
        texts = [text] if isinstance(text, str) else text
        return cls(CharacterAlphabet.of_texts(texts).characters, byte_fallback)

    @property
    def name(self) -> str:
        return "Characters"

    @property
    def characters(self) -> tuple[str, ...]:
        """The known characters; the i-th has id i."""
        return self._alphabet.characters

    @property
    def byte_fallback(self) -> bool:
        """Whether unknown characters are written as bytes."""
        return self._alphabet.byte_fallback

    def encode_array(self, text: str) -> Ids:
        return self._alphabet.encode(text)

    def _unknown_byte_lengths(self, text: str) -> npt.NDArray[np.int64]:
        return self._alphabet.unknown_byte_lengths(text)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "version": 1,
            "characters": "".join(self.characters),
            "byte_fallback": self.byte_fallback,
        }


class ByteTokenizer(TableTokenizer):
    """One token for each UTF-8 byte; the id is the byte's value.

    >>> ByteTokenizer().encode("hé")
    [104, 195, 169]
    """

    kind = "bytes"

    def __init__(self) -> None:
        self._alphabet = ByteAlphabet()
        super().__init__(self._alphabet.tokens)

    @property
    def name(self) -> str:
        return "UTF-8 bytes"

    def encode_array(self, text: str) -> Ids:
        return self._alphabet.encode(text)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "version": 1}
