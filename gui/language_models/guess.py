"""A word that a person expects, as the token that the models would have to say. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from engine.tokenizers.base import Tokenizer
from gui.language_models.answers import Answers
from gui.widgets.numbers import format_probability
from gui.widgets.token_text import Vocabulary, isolate


@dataclass(frozen=True)
class Guess:
    """The first token of what was guessed."""

    token: int
    more: int
    """How many tokens of the guess follow it."""


def read_guess(answers: Answers, text: str) -> Guess | None:
    """What a guess means after the context: with a space before it where that is likelier.

    People type "cat" and mean " cat". Both readings are tried, and the one to whose first
    token the models give more probability together is taken.
    """
    made = answers.table.tokenizer
    if made is None or not text:
        return None
    readings = [text]
    if not text[0].isspace() and answers.cut.text and not answers.cut.text[-1].isspace():
        readings.append(" " + text)
    found: list[tuple[float, int, Guess]] = []
    for reading in readings:
        ids = _continuation(made.tokenizer, answers, reading)
        if ids:
            said = [a.next.probability(ids[0]) for a in answers.answers if a.next.defined]
            found.append((sum(said), len(found), Guess(ids[0], len(ids) - 1)))
    return max(found)[2] if found else None


def _continuation(tokenizer: Tokenizer, answers: Answers, text: str) -> list[int]:
    """The tokens that come behind the context's, or the guess's own where the two melt."""
    before = answers.cut.ids.tolist()
    tail = answers.cut.text[-200:]
    whole = tokenizer.encode(tail + text)
    own = tokenizer.encode(tail)
    if before[-len(own) :] == own and whole[: len(own)] == own:
        return whole[len(own) :]
    return tokenizer.encode(text)


def judged(answers: Answers | None, guess: Guess) -> str:
    """What each model thinks of a guess, in a sentence or two."""
    if answers is None or answers.table.tokenizer is None:
        return ""
    shown = isolate(Vocabulary.of(answers.table.tokenizer.tokenizer).text(guess.token, 40))
    parts = []
    for answer in answers.answers:
        if answer.next.defined:
            p, rank = answer.next.probability(guess.token), answer.next.rank(guess.token)
            place = f"rank {rank:,}" if p > 0 else "impossible"
            parts.append(f"{answer.seat.title} {format_probability(p)} ({place})")
    more = ""
    if guess.more:
        more = f" Your guess goes on for {guess.more:,} more token{'s' if guess.more > 1 else ''}."
    if not parts:
        return f"“{shown}”: no model has a distribution here.{more}"
    return f"“{shown}”: {', '.join(parts)}.{more}"
