"""What every task promises, whatever it is about."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.models.transformer.config import parameter_counts
from engine.posttraining.policies import POLICIES_FOLDER, bundled_policy
from engine.posttraining.pretraining import policy_recipe
from engine.posttraining.prompts import Prompt
from engine.posttraining.sampling import sample_answers
from engine.posttraining.tasks import TASKS, Letters, Refusals, Sums, Task, WordTask
from engine.posttraining.tasks.task import split_prompts
from engine.tokenizers import CharacterTokenizer

MOST_BYTES = 1_500_000
"""Of a bundled policy."""
SAMPLED = 1_000


@cache
def made(kind: type[Task]) -> Task:
    return kind()


@pytest.fixture(params=TASKS, ids=lambda kind: kind.key)
def task(request: pytest.FixtureRequest) -> Task:
    return made(request.param)


def test_keys_and_titles_differ() -> None:
    assert len({kind.key for kind in TASKS}) == len({kind.title for kind in TASKS}) == len(TASKS)


def test_what_is_held_out_is_never_trained_on(task: Task) -> None:
    train, held_out = task.prompts(held_out=False), task.prompts(held_out=True)
    assert not {p.text for p in train} & {p.text for p in held_out}
    assert len({p.text for p in train}) == len(train)
    assert 0.05 < len(held_out) / (len(train) + len(held_out)) < 0.15
    questions = {p.text for p in held_out}
    for document in task.pretraining_documents(300, seed=3):
        # A document is a prompt with an answer: none begins as a held-out prompt does.
        assert not any(document[:n] in questions for n in range(1, len(document) + 1))


def test_vocabularies_do_not_hang_on_the_order_of_sets() -> None:
    """A policy's token ids must mean the same in every process, whatever its hash seed."""
    code = (
        "from engine.posttraining.tasks import *; import hashlib, json\n"
        "for kind in (Refusals, Replies, Stories):\n"
        "    task = kind(); told = [task.tokenizer.to_dict(), task.pretraining_documents(9, 0)]\n"
        "    print(hashlib.sha256(json.dumps(told).encode()).hexdigest())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_equal_tasks_are_made_each_time(task: Task) -> None:
    again = type(task)()
    for held_out in (False, True):
        assert again.prompts(held_out) == task.prompts(held_out)
    assert again.tokenizer.to_dict() == task.tokenizer.to_dict()
    assert again.context == task.context
    assert again.pretraining_documents(50, seed=1) == task.pretraining_documents(50, seed=1)
    assert task.pretraining_documents(50, seed=1) != task.pretraining_documents(50, seed=2)


def test_the_target_and_every_good_answer_score_1_and_mistakes_less(task: Task) -> None:
    rng = np.random.default_rng(0)
    pool = [*task.prompts(held_out=False), *task.prompts(held_out=True)]
    for i in rng.integers(len(pool), size=400).tolist():
        prompt = pool[i]
        assert task.true_score(prompt, prompt.target) == 1.0
        assert task.is_well_formed(prompt, prompt.target)
        good, bad = task.good_answer(prompt, rng), task.mistake(prompt, rng)
        assert task.true_score(prompt, good) == 1.0
        assert task.is_well_formed(prompt, good)
        assert 0.0 <= task.true_score(prompt, bad) < 1.0
        # A right answer is not right once more is said, but on a scratchpad before it.
        assert task.scratchpad or task.true_score(prompt, good + good) < 1.0


def test_the_share_of_right_answers_is_as_asked(task: Task) -> None:
    prompts = sorted(task.prompts(held_out=False), key=lambda p: -len(p.text))
    by_text = {p.text: p for p in prompts}
    right = 0
    documents = task.pretraining_documents(1_000, seed=5, right=0.4)
    for document in documents:
        cut = next(n for n in range(len(document), 0, -1) if document[:n] in by_text)
        right += task.true_score(by_text[document[:cut]], document[cut:]) == 1.0
    assert right / 1_000 == pytest.approx(0.4, abs=0.06)  # 4 standard errors


def test_texts_come_back_whole_and_fit(task: Task) -> None:
    tokenizer = task.tokenizer
    rng = np.random.default_rng(1)
    for prompt in task.prompts(held_out=True)[:200]:
        for answer in (prompt.target, task.good_answer(prompt, rng), task.mistake(prompt, rng)):
            asked, said = tokenizer.encode(prompt.text), tokenizer.encode(answer)
            # The policy writes on from the prompt's tokens: they must be those of the whole.
            assert tokenizer.encode(prompt.text + answer) == [*asked, *said]
            assert tokenizer.decode([*asked, *said]) == prompt.text + answer
            assert tokenizer.unknown_id is None or tokenizer.unknown_id not in [*asked, *said]
            assert len(said) + 1 <= task.max_answer
            assert 1 + len(asked) + task.max_answer <= task.context
            assert set(prompt.text + answer) <= set(task.alphabet)


def test_examples_are_held_out_prompts_that_pass_the_check(task: Task) -> None:
    examples = task.examples(24)
    assert len(examples) == min(24, len(task.prompts(held_out=True)))
    assert len(set(examples)) == len(examples)
    assert set(examples) <= set(task.prompts(held_out=True))
    for prompt in examples:
        assert task.check(prompt.text) == prompt.text
    assert len(task.examples(10**6)) == len(task.prompts(held_out=True))


def test_prompts_that_the_policy_cannot_read_are_refused_in_words(task: Task) -> None:
    text = task.examples(1)[0].text
    with pytest.raises(LabError, match="Write a prompt"):
        task.check("")
    with pytest.raises(LabError, match="at most"):
        task.check(text + " It" * 40 if isinstance(task, WordTask) else text * 2)
    with pytest.raises(LabError, match=r"never read|reads only"):
        task.check(f"{text[:-1]}ü")


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_judges_and_checks_bear_any_text(text: str) -> None:
    for kind in TASKS:
        task = made(kind)
        prompt = task.examples(1)[0]
        assert 0.0 <= task.true_score(prompt, text) <= 1.0
        assert 0.0 <= task.true_score(Prompt(text, ""), prompt.target) <= 1.0
        assert task.is_well_formed(prompt, text) in (True, False)
        try:
            assert task.check(text) == text
        except LabError as error:
            assert str(error).endswith((".", "?"))


def test_a_word_that_is_nearly_right_is_named() -> None:
    with pytest.raises(LabError, match=r"“kitte”\. Did it mean “kite”"):
        made(Refusals).check("Rule: never tell the owner. The kitte is red.")


def test_a_word_known_only_elsewhere_is_not_called_unknown() -> None:
    with pytest.raises(LabError, match=r"“Rule” only at the beginning of a text\."):
        made(Refusals).check("Rule: never tell the owner. Rule: never tell the day.")
    with pytest.raises(LabError, match=r"“kite” only behind a space\."):
        made(Refusals).check("kite")


def test_all_that_asks_the_same_is_held_out_together() -> None:
    prompts = [Prompt(f"{a}{b}", "") for a in "abcdefghijklmnopqrst" for b in "123"]
    train, held_out = split_prompts(prompts, seed=0, by=lambda p: p.text[0])
    assert len(held_out) == 6
    assert not {p.text[0] for p in train} & {p.text[0] for p in held_out}
    assert [*split_prompts(prompts, seed=0, by=lambda p: p.text[0])] == [train, held_out]


def test_bundled_policies_are_small_and_of_their_recipe(task: Task) -> None:
    files = list((POLICIES_FOLDER / task.key).iterdir())
    assert {f.name for f in files} == {"config.json", "model.safetensors", "origin.json"}
    assert sum(f.stat().st_size for f in files) <= MOST_BYTES
    config, recipe = bundled_policy(task).config, policy_recipe(task)
    assert (config.layers, config.width, config.heads) == (
        recipe.layers,
        recipe.width,
        recipe.heads,
    )
    assert parameter_counts(config)["total"] <= 300_000


def test_bundled_policies_do_their_task_now_and_then(task: Task) -> None:
    """pass@1 of 10 to 50 % at temperature 1: what never occurs cannot be reinforced."""
    import torch

    policy = bundled_policy(task)
    prompts = task.examples(SAMPLED)
    tokenizer, end = task.tokenizer, policy.end_of_text
    ids = [tokenizer.encode(p.text) for p in prompts]
    drawn = sample_answers(policy.module, ids, 1, task.max_answer, torch.Generator().manual_seed(7))
    scores = [
        task.true_score(p, tokenizer.decode([t for t in row if t != end])) if done else 0.0
        for p, row, done in zip(
            prompts, drawn.tokens.tolist(), drawn.finished.tolist(), strict=True
        )
    ]
    p = float(np.mean(scores))
    error = 3 * np.sqrt(p * (1 - p) / len(scores))
    assert p + error >= 0.1 and p - error <= 0.5


def test_settings_make_sense(task: Task) -> None:
    assert task.settings().prompts * task.settings().group >= 64
    assert task.updates >= 1


def test_the_first_tasks_stay_as_they_were() -> None:
    assert isinstance(made(Sums).tokenizer, CharacterTokenizer)
    assert (made(Sums).context, made(Letters).context) == (11, 13)
    assert len(made(Sums).prompts(held_out=True)) == 810
    assert len(made(Letters).prompts(held_out=True)) == 259


def test_textbooks_hold_right_answers_to_what_is_not_held_out(task: Task) -> None:
    if not task.textbook_steps:
        pytest.skip("read without a textbook")
    documents = task.textbook_documents(200, seed=4)
    assert documents == task.textbook_documents(200, seed=4) != task.textbook_documents(200, seed=5)
    held_out = {p.text for p in task.prompts(held_out=True)}
    by_text = {p.text: p for p in task.prompts(held_out=False)}
    for document in documents:
        assert len(task.tokenizer.encode(document)) < task.context
        assert task.tokenizer.decode(task.tokenizer.encode(document)) == document
        cuts = range(1, len(document))
        assert not any(document[:n] in held_out for n in cuts)
        asked = next(by_text[document[:n]] for n in cuts if document[:n] in by_text)
        assert task.true_score(asked, document.removeprefix(asked.text)) == 1.0
