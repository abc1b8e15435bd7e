"""Pre-tokenization: the whole-array path against the pattern, and against Hugging Face."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from engine.tokenizers import pretokenize as module
from engine.tokenizers.base import without_surrogates
from engine.tokenizers.pretokenize import PATTERN, count_words, pretokenize, segments
from tests.engine.tokenizers.texts import HOSTILE, PROSE, any_string, rule_breakers


@pytest.fixture
def whole_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have even the shortest texts cut in whole-array steps."""
    monkeypatch.setattr(module, "_SHORT", 0)


def by_pattern(text: str) -> list[str]:
    return PATTERN.findall(without_surrogates(text))


def test_words_numbers_signs_and_spaces() -> None:
    assert pretokenize("Hello world!") == ["Hello", " world", "!"]
    assert pretokenize("we'll  see\n\n'tis 12.5€") == [
        "we", "'ll", " ", " see", "\n", "\n", "'t", "is", " 12", ".", "5", "€",
    ]  # fmt: skip
    assert pretokenize("") == []


@pytest.mark.usefixtures("whole_arrays")
@pytest.mark.parametrize("text", [*HOSTILE.values(), PROSE], ids=[*HOSTILE, "prose"])
def test_whole_arrays_agree_with_the_pattern(text: str) -> None:
    assert pretokenize(text) == by_pattern(text)


def test_whole_arrays_agree_with_the_pattern_on_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHORT", 0)

    @settings(max_examples=600, deadline=None)
    @given(text=st.one_of(rule_breakers, any_string))
    def agree(text: str) -> None:
        assert pretokenize(text) == by_pattern(text)

    agree()


@pytest.mark.usefixtures("whole_arrays")
def test_every_character_there_is() -> None:
    # Also leaves no code point below the surrogates to be used as a mark.
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    assert pretokenize(everything) == by_pattern(everything)


@settings(max_examples=400, deadline=None)
@given(text=rule_breakers, size=st.integers(1, 12))
def test_segments_cut_only_between_pretokens(text: str, size: int) -> None:
    parts = list(segments(text, size))
    assert "".join(parts) == text
    assert [piece for part in parts for piece in by_pattern(part)] == by_pattern(text)


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab'streLlvmd  \n\t12!?é中", min_size=1, max_size=40))
def test_agrees_with_hugging_face(text: str) -> None:
    theirs = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert pretokenize(text) == [text[start:end] for _, (start, end) in theirs]


@given(texts=st.lists(rule_breakers, max_size=4))
@settings(max_examples=100, deadline=None)
def test_counts_are_in_the_order_first_seen(texts: list[str]) -> None:
    pieces = [piece for text in texts for piece in by_pattern(text)]
    assert list(count_words(texts).items()) == list(Counter(pieces).items())
