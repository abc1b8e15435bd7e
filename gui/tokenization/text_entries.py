"""Which tokenizers stand side by side, and which of them all tabs use. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.workspace.choices import TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer
from gui.tokenization.text_tokenizers import SPECS, Learned, without_learning

if TYPE_CHECKING:
    from engine.text import Corpus


@dataclass(frozen=True)
class Entry:
    """One row: a tokenizer, or the place of one that is still being learned."""

    key: str
    title: str
    tip: str
    made: MadeTokenizer | None
    shared: bool = False
    """Whether all tabs use it now."""


def entries(
    corpus: Corpus | None,
    shared: MadeTokenizer | None,
    learned: Learned | None,
    imported: Sequence[MadeTokenizer] = (),
) -> list[Entry]:
    """The rows of the table, from top to bottom.

    Args:
        corpus: the text that all tabs learn from.
        shared: the tokenizer that all tabs use.
        learned: what was learned from ``corpus`` so far, or from another one before.
        imported: tokenizers from elsewhere.
    """
    current = corpus.fingerprint if corpus is not None else ""
    made = dict(without_learning(MadeFrom(current, corpus.title if corpus else "")))
    if learned is not None and learned.corpus == current:
        made.update(learned.made)
    rows = []
    found = False
    for spec in SPECS:
        tokenizer = made.get(spec)
        is_shared = shared is not None and _same(shared, spec, tokenizer, current)
        if is_shared:
            tokenizer, found = shared, True
        rows.append(Entry(spec.label, spec.label, _tip(spec, corpus), tokenizer, is_shared))
    for number, other in enumerate(imported, 1):
        is_shared = shared is not None and shared.fingerprint == other.fingerprint
        found = found or is_shared
        title = f"{other.tokenizer.name}, from {other.made_from.corpus_title}"
        rows.append(Entry(f"import {number}", title, "Came from a file.", other, is_shared))
    if shared is not None and not found:
        origin = f"Learned from “{shared.made_from.corpus_title}”."
        rows.insert(0, Entry("shared", shared.label, origin, shared, True))
    return rows


def _same(
    shared: MadeTokenizer, spec: TokenizerSpec, tokenizer: MadeTokenizer | None, corpus: str
) -> bool:
    """Whether the shared tokenizer is the one of this row."""
    if shared.spec != spec:
        return False
    if tokenizer is not None:
        return tokenizer.fingerprint == shared.fingerprint
    return shared.made_from.corpus == corpus


def _tip(spec: TokenizerSpec, corpus: Corpus | None) -> str:
    about = {
        "characters": "Each code point is a token; those that the text never had are unknown.",
        "bytes": "Each byte of UTF-8 is a token: 256 of them spell everything.",
        "words": "The most frequent words, each with the space before it; all others are unknown.",
        "bpe": "Byte-pair encoding: bytes, and what became tokens by merging frequent pairs.",
    }[spec.kind]
    if spec.kind == "bpe" and not spec.pre_tokenize:
        about += " Tokens may reach across words, as in the tutorial’s own algorithm."
    if not spec.learned or corpus is None:
        return about
    return f"{about} Learned from “{corpus.title}”."
