"""Learning merges: the tutorial's example, and four independent oracles."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter

import pytest
import tokenizers as hugging_face
from hypothesis import given, settings
from hypothesis import strategies as st
from tiktoken import _educational as tiktoken_lesson
from tokenizers import models, pre_tokenizers, trainers

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.tokenizers import BPETokenizer, reference
from engine.tokenizers import bpe_train as training
from engine.tokenizers import linked as linked_module
from engine.tokenizers.alphabet import gpt2_byte_characters
from engine.tokenizers.bpe_train import TieRule
from engine.tokenizers.pretokenize import PATTERN, count_words
from tests.engine.tokenizers.texts import HOSTILE, PROSE, TUTORIAL, any_string, few_letters


def strings(tokenizer: BPETokenizer) -> list[tuple[bytes, bytes]]:
    """The merges, spelled out."""
    table = tokenizer.token_bytes
    return [(table(merge.left), table(merge.right)) for merge in tokenizer.merges]


def random_prose(seed: int, words: int) -> str:
    """Words of few syllables, with a Zipf-like tail: many merges, many ties."""
    draw = random.Random(seed)
    syllables = ["ba", "bab", "an", "ana", "the", "er", "re", "éa", "ing", "n", "中文", "o'"]
    lexicon = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(80)]
    weights = [1 / rank for rank in range(1, 81)]
    marks = [" "] * 12 + [", ", ".\n", "  ", " - "]
    return "".join(
        word + draw.choice(marks) for word in draw.choices(lexicon, weights=weights, k=words)
    )


# The tutorial's algorithm


def test_the_tutorials_example() -> None:
    tokenizer = BPETokenizer.train(TUTORIAL, 1_000, base="characters", pre_tokenize=False)
    assert [tokenizer.token_bytes(merge.id).decode() for merge in tokenizer.merges] == [
        "at", " c", " cat", "he", "he ", " cat ", "att", "atta", "attac", "attack", " cat.",
    ]  # fmt: skip
    assert [merge.count for merge in tokenizer.merges] == [6, 4, 4, *[2] * 8]
    assert len(TUTORIAL) == 60
    assert len(tokenizer.encode(TUTORIAL)) == 30
    assert tokenizer.stop_reason == "no pair occurs twice"


def test_overlapping_pairs_are_all_counted_and_merged_from_the_left() -> None:
    tokenizer = BPETokenizer.train("aaaaab", 4, base="characters", pre_tokenize=False)
    (merge,) = tokenizer.merges
    assert (merge.left, merge.right, merge.count) == (0, 0, 4)
    assert [tokenizer.token_bytes(i) for i in tokenizer.encode("aaaaab")] == [
        b"aa", b"aa", b"a", b"b",
    ]  # fmt: skip


def test_the_two_tie_rules_differ() -> None:
    text = "dc dc ab ab"
    first = BPETokenizer.train(text, 7, base="characters", tie_rule="first_seen")
    smallest = BPETokenizer.train(text, 7, base="characters", tie_rule="smallest_ids")
    assert strings(first) == [(b"d", b"c")]
    assert strings(smallest) == [(b" ", b"a")]


def test_the_unknown_tokens_name_may_stand_in_the_text() -> None:
    text = "<unk> is <unk> and <unk> is not"
    tokenizer = BPETokenizer.train(text, 60, base="characters", pre_tokenize=False)
    assert b"<unk>" in [tokenizer.token_bytes(merge.id) for merge in tokenizer.merges]
    assert tokenizer.unknown_id not in tokenizer.encode(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


# Against the slow, obvious reference


@pytest.mark.parametrize("few", [0, 2, 10_000])
def test_agrees_with_the_reference(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # 0: all in whole-array steps. 10,000: all one by one. 2: a mixture.
    monkeypatch.setattr(linked_module, "_FEW", few)

    @settings(max_examples=250, deadline=None)
    @given(
        text=st.one_of(few_letters, any_string),
        extra=st.integers(0, 40),
        pre_tokenize=st.booleans(),
        tie_rule=st.sampled_from(["first_seen", "smallest_ids"]),
        base=st.sampled_from(["bytes", "characters"]),
    )
    def agree(text: str, extra: int, pre_tokenize: bool, tie_rule: TieRule, base: str) -> None:
        alphabet = BPETokenizer.train(text, 1_000, base).alphabet  # type: ignore[arg-type]
        size = alphabet.size + extra
        fast = BPETokenizer.train(text, size, base, pre_tokenize, tie_rule)  # type: ignore[arg-type]
        words = count_words([text]) if pre_tokenize else {text: 1}
        merges, tokens = reference.train_merges(
            [alphabet.encode(word).tolist() for word in words],
            list(words.values()),
            alphabet.tokens,
            size,
            tie_rule,
        )
        assert list(fast.merges) == merges
        assert [fast.token_bytes(i) for i in range(fast.vocab_size)] == tokens

    agree()


@pytest.mark.parametrize("tie_rule", ["first_seen", "smallest_ids"])
@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_the_reference_on_longer_texts(seed: int, tie_rule: TieRule) -> None:
    draw = random.Random(seed)
    letters = "ab" if seed % 2 else "abc"
    blocks = ["".join(draw.choices(letters, k=draw.randint(1, 6))) for _ in range(12)]
    text = "".join(draw.choices(blocks, k=600))
    fast = BPETokenizer.train(text, 150, "characters", False, tie_rule)
    merges, tokens = reference.train_merges(
        [fast.alphabet.encode(text).tolist()], [1], fast.alphabet.tokens, 150, tie_rule
    )
    assert list(fast.merges) == merges
    # The reference would give a string that is made again its old id; learning makes none.
    assert len(merges) == len(tokens) - fast.alphabet.size


# Against the libraries


def hugging_face_merges(text: str, vocab_size: int) -> tuple[dict[str, int], list[list[str]]]:
    """Vocabulary and merges of Hugging Face's byte-level trainer."""
    tokenizer = hugging_face.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], model["merges"]


