"""Tasks put to every model at the table. Runs on the compute thread; no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.models.quiz import Item, Reply, Tally, TaskKey, answer_all, chance, tally, write_on
from engine.models.quiz_tasks import (
    SEEN_IN_TRAINING,
    fill_in_items,
    odd_one_out_items,
    question_items,
    translation_items,
)
from engine.text import Corpus
from gui.language_models.models import Seat, Table
from gui.language_models.reach_run import needed

MOST_STORIES = 400

TASKS: tuple[tuple[TaskKey, str, str], ...] = (
    (
        "questions",
        "Questions",
        "A held-out story, a question about it, and “Answer:”. Some of the stories learned from "
        "end like this.",
    ),
    (
        "fill_in",
        "Fill in",
        "A held-out story up to a word that an earlier word has settled. All of the training "
        "text is of this form.",
    ),
    (
        "odd_one_out",
        "Odd one out",
        "Four words, one of another kind than the rest. Nothing of the sort was learned from; "
        "what is wanted is told by examples in the prompt alone.",
    ),
    (
        "translation",
        "Translation",
        "A colour to be put into the animal that the prompt's own dictionary gives for it, a new "
        "dictionary each time. Nothing of the sort was learned from.",
    ),
)
"""Key, title, and a sentence."""


@dataclass(frozen=True)
class Exam:
    """Everybody's answers so far."""

    table: Table
    items: tuple[tuple[Item, ...], ...]
    """Of each task, in the order of TASKS."""
    replies: tuple[tuple[Seat, tuple[tuple[Reply, ...], ...]], ...]
    """Of each model, for each task that it has done."""

    def tally(self, model: int, task: int) -> Tally | None:
        """How a model did on a task; None while it has not done it."""
        done = self.replies[model][1]
        return tally(self.items[task], done[task]) if task < len(done) else None

    def chance(self, task: int) -> float:
        """The accuracy of guessing."""
        return chance(self.items[task])


def examine(
    table: Table, corpus: Corpus | None, n: int, shots: int, seed: int, job: Job = NO_JOB
) -> Exam:
    """Put n items of every task to every model, publishing each model's answers to each task.

    Raises:
        LabError: if the text's language is not known, or too little of it was held out.
    """
    corpus, language = needed(table, corpus)
    assert table.tokenizer is not None
    tokenizer = table.tokenizer.tokenizer
    read = [language.read(text) for text in corpus.held_out[:MOST_STORIES]]
    stories = [story for story in read if story is not None]
    items = (
        tuple(question_items(language, stories, n, seed, job)),
        tuple(fill_in_items(language, stories[: 2 * n], n, seed, job)),
        tuple(odd_one_out_items(language, n, shots, seed)),
        tuple(translation_items(language, n, shots, seed)),
    )
    total = sum(map(len, items)) * len(table.present)
    exam = Exam(table, items, ())
    done = 0
    for seat in table.present:
        assert seat.model is not None
        before, own = exam.replies, []
        for asked in items:
            own.append(tuple(answer_all(seat.model, tokenizer, asked, job, done, total)))
            done += len(asked)
            exam = Exam(table, items, (*before, (seat, tuple(own))))
            job.publish(exam)
    return exam


def continue_all(table: Table, prompt: str, job: Job = NO_JOB) -> tuple[tuple[Seat, str], ...]:
    """What every model writes behind a prompt.

    Raises:
        LabError: if there is no tokenizer yet.
    """
    if table.tokenizer is None:
        raise LabError("The text is still being prepared.")
    found = []
    for seat in table.present:
        assert seat.model is not None
        job.yield_point()
        try:
            written = write_on(seat.model, table.tokenizer.tokenizer, prompt)
        except LabError:  # the truth, after too odd a text
            written = ""
        found.append((seat, written))
    return tuple(found)


def favourite(table: Table) -> Seat | None:
    """The model that is asked about beforehand: the transformer, or else the n-gram."""
    for kind in ("transformer", "ngram"):
        seat = table.seat(kind)
        if seat is not None and seat.model is not None:
            return seat
    return None


def best_over_guessing(exam: Exam, kind: str) -> tuple[list[int], str]:
    """The task on which a kind of model is furthest ahead of guessing.

    Args:
        exam: everybody's answers.
        kind: the model's.

    Returns:
        The task's place in TASKS (several in a tie), or len(TASKS) where the model's 95 % interval
        holds guessing on every task; and a sentence with its figures.
    """
    number = next(i for i, (seat, _) in enumerate(exam.replies) if seat.kind == kind)
    leads: dict[int, float] = {}
    told = []
    for task, (_, title, _) in enumerate(TASKS):
        tallied, guess = exam.tally(number, task), exam.chance(task)
        if tallied is None or not tallied.items:
            continue
        told.append(f"{title.lower()} {tallied.accuracy:.0%} (guessing {guess:.0%})")
        if tallied.interval[0] > guess:
            leads[task] = tallied.accuracy - guess
    most = max(leads.values(), default=0.0)
    right = [task for task, lead in leads.items() if lead == most] or [len(TASKS)]
    why = "; ".join(told) + "."
    if right == [len(TASKS)]:
        why += " None is surely better than guessing on so few items."
    elif any(SEEN_IN_TRAINING[TASKS[task][0]] for task in right):
        why += " Its training text is full of that form."
    else:
        why += " Its training text has nothing of that form: the prompt itself was enough."
    return right, why[0].upper() + why[1:]


def in_words(exam: Exam) -> str:
    """Who leads on each task, and how far from guessing."""
    said = []
    for number, (_, title, _) in enumerate(TASKS):
        rows = [
            (told.accuracy, told.interval[0], seat.title)
            for model, (seat, _) in enumerate(exam.replies)
            if seat.kind != "truth" and (told := exam.tally(model, number)) is not None
        ]
        if not rows:
            continue
        accuracy, low, name = max(rows)
        guess = exam.chance(number)
        sure = "" if low > guess else ", which may be luck"
        said.append(f"{title}: best {name}, {accuracy:.0%}{sure}")
    guess_said = f"Guessing gets {exam.chance(0):.0%}. " if said else ""
    return guess_said + "; ".join(said) + ("." if said else "")
