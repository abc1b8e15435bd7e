"""A grammar compiled to a probabilistic automaton whose states hold the latent choices.

A state is (node, values): where in the grammar a derivation stands, and what each latent
variable is (−1: not yet drawn). A variable is drawn where its first word is said, so that what
has been read pins the state down almost at once, and exact filtering needs only the few
derivations that agree with the words so far. Templates hold no recursion: the graph of nodes
has no cycle, and every derivation ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from engine.text.story.grammar import (
    Alternative,
    Assign,
    GrammarError,
    Guard,
    Item,
    Literal,
    Slot,
    Variable,
    parse,
    units,
)

Values = tuple[int, ...]
"""One index into its domain's keys per variable; −1 where it is not yet drawn."""

UNSET: Final = -1


class Word:
    """Say one unit, then go on."""

    __slots__ = ("then", "word")

    def __init__(self, word: str, then: Node) -> None:
        self.word = word
        self.then = then


class End:
    """The end of the text."""

    __slots__ = ()


class Draw:
    """Say a variable's word in one form; draw the variable first where it is not yet drawn."""

    __slots__ = (
        "_entries",
        "_open",
        "differs_from",
        "form",
        "then",
        "units",
        "variable",
        "weights",
    )

    def __init__(
        self,
        variable: int,
        form: str,
        texts: Sequence[tuple[str, ...]],
        weights: Sequence[float],
        differs_from: tuple[int, ...],
        then: Node,
    ) -> None:
        self.variable = variable
        self.form = form
        self.units = tuple(texts)
        """The units to say, for each value."""
        self.weights = tuple(weights)
        self.differs_from = differs_from
        self.then = then
        self._entries: dict[int, Node] = {}
        self._open: dict[Values, tuple[tuple[float, int], ...]] = {}

    def entry(self, value: int) -> Node:
        """The chain of words that says this value."""
        found = self._entries.get(value)
        if found is None:
            found = self._entries[value] = word_chain(self.units[value], self.then)
        return found

    def open(self, values: Values) -> tuple[tuple[float, int], ...]:
        """(probability, value) of every value the undrawn variable can take."""
        key = tuple([values[i] for i in self.differs_from])
        found = self._open.get(key)
        if found is None:
            left = [(w, v) for v, w in enumerate(self.weights) if v not in key and w > 0]
            total = sum(w for w, _ in left)
            if not left:
                raise GrammarError(f"no value is left for variable {self.variable}")
            found = self._open[key] = tuple((w / total, v) for w, v in left)
        return found


class Copy:
    """Give one variable another's value, or a value of its own, without a word."""

    __slots__ = ("source", "target", "then", "value")

    def __init__(self, target: int, source: int | None, value: int, then: Node) -> None:
        self.target = target
        self.source = source
        self.value = value
        self.then = then

    def apply(self, values: Values) -> Values:
        value = self.value if self.source is None else values[self.source]
        return (*values[: self.target], value, *values[self.target + 1 :])


class Condition(NamedTuple):
    """A guard, resolved: the variable's value is in ``allowed``, or (un)equal to another's."""

    variable: int
    allowed: frozenset[int]
    other: int
    negated: bool

    def holds(self, values: Values) -> bool:
        value = values[self.variable]
        if self.other == UNSET:
            return value in self.allowed
        return (value == values[self.other] and value != UNSET) != self.negated


class Branch(NamedTuple):
    weight: float
    conditions: tuple[Condition, ...]
    then: Node


class Fork:
    """Go one of several ways, those whose conditions hold, in proportion to their weights."""

    __slots__ = ("_open", "branches", "reads")

    def __init__(self, branches: Sequence[Branch]) -> None:
        self.branches = tuple(branches)
        conditions = [c for branch in branches for c in branch.conditions]
        self.reads = tuple(
            sorted({c.variable for c in conditions} | {c.other for c in conditions} - {UNSET})
        )
        self._open: dict[Values, tuple[tuple[float, Node], ...]] = {}

    def open(self, values: Values) -> tuple[tuple[float, Node], ...]:
        """(probability, node) of every way that is open."""
        key = tuple([values[i] for i in self.reads])
        found = self._open.get(key)
        if found is None:
            left = [b for b in self.branches if all(c.holds(values) for c in b.conditions)]
            total = sum(b.weight for b in left)
            if not left:
                raise GrammarError(f"no alternative is open: {self.branches}")
            found = self._open[key] = tuple((b.weight / total, b.then) for b in left)
        return found


