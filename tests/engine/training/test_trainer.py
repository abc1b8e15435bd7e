"""Training runs: they learn, stop anywhere, go on bit for bit, and survive bad luck."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.transformer import TransformerModel
from engine.tokenizers.stream import TokenStream
from engine.training import Diverged, Trainer, load_checkpoint_model
from engine.training.checkpoint import CHECKPOINT_FILE
from tests.engine.training.toy import HELD_OUT, TRAIN, small, small_gpt2, stream


def parameters(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.module.parameters()])


def losses(trainer, steps):
    return [trainer.step().loss for _ in range(steps)]


@pytest.mark.parametrize(
    "recipe",
    [small(), small_gpt2(learning_rate=0.01),
     small_gpt2(optimizer="sgd", learning_rate=0.5, init="modern")],
    ids=["muon", "adamw", "sgd"],
)  # fmt: skip
def test_it_learns_a_text_by_heart(recipe):
    trainer = Trainer(recipe.but(steps=250, layers=2), TRAIN, HELD_OUT)
    start = trainer.evaluate().loss
    assert start == pytest.approx(math.log(10), abs=0.6)
    losses(trainer, 250)
    # within a window all but the first letters are certain
    assert trainer.history.steps[-1].loss < 0.45
    assert trainer.evaluate().loss < 0.6


@pytest.mark.parametrize(
    ("ffn", "positions", "norm"),
    list(
        itertools.product(
            ("relu", "gelu", "swiglu", "relu2"),
            ("learned", "rotary", "none"),
            ("layernorm", "rmsnorm"),
        )
    ),
)
def test_every_variant_trains(ffn, positions, norm):
    for changes in (
        {"tied": True, "bias": True, "norm_gain": True, "qk_norm": False, "residual": False},
        {"tied": False, "bias": False, "norm_gain": False, "qk_norm": True},
    ):
        recipe = small(ffn=ffn, positions=positions, norm=norm, **changes)
        trainer = Trainer(recipe, TRAIN, HELD_OUT)
        before = {n: p.detach().clone() for n, p in trainer.module.named_parameters()}
        # output, then W_O and W₂ start at zero: the first gradient reaches W_Q at the third step
        losses(trainer, 4)
        for name, p in trainer.module.named_parameters():
            assert not torch.equal(p, before[name]), name


def test_same_seed_same_run():
    runs = [Trainer(small(seed=s), TRAIN, HELD_OUT) for s in (1, 1, 2)]
    first, second, third = (losses(run, 5) for run in runs)
    assert first == second != third
    assert torch.equal(parameters(runs[0]), parameters(runs[1]))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
@pytest.mark.parametrize("sampling", ["random", "shuffled"])
def test_it_goes_on_bit_for_bit(optimizer, sampling, tmp_path):
    recipe = small(optimizer=optimizer, sampling=sampling, learning_rate=0.01, grad_clip=0.5)
    straight = Trainer(recipe, TRAIN, HELD_OUT)
    straight.set_learning_rate_scale(0.7)
    expected = losses(straight, 9)
    broken = Trainer(recipe, TRAIN, HELD_OUT)
    broken.set_learning_rate_scale(0.7)
    losses(broken, 4)
    broken.evaluate()
    broken.save(tmp_path)
    again = Trainer.load(tmp_path, TRAIN, HELD_OUT)
    assert again.recipe == recipe
    assert again.step_count == 4
    assert again.history.columns()["loss"].tolist() == expected[:4]
    assert again.history.evaluations == broken.history.evaluations
    assert losses(again, 5) == expected[4:]
    assert torch.equal(parameters(again), parameters(straight))


def test_saving_and_evaluating_leave_the_run_as_it_is(tmp_path):
    plain, busy = (Trainer(small(), TRAIN, HELD_OUT) for _ in range(2))
    expected = losses(plain, 6)
    seen = []
    for step in range(6):
        busy.evaluate()
        busy.save(tmp_path / str(step))
        busy.frozen_model()
        seen += losses(busy, 1)
    assert seen == expected


def test_run_yields_every_step_and_evaluates_when_told():
    trainer = Trainer(small(steps=7, eval_every=3), TRAIN, HELD_OUT)
    snapshots = list(trainer.run())
    assert [s.record.step for s in snapshots] == [1, 2, 3, 4, 5, 6, 7]
    assert [s.record.step for s in snapshots if s.evaluation] == [3, 6, 7]
    assert [e.step for e in trainer.history.evaluations] == [0, 3, 6, 7]
    assert trainer.finished
    assert list(trainer.run()) == []
    assert len(list(trainer.run(max_steps=2))) == 2
    columns = trainer.history.columns()
    assert columns["tokens"].tolist() == [32 * n for n in range(1, 10)]
    assert trainer.history.seconds == pytest.approx(columns["seconds"].sum())


def test_run_can_be_left_at_any_step_and_taken_up_again():
    whole, pieces = (Trainer(small(steps=8), TRAIN, HELD_OUT) for _ in range(2))
    expected = [s.record.loss for s in whole.run()]
    seen = []
    while not pieces.finished:
        for snapshot in pieces.run():
            seen.append(snapshot.record.loss)
            break
    assert seen == expected


def test_a_cancelled_job_leaves_whole_steps():
    class StopAfter(Job):
        def __init__(self, points):
            self.points = points

        def yield_point(self):
            self.points -= 1
            if self.points < 0:
                raise JobCancelled

    expected = losses(Trainer(small(), TRAIN, HELD_OUT), 8)
    for points in range(1, 8):
        trainer = Trainer(small(eval_every=2), TRAIN, HELD_OUT)
        with pytest.raises(JobCancelled):
            list(trainer.run(StopAfter(points)))
        taken = trainer.step_count
        assert len(trainer.history.steps) == taken
        rest = losses(trainer, 8 - taken)
        assert [*(r.loss for r in trainer.history.steps[:taken]), *rest] == expected


def test_evaluation_predicts_every_held_out_token_once():
    trainer = Trainer(small(context=8), TRAIN, HELD_OUT)
    losses(trainer, 5)
    ids = torch.from_numpy(HELD_OUT.ids).long()
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(ids) - 1, 8):
            x, y = ids[start : start + 8], ids[start + 1 : start + 9]
            log_probs = trainer.module(x[None, : len(y)])[0].double().log_softmax(-1)
            total -= float(log_probs[torch.arange(len(y)), y].sum())
    assert len(ids) % 8 != 1  # the last window is a short one
    assert trainer.evaluate().loss == pytest.approx(total / HELD_OUT.n_targets, abs=1e-6)


def test_the_model_follows_and_the_frozen_copy_does_not():
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    live, frozen = trainer.model, trainer.frozen_model()
    before = live.next_log_probs([0, 1])
    np.testing.assert_array_equal(frozen.next_log_probs([0, 1]), before)
    losses(trainer, 3)
    assert not np.allclose(live.next_log_probs([0, 1]), before)
    np.testing.assert_array_equal(frozen.next_log_probs([0, 1]), before)
    # what the loss says is what the model says
    score = -live.token_log_probs(TRAIN.ids[1:6]).mean()
    ids = torch.from_numpy(TRAIN.ids).long()[None, :6]
    with torch.no_grad():
        assert float(trainer.module.loss(ids[:, :-1], ids[:, 1:])) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_a_learning_rate_of_a_million_is_survived(optimizer):
    recipe = small(optimizer=optimizer, learning_rate=1e6, grad_clip=0.0, warmup=0,
                   weight_decay=0.1)  # fmt: skip
    trainer = Trainer(recipe.but(schedule="constant"), TRAIN, HELD_OUT)
    start = parameters(trainer)
    with pytest.raises(Diverged, match="no longer a number") as caught:
        losses(trainer, 2000)
    assert trainer.step_count == caught.value.step - 1
    assert trainer.go_back() == caught.value.last_good == trainer.step_count
    assert bool(torch.isfinite(parameters(trainer)).all())
    if trainer.step_count == 0:
        assert torch.equal(parameters(trainer), start)
    trainer.set_learning_rate_scale(1e-9)
    assert all(math.isfinite(loss) for loss in losses(trainer, 20))
    assert len(trainer.history.steps) == trainer.step_count


@pytest.mark.parametrize("learned", [0, 10, 60, 100])
@pytest.mark.parametrize("reload", [False, True])
def test_a_dead_network_is_no_state_to_go_back_to(learned, reload, tmp_path):
    trainer = Trainer(small(steps=200, schedule="constant"), TRAIN, HELD_OUT)
    start = parameters(trainer)
    losses(trainer, learned)
    if reload:
        trainer.save(tmp_path)
        trainer = Trainer.load(tmp_path, TRAIN, HELD_OUT)
    alive = parameters(trainer)
    with torch.no_grad():
        for p in trainer.module.parameters():
            p.zero_()
    trainer.set_learning_rate_scale(0.0)
    stuck = losses(trainer, 60)
    assert stuck == pytest.approx([math.log(10)] * 60)  # finite, and it never ends
    back = trainer.go_back()
    if reload:
        assert back == learned
        assert torch.equal(parameters(trainer), alive)
    elif learned < 25:
        assert back == 0
        assert torch.equal(parameters(trainer), start)
    else:
        assert 25 <= back <= learned
        assert trainer.evaluate().loss < 1.5
    assert len(trainer.history.steps) == trainer.step_count


def test_the_good_state_moves_on_while_the_loss_falls():
    trainer = Trainer(small(steps=200), TRAIN, HELD_OUT)
    losses(trainer, 130)
    expected = Trainer(small(steps=200), TRAIN, HELD_OUT)
    back = trainer.go_back()
    assert back == 125
    losses(expected, 125)
    assert torch.equal(parameters(trainer), parameters(expected))
    assert losses(trainer, 5) == losses(expected, 5)


def test_a_step_that_diverges_changes_nothing():
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    losses(trainer, 3)
    with torch.no_grad():
        trainer.module.embedding[0, 0] = math.nan
    before = parameters(trainer)
    with pytest.raises(Diverged):
        trainer.step()
    assert torch.equal(parameters(trainer).nan_to_num(7), before.nan_to_num(7))
    assert trainer.step_count == 3


def test_a_new_learning_rate_takes_effect_at_the_next_step():
    trainer = Trainer(small(schedule="constant", warmup=0), TRAIN, HELD_OUT)
    losses(trainer, 1)
    trainer.set_learning_rate_scale(0.0)
    before = parameters(trainer)
    assert trainer.step().learning_rate == 0
    assert torch.equal(parameters(trainer), before)
    for bad in (-1, math.nan, 1e10):
        with pytest.raises(LabError):
            trainer.set_learning_rate_scale(bad)


def test_gradients_are_clipped_to_the_length_asked_for():
    clipped = small(optimizer="sgd", learning_rate=1.0, momentum=0.0, weight_decay=0.0,
                    schedule="constant", warmup=0, grad_clip=0.01)  # fmt: skip
    trainer = Trainer(clipped, TRAIN, HELD_OUT)
    before = parameters(trainer)
    record = trainer.step()
    assert record.gradient_norm > 0.01
    assert float((parameters(trainer) - before).norm()) == pytest.approx(0.01, rel=1e-3)


# --- texts


@pytest.mark.parametrize("text", ["", "a", "ab", "abcdefgh", "abcdefgha"])
def test_the_shortest_texts_train(text):
    trainer = Trainer(small(steps=3), stream(text), stream("a"))
    assert all(math.isfinite(s.record.loss) for s in trainer.run())


def test_texts_that_cannot_be_trained_on_are_explained():
    nothing = TokenStream(np.array([9], dtype=np.int32), 9, 0)
    with pytest.raises(LabError, match="training text is empty"):
        Trainer(small(), nothing, HELD_OUT)
    with pytest.raises(LabError, match="held-out text is empty"):
        Trainer(small(), TRAIN, nothing)
    with pytest.raises(LabError, match="same tokenizer"):
        Trainer(small(), TRAIN, stream("ab", alphabet="ab"))
    with pytest.raises(LabError, match="Layers"):
        Trainer(small(layers=0), TRAIN, HELD_OUT)


def test_the_model_of_a_checkpoint_can_be_had_alone(tmp_path):
    trainer = Trainer(small(name="Run 3"), TRAIN, HELD_OUT)
    losses(trainer, 2)
    trainer.save(tmp_path)
    model = load_checkpoint_model(tmp_path)
    assert isinstance(model, TransformerModel)
    assert model.name == "Run 3"
    np.testing.assert_array_equal(model.log_probs([0, 1, 2]), trainer.model.log_probs([0, 1, 2]))


def test_a_checkpoint_is_tied_to_its_texts(tmp_path):
    Trainer(small(), TRAIN, HELD_OUT).save(tmp_path)
    with pytest.raises(LabError, match="another text"):
        Trainer.load(tmp_path, HELD_OUT, TRAIN)


def test_damaged_checkpoints_are_refused(tmp_path):
    with pytest.raises(LabError, match="couldn't be read"):
        Trainer.load(tmp_path, TRAIN, HELD_OUT)
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    losses(trainer, 2)
    trainer.save(tmp_path)
    path = tmp_path / CHECKPOINT_FILE
    data = path.read_bytes()
    header = int.from_bytes(data[:8], "little")
    for length in (0, 5, 8, header // 2, header + 8, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(LabError):
            Trainer.load(tmp_path, TRAIN, HELD_OUT)
    for old, new in (
        (b'\\"step_count\\": 2', b'\\"step_count\\": 3'),
        (b'\\"step_count\\": 2', b'\\"step_count\\":-2'),
        (b'\\"version\\": 1', b'\\"version\\": 9'),
        (b'\\"width\\": 16', b'\\"width\\": 61'),
        (b'\\"optimizer\\": \\"muon\\"', b'\\"optimizer\\": \\"sgdm\\"'),
        (b'\\"learning_rate_scale\\": 1.0', b'\\"learning_rate_scale\\": NaN'),
        (b"optimizer.velocity", b"optimizer.velocitx"),
    ):
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
        with pytest.raises(LabError):
            Trainer.load(tmp_path, TRAIN, HELD_OUT)
    path.write_bytes(data)
    assert Trainer.load(tmp_path, TRAIN, HELD_OUT).step_count == 2


def test_a_save_that_fails_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    losses(trainer, 2)
    trainer.save(tmp_path)
    losses(trainer, 1)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(LabError, match="No space left"):
            trainer.save(tmp_path)
    assert Trainer.load(tmp_path, TRAIN, HELD_OUT).step_count == 2
    trainer.save(tmp_path)
    assert Trainer.load(tmp_path, TRAIN, HELD_OUT).step_count == 3


def test_an_evaluation_holds_a_bounded_number_of_scores(monkeypatch):
    trainer = Trainer(small(), TRAIN, HELD_OUT)
    whole, scores, loss = trainer.evaluate().loss, [], trainer.module.loss

    def noted(ids, targets):
        scores.append(ids.numel() * TRAIN.vocab_size)
        return loss(ids, targets)

    monkeypatch.setattr("engine.training.trainer._SCORES_AT_ONCE", 200)
    monkeypatch.setattr(trainer.module, "loss", noted)
    assert trainer.evaluate().loss == pytest.approx(whole, rel=1e-6)
    assert max(scores) <= 200 and sum(scores) == HELD_OUT.n_targets * TRAIN.vocab_size


def test_small_steps_take_one_thread_unless_the_recipe_says_otherwise(monkeypatch):
    monkeypatch.setattr("engine.training.trainer._THREADS", 2)
    before = torch.get_num_threads()
    try:
        Trainer(small(threads=0), TRAIN, HELD_OUT).step()
        assert torch.get_num_threads() == 1
        Trainer(small(threads=0, batch_size=128, context=64), TRAIN, HELD_OUT).step()
        assert torch.get_num_threads() == 2
        Trainer(small(threads=2), TRAIN, HELD_OUT).step()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
