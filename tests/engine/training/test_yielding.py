"""Yield points inside a step: what passes there changes nothing, and can stop the step."""

from __future__ import annotations

import pytest
import torch

from engine.jobs import Job, JobCancelled
from engine.models.transformer.products import fast_products
from engine.training import Trainer, modern
from tests.engine.training.toy import HELD_OUT, TRAIN, small, small_gpt2


class Doing(Job):
    """Does something at every yield point, and counts them."""

    def __init__(self, what=lambda: None):
        self.what, self.points = what, 0

    def yield_point(self):
        self.points += 1
        self.what()


def three_layers(recipe=None):
    return small(recipe, layers=3)


def values(trainer):
    return [p.detach().clone() for p in trainer.module.parameters()]


def same(left, right):
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


MUON = 3
"""Yield points of Muon itself: one for each run of matrices of one shape."""


@pytest.mark.parametrize(("recipe", "more"), [(small_gpt2(layers=3), 1), (three_layers(), MUON)])
def test_a_step_has_a_yield_point_at_each_block_both_ways(recipe, more):
    job = Doing()
    Trainer(recipe, TRAIN, HELD_OUT).step(job)
    assert job.points == 6 + more


@pytest.mark.parametrize("recipe", [small_gpt2(layers=3), three_layers()])
def test_another_network_trains_in_between_and_neither_notices(recipe):
    def outcome(steps):
        trainer = Trainer(recipe, TRAIN, HELD_OUT)
        for _ in range(steps):
            trainer.step()
        return values(trainer)

    inner = Trainer(recipe, TRAIN, HELD_OUT)
    outer = Trainer(recipe, TRAIN, HELD_OUT)

    def let_in():
        with torch.inference_mode(False), torch.enable_grad():
            inner.step()
        outer.model.next_log_probs([1, 2, 3])

    outer.step(Doing(let_in))
    outer.step(Doing(let_in))
    assert inner.step_count >= 12
    assert same(values(outer), outcome(2))
    assert same(values(inner), outcome(inner.step_count))


def test_a_step_stopped_half_way_has_changed_nothing():
    whole = Trainer(three_layers(), TRAIN, HELD_OUT)
    expected = [whole.step().loss for _ in range(3)]
    for last in range(1, 7 + MUON):
        trainer = Trainer(three_layers(), TRAIN, HELD_OUT)
        losses = [trainer.step().loss]
        before = values(trainer)

        points = iter(range(1, 7 + MUON))

        def stop(points=points, last=last):
            if next(points) == last:
                raise JobCancelled

        with pytest.raises(JobCancelled):
            trainer.step(Doing(stop))
        assert trainer.step_count == 1
        assert same(values(trainer), before)
        assert [*losses, trainer.step().loss, trainer.step().loss] == expected


def test_what_passes_sees_torch_as_outside_of_training():
    settings = torch.backends.mkldnn.matmul
    outside, seen, threads = settings.fp32_precision, [], torch.get_num_threads()

    def look():
        seen.append(settings.fp32_precision)
        torch.set_num_threads(2)
        inside.append(torch.get_num_threads())

    inside = []
    trainer = Trainer(modern().but(layers=2, width=16, context=8, threads=1), TRAIN, HELD_OUT)
    try:
        trainer.step(Doing(look))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert seen == [outside] * (4 + MUON)
    with fast_products():
        pass
    assert settings.fp32_precision == outside


def test_time_let_in_is_no_part_of_the_step(monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr("engine.training.trainer.time.perf_counter", clock)

    def wait():
        now[0] += 1000.0

    record = Trainer(three_layers(), TRAIN, HELD_OUT).step(Doing(wait))
    assert 0 < record.seconds < 1000
