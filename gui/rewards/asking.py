"""What the pages of preferences and rubrics have computed for them. No Qt.

Everything here runs on the compute thread, but for what is immutable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.posttraining.annotators import Annotator, Influence
from engine.posttraining.candidates import Candidates, draw_candidates
from engine.posttraining.features import features_of
from engine.posttraining.preferences import (
    Pair,
    Preference,
    draw_pairs,
    split_by_prompt,
    telling,
)
from engine.posttraining.prompts import Criterion
from engine.posttraining.reward_model import FeatureReader, ModelKind, Reader
from engine.posttraining.reward_model_report import Report, examine
from engine.posttraining.rubric import criteria_for
from engine.posttraining.tasks import Task

if TYPE_CHECKING:
    from engine.models.transformer.model import TransformerModel
    from gui.rewards.live import LiveRun

Source = Literal["policy", "reference"]
CLICKED_PROMPTS, CLICKED_GROUP = 48, 4
POOL_PROMPTS, POOL_GROUP = 256, 8
MOST_SIMULATED = 5_000
JUDGED_PROMPTS, JUDGED_GROUP = 8, 3
LEAST = 4
"""Comparisons without which nothing is worth learning."""
EYES = Annotator(true=1, length=1, format=1, keywords=1, repeats=1)
"""Looks at all that an annotator can look at."""
NO_RUN = "There is no run of this task yet, so these are the reference policy's answers."


@dataclass(frozen=True)
class Asker:
    """Who answers: the policy as a run has trained it, or the one that came with the lab."""

    task: Task
    source: Source = "reference"
    live: LiveRun | None = None
    """The present run; None before the first."""

    def policy(self) -> TransformerModel:
        """The policy, as it stays. The reference where there is no run of this task.

        Raises:
            LabError: if the bundled policy is missing or damaged.
        """
        return self.who()[0]

    def who(self) -> tuple[TransformerModel, Source]:
        """The policy, and whose it really is.

        Raises:
            LabError: if the bundled policy is missing or damaged.
        """
        if self.source == "policy" and self.live is not None:
            present = self.live.present_policy()
            if present is not None and self.live.order.task.key == self.task.key:
                return present, "policy"
        from engine.posttraining.policies import bundled_policy

        return bundled_policy(self.task), "reference"


@dataclass(frozen=True)
class Drawn:
    """Answers to compare."""

    pairs: tuple[Pair, ...]
    source: Source
    """Who wrote them."""
    spreads: tuple[Influence, ...]
    """How much the features differ that annotators may look at, each at weight 1."""


def draw_to_click(asker: Asker, seed: int, *, job: Job = NO_JOB) -> Drawn:
    """Pairs of different answers for a person to compare, no two of one prompt in a row.

    Raises:
        LabError: if all answers to each prompt are the same.
    """
    model, source = asker.who()
    candidates = draw_candidates(
        model.module, asker.task, CLICKED_PROMPTS, CLICKED_GROUP, seed=seed, job=job
    )
    pairs = draw_pairs(candidates, CLICKED_PROMPTS * CLICKED_GROUP, seed)
    seen: set[str] = set()
    first = []
    for pair in pairs:
        if pair.prompt.text not in seen:
            seen.add(pair.prompt.text)
            first.append(pair)
    if not first:
        raise LabError(
            "This policy gives the same answer every time, so there is nothing to compare. "
            "Take answers of the reference instead."
        )
    return Drawn(tuple(first), source, EYES.influences(features_of(asker.task), pairs))


@dataclass(frozen=True)
class Simulated:
    """What a simulated annotator clicked."""

    annotator: Annotator
    preferences: tuple[Preference, ...]
    influences: tuple[Influence, ...] = ()
    """How much of what the annotator looks at differs in these pairs."""


def simulate(
    asker: Asker, annotator: Annotator, n: int, seed: int, *, job: Job = NO_JOB
) -> Simulated:
    """Let an annotator compare n pairs of answers; fewer where the policy does not write so many
    different ones.

    Raises:
        LabError: if there are none at all.
    """
    job.progress(0, n, "Comparing answers")
    prompts = min(1_024, max(64, n // 4))
    candidates = draw_candidates(
        asker.policy().module, asker.task, prompts, POOL_GROUP, seed=seed, job=job
    )
    pairs = draw_pairs(candidates, n, seed)
    if not pairs:
        raise LabError("This policy gives the same answer every time: nothing to compare.")
    job.progress(n // 2, n, "Comparing answers")
    features = features_of(asker.task)
    return Simulated(
        annotator,
        annotator.compare(features, pairs, seed),
        annotator.influences(features, pairs),
    )


def train(
    asker: Asker,
    kind: ModelKind,
    preferences: tuple[Preference, ...],
    annotator: Annotator | None,
    seed: int,
    *,
    job: Job = NO_JOB,
) -> Report:
    """Train a reward model and look into it.

    Args:
        asker: whose answers it is looked at on, drawn anew.
        kind: linear on features, or a head on the pre-trained transformer.
        preferences: all there are; some are held out.
        annotator: who made them all, where that is known.
        seed: splits and draws.

    Raises:
        LabError: if there are too few.
    """
    told = telling(preferences)
    if len(told) < LEAST:
        raise LabError(f"Compare at least {LEAST} pairs: so far there are {len(told)}.")
    task = asker.task
    features = features_of(task)
    kept, held_out = split_by_prompt(told, seed=seed)
    reader: Reader = FeatureReader(features)
    if kind == "neural":
        from engine.posttraining.policies import bundled_policy
        from engine.posttraining.reward_model_neural import PolicyReader

        reader = PolicyReader(bundled_policy(task), task)
    best = None if annotator is None else annotator.best_accuracy(features, held_out)
    pool = draw_candidates(
        asker.policy().module, task, POOL_PROMPTS, POOL_GROUP, seed=seed + 1, job=job
    )
    return examine(reader, task, features, kept, held_out, pool, best, job)


def criteria_of(task: Task, *, job: Job = NO_JOB) -> tuple[Criterion, ...]:
    """A task's criteria; the first time its language judge has to read the task's text."""
    job.yield_point()
    return criteria_for(task)


def draw_to_judge(asker: Asker, seed: int, *, job: Job = NO_JOB) -> tuple[Candidates, Source]:
    """Answers to held-out prompts, for a rubric to judge, and who wrote them."""
    model, source = asker.who()
    candidates = draw_candidates(
        model.module,
        asker.task,
        JUDGED_PROMPTS,
        JUDGED_GROUP,
        seed=seed,
        held_out=True,
        job=job,
    )
    return candidates, source
