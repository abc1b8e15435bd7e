"""Scoring texts by the grammar's own rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.text.story import StoryLanguage

LANGUAGE = StoryLanguage()

STORY = (
    "It was Friday morning, and it was raining. Anna came to the harbour on foot. She had"
    " brought a small red kite that was a present from her aunt. But when she turned round, the"
    " kite was gone. She looked under the nets and found an old shoe, which was no help. Then"
    " she asked the sailors, and they shook their heads. Then a goose appeared. It honked softly"
    " and waddled ahead. And there, behind a stack of boxes, lay the red kite. Anna thanked the"
    " goose and gave it some grain. And it was still raining."
)


def test_a_true_story_agrees_with_itself() -> None:
    rng = np.random.default_rng(8)
    for _ in range(60):
        result = LANGUAGE.check_consistency(LANGUAGE.sample(rng).text)
        assert (result.unread, result.out_of_order, result.disagree) == (0, 0, 0)
        assert result.agree > 0
        assert result.score == 1.0
        assert result.sentences > 5


@pytest.mark.parametrize(
    ("right", "wrong", "variable", "expected"),
    [
        ("lay the red kite", "lay the blue kite", "colour", "red"),
        ("lay the red kite", "lay the red lamp", "thing", "kite"),
        ("behind a stack of boxes", "behind the piano", "place", "behind a stack of boxes"),
        ("gave it some grain", "gave it a bone", "animal", "some grain"),
        ("thanked the goose", "thanked the owl", "animal", "goose"),
        ("it was still raining", "the fog was still thick", "weather", "it was still raining"),
        ("Anna thanked", "Tom thanked", "hero", "Anna"),
        ("when she turned", "when he turned", "hero", "she"),
    ],
)
def test_one_wrong_word_is_one_disagreement(
    right: str, wrong: str, variable: str, expected: str
) -> None:
    assert right in STORY
    whole = LANGUAGE.check_consistency(STORY)
    assert (whole.unread, whole.out_of_order, whole.disagree) == (0, 0, 0)
    result = LANGUAGE.check_consistency(STORY.replace(right, wrong))
    assert (result.unread, result.disagree) == (0, 1)
    assert result.agree + result.disagree == whole.agree
    (check,) = [check for check in result.checks if not check.agrees]
    assert (check.variable, check.expected) == (variable, expected)
    units = LANGUAGE.units(STORY.replace(right, wrong))
    assert units is not None
    assert units[check.position].strip() in wrong


def test_sentences_that_no_template_fits_are_counted_apart() -> None:
    broken = STORY.replace("Then a goose appeared.", "Then a goose kite the the.")
    result = LANGUAGE.check_consistency(broken)
    assert (result.unread, result.disagree) == (1, 0)
    assert result.sentences == LANGUAGE.check_consistency(STORY).sentences


def test_sentences_in_the_wrong_order_are_counted_apart() -> None:
    first, second, *rest = STORY.split(". ")
    swapped = ". ".join([first, second, *rest[3:], *rest[:3]]) + "."
    result = LANGUAGE.check_consistency(swapped.replace("..", "."))
    assert result.out_of_order > 0
    assert result.disagree == 0


def test_an_unfinished_sentence_is_left_out() -> None:
    cut = LANGUAGE.check_consistency(STORY + " And then the")
    assert cut == LANGUAGE.check_consistency(STORY)


def test_a_text_from_the_middle_of_a_story_can_be_read() -> None:
    middle = STORY[STORY.index("Then a goose") :]
    result = LANGUAGE.check_consistency(middle)
    assert (result.unread, result.disagree) == (0, 0)
    assert result.agree > 2


def test_nothing_to_check() -> None:
    empty = LANGUAGE.check_consistency("")
    assert (empty.sentences, empty.agree, empty.score) == (0, 0, None)
    foreign = LANGUAGE.check_consistency("Ceci n'est pas une pipe. 漢字! \ud800 ?")
    assert foreign.unread == foreign.sentences == 3
    assert foreign.score is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from([*STORY.split(), '"', "Tom", "?", "the"]), max_size=60))
def test_any_text_can_be_scored(words: list[str]) -> None:
    result = LANGUAGE.check_consistency(" ".join(words))
    assert 0 <= result.unread <= result.sentences
    assert result.agree + result.disagree == len(result.checks)
