"""What a change of corpus or tokenizer takes, on the compute thread, and what it brings."""

from __future__ import annotations

from dataclasses import dataclass

from engine.jobs import NO_JOB, Job
from engine.text import Corpus
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import (
    MadeNGram,
    MadeTokenizer,
    Streams,
    make_ngram,
    make_streams,
    make_tokenizer,
)


@dataclass(frozen=True)
class Prepared:
    """What a change of corpus or tokenizer brings, as far as it is made."""

    corpus: Corpus
    choice: CorpusChoice
    tokenizer: MadeTokenizer
    streams: Streams | None = None
    ngram: MadeNGram | None = None


def prepare(
    choice: CorpusChoice,
    corpus: Corpus | None,
    spec: TokenizerSpec,
    made: MadeTokenizer | None,
    settings: NGramSettings,
    job: Job = NO_JOB,
) -> Prepared:
    """Load the corpus, learn the tokenizer, encode, count. What is usable is published as it
    comes.

    Args:
        choice: which corpus.
        corpus: the corpus of that choice, if it is loaded already.
        spec: which tokenizer.
        made: the tokenizer of that spec, if it is made already.
        settings: which n-gram model to count on the streams.
        job: told of progress; publishes ``Prepared``.

    Raises:
        LabError: if the text cannot be read, or the tokenizer cannot be made from it.
        JobCancelled: at a yield point.
    """
    job.progress(0, None, f"Reading {choice.label}")
    corpus = corpus or choice.load(job)
    tokenizer = made or make_tokenizer(spec, corpus, job)
    job.publish(Prepared(corpus, choice, tokenizer))
    job.yield_point()
    streams = make_streams(corpus, tokenizer, job)
    job.publish(Prepared(corpus, choice, tokenizer, streams))
    return Prepared(corpus, choice, tokenizer, streams, make_ngram(settings, streams, job))
