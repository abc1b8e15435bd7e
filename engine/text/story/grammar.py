"""The notation of the story grammar: tables of words, and templates with choices and slots.

A template is English with four additions:

``{hero}``, ``{hero.his}``   a slot: the word of a latent variable, in one of its forms. The
                             variable is drawn at its first slot, and kept from then on.
``{holder=hero}``            says nothing; ``holder`` now has the value that ``hero`` has (or,
                             where ``hero`` names no variable, the value of that key).
``[3*one|two|]``             a choice, here with the weights 3, 1, 1; the last says nothing.
``[<sky=rain> wet|dry]``     an alternative open only where a condition holds (see ``Guard``).
``{@name}``                  a fragment of this name, put in place.

White space between pieces is one space, or none at the start and before punctuation as
written. Whatever the choices, a story is a sequence of *units* as GPT-2's pre-tokenization
cuts them: a word with the space before it, or a run of punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

UNIT: Final = re.compile(r" ?[A-Za-z]+| ?[^\sA-Za-z]+")
"""GPT-2's pre-tokenization pattern for text of ASCII letters, punctuation and single spaces."""


class GrammarError(ValueError):
    """A grammar that is written wrongly. Raised while compiling, never for a reader's text."""


@dataclass(frozen=True)
class Domain:
    """What a latent variable can be: keys, their weights, and their words in several forms."""

    name: str
    keys: tuple[str, ...]
    weights: tuple[float, ...]
    """Relative weights, in the order of ``keys``."""
    forms: Mapping[str, tuple[str, ...]]
    """Form name to one text per key. The form "" is the plain word."""

    def texts(self, form: str) -> tuple[str, ...]:
        """One text per key. A capitalised form name capitalises the form of that name, ``Cap``
        the plain word; ``a`` and ``the`` put the article before the plain word where no column
        says otherwise.

        Raises:
            GrammarError: if the domain has no such form.
        """
        if form in self.forms:
            return self.forms[form]
        if form == "a":
            return tuple(with_article(text) for text in self.forms[""])
        if form == "the":
            return tuple(f"the {text}" for text in self.forms[""])
        if form[:1].isupper():
            if form == "Cap":
                return tuple(text[:1].upper() + text[1:] for text in self.forms[""])
            lower = form[0].lower() + form[1:]
            return tuple(text[:1].upper() + text[1:] for text in self.texts(lower))
        raise GrammarError(f"{self.name} has no form {form!r}")


def with_article(noun: str) -> str:
    """The noun with "a" or "an" before it."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def table(name: str, text: str, tail: float = 1.0) -> Domain:
    """Read a domain from rows of columns separated by ``|``.

    The first row names the forms; its first column is the key and the plain form. Weights fall
    as 1 / (rank + 2)^tail down the rows: the Zipf–Mandelbrot law that word counts follow.
    """
    rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    header, body = rows[0], rows[1:]
    for row in body:
        if len(row) != len(header) or not all(row):
            raise GrammarError(f"{name}: row {row} does not fit the columns {header}")
    columns = list(zip(*body, strict=True))
    forms = {"" if i == 0 else label: columns[i] for i, label in enumerate(header)}
    weights = tuple((rank + 2.0) ** -tail for rank in range(1, len(body) + 1))
    return Domain(name, columns[0], weights, forms)


@dataclass(frozen=True)
class Variable:
    """A latent choice of the story."""

    name: str
    domain: Domain
    differs_from: tuple[str, ...] = ()
    """Variables of the same domain whose value this one does not take when it is drawn."""


@dataclass(frozen=True)
class Guard:
    """A condition on what was chosen before.

    ``<sky=rain/snow>``, ``<sky!=rain>``: the variable has (has not) one of these values;
    ``<holder=hero>``, ``<holder!=hero>``: it equals (does not equal) another variable;
    ``<sky>``, ``<!sky>``: it is (is not yet) drawn. Several, separated by commas, must all hold.
    An equality with a variable not yet drawn is false, an inequality is true.
    """

    variable: str
    negated: bool
    others: tuple[str, ...] = ()
    """Keys, or one other variable's name; empty for "is drawn"."""


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class Slot:
    variable: str
    form: str


