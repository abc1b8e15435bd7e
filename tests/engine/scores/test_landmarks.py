"""Landmark losses against scores computed one by one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models import NGramModel
from engine.models.landmarks import Landmark, landmarks
from engine.models.ngram import counting
from engine.models.scores import held_out_score, spelling_nats
from engine.text.story import StoryLanguage
from engine.tokenizers import ByteTokenizer, CharacterTokenizer, WordTokenizer
from engine.tokenizers.stream import encode_documents


class Coin:
    """A language of three fair tosses, h or t: every document has 3 ln 2 nats."""

    def documents(self, n: int, seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        return ["".join(rng.choice(["h", "t"], size=3)) for _ in range(n)]

    def true_nats(self, documents: Sequence[str], job: Job = NO_JOB) -> float:
        fits = [len(d) == 3 and set(d) <= {"h", "t"} for d in documents]
        return sum(3 * math.log(2) if fit else math.inf for fit in fits)


def by_key(lines: list[Landmark]) -> dict[str, Landmark]:
    return {line.key: line for line in lines}


def test_every_line_is_the_loss_it_says() -> None:
    coin = Coin()
    train, held_out = coin.documents(400, 0), coin.documents(50, 1)
    tokenizer = CharacterTokenizer.train("ht")
    streams = encode_documents(tokenizer, train), encode_documents(tokenizer, held_out)
    lines = by_key(landmarks(*streams, coin, held_out))  # type: ignore[arg-type]
    assert list(lines) == ["uniform", "unigram", "bigram", "ngram", "truth"]
    assert lines["uniform"].nats_per_token == pytest.approx(math.log(tokenizer.vocab_size + 1))
    losses = {}
    for order in range(1, 7):
        score = held_out_score(NGramModel.train(streams[0], order), streams[1])
        losses[order] = score.nats_per_token
    best = min(losses, key=losses.__getitem__)
    assert lines["unigram"].nats_per_token == pytest.approx(losses[1])
    assert lines["bigram"].nats_per_token == pytest.approx(losses[2])
    assert lines["ngram"].nats_per_token == pytest.approx(losses[best])
    # The end shows by its place: only an order of 4 or more can count to three.
    assert best >= 4
    assert f"{best}-gram" in lines["ngram"].label
    assert f"n = {best - 1}" in lines["ngram"].explanation
    # 3 fair tosses and a certain end: 3 ln 2 over 4 tokens, 1 bit a byte.
    assert lines["truth"].nats_per_token == pytest.approx(3 * math.log(2) / 4)
    assert lines["truth"].bits_per_byte == pytest.approx(1)
    assert lines["truth"].nats_per_token < lines["ngram"].nats_per_token
    for line in lines.values():
        assert line.bits_per_byte == pytest.approx(line.nats_per_token / math.log(2) * 4 / 3)


def test_without_a_known_language() -> None:
    tokenizer = CharacterTokenizer.train("ht")
    stream = encode_documents(tokenizer, ["hth", "tth"])
    keys = [line.key for line in landmarks(stream, stream)]
    assert keys == ["uniform", "unigram", "bigram", "ngram"]
    # Texts outside the language have no true loss to draw.
    outside = landmarks(stream, stream, Coin(), ["hth", "ththt"])  # type: ignore[arg-type]
    assert [line.key for line in outside] == keys


def test_unknown_words_cost_spelling() -> None:
    tokenizer = WordTokenizer.train(["hth", "tth"])
    train = encode_documents(tokenizer, ["hth", "tth"])
    held_out = ["hth", "ttt"]
    stream = encode_documents(tokenizer, held_out)
    coin = Coin()
    lossy = landmarks(train, stream, coin, held_out, tokenizer=tokenizer)  # type: ignore[arg-type]
    extra = sum(spelling_nats(tokenizer, text) for text in held_out) / math.log(2) / 6
    assert extra == pytest.approx(4 * math.log2(257) / 6)
    *models, truth = lossy
    for bare, spelled in zip(landmarks(train, stream), models, strict=True):
        assert spelled.nats_per_token == bare.nats_per_token
        assert spelled.bits_per_byte == pytest.approx(bare.bits_per_byte + extra)
    # The truth tells all words apart by itself, and says that models need not.
    assert truth.bits_per_byte == pytest.approx(1)
    assert "1 <unk>" in truth.explanation
    known = landmarks(train, train, coin, ["hth", "tth"], tokenizer=tokenizer)  # type: ignore[arg-type]
    assert "<unk>" not in by_key(known)["truth"].explanation


def test_the_story_languages_own_loss() -> None:
    language = StoryLanguage()
    documents = list(language.generate(30_000, seed=1))
    held_out, train = documents[:5], documents[5:]
    tokenizer = ByteTokenizer()
    stream = encode_documents(tokenizer, held_out)
    lines = by_key(landmarks(encode_documents(tokenizer, train), stream, language, held_out))
    total = -sum(language.log_prob(document) for document in held_out)
    assert lines["truth"].nats_per_token == pytest.approx(total / stream.n_targets)
    assert lines["truth"].nats_per_token < lines["ngram"].nats_per_token


def test_a_text_too_rich_for_six_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    documents = ["".join(rng.choice(list("abcdef"), size=400))]
    tokenizer = CharacterTokenizer.train(documents[0])
    stream = encode_documents(tokenizer, documents)
    monkeypatch.setattr(counting, "MAX_NGRAMS", 400)  # 36 pairs and 216 triples at most
    line = by_key(landmarks(stream, stream))["ngram"]
    assert "orders 1 to 3" in line.explanation


def test_what_cannot_be_done() -> None:
    tokenizer = CharacterTokenizer.train("ht")
    stream = encode_documents(tokenizer, ["hth"])
    empty = encode_documents(tokenizer, [])
    with pytest.raises(LabError, match="held-out"):
        landmarks(stream, empty)
    with pytest.raises(LabError, match="training text is empty"):
        landmarks(empty, stream)
    other = encode_documents(CharacterTokenizer.train("xyz"), ["x"])
    with pytest.raises(ValueError, match="one tokenizer"):
        landmarks(stream, other)
    with pytest.raises(ValueError, match="texts are needed"):
        landmarks(stream, stream, Coin())  # type: ignore[arg-type]
