"""Stepping through merges: every state against replaying the merges one by one."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.tokenizers import BPETokenizer, to_utf8
from engine.tokenizers.alphabet import CharacterAlphabet
from engine.tokenizers.bpe import assign_ids
from engine.tokenizers.bpe_train import Merge, TieRule
from engine.tokenizers.merge_walk import MergeState, MergeWalk
from engine.tokenizers.pretokenize import pretokenize
from engine.tokenizers.reference import replace_pair
from tests.engine.tokenizers.texts import HOSTILE, PROSE, TUTORIAL, any_string, few_letters


def check_spans(state: MergeState, walk: MergeWalk, unknown: int | None) -> None:
    data = to_utf8(walk.text)
    position = 0
    for i, (start, end) in zip(state.ids.tolist(), state.byte_spans, strict=True):
        assert start == position < end
        assert i == unknown or walk.tokens[i] == data[start:end]
        position = end
    assert position == len(data)
    position = 0
    for start, end in state.spans:
        assert start == position <= end
        position = end
    assert position == len(walk.text)


def test_the_tutorials_example() -> None:
    walk = MergeWalk.learning(TUTORIAL)
    assert len(walk) == 11
    assert walk.stop_reason == "no pair occurs twice"
    assert walk.lengths.tolist() == [60, 54, 50, 46, 44, 42, 40, 38, 36, 34, 32, 30]
    start = walk.step(0)
    assert start.last is None
    assert start.next == walk.merges[0]
    assert len(start.ids) == 60
    top = start.pairs[0]
    assert (walk.tokens[top.left], walk.tokens[top.right], top.count) == (b"a", b"t", 6)
    assert [pair.count for pair in start.ties] == [6]
    end = walk.step(11)
    assert end.next is None
    assert end.ties == ()
    spelled = [walk.tokens[i].decode() for i in end.ids]
    assert "".join(spelled) == TUTORIAL
    assert " cat " in spelled and " cat." in spelled and spelled.count("attack") == 2


def test_the_other_tie_rule_is_told() -> None:
    walk = MergeWalk.learning("dc|dc|ab|ab")
    state = walk.step(0)
    assert len(state.ties) == 4  # dc, c|, |a, ab
    first, smallest = state.choice("first_seen"), state.choice("smallest_ids")
    assert first is not None and smallest is not None
    assert walk.tokens[first.left] + walk.tokens[first.right] == b"dc"
    assert walk.tokens[smallest.left] + walk.tokens[smallest.right] == b"ab"
    assert walk.step(len(walk)).choice("first_seen") is None


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(few_letters, any_string),
    pre_tokenize=st.booleans(),
    tie_rule=st.sampled_from(["first_seen", "smallest_ids"]),
    base=st.sampled_from(["bytes", "characters"]),
)
def test_learning_is_the_trainers_history_replayed(
    text: str, pre_tokenize: bool, tie_rule: TieRule, base: str
) -> None:
    walk = MergeWalk.learning(text, None, base, pre_tokenize, tie_rule)  # type: ignore[arg-type]
    trained = BPETokenizer.train(text, 1_000, base, pre_tokenize, tie_rule)  # type: ignore[arg-type]
    assert walk.merges == trained.merges
    pieces = pretokenize(text) if pre_tokenize else [text]
    sequences = [trained.alphabet.encode(piece).tolist() for piece in pieces]
    for step in range(len(walk) + 1):
        state = walk.step(step)
        flat = list(itertools.chain(*sequences))
        assert state.ids.tolist() == flat == walk.ids(step).tolist()
        assert walk.lengths[step] == len(flat)
        check_spans(state, walk, None)
        counts = Counter(pair for s in sequences for pair in itertools.pairwise(s))
        assert {(p.left, p.right): p.count for p in state.pairs} == dict(counts)
        assert [p.count for p in state.pairs] == sorted(counts.values(), reverse=True)
        for pair in state.pairs:
            assert flat[pair.first : pair.first + 2] == [pair.left, pair.right]
        chosen = state.choice(tie_rule)
        if step < len(walk):
            merge = walk.merges[step]
            assert state.next == merge
            assert chosen == state.pairs[0] == state.ties[0]
            assert (chosen.left, chosen.right, chosen.count) == (
                merge.left, merge.right, merge.count,
            )  # fmt: skip
            assert chosen.rank == step
            pair = (merge.left, merge.right)
            sequences = [replace_pair(s, pair, merge.id) for s in sequences]
        else:
            assert chosen is None
        made = walk.merges[step - 1].id if step else None
        assert state.fresh.tolist() == [i for i, x in enumerate(flat) if x == made]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("base", ["bytes", "characters"])
def test_hostile_texts(text: str, base: str) -> None:
    tokenizer = BPETokenizer.train(PROSE, 400, base)  # type: ignore[arg-type]
    for walk in (
        MergeWalk.learning(text, base=base),  # type: ignore[arg-type]
        MergeWalk.encoding(text, tokenizer),
    ):
        unknown = tokenizer.unknown_id if walk.stop_reason is None else None
        for step in {0, len(walk) // 2, len(walk)}:
            check_spans(walk.step(step), walk, unknown)


@settings(max_examples=80, deadline=None)
@given(text=st.one_of(few_letters, any_string), pre_tokenize=st.booleans())
def test_encoding_ends_in_what_encode_gives(text: str, pre_tokenize: bool) -> None:
    for base in ("bytes", "characters"):
        tokenizer = BPETokenizer.train(PROSE, 450, base, pre_tokenize)  # type: ignore[arg-type]
        walk = MergeWalk.encoding(text, tokenizer)
        assert walk.ids(len(walk)).tolist() == tokenizer.encode(text)
        assert walk.step(len(walk)).byte_spans == tokenizer.byte_spans(text)
        assert walk.ids(0).tolist() == tokenizer.alphabet.encode(text).tolist()
        ranks = [tokenizer.merges.index(merge) for merge in walk.merges]
        assert ranks == sorted(set(ranks))
        for step in range(len(walk)):
            state = walk.step(step)
            # The rule that comes next is the one of lowest rank among those that apply.
            assert min(p.rank for p in state.pairs if p.rank is not None) == ranks[step]


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet="abc", max_size=60))
def test_encoding_with_a_token_that_is_made_twice(text: str) -> None:
    alphabet = CharacterAlphabet("abc")
    parents = [(0, 1), (4, 2), (5, 0), (1, 2), (0, 7)]
    ids = assign_ids(alphabet, parents)
    merges = [Merge(left, right, new, 0) for (left, right), new in zip(parents, ids, strict=True)]
    tokenizer = BPETokenizer(alphabet, merges, pre_tokenize=False)
    walk = MergeWalk.encoding(text, tokenizer)
    assert walk.ids(len(walk)).tolist() == tokenizer.encode(text)
    for step in range(len(walk) + 1):
        check_spans(walk.step(step), walk, tokenizer.unknown_id)


def test_unknown_characters_are_no_part_of_pairs() -> None:
    tokenizer = BPETokenizer.train("abab", 20, "characters")
    state = MergeWalk.encoding("aéba", tokenizer).step(0)
    assert [(p.left, p.right) for p in state.pairs] == [(1, 0)]
    assert state.byte_spans == [(0, 1), (1, 3), (3, 4), (4, 5)]


def test_steps_that_do_not_exist_are_refused() -> None:
    walk = MergeWalk.learning("abab")
    for step in (-1, len(walk) + 1):
        with pytest.raises(LabError, match="no step"):
            walk.step(step)


def test_going_back_gives_the_same_state() -> None:
    walk = MergeWalk.learning(PROSE)
    once = walk.step(5)
    walk.step(len(walk))
    again = walk.step(5)
    assert np.array_equal(once.ids, again.ids)
    assert once.pairs == again.pairs
    assert once.spans == again.spans


def test_a_vocabulary_size_ends_learning() -> None:
    walk = MergeWalk.learning(PROSE, vocab_size=60)
    assert walk.stop_reason == "vocabulary full"
    assert len(walk.tokens) == 60
