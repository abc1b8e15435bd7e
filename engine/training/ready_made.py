"""Experiments to begin with: what each knob does, tried on a small transformer in a minute or two.

The learning rates are the best of those tried on the stories (docs/decisions.md has the losses);
``learning_rates`` is there to try others.
"""

from __future__ import annotations

from engine.models.transformer.config import FFN, flops_per_token, parameter_counts
from engine.training.experiments import Arm, Experiment, Question
from engine.training.pace import with_steps
from engine.training.recipe import Recipe
from engine.training.recipes import gpt2_style, modern, sized

EVALUATIONS = 10
"""Passes over the held-out text in the course of an arm."""
SWEPT = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
"""Learning rates of the sweep; the last one is far too large."""
SCALES = ((2, 24), (2, 32), (2, 48), (2, 64), (2, 96))
"""Layers and width of the models of the scaling law, smallest first. They are of the same depth,
since the law knows only their number of parameters."""
BUDGETS = (1.25e11, 2.5e11, 5e11)
"""Floating-point operations of the scaling law's runs."""
_SGD = {"optimizer": "sgd", "learning_rate": 1.0, "momentum": 0.9, "grad_clip": 1.0}
_ADAMW = {"optimizer": "adamw", "learning_rate": 0.01, "beta1": 0.9, "beta2": 0.95}


def ready_made(
    seed: int, vocab_size: int, tokens: int, length: float = 1.0
) -> tuple[Experiment, ...]:
    """All of them.

    Args:
        seed: of every arm.
        vocab_size: V of the text in force, end-of-text included.
        tokens: of the whole training text.
        length: so many times the usual steps, seconds and operations.
    """
    return (
        optimizers(seed, length),
        activations(seed, vocab_size, length),
        residuals(seed, length),
        little_data(seed, tokens, length),
        learning_rates(seed, length),
        recipes(seed, length),
        model_sizes(seed, vocab_size, length),
    )


def _small(seed: int, steps: float, **changes: object) -> Recipe:
    """The modern recipe, two layers of width 64, with 2,048 tokens a step; at least one step."""
    recipe = sized(modern(), "tiny").but(batch_size=32, seed=seed, **changes)
    return with_steps(recipe, max(1, round(steps)), EVALUATIONS)


def optimizers(seed: int, length: float = 1.0) -> Experiment:
    """SGD, AdamW and Muon, each at the best rate found."""
    arms = (
        Arm("SGD, rate 1", _small(seed, 400 * length, **_SGD)),
        Arm("AdamW, rate 0.01", _small(seed, 400 * length, **_ADAMW)),
        Arm("Muon, rate 0.03", _small(seed, 400 * length)),
    )
    return Experiment(
        key="optimizers",
        title="SGD, AdamW or Muon?",
        about="The same transformer, the same batches, the same number of steps; only the way from "
        "gradients to steps differs. Each optimizer has the best learning rate of several tried: "
        "SGD (momentum 0.9, gradients clipped to 1) of 0.03, 0.1, 0.3, 1 and 3, AdamW of 0.001 to "
        "0.03, Muon of 0.01 and 0.03.",
        look_for="How early the curves part, and how far apart they end. Along seconds instead of "
        "steps, Muon's costlier steps count too.",
        arms=arms,
        question=Question(
            "lowest",
            "Which optimizer ends with the lowest held-out loss after the same number of steps?",
            tuple(arm.name for arm in arms),
        ),
    )


def activations(seed: int, vocab_size: int, length: float = 1.0) -> Experiment:
    """ReLU, GELU and gated, with FFNs of the same number of parameters."""
    plain = _small(seed, 400 * length, ffn="relu")
    hidden = plain.model_config(2).hidden
    kinds: tuple[tuple[str, FFN, int], ...] = (
        ("ReLU", "relu", 0),
        ("GELU", "gelu", 0),
        ("gated (SwiGLU)", "swiglu", round(hidden * 2 / 3)),
    )
    arms = tuple(Arm(name, plain.but(ffn=ffn, ffn_width=w)) for name, ffn, w in kinds)
    counts = [parameter_counts(a.recipe.model_config(vocab_size))["total"] for a in arms]
    apart = max(counts) / min(counts) - 1
    return Experiment(
        key="activations",
        title="ReLU, GELU or gated?",
        about=f"The tutorial's three FFNs with the same number of parameters (within "
        f"{_percent(apart)}): the gated one has three matrices instead of two, so its hidden width "
        f"is two thirds, {arms[2].recipe.ffn_width} instead of {hidden}.",
        look_for="The curves lie close: a different seed moves the loss by about 0.02, a different "
        "activation by a few times that. Shazeer (2020) compares them in large models.",
        arms=arms,
        question=Question(
            "lowest",
            "Which FFN ends with the lowest held-out loss?",
            (*(arm.name for arm in arms), "no difference to speak of"),
        ),
    )


def residuals(seed: int, length: float = 1.0) -> Experiment:
    """A deep and narrow GPT-2 with and without residual connections."""
    recipe = sized(gpt2_style(), "tiny").but(
        layers=8, batch_size=32, learning_rate=0.003, warmup=40, seed=seed
    )
    recipe = with_steps(recipe, max(1, round(300 * length)), EVALUATIONS)
    return Experiment(
        key="residuals",
        title="With and without residual connections",
        about="Eight layers in GPT-2's style. With residual connections a sublayer's output is "
        "added to its input (oₜ = attention + xₜ); without, it replaces it. Nothing else differs, "
        "and neither model has more parameters than the other.",
        look_for="Whether the model without them gets below the unigram line at all: its gradient "
        "has to pass through every matrix of eight layers, where the other's has a way around.",
        arms=(
            Arm("with residuals", recipe),
            Arm("without residuals", recipe.but(residual=False)),
        ),
        question=Question(
            "residuals",
            "What happens without residual connections?",
            (
                "It learns as well as with them",
                "It learns, but ends clearly higher",
                "It learns no more than how frequent each token is",
            ),
        ),
    )


