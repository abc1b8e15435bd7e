"""What a story says, and which of its words had to agree with which: the facts behind probes.

A *dependent* word is one that an earlier word has settled: had the earlier choice been another,
this word would be another. How far back the deciding word lies is what the probe "what the
n-gram cannot see" is drawn against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from engine.text.story.automaton import Automaton, Copy, Draw, Values

Units = tuple[tuple[str, ...], ...]
"""The units that a slot says, for each value."""


@dataclass(frozen=True)
class Dependent:
    """A word that earlier words have settled."""

    position: int
    """Index into the story's words."""
    word: str
    """The unit that stands there."""
    rivals: tuple[str, ...]
    """The units that would stand there had the latent choice been another."""
    cause: int
    """Index of the first word that settled it."""
    reminder: int
    """Index of the last word before it that settles it again; equal to ``cause`` if none does."""

    @property
    def distance(self) -> int:
        """How many words back one must look: from the word to the last one that settles it."""
        return self.position - self.reminder


@dataclass(frozen=True)
class Fact:
    """A latent choice, where the story first tells it, and what agrees with it later."""

    variable: str
    """"hero", "place", "thing", "giver", "holder", "mood", ..."""
    value: str
    """The key of what was chosen, such as "harbour"."""
    position: int
    """Index of the first word that depends on the choice; for a role that is given silently
    ("holder"), of the name it was given by."""
    dependents: tuple[Dependent, ...]


@dataclass(frozen=True)
class Story:
    """A story of the language with the choices behind it."""

    words: tuple[str, ...]
    """Units as GPT-2's pre-tokenization cuts them, each word with the space before it."""
    facts: tuple[Fact, ...]
    values: Values
    """The state of the latent variables at the end, for the language that made the story."""

    @cached_property
    def text(self) -> str:
        """The story as it reads."""
        return "".join(self.words)

    @cached_property
    def body(self) -> str:
        """The story without the question that may stand at its end."""
        end = self.words.index(" Question") if " Question" in self.words else len(self.words)
        return "".join(self.words[:end])

    def value(self, variable: str) -> str | None:
        """The last value told of a variable, or None where the story does not tell it."""
        told = [fact.value for fact in self.facts if fact.variable == variable]
        return told[-1] if told else None


@dataclass(frozen=True)
class Question:
    """A prompt in the story language whose right continuation is known."""

    prompt: str
    """The story, then " Question: ...? Answer:"."""
    answer: str
    """What belongs behind it, with the space before it and the full stop, such as " Anna."."""


class Passed(NamedTuple):
    """A draw or a copy on the way to the word at ``position``, and the value it says or gives."""

    position: int
    node: Draw | Copy
    value: int


@dataclass
class _Naming:
    """What a reader knows of one variable while the story goes on."""

    key: str
    position: int
    said: list[tuple[Units, int]] = field(default_factory=list)
    """Each time it was said: the slot's words, and the index of the word that tells values
    apart."""
    dependents: list[Dependent] = field(default_factory=list)


def facts_of(
    automaton: Automaton, words: Sequence[str], passed: Sequence[Passed]
) -> tuple[Fact, ...]:
    """The facts of one derivation, in the order in which they are told."""
    known: dict[int, _Naming] = {}
    told: list[tuple[int, _Naming]] = []

    def begin(variable: int, value: int, position: int) -> _Naming:
        naming = _Naming(automaton.variables[variable].domain.keys[value], position)
        known[variable] = naming
        told.append((variable, naming))
        return naming

    for position, node, value in passed:
        if isinstance(node, Copy):
            source = known.get(node.source) if node.source is not None else None
            if source is not None and source.said:
                role = begin(node.target, value, source.said[-1][1])
                role.said = source.said[-1:]
            continue
        said = node.units[value]
        offset = telling_unit(node.units)
        at = position + offset
        naming = known.get(node.variable) or begin(node.variable, value, at)
        settled = [earlier for slot, earlier in naming.said if settles(slot, node.units)]
        if settled and len(said) > offset:
            others = {u[offset] for u in node.units if len(u) > offset} - {said[offset]}
            naming.dependents.append(
                Dependent(at, words[at], tuple(sorted(others)), settled[0], settled[-1])
            )
        naming.said.append((node.units, at))
    names = [variable.name for variable in automaton.variables]
    return tuple(Fact(names[i], n.key, n.position, tuple(n.dependents)) for i, n in told)


@cache
def telling_unit(slot: Units) -> int:
    """Index of the first unit in which the slot's texts differ (0 where they never do)."""
    for offset in range(max(len(said) for said in slot)):
        if len({said[offset : offset + 1] for said in slot}) > 1:
            return offset
    return 0


@cache
def settles(first: Units, second: Units) -> bool:
    """Whether who has read the first slot's text knows the second's: it is a function of it."""
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    return all(known.setdefault(a, b) == b for a, b in zip(first, second, strict=True))