@pytest.mark.parametrize("text", [PROSE, *(random_prose(seed, 800) for seed in range(6))])
def test_agrees_with_hugging_face(text: str) -> None:
    ours = BPETokenizer.train(text, 700)
    vocabulary, merges = hugging_face_merges(text, 700)
    as_text = gpt2_byte_characters()

    def spelled(token: bytes) -> str:
        return "".join(as_text[b] for b in token)

    assert [[spelled(a), spelled(b)] for a, b in strings(ours)] == merges
    tokens = [spelled(ours.token_bytes(i)) for i in range(ours.vocab_size)]
    assert {token: i for i, token in enumerate(tokens)} == vocabulary


@pytest.mark.parametrize("text", [PROSE, random_prose(7, 400)])
def test_agrees_with_tiktokens_lesson(text: str) -> None:
    # tiktoken's educational trainer: bytes, pre-tokens, ties to the pair first seen.
    ours = BPETokenizer.train(text, 256 + 120, tie_rule="first_seen")
    size = ours.vocab_size  # theirs would go on, to pairs that stand only once
    theirs = tiktoken_lesson.bpe_train(text, size, PATTERN.pattern, visualise=None)
    learned = [token for token, rank in sorted(theirs.items(), key=lambda x: x[1]) if rank >= 256]
    assert [a + b for a, b in strings(ours)] == learned


@pytest.mark.parametrize("text", [PROSE, random_prose(8, 200), TUTORIAL])
def test_agrees_with_minbpes_rule(text: str) -> None:
    # minbpe's rule on bytes: count neighbours in order, take the first of the largest, put
    # the new id in from left to right. (It gives a remade string a new id; none is here.)
    ids = list(text.encode("utf-8"))
    merges: list[tuple[int, int]] = []
    spelled = {b: bytes([b]) for b in range(256)}
    while len(merges) < 100:
        pair, count = Counter(itertools.pairwise(ids)).most_common(1)[0]
        if count < 2:
            break
        new = 256 + len(merges)
        merges.append(pair)
        spelled[new] = spelled[pair[0]] + spelled[pair[1]]
        merged: list[int] = []
        for i in ids:
            if merged and (merged[-1], i) == pair:
                merged[-1] = new
            else:
                merged.append(i)
        ids = merged
    assert len(set(spelled.values())) == len(spelled)
    ours = BPETokenizer.train(text, 356, pre_tokenize=False)
    assert strings(ours) == [(spelled[a], spelled[b]) for a, b in merges]


