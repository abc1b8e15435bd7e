"""One step, slowly: what is asked for, and how it is found out on the compute thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.jobs import NO_JOB, Job
from engine.text import Corpus
from engine.training import Recipe
from engine.workspace import MadeTokenizer

if TYPE_CHECKING:
    from engine.models.transformer import TransformerModel
    from engine.training.one_step import OneStep

FAR_TOO_LARGE = 100
"""How many times the learning rate, to see what goes wrong."""
_SENTENCES = 2
_LONGEST = 70
_SEARCHED = 200


@dataclass(frozen=True)
class StepOrder:
    """One step of a model on a few lines of text."""

    recipe: Recipe
    """Whose optimizer takes the step and, without a model, whose transformer is new."""
    tokenizer: MadeTokenizer
    lines: tuple[str, ...]
    rate: float
    """η."""
    plain: bool
    """θ + η ∇ log p alone, rather than the recipe's optimizer."""
    model: TransformerModel | None = None
    """The model to begin with; None for a new one."""

    @property
    def rule(self) -> str:
        """How the gradient becomes a step, in a word."""
        words = {"sgd": "SGD", "adamw": "AdamW", "muon": "Muon"}
        return "plain ascent" if self.plain else words[self.recipe.optimizer]


def take(
    order: StepOrder, times: Sequence[int] = (1,), *, job: Job = NO_JOB
) -> tuple[StepOrder, tuple[OneStep, ...]]:
    """Take the step with the learning rate and with multiples of it, each from the same start.

    Raises:
        LabError: as ``readable_batch`` and ``take_one_step``.
        JobCancelled: at a yield point.
    """
    from engine.models.transformer import TransformerModel  # loads torch, this thread's own
    from engine.training.one_step import plain_ascent, readable_batch, take_one_step

    tokenizer, recipe = order.tokenizer.tokenizer, order.recipe
    model = order.model
    if model is None:
        config = recipe.model_config(tokenizer.vocab_size + 1)
        model = TransformerModel.untrained(config, recipe.init, recipe.seed)
    batch = readable_batch(tokenizer, order.lines, model.config.context)
    wanted = plain_ascent(recipe) if order.plain else recipe
    steps = [take_one_step(model, batch, wanted, order.rate * n, job) for n in times]
    return order, tuple(steps)


def short_sentences(
    corpus: Corpus, turn: int, fits: Callable[[str], bool] = lambda line: True
) -> list[str]:
    """Two beginnings of documents to train on that one can read at a glance; others each turn.

    Args:
        corpus: the text.
        turn: 0, 1, …
        fits: whether a line is short enough for the model; longer ones are cut.
    """
    documents: Sequence[str] = corpus.train
    if not documents:
        return []
    found: list[str] = []
    for i in range(min(len(documents), _SEARCHED)):
        start = documents[(turn * _SENTENCES + i) % len(documents)].lstrip()[: 4 * _LONGEST]
        line = _cut(_first_sentence(start), fits)
        if line and line not in found:
            found.append(line)
        if len(found) == _SENTENCES:
            break
    return found


def _cut(line: str, fits: Callable[[str], bool]) -> str:
    """The words of a line that fit or, where not even the first does, its characters that do."""
    while line and not fits(line):
        line = line.rsplit(None, 1)[0] if " " in line else line[:-1]
    return line


def _first_sentence(text: str) -> str:
    """Up to the first full stop, or the words that fit."""
    line = text.split("\n", 1)[0].strip()
    ends = [at for mark in ".!?" if 0 < (at := line.find(mark)) < _LONGEST]
    if ends:
        return line[: min(ends) + 1]
    if len(line) <= _LONGEST:
        return line
    words = line[:_LONGEST].rsplit(" ", 1)
    return words[0]
