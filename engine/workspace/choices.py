"""What a person chooses: a corpus, a tokenizer, an n-gram's settings. Small values that can be
compared, saved and shown; the work itself is done by ``load``, ``build_tokenizer`` and so on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.ngram import HIGHEST_ORDER, Smoothing
from engine.text import Corpus, bundled_corpora, corpus_from_file, corpus_from_text, load_corpus
from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    Tokenizer,
    WordTokenizer,
    to_utf8,
)
from engine.workspace.checked import Fields

TokenizerKind = Literal["characters", "bytes", "words", "bpe", "imported"]
Base = Literal["bytes", "characters"]

MAX_SEED = 2**63 - 1
MAX_VOCAB = 1_000_000
_DEFAULT_VOCAB = 512


@dataclass(frozen=True)
class CorpusChoice:
    """Which corpus: one of the bundled ones, a file, or a text of the learner's own."""

    key: str = "stories"
    """"stories", "reader", "python", "file" or "text"."""
    seed: int = 0
    """Draws the stories; chooses what is held out of a file or an own text."""
    path: str | None = None
    """The file, for key "file"."""
    text: str | None = None
    """The text itself, for key "text"."""

    @property
    def label(self) -> str:
        """What the learner reads before the corpus is loaded."""
        for entry in bundled_corpora():
            if entry.key == self.key:
                return entry.title
        if self.key == "text":
            return "Your own text"
        name = Path(self.path or "").name
        return to_utf8(name).decode() or "A file of yours"

    def load(self, job: Job = NO_JOB) -> Corpus:
        """Read or draw the corpus.

        Raises:
            LabError: if there is no such corpus or it cannot be read.
        """
        if self.key == "file":
            if not self.path:
                raise LabError("No file was chosen yet.")
            return corpus_from_file(self.path, self.seed, job)
        if self.key == "text":
            return corpus_from_text(self.text or "", seed=self.seed, job=job)
        return load_corpus(self.key, self.seed, job)