Node = Word | Draw | Copy | Fork | End


def word_chain(words: Sequence[str], then: Node) -> Node:
    """Nodes that say the words, then go on."""
    for word in reversed(words):
        then = Word(word, then)
    return then


class Step(NamedTuple):
    """One way to the next word (or to the end): ``at`` is a Word or an End."""

    probability: float
    at: Word | End
    values: Values
    trail: tuple[tuple[Draw | Copy, int], ...]
    """The draws and copies passed on the way, each with the value it says or gives; empty
    unless asked for."""


def steps(node: Node, values: Values, keep_trail: bool = False) -> list[Step]:
    """Every way from a state to the next word: the epsilon closure, with probabilities."""
    if isinstance(node, (Word, End)):
        return [Step(1.0, node, values, ())]
    found: list[Step] = []
    waiting: list[tuple[float, Node, Values, tuple[tuple[Draw | Copy, int], ...]]]
    waiting = [(1.0, node, values, ())]
    while waiting:
        p, node, values, trail = waiting.pop()
        if isinstance(node, (Word, End)):
            found.append(Step(p, node, values, trail))
        elif isinstance(node, Fork):
            waiting += [(p * q, then, values, trail) for q, then in node.open(values)]
        elif isinstance(node, Copy):
            values = node.apply(values)
            passed = (*trail, (node, values[node.target])) if keep_trail else trail
            waiting.append((p, node.then, values, passed))
        else:
            i = node.variable
            drawn = ((1.0, values[i]),) if values[i] != UNSET else node.open(values)
            before, after = values[:i], values[i + 1 :]
            for q, v in drawn:
                passed = (*trail, (node, v)) if keep_trail else trail
                waiting.append((p * q, node.entry(v), (*before, v, *after), passed))
    return found


class Automaton:
    """Templates compiled once; the start state and everything reached from it."""

    def __init__(
        self,
        variables: Sequence[Variable],
        template: str,
        fragments: Mapping[str, str] | None = None,
    ) -> None:
        """Compile.

        Raises:
            GrammarError: if the template names an unknown variable, form, key or fragment.
        """
        self.variables = tuple(variables)
        self.index = {variable.name: i for i, variable in enumerate(self.variables)}
        self.nothing: Values = (UNSET,) * len(self.variables)
        compiler = _Compiler(self.variables, self.index)
        items = parse(template, fragments)
        end = End()
        self.start: Node = compiler.sequence(items, {_START}, lambda _: end)[_START]

    def value_of(self, values: Values, name: str) -> str | None:
        """The key that a variable has, or None."""
        i = self.index[name]
        return None if values[i] == UNSET else self.variables[i].domain.keys[values[i]]

    def strings(self, values: Values | None = None) -> Iterator[tuple[tuple[str, ...], float]]:
        """Every derivation's words and probability, depth first. For small grammars."""
        waiting: list[tuple[tuple[str, ...], float, Node, Values]]
        waiting = [((), 1.0, self.start, self.nothing if values is None else values)]
        while waiting:
            words, p, node, now = waiting.pop()
            for step in steps(node, now):
                if isinstance(step.at, End):
                    yield words, p * step.probability
                else:
                    word = step.at
                    waiting.append(
                        ((*words, word.word), p * step.probability, word.then, step.values)
                    )


_START, _GLUED, _SPACED = "start", "glued", "spaced"
"""Whether the next unit carries a space: never at the start, else as the template has it."""

_Then = Callable[[str], Node]


