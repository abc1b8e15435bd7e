"""Four tasks in the story language, each made of held-out stories or of words in new roles.

``questions`` and ``fill_in`` have the form of the training text: stories, some of which end in
"Question: …? Answer: …". Their facts are held out, their form is not. ``odd_one_out`` and
``translation`` never occur in training: models know their rules only from the examples that
stand in the prompt (in-context learning; Brown et al., 2020).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.quiz import Item, TaskKey
from engine.models.reach import find_probes
from engine.text.story import Story, StoryLanguage

CHOICES = 4
"""Choices an item has at most: a random guess is right one time in four."""
SEEN_IN_TRAINING: dict[TaskKey, bool] = {
    "questions": True,
    "fill_in": True,
    "odd_one_out": False,
    "translation": False,
}
"""Whether the training text holds texts of the task's form."""

GROUPS = ("colour", "animal", "thing", "place", "job", "day", "mood")
"""The variables whose values are groups of words for the odd one out: no word is in two."""
_OTHERS = 200
"""Stories drawn for the wrong choices of questions."""
_PAIRS = 6
"""Words of the toy vocabularies."""


def question_items(
    language: StoryLanguage, stories: Sequence[Story], n: int, seed: int, job: Job = NO_JOB
) -> list[Item]:
    """Questions about held-out stories, at most one a story.

    The wrong choices are right answers to the same question about other stories, drawn anew.

    Raises:
        LabError: if there is no story to ask about.
    """
    rng = np.random.default_rng(seed)
    forms = _Forms(language)
    pool: dict[str, dict[str, None]] = {}
    for _ in range(_OTHERS):
        for *_, answer, form, name in _asked(language, forms, language.sample(rng)):
            pool.setdefault(form, {})[answer.replace(name, "{}") if name else answer] = None
    items: list[Item] = []
    for number, story in enumerate(stories):
        if len(items) == n:
            break
        job.progress(number, len(stories), "Writing questions")
        of_story = _asked(language, forms, story)
        rng.shuffle(of_story)
        for prompt, answer, form, name in of_story:
            others = [a.replace("{}", name) if name else a for a in pool.get(form, {})]
            rivals = [other for other in others if other != answer]
            if len(rivals) >= CHOICES - 1:
                items.append(_item("questions", prompt, answer, rivals, rng))
                break
    if not items:
        raise LabError("There is no held-out story to ask about. Choose more text.")
    return items


def _asked(language: StoryLanguage, forms: _Forms, story: Story) -> list[tuple[str, str, str, str]]:
    """Prompt, answer, wording, and the name in question and answer, of a story's questions."""
    found = []
    for question in language.questions(story):
        wording = question.prompt[len(story.body) :]
        name = forms.shared_name(wording, question.answer)
        found.append((question.prompt, question.answer, forms.form(wording), name))
    return found


def fill_in_items(
    language: StoryLanguage, stories: Sequence[Story], n: int, seed: int, job: Job = NO_JOB
) -> list[Item]:
    """A story up to a word that an earlier word has settled, at most one a story.

    The wrong choices are the words that would stand there had the earlier choice been another.

    Raises:
        LabError: if no story has such a word.
    """
    rng = np.random.default_rng(seed)
    probes: dict[int, list[int]] = {}
    for probe in find_probes(language, stories, job):
        probes.setdefault(probe.story, []).append(probe.position)
    items: list[Item] = []
    for number, positions in probes.items():
        if len(items) == n:
            break
        story = stories[number]
        rivals = {
            d.position: d.rivals
            for fact in story.facts
            for d in fact.dependents
            if len(d.rivals) >= CHOICES - 1
        }
        open_places = [position for position in positions if position in rivals]
        if not open_places:
            continue
        place = int(rng.choice(open_places))
        prompt = "".join(story.words[:place])
        items.append(_item("fill_in", prompt, story.words[place], rivals[place], rng))
    if not items:
        raise LabError("No held-out story has a word that is settled by another.")
    return items


