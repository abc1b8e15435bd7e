"""One step, slowly: against torch's own optimizers, finite differences, and what must hold."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.transformer.model import TransformerModel
from engine.tokenizers import CharacterTokenizer
from engine.training import Recipe
from engine.training.one_step import (
    EMBEDDING,
    MOST_TOKENS,
    NO_TARGET,
    OneStep,
    plain_ascent,
    readable_batch,
    take_one_step,
)
from tests.engine.training.toy import small, small_gpt2

LETTERS = CharacterTokenizer("abcdefgh ")
V = LETTERS.vocab_size + 1
LINES = ("abcd ef", "ghab")


def model(recipe: Recipe | None = None, seed: int = 3) -> TransformerModel:
    recipe = recipe or small_gpt2()
    made = TransformerModel.untrained(recipe.model_config(V), recipe.init, seed)
    with torch.no_grad():  # zero matrices would hide what does not reach them
        for p in made.module.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=torch.Generator().manual_seed(seed)))
    return made


def step(rate: float = 0.1, recipe: Recipe | None = None, start: Recipe | None = None) -> OneStep:
    start = start or small_gpt2()
    batch = readable_batch(LETTERS, LINES, start.context)
    return take_one_step(model(start), batch, recipe or plain_ascent(start), rate)


def mean_log_p(module: torch.nn.Module) -> torch.Tensor:
    """By the definition: a line at a time, without padding."""
    total, count = torch.zeros((), dtype=torch.float64), 0
    for line in LINES:
        ids = LETTERS.encode(line)
        inputs = torch.tensor([[V - 1, *ids[:-1]]])
        table = module(inputs)[0].double().log_softmax(-1)
        total = total + table[torch.arange(len(ids)), torch.tensor(ids)].sum()
        count += len(ids)
    return total / count


def test_targets_are_the_inputs_shifted_by_one() -> None:
    batch = readable_batch(LETTERS, LINES, 8)
    assert batch.inputs.shape == batch.targets.shape == (2, 7)
    for row, line in enumerate(LINES):
        n = len(line)
        assert LETTERS.decode(batch.targets[row, :n].tolist()) == line
        assert batch.inputs[row, 0] == V - 1
        assert (batch.inputs[row, 1:n] == batch.targets[row, : n - 1]).all()
        assert (batch.targets[row, n:] == NO_TARGET).all()
    assert batch.tokens == sum(map(len, LINES))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((), "Write a sentence"),
        ((" ", "\n"), "Write a sentence"),
        (("abcdefghabc",), "11 tokens long"),
        (("abcdefgh",) * (MOST_TOKENS // 8 + 1), f"{MOST_TOKENS} tokens"),
    ],
)
def test_a_batch_that_cannot_be_read_is_explained(lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(LabError, match=words):
        readable_batch(LETTERS, lines, 8)


@pytest.mark.parametrize("start", [small_gpt2(), small_gpt2(tied=False), small()])
def test_the_step_is_torchs_own(start: Recipe) -> None:
    """θ + η∇ log p by torch.optim.SGD, on a loss summed up line by line."""
    own = copy.deepcopy(model(start).module)
    optimizer = torch.optim.SGD(own.parameters(), lr=0.1)
    before = float(mean_log_p(own).detach())
    (-mean_log_p(own)).backward()
    gradient = math.sqrt(sum(float(p.grad.square().sum()) for p in own.parameters()))
    optimizer.step()
    after = float(mean_log_p(own).detach())
    taken = step(0.1, start=start)
    assert np.nanmean(taken.log_p_before) == pytest.approx(before, abs=1e-6)
    assert np.nanmean(taken.log_p_after) == pytest.approx(after, abs=1e-6)
    assert taken.gain == pytest.approx(after - before, abs=1e-6)
    assert taken.gradient == pytest.approx(gradient, rel=1e-5)
    assert taken.expected == pytest.approx(0.1 * gradient**2, rel=1e-4)
    number = taken.followed
    stepped = float(own.embedding[number.token, number.column].detach())
    assert number.after == pytest.approx(stepped, abs=1e-6)


def test_adamw_is_torchs_own() -> None:
    recipe = small_gpt2(optimizer="adamw", learning_rate=0.01, weight_decay=0.3, grad_clip=0.0)
    own = copy.deepcopy(model(recipe).module)
    matrices = [p for p in own.parameters() if p.dim() > 1]
    vectors = [p for p in own.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.3}, {"params": vectors, "weight_decay": 0.0}],
        lr=0.02,
        betas=(recipe.beta1, recipe.beta2),
        eps=1e-8,
    )
    (-mean_log_p(own)).backward()
    optimizer.step()
    taken = step(0.02, recipe, start=recipe)
    assert np.nanmean(taken.log_p_after) == pytest.approx(float(mean_log_p(own).detach()), abs=1e-5)


def test_the_followed_gradient_is_the_slope() -> None:
    """∂ log p / ∂θ of the number on show, by a central difference in double precision."""
    start = small_gpt2()
    taken, number = step(start=start), step(start=start).followed
    module = copy.deepcopy(model(start).module).double()
    values = []
    for change in (1e-4, -1e-4):
        with torch.no_grad():
            module.embedding[number.token, number.column] += change
            values.append(float(mean_log_p(module)))
            module.embedding[number.token, number.column] -= change
    assert number.gradient == pytest.approx((values[0] - values[1]) / 2e-4, rel=1e-3)
    assert number.after == pytest.approx(number.before + taken.rate * number.gradient, abs=1e-7)


def test_what_the_matrices_tell_adds_up() -> None:
    taken = step()
    assert math.sqrt(sum(m.gradient**2 for m in taken.matrices)) == pytest.approx(
        taken.gradient, rel=1e-5
    )
    module = model().module
    assert sum(math.prod(m.shape) for m in taken.matrices) == sum(
        p.numel() for p in module.parameters()
    )
    for m in taken.matrices:
        assert m.moved == pytest.approx(taken.rate * m.gradient, rel=1e-3, abs=1e-7)
        assert m.share == pytest.approx(m.moved / m.size)
    names = [m.name for m in taken.matrices]
    assert (
        names.index("layer 1, W_Q") < names.index("layer 1, W_O") < names.index("layer 1, FFN W₁")
    )
    assert names[0] == EMBEDDING
    moved = next(m.moved for m in taken.matrices if m.name == EMBEDDING)
    assert math.sqrt((taken.rows**2).sum()) == pytest.approx(moved, rel=1e-5)


def test_each_of_q_k_v_is_told_apart() -> None:
    start = small_gpt2()
    module = copy.deepcopy(model(start).module)
    (-mean_log_p(module)).backward()
    parts = module.blocks[0].attention.qkv.weight.grad.split(start.width)
    taken = {m.name: m.gradient for m in step(start=start).matrices}
    for name, part in zip(("W_Q", "W_K", "W_V"), parts, strict=True):
        assert taken[f"layer 1, {name}"] == pytest.approx(float(part.norm()), rel=1e-4)


def test_only_the_rows_that_were_read_move_where_the_output_has_a_matrix_of_its_own() -> None:
    taken = step(start=small_gpt2(tied=False))
    assert ((taken.rows > 0) == (taken.times_read() > 0)).all()
    assert (taken.times_read() == 0).any()
    tied = step(start=small_gpt2(tied=True))
    assert (tied.rows > 0).all()  # as rows of the output matrix all of them are pushed


def test_counts_of_the_tokens() -> None:
    taken = step()
    wanted, read = np.zeros(V, int), np.zeros(V, int)
    for line in LINES:
        ids = LETTERS.encode(line)
        np.add.at(wanted, ids, 1)
        np.add.at(read, [V - 1, *ids[:-1]], 1)
    assert (taken.times_target() == wanted).all()
    assert (taken.times_read() == read).all()


def test_the_model_stays_as_it_is() -> None:
    start = model()
    kept = copy.deepcopy(start.module.state_dict())
    batch = readable_batch(LETTERS, LINES, 8)
    take_one_step(start, batch, plain_ascent(small_gpt2()), 1.0)
    assert all(torch.equal(kept[name], p) for name, p in start.module.state_dict().items())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1e-4, 1e-3]))
def test_small_steps_rise_as_the_slope_says(seed: int, rate: float) -> None:
    start = small_gpt2()
    batch = readable_batch(LETTERS, LINES, 8)
    taken = take_one_step(model(start, seed), batch, plain_ascent(start), rate)
    assert taken.gain == pytest.approx(taken.expected, rel=0.05, abs=2e-7)


def test_a_rate_far_too_large_makes_the_text_less_probable() -> None:
    taken = step(300.0)
    assert taken.expected > 10
    assert taken.gain < 0


def test_a_rate_beyond_all_numbers_is_told_as_it_is() -> None:
    taken = step(1e38)
    assert math.isnan(taken.gain)
    assert np.isfinite(taken.before).all()


def test_probabilities_sum_to_one() -> None:
    taken = step()
    for table in (taken.before, taken.after):
        assert np.exp(table.astype(np.float64)).sum(-1) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(LabError, match="above 0"):
        step(rate)


def test_a_batch_of_another_model_is_refused() -> None:
    batch = readable_batch(LETTERS, ("abcdefgh",), 8)
    short = small_gpt2(context=4)
    with pytest.raises(LabError, match="reads 4 at once"):
        take_one_step(model(short), batch, plain_ascent(short), 0.1)
    few = TransformerModel.untrained(small_gpt2().model_config(4))
    with pytest.raises(LabError, match="another tokenizer"):
        take_one_step(few, batch, plain_ascent(small_gpt2()), 0.1)


class _Cancelled(Job):
    def yield_point(self) -> None:
        raise JobCancelled


def test_it_can_be_cancelled() -> None:
    batch = readable_batch(LETTERS, LINES, 8)
    with pytest.raises(JobCancelled):
        take_one_step(model(), batch, plain_ascent(small_gpt2()), 0.1, _Cancelled())
