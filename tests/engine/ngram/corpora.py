"""Small corpora for the n-gram tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"


class Words:
    """Words of training lines as ids, with one id for all unknown ones."""

    def __init__(self, lines: list[str]) -> None:
        self.ids: dict[str, int] = {}
        for line in lines:
            for word in line.split():
                self.ids.setdefault(word, len(self.ids))
        self.unknown = len(self.ids)
        self.end = self.unknown + 1
        self.vocab_size = self.end + 1

    def encode(self, line: str) -> list[int]:
        return [self.ids.get(word, self.unknown) for word in line.split()]


def small_corpus() -> tuple[list[str], list[str]]:
    """(training lines, test lines) of the corpus that KenLM was run on."""
    lines = (DATA / "small_corpus.txt").read_text(encoding="utf-8").splitlines()
    return lines[:34], lines[34:]


def small_kenlm() -> dict[int, dict[str, Any]]:
    """KenLM's own figures for the small corpus, by order."""
    figures = json.loads((DATA / "small_kenlm.json").read_text(encoding="utf-8"))
    return {int(order): values for order, values in figures["orders"].items()}


@st.composite
def tiny_corpora(draw: st.DrawFn) -> tuple[list[list[int]], int]:
    """(documents, V): few tokens, so that contexts repeat; some tokens never occur."""
    used = draw(st.integers(1, 4))
    documents = draw(
        st.lists(st.lists(st.integers(0, used - 1), max_size=25), min_size=1, max_size=6).filter(
            any
        )
    )
    return documents, used + draw(st.integers(0, 2)) + 1
