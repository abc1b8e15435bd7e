"""Units, judgements and words: numbers against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.models.landmarks import landmarks
from engine.tokenizers import WordTokenizer
from engine.tokenizers.stream import encode_documents
from engine.training.tables import Table, View
from engine.workspace import MadeFrom, MadeTokenizer, Streams, TokenizerSpec
from gui.training.judgement import LAST, judge
from gui.training.live import LiveRun
from gui.training.loss_view import smoothing_for
from gui.training.news import News, Order
from gui.training.scale_page import extents, real_years, said, years_said
from gui.training.transport import tokens_per_second, two_digits
from gui.training.units import LossUnit, along, units_of
from gui.training.updates import UpdateSizes, part_of
from tests.gui.training.conftest import a_recipe

TRAIN = ["the cat sat on the mat", "a dog sat on the cat"] * 5
HELD_OUT = ["the zebra sat on a mat"]


def an_order_of_words() -> Order:
    tokenizer = WordTokenizer.train(TRAIN, max_size=40)
    made_from = MadeFrom("c", "C", "t", "T")
    streams = Streams(
        encode_documents(tokenizer, TRAIN), encode_documents(tokenizer, HELD_OUT), made_from
    )
    made = MadeTokenizer(tokenizer, TokenizerSpec("words", 40), "t", made_from)
    return Order(a_recipe(), "tiny", streams, made, sample_tokens=2)


def table(**columns: list[float]) -> View:
    made = Table(*columns)
    for row in zip(*columns.values(), strict=True):
        made.append(row)
    return made.view()


def test_bits_per_byte_of_a_landmark_and_of_a_curve_at_its_height_agree() -> None:
    """Also for a tokenizer that loses words: both then pay for spelling them."""
    order = an_order_of_words()
    assert not order.tokenizer.tokenizer.lossless
    lines = tuple(
        landmarks(
            order.streams.train,
            order.streams.held_out,
            documents=HELD_OUT,
            tokenizer=order.tokenizer.tokenizer,
        )
    )
    training, held_out = units_of("bits", order, lines)
    assert training is None and held_out.spelling_bits > 0
    for line in lines:
        height = held_out(np.array([line.nats_per_token]))[0]
        assert height == pytest.approx(line.bits_per_byte)


def test_units_by_their_formulas() -> None:
    nats = np.array([0.0, 1.0, math.log(2)])
    np.testing.assert_array_equal(LossUnit("nats", 0.5)(nats), nats)
    np.testing.assert_allclose(LossUnit("perplexity", 0.5)(nats), [1, math.e, 2])
    np.testing.assert_allclose(LossUnit("bits", 0.5)(nats), [0, 0.5 / math.log(2), 0.5])
    assert LossUnit("perplexity")(np.array([5000.0]))[0] == math.inf


def some_news() -> News:
    return News(
        recipe=a_recipe(),
        steps=table(step=[1, 2, 3], seconds=[0.5, 1.5, 1.75], tokens=[64, 128, 192]),
        evaluations=table(step=[0]),
        updates=table(step=[]),
        flops_per_step=1000,
    )


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("step", [0, 1, 3]),
        ("tokens", [0, 64, 192]),
        ("seconds", [0, 0.5, 1.75]),
        ("flops", [0, 1000, 3000]),
    ],
)
def test_steps_are_placed_along_every_axis(key: str, places: list[float]) -> None:
    np.testing.assert_array_equal(along(key, some_news(), np.array([0.0, 1.0, 3.0])), places)


def test_overfitting_is_marked_once_the_loss_has_clearly_risen() -> None:
    steps = table(loss=[1.0])

    def best(*losses: float) -> int | None:
        found = table(step=[10.0 * i for i in range(len(losses))], loss=list(losses))
        return judge(steps, found, None).best_step

    assert best(3.0, 2.0, 1.0) is None
    assert best(3.0, 2.0, 2.1) is None  # one could be chance
    assert best(3.0, 2.0, 2.01, 2.02) is None  # too little
    assert best(3.0, 2.0, 2.1, 2.2) == 10
    assert best() is None


def test_memorising_is_marked_where_the_mean_falls_clearly_below_the_truth() -> None:
    falling = table(loss=[2.0 - 0.01 * i for i in range(200)])
    found = judge(falling, table(step=[], loss=[]), 1.0).memorising_step
    assert found is not None
    means = [np.mean(falling["loss"][i - LAST : i]) for i in range(LAST, 201)]
    first = next(i for i, mean in enumerate(means) if mean < 0.97) + LAST
    assert found == first
    assert judge(falling, table(step=[], loss=[]), None).memorising_step is None
    spike = table(loss=[2.0] * 100 + [0.0] + [2.0] * 100)
    assert judge(spike, table(step=[], loss=[]), 1.0).memorising_step is None


def test_update_sizes_are_the_lengths_of_what_a_step_changed() -> None:
    from engine.training import Trainer

    order = an_order_of_words()
    trainer = Trainer(order.recipe, order.streams.train, order.streams.held_out)
    for _ in range(3):
        trainer.step()
    sizes = UpdateSizes(trainer)
    before = {n: p.detach().numpy().copy() for n, p in trainer.module.named_parameters()}
    sizes.before(trainer)
    trainer.step()
    measured = sizes.after(trainer)
    assert measured is not None and sizes.after(trainer) is None
    for part, size in zip(sizes.parts, measured, strict=True):
        names = [n for n, old in before.items() if part_of(n) == part and old.ndim > 1]
        old = np.concatenate([before[n].ravel() for n in names])
        now = {n: p.detach().numpy() for n, p in trainer.module.named_parameters()}
        new = np.concatenate([now[n].ravel() for n in names])
        assert size == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old), rel=1e-4)


def test_a_live_run_needs_no_window() -> None:
    live = LiveRun(an_order_of_words())
    ended = live.train()
    assert ended.reason == "finished" and ended.news.step == 12
    assert list(ended.news.updates["step"]) == list(range(1, 13))
    assert [s.step for s in ended.news.samples] == [0, 4, 8, 12]


def test_words_and_weights() -> None:
    assert tokens_per_second(np.array([100.0, 300.0])) == pytest.approx(150.0)
    assert tokens_per_second(np.array([])) is None
    assert [two_digits(v) for v in (15902, 0.0123, 99.6)] == [16000, 0.012, 100]
    assert smoothing_for(50) == pytest.approx(0.8) and smoothing_for(5000) == pytest.approx(0.99)
    assert all(smoothing_for(10**power) < 1 for power in range(8)), "smoothed to nothing"


def test_how_far_a_real_one_is() -> None:
    """The tutorial's smallest: 6 · 10¹¹ · 10¹² operations, at 10¹⁰ a second: 1.9 million years."""
    low, high = real_years(1e10)
    assert low == pytest.approx(6e23 / 1e10 / (365.25 * 86400))
    assert high == pytest.approx(low * 20 * 15)
    assert years_said(low) == "1.9 million" and years_said(high) == "570 million"
    assert [e.run for e in extents(1e6, 2e6)] == [1e6, 2e6, 1.2e13]
    assert [said(v) for v in (1.0, 918_000, 1e6, 3.14e12)] == ["1", "918,000", "10⁶", "3.1×10¹²"]