class _Compiler:
    def __init__(self, variables: tuple[Variable, ...], index: Mapping[str, int]) -> None:
        self.variables = variables
        self.index = index

    def sequence(self, items: Sequence[Item], spacings: set[str], then: _Then) -> dict[str, Node]:
        """The first node of the items, for each spacing that can stand before them."""
        before = [spacings]
        for item in items:
            before.append({after for s in before[-1] for after in _spacings_after(item, s)})
        nodes = {s: then(s) for s in before[-1]}
        for item, here in zip(reversed(items), reversed(before[:-1]), strict=True):
            nodes = {s: self.item(item, s, nodes) for s in here}
        return nodes

    def item(self, item: Item, spacing: str, then: Mapping[str, Node]) -> Node:
        if isinstance(item, Literal):
            (after,) = _spacings_after(item, spacing)
            return word_chain(_spaced(item.text, spacing), then[after])
        if isinstance(item, Slot):
            return self.draw(item, spacing, then[_GLUED])
        if isinstance(item, Assign):
            return self.copy(item, then[spacing])
        branches = []
        for alternative in item.alternatives:
            first = self.sequence(alternative.items, {spacing}, then.__getitem__)[spacing]
            conditions = tuple(self.condition(guard) for guard in alternative.guards)
            branches.append(Branch(alternative.weight, conditions, first))
        return branches[0].then if _is_plain(item.alternatives) else Fork(branches)

    def variable(self, name: str) -> int:
        if name not in self.index:
            raise GrammarError(f"no variable {name!r}")
        return self.index[name]

    def draw(self, slot: Slot, spacing: str, then: Node) -> Draw:
        i = self.variable(slot.variable)
        variable = self.variables[i]
        texts = [tuple(_spaced(text, spacing)) for text in variable.domain.texts(slot.form)]
        others = tuple(self.variable(name) for name in variable.differs_from)
        return Draw(i, slot.form, texts, variable.domain.weights, others, then)

    def copy(self, item: Assign, then: Node) -> Copy:
        target = self.variable(item.target)
        if item.source in self.index:
            return Copy(target, self.index[item.source], UNSET, then)
        return Copy(target, None, self.key(target, item.source), then)

    def key(self, variable: int, key: str) -> int:
        domain = self.variables[variable].domain
        if key not in domain.keys:
            raise GrammarError(f"{domain.name} has no key {key!r}")
        return domain.keys.index(key)

    def condition(self, guard: Guard) -> Condition:
        i = self.variable(guard.variable)
        everything = frozenset(range(len(self.variables[i].domain.keys)))
        if not guard.others:
            return Condition(i, frozenset({UNSET}) if guard.negated else everything, UNSET, False)
        if len(guard.others) == 1 and guard.others[0] in self.index:
            return Condition(i, frozenset(), self.index[guard.others[0]], guard.negated)
        named = frozenset(self.key(i, key) for key in guard.others)
        allowed = (everything | {UNSET}) - named if guard.negated else named
        return Condition(i, allowed, UNSET, False)


_BEFORE_PUNCTUATION: Final = re.compile(r" (?=[,.!?:])")


def _is_plain(alternatives: Sequence[Alternative]) -> bool:
    return len(alternatives) == 1 and not alternatives[0].guards


def _spaced(text: str, spacing: str) -> list[str]:
    """The text's units, the first with a space before it where it is wanted: where the text or
    what stands before it says so, but never at the start, nor before a comma or full stop."""
    spaced = spacing == _SPACED or (spacing == _GLUED and text[:1].isspace())
    text = _BEFORE_PUNCTUATION.sub("", " ".join(text.split()))
    return units(f" {text}" if spaced and text and text[0] not in ",.!?:" else text)


def _spacings_after(item: Item, spacing: str) -> set[str]:
    """What spacing can hold after an item, given the one before it."""
    if isinstance(item, Literal):
        if not item.text.strip():
            return {spacing if spacing == _START else _SPACED}
        return {_SPACED if item.text[-1].isspace() else _GLUED}
    if isinstance(item, Slot):
        return {_GLUED}
    if isinstance(item, Assign):
        return {spacing}
    found: set[str] = set()
    for alternative in item.alternatives:
        here = {spacing}
        for inner in alternative.items:
            here = {after for s in here for after in _spacings_after(inner, s)}
        found |= here
    return found
