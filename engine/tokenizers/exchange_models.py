"""The models inside a ``tokenizer.json``, made into tokenizers that give the same ids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.tokenizers.alphabet import (
    Alphabet,
    ByteAlphabet,
    CharacterAlphabet,
    gpt2_byte_characters,
)
from engine.tokenizers.base import Tokenizer
from engine.tokenizers.bpe import BPETokenizer
from engine.tokenizers.bpe_train import Merge
from engine.tokenizers.exchange_checks import MAX_IMPORTED, Rule, shown
from engine.tokenizers.exchange_format import GPT2_SPLIT, bpe_model, byte_level, free_name, pipeline
from engine.tokenizers.exchange_imported import ImportedBPE, ImportedWords
from engine.tokenizers.words import WordTokenizer

_BYTE_NAME = re.compile(r"<0x([0-9A-F]{2})>")


def read_words(
    model: Mapping[str, Any], ids: Mapping[str, int], added: Mapping[str, int], rule: Rule
) -> Tokenizer:
    """A WordLevel model.

    Raises:
        LabError: if it cannot be followed exactly.
    """
    if rule != "words":
        raise LabError("The file's words are not cut by GPT-2's rule; only that is supported.")
    unknown = model.get("unk_token")
    if not isinstance(unknown, str) or unknown not in ids:
        raise LabError(
            "The file has no token for unknown words, so it cannot cut texts that hold one."
        )
    words = {word: i for word, i in ids.items() if word != unknown and word}
    if not added and ids[unknown] == len(words) and "" not in ids:
        return WordTokenizer(sorted(words, key=words.__getitem__))
    # A text that spells the unknown token's name is cut into several words by GPT-2's rule
    # unless the name is one word; then it is that token, in the file as here.
    tokens = _table(ids, added, lambda token: token.encode(), {unknown: b"<unk>"})
    return ImportedWords(_kept(model, ids, added, rule), tokens, ids[unknown], words)


def read_bpe(
    model: Mapping[str, Any],
    ids: dict[str, int],
    added: Mapping[str, int],
    rule: Rule,
    job: Job = NO_JOB,
) -> tuple[Tokenizer, tuple[str, ...]]:
    """A BPE model, and notes on it.

    Raises:
        LabError: if it cannot be followed exactly.
    """
    _refuse_options(model)
    pairs = _merges(model.get("merges"), ids, job)
    if rule in ("bytes", "bytes in words"):
        return _byte_level(model, ids, added, pairs, rule)
    return _over_characters(model, ids, added, pairs, rule)


def _refuse_options(model: Mapping[str, Any]) -> None:
    if not isinstance(model.get("unk_token"), str | None):
        raise LabError("The file's “unk_token” must be a text or null.")
    if model.get("dropout") not in (None, 0, 0.0):
        raise LabError("The file skips merges at random (dropout), which is not supported.")
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(key) not in (None, ""):
            raise LabError(
                f"The file marks parts of words ({key}), which is not supported: texts would not "
                "come back as they were."
            )
    if model.get("ignore_merges"):
        raise LabError(
            "The file takes whole words from the vocabulary before merging (ignore_merges), "
            "which is not supported."
        )


def _merges(value: object, ids: Mapping[str, int], job: Job) -> list[tuple[int, int, int]]:
    """(left, right, new) of each merge in order; of a pair listed twice only the last counts,
    as in ``tokenizers``.

    Raises:
        LabError: if one is no pair, or joins or makes what is not in the vocabulary.
    """
    if not isinstance(value, list) or len(value) > 2 * MAX_IMPORTED:
        raise LabError("The file's “merges” must be a list.")
    found: dict[tuple[int, int], int] = {}
    for rank, merge in enumerate(value):
        if rank % 4096 == 0:
            job.progress(rank, len(value), "Reading merges")
        if isinstance(merge, str):
            if merge.startswith("#version"):
                continue
            parts = merge.split(" ")
        else:
            parts = merge if isinstance(merge, list) else []
        if len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
            raise LabError(f"Merge {rank + 1} of the file is no pair of tokens: {shown(merge)}.")
        left, right = parts
        for token in (left, right):
            if token not in ids:
                raise LabError(f"Merge {rank + 1} joins {shown(token)}, which is no token.")
        if left + right not in ids:
            raise LabError(f"Merge {rank + 1} makes {shown(left + right)}, which is no token.")
        pair = (ids[left], ids[right])
        found.pop(pair, None)
        found[pair] = ids[left + right]
    return [(left, right, new) for (left, right), new in found.items()]


def _byte_level(
    model: Mapping[str, Any],
    ids: dict[str, int],
    added: Mapping[str, int],
    pairs: list[tuple[int, int, int]],
    rule: Rule,
) -> tuple[Tokenizer, tuple[str, ...]]:
    byte_of = {character: byte for byte, character in gpt2_byte_characters().items()}
    unknown = model.get("unk_token")
    made = {new for _, _, new in pairs}
    aside = {name for name in (unknown, *added) if isinstance(name, str)}
    aside = {name for name in aside if ids.get(name) not in made}
    for token in ids:
        if token not in aside and not all(character in byte_of for character in token):
            raise LabError(f"The token {shown(token)} is not written in bytes, as the others are.")
    missing = [c for c in sorted(byte_of) if c not in ids]
    notes: tuple[str, ...] = ()
    if missing:
        if unknown in ids:
            raise LabError(
                f"The file has no token for {len(missing)} of the 256 bytes and calls them "
                "unknown, which is not supported: byte-level tokens should spell every text."
            )
        first = len(ids.keys() | added.keys())
        ids = {**ids, **{character: first + i for i, character in enumerate(missing)}}
        notes = (
            f"The file has no token for {len(missing)} of the 256 bytes and leaves them out of "
            "texts; here they were added at the end, so that nothing is lost.",
        )
    names = sorted(byte_of, key=ids.__getitem__)
    alphabet = ByteAlphabet([byte_of[character] for character in names])

    def spell(token: str) -> bytes:
        return bytes(map(byte_of.__getitem__, token))

    in_words = rule == "bytes in words"
    if not added:
        regular = _regular(alphabet, pairs, [ids[name] for name in names], len(ids), in_words)
        if regular is not None:
            return regular, notes
    control = {name: b"" for name in aside if name in ids}
    tokens = _table(ids, added, spell, control)
    ranks = {(left, right): (rank, new) for rank, (left, right, new) in enumerate(pairs)}
    base_ids = [ids[name] for name in names]
    file = _kept({**model, "unk_token": None}, ids, added, rule)
    return ImportedBPE(file, tokens, None, alphabet, base_ids, ranks, in_words), notes


def _over_characters(
    model: Mapping[str, Any],
    ids: dict[str, int],
    added: Mapping[str, int],
    pairs: list[tuple[int, int, int]],
    rule: Rule,
) -> tuple[Tokenizer, tuple[str, ...]]:
    unknown = model.get("unk_token")
    if unknown is not None and unknown not in ids:
        raise LabError("The file's token for unknown characters is not in its vocabulary.")
    notes: tuple[str, ...] = ()
    byte_names = [f"<0x{byte:02X}>" for byte in range(256)]
    fallback = model.get("byte_fallback") is True
    if fallback and not all(name in ids for name in byte_names):
        raise LabError("The file spells unknown characters in bytes, but has not all 256 of them.")
    if model.get("fuse_unk") and not fallback:
        raise LabError(
            "The file joins neighbouring unknown characters (fuse_unk), which is not supported."
        )
    aside = {unknown, *added}
    characters = sorted((t for t in ids if len(t) == 1 and t not in aside), key=ids.__getitem__)
    alphabet = CharacterAlphabet(characters, fallback)
    base_ids = [ids[character] for character in characters]
    if fallback:
        apart = byte_names
        base_ids += [ids[name] for name in byte_names]
    else:
        if unknown is None:
            unknown = free_name({*ids, *added})
            ids = {**ids, unknown: len(ids.keys() | added.keys())}
            notes = ("The file leaves unknown characters out of texts; here they become <unk>.",)
        apart = [str(unknown)]
        base_ids.append(ids[unknown])
    unmergeable = {ids[name] for name in apart}
    if any({left, right, new} & unmergeable for left, right, new in pairs):
        raise LabError("A merge of the file joins or makes what stands for unknown characters.")
    in_words = rule == "words"
    if not added:
        regular = _regular(alphabet, pairs, base_ids, len(ids), in_words)
        if regular is not None:
            return regular, notes
    special: dict[str, bytes] = {}
    if fallback:
        special = {name: bytes([byte]) for byte, name in enumerate(byte_names)}
    if isinstance(unknown, str):
        special[unknown] = b"<unk>"
    tokens = _table(ids, added, lambda token: token.encode(), special)
    unknown_id = None if fallback else ids[str(unknown)]
    ranks = {(left, right): (rank, new) for rank, (left, right, new) in enumerate(pairs)}
    kept = _kept({**model, "unk_token": unknown}, ids, added, rule)
    return ImportedBPE(kept, tokens, unknown_id, alphabet, base_ids, ranks, in_words), notes


def _regular(
    alphabet: Alphabet,
    pairs: Sequence[tuple[int, int, int]],
    base_ids: Sequence[int],
    size: int,
    pre_tokenize: bool,
) -> BPETokenizer | None:
    """The history as one of ours, with all that the lab can show of it; None where the ids are
    not ours: the base first, then a new one for each merge."""
    if list(base_ids) != list(range(alphabet.size)):
        return None
    merges = [Merge(left, right, new, 0) for left, right, new in pairs]
    try:
        tokenizer = BPETokenizer(alphabet, merges, pre_tokenize)
    except LabError:  # merges out of order, or with other ids
        return None
    return tokenizer if tokenizer.vocab_size == size else None


def _table(
    ids: Mapping[str, int],
    added: Mapping[str, int],
    spell: Any,
    special: Mapping[str, bytes],
) -> list[bytes]:
    """The bytes of every id; control symbols have none."""
    tokens = [b""] * len(ids.keys() | added.keys())
    for token, token_id in ids.items():
        if token in special:
            tokens[token_id] = special[token]
        elif token not in added:
            tokens[token_id] = spell(token)
    return tokens


def _kept(
    model: Mapping[str, Any], ids: Mapping[str, int], added: Mapping[str, int], rule: Rule
) -> dict[str, Any]:
    """The values of a file that says the same, with nothing in it that was not understood."""
    by_bytes = rule in ("bytes", "bytes in words")
    pre_tokenizer = byte_level(rule == "bytes in words") if by_bytes else None
    if rule == "words":
        pre_tokenizer = GPT2_SPLIT
    decoder: dict[str, Any] = byte_level(True) if by_bytes else {"type": "Fuse"}
    if model.get("merges") is None:
        inner = {"type": "WordLevel", "vocab": dict(ids), "unk_token": model["unk_token"]}
    else:
        merges = [m for m in model["merges"] if not (isinstance(m, str) and m[:1] == "#")]
        listed = [m.split(" ") if isinstance(m, str) else list(m) for m in merges]
        fallback = model.get("byte_fallback") is True and not by_bytes
        if fallback:
            decoder = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, decoder]}
        inner = bpe_model(dict(ids), listed, model.get("unk_token"), fallback)
    file = pipeline(inner, pre_tokenizer, decoder)
    file["added_tokens"] = [
        {
            "id": token_id,
            "content": name,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for name, token_id in added.items()
    ]
    return file
