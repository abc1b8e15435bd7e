"""Tasks put as texts to be continued, and how often a model's continuation is the right one.

A language model answers whatever can be written as "prompt, then answer" by saying what comes
next. Two ways to read its answer, as evaluations of language models do (Brown et al., 2020,
section 2.4): the most probable of several given choices, and what it writes of its own accord
when it always takes the most probable token. The items come from ``quiz_tasks``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.base import LanguageModel
from engine.models.reach import wilson_interval
from engine.tokenizers.base import Tokenizer

TaskKey = Literal["questions", "fill_in", "odd_one_out", "translation"]
MOST_WRITTEN = 16
"""Tokens that a model writes at most in answer to a prompt."""


@dataclass(frozen=True)
class Item:
    """One prompt, its possible answers, and which of them is right."""

    task: TaskKey
    prompt: str
    choices: tuple[str, ...]
    """Texts that may stand behind the prompt, each with the space before it and, where the
    answer ends a sentence, the full stop."""
    right: int
    """Index of the right choice."""

    @property
    def answer(self) -> str:
        """The right choice."""
        return self.choices[self.right]


@dataclass(frozen=True)
class Reply:
    """What one model made of one item."""

    shares: tuple[float, ...]
    """p(choice | prompt) ÷ the sum over all choices; NaN throughout where the model gives none
    of them a probability, or the tokenizer does not know their words."""
    chosen: int | None
    """Index of the most probable choice; None where there is none, or several tie."""
    written: str
    """What it writes on by itself, most probable token by most probable token."""
    wrote_it: bool
    """Whether that begins with the right answer, to the letter."""

    @property
    def answered(self) -> bool:
        """Whether it prefers a choice at all."""
        return self.chosen is not None


@dataclass(frozen=True)
class Tally:
    """How one model did on one task. An item that a model cannot answer counts as not right."""

    items: int
    right: int
    """Items where the right choice was the most probable."""
    unanswered: int
    """Items where no choice was preferred."""
    written: int
    """Items where it wrote the right answer by itself."""

    @property
    def accuracy(self) -> float:
        """right ÷ items; NaN for no items."""
        return self.right / self.items if self.items else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        return wilson_interval(self.right, self.items)

    @property
    def written_share(self) -> float:
        """written ÷ items; NaN for no items."""
        return self.written / self.items if self.items else math.nan


def tally(items: Sequence[Item], replies: Sequence[Reply]) -> Tally:
    """Count the right replies.

    Raises:
        ValueError: if there is not one reply for each item.
    """
    pairs = list(zip(items, replies, strict=True))
    return Tally(
        items=len(pairs),
        right=sum(reply.chosen == item.right for item, reply in pairs),
        unanswered=sum(not reply.answered for _, reply in pairs),
        written=sum(reply.wrote_it for _, reply in pairs),
    )


def chance(items: Sequence[Item]) -> float:
    """The accuracy expected of who picks a choice at random; NaN for no items."""
    return float(np.mean([1 / len(item.choices) for item in items])) if items else math.nan


def choice_log_probs(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str, choices: Sequence[str]
) -> list[float]:
    """log p(choice | prompt) of each choice, up to a number that is the same for all.

    Scored are the tokens of prompt + choice behind those that all choices share, so that it is
    right also where a tokenizer's tokens reach across the prompt's end. NaN for a choice with
    a word that the tokenizer does not know.
    """
    encoded = [tokenizer.encode_array(prompt + choice) for choice in choices]
    shared = 0
    shortest = min(len(ids) for ids in encoded)
    while shared < shortest and len({int(ids[shared]) for ids in encoded}) == 1:
        shared += 1
    found = []
    for ids in encoded:
        if tokenizer.unknown_id is not None and tokenizer.unknown_id in ids[shared:].tolist():
            found.append(math.nan)
        else:
            found.append(float(np.sum(model.token_log_probs(ids)[shared:])))
    return found


def write_on(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str, most: int = MOST_WRITTEN
) -> str:
    """What a model writes behind a prompt, always taking the most probable token.

    It stops behind the first full stop, at end-of-text, where it has no distribution, or after
    ``most`` tokens.
    """
    going = model.continuation(tokenizer.encode_array(prompt))
    ids: list[int] = []
    for _ in range(most):
        row = going.next_log_probs()
        token = int(np.argmax(row))
        if token == model.end_of_text or not math.isfinite(row[token]):
            break
        ids.append(token)
        if "." in tokenizer.decode([token]):
            break
        going.append(token)
    return tokenizer.decode(ids)


def reply(model: LanguageModel, tokenizer: Tokenizer, item: Item) -> Reply:
    """One model's answer to one item.

    The truth has too many cases to list after some texts outside its language; such an item it
    leaves unanswered.
    """
    try:
        scores = np.array(choice_log_probs(model, tokenizer, item.prompt, item.choices))
        written = write_on(model, tokenizer, item.prompt)
    except LabError:
        return Reply((math.nan,) * len(item.choices), None, "", False)
    shares = np.full(len(scores), math.nan)
    chosen = None
    if not np.isnan(scores).any() and scores.max() > -math.inf:
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        best = np.flatnonzero(scores == scores.max())
        chosen = int(best[0]) if len(best) == 1 else None
    return Reply(tuple(shares.tolist()), chosen, written, written.startswith(item.answer))


def answer_all(
    model: LanguageModel,
    tokenizer: Tokenizer,
    items: Sequence[Item],
    job: Job = NO_JOB,
    done: int = 0,
    total: int | None = None,
) -> list[Reply]:
    """A model's reply to each item.

    Args:
        model: any language model over the tokenizer's tokens and end-of-text.
        tokenizer: cuts prompts and choices.
        items: what is asked.
        job: sees progress, one step an item.
        done: items of a larger run done before these.
        total: items of the larger run; these alone if None.
    """
    replies = []
    for number, item in enumerate(items):
        job.progress(done + number, len(items) if total is None else total, "Answering")
        replies.append(reply(model, tokenizer, item))
    return replies
