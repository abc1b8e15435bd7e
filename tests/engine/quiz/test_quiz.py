"""The quiz: items that are right, replies that agree with brute force, tallies that count."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from engine.errors import LabError
from engine.models import LanguageModel, NGramModel
from engine.models.base import LogProbs, Tokens
from engine.models.quiz import (
    Item,
    Reply,
    answer_all,
    chance,
    choice_log_probs,
    reply,
    tally,
    write_on,
)
from engine.models.quiz_tasks import (
    CHOICES,
    GROUPS,
    fill_in_items,
    odd_one_out_items,
    question_items,
    translation_items,
)
from engine.models.story import StoryModel
from engine.text import StoryLanguage
from engine.text.story import Story
from engine.tokenizers import BPETokenizer, CharacterTokenizer, WordTokenizer
from engine.tokenizers.stream import encode_documents

LANGUAGE = StoryLanguage()


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    rng = np.random.default_rng(5)
    return [LANGUAGE.sample(rng) for _ in range(60)]


@pytest.fixture(scope="module")
def tokenizer(stories: list[Story]) -> BPETokenizer:
    return BPETokenizer.train("\n".join(s.text for s in stories), 400)


class Scripted(LanguageModel):
    """Certain of one text, whatever the tokenizer: the answer key as a language model."""

    kind = "truth"

    def __init__(self, vocab_size: int, ids: list[int]) -> None:
        self._vocab_size, self._ids = vocab_size, ids

    @property
    def name(self) -> str:
        return "script"

    @property
    def vocab_size(self) -> int:
        return self._vocab_size

    def next_log_probs(self, context: Tokens) -> LogProbs:
        row = np.full(self._vocab_size, -np.inf)
        n = len(context)
        if list(context) == self._ids[:n]:
            row[self._ids[n] if n < len(self._ids) else self.end_of_text] = 0.0
        return row


def test_the_truth_knows_every_held_out_fact(stories: list[Story], tokenizer: BPETokenizer) -> None:
    truth = StoryModel(LANGUAGE, tokenizer)
    for items in (
        question_items(LANGUAGE, stories, 15, 0),
        fill_in_items(LANGUAGE, stories, 10, 0),
    ):
        replies = answer_all(truth, tokenizer, items)
        told = tally(items, replies)
        assert told.right == told.written == told.items == len(items)
        for item, said in zip(items, replies, strict=True):
            assert said.shares[item.right] == pytest.approx(1.0, abs=1e-9)


def test_questions_are_the_languages_own_with_rivals_of_their_kind(stories: list[Story]) -> None:
    items = question_items(LANGUAGE, stories, 40, 3)
    known = {(q.prompt, q.answer) for story in stories for q in LANGUAGE.questions(story)}
    assert len({item.prompt.split(" Question:")[0] for item in items}) == len(items)
    for item in items:
        assert (item.prompt, item.answer) in known
        assert len(set(item.choices)) == CHOICES
        # A wrong answer reads like a right one: same opening words, same number of sentences.
        assert {c.count(".") for c in item.choices} == {1}
        if item.answer.startswith(" to the "):
            assert all(c.startswith(" to the ") for c in item.choices)
        if "what is the work of" in item.prompt:
            name = item.prompt.split("work of ")[1].split("?")[0]
            assert all(c.startswith(f" {name} is a") for c in item.choices)


def test_places_of_the_right_choice_are_mixed(stories: list[Story]) -> None:
    places = Counter(item.right for item in question_items(LANGUAGE, stories, 40, 3))
    assert set(places) == set(range(CHOICES))


def test_fill_in_prompts_are_beginnings_of_held_out_stories(stories: list[Story]) -> None:
    texts = [story.text for story in stories]
    for item in fill_in_items(LANGUAGE, stories, 20, 1):
        assert sum(text.startswith(item.prompt + item.answer) for text in texts) == 1
        assert item.answer not in item.choices[: item.right] + item.choices[item.right + 1 :]


def test_the_odd_one_out_is_of_another_group() -> None:
    variables = {v.name: set(v.domain.keys) for v in LANGUAGE.automaton.variables}
    owner = {word: name for name in GROUPS for word in variables[name]}
    assert len(owner) == sum(len(variables[name]) for name in GROUPS), "a word is in two groups"
    for item in odd_one_out_items(LANGUAGE, 30, 3, 0):
        asked = item.prompt.split("Question:")
        assert len(asked) == 5  # nothing before the first, three examples, the question
        for part in asked[1:]:
            listed, _, answer = part.partition("? Answer:")
            words = listed.split("others, ")[1].split(", ")
            by_group = Counter(owner[word] for word in words)
            odd = next(w for w in words if by_group[owner[w]] == 1)
            assert sorted(by_group.values()) == [1, 3]
            assert answer.strip(" .") == odd if answer else item.answer == f" {odd}."


@pytest.mark.parametrize("shots", [0, 1, 3])
def test_translations_follow_the_dictionary_of_their_prompt(shots: int) -> None:
    items = translation_items(LANGUAGE, 20, shots, 4)
    for item in items:
        pairs = [part.split("? Answer:") for part in item.prompt.split("what is ")[1:]]
        told = {(a, b.replace("Question:", "").strip(" .")) for a, b in pairs[:-1]}
        assert len(pairs) == 6 * shots + 1
        assert len(told) == 6 * bool(shots)
        if shots:
            assert (pairs[-1][0], item.answer.strip(" .")) in told
            assert {c.strip(" .") for c in item.choices} <= {b for _, b in told}
    if shots:  # a new dictionary each time
        assert len({item.prompt for item in items}) == len(items)


def test_choices_are_scored_as_the_whole_texts_are(
    stories: list[Story], tokenizer: BPETokenizer
) -> None:
    """Differences between choices are those of log p(prompt + choice), by whatever tokens."""
    text = "\n".join(s.text for s in stories)
    crossing = BPETokenizer.train(text, 400, pre_tokenize=False)
    items = question_items(LANGUAGE, stories, 3, 0)
    for cutter in (tokenizer, crossing, CharacterTokenizer.train(text)):
        model = NGramModel.train(encode_documents(cutter, [s.text for s in stories]), 3)
        for item in items:
            scores = choice_log_probs(model, cutter, item.prompt, item.choices)
            whole = [
                float(np.sum(model.token_log_probs(cutter.encode_array(item.prompt + choice))))
                for choice in item.choices
            ]
            assert np.subtract(scores, scores[0]) == pytest.approx(np.subtract(whole, whole[0]))
            said = reply(model, cutter, item)
            assert said.chosen == int(np.argmax(whole))
            assert sum(said.shares) == pytest.approx(1.0)


def test_who_knows_the_text_writes_the_answer(tokenizer: BPETokenizer) -> None:
    item = Item("questions", "Ida went home. Question: who? Answer:", (" Ida.", " Tom."), 0)
    ids = tokenizer.encode(item.prompt + item.answer)
    model = Scripted(tokenizer.vocab_size + 1, ids)
    said = reply(model, tokenizer, item)
    assert said == Reply((1.0, 0.0), 0, " Ida.", True)
    other = Item("questions", item.prompt, (" Tom.", " Ida."), 0)
    assert reply(model, tokenizer, other) == Reply((0.0, 1.0), 1, " Ida.", False)


def test_writing_stops_at_the_sentence_the_end_and_the_limit(tokenizer: BPETokenizer) -> None:
    ids = tokenizer.encode("One two. Three")
    v = tokenizer.vocab_size + 1
    assert write_on(Scripted(v, ids), tokenizer, "One") == " two."
    short = Scripted(v, tokenizer.encode("One two"))
    assert write_on(short, tokenizer, "One") == " two"
    assert write_on(short, tokenizer, "One two") == ""  # end-of-text
    assert write_on(short, tokenizer, "Other") == ""  # undefined
    assert write_on(Scripted(v, ids), tokenizer, "", most=1) == tokenizer.decode(ids[:1])


def test_an_undefined_answer_is_none(tokenizer: BPETokenizer) -> None:
    item = Item("questions", "Zzz", (" Ida.", " Tom."), 0)
    said = reply(Scripted(tokenizer.vocab_size + 1, [0]), tokenizer, item)
    assert said.chosen is None and not said.answered and not said.wrote_it
    assert all(math.isnan(share) for share in said.shares)


def test_a_tie_is_no_answer(tokenizer: BPETokenizer) -> None:
    """A unigram that never saw either word's tokens apart would win by the order of choices."""
    item = Item("fill_in", "so", ("a", "a"), 0)
    counted = encode_documents(tokenizer, ["so a"])
    assert reply(NGramModel.train(counted, 1, "add_k"), tokenizer, item).chosen is None


