"""The latent choices of the stories: who, where, what, and the words for each.

The words stand in ``content/words.txt``, one table per domain. A column beyond the first is a
form by which a later sentence agrees with the choice: whoever said "harbour" early must say
"behind a stack of crates" when the lost thing turns up.
"""

from __future__ import annotations

from typing import Final

from engine.text.story.content import sections
from engine.text.story.grammar import Domain, Variable, table

_GIRLS = "Anna Mila Rosa Clara Nina Ida Greta Lucy Martha Vera Edith Olive"
_BOYS = "Tom Ben Otto Hugo Max Leo Emil Felix Oscar Jonas Pablo Boris"
_SHE = "she | her | her | girl | woman"
_HE = "he | him | his | boy | man"

PEOPLE: Final = table(
    "person",
    "name | he | him | his | child | grown\n"
    + "\n".join(
        f"{girl} | {_SHE}\n{boy} | {_HE}"
        for girl, boy in zip(_GIRLS.split(), _BOYS.split(), strict=True)
    ),
)

_WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAYS: Final = Domain(
    "day",
    tuple(_WEEK),
    (3.0, 2.0, 2.0, 2.0, 3.0, 4.0, 4.0),
    {"": tuple(_WEEK), "next": (*_WEEK[1:], _WEEK[0])},
)


def _tables() -> dict[str, Domain]:
    found = {}
    for (name, tail), lines in sections("words.txt"):
        found[name] = table(name, "\n".join(lines), float(tail))
    return found


TABLES: Final = _tables()
"""The domains of ``content/words.txt`` by name."""


def _silent(name: str, *keys: str) -> Domain:
    """A domain that no slot says: what happened, for later alternatives to depend on."""
    return Domain(name, keys, (1.0,) * len(keys), {})


def variables(plots: tuple[str, ...]) -> tuple[Variable, ...]:
    """Every latent choice that a story can hold, given the names of the plots."""
    people = [
        Variable("hero", PEOPLE, ("friend", "third")),
        Variable("friend", PEOPLE, ("hero", "third")),
        Variable("third", PEOPLE, ("hero", "friend")),
    ]
    roles = [
        Variable(role, PEOPLE)
        for role in ("owner", "giver", "receiver", "holder", "winner", "loser")
    ]
    pairs = [
        Variable(first, domain, (second,))
        for name, domain in (
            ("place", TABLES["place"]),
            ("thing", TABLES["thing"]),
            ("colour", TABLES["colour"]),
            ("day", DAYS),
        )
        for first, second in ((name, f"{name}2"), (f"{name}2", name))
    ]
    paired = {"place", "thing", "colour"}
    single = [Variable(name, domain) for name, domain in TABLES.items() if name not in paired]
    silent = [
        Variable("tally", TABLES["number"]),
        Variable("change", _silent("change", "less", "more")),
        Variable("luck", _silent("luck", "good", "bad")),
        Variable("event", _silent("event", *plots)),
    ]
    return (*people, *roles, *pairs, *single, *silent)
