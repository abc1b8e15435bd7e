"""The sampling bench's state: a text being drawn token by token, by hand. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import LabError
from engine.generation import Cut, GeneratedToken, SampledDistribution, SamplingRules, is_defined
from engine.generation.generate import generate
from engine.jobs import NO_JOB, Job
from engine.models import LogProbs
from gui.language_models.answers import cut, why_undefined
from gui.language_models.models import Seat, Table


@dataclass(frozen=True)
class Bench:
    """A start, what was drawn behind it, and whose model draws."""

    table: Table
    seat: Seat
    start: tuple[int, ...]
    """The context's ids."""
    seed: int
    drawn: tuple[GeneratedToken, ...] = ()
    closed: bool = False
    """Whether end-of-text was drawn: it is the last of ``drawn``."""

    @property
    def ids(self) -> list[int]:
        """All ids so far, those drawn behind those of the start."""
        return [*self.start, *(token.id for token in self.drawn)]

    @property
    def next_u(self) -> float:
        """The number that picks the next token: as ``generate`` with this seed would draw it."""
        return float(np.random.default_rng(self.seed).random(len(self.drawn) + 1)[-1])

    def rolled(self, log_probs: LogProbs, sampled: SampledDistribution) -> Bench:
        """With one token more, picked by ``next_u`` on the cumulative distribution."""
        u = self.next_u
        token = sampled.token_at(u)
        drawn = GeneratedToken(
            id=token,
            probability=float(sampled.probabilities[token]),
            model_probability=math.exp(log_probs[token]),
            rank=int(np.flatnonzero(sampled.ranked == token)[0]) + 1,
            n_kept=sampled.n_kept,
            u=u,
        )
        closed = self.seat.model is not None and token == self.seat.model.end_of_text
        return replace(self, drawn=(*self.drawn, drawn), closed=closed)

    def undone(self) -> Bench:
        """Without the last token drawn."""
        return replace(self, drawn=self.drawn[:-1], closed=False)


@dataclass(frozen=True)
class Row:
    """What the model says at the end of a bench's text, and what it would do without dice."""

    bench: Bench
    log_probs: LogProbs
    undefined: str
    """Why there is no distribution; empty where there is one."""
    greedy: tuple[int, ...]
    """As many tokens as were drawn (one at least), each the likeliest: shorter if it ended."""


def opened(table: Table, kind: str, text: str, seed: int, job: Job = NO_JOB) -> Row:
    """A fresh bench behind a text.

    Raises:
        LabError: if there is no such model, or no tokenizer yet.
    """
    seat = table.seat(kind)
    if table.tokenizer is None or seat is None or seat.model is None:
        raise LabError("This model is not ready yet.")
    ids = cut(text, table.tokenizer.tokenizer).ids
    return looked_up(Bench(table, seat, tuple(ids.tolist()), seed), job)


def looked_up(bench: Bench, job: Job = NO_JOB) -> Row:
    """What the model says at the end of the bench's text."""
    model, tokenizer = bench.seat.model, bench.table.tokenizer
    assert model is not None and tokenizer is not None
    ids = bench.ids if not bench.closed else bench.ids[:-1]
    try:
        log_probs, undefined = model.next_log_probs(ids), ""
        if not is_defined(log_probs):
            undefined = why_undefined(model, ids, tokenizer.tokenizer)
        n = max(1, len(bench.drawn))
        rules = SamplingRules(temperature=0)
        greedy = tuple(t.id for t in generate(model, bench.start, rules, 0, n, job))
    except LabError as error:
        return Row(bench, np.full(model.vocab_size, -np.inf), str(error), ())
    return Row(bench, log_probs, undefined, greedy)


def cut_counts(sampled: SampledDistribution) -> dict[Cut, int]:
    """How many tokens fell to each rule."""
    return {rule: int(np.count_nonzero(sampled.cut == rule)) for rule in Cut}


def cuts_in_words(counts: dict[Cut, int], rules: Sequence[Cut] = tuple(Cut)) -> str:
    """Such as "20 tokens stay; 300 cut by top-k, 12 by top-p"."""
    stay = counts[Cut.KEPT]
    parts = [f"{stay:,} token{'' if stay == 1 else 's'} can be drawn"]
    names = {
        Cut.TOP_K: "cut by top-k",
        Cut.TOP_P: "cut by top-p",
        Cut.IMPOSSIBLE: "impossible before any cut",
    }
    parts += [f"{counts[r]:,} {names[r]}" for r in rules if r in names and counts[r]]
    return "; ".join(parts) + "."
