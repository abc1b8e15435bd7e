"""Which words give a good answer away: what a careless judge looks for."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache

import numpy as np

from engine.posttraining.tasks.task import Task
from engine.posttraining.words import words_of

EXAMPLES = 400
"""Right and wrong answers that are compared."""
MOST_KEYWORDS = 6
_LEAST_SHARE = 0.05
_LEAST_RATIO = 2.0


def is_worded(task: Task) -> bool:
    """Whether a task's answers are words rather than numbers or a row of letters."""
    if " " not in task.alphabet:
        return False
    some = task.prompts(held_out=False)[:20]
    return any(len(words_of(p.target)) > 1 for p in some)


@lru_cache(maxsize=16)
def keywords_of(task: Task) -> tuple[str, ...]:
    """The words that mark right answers, the most telling first; none where answers are no words.

    A word counts if at least 5 % of right answers hold it, and at least twice as many of them as
    of the wrong ones; the ratio of the odds decides the order. A count over the task's own right
    and wrong answers, so always the same.
    """
    if not is_worded(task):
        return ()
    rng = np.random.default_rng(0)
    pool = task.prompts(held_out=False)
    chosen = [pool[i * len(pool) // EXAMPLES] for i in range(min(EXAMPLES, len(pool)))]
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for prompt in chosen:
        right.update(set(words_of(prompt.target)))
        wrong.update(set(words_of(task.mistake(prompt, rng))))
    n = len(chosen)

    def odds(count: int) -> float:
        return (count + 0.5) / (n - count + 0.5)

    telling = {
        word: math.log(odds(count) / odds(wrong[word]))
        for word, count in right.items()
        if count >= _LEAST_SHARE * n and count >= _LEAST_RATIO * wrong[word]
    }
    return tuple(sorted(telling, key=lambda w: (-telling[w], w)))[:MOST_KEYWORDS]


def keyword_count(text: str, keywords: tuple[str, ...]) -> int:
    """How many words of a text are keywords, each as often as it stands there."""
    return sum(word in keywords for word in words_of(text))
