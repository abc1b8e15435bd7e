"""Applying merges: the reference, two libraries, and merges in no sensible order."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tokenizers as hugging_face
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import _educational as tiktoken_lesson
from tokenizers import models, pre_tokenizers

from engine.tokenizers import BPETokenizer, Merge, reference
from engine.tokenizers import linked as linked_module
from engine.tokenizers.alphabet import CharacterAlphabet, gpt2_byte_characters
from engine.tokenizers.bpe import assign_ids
from engine.tokenizers.bpe_encode import encode_linked, encode_short, is_ordered, rank_table
from engine.tokenizers.linked import flatten
from engine.tokenizers.pretokenize import PATTERN, pretokenize
from tests.engine.tokenizers.texts import HOSTILE, PROSE, any_string, any_text, few_letters


@st.composite
def merge_lists(draw: st.DrawFn) -> BPETokenizer:
    """Merges over "ab " as no training would order them: tokens remade, used too early."""
    alphabet = CharacterAlphabet("ab ")
    size = 3
    parents: list[tuple[int, int]] = []
    ids: list[int] = []
    for _ in range(draw(st.integers(0, 14))):
        known = [0, 1, 2, *(i for i in ids)]
        pair = (draw(st.sampled_from(known)), draw(st.sampled_from(known)))
        if pair not in parents:
            parents.append(pair)
            ids = assign_ids(alphabet, parents)
            size += 1
    merges = [Merge(left, right, new, 0) for (left, right), new in zip(parents, ids, strict=True)]
    return BPETokenizer(alphabet, merges, pre_tokenize=draw(st.booleans()))


def by_reference(tokenizer: BPETokenizer, text: str) -> list[int]:
    ranks = rank_table(tokenizer.merges)
    pieces = pretokenize(text) if tokenizer.pre_tokenize else [text]
    return [
        i
        for piece in pieces
        for i in reference.encode(tokenizer.alphabet.encode(piece).tolist(), ranks)
    ]


@settings(max_examples=400, deadline=None)
@given(tokenizer=merge_lists(), text=st.text(alphabet="ab ", max_size=90))
def test_any_merges_agree_with_the_reference(tokenizer: BPETokenizer, text: str) -> None:
    assert tokenizer.encode(text) == by_reference(tokenizer, text)


@settings(max_examples=300, deadline=None)
@given(tokenizer=merge_lists(), text=st.text(alphabet="ab ", max_size=90))
def test_short_and_linked_encoding_are_one(tokenizer: BPETokenizer, text: str) -> None:
    ranks = rank_table(tokenizer.merges)
    symbols = tokenizer.alphabet.encode(text)
    short = encode_short(symbols.tolist(), ranks)
    for ordered in {False, is_ordered(ranks)}:
        sequences = flatten(symbols, np.array([len(symbols)]))
        assert encode_linked(sequences, ranks, ordered)[1:-1].tolist() == short


def test_order_matters_where_a_token_is_made_twice() -> None:
    # "ab" + "c" comes early; "a" + "bc" makes the same "abc" late. After it, the early rule
    # ("abc", "a") applies again, before the second "a" + "bc" is reached.
    alphabet = CharacterAlphabet("abc")
    parents = [(0, 1), (4, 2), (5, 0), (1, 2), (0, 7)]
    ids = assign_ids(alphabet, parents)
    assert ids == [4, 5, 6, 7, 5]
    merges = [Merge(left, right, new, 0) for (left, right), new in zip(parents, ids, strict=True)]
    tokenizer = BPETokenizer(alphabet, merges, pre_tokenize=False)
    assert not is_ordered(rank_table(merges))
    symbols = [0, 7, 0, 7]  # a bc a bc
    assert encode_short(symbols, rank_table(merges)) == [6, 7]  # abca bc
    assert reference.encode(symbols, rank_table(merges)) == [6, 7]
    assert tokenizer.encode("abcabc") == by_reference(tokenizer, "abcabc")


def test_a_token_made_twice_is_merged_on_wherever_it_came_from() -> None:
    # "abc" is made of "ab" + "c" and of "a" + "bc", both before "abc" + "d" uses it.
    a, b, c, d, ab, abc, bc, abcd = (0, 1, 2, 3, 5, 6, 7, 8)
    parents = [(a, b), (ab, c), (b, c), (a, bc), (abc, d)]
    ids = assign_ids(CharacterAlphabet("abcd"), parents)
    assert ids == [ab, abc, bc, abc, abcd]
    ranks = rank_table(
        [Merge(left, right, new, 0) for (left, right), new in zip(parents, ids, strict=True)]
    )
    assert is_ordered(ranks)
    symbols = np.array([a, bc, d, ab, c, d, a, bc, abc, d], dtype=np.int32)
    expected = [abcd, abcd, abc, abcd]
    assert encode_short(symbols.tolist(), ranks) == expected
    sequences = flatten(symbols, np.array([len(symbols)]))
    assert encode_linked(sequences, ranks, ordered=True)[1:-1].tolist() == expected


def test_a_pair_that_is_listed_twice_keeps_its_first_rank() -> None:
    merges = [Merge(0, 1, 4, 0), Merge(4, 2, 5, 0), Merge(0, 1, 4, 0)]
    assert rank_table(merges) == {(0, 1): (0, 4), (4, 2): (1, 5)}


@pytest.mark.parametrize("few", [0, 3, 10_000])
def test_learned_merges_agree_with_the_reference(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linked_module, "_FEW", few)

    @settings(max_examples=150, deadline=None)
    @given(
        learn=few_letters,
        text=st.one_of(few_letters, any_string),
        pre_tokenize=st.booleans(),
        base=st.sampled_from(["bytes", "characters"]),
    )
    def agree(learn: str, text: str, pre_tokenize: bool, base: str) -> None:
        tokenizer = BPETokenizer.train(learn, 300, base, pre_tokenize)  # type: ignore[arg-type]
        assert tokenizer.encode(text) == by_reference(tokenizer, text)

    agree()


@settings(max_examples=100, deadline=None)
@given(text=few_letters, pre_tokenize=st.booleans())
def test_encoding_the_training_text_replays_the_training(text: str, pre_tokenize: bool) -> None:
    tokenizer = BPETokenizer.train(text, 60, "characters", pre_tokenize)
    pieces = pretokenize(text) if pre_tokenize else [text]
    sequences = [tokenizer.alphabet.encode(piece).tolist() for piece in pieces]
    for merge in tokenizer.merges:
        pair = (merge.left, merge.right)
        sequences = [reference.replace_pair(s, pair, merge.id) for s in sequences]
    assert tokenizer.encode(text) == list(itertools.chain(*sequences))


LEARNED = BPETokenizer.train(PROSE, 500)


def hugging_face_twin(tokenizer: BPETokenizer) -> hugging_face.Tokenizer:
    """Hugging Face's encoder with our vocabulary and merges."""
    characters = gpt2_byte_characters()

    def spelled(i: int) -> str:
        return "".join(characters[b] for b in tokenizer.token_bytes(i))

    twin = hugging_face.Tokenizer(
        models.BPE(
            vocab={spelled(i): i for i in range(tokenizer.vocab_size)},
            merges=[(spelled(m.left), spelled(m.right)) for m in tokenizer.merges],
        )
    )
    twin.pre_tokenizer = pre_tokenizers.ByteLevel(
        add_prefix_space=False, use_regex=tokenizer.pre_tokenize
    )
    return twin


