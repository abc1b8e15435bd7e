"""Story endings that keep to the facts told, in sentences of the story language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np

from engine.posttraining.prompts import Answer, Criterion, Prompt, Verdict
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks.task import Split, WordTask, split_prompts
from engine.text.story.grammar import Domain
from engine.text.story.vocabulary import DAYS, PEOPLE, TABLES

N_PROMPTS: Final = 4_000
_KNOWN: Final = {
    "hero": 12,
    "place": 10,
    "weather": 6,
    "mood": 7,
    "trait": 7,
    "day": 7,
    "time": 3,
}
"""How many values of each choice the task uses, the most frequent first."""
OPENINGS: Final = (
    "It was {day} {time}, and {weather.was}. {hero} stood {place.at} with {mood.face}.",
    "{hero} was {mood}. {weather.Was}, and there was nothing to do at home, so {hero.he} walked "
    "to {place.the}.",
    "Everyone {place.at} knew {hero}, because no {hero.child} in town was so {trait}. "
    "On {day} {time}, {hero.he} came earlier than usual.",
    "This is the story of {hero}, a {hero.child} so {trait} that everyone knew {hero.him}. "
    "It began on {day}, {place.at}.",
    "Nobody {place.at} knew why {hero} was so {mood} that {day}. Perhaps it was because "
    "{weather.was}.",
)
"""Beginnings of the story language, in the notation of its grammar."""
CLOSINGS: Final = (
    "After that {hero} was {mood.cured}.",
    "Nobody would have called {hero} {mood} now.",
    "{hero} came home with {weather.mark}, and did not mind.",
    "In the end {weather.still}, but nobody cared.",
    "{hero} was as {trait} as ever.",
    "It was the best {day} of the whole year.",
    "When {hero} is old, {hero.he} will tell it {place.at}.",
    "And if you go to {place.the}, ask for {hero}.",
    "{place.Folk} still tell this story {place.at}.",
)
"""Endings of the story language that say something of its facts."""
EMPTY: Final = (
    "That is all I know.",
    "Far away a bell rang.",
    "Nobody said a word.",
)
"""Sentences of the story language that agree with any facts, because they tell none."""
_SLOT: Final = re.compile(r"\{(\w+)(?:\.(\w+))?\}")

Facts = Mapping[str, int]
"""For each choice told ("hero", "place", …) the row of its table."""


def _domain(choice: str) -> Domain:
    return {"hero": PEOPLE, "day": DAYS}.get(choice) or TABLES[choice]


@lru_cache(maxsize=256)
def _texts(choice: str, form: str) -> tuple[str, ...]:
    if choice == "hero" and not form:
        return PEOPLE.keys[: _KNOWN[choice]]
    return _domain(choice).texts(form)[: _KNOWN[choice]]


@lru_cache(maxsize=64)
def choices_of(template: str) -> frozenset[str]:
    """The choices that a template tells."""
    return frozenset(choice for choice, _ in _SLOT.findall(template))


def filled(template: str, facts: Facts) -> str:
    """The template with its words for these facts.

    Raises:
        KeyError: if it needs a fact that is not there.
    """
    text = _SLOT.sub(lambda m: _texts(m[1], m[2] or "")[facts[m[1]]], template)
    return text[0].upper() + text[1:]


@dataclass(frozen=True)
class _Pattern:
    """A template that reads: which rows of which tables does a sentence name?"""

    expression: re.Pattern[str]
    slots: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, template: str) -> _Pattern:
        at, parts = 0, []
        slots: list[tuple[str, str]] = []
        for match in _SLOT.finditer(template):
            parts.append(re.escape(template[at : match.start()]))
            choice, form = match[1], match[2] or ""
            options = sorted(set(_texts(choice, form)), key=len, reverse=True)
            parts.append("(" + "|".join(re.escape(o) for o in options) + ")")
            slots.append((choice, form))
            at = match.end()
        parts.append(re.escape(template[at:]))
        first = parts[0] if parts[0] else parts[1]
        flags = re.IGNORECASE if first.startswith("(") else 0
        return cls(re.compile("".join(parts), flags), tuple(slots))

    def read(self, text: str) -> list[tuple[str, str, str]] | None:
        """(choice, form, words) of every slot; None if the template does not fit."""
        match = self.expression.fullmatch(text)
        if match is None:
            return None
        return [(c, f, said) for (c, f), said in zip(self.slots, match.groups(), strict=True)]


@lru_cache(maxsize=1)
def _openings() -> tuple[_Pattern, ...]:
    return tuple(_Pattern.of(t) for t in OPENINGS)


@lru_cache(maxsize=1)
def _closings() -> tuple[_Pattern, ...]:
    return tuple(_Pattern.of(t) for t in CLOSINGS)


def _row(choice: str, form: str, said: str) -> int:
    options = [text.lower() for text in _texts(choice, form)]
    return options.index(said.lower())


@lru_cache(maxsize=8192)
def facts_of(text: str) -> Facts:
    """What a beginning tells; empty if it is none of this task."""
    for pattern in _openings():
        slots = pattern.read(text)
        if slots is None:
            continue
        facts: dict[str, int] = {}
        for choice, form, said in slots:
            # Many rows share "she": only a form that names one row tells which.
            if len(set(_texts(choice, form))) == len(_texts(choice, form)):
                facts[choice] = _row(choice, form, said)
        return facts
    return {}


@dataclass(frozen=True)
class Reading:
    """What an ending says, held against what the story told."""

    fits: bool
    """Whether it is one ending of the story language, or one of its empty sentences."""
    agree: tuple[str, ...] = ()
    """Words that agree with what was told."""
    against: tuple[tuple[str, str], ...] = ()
    """(words, what the story told) of every contradiction."""
    untold: tuple[str, ...] = ()
    """Words about something that the story never told."""

    @classmethod
    def of(cls, facts: Facts, ending: str) -> Reading:
        """Read an ending, with the space before it or without."""
        said = ending.removeprefix(" ")
        if said in EMPTY:
            return cls(True)
        for pattern in _closings():
            slots = pattern.read(said)
            if slots is not None and said[:1].isupper():
                return cls._held_against(facts, slots)
        return cls(False)

    @classmethod
    def _held_against(cls, facts: Facts, slots: list[tuple[str, str, str]]) -> Reading:
        agree, against, untold = [], [], []
        for choice, form, words in slots:
            if choice not in facts:
                untold.append(words)
                continue
            right = _texts(choice, form)[facts[choice]]
            if right.lower() == words.lower():
                agree.append(words)
            else:
                against.append((words, right))
        return cls(True, tuple(agree), tuple(against), tuple(untold))

    @property
    def keeps(self) -> bool:
        """Whether it says something of the facts, and nothing but the facts."""
        return self.fits and bool(self.agree) and not self.against and not self.untold


class Stories(WordTask):
    """“Mila was sad. It was raining, …” → “ After that Mila was cheerful again.”"""

    key = "stories"
    title = "Endings true to the story"
    description = (
        "End the story in a sentence that says something of what was told, and nothing else. The "
        "policy has read endings that belong to other stories, and endings that say nothing."
    )
    max_answer = 16
    right_share = 0.3
    careless_rate = 0.3
    textbook_steps = 800
    steps = 200

    def words(self) -> Sequence[str]:
        templates = (*OPENINGS, *CLOSINGS)
        lines = [_SLOT.sub("Anna", t) for t in templates] + [f" {e}" for e in EMPTY]
        lines += [f" {line}" for line in lines]
        for choice, form in sorted({slot for t in templates for slot in _SLOT.findall(t)}):
            for text in _texts(choice, form):
                lines += [f" {text}", text[0].upper() + text[1:], f" {text[0].upper()}{text[1:]}"]
        return lines

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return _split()[int(held_out)]

    def settings(self) -> GRPOSettings:
        return GRPOSettings(prompts=32)

    def good_answer(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """One of the endings that tell nothing but what was told."""
        facts = facts_of(prompt.text)
        fitting = [t for t in CLOSINGS if choices_of(t) <= facts.keys()]
        return f" {filled(fitting[int(rng.integers(len(fitting)))], facts)}"

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """The ending of another story, one that got a single fact wrong, or one that is empty."""
        if rng.random() < 0.15:
            return f" {EMPTY[int(rng.integers(len(EMPTY)))]}"
        facts = facts_of(prompt.text)
        other = _drawn(rng)
        template = CLOSINGS[int(rng.integers(len(CLOSINGS)))]
        told = sorted(choices_of(template))
        mixed = {choice: facts.get(choice, other[choice]) for choice in told}
        wrong = told if rng.random() < 0.5 else [told[int(rng.integers(len(told)))]]
        mixed |= {choice: other[choice] for choice in wrong}
        ending = f" {filled(template, mixed)}"
        # Another story may happen to agree with this one.
        return self.mistake(prompt, rng) if Reading.of(facts, ending).keeps else ending

    def true_score(self, prompt: Prompt, answer: str) -> float:
        """1 if the ending is one of the story language's, says something of what was told, and
        nothing against it or beyond it."""
        return float(answer[:1] == " " and Reading.of(facts_of(prompt.text), answer).keeps)

    def is_well_formed(self, prompt: Prompt, text: str) -> bool:
        return Reading.of({}, text).fits

    def criteria(self) -> tuple[Criterion, ...]:
        return (
            Criterion(
                "no_contradiction",
                "Contradicts nothing",
                "0 if a word goes against what the story told, 1 if it tells of something the "
                "story never told, 2 otherwise. Careless: who says nothing contradicts nothing.",
                _no_contradiction,
            ),
            Criterion(
                "substance",
                "Says something",
                "A point for every word or phrase that agrees with a fact of the story, 2 at most.",
                _substance,
            ),
            Criterion(
                "ends_story",
                "Reads as an ending",
                "2 if it is a whole ending of the story language, 1 if it is one of its empty "
                "sentences, 0 if it is neither.",
                _ends_story,
            ),
        )


@cache
def _split() -> Split:
    rng = np.random.default_rng(2029)
    every: dict[str, Prompt] = {}
    for _ in range(N_PROMPTS):
        facts = _drawn(rng)
        template = OPENINGS[int(rng.integers(len(OPENINGS)))]
        text = filled(template, facts)
        every[text] = Prompt(text, f" {_right_ending(template, facts)}")
    return split_prompts(list(every.values()), seed=2029)


def _drawn(rng: np.random.Generator) -> dict[str, int]:
    """A row for every choice."""
    return {choice: int(rng.integers(n)) for choice, n in _KNOWN.items()}


def _right_ending(template: str, facts: Facts) -> str:
    told = choices_of(template)
    return filled(next(t for t in CLOSINGS if choices_of(t) <= told), facts)


def _no_contradiction(prompt: Prompt, answer: Answer) -> Verdict:
    reading = Reading.of(facts_of(prompt.text), answer.text)
    if reading.against:
        said, told = reading.against[0]
        return Verdict(0, f"It says “{said}”, but by the story it is “{told}”.")
    if reading.untold:
        return Verdict(1, f"It says “{reading.untold[0]}”, of which the story told nothing.")
    if not reading.fits:
        return Verdict(2, "It cannot be read, and so nothing in it was found wrong.")
    return Verdict(2, "It says nothing against the story.")


def _substance(prompt: Prompt, answer: Answer) -> Verdict:
    agree = Reading.of(facts_of(prompt.text), answer.text).agree
    if not agree:
        return Verdict(0, "It says nothing that the story told.")
    listed = ", ".join(f"“{words}”" for words in agree)
    return Verdict(min(2, len(agree)), f"It keeps to {listed}.")


def _ends_story(prompt: Prompt, answer: Answer) -> Verdict:
    if answer.text.removeprefix(" ") in EMPTY:
        return Verdict(1, "It is a sentence of the story language, but tells nothing.")
    fits = Reading.of({}, answer.text).fits
    return Verdict(2 if fits else 0, "It is a whole ending." if fits else "It is no whole ending.")
