"""Which tokenizers stand side by side, and which of them all tabs use. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from engine.tokenizers.statistics import Counts, token_counts
from engine.workspace.choices import TokenizerSpec
from engine.workspace.made import MadeFrom, MadeTokenizer, Streams
from gui.tokenization.text_tokenizers import SPECS, Learned, fell_short, without_learning

if TYPE_CHECKING:
    from engine.text import Corpus


class CorpusCounts:
    """How often each token stands in the text that all tabs learn from."""

    def __init__(self, title: str, counted: Counts | Streams) -> None:
        """
        Args:
            title: the text's.
            counted: the counts, or the encoded text to be counted when they are asked for.
        """
        self.title = title
        self._counted = counted

    @cached_property
    def counts(self) -> Counts:
        """Shape (vocab_size,), of the text's training half."""
        if isinstance(self._counted, Streams):
            train = self._counted.train
            return token_counts(train.ids, train.vocab_size)[: train.end_of_text]
        return self._counted

    @cached_property
    def total(self) -> int:
        """Tokens of the text's training half."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Entry:
    """One row: a tokenizer, or the place of one that is still being learned."""

    key: str
    title: str
    tip: str
    made: MadeTokenizer | None
    shared: bool = False
    """Whether all tabs use it now."""
    note: str = ""
    """What must be said of it beside its title."""
    counts: CorpusCounts | None = field(default=None, compare=False)
    """Of its tokens in the present text; None if they were not counted."""


def entries(
    corpus: Corpus | None,
    shared: MadeTokenizer | None,
    learned: Learned | None,
    imported: Sequence[MadeTokenizer] = (),
    streams: Streams | None = None,
) -> list[Entry]:
    """The rows of the table, from top to bottom.

    Args:
        corpus: the text that all tabs learn from.
        shared: the tokenizer that all tabs use.
        learned: what was learned from ``corpus`` so far, or from another one before.
        imported: tokenizers from elsewhere.
        streams: the corpus as tokens of the shared tokenizer, once it is encoded.
    """
    current = corpus.fingerprint if corpus is not None else ""
    counted: dict[TokenizerSpec, Counts] = {}
    made = dict(without_learning(MadeFrom(current, corpus.title if corpus else "")))
    if learned is not None and learned.corpus == current:
        made.update(learned.made)
        counted = learned.counts
    in_streams = counts_in_corpus(corpus, shared, streams)
    rows = []
    found = False
    for spec in SPECS:
        tokenizer = made.get(spec)
        is_shared = shared is not None and _same(shared, spec, tokenizer, current)
        if is_shared:
            tokenizer, found = shared, True
        counts = in_streams if is_shared else None
        if counts is None and corpus is not None and spec in counted:
            counts = CorpusCounts(corpus.title, counted[spec])
        note = "" if tokenizer is None else fell_short(tokenizer)
        tip = _tip(spec, corpus)
        rows.append(Entry(spec.label, spec.label, tip, tokenizer, is_shared, note, counts))
    for number, other in enumerate(imported, 1):
        is_shared = shared is not None and shared.fingerprint == other.fingerprint
        found = found or is_shared
        title = f"{other.tokenizer.name}, from {other.made_from.corpus_title}"
        counts = in_streams if is_shared else None
        tip = "Came from a file."
        rows.append(Entry(f"import {number}", title, tip, other, is_shared, "", counts))
    if shared is not None and not found:
        origin = f"Learned from “{shared.made_from.corpus_title}”."
        note = fell_short(shared)
        rows.insert(0, Entry("shared", shared.label, origin, shared, True, note, in_streams))
    return rows


def counts_in_corpus(
    corpus: Corpus | None, shared: MadeTokenizer | None, streams: Streams | None
) -> CorpusCounts | None:
    """The shared tokenizer's counts, if the encoded text is the present one by it."""
    if corpus is None or shared is None or streams is None:
        return None
    made = streams.made_from
    if (made.corpus, made.tokenizer) != (corpus.fingerprint, shared.fingerprint):
        return None
    return CorpusCounts(corpus.title, streams)


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