def little_data(seed: int, tokens: int, length: float = 1.0) -> Experiment:
    """The same number of steps on less and less text."""
    recipe = _small(seed, 600 * length)
    recipe = with_steps(recipe, recipe.steps, 2 * EVALUATIONS)
    shares = (1.0, 1 / 8, 1 / 64)
    read = recipe.steps * recipe.batch_size * recipe.context
    arms = tuple(
        Arm("all of the text" if s == 1 else f"1/{round(1 / s)} of the text", recipe, share=s)
        for s in shares
    )
    times = ", ".join(_times(read / max(1.0, s * tokens)) for s in shares)
    return Experiment(
        key="little data",
        title="Too little data",
        about=f"The same model takes the same {recipe.steps:,} steps on all of the training text, "
        f"on an eighth and on a 64th of it. It reads them about {times} times over.",
        look_for="The held-out loss of the smallest text falls, turns and rises while the training "
        "loss goes on falling: overfitting. The model then learns the text, not the language.",
        arms=arms,
        question=Question(
            "overfitting",
            "What does the held-out loss do with 1/64 of the text?",
            ("It keeps falling", "It falls, then stays level", "It falls, then rises again"),
        ),
    )


def learning_rates(seed: int, length: float = 1.0) -> Experiment:
    """The last loss as a function of AdamW's learning rate."""
    arms = tuple(
        Arm(f"{rate:g}", _small(seed, 200 * length, **(_ADAMW | {"learning_rate": rate})))
        for rate in SWEPT
    )
    return Experiment(
        key="learning rates",
        title="A sweep of learning rates",
        about="AdamW with rates from 0.0001 to 1, the same number of steps each.",
        look_for="A U: too small a rate has not got anywhere by the end, too large a one "
        "overshoots and ends no better than guessing, or with a loss that is no number. The best "
        "rate lies closer to where it breaks than to where it crawls.",
        arms=arms,
        question=Question(
            "best", "Which learning rate ends lowest?", tuple(arm.name for arm in arms)
        ),
        shape="sweep",
    )


def recipes(seed: int, length: float = 1.0) -> Experiment:
    """The two recipes of the lab, with the same time."""
    seconds = 30.0 * length
    arms = (
        Arm("GPT-2 style", sized(gpt2_style(), "small").but(seed=seed)),
        Arm("Modern", sized(modern(), "small").but(seed=seed)),
    )
    return Experiment(
        key="recipes",
        title="GPT-2 style against modern",
        about=f"About the same number of parameters, and {seconds:g} seconds in its own steps for "
        "each, in turns; each learning rate falls within that time, however many steps fit. GPT-2 "
        "style: learned positions, LayerNorm, GELU, AdamW. Modern: rotary positions, "
        "RMSNorm, ReLU², queries and keys normed, Muon. Each has its own learning rates.",
        look_for="Where each curve crosses the bigram line, and how far the modern one is ahead at "
        "the same second. Its steps are slower, and worth more.",
        arms=arms,
        question=Question(
            "crossing",
            f"Which will fall below the bigram's loss within {seconds:g} seconds?",
            ("Both", "Only the modern one", "Only GPT-2 style", "Neither"),
        ),
        by="seconds",
        seconds=seconds,
    )


def model_sizes(seed: int, vocab_size: int, length: float = 1.0) -> Experiment:
    """Five sizes at each of three budgets of operations."""
    arms = []
    budgets = [budget * length for budget in BUDGETS]
    for budget in budgets:
        for layers, width in SCALES:
            recipe = modern().but(
                layers=layers,
                width=width,
                heads=max(1, width // 32),
                batch_size=8,  # the same operations in more steps: the largest model gets enough
                threads=1,  # steps of a few milliseconds gain little from a second one
                seed=seed,
            )
            config = recipe.model_config(vocab_size)
            a_step = flops_per_token(config) * recipe.batch_size * recipe.context
            recipe = with_steps(recipe, max(1, round(budget / a_step)), 2)
            name = f"{_operations(budget)}, {layers} × {width}"
            arms.append(Arm(name, recipe, group=_operations(budget)))
    return Experiment(
        key="model sizes",
        title="Model size at equal compute",
        about="Five sizes of the modern recipe, each at three budgets of floating-point "
        "operations, one budget after the other: a larger model reads fewer tokens for the same "
        "budget, C ≈ 6·N·D. Each run's learning rate falls to 0 by its own end.",
        look_for="Each budget gives a U: too small a model has learned what it can hold, too large "
        "a one has hardly begun to read. With more compute the lowest point moves to larger "
        "models. The law fitted to all runs says how fast: the best size grows like C to the "
        "power of a.",
        arms=tuple(arms),
        question=Question(
            "best",
            f"At the largest budget ({_operations(budgets[-1])} operations), which size ends "
            "lowest?",
            tuple(f"{layers} × {width}" for layers, width in SCALES),
        ),
        shape="scaling",
    )


def _operations(value: float) -> str:
    """2.5×10¹¹."""
    digits = f"{value:.1e}"
    factor, power = digits.split("e")
    raised = str(int(power)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    shown = factor.removesuffix(".0")
    return f"10{raised}" if shown == "1" else f"{shown}×10{raised}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
