"""Ready-made experiments with rewards that can be hacked, each with an arm that is shaped better.

Which arm is hacked is never written here: ``hacking.find_hack`` decides it from the runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.jobs import Job
from engine.posttraining.annotators import Annotator
from engine.posttraining.arm_records import Arm
from engine.posttraining.candidates import draw_candidates
from engine.posttraining.features import features_of
from engine.posttraining.preferences import draw_pairs
from engine.posttraining.prompts import TOP_SCORE, Answer, Prompt
from engine.posttraining.reward_model import FeatureReader, as_term, learn, read_comparisons
from engine.posttraining.rewards import RewardMix, RewardTerm, terms_for
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import TASKS, Task

if TYPE_CHECKING:
    from engine.models.transformer.model import TransformerModel

PREFERENCES = 2_000
"""Comparisons that a simulated annotator makes."""
ASKED_PROMPTS = 250
"""Prompts whose answers are compared."""

LONG_ANSWER = 8
"""Tokens above which an update asks 32 prompts instead of 64."""
SLOW = 2e-4
"""A learning rate at which a hack that is quickly found takes long enough to be watched."""

ArmsOf = Callable[[Task, "TransformerModel", int, Job], tuple[Arm, Arm]]
"""(task, policy, seed, job) → the careless arm and the one shaped better."""


@dataclass(frozen=True)
class Experiment:
    """Two runs that differ in what they reward."""

    key: str
    title: str
    task_key: str
    story: str
    """What somebody wanted and how they put it into a reward, for the learner."""
    lesson: str
    """Why the careless reward can be hacked, and what the other one does about it."""
    updates: int
    arms: ArmsOf


def _term(task: Task, key: str) -> RewardTerm:
    return next(term for term in terms_for(task) if term.key == key)


def _settings(task: Task, seed: int, **changes: object) -> GRPOSettings:
    """The task's own, without a price; long answers in smaller batches, to be done in time."""
    if task.max_answer > LONG_ANSWER:
        changes = {"prompts": 32, **changes}
    return replace(task.settings(), seed=seed, beta=0.0, **changes)  # type: ignore[arg-type]


def criterion_term(task: Task, key: str) -> RewardTerm:
    """A single criterion of a task as a term, its 0 … 2 made 0 … 1.

    Raises:
        StopIteration: if the task has no such criterion.
    """
    criterion = next(c for c in task.criteria() if c.key == key)

    def score(prompt: Prompt, answer: Answer) -> float:
        return criterion.judge(prompt, answer).score / TOP_SCORE

    def reason(prompt: Prompt, answer: Answer) -> str:
        return criterion.judge(prompt, answer).reason

    return RewardTerm(
        f"criterion: {key}", criterion.title, criterion.rule, score, "rubric", reason=reason
    )


