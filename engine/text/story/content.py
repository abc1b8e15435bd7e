"""Reads the story language's English: tables of words, openings, plots, closings, questions.

The texts stand beside this file in ``content/``. ``== name weight`` begins a section, ``#`` a
comment; a line at the margin begins an alternative that goes on over indented lines; within a
plot ``-- title`` begins a stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.text.story.grammar import GrammarError, one_of

_FOLDER: Final = Path(__file__).with_name("content")

_FRAGMENTS: Final = {
    "Hero": "[3*{hero.He}|{hero}]",
    "He": "[6*{hero.He}|3*{hero}|Then {hero.he}|Soon {hero.he}|After a while {hero.he}]",
    "friend": "[6*|2*{hero.his} friend|{hero.his} neighbour|little|old|{hero.his} cousin] {friend}",
    "Friend": "[6*{friend}|2*{hero.His} friend {friend}|Little {friend}|Old {friend}]",
    "said": "[6*said|2*answered|cried|whispered|laughed]",
    "a_thing": "[3*{colour.a}|2*{size.a} {colour}] {thing}",
    "such": "[4*{colour}|2*<size> {size} {colour}|<size> {size}]",
    "another_day": "[<day> {day.next}|<!day> {day2}]",
}


def sections(file: str) -> list[tuple[tuple[str, str], list[str]]]:
    """((name, weight), lines) of each section of a content file; the weight is "1" if absent."""
    found: list[tuple[tuple[str, str], list[str]]] = []
    for line in (_FOLDER / file).read_text(encoding="ascii").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("== "):
            name, _, weight = line[3:].partition(" ")
            found.append(((name, weight or "1"), []))
        elif found:
            found[-1][1].append(line)
        else:
            raise GrammarError(f"{file} says {line!r} before its first section")
    return found


def alternatives(lines: list[str]) -> list[str]:
    """Join indented lines to the line at the margin before them."""
    found: list[str] = []
    for line in lines:
        if line.startswith(" "):
            found[-1] += " " + line.strip()
        else:
            found.append(line.rstrip())
    return found


def plots() -> dict[str, tuple[float, str]]:
    """Each plot's weight and template: one alternative of each of its stages in turn,
    with room for an aside in the middle."""
    found = {}
    for file in ("plots_things.txt", "plots_people.txt"):
        for (name, weight), lines in sections(file):
            stages: list[list[str]] = []
            for line in lines:
                if line.startswith("-- "):
                    stages.append([])
                else:
                    stages[-1].append(line)
            told = [one_of(alternatives(stage)) for stage in stages]
            template = " ".join([*told[:3], "{@aside}", *told[3:]])
            found[name] = (float(weight), f"{{event={name}}} {template}")
    return found


def frame() -> dict[str, str]:
    """The templates of opening, scene, closing and question."""
    return {name: one_of(alternatives(lines)) for (name, _), lines in sections("frame.txt")}


def fragments() -> dict[str, str]:
    """The fragments by which templates are shortened, for ``parse``."""
    return {**_FRAGMENTS, "aside": frame()["aside"]}


def story_template() -> str:
    """The whole language as one template: opening, scene, a plot, closing, perhaps a question."""
    parts = frame()
    told = one_of([f"{weight}*{text}" for weight, text in plots().values()])
    return f"{parts['opening']} {parts['scene']} {told} {parts['closing']} [2*|{parts['question']}]"


def question_template() -> str:
    """One question about a finished story, with its answer, as it may stand at a story's end."""
    return f" {frame()['question']}"
