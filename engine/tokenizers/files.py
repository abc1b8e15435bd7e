"""Tokenizers from JSON values: what ``to_dict`` wrote, checked as if a stranger had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from engine.errors import LabError
from engine.tokenizers.alphabet import Alphabet, ByteAlphabet, CharacterAlphabet
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.bpe import MAX_VOCABULARY, BPETokenizer, assign_ids
from engine.tokenizers.bpe_train import MAX_TOKEN_BYTES, Merge, StopReason, TieRule
from engine.tokenizers.characters import ByteTokenizer, CharacterTokenizer
from engine.tokenizers.exchange_imported import ImportedTokenizer
from engine.tokenizers.exchange_read import from_hugging_face
from engine.tokenizers.words import WordTokenizer

VERSION = 1


def tokenizer_from_dict(data: object) -> Tokenizer:
    """The tokenizer that ``Tokenizer.to_dict`` described.

    Raises:
        LabError: if the data is anything else, says things that contradict each other, or is
            too large.
    """
    if not isinstance(data, Mapping):
        raise LabError("This is no tokenizer: a JSON object was expected.")
    version = data.get("version")
    if version != VERSION or isinstance(version, bool):
        raise LabError(
            f"This tokenizer is of version {_shown(version)}, and version {VERSION} is understood."
        )
    kind = data.get("kind")
    if kind == ByteTokenizer.kind:
        return ByteTokenizer()
    if kind == CharacterTokenizer.kind:
        return CharacterTokenizer(_characters(data), _flag(data, "byte_fallback"))
    if kind == WordTokenizer.kind:
        return _words(data)
    if kind == BPETokenizer.kind:
        return _bpe(data)
    if kind == ImportedTokenizer.kind:
        imported = from_hugging_face(data.get("file")).tokenizer
        if imported.kind != kind:
            raise LabError("This imported tokenizer is not as it was saved.")
        return imported
    raise LabError(f"There is no tokenizer of kind {_shown(kind)}.")


def _words(data: Mapping[str, Any]) -> WordTokenizer:
    words = _list(data, "words")
    if not all(isinstance(word, str) for word in words):
        raise LabError("The tokenizer's “words” must all be text.")
    if sum(map(len, words)) > MAX_TOKEN_BYTES:
        raise LabError("The tokenizer's words are too long to be kept.")
    if data.get("counts") is None:
        return WordTokenizer(words)
    counts = _list(data, "counts")
    if not all(_is_count(count) for count in counts):
        raise LabError("The tokenizer's “counts” must be whole numbers from 0.")
    return WordTokenizer(words, counts)


def _bpe(data: Mapping[str, Any]) -> BPETokenizer:
    alphabet: Alphabet
    base = data.get("base")
    if base == "bytes":
        order = _list(data, "byte_order")
        if not all(_is_count(byte) for byte in order):
            raise LabError("The tokenizer's “byte_order” must be whole numbers.")
        alphabet = ByteAlphabet(order)
    elif base == "characters":
        alphabet = CharacterAlphabet(_characters(data), _flag(data, "byte_fallback"))
    else:
        raise LabError(f"BPE starts from bytes or characters, not from {_shown(base)}.")
    merges = _list(data, "merges")
    for merge in merges:
        if not (isinstance(merge, list) and len(merge) == 3 and all(map(_is_count, merge))):
            raise LabError("Each of the tokenizer's “merges” must be two ids and a count.")
    tie_rule = data.get("tie_rule")
    if tie_rule is not None and tie_rule not in get_args(TieRule):
        raise LabError(f"There is no tie rule {_shown(tie_rule)}.")
    stop_reason: Any = data.get("stop_reason")
    if stop_reason not in get_args(StopReason):
        raise LabError(f"Learning cannot have ended because of {_shown(stop_reason)}.")
    ids = assign_ids(alphabet, [(left, right) for left, right, _ in merges])
    return BPETokenizer(
        alphabet,
        [
            Merge(left, right, new, count)
            for (left, right, count), new in zip(merges, ids, strict=True)
        ],
        _flag(data, "pre_tokenize"),
        tie_rule,
        stop_reason,
    )


def _characters(data: Mapping[str, Any]) -> str:
    characters = data.get("characters")
    if not isinstance(characters, str) or len(characters) > MAX_VOCABULARY:
        raise LabError("The tokenizer's “characters” must be a text.")
    return characters


def _flag(data: Mapping[str, Any], key: str) -> bool:
    value = data.get(key)
    if not isinstance(value, bool):
        raise LabError(f"The tokenizer's “{key}” must be true or false.")
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise LabError(f"The tokenizer's “{key}” must be a list.")
    if len(value) > MAX_VOCABULARY:
        raise LabError(f"The tokenizer's “{key}” has more than {MAX_VOCABULARY:,} entries.")
    return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:40] + "…"