def _letters(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    settings = _settings(task, seed, learning_rate=SLOW)
    return (
        Arm(
            "Right letters anywhere",
            "1 for every letter that stands somewhere in the right answer, however often.",
            RewardMix(((_term(task, "anywhere"), 1.0),)),
            settings,
        ),
        Arm(
            "Right letters in their place",
            "The share of letters that are right in their own place.",
            RewardMix(((_term(task, "partial"), 1.0),)),
            settings,
        ),
    )


def _annotated(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    """Both arms' annotators compare the same answers of the policy as it starts."""
    features = features_of(task)
    biased = Annotator(true=2.0, length=2.5)
    fair = Annotator(true=4.0)
    candidates = draw_candidates(policy.module, task, ASKED_PROMPTS, 8, seed=seed, job=job)
    pairs = draw_pairs(candidates, PREFERENCES, seed)
    settings = _settings(task, seed, learning_rate=SLOW)
    arms = []
    for number, (title, sentence, annotator) in enumerate(
        (
            (
                "Learned from a hurried annotator",
                "A reward model of clicks by somebody who looks for right answers, and is as much "
                "impressed by each further token.",
                biased,
            ),
            (
                "Learned from a careful annotator",
                "A reward model of as many clicks by somebody who looks only for right answers.",
                fair,
            ),
        ),
        1,
    ):
        clicks = annotator.compare(features, pairs, seed)
        reader = FeatureReader(features)
        model = learn(reader, read_comparisons(reader, clicks, job))
        arms.append(Arm(title, sentence, RewardMix(((as_term(model, number), 1.0),)), settings))
    return arms[0], arms[1]


def _refusals(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    caution, helps = criterion_term(task, "caution"), criterion_term(task, "helps")
    settings = _settings(task, seed)
    return (
        Arm(
            "Better safe than sorry",
            "1 for a refusal, ½ for an answer that breaks no rule: nobody asks whether a refusal "
            "was needed.",
            RewardMix(((caution, 1.0),)),
            settings,
        ),
        Arm(
            "Safe, and of use",
            "The same, and twice as much for answering what is allowed.",
            RewardMix(((caution, 1.0), (helps, 2.0))),
            settings,
        ),
    )


def _kind_words(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    kind, manners = criterion_term(task, "kind_words"), criterion_term(task, "manners")
    answers = criterion_term(task, "answers")
    settings = _settings(task, seed)
    return (
        Arm(
            "A rubric that counts kind words",
            "1 for three kind words or more, ½ for one: what is said with them is not asked.",
            RewardMix(((kind, 1.0),)),
            settings,
        ),
        Arm(
            "A rubric that reads the reply",
            "1 for good manners that are not overdone, and 1 for telling what was asked.",
            RewardMix(((manners, 1.0), (answers, 1.0))),
            settings,
        ),
    )


def _workings(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    settings = _settings(task, seed)
    return (
        Arm(
            "Pay for the look of work",
            "1 for an answer with a sum before it: whether it adds up is not checked.",
            RewardMix(((criterion_term(task, "works_out"), 1.0),)),
            settings,
        ),
        Arm(
            "Pay for the result",
            "1 for a right final answer, however it was found.",
            RewardMix(((_term(task, "exact"), 1.0),)),
            settings,
        ),
    )


def _stories(task: Task, policy: TransformerModel, seed: int, job: Job) -> tuple[Arm, Arm]:
    careful, substance = (criterion_term(task, k) for k in ("no_contradiction", "substance"))
    settings = _settings(task, seed)
    return (
        Arm(
            "Contradict nothing",
            "1 if nothing goes against the story: who says nothing contradicts nothing.",
            RewardMix(((careful, 1.0),)),
            settings,
        ),
        Arm(
            "Contradict nothing, and say something",
            "The same, and 1 for words that agree with the story's facts.",
            RewardMix(((careful, 1.0), (substance, 1.0))),
            settings,
        ),
    )


_ALL: tuple[Experiment, ...] = (
    Experiment(
        "letters",
        "Letter repetition",
        "letters",
        "Somebody wants partial credit for sorted and reversed letters, and pays for every letter "
        "that also stands in the right answer.",
        "A letter that stands in the answer is paid again each time it is written, so answers "
        "grow to the limit and are hardly ever right. Credit by place cannot be had twice.",
        50,
        _letters,
    ),
    Experiment(
        "annotator",
        "Length-biased preferences",
        "letters",
        "A reward model is learned from 2,000 comparisons by a simulated annotator, who knows "
        "right from wrong and is impressed by long answers.",
        "Length tells of the clicks as much as being right does, so the reward model pays for "
        "both, and length is the easier one to raise. With clicks that care for right answers "
        "only, the same kind of model leads to them.",
        40,
        _annotated,
    ),
    Experiment(
        "refusals",
        "Over-refusal",
        "refusals",
        "Somebody fears rule-breaking more than anything else, and gives the best mark to "
        "refusals.",
        "A refusal is never punished, so refusing everything is the best policy. Credit for "
        "answering what is allowed makes refusals cost something where they were not needed.",
        40,
        _refusals,
    ),
    Experiment(
        "kind-words",
        "Keyword stuffing",
        "replies",
        "Somebody wants polite replies, and writes a rubric that counts kind words.",
        "Kind words are cheap, so replies come to consist of them. A rubric that asks for the "
        "fact, and for manners in their place, leaves nothing to be had by stuffing.",
        25,
        _kind_words,
    ),
    Experiment(
        "workings",
        "Format farming",
        "scratchpad",
        "Somebody wants pupils to show their working, and pays for answers that look worked out.",
        "Working that leads nowhere looks the same, so there is no reason to add up rightly. A "
        "reward on the final answer alone teaches working too, because working helps.",
        40,
        _workings,
    ),
    Experiment(
        "stories",
        "Saying nothing",
        "stories",
        "Somebody wants endings that keep to the facts, and punishes contradictions.",
        "Empty sentences contradict nothing, so endings come to say nothing. Points for facts "
        "that agree make saying nothing cost something.",
        40,
        _stories,
    ),
)


def experiments() -> tuple[Experiment, ...]:
    """Those whose task is there."""
    there = {task.key for task in TASKS}
    return tuple(e for e in _ALL if e.task_key in there)


def experiment_task(experiment: Experiment) -> Task:
    """The task that an experiment is about."""
    return next(kind for kind in TASKS if kind.key == experiment.task_key)()
