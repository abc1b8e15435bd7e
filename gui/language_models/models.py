"""The models at the table: which ones there are to compare, and why the others are missing.

``ModelSet`` follows the lab. Every model in it is a distribution over the tokens of the lab's
present tokenizer, so that all may share an axis. A transformer of the learner's that reads other
tokens may be chosen too, and then has the table to itself (and to the truth, where that is known
of its tokens): the others are left out, with a sentence that says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from engine.errors import LabError
from engine.models import LanguageModel
from engine.workspace.choices import NGramSettings
from engine.workspace.made import MadeTokenizer, TrainedRun
from gui.job_handle import Failure
from gui.lab import Lab
from gui.language_models.hmm_fit import HmmFit

HIGHEST_ORDER = 8
"""The highest n-gram order offered here."""
COUNTED = ("ngram", "hmm")
"""Kinds of models that know the tokens chosen in the lab and no others."""


@dataclass(frozen=True)
class Seat:
    """One place at the table: a model, or the reason why there is none."""

    kind: str
    """The model's kind, which is also its look: "ngram", "hmm", "transformer", "truth"."""
    title: str
    """A short name, such as "3-gram"."""
    name: str = ""
    """What it is in full, such as "trigram, Kneser–Ney, learned from Stories"."""
    model: LanguageModel | None = None
    missing: str = ""
    """Why there is no model, and what to do about it, in a sentence or two."""
    tab: str = ""
    """The key of the tab where one can be made; empty where no tab helps."""
    note: str = ""
    """What to know before comparing it, such as that it learned from another text."""


@dataclass(frozen=True)
class Table:
    """All seats at one moment: immutable, so it may go to the compute thread."""

    tokenizer: MadeTokenizer | None
    seats: tuple[Seat, ...]

    @property
    def present(self) -> tuple[Seat, ...]:
        """The seats that are taken."""
        return tuple(seat for seat in self.seats if seat.model is not None)

    @property
    def absent(self) -> tuple[Seat, ...]:
        """Those that are not, each with its reason."""
        return tuple(seat for seat in self.seats if seat.model is None)

    def seat(self, kind: str) -> Seat | None:
        """The seat of a kind of model."""
        return next((seat for seat in self.seats if seat.kind == kind), None)


def _left_out(seat: Seat) -> Seat:
    """The seat of a model of the lab's tokens while a transformer of other tokens is looked at."""
    return Seat(
        seat.kind,
        seat.title,
        missing=f"The {seat.title} knows the tokens chosen above, not those of the transformer "
        "chosen here, so it cannot join it.",
    )