# Properties of histories


@settings(max_examples=100, deadline=None)
@given(text=few_letters, pre_tokenize=st.booleans(), sizes=st.lists(st.integers(0, 30), max_size=3))
def test_truncating_is_training_smaller(text: str, pre_tokenize: bool, sizes: list[int]) -> None:
    full = BPETokenizer.train(text, 60, "characters", pre_tokenize)
    for extra in sizes:
        size = full.alphabet.size + extra
        small = full.truncated(size)
        trained = BPETokenizer.train(text, size, "characters", pre_tokenize)
        assert small.merges == trained.merges
        assert small.encode(text) == trained.encode(text)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(few_letters, max_size=4), pre_tokenize=st.booleans())
def test_no_token_crosses_from_one_document_to_the_next(
    documents: list[str], pre_tokenize: bool
) -> None:
    tokenizer = BPETokenizer.train(documents, 50, "characters", pre_tokenize)
    for i in range(tokenizer.alphabet.size, tokenizer.vocab_size):
        token = tokenizer.token_bytes(i).decode()
        assert any(token in document for document in documents)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("pre_tokenize", [True, False])
def test_hostile_texts_can_be_learned_from(text: str, pre_tokenize: bool) -> None:
    tokenizer = BPETokenizer.train(text, 400, pre_tokenize=pre_tokenize)
    counts = [merge.count for merge in tokenizer.merges]
    assert all(count >= 2 for count in counts)
    assert tokenizer.vocab_size <= 400


def test_counts_never_rise() -> None:
    counts = [merge.count for merge in BPETokenizer.train(PROSE, 1_000).merges]
    assert counts == sorted(counts, reverse=True)


def test_why_it_stopped() -> None:
    assert BPETokenizer.train(PROSE, 300).stop_reason == "vocabulary full"
    assert BPETokenizer.train("abc", 300).stop_reason == "no pair occurs twice"


def test_tokens_never_take_all_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # A text that is the same thing twice makes tokens 2, 3, 4 … symbols long.
    draw = random.Random(1)
    half = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=400))
    monkeypatch.setattr(training, "MAX_TOKEN_BYTES", 2_000)
    tokenizer = BPETokenizer.train(half + half, 10_000, pre_tokenize=False)
    assert tokenizer.stop_reason == "tokens too long"
    size = sum(len(tokenizer.token_bytes(i)) for i in range(tokenizer.vocab_size))
    assert size <= 2_000


def test_names_say_what_it_is() -> None:
    assert BPETokenizer.train(PROSE, 300).name == "BPE, 300 tokens"
    over_characters = BPETokenizer.train(PROSE, 100, "characters", pre_tokenize=False)
    assert over_characters.name == "BPE of characters across words, 100 tokens"


@pytest.mark.parametrize(
    ("size", "base", "message"),
    [(255, "bytes", "256 or more"), (3, "characters", "no room"), (10**9, "bytes", "at most")],
)
def test_impossible_sizes_are_refused(size: int, base: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        BPETokenizer.train("abcd", size, base)  # type: ignore[arg-type]
    with pytest.raises(LabError, match="base vocabulary"):
        BPETokenizer.train("abcd", 300).truncated(255)


def test_an_unknown_base_is_refused() -> None:
    with pytest.raises(LabError, match="not from “words”"):
        BPETokenizer.train("abcd", 300, "words")  # type: ignore[arg-type]


def test_learning_tells_its_progress_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "_YIELD_SECONDS", 0.0)

    class Stopping(Job):
        def __init__(self) -> None:
            self.told: list[tuple[float, float | None, str]] = []

        def progress(self, done: float, total: float | None = None, message: str = "") -> None:
            self.told.append((done, total, message))
            if len(self.told) == 10:
                raise JobCancelled

    job = Stopping()
    with pytest.raises(JobCancelled):
        BPETokenizer.train(PROSE, 1_000, job=job)
    merging = [done for done, total, message in job.told if "merges" in message and total == 1_000]
    assert merging == sorted(merging)
    assert len(merging) >= 8
