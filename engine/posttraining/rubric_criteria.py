"""What every task's answers may be judged by: programs, and one small language model."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from engine.models.ngram import NGramModel
from engine.posttraining.features import longest_run
from engine.posttraining.prompts import Answer, Criterion, Prompt, Verdict
from engine.posttraining.tasks.task import Task, WordTask
from engine.tokenizers import encode_documents

LONG, TOO_LONG = 1.25, 1.75
"""Times the length of the task's longest good answers."""
JUDGE_ORDER = 3
"""The language judge predicts a token from the two before it."""
_READ = 3_000
_GAUGED = 300
_GOOD, _BEARABLE = 0.95, 2.0


def general_criteria(task: Task) -> tuple[Criterion, ...]:
    """Whether the final answer is right, where that is a matter of characters; ends by itself, not
    too long, no repetition, in the language of the task."""
    general = (_ends(), _brief(task), _repeats(task), _language(task))
    return general if isinstance(task, WordTask) else (_accurate(task), *general)


def _ends() -> Criterion:
    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        if answer.finished and answer.text:
            return Verdict(2, "It ends by itself.")
        if answer.finished:
            return Verdict(1, "It ends at once, with nothing said.")
        return Verdict(0, f"It was cut off after {answer.length} tokens.")

    return Criterion(
        "ends",
        "Ends by itself",
        "2 if something is said and then ended, 1 if the answer is empty, 0 if it was cut off at "
        "the limit.",
        judge,
    )


@lru_cache(maxsize=16)
def _good_answers(task: Task) -> tuple[tuple[Prompt, str], ...]:
    """Prompts with good answers, evenly from all for training."""
    pool = task.prompts(held_out=False)
    rng = np.random.default_rng(0)
    chosen = [pool[i * len(pool) // _GAUGED] for i in range(min(_GAUGED, len(pool)))]
    return tuple((prompt, task.good_answer(prompt, rng)) for prompt in chosen)


def _brief(task: Task) -> Criterion:
    lengths = [len(task.tokenizer.encode(text)) for _, text in _good_answers(task)]
    usual = float(np.quantile(lengths, _GOOD))
    most, bearable = math.floor(usual * LONG), math.floor(usual * TOO_LONG)

    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        n = answer.length - answer.finished
        if n <= most:
            return Verdict(2, f"{n} {task.unit}.")
        if n <= bearable:
            return Verdict(1, f"{n} {task.unit} are more than {most}.")
        return Verdict(0, f"{n} {task.unit} are more than {bearable}.")

    return Criterion(
        "brief",
        "Not too long",
        f"2 up to {most} {task.unit}, 1 up to {bearable}, else 0: {LONG:g} and {TOO_LONG:g} times "
        f"the {usual:g} that 95 % of good answers keep to.",
        judge,
    )


def _repeats(task: Task) -> Criterion:
    # Of all right answers, so that no rare one, such as 111, is blamed.
    right = {p.target for held_out in (False, True) for p in task.prompts(held_out)}
    allowed = max(2, *(longest_run(text) for text in right))

    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        run = longest_run(answer.text)
        if run <= allowed:
            return Verdict(2, "Nothing is repeated too often.")
        said = f"The same piece stands {run} times in a row."
        return Verdict(1 if run == allowed + 1 else 0, said)

    return Criterion(
        "repeats",
        "No repetition",
        f"2 if no piece of one to four characters stands more than {allowed} times in a row, as "
        f"in good answers; 1 for {allowed + 1} times, 0 for more.",
        judge,
    )


def _accurate(task: Task) -> Criterion:
    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        final = task.answer_of(answer.text)
        right = sum(a == b for a, b in zip(final, prompt.target, strict=False))
        places = max(len(final), len(prompt.target))
        said = f"{right} of {places} places are right."
        if right == places:
            return Verdict(2, said)
        return Verdict(1 if 2 * right >= places else 0, said)

    return Criterion(
        "accurate",
        "Accurate",
        "2 if every character of the final answer is right in its place, 1 if half of them are, "
        "else 0.",
        judge,
    )


class LanguageJudge:
    """A trigram model of a task's own text, right and wrong answers alike: it knows the
    language, and not what is right."""

    def __init__(self, task: Task) -> None:
        self._tokenizer = task.tokenizer
        documents = task.pretraining_documents(_READ, 0)
        stream = encode_documents(self._tokenizer, documents)
        self.model = NGramModel.train(stream, JUDGE_ORDER)
        self._known: dict[tuple[str, str, bool], float] = {}
        found = [self.perplexity(p.text, text, True) for p, text in _good_answers(task)]
        self.good = float(np.quantile(found, _GOOD))
        """The perplexity that 95 % of good answers stay under."""

    def perplexity(self, prompt: str, text: str, finished: bool) -> float:
        """exp of the mean −log p of an answer's tokens after the prompt, end-of-text included;
        infinite for what the model never read."""
        key = (prompt, text, finished)
        if key not in self._known:
            if len(self._known) > 50_000:
                self._known.clear()
            asked = self._tokenizer.encode(prompt)
            written = self._tokenizer.encode(text)
            ids = [*asked, *written, *([self.model.end_of_text] if finished else [])]
            logs = self.model.token_log_probs(ids)[len(asked) :]  # (|y|,)
            self._known[key] = float(np.exp(-np.mean(logs))) if len(logs) else math.inf
        return self._known[key]


@lru_cache(maxsize=8)
def language_judge(task: Task) -> LanguageJudge:
    """The judge of a task, trained once."""
    return LanguageJudge(task)


def _language(task: Task) -> Criterion:
    judge_of = language_judge(task)
    good, bearable = judge_of.good, judge_of.good * _BEARABLE

    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        if not answer.text:
            return Verdict(0, "Nothing was said.")
        found = judge_of.perplexity(prompt.text, answer.text, answer.finished)
        said = f"Perplexity {found:.3g}"
        if found <= good:
            return Verdict(2, f"{said}: as good answers have.")
        if found <= bearable:
            return Verdict(1, f"{said} is above {good:.3g}.")
        return Verdict(0, f"{said} is above {bearable:.3g}.")

    return Criterion(
        "language",
        "In the task's language",
        f"A trigram model of the task's own text reads it: 2 up to a perplexity of {good:.3g}, "
        f"which 95 % of good answers keep to, 1 up to {bearable:.3g}, else 0. It knows the "
        "language, and not what is right.",
        judge,
    )


def careless_criterion(task: Task) -> Criterion | None:
    """A judge that looks for pieces of a good answer, and for nothing else; None for tasks in
    words, whose careless criteria are their own."""
    if isinstance(task, WordTask):
        return None

    def judge(prompt: Prompt, answer: Answer) -> Verdict:
        wanted = sorted(set(prompt.target))
        found = [c for c in wanted if c in answer.text]
        said = f"{len(found)} of {len(wanted)} characters of the right answer occur in it."
        share = len(found) / max(1, len(wanted))
        return Verdict(2 if share == 1 else 1 if share >= 0.5 else 0, said)

    return Criterion(
        "mentions",
        "Mentions what is right",
        "2 if every character of the right answer occurs somewhere, 1 if half of them do, else 0. "
        "Careless: it never asks in which order, or what else is there.",
        judge,
    )
