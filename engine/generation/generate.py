"""Writing on: one token after another from any language model."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from engine.errors import LabError
from engine.generation.rules import SamplingRules, is_defined
from engine.jobs import NO_JOB, Job
from engine.models.base import LanguageModel, Tokens


class Ending(Enum):
    """Why a generation stopped."""

    END_OF_TEXT = "end_of_text"
    """The model chose to end the document."""
    LENGTH = "length"
    """As many tokens as were asked for."""
    UNDEFINED = "undefined"
    """The model gives no distribution here: maximum likelihood after a context never seen, the
    truth outside its language, or a neural model whose numbers are no longer finite."""


@dataclass(frozen=True)
class GeneratedToken:
    """One token drawn, and how it was drawn."""

    id: int
    probability: float
    """Under the sampling rules: what the draw was made with."""
    model_probability: float
    """Under the model itself."""
    rank: int
    """1 for the model's most probable token; equals by id, as in ``SamplingRules``."""
    n_kept: int
    """How many tokens the rules left to choose from."""
    u: float
    """The uniform number that picked it."""


class Generation(Iterator[GeneratedToken]):
    """An iterator over the tokens drawn. Once it is exhausted, ``ending`` says why.

    End-of-text is not among the tokens (no tokenizer decodes it); its draw is ``closing``.
    """

    def __init__(
        self,
        model: LanguageModel,
        context: Tokens,
        rules: SamplingRules,
        rng: np.random.Generator,
        max_tokens: int,
        job: Job,
    ) -> None:
        self.ending: Ending | None = None
        self.closing: GeneratedToken | None = None
        self._end_of_text = model.end_of_text
        self._writing = model.continuation(context)
        self._rules = rules
        self._rng = rng
        self._left = max_tokens
        self._pending: int | None = None
        self._job = job

    def __iter__(self) -> Generation:
        return self

    def __next__(self) -> GeneratedToken:
        """Draw the next token.

        Raises:
            StopIteration: once ``ending`` is set.
            JobCancelled: if the job was asked to stop.
        """
        if self.ending is None and self._left == 0:
            self.ending = Ending.LENGTH
        if self.ending is not None:
            raise StopIteration
        self._job.yield_point()
        if self._pending is not None:
            # The last token goes in only now: the model need not read what nothing follows.
            self._writing.append(self._pending)
            self._pending = None
        log_probs = self._writing.next_log_probs()  # (V,)
        if not is_defined(log_probs):
            self.ending = Ending.UNDEFINED
            raise StopIteration
        sampled = self._rules.apply(log_probs)
        token, u = sampled.draw(self._rng)
        drawn = GeneratedToken(
            id=token,
            probability=float(sampled.probabilities[token]),
            model_probability=math.exp(log_probs[token]),
            rank=int(np.flatnonzero(sampled.ranked == token)[0]) + 1,
            n_kept=sampled.n_kept,
            u=u,
        )
        if token == self._end_of_text:
            self.ending, self.closing = Ending.END_OF_TEXT, drawn
            raise StopIteration
        self._left -= 1
        self._pending = token
        return drawn


def generate(
    model: LanguageModel,
    context: Tokens,
    rules: SamplingRules | None = None,
    seed: int | np.random.Generator = 0,
    max_tokens: int = 200,
    job: Job = NO_JOB,
) -> Generation:
    """Write on from a context, token by token, as an iterator.

    Args:
        model: any language model; its ``continuation`` keeps what can be kept between tokens.
        context: the document's ids so far, without begin-of-text; may be empty.
        rules: how tokens are chosen; by default from the model's distribution as it is.
        seed: for a generator of its own (PCG64), or a generator to draw on from. One number is
            drawn a token.
        max_tokens: where to stop at the latest.
        job: asked before every token.

    >>> text = [token.id for token in generate(model, context, seed=7)]

    Raises:
        LabError: if max_tokens is negative.
        ValueError: if a context id lies outside 0 … V − 1.
    """
    if max_tokens < 0:
        raise LabError(f"The number of tokens to generate must be 0 or more, not {max_tokens}.")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    return Generation(model, context, rules or SamplingRules(), rng, max_tokens, job)
