"""A post-training run as the compute thread holds it. No Qt.

``LiveRun`` keeps its GRPO from one job to the next, so that a run can be paused, stepped and
resumed. The window sees only what it publishes: ``News``, which never changes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import LabError
from engine.jobs import NO_JOB, Job
from engine.posttraining.prompts import Answer
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import RewardMix, RewardTerm, terms_for
from engine.posttraining.tasks import TASKS, Task
from engine.runs import Catalogue, Mark, RunSummary
from gui.rewards.keeping import KEEP_EVERY, Keeping, Past, reward_of_kept, settings_of
from gui.rewards.news import Comparison, Ended, Event, Look, News, Order, Score

if TYPE_CHECKING:
    from engine.models.transformer.model import TransformerModel
    from engine.models.transformer.module import Transformer
    from engine.posttraining.grpo import GRPO

SCORE_EVERY = 5
"""Updates between two scores on held-out prompts."""
SCORED_PROMPTS = 256
KEPT_FROM = 5
"""Updates from which on a run is kept: one that was only stepped through a little is not."""
SHOWN_PROMPTS = 8
"""Held-out prompts whose answers are kept at every score, to look back at."""
COMPARED_ANSWERS = 64
"""Answers of each policy to the prompt that they are compared on."""
MOST_JUDGES = 32
"""Terms of former rewards that are remembered, to explain former updates."""


@dataclass(frozen=True)
class FrozenPolicy:
    """A copy of a run's policy that stays as it is."""

    live: LiveRun
    model: TransformerModel
    updates: int
    """It has had."""


class LiveRun:
    """One run. But for ``reward``, ``latest`` and ``one_update_more`` everything here belongs to
    the compute thread."""

    def __init__(
        self,
        order: Order,
        catalogue: Catalogue | None = None,
        key: str = "",
        offered: tuple[RewardTerm, ...] = (),
    ) -> None:
        """
        Args:
            order: what to post-train.
            catalogue: where the run is kept; None keeps it in memory alone.
            key: a kept run to go on with. Its order's reward need only be named: the terms
                themselves are loaded with the run.
            offered: what has been made for the run's task: terms to be used where the kept run
                has the same ones, or only names them.
        """
        self.order = order
        self._offered = offered
        self.keeping = Keeping(catalogue, key)
        self.lab_name = ""
        """The policy's name in the lab, once it is there; the window's own."""
        self.reward = order.reward
        """What the next update rewards. The window may set it at any time."""
        self.latest: News | None = None
        self._grpo: GRPO | None = None
        self._records: list[UpdateRecord] = []
        self._scores: list[Score] = []
        self._events: list[Event] = []
        self._shown = order.task.examples(SHOWN_PROMPTS)
        self._looks: list[Look] = []
        self._judges: tuple[RewardTerm, ...] = ()
        self._stop_after: int | None = None
        self._kept_at = 0

    def one_update_more(self) -> None:
        """Called while the job of ``run`` is paused: let it end after the next update."""
        self._stop_after = len(self._records)

    # ----------------------------------------------------------------- on the compute thread
    def run(self, updates: int | None = None, *, job: Job = NO_JOB) -> Ended:
        """Go on with the run: to the order's end, or ``updates`` further.

        Raises:
            LabError: if there is no policy, or it has blown up.
            JobCancelled: at a yield point; the update begun is then undone.
        """
        self._stop_after = None
        total = self.order.updates
        job.progress(len(self._records), total, "Post-training")
        grpo = self._opened()
        self._score(grpo, job)
        end = total if updates is None else min(total, len(self._records) + updates)
        try:
            while len(self._records) < end:
                self._take_reward(grpo)
                self._records.append(grpo.update(job))
                self.keeping.updated(self._records[-1])
                job.publish(self._news())
                self._score(grpo, job)
                if len(self._records) == KEPT_FROM or len(self._records) % KEEP_EVERY == 0:
                    self._keep(grpo, "running")
                job.progress(len(self._records), total, "Post-training")
                after = self._stop_after
                if after is not None and len(self._records) > after:
                    break
        finally:  # also where the job was stopped
            self._keep(grpo, "finished" if len(self._records) >= total else "stopped")
        news = self._news()
        return Ended(news, "finished" if news.finished else "paused")

    def compare(self, text: str, target: str, *, job: Job = NO_JOB) -> Comparison:
        """Let the policy and the reference answer one prompt.

        Raises:
            LabError: if the prompt is too long, or holds what the policy never read.
        """
        grpo = self._opened()
        ids = grpo.task.tokenizer.encode(grpo.task.check(text))
        policy, reference = (grpo.answers(m, ids, COMPARED_ANSWERS, job) for m in grpo.modules)
        policy_next, reference_next = (grpo.first_token(m, ids) for m in grpo.modules)
        return Comparison(
            text,
            target,
            _counted(policy),
            _counted(reference),
            policy_next,
            reference_next,
            len(self._records),
        )

    def present_policy(self) -> TransformerModel | None:
        """A copy of the policy as it is now; None before the first update was begun."""
        return None if self._grpo is None else self._grpo.frozen_model()

    # ------------------------------------------------------------------------------ the work
    def _opened(self) -> GRPO:
        if self._grpo is None:
            from engine.posttraining.grpo import GRPO  # loads torch, this thread's own
            from engine.posttraining.policies import bundled_policy

            order = self.order
            if self.keeping.key:
                terms = (*terms_for(order.task), *self._offered)
                kept = self.keeping.load(order.task, terms, self._shown)
                self._grpo, self._records = kept.run, kept.records
                self.reward = kept.run.reward
                self.order = replace(order, reward=kept.run.reward)
                self._scores, self._events, self._looks = kept.scores, kept.events, kept.looks
                if not kept.looks or kept.looks[0].update > 0:
                    start = self._look(kept.run, NO_JOB, kept.run.reference, 0)
                    self._looks.insert(0, start)
                self._kept_at = len(self._records)
            else:
                policy = bundled_policy(order.task)
                self._grpo = GRPO(policy, order.task, order.reward, order.settings)
        return self._grpo

    def _keep(self, grpo: GRPO, mark: Mark) -> None:
        at = len(self._records)
        if at >= KEPT_FROM and (at != self._kept_at or mark != "running"):
            self._take_reward(grpo)  # a weight turned since the last update is kept too
            past = Past(self._records, self._scores, self._shown, self._looks, self._events)
            self.keeping.save(grpo, self.order.updates, past, mark)
            self._kept_at = at

    def frozen(self) -> FrozenPolicy:
        """A copy of the policy as it is."""
        return FrozenPolicy(self, self._opened().frozen_model(), len(self._records))

    def _take_reward(self, grpo: GRPO) -> None:
        """Reward what the window wants, if that judges otherwise: terms that don't count, or a
        term under another title, are no reason to count anew."""
        wanted = self.reward
        if _counting(wanted) != _counting(grpo.reward):
            grpo.reward = wanted
            if self._records:
                at = len(self._records)
                if self._events and self._events[-1].update == at:
                    self._events.pop()  # two turns between two updates are one
                self._events.append(Event(at, f"reward: {wanted.words()}"))

    def _score(self, grpo: GRPO, job: Job) -> None:
        at = len(self._records)
        due = at % SCORE_EVERY == 0 or at == self.order.updates
        if due and not (self._scores and self._scores[-1].update == at):
            score = Score(at, grpo.evaluate(SCORED_PROMPTS, job=job))
            look = self._look(grpo, job)
            self._scores.append(score)
            self.keeping.scored(score)
            self._looks.append(look)
            job.publish(self._news())

    def _look(
        self, grpo: GRPO, job: Job, module: Transformer | None = None, update: int | None = None
    ) -> Look:
        from engine.posttraining.evaluation import true_scores

        module = grpo.module if module is None else module
        at = len(self._records) if update is None else update
        answers, rows = [], []
        for prompt in self._shown:
            ids = grpo.task.tokenizer.encode(prompt.text)
            answers += grpo.answers(module, ids, 1, job)
            rows.append(grpo.first_token(module, ids))
        right = true_scores(grpo.task, self._shown, answers)
        return Look(at, tuple(answers), right, np.stack(rows))

    def _news(self) -> News:
        if self._grpo is not None:
            now = tuple(term for term, _ in self._grpo.reward.terms)
            before = tuple(term for term in self._judges if term not in now)
            self._judges = (*now, *before[:MOST_JUDGES])
        self.latest = News(
            self.order,
            tuple(self._records),
            tuple(self._scores),
            tuple(self._events),
            self._shown,
            tuple(self._looks),
            self._judges,
        )
        return self.latest


