"""What is made from a corpus, and what it was made from: tokenizers, token streams, n-grams,
trained transformers. All of them immutable values that remember their upstream by fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from engine.jobs import NO_JOB, Job
from engine.models import NGramModel
from engine.text import Corpus
from engine.tokenizers import BPETokenizer, Tokenizer, TokenStream, encode_documents
from engine.tokenizers.base import to_utf8
from engine.tokenizers.exchange_read import read_tokenizer_file
from engine.workspace.checked import Fields
from engine.workspace.choices import (
    NGramSettings,
    TokenizerKind,
    TokenizerSpec,
    build_tokenizer,
)

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel


def tokenizer_fingerprint(tokenizer: Tokenizer) -> str:
    """SHA-256 (hex) of the tokenizer's dictionary as canonical JSON: equal exactly when two
    tokenizers are made of the same parts."""
    canonical = json.dumps(tokenizer.to_dict(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class MadeFrom:
    """The upstream of something that was made."""

    corpus: str
    """The corpus's fingerprint."""
    corpus_title: str
    tokenizer: str = ""
    """The tokenizer's fingerprint; empty for a tokenizer itself."""
    tokenizer_label: str = ""

    def to_dict(self) -> dict[str, str]:
        return {
            "corpus": self.corpus,
            "corpus_title": self.corpus_title,
            "tokenizer": self.tokenizer,
            "tokenizer_label": self.tokenizer_label,
        }

    @classmethod
    def from_dict(cls, data: Any) -> MadeFrom:
        """Raises:
        LabError: if the values are not four strings.
        """
        fields = Fields(data, "what something was made from")
        return cls(
            corpus=fields.string("corpus"),
            corpus_title=fields.string("corpus_title"),
            tokenizer=fields.string("tokenizer"),
            tokenizer_label=fields.string("tokenizer_label"),
        )


@dataclass(frozen=True)
class MadeTokenizer:
    """A tokenizer, the settings it was made with, and the text it was made from."""

    tokenizer: Tokenizer = field(compare=False)  # the fingerprint tells it
    spec: TokenizerSpec
    fingerprint: str
    made_from: MadeFrom

    @property
    def label(self) -> str:
        """What the learner reads."""
        return self.spec.label


def make_tokenizer(spec: TokenizerSpec, corpus: Corpus, job: Job = NO_JOB) -> MadeTokenizer:
    """Build a tokenizer from a corpus's training half.

    Raises:
        LabError: as ``build_tokenizer``.
    """
    tokenizer = build_tokenizer(spec, corpus, job)
    return MadeTokenizer(
        tokenizer=tokenizer,
        spec=spec,
        fingerprint=tokenizer_fingerprint(tokenizer),
        made_from=MadeFrom(corpus.fingerprint, corpus.title),
    )


def adopt_made(tokenizer: Tokenizer, corpus: Corpus) -> MadeTokenizer:
    """A byte-level BPE tokenizer that was learned from a corpus's training half, as if it had
    been made by ``make_tokenizer``: a truncation of a larger one, for example."""
    spec = TokenizerSpec("bpe", tokenizer.vocab_size)
    made_from = MadeFrom(corpus.fingerprint, corpus.title)
    return MadeTokenizer(tokenizer, spec, tokenizer_fingerprint(tokenizer), made_from)


def import_tokenizer(path: str | os.PathLike[str], job: Job = NO_JOB) -> ImportedFile:
    """Read a Hugging Face ``tokenizer.json``.

    Raises:
        LabError: as ``read_tokenizer_file``.
    """
    read = read_tokenizer_file(path, job)
    tokenizer = read.tokenizer
    place = Path(path)
    # Most of these files have the same name: the folder's tells them apart.
    name = place.parent.name if place.name == "tokenizer.json" else place.stem
    bpe = isinstance(tokenizer, BPETokenizer)
    spec = TokenizerSpec(
        kind=cast(TokenizerKind, tokenizer.kind),
        vocab_size=tokenizer.vocab_size,
        base=tokenizer.base if isinstance(tokenizer, BPETokenizer) else "bytes",
        pre_tokenize=not tokenizer.crosses_words if bpe else True,
        source=to_utf8(name[:60] or "Imported").decode(),
    )
    made_from = MadeFrom(corpus="", corpus_title=place.name[:200])
    made = MadeTokenizer(tokenizer, spec, tokenizer_fingerprint(tokenizer), made_from)
    return ImportedFile(made, read.notes)


@dataclass(frozen=True)
class ImportedFile:
    """An imported tokenizer, and what is not as in its file."""

    made: MadeTokenizer
    notes: tuple[str, ...]
    """A sentence each."""


@dataclass(frozen=True)
class Streams:
    """Both halves of a corpus as tokens. Equal if made from the same text by the same tokenizer."""

    train: TokenStream = field(compare=False)
    held_out: TokenStream = field(compare=False)
    """Without a target where the text was too short to hold anything out."""
    made_from: MadeFrom


def make_streams(corpus: Corpus, tokenizer: MadeTokenizer, job: Job = NO_JOB) -> Streams:
    """Encode both halves of a corpus."""
    return Streams(
        train=encode_documents(tokenizer.tokenizer, corpus.train, job),
        held_out=encode_documents(tokenizer.tokenizer, corpus.held_out, job),
        made_from=MadeFrom(
            corpus.fingerprint, corpus.title, tokenizer.fingerprint, tokenizer.label
        ),
    )


@dataclass(frozen=True)
class MadeNGram:
    """An n-gram model, its settings, and the streams it was counted on."""

    model: NGramModel
    settings: NGramSettings
    made_from: MadeFrom

    @property
    def label(self) -> str:
        """What the learner reads."""
        return self.model.name


def make_ngram(settings: NGramSettings, streams: Streams, job: Job = NO_JOB) -> MadeNGram:
    """Count n-grams on the training half.

    Raises:
        LabError: as ``NGramModel.train``.
    """
    model = NGramModel.train(streams.train, settings.order, settings.smoothing, settings.k, job)
    return MadeNGram(model=model, settings=settings, made_from=streams.made_from)


class Saveable(Protocol):
    """A trainer with all its state: whatever writes itself into a folder."""

    def save(self, folder: Path) -> None:
        """Write everything into a folder.

        Raises:
            LabError: if it cannot be written.
        """


@dataclass(frozen=True)
class TrainedRun:
    """A trained transformer with all that is needed to use it: a run keeps its own tokenizer,
    so it goes on working when the workspace's is changed."""

    name: str
    model: TransformerModel
    """The model, which nothing trains any more (``Trainer.frozen_model()``)."""
    tokenizer: MadeTokenizer
    made_from: MadeFrom
    """The streams it was trained on."""
    saved: Saveable | None = None
    """What to save: the trainer, standing still, so that training can go on after loading; or
    None for the model only."""
    folder: Path | None = field(default=None, compare=False)
    """Where its files lie, once it was saved or loaded: ``Trainer.load(folder, …)`` resumes it
    if ``resumable``. A run that was trained further is a new TrainedRun, without a folder."""
    resumable: bool = False
    """Whether ``folder`` holds a whole checkpoint, not only the model."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Short facts to show beside it, such as {"Recipe": "Modern", "Steps": "500"}."""
