"""The race is fair, and its figures are what each model scores by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.models import NGramModel
from engine.models.hmm_training import train_hmm
from engine.models.scores import held_out_score
from engine.tokenizers import ByteTokenizer, encode_documents
from engine.training import Recipe, Trainer
from engine.training.race import (
    CHECKS,
    MOST_WATCHED,
    PATIENCE,
    Entrants,
    Lap,
    overtaken,
    race,
    set_aside,
    share_of,
    shares,
)

BYTES = ByteTokenizer()
TEXTS = [f"the {a} sat on the {b}. " for a in ("cat", "dog", "hen") for b in ("mat", "box")]
TRAIN = encode_documents(BYTES, TEXTS * 4)
HELD_OUT = encode_documents(BYTES, ["the cat sat on the box. the hen sat."])
RECIPE = Recipe(layers=1, heads=1, width=8, context=8, batch_size=2, steps=3, eval_every=0)
ENTRANTS = Entrants(RECIPE, highest_order=3, states=2, rounds=2, seed=5, watched=0.0)


def test_shares_double_and_hold_what_they_say() -> None:
    assert shares(4) == [0.125, 0.25, 0.5, 1.0]
    for share in shares(5):
        part = share_of(TRAIN, share, BYTES)
        assert part.n_targets == max(1, round(TRAIN.n_targets * share))
        assert part.ids[0] == part.ids[-1] == part.end_of_text
        np.testing.assert_array_equal(part.ids[:-1], TRAIN.ids[: len(part.ids) - 1])
        assert part.n_bytes == np.count_nonzero(part.ids != part.end_of_text)
    assert share_of(TRAIN, 1.0, BYTES) is TRAIN


def test_each_entrant_scores_as_it_does_alone() -> None:
    laps = list(race(TRAIN, HELD_OUT, BYTES, ENTRANTS, amounts=2))
    assert [lap.share for lap in laps] == [0.5, 1.0]
    for lap in laps:
        text = share_of(TRAIN, lap.share, BYTES)
        for order, bits in enumerate(lap.ngrams, 1):
            alone = held_out_score(NGramModel.train(text, order), HELD_OUT)
            assert bits == pytest.approx(alone.bits_per_byte)
        *_, fitted = train_hmm(text, 2, 2, 5)
        assert lap.hmm == pytest.approx(held_out_score(fitted.model, HELD_OUT).bits_per_byte)
        trainer = Trainer(RECIPE, text, HELD_OUT)
        for _ in range(3):
            trainer.step()
        alone = held_out_score(trainer.frozen_model(), HELD_OUT)
        assert lap.transformer == pytest.approx(alone.bits_per_byte, rel=1e-5)
        assert lap.epochs == pytest.approx(3 * trainer.tokens_per_step / text.n_targets)
        assert lap.best_ngram == min(lap.ngrams) == lap.ngrams[lap.best_order - 1]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.floats(0.0, 0.5))
def test_what_is_set_aside_is_the_last_documents(lengths: list[int], share: float) -> None:
    text = encode_documents(BYTES, ["abcdefghij"[i % 10] * n for i, n in enumerate(lengths)])
    learned, watched = set_aside(text, share, BYTES)
    parts = list(learned.documents()) + (list(watched.documents()) if watched else [])
    assert [list(p) for p in parts] == [list(d) for d in text.documents()]
    if watched is not None:
        assert learned.n_targets and learned.n_bytes + watched.n_bytes == text.n_bytes
        assert 0 < watched.n_targets <= share * text.n_targets


def test_little_is_set_aside_of_a_long_text() -> None:
    text = encode_documents(BYTES, ["a" * 999] * 200)
    _, watched = set_aside(text, 0.1, BYTES)
    assert watched is not None and watched.n_targets == 4 * 1000 <= MOST_WATCHED


def test_nothing_is_set_aside_of_one_document() -> None:
    text = encode_documents(BYTES, ["a" * 999])
    assert set_aside(text, 0.1, BYTES) == (text, None)
    assert set_aside(TRAIN, 0.0, BYTES) == (TRAIN, None)


def test_the_step_that_did_best_on_what_was_set_aside_races() -> None:
    """Random letters are learned by heart, which helps with no others: looking on shows when it
    was best, and training ends soon after."""
    random = np.random.default_rng(0)
    documents = ["".join(random.choice(list("abcdefgh"), 60)) for _ in range(10)]
    train = encode_documents(BYTES, documents)
    held_out = encode_documents(BYTES, ["".join(random.choice(list("abcdefgh"), 200))])
    recipe = Recipe(
        layers=1, heads=1, width=32, context=16, batch_size=8, steps=240, eval_every=0,
        learning_rate=2e-2, warmup=0, weight_decay=0.0, schedule="constant",
    )  # fmt: skip
    entrants = Entrants(recipe, highest_order=1, states=0, watched=0.2)
    (lap,) = race(train, held_out, BYTES, entrants, amounts=1)

    learned, watched = set_aside(train, 0.2, BYTES)
    assert watched is not None
    trainer = Trainer(recipe, learned, watched)
    every = 240 // CHECKS
    losses, bits = [], []
    for step in range(1, 241):
        trainer.step()
        if step % every == 0:
            losses.append(trainer.evaluate().loss)
            bits.append(held_out_score(trainer.frozen_model(), held_out).bits_per_byte)
    seen = next(
        (i + 1 for i in range(CHECKS) if i >= PATIENCE + int(np.argmin(losses[: i + 1]))), CHECKS
    )
    best = int(np.argmin(losses[:seen]))
    assert best + 1 < seen < CHECKS, "it never got worse: the test shows nothing"
    assert lap.steps == (best + 1) * every
    assert lap.transformer == pytest.approx(bits[best], rel=1e-5)
    assert lap.epochs == pytest.approx(lap.steps * trainer.tokens_per_step / learned.n_targets)


def test_the_hmm_can_stay_away() -> None:
    entrants = Entrants(RECIPE, highest_order=1, states=0)
    (lap,) = race(TRAIN, HELD_OUT, BYTES, entrants, amounts=1)
    assert math.isnan(lap.hmm) and math.isfinite(lap.transformer)


def test_spelling_is_paid_by_all() -> None:
    entrants = Entrants(RECIPE, highest_order=1, states=0)
    (free,) = race(TRAIN, HELD_OUT, BYTES, entrants, amounts=1)
    (paid,) = race(TRAIN, HELD_OUT, BYTES, entrants, amounts=1, spelling=10.0)
    extra = 10 / math.log(2) / HELD_OUT.n_bytes
    assert paid.ngrams[0] - free.ngrams[0] == pytest.approx(extra)
    assert paid.transformer - free.transformer == pytest.approx(extra)


def test_a_diverged_transformer_leaves_the_others_in_the_race() -> None:
    wild = RECIPE.but(learning_rate=1e9, optimizer="sgd", grad_clip=0.0, steps=20, warmup=0)
    (lap,) = race(TRAIN, HELD_OUT, BYTES, Entrants(wild, 2, 0), amounts=1)
    assert lap.diverged and math.isnan(lap.transformer) and math.isfinite(lap.best_ngram)


def test_overtaking_must_last() -> None:
    def lap(share: float, ngram: float, transformer: float) -> Lap:
        return Lap(share, 1, 1, (ngram,), transformer=transformer)

    assert overtaken([]) is None
    assert overtaken([lap(0.5, 2, 3), lap(1, 2, 2.5)]) is None
    early = [lap(0.25, 3, 2), lap(0.5, 2, 2.5), lap(1, 2, 1.5)]
    assert overtaken(early) is early[2]
    assert overtaken([lap(0.5, 2, math.nan)]) is None


def test_an_empty_half_is_refused() -> None:
    with pytest.raises(LabError, match="held-out"):
        list(race(TRAIN, encode_documents(BYTES, []), BYTES, ENTRANTS))
