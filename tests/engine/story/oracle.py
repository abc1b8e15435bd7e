"""A small grammar, and a slow, separate interpreter that lists all its texts.

The interpreter builds strings from the parsed template by recursion and repairs their spaces
with regular expressions; it shares nothing with the automaton but the parser.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import regex

from engine.text.story.automaton import Automaton
from engine.text.story.grammar import (
    Assign,
    Domain,
    Guard,
    Item,
    Literal,
    Slot,
    Variable,
    parse,
)
from engine.text.story.language import GrammarLanguage

GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
"""The pre-tokenization pattern as GPT-2's encoder.py has it."""

PEOPLE = Domain(
    "person",
    ("Al", "Alma", "Bo"),
    (3.0, 2.0, 1.0),
    {"": ("Al", "Alma", "Bo"), "he": ("he", "she", "he"), "him": ("him", "her", "him")},
)
SKY = Domain("sky", ("wet", "dry"), (1.0, 3.0), {"": ("wet", "dry"), "long": ("a wet one", "dry")})
VARIABLES = (
    Variable("hero", PEOPLE, ("friend",)),
    Variable("friend", PEOPLE, ("hero",)),
    Variable("holder", PEOPLE),
    Variable("sky", SKY),
)

# In it: words that begin other words (Al, Alma; a, an; cat, cats), a text with two derivations
# ("left"), choices that may say nothing, an optional beginning, every sort of guard.
TEMPLATE = """[2*|Once] [2*{hero} met {friend} {holder=friend}[|again]|{hero} {holder=hero}
    was {sky}, {sky.long}]. [<friend> {friend} [left|[2*left|let {hero.him} be]]|<!friend>
    {hero.He} [3*left|slept]|2*<sky=wet> [Cat|Cats] sat][.|!] [2*|<sky!=wet> {holder} saw [a|an]
    end.|<holder=hero> Only {holder}.|<holder!=hero> "No," {holder} said. {sky=dry}"{sky.Cap}!"]"""


def tiny_language() -> GrammarLanguage:
    return GrammarLanguage(Automaton(VARIABLES, TEMPLATE))


def texts_by_brute_force(
    variables: tuple[Variable, ...] = VARIABLES, template: str = TEMPLATE
) -> dict[str, float]:
    """Every text of a grammar and its probability, summed over its derivations."""
    by_name = {variable.name: variable for variable in variables}
    found: dict[str, float] = defaultdict(float)
    for raw, p, _ in _expand(parse(template), {}, by_name):
        found[_tidy(raw)] += p
    return dict(found)


def words_of(text: str) -> list[str]:
    pieces: list[str] = GPT2.findall(text)
    return pieces


def _tidy(raw: str) -> str:
    return re.sub(r"\s+([,.!?:])", r"\1", re.sub(r"\s+", " ", raw)).strip()


def _expand(
    items: tuple[Item, ...], env: dict[str, int], variables: dict[str, Variable]
) -> Iterator[tuple[str, float, dict[str, int]]]:
    if not items:
        yield "", 1.0, env
        return
    for head, p, after in _one(items[0], env, variables):
        for tail, q, last in _expand(items[1:], after, variables):
            yield head + tail, p * q, last


def _one(
    item: Item, env: dict[str, int], variables: dict[str, Variable]
) -> Iterator[tuple[str, float, dict[str, int]]]:
    if isinstance(item, Literal):
        yield item.text, 1.0, env
    elif isinstance(item, Assign):
        if item.source in variables:
            yield "", 1.0, {**env, item.target: env[item.source]}
        else:
            key = variables[item.target].domain.keys.index(item.source)
            yield "", 1.0, {**env, item.target: key}
    elif isinstance(item, Slot):
        variable = variables[item.variable]
        texts = variable.domain.texts(item.form)
        if item.variable in env:
            yield texts[env[item.variable]], 1.0, env
            return
        taken = {env[name] for name in variable.differs_from if name in env}
        open_values = [v for v in range(len(texts)) if v not in taken]
        total = sum(variable.domain.weights[v] for v in open_values)
        for v in open_values:
            yield texts[v], variable.domain.weights[v] / total, {**env, item.variable: v}
    else:
        ways = [a for a in item.alternatives if all(_holds(g, env, variables) for g in a.guards)]
        total = sum(a.weight for a in ways)
        for way in ways:
            for text, p, after in _expand(way.items, env, variables):
                yield text, p * way.weight / total, after


def _holds(guard: Guard, env: dict[str, int], variables: dict[str, Variable]) -> bool:
    drawn = guard.variable in env
    if not guard.others:
        return drawn != guard.negated
    if guard.others[0] in variables:
        equal = drawn and env.get(guard.others[0]) == env[guard.variable]
    else:
        keys = variables[guard.variable].domain.keys
        equal = drawn and keys[env[guard.variable]] in guard.others
    return equal != guard.negated
