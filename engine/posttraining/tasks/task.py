"""What a policy is post-trained to do: prompts, a true score, and a text to be pre-trained on.

A task's true score says how good an answer really is. The reward that a learner sets up need not
equal it; that they can come apart is what reward hacking is.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import cache, cached_property

import numpy as np

from engine.errors import LabError
from engine.posttraining.prompts import Criterion, Prompt
from engine.posttraining.settings import GRPOSettings
from engine.tokenizers import CharacterTokenizer, Tokenizer, WordTokenizer
from engine.tokenizers.pretokenize import pretokenize

Split = tuple[tuple[Prompt, ...], tuple[Prompt, ...]]
"""Prompts to train on, and those that are held out."""


class Task(ABC):
    """A family of prompts with right answers. This class reads and writes characters;
    ``WordTask`` words. Immutable once made."""

    key: str
    title: str
    description: str
    """A sentence for the learner."""
    alphabet: str = ""
    """All characters that prompts and answers are written in."""
    unit: str = "characters"
    """What a token is, in the plural: for axes and sentences."""
    max_answer: int
    """Tokens that an answer may have, end-of-text included."""
    right_share = 0.3
    """Share of right answers in the text a policy is pre-trained on: what never occurs cannot be
    reinforced."""
    layers = 3
    """Of the policy."""
    width = 64
    steps = 600
    """Of the policy's pre-training on careless text."""
    read_at_once = 1
    """How many of the longest documents a window of pre-training text holds. Windows are cut
    anywhere: where an answer hangs on what stands far before it, one is too few to hold both."""
    textbook_steps = 0
    """Steps on right answers alone before that."""
    learning_rate = 0.03
    """Of the matrices, in all pre-training."""
    careless_rate = 1.0
    """What the learning rate is multiplied with for the careless text: less than 1 where it would
    undo what the textbook has taught."""
    updates = 300
    """Updates of a run, unless the learner says otherwise."""
    keywords: tuple[str, ...] = ()
    """Words, in small letters, that a careless judge would count; none for tasks without."""
    scratchpad = False
    """Whether an answer may be worked out in writing before it is given (see ``answer_of``)."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """How the policy reads: lossless on the task's own texts, and equal for every run."""
        return CharacterTokenizer(self.alphabet)

    @cached_property
    def longest_prompt(self) -> int:
        """Tokens of the longest prompt."""
        return _longest_prompt(type(self))

    @property
    def context(self) -> int:
        """Tokens that the longest prompt and answer take, begin-of-text included."""
        return 1 + self.longest_prompt + self.max_answer

    @abstractmethod
    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        """All prompts to train on, or all that are held out; none is in both."""

    def examples(self, n: int) -> tuple[Prompt, ...]:
        """n held-out prompts (or all, if there are fewer), spread evenly, the same each time."""
        pool = self.prompts(held_out=True)
        n = min(n, len(pool))
        return tuple(pool[i * len(pool) // n] for i in range(n))

    def check(self, text: str) -> str:
        """A learner's own prompt, if the policy can read it.

        Raises:
            LabError: if it is empty or too long, or holds what the policy never read.
        """
        if not text:
            raise LabError("Write a prompt, or choose one.")
        strange = sorted(set(text) - set(self.alphabet))
        if strange:
            raise LabError(
                f"This policy reads only the characters {self.alphabet} and not {strange[0]!r}."
            )
        return self._short_enough(text)

    def _short_enough(self, text: str) -> str:
        if len(self.tokenizer.encode(text)) > self.longest_prompt:
            raise LabError(f"A prompt of this task has at most {self.longest_prompt} {self.unit}.")
        return text

    def settings(self) -> GRPOSettings:
        """The settings that suit this task."""
        return GRPOSettings()

    def criteria(self) -> tuple[Criterion, ...]:
        """What a rubric for this task may judge, beside what suits every task."""
        return ()

    @abstractmethod
    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """A wrong answer of the sort that people give."""

    def answer_of(self, text: str) -> str:
        """The final answer in what was written: all of it, unless the task has a scratchpad."""
        return text

    def is_well_formed(self, prompt: Prompt, text: str) -> bool:
        """Whether what was written looks like an answer of this task, right or wrong."""
        allowed = set("0123456789") if prompt.target.isdigit() else set(prompt.target)
        return text != "" and set(text) <= allowed

    def true_score(self, prompt: Prompt, answer: str) -> float:
        """How good an answer is, 0 … 1."""
        return float(self.answer_of(answer) == prompt.target)

    def pretraining_documents(self, n: int, seed: int, right: float | None = None) -> list[str]:
        """Questions with answers as a careless class would write them: a share ``right`` (or
        the task's own) is right, the rest holds the mistakes people make. Held-out prompts
        never occur."""
        rng = np.random.default_rng(seed)
        right = self.right_share if right is None else right
        prompts = self.prompts(held_out=False)
        documents = []
        for _ in range(n):
            prompt = prompts[int(rng.integers(len(prompts)))]
            good = rng.random() < right
            answer = self.good_answer(prompt, rng) if good else self.mistake(prompt, rng)
            documents.append(prompt.text + answer)
        return documents

    def textbook_documents(self, n: int, seed: int) -> list[str]:
        """The same with right answers alone."""
        return self.pretraining_documents(n, seed, right=1.0)

    def good_answer(self, prompt: Prompt, rng: np.random.Generator) -> str:
        """An answer with a true score of 1; one of several, where several are right."""
        return prompt.target


@cache
def _longest_prompt(kind: type[Task]) -> int:
    task = kind()
    every = (*task.prompts(held_out=False), *task.prompts(held_out=True))
    return max(len(task.tokenizer.encode(p.text)) for p in every)


class WordTask(Task):
    """A task in English: tokens are words, each with the space before it, and punctuation."""

    unit = "words"

    def __init__(self) -> None:
        self.alphabet = "".join(sorted({c for line in self.words() for c in line}))

    @abstractmethod
    def words(self) -> Sequence[str]:
        """Texts that hold every word of the task's prompts and answers."""

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return WordTokenizer.train(list(self.words()))

    def check(self, text: str) -> str:
        if not text.strip():
            raise LabError("Write a prompt, or choose one.")
        tokenizer = self.tokenizer
        for token in tokenizer.encode(text):
            if token == tokenizer.unknown_id:
                raise LabError(self._unknown(text))
        return self._short_enough(text)

    def _unknown(self, text: str) -> str:
        known = {piece for line in self.words() for piece in pretokenize(line)}
        strange = next(piece for piece in pretokenize(text) if piece not in known)
        if f" {strange}" in known:
            return f"This policy has read “{strange}” only behind a space."
        if strange.startswith(" ") and strange[1:] in known:
            return f"This policy has read “{strange[1:]}” only at the beginning of a text."
        near = difflib.get_close_matches(strange.strip(), sorted(w.strip() for w in known), n=1)
        hint = f" Did it mean “{near[0]}”?" if near else " Keep to the words of the examples."
        return f"This policy has never read “{strange.strip()}”.{hint}"


def split_prompts(
    prompts: Sequence[Prompt], seed: int, by: Callable[[Prompt], Hashable] | None = None
) -> Split:
    """Nine tenths to train on, one tenth held out, always the same.

    Args:
        prompts: all of them.
        seed: draws what is held out.
        by: what a prompt asks. Prompts that ask the same are then all held out or all not, so
            that nothing held out was ever asked in training, in whatever words.
    """
    asked = [p.text if by is None else by(p) for p in prompts]
    kinds = list(dict.fromkeys(asked))
    order = np.random.default_rng(seed).permutation(len(kinds)).tolist()
    cut = max(1, len(kinds) // 10)
    kept = {kinds[i] for i in order[:cut]}
    held_out = tuple(p for p, what in zip(prompts, asked, strict=True) if what in kept)
    return tuple(p for p, what in zip(prompts, asked, strict=True) if what not in kept), held_out
