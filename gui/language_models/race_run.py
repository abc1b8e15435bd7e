"""The race's work for the page. Runs on the compute thread; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.scores import held_out_score, spelling_nats
from engine.text import Corpus
from engine.workspace.made import MadeTokenizer, Streams, TrainedRun
from gui.widgets.numbers import format_number

if TYPE_CHECKING:
    from engine.training.recipe import Recipe


@dataclass(frozen=True)
class Start:
    """What a race is run on. Immutable."""

    corpus: Corpus
    tokenizer: MadeTokenizer
    streams: Streams
    size: str
    """The transformer's shape: a key of engine.training.SIZES."""
    steps: int
    """Of each transformer; 0 for as many as fit into ``seconds`` on this machine."""
    seconds: float
    amounts: int
    states: int
    seed: int
    run: TrainedRun | None
    """The learner's transformer, whose score is drawn as a line."""


@dataclass(frozen=True)
class Standing:
    """The race so far."""

    start: Start
    truth: float
    """Bits per byte of the language itself; NaN where it is not known."""
    own: float
    """Those of the learner's transformer; NaN without one."""
    steps: int
    """That each transformer takes at most."""
    laps: tuple[object, ...] = ()
    """engine.training.race.Lap of each share done."""


def run_race(start: Start, job: Job = NO_JOB) -> Standing:
    """Run the race, publishing the standing after every lap.

    Raises:
        LabError: if there is too little text.
    """
    # torch comes with these; the window's own imports stay free of it.
    from engine.training.race import Entrants, race
    from engine.training.recipes import modern, sized

    held_out, corpus = start.streams.held_out, start.corpus
    if held_out.n_targets < 1:
        raise LabError("There is no held-out text to race on. Choose a longer text.")
    tokenizer = start.tokenizer.tokenizer
    spelling = 0.0
    if not tokenizer.lossless:
        spelling = sum(spelling_nats(tokenizer, document) for document in corpus.held_out)
    truth = math.nan
    if corpus.language is not None:
        nats = corpus.language.true_nats(corpus.held_out, job)
        truth = nats / math.log(2) / held_out.n_bytes
    own = math.nan
    if start.run is not None:
        own = held_out_score(start.run.model, held_out, job, spelling).bits_per_byte
    recipe = sized(modern(), start.size).but(batch_size=8, seed=start.seed, eval_every=0)
    steps = start.steps or steps_within(start.seconds, recipe, start.streams, job)
    entrants = Entrants(recipe.but(steps=steps), states=start.states, seed=start.seed)
    standing = Standing(start, truth, own, steps)
    job.publish(standing)
    laps = []
    for lap in race(
        start.streams.train,
        held_out,
        tokenizer,
        entrants,
        start.amounts,
        spelling,
        job,
    ):
        laps.append(lap)
        standing = Standing(start, truth, own, steps, tuple(laps))
        job.publish(standing)
    return standing


def steps_within(seconds: float, recipe: Recipe, streams: Streams, job: Job = NO_JOB) -> int:
    """How many steps fit into a time, measured; two digits, so that most runs repeat."""
    from engine.training.pace import measure_pace, recipe_for

    pace = measure_pace(recipe, streams.train, streams.held_out, job)
    # what is looked at on the way is a small part of the text, not all that is held out
    return recipe_for(seconds, recipe, replace(pace, evaluation_seconds=0.0)).steps


def verdict(standing: Standing) -> str:
    """Who won, plainly."""
    from engine.training.race import Lap, overtaken

    laps = [lap for lap in standing.laps if isinstance(lap, Lap)]
    if not laps:
        return ""
    last = laps[-1]
    best = f"the best n-gram (n = {last.best_order}, {format_number(last.best_ngram, 3)} bits)"
    if last.diverged:
        return f"On {size(last.n_bytes)} {best} leads; the transformer fell out: {last.diverged}"
    if math.isfinite(last.hmm) and last.hmm < min(last.best_ngram, last.transformer):
        return (
            f"On {size(last.n_bytes)} of text the HMM ({format_number(last.hmm, 3)} bits) is ahead "
            f"of {best} and of the transformer ({format_number(last.transformer, 3)} bits)."
        )
    mine = f"the transformer ({format_number(last.transformer, 3)} bits)"
    amount = f"On {size(last.n_bytes)} of text"
    if last.transformer >= last.best_ngram:
        ahead = [size(lap.n_bytes) for lap in laps if lap.transformer < lap.best_ngram]
        before = f" It was ahead on {' and '.join(ahead)}." if ahead else ""
        return (
            f"{amount} {best} is ahead of {mine}: on so little text, or after so few steps, "
            f"counting wins. It read this text {format_number(last.epochs, 2)} times; more steps "
            f"or more text may turn it.{before}"
        )
    first = overtaken(laps)
    assert first is not None
    since = "at every amount" if first is laps[0] else f"from {size(first.n_bytes)} on"
    return f"{amount} {mine} is ahead of {best}: it overtook it, and leads {since}."


CONTESTANTS = (
    ("ngram", "the best n-gram"),
    ("hmm", "the HMM"),
    ("transformer", "the transformer"),
)
"""Kind and name of those who can win."""


def leaders(standing: Standing) -> list[int]:
    """Of CONTESTANTS, those with the fewest bits per byte on the largest amount of text."""
    from engine.training.race import Lap

    laps = [lap for lap in standing.laps if isinstance(lap, Lap)]
    if not laps:
        return []
    last = laps[-1]
    bits = [last.best_ngram, last.hmm, last.transformer]
    least = min(b for b in bits if math.isfinite(b))
    return [i for i, b in enumerate(bits) if b == least]


def size(n_bytes: int) -> str:
    """An amount of text, such as "112 kB"."""
    if n_bytes >= 1_000_000:
        return f"{format_number(n_bytes / 1e6, 3)} MB"
    return f"{format_number(n_bytes / 1e3, 3)} kB" if n_bytes >= 1_000 else f"{n_bytes} bytes"
