"""Work that goes on for a while and can be stopped and gone on with. No Qt.

What is behind a page of experiments: something with ``go_on(updates, job)`` that yields
immutable states, made on the compute thread when it first runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from engine.jobs import NO_JOB, Job


class GoesOn(Protocol):
    """Several runs in turns."""

    def go_on(self, updates: int, job: Job = NO_JOB) -> Iterator[Any]:
        """Make updates until each run has made ``updates``; a state after each step."""


class Work:
    """One experiment as the compute thread holds it, from one job to the next."""

    def __init__(self, make: Callable[[Job], GoesOn], updates: int, title: str) -> None:
        """
        Args:
            make: makes the runs, on the compute thread.
            updates: of each run.
            title: what the status bar calls it.
        """
        self.updates, self.title = updates, title
        self.latest: Any = None
        """The newest state; None before the first."""
        self._make = make
        self._runs: GoesOn | None = None

    def run(self, *, job: Job = NO_JOB) -> Any:
        """Begin, or go on; the last state.

        Raises:
            LabError: if the runs cannot be made, or a policy has blown up.
            JobCancelled: at a yield point; an update begun is then undone.
        """
        if self._runs is None:
            self._runs = self._make(job)
        for state in self._runs.go_on(self.updates, job):
            self.latest = state
            job.publish(state)
        return self.latest
