"""The stories themselves: units, probabilities, facts, questions, and the shape of the words."""

import math
from collections import Counter

import numpy as np
import pytest

from engine.jobs import Job, JobCancelled
from engine.text.story import END, StoryLanguage
from tests.engine.story.oracle import words_of

LANGUAGE = StoryLanguage()
STORIES = LANGUAGE.generate(300_000, seed=11)


def test_units_are_gpt2_pre_tokens() -> None:
    for text in STORIES:
        assert text.isascii()
        assert LANGUAGE.units(text) == words_of(text)
        assert not any(character.isdigit() or character in "'\n" for character in text)


def test_next_words_sum_to_one_and_their_logs_to_log_prob() -> None:
    for text in STORIES[:80]:
        state, total = LANGUAGE.start(), 0.0
        for word in [*words_of(text), END]:
            nexts = state.next_words()
            assert sum(nexts.values()) == pytest.approx(1.0, abs=1e-12)
            assert min(nexts.values()) > 0.0
            total += math.log(nexts[word])
            if word != END:
                state = state.advance(word)
        assert LANGUAGE.log_prob(text) == pytest.approx(total, rel=1e-12)
    expected = -sum(LANGUAGE.log_prob(text) for text in STORIES[:20])
    assert LANGUAGE.true_nats(STORIES[:20]) == pytest.approx(expected)


def test_outside_the_language() -> None:
    story = STORIES[0]
    for text in (
        "",
        " ",
        "Hello",
        story[:-1],
        story + " ",
        " " + story,
        story + ".",
        "né " + story,
    ):
        assert LANGUAGE.log_prob(text) == -math.inf
        assert LANGUAGE.read(text) is None
    assert LANGUAGE.true_nats([story, "Hello"]) == math.inf


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_first_words_come_as_often_as_they_should(length: int) -> None:
    """χ² of the word after the most common beginning of this length, over 2,300 stories."""
    begins = Counter(tuple(words_of(text)[:length]) for text in STORIES)
    history, n = begins.most_common(1)[0]
    state = LANGUAGE.start()
    for word in history:
        state = state.advance(word)
    seen = Counter(words_of(t)[length] for t in STORIES if tuple(words_of(t)[:length]) == history)
    assert set(seen) <= set(state.next_words())
    chi2 = rest = rest_seen = cells = 0.0
    for word, p in state.next_words().items():
        if n * p < 5:
            rest, rest_seen = rest + n * p, rest_seen + seen[word]
        else:
            chi2, cells = chi2 + (seen[word] - n * p) ** 2 / (n * p), cells + 1
    if rest > 0:
        chi2, cells = chi2 + (rest_seen - rest) ** 2 / rest, cells + 1
    assert chi2 < cells + 4 * math.sqrt(2 * cells)


def test_seeds() -> None:
    assert LANGUAGE.generate(20_000, seed=1) == LANGUAGE.generate(20_000, seed=1)
    assert LANGUAGE.generate(20_000, seed=1) != LANGUAGE.generate(20_000, seed=2)
    assert (
        LANGUAGE.generate(20_000, seed=1)
        == StoryLanguage().generate(40_000, seed=1)[: len(LANGUAGE.generate(20_000, seed=1))]
    )
    drawn = LANGUAGE.sample(np.random.default_rng(1))
    assert drawn == LANGUAGE.sample(np.random.default_rng(1))
    assert drawn.text == LANGUAGE.generate(1, seed=1)[0]
    assert LANGUAGE.generate(0, seed=1) == []


def test_size_and_variety() -> None:
    stories = LANGUAGE.generate(100_000, seed=5)
    size = sum(len(text) for text in stories)
    assert 100_000 <= size < 102_000
    assert len(set(stories)) == len(stories)
    lengths = np.array([len(words_of(text)) for text in STORIES])
    assert np.quantile(lengths, 0.01) > 70
    assert np.quantile(lengths, 0.99) < 220