def test_unknown_words_are_not_answered() -> None:
    cutter = WordTokenizer.train("Ida went home. Tom slept.", 20)
    model = NGramModel.train(encode_documents(cutter, ["Ida went home."]), 2)
    item = Item("fill_in", "Ida went", (" home", " xylophone"), 0)
    assert reply(model, cutter, item).chosen is None
    assert math.isnan(choice_log_probs(model, cutter, item.prompt, item.choices)[1])


def test_tallies_count() -> None:
    items = [Item("fill_in", "", ("a", "b"), 0), Item("fill_in", "", ("a", "b", "c", "d"), 1)]
    items.append(items[0])
    nothing = (math.nan, math.nan)
    replies = [
        Reply((0.9, 0.1), 0, "a", True),
        Reply((1.0, 0.0, 0.0, 0.0), 0, "b", True),
        Reply(nothing, None, "", False),
    ]
    told = tally(items, replies)
    assert (told.items, told.right, told.unanswered, told.written) == (3, 1, 1, 2)
    assert told.accuracy == pytest.approx(1 / 3) and told.written_share == pytest.approx(2 / 3)
    low, high = told.interval
    assert low < 1 / 3 < high
    assert chance(items) == pytest.approx((0.5 + 0.25 + 0.5) / 3)
    assert math.isnan(chance([])) and math.isnan(tally([], []).accuracy)
    with pytest.raises(ValueError, match="zip"):
        tally(items, replies[:1])


def test_a_seed_draws_the_same_items(stories: list[Story]) -> None:
    for draw in (
        lambda seed: question_items(LANGUAGE, stories, 5, seed),
        lambda seed: fill_in_items(LANGUAGE, stories[:20], 5, seed),
        lambda seed: odd_one_out_items(LANGUAGE, 5, 2, seed),
        lambda seed: translation_items(LANGUAGE, 5, 1, seed),
    ):
        assert draw(1) == draw(1) != draw(2)


def test_one_story_is_enough_and_none_is_said_so(stories: list[Story]) -> None:
    (item,) = question_items(LANGUAGE, stories[:1], 5, 0)
    assert item.prompt.startswith(stories[0].body) and len(item.choices) == CHOICES
    with pytest.raises(LabError, match="more text"):
        question_items(LANGUAGE, [], 5, 0)
    with pytest.raises(LabError, match="settled"):
        fill_in_items(LANGUAGE, [], 5, 0)
