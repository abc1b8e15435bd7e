"""The story language's true distribution, lifted exactly from words to tokens.

The grammar gives p(next word | words so far). A tokenizer whose tokens don't cross words cuts
each word into its canonical pieces e(w), and a text is the pieces of its words in turn. With
the words settled up to some boundary and the pieces q = q₁…q_k since then (the first pieces of
a word, or all of them), every word w with e(w) = q·r is still possible:

    p(x | settled, q) ∝ Σ_{w: e(w) = q·x…} p(w | settled)
                      + Σ_{w: e(w) = q}    p(w | settled) · p(x begins the word after w)

The second line settles w. Where one string of pieces allows several boundaries, or several
words share their pieces (``<unk>``), all are carried on as a weighted mixture; nothing is
sampled or cut off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from engine.errors import LabError
from engine.models.base import Continuation, LanguageModel, LogProbs, Tokens, check_ids
from engine.text.story.filtering import END, FilterState
from engine.text.story.language import GrammarLanguage
from engine.tokenizers.base import Tokenizer

MAX_DERIVATIONS = 5_000
"""So many ways to understand the words so far are kept exactly. Only long runs of unknown words
come near."""

_Pieces = tuple[int, ...]


class StoryModel(LanguageModel):
    """What is true of the next token, for stories cut by one tokenizer.

    Rows are −inf throughout where the context is the beginning of no story.
    """

    kind = "truth"

    def __init__(self, language: GrammarLanguage, tokenizer: Tokenizer) -> None:
        """Lift a language to a tokenizer's tokens.

        Args:
            language: such as ``StoryLanguage()``.
            tokenizer: any whose tokens stay inside words.

        Raises:
            LabError: if the tokenizer's tokens cross words.
        """
        if tokenizer.crosses_words:
            raise LabError(
                f"The true next-token distribution cannot be shown for {tokenizer.name}, because "
                "its tokens may hold parts of two words, and the grammar knows whole words. "
                "Choose a tokenizer that cuts the text into words first."
            )
        self._language = language
        self._tokenizer = tokenizer
        self._pieces: dict[str, _Pieces] = {END: (tokenizer.vocab_size,)}

    @property
    def name(self) -> str:
        return "Truth"

    @property
    def vocab_size(self) -> int:
        return self._tokenizer.vocab_size + 1

    def next_log_probs(self, context: Tokens) -> LogProbs:
        """log p(· | context), shape (V,), exact.

        Raises:
            ValueError: if an id lies outside 0 … V − 1.
            LabError: if so many words in a row are ``<unk>`` that the ways to understand them
                can no longer all be kept.
        """
        return self.continuation(context).next_log_probs()

    def log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T, V): row t is log p(xₜ = · | x_<t). Raises as ``next_log_probs``."""
        array = check_ids(ids, self.vocab_size)
        table = np.empty((len(array), self.vocab_size))
        writing = self.continuation(())
        for t, token in enumerate(array.tolist()):
            table[t] = writing.next_log_probs()
            writing.append(token)
        return table

    def token_log_probs(self, ids: Tokens) -> LogProbs:
        """Shape (T,): log p(xₜ | x_<t), one pass over the text. Raises as ``next_log_probs``."""
        probabilities = np.zeros(len(ids))
        place = self._begin()
        for t, token in enumerate(check_ids(ids, self.vocab_size).tolist()):
            probabilities[t], place = self._after(place, token)
        with np.errstate(divide="ignore"):
            logs: LogProbs = np.log(probabilities)
        return logs

    def continuation(self, context: Tokens) -> Continuation:
        """A story being written on: each token costs only itself."""
        return _StoryContinuation(self, context)

    def _begin(self) -> tuple[_Settled, ...]:
        return (_Settled(1.0, self._language.start(), 0, self._words(self._language.start())),)

    def _words(self, state: FilterState) -> list[tuple[_Pieces, str, float]]:
        """(pieces, word, probability) of every word that can come next."""
        found = []
        for word, p in state.next_words().items():
            pieces = self._pieces.get(word)
            if pieces is None:
                pieces = self._pieces[word] = tuple(self._tokenizer.encode(word))
            found.append((pieces, word, p))
        return found

    def _next(self, place: tuple[_Settled, ...]) -> LogProbs:
        """log p(next token), shape (V,)."""
        row = np.zeros(self.vocab_size)
        for settled in self._boundaries(place):
            k = settled.depth
            for pieces, _, p in settled.words:
                if len(pieces) > k:
                    row[pieces[k]] += settled.mass * p
        total = row.sum()
        with np.errstate(divide="ignore"):
            logs: LogProbs = np.log(row / total if total > 0.0 else row)
        return logs

    def _after(self, place: tuple[_Settled, ...], token: int) -> tuple[float, tuple[_Settled, ...]]:
        """p(token), and the place behind it. End-of-text is also the next story's beginning."""
        total = matched = 0.0
        left: list[_Settled] = []
        for settled in self._boundaries(place):
            k = settled.depth
            total += settled.mass * sum(p for q, _, p in settled.words if len(q) > k)
            words = [w for w in settled.words if len(w[0]) > k and w[0][k] == token]
            if words:
                left.append(_Settled(settled.mass, settled.state, k + 1, words))
                matched += settled.mass * sum(p for _, _, p in words)
        probability = matched / total if total > 0.0 else 0.0
        if token == self.end_of_text:
            return probability, self._begin()
        return probability, tuple(
            _Settled(s.mass / matched, s.state, s.depth, s.words) for s in left
        )

    def _boundaries(self, place: tuple[_Settled, ...]) -> Iterable[_Settled]:
        """The place's parts, each followed by what it becomes if its pieces are a whole word."""
        for settled in place:
            yield settled
            if settled.beyond is None:
                settled.beyond = self._settle(settled)
            yield from settled.beyond

    def _settle(self, settled: _Settled) -> tuple[_Settled, ...]:
        whole = [(w, p) for q, w, p in settled.words if len(q) == settled.depth]
        if not whole:
            return ()
        state = settled.state.advance_any([w for w, _ in whole])
        if len(state.derivations) > MAX_DERIVATIONS:
            raise LabError(
                "So many words in a row are unknown to this tokenizer that the true "
                "distribution has too many cases to list. Use a larger vocabulary."
            )
        mass = settled.mass * sum(p for _, p in whole)
        return (_Settled(mass, state, 0, self._words(state)),)


@dataclass
class _Settled:
    """One way to see the tokens so far: words settled, then ``depth`` pieces of the next."""

    mass: float
    """p(settled words), in units that all parts of a place share."""
    state: FilterState
    """What the settled words tell."""
    depth: int
    """k, the number of pieces since the boundary."""
    words: list[tuple[_Pieces, str, float]]
    """(pieces, word, p(word | settled)) of every word that begins with those pieces."""
    beyond: tuple[_Settled, ...] | None = field(default=None)
    """The part in which those pieces are a word of their own, once it was asked for."""


class _StoryContinuation(Continuation):
    """Keeps the place in the story between tokens."""

    def __init__(self, model: StoryModel, context: Tokens) -> None:
        super().__init__(model, context)
        self._story = model
        self._place = model._begin()
        for token in self._ids:
            self._place = model._after(self._place, token)[1]

    def next_log_probs(self) -> LogProbs:
        return self._story._next(self._place)

    def append(self, token_id: int) -> None:
        super().append(token_id)
        self._place = self._story._after(self._place, int(token_id))[1]
