"""What all tabs share: one corpus, one tokenizer, one n-gram, and the runs trained so far.

The workspace holds choices (small values that a form edits) and things made from them
(immutable values that remember what they were made from). Nothing is recomputed behind anyone's
back: a change of corpus leaves the old tokenizer, n-gram and runs in place, ``outdated`` says
what no longer fits, and whoever asked decides.

Threads: a Workspace has one owner and no locks. The long work (``CorpusChoice.load``,
``make_tokenizer``, ``make_streams``, ``make_ngram``, ``save``, ``load``) is in functions that
take and return immutable values, to be run on the compute thread; the owner then adopts the
result with one of the small methods here. ``streams`` is the one method that may take long; call
it from the thread that owns the workspace, or use ``cached_streams`` and ``adopt_streams``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.text import Corpus
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import (
    MadeNGram,
    MadeTokenizer,
    Streams,
    TrainedRun,
    make_streams,
)
from engine.workspace.staleness import ANOTHER, UNKNOWN, Outdated, Upstream, outdated

MAX_RUNS = 100
_STREAMS_KEPT = 2  # the current pair, and the one before: going back and forth is common


class Workspace:
    """The state shared by all tabs. See the module for who may call what."""

    def __init__(self) -> None:
        self.seed = 0
        """The seed of everything random that has no seed of its own."""
        self.corpus_choice = CorpusChoice()
        self.corpus: Corpus | None = None
        """The corpus chosen, once it was loaded."""
        self.tokenizer_spec = TokenizerSpec()
        self.tokenizer: MadeTokenizer | None = None
        """The tokenizer in use; it may be older than ``tokenizer_spec`` or ``corpus``."""
        self.ngram_settings = NGramSettings()
        self.ngram: MadeNGram | None = None
        self._runs: tuple[TrainedRun, ...] = ()
        self._streams: tuple[Streams, ...] = ()

    # --- changes: small, immediate, one thing each

    def set_seed(self, seed: int) -> None:
        """Use another seed from now on. What was made stays as it was made."""
        self.seed = int(seed)

    def adopt_corpus(self, choice: CorpusChoice, corpus: Corpus) -> None:
        """Use a corpus that was loaded for ``choice``."""
        self.corpus_choice = choice
        self.corpus = corpus

    def set_tokenizer_spec(self, spec: TokenizerSpec) -> None:
        """Choose how the next tokenizer is made; the present one stays until then."""
        self.tokenizer_spec = spec

    def adopt_tokenizer(self, tokenizer: MadeTokenizer) -> None:
        """Use a tokenizer from now on, and its settings."""
        self.tokenizer = tokenizer
        self.tokenizer_spec = tokenizer.spec

    def set_ngram_settings(self, settings: NGramSettings) -> None:
        """Choose how the next n-gram is made; the present one stays until then."""
        self.ngram_settings = settings

    def adopt_ngram(self, ngram: MadeNGram) -> None:
        """Use an n-gram from now on, and its settings."""
        self.ngram = ngram
        self.ngram_settings = ngram.settings

    def adopt_streams(self, streams: Streams) -> None:
        """Keep encoded text for ``cached_streams``."""
        others = [s for s in self._streams if s.made_from != streams.made_from]
        self._streams = (*others, streams)[-_STREAMS_KEPT:]

    def add_run(self, run: TrainedRun) -> TrainedRun:
        """Keep a trained run; returns it under a name that no other run has.

        Raises:
            LabError: if there are too many.
        """
        if len(self._runs) >= MAX_RUNS:
            raise LabError(f"There are {MAX_RUNS} runs already. Remove some first.")
        names = {r.name for r in self._runs}
        name, number = run.name, 2
        while name in names:
            name, number = f"{run.name} ({number})", number + 1
        run = replace(run, name=name)
        self._runs = (*self._runs, run)
        return run

    def remove_run(self, name: str) -> None:
        """Forget a run; nothing happens if there is none of that name."""
        self._runs = tuple(r for r in self._runs if r.name != name)

    def adopt_saved(self, saved: Iterable[TrainedRun]) -> None:
        """Let runs know their files after ``save``; those removed meanwhile stay removed."""
        by_name = {run.name: run for run in saved}
        self._runs = tuple(
            by_name[run.name]
            if run.name in by_name and by_name[run.name].model is run.model
            else run
            for run in self._runs
        )

    # --- questions

    def copy(self) -> Workspace:
        """The present state for another thread, to be saved there: all it holds is immutable,
        and later changes of either don't reach the other."""
        return copy.copy(self)

    @property
    def runs(self) -> tuple[TrainedRun, ...]:
        """The trained runs, oldest first."""
        return self._runs

    def run(self, name: str) -> TrainedRun | None:
        """The run of that name, if there is one."""
        return next((r for r in self._runs if r.name == name), None)

    def cached_streams(self) -> Streams | None:
        """Both halves of the corpus in the tokenizer's tokens, if they were encoded before."""
        if self.corpus is None or self.tokenizer is None:
            return None
        key = (self.corpus.fingerprint, self.tokenizer.fingerprint)
        for streams in self._streams:
            if (streams.made_from.corpus, streams.made_from.tokenizer) == key:
                return streams
        return None

    def streams(self, job: Job = NO_JOB) -> Streams:
        """Both halves of the corpus in the tokenizer's tokens, encoded at the first call.

        Raises:
            LabError: if there is no corpus or no tokenizer yet.
        """
        if self.corpus is None:
            raise LabError("No text is loaded yet. Choose a corpus first.")
        if self.tokenizer is None:
            raise LabError("There is no tokenizer yet. Make one first.")
        streams = self.cached_streams()
        if streams is None:
            streams = make_streams(self.corpus, self.tokenizer, job)
            self.adopt_streams(streams)
        return streams

    def outdated(self) -> list[Outdated]:
        """What was made from another corpus or tokenizer than those in use now."""
        return outdated(self._upstream(), self.tokenizer, self.ngram, self._runs)

    def outdated_by(
        self, change: Corpus | CorpusChoice | MadeTokenizer | TokenizerSpec
    ) -> list[Outdated]:
        """What a change would make out of date, besides what is so already.

        A corpus or tokenizer that exists is compared by what it holds. A choice that was not
        carried out yet counts as different unless it equals the present one. A new corpus is
        taken to keep the tokenizer, which is then itself on the list if it was learned.
        """
        upstream, tokenizer = self._upstream(), self.tokenizer
        match change:
            case Corpus():
                upstream = replace(upstream, corpus=change.fingerprint)
            case CorpusChoice():
                if change != self.corpus_choice:
                    upstream = replace(upstream, corpus=ANOTHER)
            case MadeTokenizer():
                upstream = replace(upstream, tokenizer=change.fingerprint)
                tokenizer = None  # it is replaced, so it cannot be out of date
            case TokenizerSpec():
                if self.tokenizer is None or change != self.tokenizer.spec:
                    upstream = replace(upstream, tokenizer=ANOTHER)
                tokenizer = None
        already = {(o.what, o.name) for o in self.outdated()}
        found = outdated(upstream, tokenizer, self.ngram, self._runs)
        return [o for o in found if (o.what, o.name) not in already]

    def _upstream(self) -> Upstream:
        return Upstream(
            corpus=self.corpus.fingerprint if self.corpus else UNKNOWN,
            tokenizer=self.tokenizer.fingerprint if self.tokenizer else UNKNOWN,
        )
