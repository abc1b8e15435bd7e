"""Writing tokenizers for other programs: Hugging Face's ``tokenizer.json``, and CSV.

The format describes a tokenizer as a pipeline: normalizer, pre-tokenizer, model, post-processor,
decoder. Ours map to it so: bytes and characters are BPE without merges, byte-level tokens are
written in GPT-2's printable stand-ins, pre-tokens are GPT-2's (as "ByteLevel", or as "Split" with
the same regular expression where tokens are characters), words are "WordLevel".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from engine.errors import LabError
from engine.tokenizers.alphabet import ByteAlphabet, CharacterAlphabet, gpt2_byte_characters
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.bpe import BPETokenizer
from engine.tokenizers.bpe_train import Merge
from engine.tokenizers.characters import ByteTokenizer, CharacterTokenizer
from engine.tokenizers.exchange_format import GPT2_SPLIT, bpe_model, byte_level, free_name, pipeline
from engine.tokenizers.exchange_imported import ImportedTokenizer
from engine.tokenizers.words import WordTokenizer

CSV_HEADER = ("id", "token", "bytes", "left", "right", "count")


def to_hugging_face(tokenizer: Tokenizer) -> dict[str, Any]:
    """The tokenizer as the JSON values of a ``tokenizer.json``, to be loaded by ``tokenizers``;
    it gives the same ids for every text of Unicode characters.

    Raises:
        LabError: if the format cannot say what this tokenizer does.
    """
    if isinstance(tokenizer, ImportedTokenizer):
        return tokenizer.file
    if isinstance(tokenizer, WordTokenizer):
        return _words(tokenizer)
    if isinstance(tokenizer, BPETokenizer):
        merges, pre_tokenize = tokenizer.merges, tokenizer.pre_tokenize
        if isinstance(tokenizer.alphabet, ByteAlphabet):
            return _byte_level(tokenizer, merges, pre_tokenize)
        assert isinstance(tokenizer.alphabet, CharacterAlphabet)
        return _characters(tokenizer, tokenizer.alphabet, merges, pre_tokenize)
    if isinstance(tokenizer, ByteTokenizer):
        return _byte_level(tokenizer, (), False)
    if isinstance(tokenizer, CharacterTokenizer):
        alphabet = CharacterAlphabet(tokenizer.characters, tokenizer.byte_fallback)
        return _characters(tokenizer, alphabet, (), False)
    raise LabError(f"“{tokenizer.name}” cannot be written as a tokenizer.json.")


def tokenizer_json(tokenizer: Tokenizer) -> str:
    """``to_hugging_face`` as the text of the file.

    Raises:
        LabError: as there.
    """
    return json.dumps(to_hugging_face(tokenizer), ensure_ascii=False, indent=1, allow_nan=False)


def vocabulary_csv(tokenizer: Tokenizer) -> str:
    """The vocabulary as CSV (RFC 4180), a row for each token.

    Columns: id; the token as a JSON string, so that spaces and line breaks are seen (bytes that
    are no UTF-8 as U+FFFD); its exact bytes in hexadecimal; the ids of the first merge that made
    it, and how often that pair stood in the training text (empty where there is none).
    """
    made: dict[int, Merge] = {}
    if isinstance(tokenizer, BPETokenizer):
        for merge in tokenizer.merges:
            made.setdefault(merge.id, merge)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_HEADER)
    writer.writerows(_rows(tokenizer, made))
    return text.getvalue()


def _rows(tokenizer: Tokenizer, made: dict[int, Merge]) -> Iterator[Sequence[object]]:
    for token_id in range(tokenizer.vocab_size):
        data = tokenizer.token_bytes(token_id)
        shown = json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False)
        merge = made.get(token_id)
        # Merges from elsewhere come without counts.
        history = ("", "", "") if merge is None else (merge.left, merge.right, merge.count or "")
        yield token_id, shown, data.hex(), *history


def _byte_level(
    tokenizer: Tokenizer, merges: Sequence[Merge], pre_tokenize: bool
) -> dict[str, Any]:
    stand_in = gpt2_byte_characters()
    written = [
        "".join(map(stand_in.__getitem__, tokenizer.token_bytes(i)))
        for i in range(tokenizer.vocab_size)
    ]
    vocabulary = {token: i for i, token in enumerate(written)}
    model = bpe_model(vocabulary, _pairs(merges, written))
    decoder = byte_level(True)
    return pipeline(model, byte_level(pre_tokenize), decoder)


def _pairs(merges: Sequence[Merge], written: Sequence[str]) -> list[list[str]]:
    """The merges as pairs of strings. The format keeps the *last* rank of a pair that is listed
    twice, and ours the first, so only the first is written."""
    first = dict.fromkeys((merge.left, merge.right) for merge in merges)
    return [[written[left], written[right]] for left, right in first]


def _characters(
    tokenizer: Tokenizer, alphabet: CharacterAlphabet, merges: Sequence[Merge], pre_tokenize: bool
) -> dict[str, Any]:
    known = len(alphabet.characters)
    aside = range(known, alphabet.size)
    written = [
        "" if i in aside else tokenizer.token_bytes(i).decode("utf-8")
        for i in range(tokenizer.vocab_size)
    ]
    taken = set(written)
    unknown = None
    if alphabet.unknown_id is not None:
        unknown = free_name(taken)
        written[alphabet.unknown_id] = unknown
    else:
        for byte, token_id in enumerate(aside):
            name = f"<0x{byte:02X}>"
            if name in taken:
                raise LabError(
                    f"A tokenizer.json writes single bytes as “{name}”, and this vocabulary has a "
                    "token with that very text. Train it with other settings to export it."
                )
            written[token_id] = name
    vocabulary = {token: i for i, token in enumerate(written)}
    model = bpe_model(vocabulary, _pairs(merges, written), unknown, unknown is None)
    decoder: dict[str, Any] = {"type": "Fuse"}
    if unknown is None:
        decoder = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, decoder]}
    return pipeline(model, GPT2_SPLIT if pre_tokenize else None, decoder)


def _words(tokenizer: WordTokenizer) -> dict[str, Any]:
    unknown = free_name(set(tokenizer.words))
    vocabulary = {word: i for i, word in enumerate(tokenizer.words)}
    vocabulary[unknown] = len(vocabulary)
    model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown}
    return pipeline(model, GPT2_SPLIT, {"type": "Fuse"})
