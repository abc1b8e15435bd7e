"""What long work sees of whoever runs it: progress, partial results, pause, cancellation.

Engine functions that may take longer than about 50 ms accept ``job: Job = NO_JOB`` and call
``job.progress(...)`` (or ``job.yield_point()``) often: every 10 to 30 ms of work is right.
Scripts and tests pass nothing. The window passes a subclass that forwards progress to the
status bar, serves short interactive requests between two steps, waits while paused, and stops
the work by raising :class:`JobCancelled` from those same calls.
"""

from __future__ import annotations

from typing import Any


class JobCancelled(BaseException):
    """Raised inside a job at a yield point after it was asked to stop.

    A BaseException, so that no ``except Exception`` in between swallows it. Code that holds a
    file or a half-changed object cleans up with ``finally`` and lets it pass.
    """


class Job:
    """The context of one piece of long work. This base class runs everything to its end."""

    def yield_point(self) -> None:
        """A moment at which the work may wait, let a short request pass, or be cancelled.

        Raises:
            JobCancelled: if the work was asked to stop.
        """

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Say how far the work is, then be a yield point.

        Args:
            done: work done so far, in the unit the message names.
            total: all the work in the same unit, or None where it is not known.
            message: a few words for the status bar, such as "Counting pairs".

        Raises:
            JobCancelled: if the work was asked to stop.
        """
        self.yield_point()

    def publish(self, snapshot: Any) -> None:
        """Hand over an immutable partial result. The newest wins; some may never be seen."""


NO_JOB = Job()
"""The job of scripts and tests: never paused, never cancelled, seen by nobody."""
