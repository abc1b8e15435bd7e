"""Experiments: several settings that learn side by side, so that one can see what each does.

All arms of an experiment share the seed, so that arms with the same batch size and context read
the same text in the same order. They differ in what the experiment is about, and in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.transformer.config import flops_per_token, parameter_counts
from engine.tokenizers.stream import TokenStream
from engine.training.pace import Pace, measure_pace, recipe_for_steps_of, run_seconds, with_steps
from engine.training.recipe import Recipe

By = Literal["steps", "seconds"]
"""Whether all arms get the same number of steps, or the same time."""
Shape = Literal["curves", "sweep", "scaling"]
"""What is to be drawn: losses while training; the last loss against the learning rate; the last
loss against the model's size."""
Asked = Literal["lowest", "best", "crossing", "overfitting", "residuals"]
"""What a question is about; ``engine.training.answers`` answers each kind."""
FEWEST_ARMS, MOST_ARMS = 2, 24
_IRRELEVANT = {"name": "", "steps": 1, "eval_every": 0, "warmup": 0, "seed": 0}
"""Knobs that change nothing about how long a step takes."""


@dataclass(frozen=True)
class Arm:
    """One of the settings that are compared."""

    name: str
    """In the legend; no two arms of an experiment share one."""
    recipe: Recipe
    share: float = 1.0
    """How much of the training text it learns from, 0 … 1."""
    group: str = ""
    """What it is compared among, such as one budget of operations."""


@dataclass(frozen=True)
class Question:
    """What to predict before an experiment."""

    asked: Asked
    text: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Experiment:
    """What is tried, with what."""

    key: str
    title: str
    about: str
    """What is tried and what is kept equal, in one to three sentences."""
    look_for: str
    """What to look for on the screen."""
    arms: tuple[Arm, ...]
    question: Question | None = None
    by: By = "steps"
    seconds: float = 0.0
    """By seconds: what each arm gets, in its own steps. Their number, and with it its schedule, is
    fitted into them; scoring the held-out text is not counted."""
    shape: Shape = "curves"

    def checked(self, vocab_size: int) -> Experiment:
        """The experiment itself, if it can be run.

        Args:
            vocab_size: V, end-of-text included.

        Raises:
            LabError: if a recipe is not allowed, or the arms do not go together.
        """
        if not FEWEST_ARMS <= len(self.arms) <= MOST_ARMS:
            raise LabError(
                f"An experiment compares {FEWEST_ARMS} to {MOST_ARMS} settings, not "
                f"{len(self.arms)}."
            )
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise LabError("Two of the settings have the same name. Rename one of them.")
        if self.by == "seconds" and not 0 < self.seconds <= 86_400:
            raise LabError("A race by time needs a number of seconds, at most a day.")
        for arm in self.arms:
            arm.recipe.validated().model_config(vocab_size)
        return self


def race(
    recipes: dict[str, Recipe], seed: int, by: By, amount: float, title: str = "Race"
) -> Experiment:
    """A race of any settings from the same seed.

    Args:
        recipes: by the names of the arms.
        seed: of all of them.
        by: what is equal.
        amount: steps, or seconds, for each.
        title: what the race is called.
    """
    steps = max(1, int(amount)) if by == "steps" else 0
    arms = tuple(
        Arm(name, _with_steps(r, steps or r.steps).but(seed=seed)) for name, r in recipes.items()
    )
    equal = f"{steps:,} steps" if by == "steps" else f"{amount:g} seconds in its own steps"
    return Experiment(
        key="race",
        title=title,
        about=f"Each gets {equal}, from the same seed, in turns.",
        look_for="Which curve is lower at the same place on the axis, and whether they cross. "
        "By steps, a step may cost one of them more time than the other: look along seconds too.",
        arms=arms,
        question=Question("lowest", "Which ends with the lowest held-out loss?", tuple(recipes)),
        by=by,
        seconds=0.0 if by == "steps" else amount,
    )


def paces(
    experiment: Experiment, train: TokenStream, held_out: TokenStream, job: Job = NO_JOB
) -> tuple[Pace, ...]:
    """The pace of each arm on this machine, measured once for all arms that cost the same.

    Args:
        experiment: whose arms.
        train: the whole training text.
        held_out: the text that is scored.
        job: sees progress by arms.

    Raises:
        LabError: if an arm cannot be trained.
    """
    known: dict[Recipe, Pace] = {}
    found = []
    for done, arm in enumerate(experiment.arms):
        job.progress(done, len(experiment.arms), "Measuring this computer")
        key = arm.recipe.but(**_IRRELEVANT, learning_rate=0.0, embedding_learning_rate=0.0)
        if key not in known:
            known[key] = measure_pace(arm.recipe, train, held_out, job)
        found.append(known[key])
    return tuple(found)


def expected_seconds(experiment: Experiment, measured: tuple[Pace, ...]) -> float:
    """What the experiment takes in all at those paces, one of which belongs to each arm; by
    seconds what their steps take, the scoring not counted."""
    if experiment.by == "seconds":
        return experiment.seconds * len(experiment.arms)
    return sum(
        run_seconds(arm.recipe, pace) for arm, pace in zip(experiment.arms, measured, strict=True)
    )


def scaled_seconds(experiment: Experiment, recipe: Recipe, pace: Pace, vocab_size: int) -> float:
    """An estimate of ``expected_seconds`` from one pace alone; see ``Pace.scaled``.

    Args:
        experiment: what is to be run.
        recipe: what the pace was measured with, on the same text.
        pace: of that recipe.
        vocab_size: V, end-of-text included.
    """
    scaled = (pace.scaled(recipe, arm.recipe, vocab_size) for arm in experiment.arms)
    return expected_seconds(experiment, tuple(scaled))


def planned(experiment: Experiment, measured: tuple[Pace, ...]) -> Experiment:
    """By seconds: the experiment with as many steps for each arm as fit at those paces; the plan
    that ``ExperimentRun`` corrects on the way. By steps: itself."""
    if experiment.by == "steps":
        return experiment
    arms = tuple(
        replace(arm, recipe=recipe_for_steps_of(experiment.seconds, arm.recipe, pace))
        for arm, pace in zip(experiment.arms, measured, strict=True)
    )
    return replace(experiment, arms=arms)


def parameters(arm: Arm, vocab_size: int) -> int:
    """How many numbers an arm's model learns."""
    return parameter_counts(arm.recipe.model_config(vocab_size))["total"]


def training_flops(arm: Arm, vocab_size: int) -> float:
    """Floating-point operations of an arm's model in all its steps."""
    tokens = arm.recipe.steps * arm.recipe.batch_size * arm.recipe.context
    return float(tokens) * flops_per_token(arm.recipe.model_config(vocab_size))


def _with_steps(recipe: Recipe, steps: int) -> Recipe:
    """With as many evaluations along the way as the recipe had."""
    every = recipe.eval_every or recipe.steps
    return with_steps(recipe, steps, max(1, min(steps, round(recipe.steps / every))))
