"""Recipes: what they allow, what they say, and the learning rates they give."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import LabError
from engine.models.transformer import parameter_counts
from engine.training import SIZES, Recipe, gpt2_style, modern, modern_long, sized


def test_the_two_recipes_have_parameter_counts_within_two_percent():
    for vocab_size in (66, 128):
        old = parameter_counts(gpt2_style().model_config(vocab_size))["total"]
        new = parameter_counts(modern().model_config(vocab_size))["total"]
        assert abs(new / old - 1) < 0.02
    assert 780_000 < parameter_counts(gpt2_style().model_config(66))["total"] < 820_000


def test_every_knob_tells_what_it_does():
    knobs = Recipe.knobs()
    assert list(knobs) == list(Recipe().to_dict())
    for name, knob in knobs.items():
        assert knob.sentence.endswith("."), name
        assert knob.label, name
        value = getattr(Recipe(), name)
        if knob.choices:
            assert value in knob.choices
        elif not isinstance(value, str | bool):
            assert knob.low <= value <= knob.high


@pytest.mark.parametrize("recipe", [gpt2_style(), modern(), modern_long()], ids=lambda r: r.name)
@pytest.mark.parametrize("size", SIZES)
def test_recipes_are_valid_and_survive_json(recipe, size):
    chosen = sized(recipe, size).validated()
    assert Recipe.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen
    assert chosen.width // chosen.heads == recipe.width // recipe.heads


@pytest.mark.parametrize("name", Recipe.knobs())
def test_each_knob_refuses_what_it_says_it_refuses(name):
    knob = Recipe.knobs()[name]
    bad: list[object] = [None, [1], math.nan]
    if knob.low is not None:
        bad += [knob.low - 1, knob.high + 1, math.inf, -math.inf, "1", True]
    elif name == "name":
        bad += ["x" * 300, 3]
    else:
        bad += ["no such choice", 7]
    for value in bad:
        with pytest.raises(LabError) as caught:
            Recipe().but(**{name: value}).validated()
        assert knob.label.lower() in str(caught.value).lower() or name == "name"


def test_what_does_not_go_together_is_explained():
    with pytest.raises(LabError, match="multiple of the number of heads"):
        Recipe(width=10, heads=4).validated()
    with pytest.raises(LabError, match="below 1"):
        Recipe(momentum=1.0).validated()
    for broken in ({}, None, [], {**Recipe().to_dict(), "extra": 1}):
        with pytest.raises(LabError, match="fields"):
            Recipe.from_dict(broken)
    with pytest.raises(LabError):
        Recipe.from_dict({**Recipe().to_dict(), "layers": "4"})


def test_cosine_is_nanogpts():
    recipe = gpt2_style()
    # min_lr 1e-4 = 0.1 · 1e-3 at the end, the peak at step 100, linear before
    assert recipe.learning_rate_factor(0) == pytest.approx(1 / 101)
    assert recipe.learning_rate_factor(99) == pytest.approx(100 / 101)
    assert recipe.learning_rate_factor(100) == 1
    assert recipe.learning_rate_factor(1050) == pytest.approx((1 + 0.1) / 2)
    assert recipe.learning_rate_factor(2000) == pytest.approx(0.1)
    assert recipe.learning_rate_factor(10**6) == pytest.approx(0.1)


def test_trapezoid_is_flat_then_straight():
    recipe = Recipe(schedule="trapezoid", steps=100, warmup=0, decay_share=0.4, final_share=0.0)
    assert [recipe.learning_rate_factor(s) for s in (0, 30, 60)] == [1, 1, 1]
    assert recipe.learning_rate_factor(80) == pytest.approx(0.5)
    assert recipe.learning_rate_factor(100) == 0


@given(
    st.builds(
        Recipe,
        schedule=st.sampled_from(["constant", "cosine", "trapezoid"]),
        steps=st.integers(1, 500),
        warmup=st.integers(0, 600),
        decay_share=st.floats(0, 1),
        final_share=st.floats(0, 1),
    ),
    st.integers(0, 2000),
)
def test_learning_rate_factors_stay_between_zero_and_one(recipe, step):
    assert 0 <= recipe.learning_rate_factor(step) <= 1
    assert step < recipe.warmup or (
        recipe.learning_rate_factor(step + 1) <= recipe.learning_rate_factor(step) + 1e-12
    )