class ModelSet(QObject):
    """Follows corpus, tokenizer, n-gram and runs; tells when the table has changed."""

    changed = Signal()

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lab = lab
        self._run_name = ""  # empty: the latest that fits
        self._wish = lab.workspace.ngram_settings
        self._pending = False
        self._failure = ""
        self._truth: tuple[object, object, LanguageModel] | None = None
        self.hmm = HmmFit(lab, self)
        """The hidden Markov model, once one was fitted."""
        self.hmm.changed.connect(self._refresh)
        self._table = Table(None, ())
        lab.run_wished.connect(self.choose_run)
        for signal in (
            lab.corpus_changed,
            lab.streams_changed,
            lab.ngram_changed,
            lab.runs_changed,
            lab.preparing_changed,
        ):
            signal.connect(self._refresh)
        lab.tokenizer_changed.connect(self._other_tokens)
        lab.streams_changed.connect(lab.want_bundled)
        lab.want_bundled()
        self._refresh()

    # -------------------------------------------------------------------------------- reading
    @property
    def table(self) -> Table:
        """Who is there now."""
        return self._table

    @property
    def ngram_settings(self) -> NGramSettings:
        """What is counted, or about to be."""
        made = self.lab.ngram
        return self._wish if made is None or self._pending else made.settings

    @property
    def runs(self) -> tuple[TrainedRun, ...]:
        """The transformers that can be chosen: those that fit the present tokens, latest first;
        then the one that came with the lab, where there is one; then those of other tokens."""
        tokenizer = self.lab.tokenizer
        if tokenizer is None:
            return ()
        latest = tuple(reversed(self.lab.runs))
        fitting = tuple(run for run in latest if self.fits(run))
        bundled = () if self.lab.bundled is None else (self.lab.bundled,)
        return (*fitting, *bundled, *(run for run in latest if not self.fits(run)))

    def fits(self, run: TrainedRun) -> bool:
        """Whether a transformer reads the tokens chosen above, and so can share an axis."""
        tokenizer = self.lab.tokenizer
        return tokenizer is not None and run.tokenizer.fingerprint == tokenizer.fingerprint

    @property
    def run(self) -> TrainedRun | None:
        """The transformer at the table: the one chosen, or else the latest that fits."""
        runs = self.runs
        fitting = (run for run in runs if self.fits(run))
        return next((r for r in runs if r.name == self._run_name), next(fitting, None))

    # ------------------------------------------------------------------------------- choosing
    def choose_ngram(self, settings: NGramSettings) -> None:
        """Count another n-gram. The order is bounded by HIGHEST_ORDER."""
        self._wish, self._pending, self._failure = settings, True, ""
        self.lab.choose_ngram(settings, self._not_counted)
        self._refresh()

    @Slot(object)
    def _not_counted(self, failure: Failure) -> None:
        self._failure = failure.sentence
        self._refresh()

    def choose_run(self, name: str) -> None:
        """Take another transformer; an empty name takes the latest that fits."""
        if name != self._run_name:
            self._run_name = name
            self._refresh()

    # ------------------------------------------------------------------------------- following
    @Slot()
    def _other_tokens(self) -> None:
        """Whoever chooses tokens wants the models of these tokens."""
        chosen = self.run
        if chosen is not None and not self.fits(chosen):
            self._run_name = ""
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        made = self.lab.ngram
        if made is not None and made.settings == self._wish:
            self._pending, self._failure = False, ""
        elif made is not None and not self._pending:
            self._wish = made.settings
        run = self.run
        alone = run is not None and not self.fits(run)
        tokenizer = self.lab.tokenizer if run is None or not alone else run.tokenizer
        seats = [self._ngram(), self._hmm(), self._transformer(), self._truth_seat(tokenizer)]
        if alone:
            seats = [_left_out(seat) if seat and seat.kind in COUNTED else seat for seat in seats]
        table = Table(tokenizer, tuple(seat for seat in seats if seat is not None))
        if table != self._table:
            self._table = table
            self.changed.emit()

    def _ngram(self) -> Seat:
        made, corpus = self.lab.ngram, self.lab.corpus
        title = f"{self._wish.order}-gram"
        if self._failure:
            return Seat("ngram", title, missing=self._failure)
        if made is None or corpus is None or made.made_from.corpus != corpus.fingerprint:
            return Seat("ngram", title, missing="The n-grams are being counted …")
        return Seat(
            "ngram",
            f"{made.settings.order}-gram",
            f"{made.label}, counted in {made.made_from.corpus_title}",
            made.model,
        )

    def _hmm(self) -> Seat | None:
        """The HMM's seat, which is there only once one was fitted."""
        fitted = self.hmm.fitted
        if fitted is None:
            failure = self.hmm.failure
            return Seat("hmm", "HMM", missing=failure) if failure else None
        states = fitted.model.n_states
        name = (
            f"Hidden Markov model, {states} states, {fitted.rounds} rounds of EM on "
            f"{fitted.made_from.corpus_title}"
        )
        return Seat("hmm", f"HMM, {states} states", name, fitted.model)

    def _transformer(self) -> Seat:
        run = self.run
        if run is None:
            others = len(self.lab.runs)
            if others:
                why = (
                    f"Your {others} trained transformer{'s' if others > 1 else ''} read other "
                    "tokens than those chosen above, so their bars would not line up. Choose one "
                    "to look at it by itself, choose the tokens it was trained on, or train one "
                    "on these."
                )
            else:
                why = "No transformer yet: train one in the Training tab (Ctrl+3)."
            return Seat("transformer", "Transformer", missing=why, tab="training")
        corpus = self.lab.corpus
        note = ""
        if corpus is not None and run.made_from.corpus != corpus.fingerprint:
            note = f"It learned from another text: {run.made_from.corpus_title}."
        if not self.fits(run):
            note = (
                f"“{run.name}” reads tokens of its own ({run.tokenizer.label}), so it is here by "
                f"itself. {note}"
            ).strip()
        return Seat(
            "transformer",
            "Transformer",
            f"{run.name}, learned from {run.made_from.corpus_title}",
            run.model,
            note=note,
        )

    def _truth_seat(self, tokenizer: MadeTokenizer | None) -> Seat:
        corpus = self.lab.corpus
        language = corpus.language if corpus is not None else None
        if corpus is None or tokenizer is None:
            return Seat("truth", "Truth", missing="The text is being prepared …")
        if language is None:
            return Seat(
                "truth",
                "Truth",
                missing=f"Nobody knows the true probabilities of “{corpus.title}”. They are "
                "known for the text “Stories”, which is drawn from a small grammar.",
            )
        key = (language, tokenizer.tokenizer)
        if self._truth is None or self._truth[:2] != key:
            from engine.models.story import StoryModel

            try:
                self._truth = (*key, StoryModel(language, tokenizer.tokenizer))
            except LabError as error:  # its tokens cross words
                self._truth = None
                return Seat("truth", "Truth", missing=str(error))
        model = self._truth[2]
        return Seat("truth", "Truth", "the grammar's own probabilities, exact", model)
