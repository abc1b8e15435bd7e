"""Experiments against their arms run alone, and what their definitions promise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from engine.models.transformer.config import flops_per_token, parameter_counts
from engine.tokenizers import CharacterTokenizer
from engine.training import Recipe, Trainer
from engine.training.experiment_runs import ExperimentRun, Standing
from engine.training.experiments import (
    Arm,
    Experiment,
    expected_seconds,
    parameters,
    planned,
    race,
    training_flops,
)
from engine.training.pace import Pace, run_seconds
from engine.training.ready_made import BUDGETS, SCALES, ready_made
from tests.engine.training.toy import HELD_OUT, TRAIN, small, small_gpt2

TOKENIZER = CharacterTokenizer.train("abcdefgh ")
RECIPES = {"muon": small(steps=9, eval_every=4), "adamw": small_gpt2(steps=6, eval_every=3)}


def an_experiment(recipes: dict[str, Recipe] | None = None, **changes) -> Experiment:
    arms = tuple(Arm(name, recipe) for name, recipe in (recipes or RECIPES).items())
    return replace(Experiment("toy", "Toy", "about", "look", arms), **changes)


def run(experiment: Experiment, job: Job | None = None) -> tuple[ExperimentRun, Standing]:
    work = ExperimentRun(experiment, TRAIN, HELD_OUT, TOKENIZER)
    return work, work.run(job or Job())


def alone(recipe: Recipe, train=TRAIN) -> Trainer:
    trainer = Trainer(recipe, train, HELD_OUT)
    for _ in trainer.run():
        pass
    return trainer


class Watching(Job):
    """Keeps what is published, and stops at the n-th yield point."""

    def __init__(self, stop_at: int = 10**9) -> None:
        self.seen: list[Standing] = []
        self.left = stop_at

    def yield_point(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise JobCancelled

    def publish(self, snapshot: Standing) -> None:
        self.seen.append(snapshot)


def test_every_arm_is_bit_for_bit_the_run_that_it_would_be_alone() -> None:
    work, standing = run(an_experiment())
    assert standing.finished
    for arm, done in zip(work.arms, standing.arms, strict=True):
        by_itself = alone(arm.arm.recipe)
        assert done.steps["loss"].tolist() == [r.loss for r in by_itself.history.steps]
        assert done.loss == by_itself.history.evaluations[-1].loss
        pairs = zip(arm.trainer.module.parameters(), by_itself.module.parameters(), strict=True)
        assert all((p == q).all() for p, q in pairs)


def test_the_order_of_the_arms_changes_nothing() -> None:
    _, one = run(an_experiment())
    _, other = run(an_experiment(dict(reversed(RECIPES.items()))))
    by_name = {arm.arm.name: arm for arm in other.arms}
    for arm in one.arms:
        twin = by_name[arm.arm.name]
        assert arm.steps["loss"].tolist() == twin.steps["loss"].tolist()
        assert arm.evaluations["loss"].tolist() == twin.evaluations["loss"].tolist()


def test_arms_take_equal_shares_in_turns() -> None:
    job = Watching()
    run(an_experiment(), job)
    for standing in job.seen:
        shares = [arm.step / arm.arm.recipe.steps for arm in standing.arms]
        longest = max(1 / arm.arm.recipe.steps for arm in standing.arms)
        assert max(shares) - min(shares) <= longest + 1e-9
    assert [sum(a.step for a in s.arms) for s in job.seen] == list(range(9 + 6 + 1))


@pytest.mark.parametrize("stop_at", range(1, 44, 7))
def test_stopped_anywhere_it_goes_on_to_the_same_numbers(stop_at: int) -> None:
    _, whole = run(an_experiment())
    work = ExperimentRun(an_experiment(), TRAIN, HELD_OUT, TOKENIZER)
    with pytest.raises(JobCancelled):
        work.run(Watching(stop_at))
    standing = work.run()
    for arm, same in zip(standing.arms, whole.arms, strict=True):
        assert arm.steps["loss"].tolist() == same.steps["loss"].tolist()
        assert arm.evaluations["step"].tolist() == same.evaluations["step"].tolist()
        assert arm.evaluations["loss"].tolist() == same.evaluations["loss"].tolist()


def test_what_was_published_stays_as_it_was() -> None:
    job = Watching()
    run(an_experiment(), job)
    assert [s.arms[0].step for s in job.seen] == [len(s.arms[0].steps["loss"]) for s in job.seen]
    first = job.seen[3].arms[0].steps["loss"]
    assert first.tolist() == job.seen[-1].arms[0].steps["loss"][: len(first)].tolist()


def test_a_diverging_arm_ends_and_the_others_go_on() -> None:
    wild = small_gpt2(optimizer="sgd", learning_rate=1e9, grad_clip=0.0, steps=9, warmup=0)
    _, standing = run(an_experiment({"wild": wild, "tame": RECIPES["muon"]}))
    bad, good = standing.arms
    assert bad.state == "diverged" and bad.loss == math.inf and "diverged at step" in bad.problem
    assert bad.step < 9
    assert good.state == "finished" and good.loss < standing.guessing
    assert standing.finished


def test_an_arm_learns_from_its_share_of_the_text_only() -> None:
    recipe = small(steps=5, eval_every=5)
    arms = (Arm("all", recipe), Arm("tenth", recipe, share=0.1))
    work, _ = run(an_experiment(arms=arms))
    assert work.arms[0].trainer.train.n_targets == TRAIN.n_targets
    assert work.arms[1].trainer.train.n_targets == round(TRAIN.n_targets * 0.1)
    assert work.arms[1].trainer.held_out is HELD_OUT


def test_groups_follow_one_another_and_let_their_models_go() -> None:
    arms = tuple(
        Arm(f"{group}{n}", small(steps=4, eval_every=2), group=group)
        for group in "ab"
        for n in range(2)
    )
    alive = []

    class Counting(Job):
        def publish(self, snapshot: Standing) -> None:
            alive.append(sum(arm.trainer is not None for arm in work.arms))
            steps = [arm.step for arm in snapshot.arms]
            assert steps[:2] == [4, 4] or steps[2:] == [0, 0]

    work = ExperimentRun(an_experiment(arms=arms), TRAIN, HELD_OUT, TOKENIZER, keep_models=False)
    standing = work.run(Counting())
    assert standing.finished and max(alive) == 2 and alive[-1] == 0
    assert standing.arms[3].loss == alone(arms[3].recipe).history.evaluations[-1].loss


def test_plans_and_estimates_follow_the_pace() -> None:
    paces = (Pace(0.5, 0.0, 1.0), Pace(0.25, 0.0, 1.0))
    by_time = an_experiment(by="seconds", seconds=10.0)
    assert [a.recipe.steps for a in planned(by_time, paces).arms] == [20, 40]
    assert expected_seconds(by_time, paces) == 20.0
    by_steps = an_experiment()
    assert planned(by_steps, paces) is by_steps
    expected = sum(
        run_seconds(arm.recipe, pace) for arm, pace in zip(by_steps.arms, paces, strict=True)
    )
    assert expected_seconds(by_steps, paces) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arms": (Arm("one", RECIPES["muon"]),)}, "compares 2 to"),
        ({"arms": (Arm("a", RECIPES["muon"]),) * 2}, "same name"),
        ({"by": "seconds", "seconds": 0.0}, "number of seconds"),
        ({"arms": (Arm("a", RECIPES["muon"]), Arm("b", small(heads=3)))}, "heads"),
    ],
)
def test_impossible_experiments_are_refused(changes, words: str) -> None:
    with pytest.raises(LabError, match=words):
        an_experiment(**changes).checked(10)


def test_a_race_gives_every_arm_the_same_seed_and_steps() -> None:
    contest = race(RECIPES, seed=7, by="steps", amount=50)
    assert {(a.recipe.seed, a.recipe.steps) for a in contest.arms} == {(7, 50)}
    assert race(RECIPES, 7, "seconds", 5.0).seconds == 5.0


def test_another_length_is_told_and_taken() -> None:
    usual, half = (ready_made(1, 513, 386_618, length) for length in (1.0, 0.5))
    for one, other in zip(usual, half, strict=True):
        if one.by == "seconds":
            assert other.seconds == one.seconds / 2
            continue
        for a, b in zip(one.arms, other.arms, strict=True):
            assert abs(b.recipe.steps - a.recipe.steps / 2) <= 1
    assert "same 300 steps" in half[3].about
    assert half[6].arms[-1].group == "2.5×10¹¹"


def test_what_is_ready_made_can_be_run_and_keeps_equal_what_it_says() -> None:
    experiments = {e.key: e.checked(513) for e in ready_made(3, 513, 386_618)}
    assert len(experiments) == 7
    for experiment in experiments.values():
        assert all(arm.recipe.seed == 3 for arm in experiment.arms)
        assert experiment.question is not None and len(experiment.question.choices) >= 2
    activations = [parameters(a, 513) for a in experiments["activations"].arms]
    assert max(activations) / min(activations) < 1.02
    deep = [parameter_counts(a.recipe.model_config(513)) for a in experiments["residuals"].arms]
    assert deep[0] == deep[1]
    assert [a.recipe.residual for a in experiments["residuals"].arms] == [True, False]
    shared = {a.recipe.but(learning_rate=0.0) for a in experiments["learning rates"].arms}
    assert len(shared) == 1
    assert len({a.recipe for a in experiments["little data"].arms}) == 1


def test_the_models_of_the_scaling_law_get_equal_operations() -> None:
    sizes = next(e for e in ready_made(1, 513, 386_618) if e.shape == "scaling")
    assert len(sizes.arms) == len(BUDGETS) * len(SCALES)
    for number, arm in enumerate(sizes.arms):
        budget = BUDGETS[number // len(SCALES)]
        step = flops_per_token(arm.recipe.model_config(513)) * arm.recipe.batch_size * 64
        assert abs(training_flops(arm, 513) - budget) <= step / 2
    counts = [parameters(arm, 513) for arm in sizes.arms[: len(SCALES)]]
    assert counts == sorted(counts) and np.log10(counts[-1] / counts[0]) > 0.9
