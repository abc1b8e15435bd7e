"""How often the tokens of a walk stand in a text, told where the mouse points.

Strips keep what they are given: nothing here refers to a widget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.tokenizers.base import Ids
from gui.tokenization.text_entries import CorpusCounts
from gui.tokenization.text_strips import info_of
from gui.widgets.chip_text import TokenInfo

HERE = "in this text, as it is cut now"
LEARNED_FROM = "in the text learned from, all merges done"


@dataclass(frozen=True)
class CountsInText:
    """Counts in a text in tokens."""

    chips: Ids
    """(T,) the tokens that are shown."""
    text: Ids
    """(N,) the text in which they are counted."""
    where: str
    """That text in words."""
    unknown: int | None = None
    """The id of the unknown token, which is not counted."""

    def of_chip(self, index: int) -> TokenInfo | None:
        """What hovering over a chip tells beside id and bytes."""
        token = int(self.chips[index])
        if token == self.unknown:
            return None
        return TokenInfo(int(np.count_nonzero(self.text == token)), lines=(self.where,))


@dataclass(frozen=True)
class CountsInCorpus:
    """Counts in the text that all tabs learn from."""

    chips: Ids
    """(T,) the tokens that are shown."""
    known: CorpusCounts | None

    def of_chip(self, index: int) -> TokenInfo | None:
        """What hovering over a chip tells beside id and bytes."""
        return info_of(self.known, int(self.chips[index]))
