"""Scores any text, also an ungrammatical one, by the story grammar's own rules.

Sentence by sentence: which sentences of the grammar could this be, whatever its latent choices
are? (Slots match any of their words here, and conditions are passed over.) Each reading says
what it takes the latent choices to be; the first mention of a choice settles it, every later
one agrees with it or does not. Among all ways to read the whole text the one with the fewest
disagreements is kept (a beam search, deterministic), so that a text is never blamed for a
reading that it did not need. A sentence that no template fits cannot be read, and is counted
as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.text.story.automaton import (
    UNSET,
    Automaton,
    Condition,
    Copy,
    Draw,
    End,
    Fork,
    Node,
    Values,
    Word,
)
from engine.text.story.grammar import units

_SENTENCE_END: Final = re.compile(r"""[.!?]+"?$""")
_BEAM: Final = 48
_OUT_OF_ORDER_COST: Final = 0.5  # a leap is held against a reading, but less than a contradiction


class Check(NamedTuple):
    """One place where the text had to keep to what it had said."""

    position: int
    """Index of the unit (of ``engine.text.story.grammar.units(text)``) where the slot begins."""
    variable: str
    expected: str
    """What the slot should say, as it reads; for a condition, the value told earlier."""
    agrees: bool


@dataclass(frozen=True)
class Consistency:
    """How well a text keeps to its own facts. Counts are sums over its finished sentences."""

    sentences: int
    """Finished sentences; an unfinished last one is left out."""
    unread: int
    """Sentences that no template of the grammar fits."""
    out_of_order: int
    """Sentences that fit a template, but not at this point of a story."""
    agree: int
    """Slots that agree with what was told before."""
    disagree: int
    """Slots that contradict what was told before."""
    checks: tuple[Check, ...]
    """Every slot counted above, in the order of the text."""

    @property
    def score(self) -> float | None:
        """agree ÷ (agree + disagree), or None where nothing could be checked."""
        total = self.agree + self.disagree
        return self.agree / total if total else None


class _Said(NamedTuple):
    position: int
    draw: Draw
    values: tuple[int, ...]
    """Every value whose text this is."""


class _Required(NamedTuple):
    position: int
    conditions: tuple[Condition, ...]


_Operation = _Said | _Required | Copy


class _Parse(NamedTuple):
    """One way in which templates fit a sentence, whatever was told before."""

    entry: Node
    operations: tuple[_Operation, ...]
    leaves: Node


class _Reading(NamedTuple):
    """One way to read the text so far."""

    cost: float
    values: Values
    at: Node | None
    """Where in the grammar the last sentence ended; None after one that could not be read."""
    checks: tuple[Check, ...]
    out_of_order: int


