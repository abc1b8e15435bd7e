"""The tokenizers that are compared: learned from the corpus, on the compute thread. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.jobs import NO_JOB, Job
from engine.text import Corpus
from engine.tokenizers import BPETokenizer, ByteTokenizer, Tokenizer, WordTokenizer
from engine.tokenizers.statistics import Counts, count_tokens
from engine.workspace.choices import TokenizerSpec, build_tokenizer
from engine.workspace.made import MadeFrom, MadeTokenizer, tokenizer_fingerprint

SPECS: tuple[TokenizerSpec, ...] = (
    TokenizerSpec("characters"),
    TokenizerSpec("bytes"),
    TokenizerSpec("words", 2_000),
    TokenizerSpec("bpe", 512),
    TokenizerSpec("bpe", 1_024),
    TokenizerSpec("bpe", 4_096),
    TokenizerSpec("bpe", 1_024, pre_tokenize=False),
)
"""What stands side by side, beside the shared tokenizer and those that were imported."""

MOST_ACROSS_WORDS = 10_000_000
"""Characters that BPE across words is learned from: without words to count, its memory grows
with the text (about 100 bytes a character)."""


@dataclass(frozen=True)
class Learned:
    """The tokenizers made so far, by spec, the corpus they were learned from, and how often
    their tokens stand in it."""

    made: dict[TokenizerSpec, MadeTokenizer]
    corpus: str
    """The corpus's fingerprint."""
    counts: dict[TokenizerSpec, Counts] = field(default_factory=dict)
    """For each token how often it stands in the training half, shape (vocab_size,)."""


def without_learning(made_from: MadeFrom) -> dict[TokenizerSpec, MadeTokenizer]:
    """The tokenizers that need no text to learn from."""
    spec = TokenizerSpec("bytes")
    return {spec: _made(ByteTokenizer(), spec, made_from)}


def learn_tokenizers(
    corpus: Corpus, specs: Sequence[TokenizerSpec] = SPECS, job: Job = NO_JOB
) -> Learned:
    """Make all tokenizers from a corpus's training half, then count their tokens in it; each is
    published as it is there.

    BPE is learned once for each way of learning, to the largest size: a smaller vocabulary is
    the same history, cut short.
    """
    made_from = MadeFrom(corpus.fingerprint, corpus.title)
    made = dict(without_learning(made_from))
    largest: dict[tuple[object, ...], TokenizerSpec] = {}
    for spec in specs:
        if spec.kind == "bpe":
            known = largest.get(_way(spec))
            if known is None or known.vocab_size < spec.vocab_size:
                largest[_way(spec)] = spec
    histories: dict[tuple[object, ...], Tokenizer] = {}
    for spec in specs:
        if spec in made:
            continue
        if spec.kind != "bpe":
            made[spec] = _made(build_tokenizer(spec, corpus, job), spec, made_from)
        else:
            if _way(spec) not in histories:
                documents = _documents(corpus, spec)
                histories[_way(spec)] = build_tokenizer(largest[_way(spec)], documents, job)
            tokenizer = histories[_way(spec)]
            assert isinstance(tokenizer, BPETokenizer)
            if spec.vocab_size < tokenizer.vocab_size:
                tokenizer = tokenizer.truncated(spec.vocab_size)
            made[spec] = _made(tokenizer, spec, made_from)
        job.publish(Learned(dict(made), corpus.fingerprint))
        job.yield_point()
    counts: dict[TokenizerSpec, Counts] = {}
    for spec, one in made.items():
        documents = _documents(corpus, spec)
        if documents is corpus.train:
            counts[spec] = count_tokens(one.tokenizer, documents, job)
            job.publish(Learned(made, corpus.fingerprint, dict(counts)))
            job.yield_point()
    return Learned(made, corpus.fingerprint, counts)


def fell_short(made: MadeTokenizer) -> str:
    """Why a vocabulary is smaller than it was to be, in a few words; nothing if it isn't."""
    tokenizer, size = made.tokenizer, made.tokenizer.vocab_size
    if made.spec.source or not made.spec.learned or size >= made.spec.vocab_size:
        return ""
    if isinstance(tokenizer, WordTokenizer):
        return f"the text has only {size - 1:,} different words"
    if isinstance(tokenizer, BPETokenizer):
        why = {
            "no pair occurs twice": "no pair occurs twice any more",
            "tokens too long": "tokens became too long to keep",
        }.get(tokenizer.stop_reason, "")
        return f"learning ended at {size:,}: {why}" if why else ""
    return ""


def _documents(corpus: Corpus, spec: TokenizerSpec) -> Sequence[str]:
    """What BPE is learned from: the training half, or its beginning."""
    if spec.pre_tokenize or sum(map(len, corpus.train)) <= MOST_ACROSS_WORDS:
        return corpus.train
    kept: list[str] = []
    room = MOST_ACROSS_WORDS
    for document in corpus.train:
        if room <= 0:
            break
        kept.append(document[:room])
        room -= len(document)
    return kept


def _way(spec: TokenizerSpec) -> tuple[object, ...]:
    return spec.base, spec.pre_tokenize, spec.byte_fallback


def _made(tokenizer: Tokenizer, spec: TokenizerSpec, made_from: MadeFrom) -> MadeTokenizer:
    return MadeTokenizer(tokenizer, spec, tokenizer_fingerprint(tokenizer), made_from)
