"""Sampling and whole updates, on a policy small enough to enumerate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.transformer import TransformerConfig, TransformerModel
from engine.posttraining.grpo import GRPO, GRPOSettings
from engine.posttraining.policies import bundled_policy
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.reading import answer_log_probs, pieces_of
from engine.posttraining.rewards import TERMS, RewardMix, RewardTerm
from engine.posttraining.sampling import sample_answers
from engine.posttraining.tasks import TASKS, Letters, Sums, Task

EXACT, PARTIAL, FORMAT, LENGTH = TERMS


class Echo(Task):
    """Say the letter again."""

    key, title, description = "echo", "Echo", "Say it again."
    alphabet, max_answer = "ab?", 3

    def prompts(self, held_out: bool) -> Sequence[Prompt]:
        return (Prompt("b?", "b"),) if held_out else (Prompt("a?", "a"), Prompt("aa?", "a"))

    def mistake(self, prompt: Prompt, rng: np.random.Generator) -> str:
        return "?"


def policy(seed: int = 0, vocab_size: int = Echo().tokenizer.vocab_size + 1) -> TransformerModel:
    config = TransformerConfig(vocab_size=vocab_size, context=8, layers=1, heads=2, width=16)
    return TransformerModel.untrained(config, seed=seed)


def run(settings: GRPOSettings, *terms: tuple[RewardTerm, float], seed: int = 0) -> GRPO:
    return GRPO(policy(seed), Echo(), RewardMix(terms or ((EXACT, 1.0),)), settings)


def test_samples_follow_the_policy() -> None:
    model = policy(3)
    prompts = [[0], [0, 1, 2]]
    drawn = sample_answers(model.module, prompts, 3000, 2, torch.Generator().manual_seed(1))
    end = model.end_of_text
    for i, prompt in enumerate(prompts):
        rows = slice(3000 * i, 3000 * (i + 1))
        counts = Counter(
            tuple(row[: int(n)])
            for row, n in zip(
                drawn.tokens[rows].tolist(), drawn.lengths[rows].tolist(), strict=True
            )
        )
        first = np.exp(model.next_log_probs(prompt))
        for a in range(model.vocab_size):
            after = np.exp(model.next_log_probs([*prompt, a])) if a != end else None
            for answer, p in (
                [((a,), first[a])]
                if after is None
                else [((a, b), first[a] * after[b]) for b in range(model.vocab_size)]
            ):
                error = 5 * np.sqrt(p * (1 - p) / 3000) + 1e-3
                assert counts[answer] / 3000 == pytest.approx(p, abs=error)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_log_probabilities_are_those_of_the_whole_text_read_at_once(temperature: float) -> None:
    grpo = run(GRPOSettings(prompts=4, group=3, temperature=temperature, learning_rate=1e-9))
    record = grpo.update()
    for tokens, before, after in zip(
        record.group.tokens, record.group.before, record.group.after, strict=True
    ):
        asked = grpo.task.tokenizer.encode(record.group.prompt.text)
        rows = grpo.model.log_probs([*asked, *tokens])[len(asked) :] / temperature
        rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
        expected = rows[np.arange(len(tokens)), list(tokens)]
        assert before == pytest.approx(expected, abs=1e-5)
        assert after == pytest.approx(expected, abs=1e-4)


def test_answers_end_in_end_of_text_which_is_part_of_what_is_trained() -> None:
    model = policy()
    drawn = sample_answers(model.module, [[0]], 200, 3, torch.Generator().manual_seed(0))
    end = model.end_of_text
    for tokens, n, finished in zip(
        drawn.tokens.tolist(), drawn.lengths.int().tolist(), drawn.finished.tolist(), strict=True
    ):
        assert end not in tokens[: n - 1]
        assert finished == (tokens[n - 1] == end)
        assert finished or n == 3
    assert drawn.finished.any() and not drawn.finished.all()


def test_what_does_not_fit_the_context_is_refused() -> None:
    with pytest.raises(ValueError, match="context"):
        sample_answers(policy().module, [[0] * 6], 1, 3, torch.Generator())


def test_it_learns_what_is_rewarded() -> None:
    grpo = run(GRPOSettings(prompts=8, group=16, learning_rate=0.02))
    before = [grpo.update() for _ in range(3)]
    for record in grpo.updates(40):
        last = record
    assert np.mean([r.reward for r in before]) < 0.3
    assert last.reward > 0.95
    assert last.kl > 0.1
    assert last.true_score == pytest.approx(last.reward)


def test_the_terms_add_up_to_the_reward_and_weights_count() -> None:
    grpo = run(GRPOSettings(prompts=4, group=4), (EXACT, 2.0), (LENGTH, -0.5))
    record = grpo.update()
    assert sum(record.terms) == pytest.approx(record.reward, abs=1e-5)
    assert record.terms[1] == pytest.approx(-0.5 * record.length)
    group = record.group
    assert group.terms.sum(axis=1) == pytest.approx(group.rewards, abs=1e-5)
    lengths = [answer.length for answer in group.answers]
    assert group.terms[:, 1] == pytest.approx([-0.5 * n for n in lengths])


def test_without_spread_there_is_no_push() -> None:
    nothing = RewardTerm("nothing", "Nothing", "Always 1.", lambda prompt, answer: 1.0)
    grpo = run(GRPOSettings(prompts=3, group=4), (nothing, 1.0))
    before = [p.clone() for p in grpo.module.parameters()]
    record = grpo.update()
    assert record.silent_groups == 1.0
    assert record.group.silent
    assert record.gradient_norm == 0.0
    for old, new in zip(before, grpo.module.parameters(), strict=True):
        assert torch.equal(old, new)


def test_without_a_baseline_equal_rewards_push_too() -> None:
    nothing = RewardTerm("nothing", "Nothing", "Always 1.", lambda prompt, answer: 1.0)
    grpo = run(GRPOSettings(prompts=3, group=4, baseline="none"), (nothing, 1.0))
    record = grpo.update()
    assert record.silent_groups == 0.0
    assert record.group.even and not record.group.silent
    assert record.gradient_norm > 0


def test_a_penalty_holds_the_policy_back() -> None:
    def kl(beta: float, penalty: str) -> float:
        settings = GRPOSettings(
            prompts=8,
            group=16,
            learning_rate=0.02,
            beta=beta,
            penalty=penalty,  # type: ignore[arg-type]
        )
        return [r.kl for r in run(settings).updates(25)][-1]

    free = kl(0.0, "loss")
    assert kl(1.0, "loss") < free / 2
    assert kl(1.0, "reward") < free / 2


def test_clipping_acts_from_the_second_step_on_a_batch() -> None:
    once = run(GRPOSettings(prompts=4, group=8, learning_rate=0.1)).update()
    often = run(
        GRPOSettings(prompts=4, group=8, learning_rate=0.1, updates_per_batch=4, clip=0.05)
    ).update()
    assert once.clipped == 0.0
    assert often.clipped > 0.0


def test_the_same_seed_gives_the_same_run_and_the_start_stays_as_it_was() -> None:
    start = policy(5)
    kept = [p.clone() for p in start.module.parameters()]
    runs = [
        GRPO(start, Echo(), RewardMix(((EXACT, 1.0),)), GRPOSettings(prompts=4, group=4, seed=9))
        for _ in range(2)
    ]
    one, two = ([(r.reward, r.loss) for r in g.updates(3)] for g in runs)
    assert one == two
    for old, new in zip(kept, start.module.parameters(), strict=True):
        assert torch.equal(old, new)


def test_pieces_of_a_batch_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = GRPOSettings(prompts=5, group=6, beta=0.1)
    whole = run(settings, (PARTIAL, 1.0)).update()
    monkeypatch.setattr("engine.posttraining.reading._ROWS_AT_ONCE", 7)
    parts = run(settings, (PARTIAL, 1.0)).update()
    assert parts.loss == pytest.approx(whole.loss, abs=1e-5)
    assert parts.gradient_norm == pytest.approx(whole.gradient_norm, rel=1e-3)
    assert parts.kl == pytest.approx(whole.kl, abs=1e-5)


def test_prompts_read_once_give_the_numbers_and_gradients_of_whole_texts() -> None:
    """``answer_log_probs`` against the obvious way: every prompt and answer as one text."""
    shared, plain = policy(4).module, policy(4).module
    prompts = torch.tensor([[3, 0, 1], [3, 2, 0]])  # (p, S)
    answers = torch.tensor([[0, 1, 3], [2, 3, 3], [1, 1, 1], [0, 3, 3]])  # (p·G, L)
    weights = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    logs = answer_log_probs(shared, prompts, answers, temperature=0.7)
    texts = torch.cat([prompts.repeat_interleave(2, dim=0), answers[:, :-1]], dim=1)
    rows = (plain(texts)[:, 2:] / 0.7).log_softmax(dim=-1)  # (p·G, L, V)
    expected = rows.gather(2, answers[..., None])[..., 0]
    assert logs.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-5)
    (logs * weights).sum().backward()
    (expected * weights).sum().backward()
    for ours, theirs in zip(shared.parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None and theirs.grad is not None
        assert ours.grad.numpy() == pytest.approx(theirs.grad.numpy(), abs=1e-5)


def test_pieces_cover_the_batch_with_prompts_of_one_length_each() -> None:
    prompts = [[1]] * 5 + [[1, 2]] * 40
    pieces = list(pieces_of(prompts, 8, begin=9))
    assert [p.rows.start for p in pieces] == [0, *[p.rows.stop for p in pieces][:-1]]
    assert pieces[-1].rows.stop == 45 * 8
    assert [tuple(p.prompts.shape) for p in pieces] == [(5, 2), (16, 3), (16, 3), (8, 3)]
    assert all(bool((p.prompts[:, 0] == 9).all()) for p in pieces)


def test_an_update_that_is_cancelled_leaves_no_trace() -> None:
    class CancelAt(Job):
        def __init__(self, when: int) -> None:
            self.left = when

        def yield_point(self) -> None:
            self.left -= 1
            if self.left == 0:
                raise JobCancelled

    settings = GRPOSettings(prompts=4, group=4, updates_per_batch=3, learning_rate=0.01)
    straight, cancelled = run(settings), run(settings)
    expected = [(r.reward, r.loss) for r in straight.updates(3)]
    got = []
    for when in (2, 5, 7):
        with pytest.raises(JobCancelled):
            cancelled.update(CancelAt(when))
        record = cancelled.update()
        got.append((record.reward, record.loss))
    assert got == expected


def test_bundled_policies_do_their_task_now_and_then() -> None:
    """pass@1 of 10 to 50 %: what never occurs cannot be reinforced."""
    for make in TASKS:
        task = make()
        grpo = GRPO(bundled_policy(task), task, RewardMix(((EXACT, 1.0),)), GRPOSettings())
        assert 0.1 <= grpo.evaluate(400) <= 0.5


def test_a_policy_that_is_not_there_or_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError):
        bundled_policy(Sums(), tmp_path)
    policy().save(tmp_path / "sums")
    with pytest.raises(LabError, match="not one for this task"):
        bundled_policy(Sums(), tmp_path)


def test_a_mix_is_written_in_a_line() -> None:
    mix = RewardMix(((EXACT, 1.0), (FORMAT, 0.0), (LENGTH, -0.1)))
    assert mix.words() == "1 × Exactly right − 0.1 × Length"
    assert RewardMix(((EXACT, 0.0),)).words() == "nothing"


@pytest.mark.parametrize("make", TASKS)
def test_tasks_keep_their_promises(make: type[Task]) -> None:
    task = make()
    train, held_out = task.prompts(held_out=False), task.prompts(held_out=True)
    assert not {p.text for p in train} & {p.text for p in held_out}
    assert {c for p in [*train, *held_out] for c in p.text + p.target} <= set(task.alphabet)
    encode = task.tokenizer.encode
    assert max(len(encode(p.target)) for p in held_out) < task.max_answer
    rng = np.random.default_rng(0)
    for i in rng.integers(len(train), size=200).tolist():
        prompt = train[i]
        assert task.true_score(prompt, prompt.target) == 1.0
        mistake = task.mistake(prompt, rng)
        assert mistake != prompt.target
        assert len(encode(mistake)) < task.max_answer
        assert set(mistake) <= set(task.alphabet)
    questions = {p.text for p in held_out}
    documents = task.pretraining_documents(500, seed=1, right=0.4)
    assert documents == task.pretraining_documents(500, seed=1, right=0.4)
    asked = [next((p for p in train if d.startswith(p.text)), None) for d in documents[:60]]
    assert all(p is not None and p.text not in questions for p in asked)


def test_sums_are_pythons_and_letters_are_sorted() -> None:
    for prompt in [*Sums().prompts(held_out=True)][:100]:
        assert int(prompt.target) == eval(prompt.text[:-1])  # noqa: S307 - our own digits
    for prompt in [*Letters().prompts(held_out=True)][:100]:
        word = prompt.text[1:-1]
        right = word[::-1] if prompt.text[0] == "<" else "".join(sorted(word))
        assert prompt.target == right


@pytest.mark.parametrize(
    ("term", "answer", "score"),
    [
        (EXACT, Answer("85", True, 3), 1.0),
        (EXACT, Answer("85", False, 2), 0.0),
        (PARTIAL, Answer("88", True, 3), 0.5),
        (PARTIAL, Answer("855", True, 4), 2 / 3),
        (FORMAT, Answer("12", True, 3), 1.0),
        (FORMAT, Answer("1+", True, 3), 0.0),
        (FORMAT, Answer("", True, 1), 0.0),
        (LENGTH, Answer("12", True, 3), 3.0),
    ],
)
def test_terms_score_as_they_say(term: RewardTerm, answer: Answer, score: float) -> None:
    assert term.score(Prompt("37+48=", "85"), answer) == pytest.approx(score)


def test_what_makes_no_sense_is_refused_in_words() -> None:
    with pytest.raises(LabError, match="not made for the task"):
        GRPO(policy(vocab_size=7), Echo(), RewardMix(((EXACT, 1.0),)), GRPOSettings())
    with pytest.raises(LabError, match="at least one"):
        RewardMix(())
    with pytest.raises(LabError, match="must be a number"):
        RewardMix(((EXACT, float("nan")),))
    for wrong in ({"group": 0}, {"temperature": 0.0}, {"learning_rate": -1.0}, {"clip": 0.0}):
        with pytest.raises(LabError):
            GRPOSettings(**wrong)  # type: ignore[arg-type]


def test_a_policy_that_blows_up_says_so() -> None:
    grpo = run(GRPOSettings(prompts=2, group=4))
    with torch.no_grad():
        next(iter(grpo.module.parameters())).fill_(float("nan"))
    with pytest.raises(LabError, match="blown up"):
        grpo.update()
