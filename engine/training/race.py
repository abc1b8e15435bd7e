"""The race: every kind of model learns from the same growing share of a text, and is scored on
the same held-out text, in bits per byte.

What counting cannot do, it cannot do with any amount of text; what a transformer can do, it
learns only from enough of it. Where the curves cross depends on the text, and on how long the
transformer is trained: it may take the same number of steps whatever the share, so on little text
it reads the same windows over and over. Lest it then learns them by heart, some of its share is
set aside, and the step that does best on that is the one that races (early stopping; Prechelt
1998). The n-grams, which have nothing to stop, count all of the share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models import LanguageModel, NGramModel
from engine.models.hmm_training import train_hmm
from engine.models.ngram.counting import NGramCounts, TooManyNGramsError
from engine.models.scores import held_out_score
from engine.tokenizers.base import Ids, Tokenizer
from engine.tokenizers.stream import TokenStream
from engine.training.recipe import Recipe
from engine.training.trainer import Trainer

WATCHED_SHARE = 0.1
MOST_WATCHED = 4096
"""Tokens set aside at most, so that looking costs little beside learning."""
CHECKS = 12
"""How often a training is looked at on its way."""
PATIENCE = 4
"""Looks without an improvement after which a training is given up."""


@dataclass(frozen=True)
class Entrants:
    """Who races, and how they train."""

    recipe: Recipe
    """The transformer's; at most its ``steps`` are taken at every share of the text."""
    highest_order: int = 8
    """N-grams of the orders 1 … this, Kneser–Ney."""
    states: int = 16
    """Hidden states of the HMM; 0 leaves it out."""
    rounds: int = 15
    """Rounds of expectation maximisation."""
    seed: int = 0
    watched: float = WATCHED_SHARE
    """What is set aside of a share, so as to stop the transformer in time; 0 for nothing: the
    last step is the one that counts."""


@dataclass(frozen=True)
class Lap:
    """All entrants after learning from one share of the text."""

    share: float
    """Of the training tokens, 0 … 1."""
    tokens: int
    n_bytes: int
    """How much text that is."""
    ngrams: tuple[float, ...]
    """Bits per held-out byte of the orders 1, 2, …"""
    hmm: float = math.nan
    transformer: float = math.nan
    epochs: float = math.nan
    """How often the transformer had read its text by then."""
    steps: int = 0
    """After how many steps it did best on what was set aside, and was taken."""
    diverged: str = ""
    """Why the transformer has no score, if its training failed."""

    @property
    def best_order(self) -> int:
        """The order that did best."""
        return int(np.argmin(self.ngrams)) + 1

    @property
    def best_ngram(self) -> float:
        """Its bits per byte."""
        return min(self.ngrams)


def shares(n: int) -> list[float]:
    """n shares of the text, each twice the one before, the last all of it.

    >>> shares(3)
    [0.25, 0.5, 1.0]
    """
    return [2.0 ** (i + 1 - n) for i in range(n)]


def share_of(stream: TokenStream, share: float, tokenizer: Tokenizer) -> TokenStream:
    """The first so many tokens of a stream: whole documents, the last one cut short."""
    if share >= 1.0:
        return stream
    n = max(1, round(stream.n_targets * share))
    end = np.int32(stream.end_of_text)
    ids = np.append(stream.ids[:n], end)  # n targets: the last one closes the document
    return TokenStream(ids, stream.end_of_text, _bytes_of(ids, tokenizer))


def _bytes_of(ids: Ids, tokenizer: Tokenizer) -> int:
    """How many bytes the tokens stand for; exact where the tokenizer is lossless."""
    lengths = np.array(
        [len(tokenizer.token_bytes(i)) for i in range(tokenizer.vocab_size)] + [0], dtype=np.int64
    )
    return int(lengths[ids].sum())


def race(
    train: TokenStream,
    held_out: TokenStream,
    tokenizer: Tokenizer,
    entrants: Entrants,
    amounts: int = 6,
    spelling: float = 0.0,
    job: Job = NO_JOB,
) -> Iterator[Lap]:
    """Run a lap for each share of the text, smallest first.

    Args:
        train: the training documents.
        held_out: the documents to be scored on.
        tokenizer: what cut both; it was made from all of the training text, so all entrants
            have the same tokens at every share.
        entrants: who races.
        amounts: how many shares, each twice the one before.
        spelling: the held-out documents' ``spelling_nats``, where the tokenizer is lossy.
        job: sees progress.

    Raises:
        LabError: if either text is empty.
    """
    if held_out.n_targets < 1 or train.n_targets < 1:
        raise LabError("The race needs training text and held-out text. Choose a longer text.")
    for lap, share in enumerate(shares(amounts)):
        text = share_of(train, share, tokenizer)
        job.progress(lap, amounts, "Counting n-grams")
        ngrams = _ngrams(text, held_out, entrants, spelling, job)
        hmm = math.nan
        if entrants.states:
            job.progress(lap + 0.2, amounts, "Fitting the HMM")
            hmm = _hmm(text, held_out, entrants, spelling, job)
        transformer, epochs, steps, diverged = math.nan, math.nan, 0, ""
        try:
            trained = _train(text, tokenizer, entrants, _Within(job, lap + 0.3, 0.6, amounts))
        except LabError as error:  # Diverged is one
            diverged = str(error)
        else:
            epochs, steps = trained.epochs, trained.steps
            transformer = _bits(trained.model, held_out, spelling, job)
        yield Lap(
            share=share,
            tokens=text.n_targets,
            n_bytes=text.n_bytes,
            ngrams=ngrams,
            hmm=hmm,
            transformer=transformer,
            epochs=epochs,
            steps=steps,
            diverged=diverged,
        )


