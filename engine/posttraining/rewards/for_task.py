"""Which verifiable terms suit a task."""

from __future__ import annotations

from dataclasses import replace

from engine.posttraining.keywords import keyword_count
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.rewards.term import RewardTerm
from engine.posttraining.rewards.verifiable import ANYWHERE, TERMS, partial_credit, word_overlap
from engine.posttraining.tasks.task import Task, WordTask

_EXACT, _PARTIAL, _FORMAT, _LENGTH = TERMS


def terms_for(task: Task) -> tuple[RewardTerm, ...]:
    """The verifiable terms that suit a task: right or not, partial credit, format, length, and a
    careless one that can be hacked.

    The first says what the task's own check says, 0 or 1, whatever number of answers is right.
    """
    common = (_checked(task), _partial(task), _formed(task), _LENGTH)
    if not isinstance(task, WordTask):
        return (*common, ANYWHERE)
    return (*common, _keywords(task.keywords)) if task.keywords else common


def _checked(task: Task) -> RewardTerm:
    def score(prompt: Prompt, answer: Answer) -> float:
        return float(answer.finished and task.true_score(prompt, answer.text) >= 1)

    def reason(prompt: Prompt, answer: Answer) -> str:
        if not answer.finished:
            return "It was cut off at the limit, so it counts as wrong."
        if score(prompt, answer):
            return "The task's own check finds nothing wrong."
        return f"The task's own check finds it wrong; right would be “{prompt.target}”."

    return replace(_EXACT, score=score, reason=reason)


def _partial(task: Task) -> RewardTerm:
    if isinstance(task, WordTask):
        return replace(
            _PARTIAL,
            sentence="How many words agree with the model answer's (F₁, 0 … 1).",
            score=word_overlap,
            reason=_why_overlap,
        )

    def final(answer: Answer) -> Answer:
        return replace(answer, text=task.answer_of(answer.text))

    def score(prompt: Prompt, answer: Answer) -> float:
        return partial_credit(prompt, final(answer))

    def reason(prompt: Prompt, answer: Answer) -> str:
        return _PARTIAL.explain(prompt, final(answer))

    return replace(_PARTIAL, score=score, reason=reason)


def _formed(task: Task) -> RewardTerm:
    def score(prompt: Prompt, answer: Answer) -> float:
        return float(answer.finished and task.is_well_formed(prompt, answer.text))

    def reason(prompt: Prompt, answer: Answer) -> str:
        if not answer.finished:
            return "It does not end by itself."
        if not answer.text:
            return "It is empty."
        formed = "looks" if score(prompt, answer) else "does not look"
        return f"It ends by itself and {formed} like an answer of this task."

    return replace(_FORMAT, score=score, reason=reason)


def _keywords(keywords: tuple[str, ...]) -> RewardTerm:
    listed = ", ".join(keywords)

    def score(prompt: Prompt, answer: Answer) -> float:
        return float(keyword_count(answer.text, keywords))

    def reason(prompt: Prompt, answer: Answer) -> str:
        return f"{keyword_count(answer.text, keywords)} of its words are keywords ({listed})."

    return RewardTerm(
        "keywords",
        "Keywords",
        f"1 for each of these words, as often as it stands there: {listed}. "
        "Careless: it can be had by writing nothing else.",
        score,
        reason=reason,
    )


def _why_overlap(prompt: Prompt, answer: Answer) -> str:
    share = word_overlap(prompt, answer)
    return f"Its words agree with those of “{prompt.target}” by {share:.0%} (F₁)."
