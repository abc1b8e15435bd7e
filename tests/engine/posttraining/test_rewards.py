"""Terms, mixes and rubrics: what they score, and what they say of it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import LabError
from engine.posttraining.prompts import Answer, Criterion, Prompt, Verdict
from engine.posttraining.rewards import TERMS, RewardMix, RewardTerm, terms_for
from engine.posttraining.rubric import (
    Rubric,
    careless_rubric,
    criteria_for,
    is_careless,
    sound_rubric,
)
from engine.posttraining.rubric_criteria import language_judge
from engine.posttraining.tasks import TASKS, Sums

PROMPT = Prompt("48+63=", "111")
RIGHT, WRONG = Answer("111", True, 4), Answer("101", True, 4)
CUT = Answer("1111", False, 4)


@pytest.mark.parametrize("kind", TASKS)
def test_every_task_has_terms_that_know_a_right_answer(kind: type) -> None:
    task = kind()
    terms = {term.key: term for term in terms_for(task)}
    assert list(terms)[:4] == ["exact", "partial", "format", "length"]
    rng = np.random.default_rng(0)
    for prompt in task.prompts(held_out=True)[:40]:
        good, bad = task.good_answer(prompt, rng), task.mistake(prompt, rng)
        n = len(task.tokenizer.encode(good)) + 1
        assert terms["exact"].score(prompt, Answer(good, True, n)) == 1
        assert terms["exact"].score(prompt, Answer(good, False, n)) == 0
        assert terms["format"].score(prompt, Answer(good, True, n)) == 1
        right = task.true_score(prompt, bad) >= 1
        assert terms["exact"].score(prompt, Answer(bad, True, n)) == right
        for term in terms.values():
            assert term.explain(prompt, Answer(bad, True, n)).endswith(".")


def test_a_batch_is_scored_as_one_by_one_and_weights_are_included() -> None:
    calls: list[int] = []

    def many(prompts: object, answers: list[Answer]) -> np.ndarray:
        calls.append(len(answers))
        return np.array([float(len(a.text)) for a in answers])

    batch = RewardTerm("n", "N", "Counts.", lambda p, a: float(len(a.text)), scores=many)
    mix = RewardMix(((TERMS[0], 2.0), (batch, -0.5), (TERMS[3], 0.0)))
    found = mix.breakdown([PROMPT] * 3, [RIGHT, WRONG, CUT])
    assert found.tolist() == [[2.0, -1.5, 0], [0, -1.5, 0], [0, -2.0, 0]]
    assert calls == [3]
    assert mix.breakdown([], []).shape == (0, 3)
    with pytest.raises(ValueError):
        mix.breakdown([PROMPT], [])


def test_a_term_with_weight_zero_is_not_asked() -> None:
    def never(prompt: Prompt, answer: Answer) -> float:
        raise AssertionError("asked")

    mix = RewardMix(((RewardTerm("x", "X", "Never.", never), 0.0),))
    assert mix.breakdown([PROMPT], [RIGHT]).tolist() == [[0.0]]


def test_terms_of_one_task_are_equal_however_often_they_are_made() -> None:
    assert terms_for(Sums()) == terms_for(Sums())


@pytest.mark.parametrize("kind", TASKS)
def test_a_sound_rubric_tells_good_answers_from_mistakes(kind: type) -> None:
    task = kind()
    rubric = sound_rubric(task)
    rng = np.random.default_rng(1)
    good, bad = [], []
    for prompt in task.prompts(held_out=True)[:60]:
        for text, scores in (
            (task.good_answer(prompt, rng), good),
            (task.mistake(prompt, rng), bad),
        ):
            answer = Answer(text, True, len(task.tokenizer.encode(text)) + 1)
            scores.append(rubric.score(prompt, answer))
            for (criterion, _), verdict in zip(
                rubric.used, rubric.verdicts(prompt, answer), strict=True
            ):
                assert verdict.reason, criterion.key
    assert np.mean(good) > np.mean(bad) + 0.04
    assert np.mean(good) > 0.6
    assert any(is_careless(c) for c in criteria_for(task))
    assert all(is_careless(c) for c, _ in careless_rubric(task).used)
    keys = [c.key for c in criteria_for(task)]
    assert len(set(keys)) == len(keys)


def criterion(key: str, score: int) -> Criterion:
    return Criterion(key, key, "A rule.", lambda p, a: Verdict(score, f"It is {score}."))


def test_a_rubric_is_the_weighted_mean_of_its_verdicts() -> None:
    rubric = Rubric(((criterion("a", 2), 3.0), (criterion("b", 1), 1.0), (criterion("c", 0), 0.0)))
    assert rubric.score(PROMPT, RIGHT) == pytest.approx((3 * 1 + 1 * 0.5) / 4)
    assert rubric.score_many([PROMPT] * 2, [RIGHT, RIGHT]).tolist() == [0.875, 0.875]
    assert rubric.words() == "(3 × a + 1 × b) ÷ 4, each verdict ÷ 2"
    assert rubric.explain(PROMPT, RIGHT) == "a 2: It is 2. b 1: It is 1."
    term = rubric.as_term()
    assert term.kind == "rubric" and term.score_many([PROMPT], [RIGHT]).tolist() == [0.875]
    changed = Rubric(((criterion("a", 2), 2.0),)).as_term()
    assert changed != term  # another rubric is another term


def test_a_rubric_without_weight_is_told() -> None:
    for weights in ((0.0,), (-1.0,), (float("nan"),), ()):
        with pytest.raises(LabError):
            Rubric(tuple((criterion("a", 2), w) for w in weights))


def test_general_criteria_judge_by_their_rules() -> None:
    by_key = {c.key: c for c in criteria_for(Sums())}
    assert by_key["ends"].judge(PROMPT, RIGHT).score == 2
    assert by_key["ends"].judge(PROMPT, CUT).score == 0
    assert by_key["ends"].judge(PROMPT, Answer("", True, 1)).score == 1
    assert by_key["repeats"].judge(PROMPT, RIGHT).score == 2  # 111 is a right answer
    assert by_key["repeats"].judge(PROMPT, CUT).score == 1
    assert by_key["brief"].judge(PROMPT, CUT).score == 1
    assert by_key["accurate"].judge(PROMPT, RIGHT).score == 2
    assert by_key["accurate"].judge(PROMPT, WRONG).score == 1
    assert by_key["mentions"].judge(PROMPT, Answer("01", True, 3)).score == 2
    judge = language_judge(Sums())
    fluent = judge.perplexity("48+63=", "111", True)
    assert fluent < judge.perplexity("48+63=", "1+1", True)
    by_hand = judge.model.token_log_probs([*Sums().tokenizer.encode("48+63=111"),
                                           judge.model.end_of_text])  # fmt: skip
    assert fluent == pytest.approx(np.exp(-np.mean(by_hand[-4:])))
