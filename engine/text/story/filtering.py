"""Exact filtering: p(next word | all words so far), by carrying every derivation that fits.

The forward algorithm over the automaton's states: after each word the derivations that could
have said it are kept, each with its posterior probability; two that have come to the same
state are one from there on, and their probabilities are summed. The latent choices are drawn
where they are said, so only a handful are alive at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from engine.text.story.automaton import Automaton, End, Node, Step, Values, Word, steps

END: Final = ""
"""Stands for the end of the text among the next words. No unit is the empty string."""


class FilterState:
    """What is known of the latent choices after some words. Immutable: safe to keep and share."""

    __slots__ = ("_branches", "_next", "derivations")

    def __init__(self, derivations: tuple[tuple[float, Node, Values], ...]) -> None:
        self.derivations = derivations
        """(posterior probability, node, values) of every derivation that fits; they sum to 1."""
        self._branches: dict[str, list[tuple[float, Step]]] | None = None
        self._next: dict[str, float] | None = None

    @classmethod
    def start(cls, automaton: Automaton) -> FilterState:
        """Before the first word."""
        return cls(((1.0, automaton.start, automaton.nothing),))

    def next_words(self) -> dict[str, float]:
        """p(next unit | all units so far) for every unit that can follow, ``END`` among them.

        Exact, and sums to one. Empty once ``END`` has been read. Not to be written to.
        """
        if self._next is None:
            branches = self.branches()
            self._next = {w: sum(p for p, _ in found) for w, found in branches.items()}
        return self._next

    def branches(self) -> dict[str, list[tuple[float, Step]]]:
        """Every next unit with the (probability, step) of each derivation that says it."""
        if self._branches is None:
            branches: dict[str, list[tuple[float, Step]]] = {}
            for weight, node, values in self.derivations:
                for step in steps(node, values):
                    word = END if isinstance(step.at, End) else step.at.word
                    branches.setdefault(word, []).append((weight * step.probability, step))
            self._branches = branches
        return self._branches

    def advance(self, word: str) -> FilterState:
        """The state after one unit more.

        Raises:
            KeyError: if the unit cannot follow.
        """
        if len(self.derivations) == 1:  # the usual case: inside a template, one way on
            _, node, values = self.derivations[0]
            if isinstance(node, Word):
                if node.word != word:
                    raise KeyError(word)
                return FilterState(((1.0, node.then, values),))
        if word not in self.branches():
            raise KeyError(word)
        return self.advance_any((word,))

    def advance_any(self, words: Collection[str]) -> FilterState:
        """The state after one unit more of which only this is known: it is one of ``words``.

        Raises:
            KeyError: if none of them can follow.
        """
        branches = self.branches()
        merged: dict[tuple[Node, Values], float] = {}
        total = 0.0
        for word in words:
            if word == END:
                continue
            for p, step in branches.get(word, ()):
                total += p
                if isinstance(step.at, Word):
                    key = (step.at.then, step.values)
                    merged[key] = merged.get(key, 0.0) + p
        if not merged:
            if END in words and END in branches:
                return FilterState(())
            raise KeyError(f"none of {sorted(words)} can follow")
        return FilterState(tuple((p / total, *key) for key, p in merged.items()))

    def probability(self, word: str) -> float:
        """p(this unit | all units so far)."""
        if len(self.derivations) == 1:
            _, node, _ = self.derivations[0]
            if isinstance(node, Word):
                return 1.0 if node.word == word else 0.0
        return self.next_words().get(word, 0.0)
