"""The truth lifted to tokens, against sums over every text of the tiny grammar."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.models import story as truth
from engine.models.story import StoryModel
from engine.text.story import StoryLanguage
from engine.tokenizers import (
    BPETokenizer,
    ByteTokenizer,
    CharacterTokenizer,
    WordTokenizer,
)
from engine.tokenizers.base import Tokenizer
from tests.engine.story.oracle import texts_by_brute_force, tiny_language

TEXTS = texts_by_brute_force()
SAMPLE = list(TEXTS)[::3]


def tokenizers() -> list[Tokenizer]:
    joined = "\n".join(SAMPLE)
    return [
        CharacterTokenizer.train(joined),
        ByteTokenizer(),
        WordTokenizer.train(SAMPLE),
        WordTokenizer.train(SAMPLE, max_size=12),
        WordTokenizer.train(SAMPLE, max_size=1),
        BPETokenizer.train(joined, 280, base="bytes", pre_tokenize=True),
        BPETokenizer.train(joined, 60, base="characters", pre_tokenize=True),
    ]


@pytest.mark.parametrize("tokenizer", tokenizers(), ids=lambda t: t.name)
def test_next_token_probabilities_are_ratios_of_sums(tokenizer: Tokenizer) -> None:
    """At every prefix of every encoded text, from p(text) alone."""
    model = StoryModel(tiny_language(), tokenizer)
    end = tokenizer.vocab_size
    after: dict[tuple[int, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for text, p in TEXTS.items():
        ids = (*tokenizer.encode(text), end)
        for t, token in enumerate(ids):
            after[ids[:t]][token] += p
    for prefix, nexts in after.items():
        expected = np.zeros(model.vocab_size)
        expected[list(nexts)] = np.array(list(nexts.values())) / sum(nexts.values())
        row = np.exp(model.next_log_probs(prefix))
        np.testing.assert_allclose(row, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("tokenizer", tokenizers(), ids=lambda t: t.name)
def test_all_ways_to_ask_agree(tokenizer: Tokenizer) -> None:
    model = StoryModel(tiny_language(), tokenizer)
    assert model.vocab_size == tokenizer.vocab_size + 1
    assert model.kind == "truth"
    ids = [*tokenizer.encode(SAMPLE[0]), model.end_of_text]
    table = model.log_probs(ids)
    assert table.shape == (len(ids), model.vocab_size)
    writing = model.continuation(ids[:2])
    for t in range(2, len(ids)):
        np.testing.assert_array_equal(writing.next_log_probs(), table[t])
        np.testing.assert_array_equal(model.next_log_probs(ids[:t]), table[t])
        writing.append(ids[t])
    np.testing.assert_allclose(
        model.token_log_probs(ids), table[np.arange(len(ids)), ids], rtol=1e-12
    )
    # End-of-text is the begin-of-text of what follows, as for the other models.
    np.testing.assert_array_equal(writing.next_log_probs(), table[0])


LANGUAGE = StoryLanguage()
CORPUS = LANGUAGE.corpus(60_000, seed=3)


def story_tokenizers() -> list[Tokenizer]:
    return [
        CharacterTokenizer.train(CORPUS.text),
        ByteTokenizer(),
        WordTokenizer.train(CORPUS.train),
        WordTokenizer.train(CORPUS.train, max_size=600),
        BPETokenizer.train(CORPUS.text, 400, base="bytes", pre_tokenize=True),
    ]


@pytest.mark.parametrize("tokenizer", story_tokenizers(), ids=lambda t: t.name)
def test_real_stories(tokenizer: Tokenizer) -> None:
    """Sums to one at every token; a lossless tokenizer's tokens carry the story's log p."""
    model = StoryModel(LANGUAGE, tokenizer)
    for text in CORPUS.held_out[:6]:
        ids = [*tokenizer.encode(text), model.end_of_text]
        table = model.log_probs(ids)
        np.testing.assert_allclose(np.exp(table).sum(axis=1), 1.0, rtol=1e-12)
        scored = model.token_log_probs(ids).sum()
        if tokenizer.unknown_id is None or tokenizer.unknown_id not in ids:
            assert scored == pytest.approx(LANGUAGE.log_prob(text), rel=1e-12)
        else:
            assert scored >= LANGUAGE.log_prob(text) - 1e-9  # <unk> may be others too


def test_pieces_that_are_not_canonical_are_outside_the_language() -> None:
    """Under BPE a text can be spelled in single bytes, but it is never encoded so."""
    tokenizer = BPETokenizer.train(CORPUS.text, 400, base="bytes", pre_tokenize=True)
    model = StoryModel(LANGUAGE, tokenizer)
    text = CORPUS.held_out[0]
    spelled = [i for byte in text for i in tokenizer.encode(byte)]
    assert tokenizer.decode(spelled) == text
    assert len(tokenizer.encode(text)) < len(spelled)
    assert model.token_log_probs(spelled).min() == -math.inf
    assert model.token_log_probs(tokenizer.encode(text)).min() > -math.inf


@pytest.mark.parametrize("outside", ["Zebras", "Once upon a time", "xx", "."])
def test_outside_the_language(outside: str) -> None:
    tokenizer = ByteTokenizer()
    model = StoryModel(LANGUAGE, tokenizer)
    ids = tokenizer.encode(outside)
    assert model.token_log_probs(ids).min() == -math.inf
    assert (model.next_log_probs(ids) == -math.inf).all()
    assert (model.log_probs([*ids, 32])[-1] == -math.inf).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 256), max_size=12))
def test_any_ids_give_a_distribution_or_nothing(ids: list[int]) -> None:
    row = StoryModel(LANGUAGE, ByteTokenizer()).next_log_probs(ids)
    assert np.exp(row).sum() == pytest.approx(1.0) or (row == -math.inf).all()


def test_ids_beyond_the_vocabulary_are_an_error() -> None:
    with pytest.raises(ValueError, match="token ids"):
        StoryModel(LANGUAGE, ByteTokenizer()).next_log_probs([257])


def test_tokens_that_cross_words_are_refused() -> None:
    tokenizer = BPETokenizer.train("\n".join(SAMPLE), 280, base="bytes", pre_tokenize=False)
    with pytest.raises(LabError, match="parts of two words"):
        StoryModel(LANGUAGE, tokenizer)


def test_too_many_unknown_words_are_refused_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = WordTokenizer.train(CORPUS.train, max_size=1)
    monkeypatch.setattr(truth, "MAX_DERIVATIONS", 100)
    with pytest.raises(LabError, match="larger vocabulary"):
        StoryModel(LANGUAGE, tokenizer).token_log_probs(tokenizer.encode(CORPUS.train[0]))


def test_drawing_tokens_from_the_truth_writes_stories() -> None:
    tokenizer = BPETokenizer.train(CORPUS.text, 400, base="bytes", pre_tokenize=True)
    writing = StoryModel(LANGUAGE, tokenizer).continuation(())
    rng = np.random.default_rng(0)
    ids: list[int] = []
    while not ids or ids[-1] != tokenizer.vocab_size:
        ids.append(int(rng.choice(tokenizer.vocab_size + 1, p=np.exp(writing.next_log_probs()))))
        writing.append(ids[-1])
    assert LANGUAGE.log_prob(tokenizer.decode(ids[:-1])) > -math.inf