TWINS = [
    (tokenizer, hugging_face_twin(tokenizer))
    for tokenizer in (LEARNED, BPETokenizer.train(PROSE, 500, pre_tokenize=False))
]


@pytest.mark.parametrize("which", [0, 1])
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(any_text, few_letters, st.sampled_from([PROSE, *HOSTILE.values()])))
def test_agrees_with_hugging_face(which: int, text: str) -> None:
    ours, theirs = TWINS[which]
    clean = ours.decode(ours.encode(text))
    pieces = [text[a:b] for _, (a, b) in pre_tokenizers.ByteLevel(False).pre_tokenize_str(clean)]
    if pieces != PATTERN.findall(clean):
        return  # newer characters than one of the two Unicode tables knows
    assert ours.encode(text) == theirs.encode(clean).ids


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(few_letters, st.sampled_from([PROSE[:200], PROSE[200:400]])))
def test_agrees_with_tiktokens_lesson(text: str) -> None:
    ranks = {LEARNED.token_bytes(i): i for i in range(LEARNED.vocab_size)}
    ids = [
        i
        for piece in PATTERN.findall(text)
        for i in tiktoken_lesson.bpe_encode(ranks, piece.encode("utf-8"), visualise=None)
    ]
    assert LEARNED.encode(text) == ids


def test_a_full_cache_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.tokenizers import bpe

    expected = LEARNED.encode(PROSE)
    monkeypatch.setattr(bpe, "_CACHE_WORDS", 5)
    small = BPETokenizer(LEARNED.alphabet, LEARNED.merges)
    assert small.encode(PROSE) == expected
    assert small.encode(PROSE) == expected
