"""Pairs, annotators and their file; what reward models learn from them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from engine.errors import LabError
from engine.posttraining.annotators import Annotator
from engine.posttraining.candidates import Candidates, draw_candidates
from engine.posttraining.features import (
    LENGTH,
    TRUE,
    feature_table,
    features_of,
    longest_run,
    repeated_share,
)
from engine.posttraining.policies import bundled_policy
from engine.posttraining.preferences import (
    Pair,
    Preference,
    draw_pairs,
    read_preferences,
    split_by_prompt,
    telling,
    write_preferences,
)
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.reward_model import FeatureReader, as_term, learn, read_comparisons
from engine.posttraining.reward_model_neural import PolicyReader
from engine.posttraining.reward_model_report import (
    accuracy_of,
    agreement,
    calibration,
    examine,
    wilson,
)
from engine.posttraining.tasks import Letters, Sums

SUMS = Sums()
FEATURES = features_of(SUMS)


def made_up(n_prompts: int = 300, group: int = 6) -> Candidates:
    """Answers of one to four digits, some cut off, some right."""
    rng = np.random.default_rng(0)
    prompts = SUMS.prompts(held_out=False)[:n_prompts]
    answers = []
    for prompt in prompts:
        for _ in range(group):
            n = int(rng.integers(1, 4))
            text = "".join(rng.choice(list("0123456789"), size=n))
            text = prompt.target if rng.random() < 0.35 else text
            answers.append(Answer(text, bool(rng.random() < 0.9), len(text) + 1))
    return Candidates(tuple(prompts), tuple(answers), group)


POOL = made_up()


def test_pairs_are_of_one_prompt_and_never_the_same_answer_twice() -> None:
    pairs = draw_pairs(POOL, 10_000, seed=0)
    by_prompt: dict[str, set[tuple[str, bool]]] = {}
    for prompt, answer in zip(POOL.each, POOL.answers, strict=True):
        by_prompt.setdefault(prompt.text, set()).add((answer.text, answer.finished))
    most = sum(len(s) * (len(s) - 1) // 2 for s in by_prompt.values())
    assert len(pairs) == most  # every pair of different answers, each once
    seen = {frozenset({p.prompt.text, (p.a.text, p.a.finished), (p.b.text, p.b.finished)})
            for p in pairs}  # fmt: skip
    assert len(seen) == most
    assert draw_pairs(POOL, 50, seed=1) == draw_pairs(POOL, 50, seed=1)
    assert draw_pairs(POOL, 50, seed=1) != draw_pairs(POOL, 50, seed=2)


def test_annotators_click_as_their_law_says() -> None:
    someone = Annotator(true=2.0, length=0.5, noise=0.2, tie=0.3)
    pair = Pair(Prompt("10+12=", "22"), Answer("22", True, 3), Answer("7", True, 2))
    margin = 2.0 * 1 + 0.5 * 1
    assert someone.margins(FEATURES, [pair]) == pytest.approx([margin])
    law = 0.8 / (1 + np.exp(-margin)) + 0.1
    assert someone.probabilities(FEATURES, [pair]) == pytest.approx([law])
    n = 20_000
    clicks = someone.compare(FEATURES, [pair] * n, seed=1)
    share = sum(c.choice == "a" for c in clicks) / n
    assert abs(share - law) < 4 * np.sqrt(law * (1 - law) / n)
    even = Pair(pair.prompt, Answer("21", True, 3), Answer("23", True, 3))
    ties = sum(c.choice == "tie" for c in someone.compare(FEATURES, [even] * n, seed=2)) / n
    assert abs(ties - 0.8) < 4 * np.sqrt(0.16 / n)
    assert someone.probabilities(FEATURES, [even]) == pytest.approx([0.5])


def test_a_linear_model_finds_its_annotators_weights() -> None:
    someone = Annotator(true=3.0, length=0.8)
    clicks = someone.compare(FEATURES, draw_pairs(POOL, 3_000, seed=3), seed=4)
    used = tuple(f for f in FEATURES if f.key in (TRUE, LENGTH))
    reader = FeatureReader(used)
    model = learn(reader, read_comparisons(reader, clicks), l2=1e-6)
    found = dict(zip([f.key for f in used], model.weights_in_units, strict=True))
    assert found[TRUE] == pytest.approx(3.0, abs=0.35)
    assert found[LENGTH] == pytest.approx(0.8, abs=0.15)


def test_only_differences_count() -> None:
    clicks = Annotator().compare(FEATURES, draw_pairs(POOL, 400, seed=3), seed=4)
    reader = FeatureReader(FEATURES)
    told = read_comparisons(reader, clicks)
    model = learn(reader, told)
    # The answers learned from have mean 0, and p(A ≻ B) = 1 − p(B ≻ A).
    both = np.concatenate([told.a, told.b])
    assert model.of_numbers(both).mean() == pytest.approx(0, abs=1e-9)
    forth = model.preference(told)
    back = model.preference(type(told)(told.b, told.a, 1 - told.outcomes))
    np.testing.assert_allclose(forth, 1 - back)
    # One number more, the same for both answers, changes nothing.
    ones = np.ones((len(told.a), 1))
    more = type(told)(np.hstack([told.a, ones]), np.hstack([told.b, ones]), told.outcomes)
    np.testing.assert_allclose(learn(reader, more).preference(more), forth)


def test_skips_teach_nothing_and_prompts_are_on_one_side_only() -> None:
    clicks = Annotator().compare(FEATURES, draw_pairs(POOL, 200, seed=3), seed=4)
    skipped = tuple(Preference(c.pair, "skip") for c in clicks[:50])
    assert telling((*skipped, *clicks[50:])) == clicks[50:]
    train, held_out = split_by_prompt(clicks)
    assert sorted(map(id, (*train, *held_out))) == sorted(map(id, clicks))
    assert not {p.pair.prompt.text for p in train} & {p.pair.prompt.text for p in held_out}
    assert 0.28 <= len(held_out) / len(clicks) <= 0.35
    assert split_by_prompt(clicks[:1]) == (clicks[:1], ())
    reader = FeatureReader(FEATURES)
    with pytest.raises(LabError, match="Compare some answers"):
        learn(reader, read_comparisons(reader, skipped))


def test_comparisons_come_back_from_their_file() -> None:
    clicks = Annotator(tie=0.5).compare(FEATURES, draw_pairs(POOL, 40, seed=3), seed=4)
    text = write_preferences("sums", clicks)
    assert read_preferences(text, "sums") == clicks
    with pytest.raises(LabError, match="of the task “sums”"):
        read_preferences(text, "letters")
    data = json.loads(text)
    for change in (
        {"format": "other"},
        {"version": 2},
        {"comparisons": 3},
        {"comparisons": [{"choice": "a"}]},
        {"comparisons": [{**data["comparisons"][0], "choice": "c"}]},
        {"comparisons": [{**data["comparisons"][0], "a": {"text": 1}}]},
        {"comparisons": [{**data["comparisons"][0], "prompt": {"text": "x" * 9_999}}]},
        {"comparisons": data["comparisons"] * 600},
    ):
        with pytest.raises(LabError):
            read_preferences(json.dumps({**data, **change}), "sums")
    for text in ("", "[", "[1]", "[" * 100_000):
        with pytest.raises(LabError):
            read_preferences(text, "sums")


def test_measures_are_what_their_names_say() -> None:
    found = stats.binomtest(37, 50).proportion_ci(method="wilson")
    assert wilson(37, 50, z=stats.norm.ppf(0.975)) == pytest.approx((found.low, found.high))
    assert wilson(0, 0) == (0, 1)
    margins = np.array([1.0, -1.0, 2.0, 0.0, 3.0])
    outcome = np.array([1.0, 1.0, 1.0, 0.0, 0.5])
    assert accuracy_of(margins, outcome).value == 2.5 / 4  # the tie is left out, r = r is half
    bins = calibration(np.array([0.9, 0.1, 0.95, 0.55]), np.array([1.0, 0.0, 0.0, 0.5]))
    assert [(b.n, b.observed) for b in bins] == [(1, 0.5), (3, pytest.approx(2 / 3))]
    rng = np.random.default_rng(0)
    r, t = rng.normal(size=40), rng.integers(0, 2, size=40).astype(float)
    expected, n = 0.0, 0
    for g in range(0, 40, 4):
        good, bad = r[g : g + 4][t[g : g + 4] == 1], r[g : g + 4][t[g : g + 4] == 0]
        if len(good) and len(bad):
            expected += stats.mannwhitneyu(good, bad).statistic
            n += len(good) * len(bad)
    assert agreement(r, t, 4).value == pytest.approx(expected / n)
    assert agreement(r, t, 4).n == n


def test_the_report_tells_a_length_bias_from_the_truth() -> None:
    for biased, key in ((Annotator(true=4.0), TRUE), (Annotator(true=0.5, length=2.0), LENGTH)):
        clicks = biased.compare(FEATURES, draw_pairs(POOL, 1_500, seed=5), seed=6)
        train, held_out = split_by_prompt(clicks)
        best = biased.best_accuracy(FEATURES, held_out)
        report = examine(
            FeatureReader(FEATURES), SUMS, FEATURES, train, held_out, POOL, best=best
        )  # fmt: skip
        assert report.learned[0].key == key
        assert report.explained == 1.0
        assert report.held_out.low <= best <= report.held_out.high + 0.02
        assert report.curve[-1].comparisons == len(telling(train))
        slope = report.lengthened[-1][1] - report.lengthened[0][1]
        assert (slope > 2) is (key == LENGTH)
    assert report.agreement.value < 0.9


def test_a_head_on_the_pretrained_policy_learns_from_a_few_hundred_pairs() -> None:
    task = Letters()
    policy = bundled_policy(task)
    features = features_of(task)
    pool = draw_candidates(policy.module, task, 200, 6, seed=1)
    someone = Annotator(true=6.0)
    clicks = someone.compare(features, draw_pairs(pool, 700, seed=2), seed=3)
    train, held_out = split_by_prompt(clicks)
    reader = PolicyReader(policy, task)
    report = examine(reader, task, features, train, held_out, pool)
    assert report.held_out.low > 0.62  # by chance it would be 0.5
    assert report.agreement.value > 0.7
    assert 0.0 < report.explained < 1.0
    # A term of the reward scores a batch at once, and each answer the same by itself.
    term = as_term(report.model, 1)
    prompts, answers = pool.each[:9], pool.answers[:9]
    alone = [term.score(p, a) for p, a in zip(prompts, answers, strict=True)]
    np.testing.assert_allclose(term.score_many(prompts, answers), alone, rtol=1e-4, atol=1e-4)
    assert "r = " in term.explain(prompts[0], answers[0])


def test_candidates_are_drawn_alike_for_one_seed() -> None:
    module = bundled_policy(SUMS).module
    first = draw_candidates(module, SUMS, 5, 3, seed=7)
    assert first == draw_candidates(module, SUMS, 5, 3, seed=7)
    assert len(first.answers) == 15 and len(set(first.prompts)) == 5
    assert not set(first.prompts) & set(SUMS.prompts(held_out=True))
    assert set(draw_candidates(module, SUMS, 5, 3, held_out=True).prompts) <= set(
        SUMS.prompts(held_out=True)
    )


def test_repetition_is_counted() -> None:
    for text, run in (("", 0), ("a", 1), ("abab", 2), ("xabababy", 3), ("8888", 4)):
        assert longest_run(text) == run
    assert repeated_share("thank you thank you") == 0.5
    assert repeated_share("1123") == pytest.approx(1 / 3)
    table = feature_table(FEATURES, [Prompt("10+12=", "22")], [Answer("22", False, 3)])
    found = dict(zip([f.key for f in FEATURES], table[0], strict=True))
    assert found["true"] == 0 and found["format"] == 1 and found["ends"] == 0


def test_effects_are_uncertain_by_as_much_as_they_vary() -> None:
    """The errors beside the spread of the effects over trainings on comparisons drawn anew."""
    someone = Annotator(true=1.0, length=0.4)
    pairs = draw_pairs(POOL, 300, seed=3)
    held = someone.compare(FEATURES, draw_pairs(POOL, 50, seed=9), seed=10)
    reader = FeatureReader(FEATURES)
    reports = [
        examine(reader, SUMS, FEATURES, someone.compare(FEATURES, pairs, seed), held, POOL)
        for seed in range(40)
    ]
    for key in (TRUE, LENGTH):
        found = [next(one for one in r.learned if one.key == key) for r in reports]
        varied = float(np.std([one.effect for one in found]))
        said = float(np.mean([one.error for one in found]))
        assert 0.75 < said / varied < 1.6, key  # the penalty's share is on the safe side
        assert sum(one.certain for one in found) > 25
    # What the annotator never looks at is called certain about one time in twenty.
    blind = [one.certain for r in reports for one in r.learned if one.key in ("repeats", "ends")]
    assert np.mean(blind) < 0.12


def test_random_clicks_may_be_chance_and_teach_nothing_certain() -> None:
    clicks = Annotator(noise=1.0).compare(FEATURES, draw_pairs(POOL, 74, seed=3), seed=4)
    train, held_out = split_by_prompt(clicks)
    report = examine(FeatureReader(FEATURES), SUMS, FEATURES, train, held_out, POOL)
    assert report.held_out.may_be_chance
    assert not any(one.certain for one in report.learned)
    sure = Annotator(true=4.0).compare(FEATURES, draw_pairs(POOL, 900, seed=3), seed=4)
    train, held_out = split_by_prompt(sure)
    report = examine(FeatureReader(FEATURES), SUMS, FEATURES, train, held_out, POOL)
    assert not report.held_out.may_be_chance and report.learned[0].certain