@dataclass(frozen=True)
class _Trained:
    model: LanguageModel
    steps: int
    epochs: float


def set_aside(
    text: TokenStream, share: float, tokenizer: Tokenizer
) -> tuple[TokenStream, TokenStream | None]:
    """What to learn from, and what to be watched on: the last documents of a text.

    They hold about ``share`` of its tokens, at most MOST_WATCHED; what is left of the document
    that the cut falls into is learned from. (text, None) where nothing is to be set aside or too
    little is there: fewer than two documents or 20 tokens.
    """
    wanted = int(min(MOST_WATCHED, share * text.n_targets))
    starts = text.boundaries[1:-1]  # where a document other than the first begins
    late = starts[starts >= text.n_targets - wanted]
    if wanted < 2 or not len(late):
        return text, None
    cut = int(late[0])

    def part(ids: Ids) -> TokenStream:
        return TokenStream(ids, text.end_of_text, _bytes_of(ids, tokenizer))

    return part(text.ids[: cut + 1]), part(text.ids[cut:])


def _train(text: TokenStream, tokenizer: Tokenizer, entrants: Entrants, job: Job) -> _Trained:
    """The transformer at the step that did best on what was set aside.

    Raises:
        LabError: if training fails.
    """
    learned, watched = set_aside(text, entrants.watched, tokenizer)
    steps = entrants.recipe.steps
    every = max(1, steps // CHECKS) if watched is not None else 0
    trainer = Trainer(entrants.recipe, learned, watched or text)
    best, best_loss, best_step = None, math.inf, 0
    for step in range(1, steps + 1):
        job.progress(step - 1, steps, "Training a transformer")
        trainer.step()
        if not every or (step % every and step < steps):
            continue
        loss = trainer.evaluate(_Quiet(job)).loss
        if loss < best_loss:
            best, best_loss, best_step = trainer.frozen_model(), loss, step
        elif step - best_step >= PATIENCE * every:
            break
    if best is None:
        best, best_step = trainer.frozen_model(), steps
    return _Trained(best, best_step, best_step * trainer.tokens_per_step / learned.n_targets)


def _ngrams(
    text: TokenStream, held_out: TokenStream, entrants: Entrants, spelling: float, job: Job
) -> tuple[float, ...]:
    highest = entrants.highest_order
    try:
        counts = NGramCounts.count(text, highest, job)
    except TooManyNGramsError as error:
        highest = max(1, error.order)
        counts = NGramCounts.count(text, highest, job)
    scores = []
    for order in range(1, highest + 1):
        job.yield_point()
        scores.append(_bits(NGramModel(counts, order, job=job), held_out, spelling, job))
    return tuple(scores)


def _hmm(
    text: TokenStream, held_out: TokenStream, entrants: Entrants, spelling: float, job: Job
) -> float:
    done = list(train_hmm(text, entrants.states, entrants.rounds, entrants.seed, job=_Quiet(job)))
    return _bits(done[-1].model, held_out, spelling, job)


def _bits(model: LanguageModel, held_out: TokenStream, spelling: float, job: Job) -> float:
    return held_out_score(model, held_out, _Quiet(job), spelling).bits_per_byte


class _Quiet(Job):
    """Lets others in without disturbing the lap's own progress."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def yield_point(self) -> None:
        self._job.yield_point()


class _Within(Job):
    """A part of the race, whose own progress is a stretch of the race's."""

    def __init__(self, job: Job, first: float, length: float, total: float) -> None:
        self._job, self._first, self._length, self._total = job, first, length, total

    def yield_point(self) -> None:
        self._job.yield_point()

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        share = done / total if total else 0.0
        self._job.progress(self._first + self._length * share, self._total, message)


def overtaken(laps: list[Lap] | tuple[Lap, ...]) -> Lap | None:
    """The first lap from which on the transformer stays ahead of the best n-gram, if any."""
    first: Lap | None = None
    for lap in laps:
        ahead = lap.transformer < lap.best_ngram
        first = (first or lap) if ahead else None
    return first
