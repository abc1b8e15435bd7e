"""The lab: what every tab is given. The shared state, and the ways to change it.

``Lab`` owns the workspace on the GUI thread; the values in it are immutable, so tabs may hand
them to the compute thread as they are. Changes that take work run there, and arrive all at
once: while a corpus is being read, the old one stays in force. Every signal comes after the
state it speaks of has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.text import Corpus, bundled_corpora
from engine.workspace.bundled import load_bundled
from engine.workspace.choices import CorpusChoice, NGramSettings, TokenizerSpec
from engine.workspace.made import (
    MadeNGram,
    MadeTokenizer,
    Streams,
    TrainedRun,
    make_ngram,
)
from engine.workspace.staleness import Outdated
from engine.workspace.workspace import Workspace
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.job_handle import Failure, JobHandle
from gui.preparing import Prepared, prepare
from gui.settings import LARGEST_SEED, Preferences
from gui.theme import Theme

log = logging.getLogger(__name__)

Confirm = Callable[[str, Sequence[Outdated]], bool]
"""Asked before trained work goes out of date: what is about to be chosen, and what that does."""


class Lab(QObject):
    """The shared state, the compute thread, the preferences and the theme."""

    corpus_changed = Signal()
    tokenizer_changed = Signal()
    streams_changed = Signal()
    """Both halves of the corpus are there in the tokenizer's tokens."""
    ngram_changed = Signal()
    runs_changed = Signal()
    seed_changed = Signal(int)
    preparing_changed = Signal()
    """Work on a new corpus, tokenizer or n-gram began or ended, in whichever way."""
    tab_wished = Signal(str)
    """A tab asks the window to bring another to the front, by its key (``gui.tabs``)."""

    run_wished = Signal(str)
    """A tab asks the others to use a run, by its name."""

    def __init__(
        self,
        compute: ComputeThread,
        preferences: Preferences,
        theme: Theme,
        errors: ErrorSink,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.compute = compute
        self.preferences = preferences
        self.theme = theme
        self.errors = errors
        self.confirm: Confirm = _yes
        """The window puts its dialog here."""
        self._workspace = Workspace()
        self._workspace.set_seed(preferences.seed)
        self._bundled: TrainedRun | None = None
        self._preparing: JobHandle | None = None
        self._wish = (self._workspace.corpus_choice, self._workspace.tokenizer_spec)
        self._wished_made: MadeTokenizer | None = None
        self._on_error: Callable[[Failure], object] | None = None
        self._counting: JobHandle | None = None
        self._ngram_wish = self._workspace.ngram_settings
        compute.failed_unhandled.connect(errors.report_failure)

    # ------------------------------------------------------------------------ what is in force
    @property
    def workspace(self) -> Workspace:
        """For reading, and for saving; change it through the methods here."""
        return self._workspace

    @property
    def corpus(self) -> Corpus | None:
        """The text learned from. None in the first moments after the start."""
        return self._workspace.corpus

    @property
    def tokenizer(self) -> MadeTokenizer | None:
        """The shared tokenizer. None in the first moments after the start."""
        return self._workspace.tokenizer

    @property
    def streams(self) -> Streams | None:
        """The corpus in the tokenizer's tokens. None while it is being encoded."""
        return self._workspace.cached_streams()

    @property
    def ngram(self) -> MadeNGram | None:
        """The shared n-gram model; None until one is counted, and where it belongs to other
        tokens than the present ones."""
        ngram, tokenizer = self._workspace.ngram, self.tokenizer
        if ngram is None or tokenizer is None:
            return None
        return ngram if ngram.made_from.tokenizer == tokenizer.fingerprint else None

    @property
    def runs(self) -> tuple[TrainedRun, ...]:
        """The trained transformers, oldest first."""
        return self._workspace.runs

    @property
    def bundled(self) -> TrainedRun | None:
        """The transformer that came with the lab for this text in these tokens; None where
        there is none, or nobody has asked for it yet (``want_bundled``)."""
        streams = self.streams
        if self._bundled is None or streams is None:
            return None
        return self._bundled if self._bundled.made_from == streams.made_from else None

    @property
    def seed(self) -> int:
        """The seed of everything random that has none of its own, 0 … 2³¹ − 1."""
        return self._workspace.seed

    @property
    def preparing(self) -> JobHandle | None:
        """The work on a new corpus or tokenizer, while there is any."""
        return self._preparing

    @property
    def wish(self) -> tuple[CorpusChoice, TokenizerSpec]:
        """The text and the tokenizer that are in force or, while they are made, about to be."""
        return self._wanted_corpus(), self._wanted_spec()

    # ------------------------------------------------------------------------------ changing it
    def restore(self) -> None:
        """Choose what was chosen last time; the stories where that is gone or makes no sense."""
        try:
            spec = TokenizerSpec.from_dict(self.preferences.tokenizer)
        except LabError:
            spec = TokenizerSpec()
        if spec.source:
            spec = TokenizerSpec()  # its file was not kept
        last = self.preferences.corpus
        if last and last not in _keys() and not Path(last).is_file():
            log.info("The last text is gone: %s", last)
            last = ""
        self._prepare(self._corpus_choice(last or "stories"), None, spec, None, None)

    def choose_corpus(
        self,
        choice: CorpusChoice | str | Path,
        on_error: Callable[[Failure], object] | None = None,
    ) -> bool:
        """Learn from another text from now on; the tokenizer is learned again from it.

        Args:
            choice: a bundled corpus's key, the path of a text file, or a choice in full.
            on_error: takes the Failure in place of the error bar.

        Returns:
            False if the person, asked about trained work, would rather not.
        """
        if not isinstance(choice, CorpusChoice):
            choice = self._corpus_choice(choice)
        if not self._agreed(f"the text “{choice.label}”", self._workspace.outdated_by(choice)):
            return False
        self._prepare(choice, None, self._wanted_spec(), self._imported(), on_error)
        return True

    def choose_tokenizer(
        self,
        spec: TokenizerSpec | MadeTokenizer,
        on_error: Callable[[Failure], object] | None = None,
    ) -> bool:
        """Cut the text by another tokenizer from now on: one to be learned from the corpus, or
        one that is already made. Parameters and return value as ``choose_corpus``."""
        if not self._agreed(f"the tokens “{spec.label}”", self._workspace.outdated_by(spec)):
            return False
        made = spec if isinstance(spec, MadeTokenizer) else None
        wish = spec if isinstance(spec, TokenizerSpec) else spec.spec
        self._prepare(self._wanted_corpus(), self.corpus, wish, made, on_error)
        return True

    def choose_ngram(
        self, settings: NGramSettings, on_error: Callable[[Failure], object] | None = None
    ) -> None:
        """Count another n-gram model on the streams."""
        self._ngram_wish = settings
        streams = self.streams
        if streams is None or self._preparing is not None:
            return  # it is counted as soon as the new streams are there
        self._drop_counting()
        self._counting = self.compute.submit(
            make_ngram,
            settings,
            streams,
            title="Counting n-grams",
            urgent=True,
            on_result=self._adopt_ngram,
            on_error=on_error,
        )
        self.preparing_changed.emit()

    @Slot()
    def want_bundled(self) -> None:
        """Load the bundled transformer for the present streams, if there is one; ``runs_changed``
        tells when it is there. Loading it loads torch, so it is done only when asked for."""
        streams, tokenizer = self.streams, self.tokenizer
        if streams is None or tokenizer is None or self.bundled is not None:
            return
        self.compute.request(
            "bundled",
            load_bundled,
            streams,
            tokenizer,
            with_job=True,
            title="Loading a trained model",
            on_result=self._adopt_bundled,
        )

    @Slot(object)
    def _adopt_bundled(self, run: TrainedRun | None) -> None:
        if run is not None:
            self._bundled = run
            self.runs_changed.emit()

    def add_run(self, run: TrainedRun) -> TrainedRun:
        """Keep a trained transformer; returns it under a name that no other run has.

        Raises:
            LabError: if there are too many.
        """
        kept = self._workspace.add_run(run)
        self.runs_changed.emit()
        return kept

    def replace_run(self, name: str, run: TrainedRun) -> TrainedRun:
        """Keep a run in place of the one called ``name``, if that is still there; nobody sees a
        moment without either. Returns and raises as ``add_run``."""
        self._workspace.remove_run(name)
        return self.add_run(run)

    def remove_run(self, name: str) -> None:
        """Forget a run."""
        self._workspace.remove_run(name)
        self.runs_changed.emit()

    @Slot(int)
    def set_seed(self, seed: int) -> None:
        """Use another seed from now on; what was made stays as it was made.

        Raises:
            LabError: if it lies outside 0 … 2³¹ − 1.
        """
        if not 0 <= seed <= LARGEST_SEED:
            raise LabError(f"A seed is a whole number from 0 to {LARGEST_SEED:,}.")
        if seed != self.seed:
            self._workspace.set_seed(seed)
            self.preferences.seed = seed
            self.seed_changed.emit(seed)

    # --------------------------------------------------------------------------------- the work
    def _corpus_choice(self, wish: str | Path) -> CorpusChoice:
        if str(wish) in _keys():
            return CorpusChoice(str(wish), self.seed)
        return CorpusChoice("file", self.seed, path=str(wish))

    def _wanted_corpus(self) -> CorpusChoice:
        """The corpus that is about to be there, or is: two quick choices don't undo another."""
        return self._wish[0] if self._preparing else self._workspace.corpus_choice

    def _wanted_spec(self) -> TokenizerSpec:
        return self._wish[1] if self._preparing else self._workspace.tokenizer_spec

    def _imported(self) -> MadeTokenizer | None:
        """The tokenizer that is wanted, if it came from a file: no text can make it again."""
        made = self._wished_made if self._preparing else self.tokenizer
        return made if made is not None and made.spec.source else None

    def _agreed(self, what: str, outdated: Sequence[Outdated]) -> bool:
        costly = [item for item in outdated if item.costly]
        return not costly or self.confirm(what, costly)

    def _prepare(
        self,
        choice: CorpusChoice,
        corpus: Corpus | None,
        spec: TokenizerSpec,
        made: MadeTokenizer | None,
        on_error: Callable[[Failure], object] | None,
    ) -> None:
        if self._preparing is not None:
            if choice != self._workspace.corpus_choice:
                corpus = None  # the corpus being read was wished for, and is not there yet
            self._preparing.discard()
        self._drop_counting()
        self._wish, self._wished_made = (choice, spec), made
        self._on_error = on_error
        self._preparing = self.compute.submit(
            prepare,
            choice,
            corpus,
            spec,
            made,
            self._ngram_wish,
            title="Preparing the text",
            urgent=True,
            on_snapshot=self._adopt,
            on_result=self._prepared,
            on_error=self._not_prepared,
            on_cancelled=self._stopped,
        )
        self.preparing_changed.emit()

    @Slot(object)
    def _adopt(self, made: Prepared) -> None:
        """Put what is made so far in force, then tell what changed."""
        space, tell = self._workspace, []
        if space.corpus is not made.corpus:
            space.adopt_corpus(made.choice, made.corpus)
            tell.append(self.corpus_changed)
        if space.tokenizer is not made.tokenizer:
            space.adopt_tokenizer(made.tokenizer)
            tell.append(self.tokenizer_changed)
        if made.streams is not None and space.cached_streams() is not made.streams:
            space.adopt_streams(made.streams)
            tell.append(self.streams_changed)
        if made.ngram is not None and space.ngram is not made.ngram:
            space.adopt_ngram(made.ngram)
            tell.append(self.ngram_changed)
        for signal in tell:
            signal.emit()

    @Slot(object)
    def _prepared(self, made: Prepared) -> None:
        self._preparing = None
        self._adopt(made)
        choice = made.choice
        if choice.key != "text":
            self.preferences.corpus = choice.path or choice.key
        self.preferences.tokenizer = made.tokenizer.spec.to_dict()
        if made.ngram is not None and made.ngram.settings != self._ngram_wish:
            self.choose_ngram(self._ngram_wish)
        self.preparing_changed.emit()

    @Slot(object)
    def _not_prepared(self, failure: Failure) -> None:
        self._preparing = None
        self.preparing_changed.emit()
        if failure.expected and self._on_error is not None:
            self._on_error(failure)
        elif failure.expected:
            self.errors.report_failure(failure)
        if self.corpus is None and self._wish[0].key != "stories":
            # At the first moment there is nothing to fall back on: give the stories.
            self._prepare(CorpusChoice("stories", self.seed), None, TokenizerSpec(), None, None)

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        self._preparing = None
        self.preparing_changed.emit()

    def _drop_counting(self) -> None:
        if self._counting is not None:
            self._counting.discard()
            self._counting = None

    @Slot(object)
    def _adopt_ngram(self, ngram: MadeNGram) -> None:
        self._counting = None
        self._workspace.adopt_ngram(ngram)
        self.ngram_changed.emit()
        self.preparing_changed.emit()


def _keys() -> set[str]:
    return {entry.key for entry in bundled_corpora()}


def _yes(what: str, outdated: Sequence[Outdated]) -> bool:
    return True