def odd_one_out_items(language: StoryLanguage, n: int, shots: int, seed: int) -> list[Item]:
    """Three words of one group and one of another, after ``shots`` solved examples."""
    rng = np.random.default_rng(seed)
    groups = [_values(language, name) for name in GROUPS]

    def riddle() -> tuple[list[str], int]:
        home, away = rng.choice(len(groups), 2, replace=False)
        words = [str(w) for w in rng.choice(groups[home], CHOICES - 1, replace=False)]
        place = int(rng.integers(CHOICES))
        words.insert(place, str(rng.choice(groups[away])))
        return words, place

    items = []
    for _ in range(n):
        parts = []
        for _ in range(shots):
            words, place = riddle()
            parts.append(f"{_odd_question(words)} {words[place]}.")
        words, place = riddle()
        parts.append(_odd_question(words))
        choices = tuple(f" {word}." for word in words)
        items.append(Item("odd_one_out", " ".join(parts), choices, place))
    return items


def translation_items(language: StoryLanguage, n: int, shots: int, seed: int) -> list[Item]:
    """A word of one toy vocabulary to be put into the other, with a new dictionary each time.

    The two vocabularies are words that every tokenizer of the stories knows: colours are to be
    translated into animals. The prompt goes through the whole dictionary ``shots`` times, in
    another order each time; without examples nothing but a guess is possible.
    """
    rng = np.random.default_rng(seed)
    from_words, to_words = _values(language, "colour"), _values(language, "animal")
    items = []
    for _ in range(n):
        sources = [str(w) for w in rng.choice(from_words, _PAIRS, replace=False)]
        targets = [str(w) for w in rng.choice(to_words, _PAIRS, replace=False)]
        parts = []
        for _ in range(shots):
            for i in rng.permutation(_PAIRS):
                parts.append(f"Question: what is {sources[i]}? Answer: {targets[i]}.")
        asked = int(rng.integers(_PAIRS))
        parts.append(f"Question: what is {sources[asked]}? Answer:")
        rivals = [f" {target}." for target in targets if target != targets[asked]]
        items.append(_item("translation", " ".join(parts), f" {targets[asked]}.", rivals, rng))
    return items


def _odd_question(words: Sequence[str]) -> str:
    return f"Question: who is not like the others, {', '.join(words)}? Answer:"


def _values(language: StoryLanguage, name: str) -> list[str]:
    """The values of a variable of the language."""
    variables = language.automaton.variables
    return next(list(v.domain.keys) for v in variables if v.name == name)


def _item(
    task: TaskKey, prompt: str, answer: str, rivals: Sequence[str], rng: np.random.Generator
) -> Item:
    """Mix the right choice among up to CHOICES − 1 wrong ones."""
    wrong = [str(r) for r in rng.choice(list(rivals), min(CHOICES - 1, len(rivals)), False)]
    place = int(rng.integers(len(wrong) + 1))
    wrong.insert(place, answer)
    return Item(task, prompt, tuple(wrong), place)


class _Forms:
    """The wording of a question with everything that the story chose left open."""

    def __init__(self, language: StoryLanguage) -> None:
        variables = language.automaton.variables
        self._names = next(frozenset(v.domain.keys) for v in variables if v.name == "hero")
        self._words = frozenset(key for v in variables for key in v.domain.keys)

    def _open(self, match: re.Match[str]) -> str:
        return "…" if match[0] in self._words else match[0]

    def form(self, wording: str) -> str:
        """Such as "Question: where did … go? Answer:"."""
        return re.sub(r"\w+", self._open, wording)

    def shared_name(self, wording: str, answer: str) -> str:
        """A name that stands in question and answer both; empty if there is none."""
        return next(self._common(wording, answer), "")

    def _common(self, wording: str, answer: str) -> Iterator[str]:
        there = re.findall(r"\w+", answer)
        return (w for w in re.findall(r"\w+", wording) if w in self._names and w in there)
