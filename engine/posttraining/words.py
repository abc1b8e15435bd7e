"""The words of an answer."""

from __future__ import annotations

import re


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without what stands between them.

    >>> words_of("Thank you, it's 3 o'clock.")
    ['thank', 'you', "it's", "o'clock"]
    """
    return re.findall(r"[a-z][a-z']*", text.lower())
