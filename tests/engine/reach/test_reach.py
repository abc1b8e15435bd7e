"""The probe of what a model remembers, against the language itself and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.errors import LabError
from engine.models import NGramModel, StoryModel
from engine.models.reach import (
    BINS,
    Probe,
    find_probes,
    keeps_to_its_facts,
    reach,
    word_probabilities,
)
from engine.text.story import StoryLanguage
from engine.tokenizers import BPETokenizer, ByteTokenizer, WordTokenizer, encode_documents

LANGUAGE = StoryLanguage()
RNG = np.random.default_rng(4)
STORIES = [LANGUAGE.sample(RNG) for _ in range(12)]
PROBES = find_probes(LANGUAGE, STORIES)
TRAIN = LANGUAGE.generate(30_000, seed=8)
BYTES = ByteTokenizer()


def test_probes_are_settled_words_with_one_right_answer() -> None:
    assert len(PROBES) > 30
    for probe in PROBES:
        story = STORIES[probe.story]
        assert story.words[probe.position] == probe.word
        assert probe.cause <= probe.reminder < probe.position
        assert probe.distance == probe.position - probe.reminder
        state = LANGUAGE.start()
        for word in story.words[: probe.position]:
            state = state.advance(word)
        assert state.probability(probe.word) > 0.999
    assert len({(p.story, p.position) for p in PROBES}) == len(PROBES)


def test_the_truth_always_knows() -> None:
    truth = StoryModel(LANGUAGE, BYTES)
    np.testing.assert_allclose(word_probabilities(truth, BYTES, STORIES, PROBES), 1.0, atol=1e-3)


@pytest.mark.parametrize("order", [1, 3])
def test_a_words_probability_is_the_product_of_its_tokens(order: int) -> None:
    model = NGramModel.train(encode_documents(BYTES, TRAIN), order)
    some = PROBES[::7]
    got = word_probabilities(model, BYTES, STORIES, some)
    for probe, p in zip(some, got, strict=True):
        words = STORIES[probe.story].words
        ids = BYTES.encode("".join(words[: probe.position]))
        product = 1.0
        for token in BYTES.encode(probe.word):
            product *= math.exp(model.next_log_probs(ids)[token])
            ids.append(token)
        assert p == pytest.approx(product)


def test_unknown_words_are_left_out_and_crossing_tokens_refused() -> None:
    few = WordTokenizer.train(TRAIN, max_size=30)
    model = NGramModel.train(encode_documents(few, TRAIN), 2)
    p = word_probabilities(model, few, STORIES, PROBES)
    for probe, value in zip(PROBES, p, strict=True):
        assert math.isnan(value) == (few.unknown_id in few.encode(probe.word))
    crossing = BPETokenizer.train(TRAIN, 300, pre_tokenize=False)
    with pytest.raises(LabError, match="two"):
        word_probabilities(model, crossing, STORIES, PROBES)


def test_means_and_intervals_by_hand() -> None:
    def probe(distance: int) -> Probe:
        return Probe(0, 100, distance, 100 - distance, 0, "x")

    probes = [probe(1), probe(2), probe(2), probe(90), probe(4)]
    got = list(reach(probes, [0.2, 0.4, 0.6, 1.0, math.nan]))
    assert [(r.low, r.high, r.n) for r in got] == [(1, 2, 3), (81, None, 1)]
    first = got[0]
    assert first.mean == pytest.approx(0.4) and first.distance == pytest.approx(5 / 3)
    half = 1.96 * 0.2 / math.sqrt(3)  # standard deviation 0.2
    assert first.upper - first.mean == pytest.approx(half, rel=1e-4)
    assert (got[1].lower, got[1].upper) == (0.0, 1.0)  # one probe tells little
    assert BINS[0] == 1


def test_the_language_keeps_to_its_own_facts_and_mixed_stories_do_not() -> None:
    whole = keeps_to_its_facts(LANGUAGE, [s.text for s in STORIES])
    assert whole.share == 1.0 and whole.unread == 0 and whole.texts == len(STORIES)
    # Another story's second half in place of one's own contradicts it.
    mixed = [
        "".join(a.words[: len(a.words) // 2]) + "".join(b.words[len(b.words) // 2 :])
        for a, b in zip(STORIES, STORIES[1:] + STORIES[:1], strict=True)
    ]
    assert keeps_to_its_facts(LANGUAGE, mixed).share < 1.0
    nothing = keeps_to_its_facts(LANGUAGE, [""])
    assert math.isnan(nothing.share) and nothing.interval == (0.0, 1.0)


def test_wilsons_interval() -> None:
    from engine.models.reach import Kept

    low, high = Kept(1, 8, 2, 10, 0).interval  # textbook: 8 of 10
    assert low == pytest.approx(0.4902, abs=1e-4) and high == pytest.approx(0.9433, abs=1e-4)
