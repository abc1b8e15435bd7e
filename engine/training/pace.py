"""How fast this machine trains: measured on a few steps, and what fits into a given time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from engine.jobs import NO_JOB, Job
from engine.models.transformer.config import flops_per_token
from engine.tokenizers.stream import TokenStream
from engine.training.recipe import Recipe

_WARM_STEPS = 2
_LEAST_STEPS, _MOST_STEPS = 3, 50
_ENOUGH_SECONDS = 0.3
_MOST_SECONDS = 10.0
_SCORED_TOKENS = 4096
_EVALUATION_SHARE = 0.15
"""The most of a run's time that scoring held-out text and writing samples may take."""
_FEWEST_EVALUATIONS, _MOST_EVALUATIONS = 4, 40


@dataclass(frozen=True)
class Pace:
    """What a recipe's parts take on this machine."""

    step_seconds: float
    """One training step, the median of several."""
    evaluation_seconds: float
    """One pass over the whole held-out text."""
    flops_per_second: float
    """Floating-point operations of the model a second, in training."""

    def tokens_per_second(self, recipe: Recipe) -> float:
        """Tokens trained on a second, if all windows are full."""
        return recipe.batch_size * recipe.context / self.step_seconds

    def scaled(self, recipe: Recipe, other: Recipe, vocab_size: int) -> Pace:
        """An estimate for another recipe: time grows with the model's operations. Larger
        matrices are faster per operation, so this errs towards too long for larger models.

        Args:
            recipe: what was measured.
            other: what to estimate.
            vocab_size: V, of both.
        """
        per_token = [float(flops_per_token(r.model_config(vocab_size))) for r in (recipe, other)]
        ratio = per_token[1] * other.batch_size * other.context
        ratio /= per_token[0] * recipe.batch_size * recipe.context
        return Pace(
            self.step_seconds * ratio,
            self.evaluation_seconds * per_token[1] / per_token[0],
            self.flops_per_second,
        )


def measure_pace(
    recipe: Recipe, train: TokenStream, held_out: TokenStream, job: Job = NO_JOB
) -> Pace:
    """Train a throw-away model for some steps and score a piece of text with it, on the clock.
    Takes a third of a second, or five steps where those take longer; fewer of very long ones.

    Raises:
        LabError: as ``Trainer``.
        JobCancelled: at a yield point, also inside a step.
    """
    from engine.training.trainer import Trainer

    piece = TokenStream(held_out.ids[: _SCORED_TOKENS + 1], held_out.end_of_text, 0)
    trainer = Trainer(recipe, train, piece)
    seconds: list[float] = []
    while len(seconds) < _MOST_STEPS:
        job.yield_point()
        seconds.append(trainer.step(job).seconds)
        warm = seconds[_WARM_STEPS:]
        if len(warm) >= _LEAST_STEPS and sum(warm) >= _ENOUGH_SECONDS:
            break
        if sum(seconds) >= _MOST_SECONDS:
            break
    warm = sorted(seconds[_WARM_STEPS:] or seconds[-1:])
    step = warm[len(warm) // 2]
    started = time.perf_counter()
    trainer.evaluate(job)
    scored = time.perf_counter() - started
    return Pace(
        step_seconds=step,
        evaluation_seconds=scored * held_out.n_targets / piece.n_targets,
        flops_per_second=trainer.flops_per_step / step,
    )


def recipe_for(seconds: float, recipe: Recipe, pace: Pace) -> Recipe:
    """The recipe with as many steps as fit into ``seconds``, scoring the held-out text included.

    Steps are rounded to two digits, so that two measurements seldom give different runs; the
    warm-up is shortened to a tenth of the run where it would be longer.
    """
    evaluations = _evaluations(seconds, pace)
    left = max(seconds / 2, seconds - (evaluations + 1) * pace.evaluation_seconds)
    steps = _two_digits(left / pace.step_seconds)
    return with_steps(recipe, steps, evaluations)


def recipe_for_steps_of(seconds: float, recipe: Recipe, pace: Pace) -> Recipe:
    """The recipe with as many steps as take ``seconds``, scoring the held-out text not counted.

    Steps are rounded by at most 1 %: the plan of a race, where the time matters.
    """
    fitting = max(1.0, seconds / pace.step_seconds)
    unit = 10 ** math.floor(math.log10(max(1.0, fitting / 50)))
    return with_steps(recipe, round(fitting / unit) * unit, _evaluations(seconds, pace))


def _evaluations(seconds: float, pace: Pace) -> int:
    """How many passes over the held-out text a run of ``seconds`` affords."""
    most = seconds * _EVALUATION_SHARE / max(pace.evaluation_seconds, 1e-9)
    return round(min(_MOST_EVALUATIONS, max(_FEWEST_EVALUATIONS, most)))


def with_steps(recipe: Recipe, steps: int, evaluations: int = 20) -> Recipe:
    """The recipe with so many steps and about so many evaluations along the way; the last of them
    is at the end, not a step before it."""
    return recipe.but(
        steps=steps,
        eval_every=max(1, math.ceil(steps / evaluations)),
        warmup=min(recipe.warmup, steps // 10),
    )


def run_seconds(recipe: Recipe, pace: Pace) -> float:
    """What a run takes at that pace, in seconds, its evaluations included."""
    every = recipe.eval_every or recipe.steps
    evaluations = math.ceil(recipe.steps / every) + 1
    return recipe.steps * pace.step_seconds + evaluations * pace.evaluation_seconds


def _two_digits(value: float) -> int:
    """The nearest whole number of two significant digits, at least 1."""
    if value < 10:
        return max(1, round(value))
    unit = 10 ** (math.floor(math.log10(value)) - 1)
    return int(round(value / unit) * unit)
