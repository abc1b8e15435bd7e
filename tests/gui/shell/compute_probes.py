"""Work and listeners in the hands of the tests of the compute thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from engine.jobs import Job
from gui.job_handle import Failure, JobHandle
from tests.gui.conftest import WAIT_MS


class Steps:
    """Work in the test's hands: it goes to its next yield point when it is told to."""

    def __init__(self, n: int = 10**9) -> None:
        self.n = n
        self.reached = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.seen: list[Any] = []

    def __call__(self, job: Job) -> str:
        for step in range(self.n):
            self.reached.release()
            assert self.go.acquire(timeout=WAIT_MS / 1000)
            job.yield_point()
            self.seen.append(step)
        return "done"

    def wait(self) -> None:
        assert self.reached.acquire(timeout=WAIT_MS / 1000)

    def step(self) -> None:
        self.go.release()

    def finish(self) -> None:
        self.go.release(10**6)


class Log:
    """What was delivered, in order."""

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def result(self, value: Any) -> None:
        self.entries.append(("result", value))

    def error(self, failure: Failure) -> None:
        self.entries.append(("error", failure.sentence))

    def snapshot(self, value: Any) -> None:
        self.entries.append(("snapshot", value))

    def cancelled(self, handle: JobHandle) -> None:
        self.entries.append(("cancelled", handle.title))

    @property
    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_result": self.result,
            "on_error": self.error,
            "on_snapshot": self.snapshot,
            "on_cancelled": self.cancelled,
        }


def ended(*handles: JobHandle) -> bool:
    return all(handle.ended for handle in handles)


def where(job: Job) -> int:
    return threading.get_ident()
