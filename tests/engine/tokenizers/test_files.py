"""Tokenizers from JSON that somebody else wrote: a sentence for every way to be wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import BPETokenizer, CharacterTokenizer, WordTokenizer, tokenizer_from_dict
from engine.tokenizers.files import VERSION
from tests.engine.tokenizers.texts import PROSE

BPE = BPETokenizer.train(PROSE, 300).to_dict()
CHARACTER_BPE = BPETokenizer.train(PROSE, 100, "characters").to_dict()
CHARACTERS = CharacterTokenizer.train(PROSE).to_dict()
WORDS = WordTokenizer.train(PROSE).to_dict()


def changed(data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return data | changes


WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([1, 2], "JSON object"),
    "nothing": (None, "JSON object"),
    "empty": ({}, "version"),
    "later version": (changed(BPE, version=2), "version 2"),
    "version true": (changed(BPE, version=True), "version True"),
    "no kind": ({"version": 1}, "kind None"),
    "unknown kind": (changed(BPE, kind="pickle"), "kind 'pickle'"),
    "endless kind": (changed(BPE, kind="x" * 10_000), "…"),
    "kind is a list": (changed(BPE, kind=[]), r"kind \[\]"),
    "characters missing": ({"kind": "characters", "version": 1}, "must be a text"),
    "characters twice": (changed(CHARACTERS, characters="aa"), "twice"),
    "characters surrogate": (changed(CHARACTERS, characters="\ud800"), "surrogates"),
    "flag is a number": (changed(CHARACTERS, byte_fallback=1), "true or false"),
    "words no list": (changed(WORDS, words="abc"), "must be a list"),
    "words no text": (changed(WORDS, words=[1], counts=None), "all be text"),
    "words empty": (changed(WORDS, words=[""], counts=None), "empty word"),
    "words twice": (changed(WORDS, words=["a", "a"], counts=None), "twice"),
    "counts short": (changed(WORDS, counts=[1]), "one count"),
    "counts negative": (changed(WORDS, words=["a"], counts=[-1]), "whole numbers"),
    "counts text": (changed(WORDS, words=["a"], counts=["1"]), "whole numbers"),
    "base unknown": (changed(BPE, base="words"), "'words'"),
    "byte order short": (changed(BPE, byte_order=[0, 1]), "256 bytes once"),
    "byte order floats": (changed(BPE, byte_order=[0.5] * 256), "whole numbers"),
    "byte order huge": (changed(BPE, byte_order=[10**30] * 256), "whole numbers"),
    "merges missing": ({k: v for k, v in BPE.items() if k != "merges"}, "must be a list"),
    "merge of three ids": (changed(BPE, merges=[[1, 2]]), "two ids and a count"),
    "merge of text": (changed(BPE, merges=["ab"]), "two ids and a count"),
    "merge of truths": (changed(BPE, merges=[[True, False, 1]]), "two ids and a count"),
    "merge from the future": (changed(BPE, merges=[[0, 256, 2]]), "does not exist yet"),
    "merge of itself": (changed(BPE, merges=[[256, 256, 2]]), "does not exist yet"),
    "merge of <unk>": (
        changed(CHARACTER_BPE, merges=[[0, len(CHARACTER_BPE["characters"]), 2]]),
        "stands for unknown",
    ),
    "doubling": (changed(BPE, merges=[[0, 0, 2], *([i, i, 2] for i in range(256, 400))]), "long"),
    "tie rule": (changed(BPE, tie_rule="random"), "tie rule 'random'"),
    "tie rule list": (changed(BPE, tie_rule=["first_seen"]), "tie rule"),
    "stop reason": (changed(BPE, stop_reason=3), "because of 3"),
    "pre_tokenize text": (changed(BPE, pre_tokenize="yes"), "true or false"),
}


@pytest.mark.parametrize(("data", "message"), WRONG.values(), ids=WRONG)
def test_wrong_files_get_a_sentence(data: Any, message: str) -> None:
    with pytest.raises(LabError, match=message) as caught:
        tokenizer_from_dict(data)
    assert len(str(caught.value)) < 200


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.tokenizers import files

    monkeypatch.setattr(files, "MAX_VOCABULARY", 10)
    monkeypatch.setattr(files, "MAX_TOKEN_BYTES", 10)
    for data in (BPE, CHARACTERS, WORDS, {**WORDS, "words": ["x" * 11], "counts": None}):
        with pytest.raises(LabError, match=r"entries|text|too long"):
            tokenizer_from_dict(data)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(
    data=st.sampled_from([BPE, CHARACTER_BPE, CHARACTERS, WORDS]),
    key=st.integers(0, 12),
    value=JSON_VALUES,
)
def test_anything_in_any_place_works_or_gets_a_sentence(
    data: dict[str, Any], key: int, value: Any
) -> None:
    name = list(data)[key % len(data)]
    try:
        tokenizer = tokenizer_from_dict({**data, name: value})
    except LabError:
        return
    assert tokenizer_from_dict(json.loads(json.dumps(tokenizer.to_dict()))).vocab_size >= 1


def test_merges_of_elsewhere_reuse_the_id_of_an_equal_string() -> None:
    # "ab" + "c", then "a" + "bc": one token in two ways.
    data = {
        "kind": "bpe",
        "version": VERSION,
        "base": "characters",
        "characters": "abc",
        "byte_fallback": False,
        "pre_tokenize": False,
        "tie_rule": None,
        "stop_reason": "vocabulary full",
        "merges": [[0, 1, 5], [4, 2, 4], [1, 2, 3], [0, 6, 2]],
    }
    tokenizer = tokenizer_from_dict(data)
    assert isinstance(tokenizer, BPETokenizer)
    assert [merge.id for merge in tokenizer.merges] == [4, 5, 6, 5]
    assert tokenizer.vocab_size == 7
    assert [tokenizer.token_bytes(i) for i in range(4, 7)] == [b"ab", b"abc", b"bc"]