def test_words_have_a_zipf_like_tail() -> None:
    counts = Counter(
        w.strip().lower() for text in STORIES for w in words_of(text) if w[-1].isalpha()
    )
    frequencies = np.sort(np.array(list(counts.values()), dtype=float))[::-1]
    assert 500 < len(frequencies) < 1300
    ranks = np.arange(1, len(frequencies) + 1)
    middle = slice(4, len(frequencies) // 2)
    slope = np.polyfit(np.log(ranks[middle]), np.log(frequencies[middle]), 1)[0]
    assert -1.5 < slope < -0.7
    assert frequencies[: len(frequencies) // 10].sum() > 0.5 * frequencies.sum()
    assert frequencies[-len(frequencies) // 4 :].sum() < 0.05 * frequencies.sum()


def test_no_model_of_the_words_does_better_than_the_truth() -> None:
    """An interpolated trigram with every training story loses on held-out ones."""
    corpus = LANGUAGE.corpus(300_000, seed=2)
    grams: list[Counter[tuple[str, ...]]] = [Counter(), Counter(), Counter(), Counter()]
    for text in corpus.train:
        words = ["", "", *words_of(text), END]
        for t in range(2, len(words)):
            for n in range(4):
                grams[n][tuple(words[max(0, t - n + 1) : t + 1]) if n else ()] += 1
            grams[3][(words[t - 2], words[t - 1], "*")] += 1
            grams[2][(words[t - 1], "*")] += 1
    nats = 0.0
    for text in corpus.held_out:
        words = ["", "", *words_of(text), END]
        for t in range(2, len(words)):
            unigram = (grams[1][(words[t],)] + 1) / (grams[0][()] + 5000)
            two, three = grams[2][(words[t - 1], "*")], grams[3][(words[t - 2], words[t - 1], "*")]
            bigram = grams[2][(words[t - 1], words[t])] / two if two else unigram
            triple = tuple(words[t - 2 : t + 1])
            trigram = grams[3][triple] / three if three else bigram
            nats -= math.log(0.1 * unigram + 0.3 * bigram + 0.6 * trigram)
    assert LANGUAGE.true_nats(corpus.held_out) < 0.5 * nats


def test_reading_gives_back_the_facts() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        story = LANGUAGE.sample(rng)
        read = LANGUAGE.read(story.text)
        assert read is not None
        assert read.words == story.words
        told = {fact.variable: fact.value for fact in story.facts}
        again = {fact.variable: fact.value for fact in read.facts}
        assert again["hero"] == told["hero"] == story.value("hero")
        assert set(told.values()) == set(again.values())


def test_facts_point_at_words_that_the_story_settles() -> None:
    """The dependent word keeps its probability, its rivals lose theirs, because of the cause."""
    rng = np.random.default_rng(3)
    far, near_certain, checked = 0, 0, 0
    for _ in range(40):
        story = LANGUAGE.sample(rng)
        for fact in story.facts:
            for dependent in fact.dependents:
                assert story.words[dependent.position] == dependent.word
                assert dependent.word not in dependent.rivals
                assert fact.position <= dependent.cause <= dependent.reminder
                assert dependent.reminder < dependent.position
                far += dependent.distance > 30
                state = LANGUAGE.start()
                for word in story.words[: dependent.position]:
                    state = state.advance(word)
                nexts = state.next_words()
                right = nexts[dependent.word]
                wrong = sum(nexts.get(rival, 0.0) for rival in dependent.rivals)
                near_certain += right > 10 * wrong
                checked += 1
    assert checked > 300
    assert far > 50
    assert near_certain > 0.85 * checked


def test_the_object_changes_hands() -> None:
    """Who holds the thing at the end is whoever was given it last."""
    rng = np.random.default_rng(4)
    stories = [LANGUAGE.sample(rng) for _ in range(150)]
    given = [story for story in stories if story.value("giver")]
    assert len(given) > 5
    for story in given:
        roles = [fact for fact in story.facts if fact.variable in ("receiver", "holder")]
        assert roles[-1].value == story.value("holder") == story.value("receiver")
        assert story.value("giver") != story.value("receiver")


def test_questions_have_the_answers_that_the_language_itself_gives() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        story = LANGUAGE.sample(rng)
        questions = LANGUAGE.questions(story)
        assert len(questions) >= 1
        for question in questions:
            assert question.prompt.startswith(story.body + " Question: ")
            assert question.prompt.endswith("? Answer:")
            assert LANGUAGE.log_prob(question.prompt + question.answer) > -math.inf
            state = LANGUAGE.start()
            for word in words_of(question.prompt):
                state = state.advance(word)
            first = words_of(question.answer)[0]
            assert state.next_words()[first] == pytest.approx(1.0, abs=1e-9)


def test_the_corpus_holds_whole_stories_out() -> None:
    corpus = LANGUAGE.corpus(100_000, seed=0)
    assert corpus.key == "stories"
    assert corpus.language is LANGUAGE
    assert not set(corpus.train) & set(corpus.held_out)
    share = len(corpus.held_out) / (len(corpus.train) + len(corpus.held_out))
    assert share == pytest.approx(0.1, abs=0.01)
    assert corpus == LANGUAGE.corpus(100_000, seed=0)
    assert "seed 0" in corpus.origin
    assert LANGUAGE.version in corpus.origin


def test_writing_can_be_stopped() -> None:
    class Stops(Job):
        calls = 0

        def yield_point(self) -> None:
            self.calls += 1
            if self.calls == 3:
                raise JobCancelled

    with pytest.raises(JobCancelled):
        LANGUAGE.generate(1_000_000, seed=0, job=Stops())
    with pytest.raises(JobCancelled):
        LANGUAGE.true_nats(STORIES, job=Stops())
