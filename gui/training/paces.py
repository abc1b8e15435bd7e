"""What this computer can do in a minute, and where the landmark lines lie: measured once each."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from engine.jobs import NO_JOB, Job
from engine.models.landmarks import Landmark, landmarks
from engine.text import Corpus
from engine.training import Recipe
from engine.training.fitting import refusal, this_machine, worth_trying
from engine.training.pace import Pace, measure_pace
from engine.workspace import MadeFrom, MadeTokenizer, Streams
from gui.job_handle import JobHandle
from gui.lab import Lab
from gui.training.measuring import Measuring
from gui.training.session import Phase, TrainingSession

MOST_KEPT = 8
FEWEST_STEPS, MOST_STEPS = 20, 100
"""Of a run, to learn its pace from: at least so many steps, and of more the newest."""
AT_REST = frozenset({Phase.PAUSED, Phase.STOPPED, Phase.FINISHED})
Key = tuple[Recipe, MadeFrom]


def pace_key(recipe: Recipe, streams: Streams) -> Key:
    """What a pace depends on: everything but how long the run is and what it is called."""
    same = recipe.but(name="", steps=1, eval_every=0, warmup=0, seed=0, learning_rate=0.0)
    return same, streams.made_from


class Paces(Measuring):
    """Measures the pace of the settings on screen, while nothing else is at work."""

    def __init__(
        self,
        lab: Lab,
        parent: QObject | None = None,
        session: TrainingSession | None = None,
    ) -> None:
        """
        Args:
            lab: whose compute thread measures.
            parent: the object that owns it.
            session: whose runs to learn from too: with the window drawing beside them, theirs is
                the pace that the next one will have.
        """
        super().__init__(lab, _measured, parent)
        self._session = session
        if session is not None:
            session.phase_changed.connect(self._run_rests)
        self._known: dict[Key, tuple[Recipe, Pace]] = {}

    def pace(self, recipe: Recipe, streams: Streams) -> tuple[Pace, bool] | None:
        """The pace of a recipe, and whether it was measured or worked out from the last one
        measured on this text; None while nothing is known."""
        known = self._known.get(pace_key(recipe, streams))
        if known is not None:
            return known[1], True
        for (_, made_from), (measured, pace) in reversed(self._known.items()):
            if made_from == streams.made_from:
                return pace.scaled(measured, recipe, streams.train.vocab_size), False
        return None

    def want(self, recipe: Recipe, streams: Streams) -> None:
        """Measure this recipe soon, unless it is known or too large to be tried; forget wishes
        before it.

        Raises:
            LabError: if there is no such transformer.
        """
        known = pace_key(recipe, streams) in self._known
        idle = known or not self.can_measure(recipe, streams)
        self._wish_for(None if idle else (recipe, streams))

    @Slot()
    def _run_rests(self) -> None:
        session = self._session
        if session is None or session.phase not in AT_REST:
            return
        order, news = session.order, session.news
        if order is None or news is None or len(news.steps) < FEWEST_STEPS:
            return
        if order.key:  # a kept run may have been trained on another computer
            return
        known = self.pace(news.recipe, order.streams)
        if known is None or not known[1]:  # what scoring takes is not in a run's own numbers
            return
        ends = np.asarray(news.steps["seconds"][-MOST_STEPS:], dtype=np.float64)
        step = float(np.median(np.diff(ends)))
        if step > 0:
            pace = Pace(step, known[0].evaluation_seconds, news.flops_per_step / step)
            self._keep((pace_key(news.recipe, order.streams), news.recipe, pace))
            self.changed.emit()

    def can_measure(self, recipe: Recipe, streams: Streams) -> bool:
        """Whether a few steps of this recipe are short, and fit into memory: no one has asked for
        them, so they must hold nobody up."""
        vocab, rate = streams.train.vocab_size, self.rate(recipe, streams)
        return worth_trying(recipe, vocab, rate) and not refusal(
            recipe, vocab, this_machine(), rate
        )

    def rate(self, recipe: Recipe, streams: Streams) -> float | None:
        """Operations a second that this computer was measured to do in training, if it was."""
        known = self.pace(recipe, streams)
        return None if known is None else known[0].flops_per_second

    def _keep(self, result: tuple[Key, Recipe, Pace]) -> None:
        key, recipe, pace = result
        self._known[key] = (recipe, pace)
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]


def _measured(wish: tuple[Recipe, Streams], *, job: Job = NO_JOB) -> tuple[Key, Recipe, Pace]:
    recipe, streams = wish
    held_out = streams.held_out if streams.held_out.n_targets else streams.train
    pace = measure_pace(recipe, streams.train, held_out, job)
    return pace_key(recipe, streams), recipe, pace


class Landmarks(QObject):
    """The landmark lines of each text under each tokenizer."""

    changed = Signal()

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._known: dict[MadeFrom, tuple[Landmark, ...]] = {}
        self._asked: set[MadeFrom] = set()

    def of(self, made_from: MadeFrom) -> tuple[Landmark, ...]:
        """The lines, highest first; empty until they are worked out, or where there is no
        held-out text."""
        return self._known.get(made_from, ())

    def want(self) -> None:
        """Work out the lines of the text and tokens now in force, unless they are known."""
        streams, corpus, tokenizer = self._lab.streams, self._lab.corpus, self._lab.tokenizer
        if streams is None or corpus is None or tokenizer is None:
            return
        if streams.made_from in self._asked or not streams.held_out.n_targets:
            return
        self._asked.add(streams.made_from)
        self._lab.compute.submit(
            _landmarks,
            streams,
            corpus,
            tokenizer,
            title="Drawing the landmarks",
            urgent=True,
            on_result=self._found,
            on_cancelled=self._stopped,
        )

    @Slot(object)
    def _found(self, result: tuple[MadeFrom, tuple[Landmark, ...]]) -> None:
        made_from, lines = result
        self._known[made_from] = lines
        while len(self._known) > MOST_KEPT:
            dropped = next(iter(self._known))
            del self._known[dropped]
            self._asked.discard(dropped)
        self.changed.emit()

    @Slot(object)
    def _stopped(self, _: JobHandle) -> None:
        """Asked again with the next change of text, or when the tab is shown again."""
        self._asked &= self._known.keys()


def _landmarks(
    streams: Streams, corpus: Corpus, tokenizer: MadeTokenizer, *, job: Job = NO_JOB
) -> tuple[MadeFrom, tuple[Landmark, ...]]:
    lines = landmarks(
        streams.train,
        streams.held_out,
        corpus.language,
        corpus.held_out,
        job,
        tokenizer=tokenizer.tokenizer,
    )
    return streams.made_from, tuple(lines)
