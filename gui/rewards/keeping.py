"""A post-training run's way to the disk. No Qt.

What can't be written is told, and training goes on; it is tried again with the next checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import LabError
from engine.posttraining.kept_state import lost, read_kept_reward
from engine.posttraining.prompts import Answer, Prompt
from engine.posttraining.record_files import COLUMNS, record_from_dict, record_to_dict, row_of
from engine.posttraining.records import UpdateRecord
from engine.posttraining.rewards import RewardMix, RewardTerm
from engine.posttraining.settings import GRPOSettings
from engine.posttraining.tasks import Task
from engine.runs import Catalogue, KeptRun, Mark, RunDescription, RunSummary, Source
from gui.rewards.looks_kept import event_to_dict, events_from, look_from_dict, look_to_dict
from gui.rewards.news import Event, Look, Score

if TYPE_CHECKING:
    from engine.posttraining.grpo import GRPO

KIND = "post-training"
UPDATES, SCORES, OPENED = "updates", "scores", "opened"
LOOKS, EVENTS = "looks", "events"
SCORE_COLUMNS = ("update", "true_score")
KEEP_EVERY = 20
"""Updates between two checkpoints."""
GREATEST_WEIGHT = 100.0
"""Of a term of the reward, up or down, as far as the window can set it."""
GOES_ON = "Training goes on, but would be lost in a crash."


@dataclass(frozen=True)
class Kept:
    """A kept run at its newest checkpoint."""

    run: GRPO
    records: list[UpdateRecord]
    scores: list[Score]
    looks: list[Look]
    """Those that can be read and are about the prompts shown now."""
    events: list[Event]


@dataclass(frozen=True)
class Past:
    """What a run has been through up to a checkpoint."""

    records: Sequence[UpdateRecord]
    scores: Sequence[Score]
    shown: Sequence[Prompt]
    looks: Sequence[Look]
    events: Sequence[Event]


class Keeping:
    """Keeps one run. All methods belong to the compute thread; ``key`` and ``said`` may be read
    from anywhere."""

    def __init__(self, catalogue: Catalogue | None, key: str = "") -> None:
        """
        Args:
            catalogue: where to; None keeps nothing.
            key: a run that is kept already, to go on with.
        """
        self._catalogue, self.key = catalogue, key
        self._kept: KeptRun | None = None
        self._looked = -1  # the newest look that is written down
        self._events: tuple[Event, ...] = ()  # those that are
        self.said = ""
        """What went wrong at the last try; empty if nothing did."""

    def load(self, task: Task, terms: Sequence[RewardTerm], shown: Sequence[Prompt]) -> Kept:
        """The kept run at its newest checkpoint.

        Args:
            task: the run's.
            terms: those that the task has, and what has been made for it; what the run keeps of
                its reward is used before them.
            shown: the prompts that looks are about.

        Raises:
            LabError: if it is gone, damaged, or rewarded by a term that is neither kept nor there.
        """
        from engine.posttraining.checkpoints import load_run

        if self._catalogue is None:
            raise LabError("This run is not kept.")
        kept = self._catalogue.open(self.key)
        if not kept.checkpoints.all:
            raise LabError("This run has no checkpoint to go on from.")
        run = load_run(kept.checkpoints.all[-1].folder, task, terms)
        at = run.update_count
        records = [record_from_dict(e) for e in kept.entries(OPENED)]
        records = [r for r in records if r.update <= at]
        if [r.update for r in records] != list(range(1, at + 1)):
            raise LabError("This run's updates are not all there: it can't go on.")
        kept.journal(OPENED).replace([record_to_dict(r) for r in records])
        for name, columns in ((UPDATES, COLUMNS), (SCORES, SCORE_COLUMNS)):
            kept.table(name, columns).cut(at)
        table = self._catalogue.curves(self.key)[SCORES]
        pairs = zip(table["update"].tolist(), table["true_score"].tolist(), strict=True)
        scores = [Score(int(u), v) for u, v in pairs if u <= at]
        n_tokens = run.module.config.vocab_size
        read = (look_from_dict(e, shown, n_tokens) for e in _if_readable(kept, LOOKS))
        looks = [look for look in read if look is not None and look.update <= at]
        kept.journal(LOOKS).replace([look_to_dict(look, shown) for look in looks])
        events = events_from(_if_readable(kept, EVENTS), at)
        self._looked = looks[-1].update if looks else -1
        self._events = tuple(events)
        self._kept = kept
        return Kept(run, records, scores, looks, events)

    def updated(self, record: UpdateRecord) -> None:
        """Write an update down."""
        if self._kept is not None:
            kept = self._kept
            self._try(lambda: _write(kept, record))

    def scored(self, score: Score) -> None:
        """Write a held-out score down."""
        if self._kept is not None:
            row = (score.update, score.value)
            self._kept.table(SCORES, SCORE_COLUMNS).append(row)

    def save(self, run: GRPO, updates: int, past: Past, mark: Mark) -> None:
        """Write a checkpoint; the first one begins to keep the run."""
        self._try(lambda: self._save(run, updates, past, mark))

    def _save(self, run: GRPO, updates: int, past: Past, mark: Mark) -> None:
        from engine.posttraining.checkpoints import save_run

        if self._catalogue is None:
            return
        kept = self._kept
        if kept is None:
            kept = self._catalogue.create(describe(run, updates))
            self._kept, self.key = kept, kept.key
            for record in past.records:
                _write(kept, record)
            for score in past.scores:
                self.scored(score)
        self._look_back(kept, past)
        last, newest = past.records[-1], past.scores[-1].value if past.scores else math.nan
        figures = {"true_score": newest, "reward": last.reward, "kl": last.answer_kl}
        at = run.update_count
        kept.keep(at, lambda folder: save_run(run, folder), 1 - newest, figures)
        kept.mark(mark, at, figures)
        self._catalogue.make_room((kept.key,))

    def _look_back(self, kept: KeptRun, past: Past) -> None:
        """Write what was seen and what happened since the last checkpoint. Only then: a run that
        is cut off goes on from a checkpoint, and sees again what came after."""
        for look in past.looks:
            if look.update > self._looked:
                kept.journal(LOOKS).append(look_to_dict(look, past.shown), sync=False)
                self._looked = look.update
        if tuple(past.events) != self._events:
            kept.journal(EVENTS).replace([event_to_dict(event) for event in past.events])
            self._events = tuple(past.events)

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except LabError as error:
            self.said = f"{error} {GOES_ON}"
        else:
            self.said = ""


def _if_readable(kept: KeptRun, name: str) -> list[dict[str, Any]]:
    """A journal's entries; none where it can't be read, for what a run can go on without."""
    try:
        return kept.entries(name)
    except LabError:
        return []


def _write(kept: KeptRun, record: UpdateRecord) -> None:
    kept.table(UPDATES, COLUMNS).append(row_of(record))
    kept.journal(OPENED).append(record_to_dict(record), sync=False)
    kept.flush()


def describe(run: GRPO, updates: int) -> RunDescription:
    """What a catalogue says of a run."""
    task = run.task
    return RunDescription(
        kind=KIND,
        title=f"{task.title}: {run.reward.words()}"[:200],
        settings={**asdict(run.settings), "reward": run.reward.words(), "updates": updates},
        steps=updates,
        seed=run.settings.seed,
        sources={"Task": Source(task.title, task.key)},
        details={"task": task.key},
    )


def settings_of(summary: RunSummary) -> GRPOSettings:
    """The settings that a kept run was begun with.

    Raises:
        LabError: if they make no sense.
    """
    known = {
        f: v for f, v in summary.description.settings.items() if f not in ("reward", "updates")
    }
    try:
        return GRPOSettings(**known)  # type: ignore[arg-type]
    except TypeError as error:
        raise LabError("This run's settings can't be read: they are damaged.") from error


def reward_of_kept(summary: RunSummary, terms: Sequence[RewardTerm]) -> RewardMix:
    """What a kept run is rewarded by at its newest checkpoint, by name: loading the run, which is
    the compute thread's, puts the terms themselves in place.

    Args:
        summary: the kept run.
        terms: what there is now.

    Raises:
        LabError: if there is no checkpoint, it is damaged, a weight is more than can be set, or a
            term that counts is neither kept nor there.
    """
    if not summary.checkpoints:
        raise LabError("This run has no checkpoint to go on from.")
    known = {term.key: term for term in terms}
    mix = []
    for kept in read_kept_reward(summary.checkpoints[-1].folder):
        if kept.made is None and kept.weight and kept.key not in known:
            raise lost(kept.title)
        if abs(kept.weight) > GREATEST_WEIGHT:
            raise LabError(f"The weight of “{kept.title}” in this run is more than can be set.")
        named = RewardTerm(kept.key, kept.title, "", _not_loaded)
        mix.append((named if kept.made is not None else known.get(kept.key, named), kept.weight))
    return RewardMix(tuple(mix))


def _not_loaded(prompt: Prompt, answer: Answer) -> float:
    raise LabError("This run is not loaded yet.")
