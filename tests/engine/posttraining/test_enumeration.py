"""Exact sums over all answers, against brute force and against what sampling estimates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
import pytest
import torch

from engine.errors import LabError
from engine.posttraining.closed_form import kl_divergence, objective_value
from engine.posttraining.enumeration import (
    AnswerTree,
    enumerate_prompt,
    exact_gradient,
    exact_log_probs,
    tree_of,
)
from engine.posttraining.objective import advantages, k3, policy_objective
from engine.posttraining.reading import answer_log_probs
from engine.posttraining.rewards import TERMS, RewardMix
from engine.posttraining.sampling import sample_answers
from engine.posttraining.tasks import Sums
from engine.posttraining.tasks.pairs import Pairs
from tests.engine.posttraining.tiny import Echo, tiny_policy

EXACT, PARTIAL, _, LENGTH = TERMS
END = Echo().tokenizer.vocab_size
MIX = RewardMix(((EXACT, 1.0), (PARTIAL, 0.5), (LENGTH, -0.1)))


def test_the_tree_lists_every_answer_once() -> None:
    listed = AnswerTree(2, 3).tokens()
    wanted = {(*text, 2) for k in range(3) for text in product(range(2), repeat=k)} | set(
        product(range(2), repeat=3)
    )
    assert len(listed) == len(set(listed)) == len(AnswerTree(2, 3)) == 15
    assert set(listed) == wanted
    assert [len(t) for t in listed[:7]] == [1, 2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_probabilities_are_the_chain_rules_and_add_up_to_one(temperature: float) -> None:
    model, prompt = tiny_policy(2), [0, 2]
    logs = tree_of(Echo()).log_probs(model.module, prompt, temperature).detach().numpy()
    assert np.exp(logs).sum() == pytest.approx(1.0, abs=1e-12)
    for answer, log_p in zip(tree_of(Echo()).tokens(), logs.tolist(), strict=True):
        rows = model.log_probs([*prompt, *answer])[len(prompt) :] / temperature
        rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
        assert log_p == pytest.approx(rows[range(len(answer)), list(answer)].sum(), abs=1e-4)


def test_every_answer_is_scored_as_its_text() -> None:
    task = Pairs()
    prompt = next(p for p in task.prompts(held_out=False) if p.target == "ba")
    found = enumerate_prompt(task, prompt, RewardMix(((EXACT, 2.0),)))
    assert len(found.answers) == 2801
    assert found.rewards.sum() == 2.0
    assert found.label(int(found.rewards.argmax())) == "ba"
    assert found.true_scores.sum() == 1.0
    assert found.label(0) == "(empty)" and found.label(2800).endswith("…")


def test_too_many_answers_are_refused_in_words() -> None:
    with pytest.raises(LabError, match="too many to list"):
        tree_of(Sums())
    with pytest.raises(LabError):
        AnswerTree(0, 3)


def _flat(gradients: Iterable[torch.Tensor]) -> np.ndarray:
    return torch.cat([g.flatten() for g in gradients]).double().numpy()


def _estimates(group: int, n: int, beta: float) -> np.ndarray:
    """GRPO's gradient estimates with the reward less β log π/π_ref, a group each: (n, all
    parameters). The reference is another untrained policy."""
    module, reference = tiny_policy(3).module, tiny_policy(5).module
    task, prompt = Echo(), Echo().prompts(held_out=False)[0]
    ids = task.tokenizer.encode(prompt.text)
    scored = enumerate_prompt(task, prompt, MIX)
    worth = dict(zip(tree_of(task).tokens(), scored.rewards.tolist(), strict=True))
    asked, found = torch.tensor([[END, *ids]]), []
    for seed in range(n):
        generator = torch.Generator().manual_seed(seed)
        drawn = sample_answers(module, [ids], group, task.max_answer, generator)
        with torch.no_grad():
            old = answer_log_probs(reference, asked, drawn.tokens)
        written = zip(drawn.tokens.tolist(), drawn.lengths.int().tolist(), strict=True)
        rewards = torch.tensor([worth[tuple(row[:k])] for row, k in written])
        rewards = rewards - beta * ((drawn.log_probs - old) * drawn.mask).sum(dim=1)
        loss = policy_objective(
            answer_log_probs(module, asked, drawn.tokens),
            drawn.log_probs,
            advantages(rewards[None], "mean")[0],
            drawn.mask,
            weights="sequences",
        ).loss
        found.append(_flat(torch.autograd.grad(-loss, list(module.parameters()))))
    return np.array(found)


@pytest.mark.parametrize("beta", [0.0, 0.4])
def test_the_sampled_gradient_is_the_exact_one_within_its_error(beta: float) -> None:
    """Along the exact gradient and along random directions. The group's mean as baseline shrinks
    the estimate by 1 − 1/G, since each sample is part of its own baseline."""
    group, n = 32, 200
    module, task = tiny_policy(3).module, Echo()
    one = enumerate_prompt(task, task.prompts(held_out=False)[0], MIX)
    reference = exact_log_probs(tiny_policy(5).module, task, [one.ids])
    exact = _flat(exact_gradient(module, task, [one], beta, reference).values())
    ways = np.random.default_rng(0).normal(size=(12, len(exact)))
    ways[0] = exact
    along = _estimates(group, n, beta) @ ways.T * (group / (group - 1))  # (n, 12)
    error = along.std(axis=0, ddof=1) / np.sqrt(n)
    z = (along.mean(axis=0) - ways @ exact) / error
    assert exact @ exact > 15 * error[0]  # there is something to be seen
    assert np.abs(z).max() < 4


def test_k3_averages_to_the_exact_divergence_of_the_next_token_distributions() -> None:
    """Summed over an answer, k3's mean is the KL of whole answers, by the chain rule."""
    module, reference, task = tiny_policy(3).module, tiny_policy(5).module, Echo()
    ids = task.tokenizer.encode("a?")
    rows = [exact_log_probs(m, task, [ids])[0] for m in (module, reference)]
    exact = kl_divergence(rows[0], rows[1])
    drawn = sample_answers(module, [ids], 6000, 3, torch.Generator().manual_seed(0))
    asked = torch.tensor([[END, *ids]])
    with torch.no_grad():
        old = answer_log_probs(reference, asked, drawn.tokens)
    summed = (k3(drawn.log_probs, old) * drawn.mask).sum(dim=1).double().numpy()
    error = summed.std() / np.sqrt(len(summed))
    assert exact > 10 * error
    assert summed.mean() == pytest.approx(exact, abs=4 * error)
    plain = ((drawn.log_probs - old) * drawn.mask).sum(dim=1).double().numpy()
    assert plain.mean() == pytest.approx(exact, abs=4 * plain.std() / np.sqrt(len(plain)))


