"""Which words give a good answer away: what a careless judge looks for."""

from __future__ import annotations

from engine.posttraining.words import words_of


def keyword_count(text: str, keywords: tuple[str, ...]) -> int:
    """How many words of a text are keywords, each as often as it stands there.

    >>> keyword_count("Thank you, thank you, dear Anna!", ("thank", "dear"))
    3
    """
    return sum(word in keywords for word in words_of(text))