@cache
def make_task(key: str) -> Task:
    """The task of that key; tasks never change, so each is made once. The larger ones take a
    second: see ``ready_task``."""
    return next(kind for kind in TASKS if kind.key == key)()


def ready_task(key: str) -> str:
    """Make a task, and what it works out once, before somebody waits for it; its key again."""
    task = make_task(key)
    _ = task.tokenizer, task.longest_prompt  # remembered by the task
    return key


def _counted(answers: list[Answer]) -> tuple[tuple[str, int], ...]:
    """An answer that was cut off at the limit ends in an ellipsis."""
    texts = [a.text if a.finished else f"{a.text}…" for a in answers]
    return tuple(Counter(texts).most_common())


def _counting(mix: RewardMix) -> list[tuple[str, str, float]]:
    """The terms of a mix that count, by what they are and not by what they are called."""
    return [(term.key, term.sentence, weight) for term, weight in mix.terms if weight != 0]


def task_key(run: RunSummary) -> str:
    """The key of a kept run's task.

    Raises:
        LabError: if that task is not there.
    """
    key = run.description.details.get("task")
    if not any(kind.key == key for kind in TASKS):
        raise LabError("This run's task is not there.")
    return str(key)


def kept_order(run: RunSummary, offered: tuple[RewardTerm, ...], updates: int) -> Order:
    """What a kept run goes on with; its reward is only named, until the run is loaded.

    Args:
        run: the kept run.
        offered: terms that have been made for its task: a run of before rewards were kept whole
            may need one of them.
        updates: how many a run has now; a run that is at its end goes on to so many.

    Raises:
        LabError: if the run is damaged, or needs a task or a term that is not there.
    """
    task = make_task(task_key(run))
    reward = reward_of_kept(run, (*terms_for(task), *offered))
    planned = run.description.steps
    total = max(planned, updates) if run.step >= planned else planned
    return Order(task, settings_of(run), reward, total)