@dataclass(frozen=True)
class TokenizerSpec:
    """How to make a tokenizer. Settings that its kind has no use for take their defaults, so
    that equal tokenizers have equal specs.

    Raises:
        LabError: on construction, if the values describe no tokenizer.
    """

    kind: TokenizerKind = "bpe"
    vocab_size: int = _DEFAULT_VOCAB
    """Tokens wanted, base vocabulary or ``<unk>`` included; for words and BPE."""
    base: Base = "bytes"
    """Σ₀, what BPE starts from."""
    pre_tokenize: bool = True
    """Whether BPE merges only inside words (GPT-2), or anywhere (the tutorial)."""
    byte_fallback: bool = False
    """Whether characters never seen are spelt in bytes instead of becoming ``<unk>``; for
    characters, and BPE over characters."""
    source: str = ""
    """The file that the tokenizer was imported from; empty for one that is made from a text.
    Only an imported tokenizer can be of the kind "imported" (ids or merges unlike ours)."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(TokenizerKind):
            raise LabError(
                f"There is no tokenizer of the kind {self.kind!r}. "
                f"Choose one of {', '.join(get_args(TokenizerKind))}."
            )
        if self.kind == "imported" and not self.source:
            raise LabError("An imported tokenizer comes from a file: import one first.")
        if self.base not in get_args(Base):
            raise LabError(f"BPE starts from bytes or characters, not from {self.base!r}.")
        if type(self.vocab_size) is not int or not 1 <= self.vocab_size <= MAX_VOCAB:
            raise LabError(f"A vocabulary has 1 to {MAX_VOCAB:,} tokens, not {self.vocab_size!r}.")
        bpe = self.kind == "bpe"
        if not (bpe or self.kind == "words" or self.source):
            object.__setattr__(self, "vocab_size", _DEFAULT_VOCAB)
        if not bpe:
            object.__setattr__(self, "base", "bytes")
            object.__setattr__(self, "pre_tokenize", True)
        if not (self.kind == "characters" or (bpe and self.base == "characters")):
            object.__setattr__(self, "byte_fallback", False)

    @property
    def learned(self) -> bool:
        """Whether the tokenizer depends on the text it is made from."""
        return self.kind != "bytes" and not self.source

    @property
    def label(self) -> str:
        """What the learner reads, such as "BPE, 512 tokens"."""
        if self.source:
            return f"{to_utf8(self.source).decode()}, {self.vocab_size:,} tokens"
        match self.kind:
            case "imported":
                return "Imported"  # never without a source
            case "characters":
                return "Characters"
            case "bytes":
                return "UTF-8 bytes"
            case "words":
                return f"Words, {self.vocab_size:,} tokens"
            case "bpe":
                extra = "" if self.base == "bytes" else " over characters"
                extra += "" if self.pre_tokenize else ", across words"
                return f"BPE, {self.vocab_size:,} tokens{extra}"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> TokenizerSpec:
        """Raises:
        LabError: if the values describe no tokenizer.
        """
        fields = Fields(data, "the tokenizer's settings")
        return cls(
            kind=cast(TokenizerKind, fields.string("kind")),
            vocab_size=fields.integer("vocab_size", 1, MAX_VOCAB),
            base=cast(Base, fields.string("base")),
            pre_tokenize=fields.boolean("pre_tokenize"),
            byte_fallback=fields.boolean("byte_fallback"),
            source=fields.string("source") if "source" in data else "",
        )


@dataclass(frozen=True)
class NGramSettings:
    """How to count n-grams.

    Raises:
        LabError: on construction, if the values describe no n-gram model.
    """

    order: int = 3
    """The field's n: the token predicted and the n − 1 before it (the tutorial's n plus 1)."""
    smoothing: Smoothing = "kneser_ney"
    k: float = 1.0
    """What add-k adds to every count; other smoothings leave it unused."""

    def __post_init__(self) -> None:
        if type(self.order) is not int or not 1 <= self.order <= HIGHEST_ORDER:
            raise LabError(f"The order must be 1 to {HIGHEST_ORDER}, not {self.order!r}.")
        if self.smoothing not in get_args(Smoothing):
            raise LabError(
                f"There is no smoothing called {self.smoothing!r}. "
                f"Choose one of {', '.join(get_args(Smoothing))}."
            )
        if not (math.isfinite(self.k) and self.k > 0):
            raise LabError(f"Add-k smoothing needs a k above 0, not {self.k}.")
        if self.smoothing != "add_k":
            object.__setattr__(self, "k", 1.0)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> NGramSettings:
        """Raises:
        LabError: if the values describe no n-gram model.
        """
        fields = Fields(data, "the n-gram's settings")
        return cls(
            order=fields.integer("order", 1, HIGHEST_ORDER),
            smoothing=cast(Smoothing, fields.string("smoothing")),
            k=fields.number("k"),
        )


def build_tokenizer(
    spec: TokenizerSpec, text: Corpus | str | Sequence[str], job: Job = NO_JOB
) -> Tokenizer:
    """Make a tokenizer from a corpus's training documents, or from any text.

    Raises:
        LabError: if the vocabulary is too small for its base, for example, or the tokenizer was
            imported, which no text can make.
    """
    if spec.source:
        raise LabError(f"“{spec.label}” came from a file. Import that file again.")
    documents: str | Sequence[str] = text.train if isinstance(text, Corpus) else text
    match spec.kind:
        case "characters":
            return CharacterTokenizer.train(documents, byte_fallback=spec.byte_fallback)
        case "bytes":
            return ByteTokenizer()
        case "words":
            return WordTokenizer.train(documents, max_size=spec.vocab_size, job=job)
        case "bpe":
            return BPETokenizer.train(
                documents,
                spec.vocab_size,
                base=spec.base,
                pre_tokenize=spec.pre_tokenize,
                byte_fallback=spec.byte_fallback,
                job=job,
            )
    raise LabError("An imported tokenizer comes from a file: import one first.")
