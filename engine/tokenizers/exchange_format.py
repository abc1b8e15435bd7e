"""The parts that a ``tokenizer.json`` of ours is made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from engine.tokenizers.pretokenize import PATTERN


def pipeline(
    model: dict[str, Any], pre_tokenizer: dict[str, Any] | None, decoder: dict[str, Any]
) -> dict[str, Any]:
    """A whole file around a model."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }


GPT2_SPLIT = {
    "type": "Split",
    "pattern": {"Regex": PATTERN.pattern},
    "behavior": "Isolated",
    "invert": False,
}
"""GPT-2's pre-tokens without its stand-ins for bytes."""


def byte_level(use_regex: bool) -> dict[str, Any]:
    """The "ByteLevel" pre-tokenizer (and decoder), with GPT-2's rule or without."""
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": False,
        "use_regex": use_regex,
    }


def bpe_model(
    vocabulary: dict[str, int],
    merges: list[list[str]],
    unknown: str | None = None,
    byte_fallback: bool = False,
) -> dict[str, Any]:
    """A "BPE" model."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unknown,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": byte_fallback,
        "ignore_merges": False,
        "vocab": vocabulary,
        "merges": merges,
    }


def free_name(taken: Collection[str]) -> str:
    """A name for the unknown token that no other token has."""
    name, number = "<unk>", 2
    while name in taken:
        name, number = f"<unk{number}>", number + 1
    return name
