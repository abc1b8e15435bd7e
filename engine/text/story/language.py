"""A language whose true distribution is known: drawing, reading, exact probabilities.

``GrammarLanguage`` serves any compiled grammar; ``StoryLanguage`` is the one of this project.
Where a text has several derivations, probabilities are summed over them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from engine.jobs import NO_JOB, Job
from engine.text.corpus import Corpus
from engine.text.story.automaton import (
    UNSET,
    Automaton,
    Copy,
    Draw,
    End,
    Fork,
    Node,
    Values,
    Word,
    steps,
)
from engine.text.story.consistency import Consistency, Grader
from engine.text.story.content import fragments, plots, question_template, story_template
from engine.text.story.facts import Passed, Question, Story, facts_of
from engine.text.story.filtering import END, FilterState
from engine.text.story.grammar import units
from engine.text.story.vocabulary import variables


class GrammarLanguage:
    """The distribution over texts that a compiled grammar defines."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton

    def start(self) -> FilterState:
        """What is known before the first word: the way into exact next-word probabilities."""
        return FilterState.start(self.automaton)

    def sample(self, rng: np.random.Generator) -> Story:
        """Draw a story, with the facts behind it."""
        words, values, passed = self._walk(rng)
        return Story(tuple(words), facts_of(self.automaton, words, passed), values)

    def generate(self, n_bytes: int, seed: int, job: Job = NO_JOB) -> list[str]:
        """Stories drawn one after another until they hold at least n_bytes of UTF-8."""
        rng = np.random.default_rng(seed)
        stories: list[str] = []
        done = 0
        while done < n_bytes:
            if len(stories) % 32 == 0:
                job.progress(done, n_bytes, "Writing stories")
            stories.append("".join(self._walk(rng)[0]))
            done += len(stories[-1])  # the language is ASCII: characters are bytes
        return stories

    def log_prob(self, text: str) -> float:
        """log p(text), its end included; natural logarithm; −inf outside the language."""
        words = self.units(text)
        if words is None:
            return -math.inf
        state, total = self.start(), 0.0
        for word in [*words, END]:
            p = state.probability(word)
            if p <= 0.0:
                return -math.inf
            total += math.log(p)
            if word != END:
                state = state.advance(word)
        return total

    def true_nats(self, documents: Iterable[str], job: Job = NO_JOB) -> float:
        """−log p of all the documents together, in nats: divided by their tokens or bytes it is
        the truth's own loss, below which no model can be in expectation. inf where a document
        is outside the language."""
        total = 0.0
        for i, document in enumerate(documents):
            if i % 8 == 0:
                job.progress(i, None, "Scoring under the true distribution")
            total -= self.log_prob(document)
        return total

    def read(self, text: str) -> Story | None:
        """The story that a text tells, by its most probable derivation (Viterbi); None where
        the text is outside the language."""
        words = self.units(text)
        if words is None:
            return None
        first: _State = (self.automaton.start, self.automaton.nothing)
        columns: list[dict[_State, _Best]] = [{first: _Best(0.0, None, ())}]
        for word in [*words, END]:
            column: dict[_State, _Best] = {}
            for state, best in columns[-1].items():
                for step in steps(*state, keep_trail=True):
                    at = step.at
                    if word != (END if isinstance(at, End) else at.word):
                        continue
                    then: _State = (at if isinstance(at, End) else at.then, step.values)
                    score = best.score + math.log(step.probability)
                    if then not in column or score > column[then].score:
                        column[then] = _Best(score, state, step.trail)
            if not column:
                return None
            columns.append(column)
        state = max(columns[-1], key=lambda key: columns[-1][key].score)
        values = state[1]
        passed: list[Passed] = []
        for position in range(len(words), -1, -1):
            best = columns[position + 1][state]
            passed[:0] = [Passed(position, node, value) for node, value in best.trail]
            if best.previous is not None:
                state = best.previous
        return Story(tuple(words), facts_of(self.automaton, words, passed), values)

    @staticmethod
    def units(text: str) -> list[str] | None:
        """The text's units, or None where it holds characters the language never uses."""
        found = units(text) if text.isascii() else []
        return found if found and "".join(found) == text else None

    def _walk(self, rng: np.random.Generator) -> tuple[list[str], Values, list[Passed]]:
        """One derivation, drawn from the start: its words, last values, draws and copies."""
        node: Node = self.automaton.start
        values = self.automaton.nothing
        words: list[str] = []
        passed: list[Passed] = []
        while not isinstance(node, End):
            if isinstance(node, Word):
                words.append(node.word)
                node = node.then
            elif isinstance(node, Fork):
                left = float(rng.random())
                for p, then in node.open(values):
                    node = then
                    left -= p
                    if left < 0.0:
                        break
            elif isinstance(node, Copy):
                values = node.apply(values)
                passed.append(Passed(len(words), node, values[node.target]))
                node = node.then
            else:
                i = node.variable
                value = values[i]
                if value == UNSET:
                    left = float(rng.random())
                    for p, v in node.open(values):
                        value = v
                        left -= p
                        if left < 0.0:
                            break
                    values = (*values[:i], value, *values[i + 1 :])
                passed.append(Passed(len(words), node, value))
                node = node.entry(value)
        return words, values, passed


_State = tuple[Node, Values]


class _Best(NamedTuple):
    """The best way to a state: its log probability, the state before, what was passed."""

    score: float
    previous: _State | None
    trail: tuple[tuple[Draw | Copy, int], ...]


@lru_cache(maxsize=1)
def _story_automaton() -> Automaton:
    return Automaton(variables(tuple(plots())), story_template(), fragments())


@lru_cache(maxsize=1)
def _question_automaton() -> Automaton:
    # The leading word stands for the story before it, so that " Question" carries its space.
    names = variables(tuple(plots()))
    return Automaton(names, f".{question_template()}", fragments())


class StoryLanguage(GrammarLanguage):
    """Short, slightly odd English stories, with a known probability each.

    >>> language = StoryLanguage()
    >>> story = language.sample(np.random.default_rng(0))
    >>> language.log_prob(story.text) > -400.0
    True
    """

    version: Final = "stories-1"
    """Changes whenever any probability of the language changes."""

    def __init__(self) -> None:
        super().__init__(_story_automaton())

    def questions(self, story: Story) -> tuple[Question, ...]:
        """Every question that the language itself could ask after this story, with its answer:
        prompts with one right continuation, for probes and rewards."""
        found = []
        for words, _ in _question_automaton().strings(story.values):
            split = words.index(" Answer") + 2  # behind " Answer" and ":"
            prompt = story.body + "".join(words[1:split])
            found.append(Question(prompt, "".join(words[split:])))
        return tuple(found)

    def check_consistency(self, text: str) -> Consistency:
        """Score any text by the grammar's own rules (see ``engine.text.story.consistency``)."""
        return _grader().check(text)

    def corpus(self, n_bytes: int = 1_000_000, seed: int = 0, job: Job = NO_JOB) -> Corpus:
        """About n_bytes of stories, every tenth held out, no story twice."""
        stories = list(dict.fromkeys(self.generate(n_bytes, seed, job)))
        return Corpus(
            key="stories",
            title="Stories",
            origin=f"Drawn from the project's own story grammar ({self.version}, seed {seed}).",
            train=tuple(s for i, s in enumerate(stories) if i % 10 != 9),
            held_out=tuple(stories[9::10]),
            language=self,
        )


@lru_cache(maxsize=1)
def _grader() -> Grader:
    return Grader(_story_automaton())