@dataclass(frozen=True)
class Assign:
    target: str
    source: str
    """Another variable, or a key of the target's domain."""


@dataclass(frozen=True)
class Alternative:
    weight: float
    guards: tuple[Guard, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Choice:
    alternatives: tuple[Alternative, ...]


Item = Literal | Slot | Assign | Choice

_WEIGHT = re.compile(r"\s*(\d+(?:\.\d+)?)\*")
_GUARD = re.compile(r"\s*<([^<>]*)>")


def parse(template: str, fragments: Mapping[str, str] | None = None) -> tuple[Item, ...]:
    """The template's items.

    Raises:
        GrammarError: if a bracket is not closed or a fragment is unknown.
    """
    parser = _Parser(template, fragments or {})
    items = parser.items()
    if parser.at < len(template):
        raise GrammarError(f"stray {template[parser.at]!r} in {template!r}")
    return items


@dataclass
class _Parser:
    text: str
    fragments: Mapping[str, str]
    at: int = field(default=0)

    def items(self) -> tuple[Item, ...]:
        found: list[Item] = []
        while self.at < len(self.text) and self.text[self.at] not in "|]":
            symbol = self.text[self.at]
            if symbol == "[":
                self.at += 1
                found.append(self.choice())
            elif symbol == "{":
                found.extend(self.braces())
            else:
                end = re.compile(r"[\[\]{}|]").search(self.text, self.at)
                stop = end.start() if end else len(self.text)
                if stop == self.at:
                    break
                found.append(Literal(self.text[self.at : stop]))
                self.at = stop
        return tuple(found)

    def choice(self) -> Choice:
        alternatives = [self.alternative()]
        while self.text[self.at : self.at + 1] == "|":
            self.at += 1
            alternatives.append(self.alternative())
        if self.text[self.at : self.at + 1] != "]":
            raise GrammarError(f"a [ is not closed in {self.text!r}")
        self.at += 1
        return Choice(tuple(alternatives))

    def alternative(self) -> Alternative:
        weight, guards = 1.0, tuple[Guard, ...]()
        if match := _WEIGHT.match(self.text, self.at):
            weight, self.at = float(match[1]), match.end()
        if match := _GUARD.match(self.text, self.at):
            guards = tuple(parse_guard(part) for part in match[1].split(","))
            self.at = match.end()
        return Alternative(weight, guards, self.items())

    def braces(self) -> tuple[Item, ...]:
        end = self.text.find("}", self.at)
        if end < 0:
            raise GrammarError(f"a {{ is not closed in {self.text!r}")
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        if inside.startswith("@"):
            if inside[1:] not in self.fragments:
                raise GrammarError(f"no fragment {inside[1:]!r}")
            return parse(self.fragments[inside[1:]], self.fragments)
        if "=" in inside:
            target, source = inside.split("=")
            return (Assign(target, source),)
        variable, _, form = inside.partition(".")
        return (Slot(variable, form),)


def parse_guard(text: str) -> Guard:
    """One condition of a ``<...>``."""
    text = text.strip()
    if "!=" in text:
        variable, others = text.split("!=")
        return Guard(variable, True, tuple(others.split("/")))
    if "=" in text:
        variable, others = text.split("=")
        return Guard(variable, False, tuple(others.split("/")))
    return Guard(text.lstrip("!"), text.startswith("!"))


def one_of(templates: Sequence[str]) -> str:
    """Templates as the alternatives of one choice. Each may begin with a weight and a guard."""
    return "[" + "|".join(" ".join(template.split()) for template in templates) + "]"


def units(text: str) -> list[str]:
    """Cut text into units: words with the space before them, and runs of punctuation."""
    return UNIT.findall(text)
