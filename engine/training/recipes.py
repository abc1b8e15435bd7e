"""Recipes to start from: two ways of building a transformer, in several sizes."""

from __future__ import annotations

from engine.training.recipe import Recipe


def gpt2_style() -> Recipe:
    """nanoGPT's demo for a CPU: GPT-2's architecture, 0.8 million parameters.

    Its settings are those of nanoGPT's README (config/train_shakespeare_char.py with the CPU
    flags): 4 layers × 4 heads × 128, context 64, 2000 steps of 12 windows, no dropout.
    """
    return Recipe()


def modern() -> Recipe:
    """What has been learned since: the same number of parameters, trained faster."""
    return Recipe(
        name="Modern",
        heads=2,
        ffn="relu2",
        positions="rotary",
        norm="rmsnorm",
        norm_gain=False,
        qk_norm=True,
        tied=False,
        init="modern",
        optimizer="muon",
        learning_rate=0.03,
        embedding_learning_rate=0.01,
        momentum=0.9,
        beta1=0.8,
        beta2=0.95,
        weight_decay=0.0,
        grad_clip=0.0,
        warmup=0,
        schedule="trapezoid",
        decay_share=0.6,
        final_share=0.0,
        sampling="shuffled",
        steps=260,
        eval_every=50,
    )


def modern_long() -> Recipe:
    """The modern recipe where there are minutes and the text is read several times: longer
    contexts, slower averages, and weight decay against learning it by heart."""
    return modern().but(
        name="Modern, long",
        context=256,
        batch_size=8,
        learning_rate=0.02,
        momentum=0.95,
        beta1=0.9,
        weight_decay=0.1,
        steps=2200,
        eval_every=100,
    )


SIZES: dict[str, dict[str, int]] = {
    "tiny": {"layers": 2, "width": 64, "context": 64},
    "small": {"layers": 4, "width": 128, "context": 64},
    "medium": {"layers": 6, "width": 192, "context": 128},
}
"""Shapes by name: with a few dozen tokens 0.1, 0.8 and 2.7 million parameters."""


def sized(recipe: Recipe, size: str) -> Recipe:
    """The recipe with the shape of that name, and heads as wide as the recipe's were.

    Raises:
        KeyError: if SIZES has no such name.
    """
    shape = SIZES[size]
    return recipe.but(**shape, heads=max(1, shape["width"] * recipe.heads // recipe.width))
