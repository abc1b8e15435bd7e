"""Which place in its schedule each step takes, in a run whose steps are planned anew on the way.

A race by seconds gives each setting its time, not its steps: how many steps fit is known only as
they are taken. Whenever the number is corrected, what is left of the schedule is spread over the
steps that are left, so that the learning rate goes on from where it is and still reaches its last
value with the last step. The corrections are all that has to be written down for the run to be
taken again bit for bit, whatever the clock says then.

Imports no torch.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

EARLY_SHARE, LATE_SHARE = 0.04, 0.02
"""A plan stands while its end lies no further off than this share of the time that is left and this
share of all the time: pace wavers, and what is left can be corrected later."""
_WINDOW_SHARE, _LAST_WINDOW_SHARE = 1 / 20, 1 / 4
"""Pace is the mean over the last steps that together took this share of all the time or, near the
end, that share of the time that is left; each plan is judged by steps after it."""
_WARM_STEPS = 2
"""The first steps build what later ones use again, and say nothing about the pace, unless they
take half of the time."""
_MOST_CHANGES = 10_000


@dataclass(frozen=True)
class Change:
    """A plan that was made on the way."""

    step: int
    """Steps taken when it was made."""
    steps: int
    """Steps to be taken in all from then on."""


@dataclass(frozen=True)
class Timetable:
    """How a run's schedule is spread over its steps.

    >>> Timetable(100).replanned(50, 75).position(60)
    70.0
    """

    first: int
    """Steps of the first plan: the unit that places in the schedule are told in."""
    changes: tuple[Change, ...] = ()
    """In order, each at a later step than the one before."""

    @property
    def steps(self) -> int:
        """Steps in all, as planned last."""
        return self.changes[-1].steps if self.changes else self.first

    def position(self, step: int) -> float:
        """The place in the schedule after ``step`` steps: 0 at the start, ``first`` at the end.
        Before anything was planned anew it is ``step`` itself."""
        position, since, steps = 0.0, 0, self.first
        for change in self.changes:
            if step <= change.step:
                break
            position = self._from(position, since, steps, change.step)
            since, steps = change.step, change.steps
        return self._from(position, since, steps, step)

    def _from(self, position: float, since: int, steps: int, step: int) -> float:
        """What is left from ``position`` on, spread evenly from ``since`` to ``steps``."""
        if steps == since:  # it was ended here
            return float(self.first)
        return position + (self.first - position) * (step - since) / (steps - since)

    def passes(self, step: int, every: int) -> bool:
        """Whether the ``step``-th step reached or passed a multiple of ``every`` in the schedule:
        what is due every so many steps stays spread evenly over the time."""
        return math.floor(self.position(step) / every) > math.floor(self.position(step - 1) / every)

    def replanned(self, step: int, steps: int) -> Timetable:
        """With another number of steps in all, from after ``step`` steps on; ``step`` itself ends
        it there. What was planned there or later is forgotten.

        Raises:
            ValueError: if more were taken.
        """
        if not 0 < step <= steps:
            raise ValueError(f"{steps} steps in all cannot be planned after step {step}.")
        before = tuple(change for change in self.changes if change.step < step)
        return Timetable(self.first, (*before, Change(step, steps)))

    def to_json(self) -> list[Any]:
        """As JSON values."""
        return [self.first, [[change.step, change.steps] for change in self.changes]]

    @classmethod
    def from_json(cls, data: Any) -> Timetable:
        """The timetable of ``to_json``'s values.

        Raises:
            ValueError: if they are none.
        """
        try:
            first, changes = data
            if len(changes) > _MOST_CHANGES:
                raise ValueError("too many changes")
            found = cls(_count(first))
            for step, steps in changes:
                if found.changes and _count(step) <= found.changes[-1].step:
                    raise ValueError("changes out of order")
                found = found.replanned(_count(step), _count(steps))
        except TypeError as error:
            raise ValueError("no timetable") from error
        return found


class Clock:
    """How much of its time a run has had, and how many steps the time is enough for.

    Counted are the seconds of the steps that were taken. What else a run does or waits for is not:
    scoring held-out text, a pause, a step that was broken off and is taken again.
    """

    def __init__(self, seconds: float, planned: int) -> None:
        """
        Args:
            seconds: what the run is to have.
            planned: steps that are thought to fit.
        """
        self.seconds = seconds
        self.spent = 0.0
        """Seconds in the steps so far."""
        self._warm = min(_WARM_STEPS, planned // 10)
        self._steps = 0
        self._recent: deque[float] = deque()
        self._recent_sum = 0.0

    def tick(self, seconds: float) -> None:
        """A step was taken, in so long."""
        self.spent += seconds
        self._steps += 1
        if self._steps <= self._warm and self.spent < self.seconds / 2:
            return
        self._recent.append(seconds)
        self._recent_sum += seconds
        while len(self._recent) > 1 and self._recent_sum - self._recent[0] >= self._window:
            self._recent_sum -= self._recent.popleft()

    @property
    def _window(self) -> float:
        left = self.seconds - self.spent
        return min(_WINDOW_SHARE * self.seconds, _LAST_WINDOW_SHARE * left)

    def steps(self, planned: int) -> int:
        """How many steps there should be in all: ``planned`` as long as they end about in time, no
        more than were taken once the time is up."""
        left, time_left = planned - self._steps, self.seconds - self.spent
        if left <= 0 or not self._recent or self._recent_sum < self._window:
            return planned
        pace = self._recent_sum / len(self._recent)
        allowed = EARLY_SHARE * max(0.0, time_left) + LATE_SHARE * self.seconds
        if abs(left * pace - time_left) <= allowed:
            return planned
        self._recent.clear()
        self._recent_sum = 0.0
        return self._steps + max(1 if time_left > 0 else 0, round(max(0.0, time_left) / pace))


def _count(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= 100_000_000:
        raise ValueError("no number of steps")
    return value