def test_the_exact_gradient_is_the_slope_of_the_exact_objective() -> None:
    module, reference, task = tiny_policy(3).module, tiny_policy(5).module, Echo()
    asked = [enumerate_prompt(task, p, MIX) for p in task.prompts(held_out=False)]
    ref = exact_log_probs(reference, task, [a.ids for a in asked])

    def value() -> float:
        now = exact_log_probs(module, task, [a.ids for a in asked])
        return float(
            np.mean(
                [
                    objective_value(n, r, a.rewards, 0.3)
                    for n, r, a in zip(now, ref, asked, strict=True)
                ]
            )
        )

    gradients = exact_gradient(module, task, asked, 0.3, ref)
    generator = torch.Generator().manual_seed(1)
    way = {k: torch.randn(g.shape, generator=generator) for k, g in gradients.items()}
    slope = sum(float((gradients[k] * way[k]).sum()) for k in way)
    step = 2e-3
    ends = []
    for sign in (1, -2):
        with torch.no_grad():
            for name, p in module.named_parameters():
                p.add_(way[name], alpha=sign * step)
        ends.append(value())
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(slope, rel=0.02)


def test_a_penalty_without_its_reference_is_an_error() -> None:
    task = Echo()
    asked = [enumerate_prompt(task, task.prompts(held_out=False)[0], MIX)]
    with pytest.raises(ValueError, match="reference"):
        exact_gradient(tiny_policy().module, task, asked, beta=0.1)