class Grader:
    """Reads texts against one grammar. Immutable once made."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._entries: dict[str, list[Node]] = {}
        for entry in _sentence_starts(automaton.start):
            for word in _first_words(entry):
                self._entries.setdefault(word, []).append(entry)

    def check(self, text: str) -> Consistency:
        """Score a text. Never raises for any str."""
        readings = [_Reading(0.0, self._automaton.nothing, self._automaton.start, (), 0)]
        sentences = unread = position = 0
        for sentence in _sentences(units(text)):
            sentences += 1
            parses = self._parses(sentence, position, first=sentences == 1)
            if parses:
                readings = self._extend(readings, parses)
            else:
                unread += 1
                readings = [reading._replace(at=None) for reading in readings]
            position += len(sentence)
        best = readings[0]
        agree = sum(check.agrees for check in best.checks)
        disagree = len(best.checks) - agree
        return Consistency(sentences, unread, best.out_of_order, agree, disagree, best.checks)

    def _parses(self, sentence: list[str], position: int, first: bool) -> list[_Parse]:
        """Every way in which templates fit the sentence."""
        found = self._fits(sentence, position)
        if first and not sentence[0].startswith(" "):
            # A text that begins in the middle of a story is read as if a space stood before it.
            found += self._fits([" " + sentence[0], *sentence[1:]], position)
        return found

    def _fits(self, sentence: list[str], position: int) -> list[_Parse]:
        return [
            _Parse(entry, operations, leaves)
            for entry in self._entries.get(sentence[0], ())
            for operations, leaves in _fit(entry, sentence, position)
        ]

    def _extend(self, readings: list[_Reading], parses: list[_Parse]) -> list[_Reading]:
        best: dict[tuple[Values, Node | None], _Reading] = {}
        for reading in readings:
            for parse in parses:
                new = self._apply(reading, parse)
                key = (new.values, new.at)
                if key not in best or new.cost < best[key].cost:
                    best[key] = new
        return sorted(best.values(), key=lambda reading: reading.cost)[:_BEAM]

    def _apply(self, reading: _Reading, parse: _Parse) -> _Reading:
        """Read one sentence in one way, after what was read before."""
        leap = reading.at is not None and parse.entry is not reading.at
        values = reading.values
        checks = list(reading.checks)
        for operation in parse.operations:
            if isinstance(operation, Copy):
                values = operation.apply(values)
            elif isinstance(operation, _Said):
                i = operation.draw.variable
                said, known = operation.values, values[i]
                if known == UNSET and len(said) == 1:
                    values = (*values[:i], said[0], *values[i + 1 :])
                    if said[0] in [values[j] for j in operation.draw.differs_from]:
                        checks.append(self._check(operation.position, i, "another", False))
                elif known != UNSET:
                    expected = "".join(operation.draw.units[known]).strip()
                    checks.append(self._check(operation.position, i, expected, known in said))
            else:
                for condition in operation.conditions:
                    known = values[condition.variable]
                    if known == UNSET or condition.allowed == {UNSET}:
                        continue  # nothing told yet that could be contradicted
                    if condition.other != UNSET and values[condition.other] == UNSET:
                        continue
                    if not condition.holds(values):
                        key = self._automaton.variables[condition.variable].domain.keys[known]
                        checks.append(
                            self._check(operation.position, condition.variable, key, False)
                        )
        wrong = sum(not check.agrees for check in checks[len(reading.checks) :])
        cost = reading.cost + wrong + _OUT_OF_ORDER_COST * leap
        leaps = reading.out_of_order + leap
        return _Reading(cost, values, parse.leaves, tuple(checks), leaps)

    def _check(self, position: int, variable: int, expected: str, agrees: bool) -> Check:
        return Check(position, self._automaton.variables[variable].name, expected, agrees)


def _sentences(words: Sequence[str]) -> Iterator[list[str]]:
    """Finished sentences: up to a full stop, exclamation or question mark, and its quote."""
    sentence: list[str] = []
    for word in words:
        sentence.append(word)
        if _SENTENCE_END.search(word):
            yield sentence
            sentence = []


def _successors(node: Node) -> Iterator[Node]:
    if isinstance(node, Fork):
        yield from (branch.then for branch in node.branches)
    elif not isinstance(node, End):
        yield node.then


def _sentence_starts(start: Node) -> list[Node]:
    """The start of the grammar and every node behind the end of a sentence."""
    starts: dict[Node, None] = {start: None}
    seen = {start}
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Word) and _SENTENCE_END.search(node.word):
            starts[node.then] = None
        for then in _successors(node):
            if then not in seen:
                seen.add(then)
                waiting.append(then)
    return list(starts)


def _first_words(entry: Node) -> set[str]:
    """Every word that can come first behind a node, whatever was told before."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Word):
            found.add(node.word)
        elif isinstance(node, Draw):
            found |= {said[0] for said in node.units}
        else:
            waiting += _successors(node)
    return found


def _fit(
    entry: Node, sentence: list[str], position: int
) -> Iterator[tuple[tuple[_Operation, ...], Node]]:
    """Every way from a node through all the words of a sentence."""
    waiting: list[tuple[Node, int, tuple[_Operation, ...]]] = [(entry, 0, ())]
    while waiting:
        node, at, operations = waiting.pop()
        if at == len(sentence):
            yield operations, node
        elif isinstance(node, Word):
            if sentence[at] == node.word:
                waiting.append((node.then, at + 1, operations))
        elif isinstance(node, Copy):
            waiting.append((node.then, at, (*operations, node)))
        elif isinstance(node, Fork):
            for branch in node.branches:
                required = _Required(position + at, branch.conditions)
                more = (*operations, required) if branch.conditions else operations
                waiting.append((branch.then, at, more))
        elif isinstance(node, Draw):
            matched: dict[tuple[str, ...], list[int]] = {}
            for value, said in enumerate(node.units):
                if tuple(sentence[at : at + len(said)]) == said:
                    matched.setdefault(said, []).append(value)
            for said, values in matched.items():
                more = (*operations, _Said(position + at, node, tuple(values)))
                waiting.append((node.then, at + len(said), more))
