"""The compute thread's own side: its queue, its requests, and what a yield point does.

Nothing here knows Qt. ``gui.compute`` is the GUI thread's side; the two share the lock in
``Worker`` and the mail that ``post`` and ``announce`` bring over.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, Protocol

from engine.jobs import Job, JobCancelled
from gui.job_handle import Failure, JobHandle, clock

log = logging.getLogger(__name__)

NICENESS = 4
"""How far the compute thread steps back on Linux. At 10 it was seen to lose a second at a time
to any other busy program, since torch's threads wait for the slowest of them."""


class Post(Protocol):
    """Where the worker sends its mail. Both methods are called on the compute thread."""

    def post(self, kind: str, handle: JobHandle, payload: Any = None) -> None:
        """Something happened that must arrive: started, paused, resumed or an end."""

    def announce(self) -> None:
        """There is progress or a snapshot, of which only the newest counts."""


class WorkerJob(Job):
    """The ``job`` that running work sees."""

    def __init__(self, worker: Worker, handle: JobHandle) -> None:
        self._worker = worker
        self._handle = handle

    def yield_point(self) -> None:
        if self._worker.attention:  # nearly always false: a yield point costs next to nothing
            self._worker.attend(self._handle)

    def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        self._handle.new_progress = (clock(), done, total, message)
        self._worker.announce()
        if self._worker.attention:
            self._worker.attend(self._handle)

    def publish(self, snapshot: Any) -> None:
        self._handle.latest = snapshot
        self._handle.new_snapshot = (snapshot,)
        self._worker.announce()


class Worker:
    """One thread, a queue of jobs, and the newest request of each key."""

    def __init__(self, post: Post) -> None:
        self.announce = post.announce
        self._post = post.post
        self.attention = False  # whether the running work's next yield point has to attend
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._queue: deque[JobHandle] = deque()
        self._urgent: deque[JobHandle] = deque()
        self._requests: dict[object, JobHandle] = {}
        self._serving: JobHandle | None = None
        self._stack: list[JobHandle] = []  # jobs begun; all but the last are paused
        self._quitting = False
        # A daemon, so that an operation that never ends cannot keep the process alive.
        self.thread = threading.Thread(target=self._run, name="compute", daemon=True)

    # -------------------------------------------------------------- called by the GUI thread
    def enqueue(self, handle: JobHandle) -> None:
        """Add a job to the end of its queue."""
        with self._lock:
            (self._urgent if handle.urgent else self._queue).append(handle)
            self._look_again()

    def ask(self, key: object, handle: JobHandle) -> JobHandle | None:
        """Add a request; it takes the place in line of a waiting one with the same key, which
        is returned and now never begins."""
        with self._lock:
            replaced = self._requests.get(key)
            self._requests[key] = handle
            self._look_again()
        return replaced

    def stop(self, handle: JobHandle) -> bool:
        """Ask it to unwind. Returns True if it had not begun, and now never will."""
        with self._lock:
            handle.stop_asked = True
            waiting = False
            for queue in (self._queue, self._urgent):
                if handle in queue:
                    queue.remove(handle)
                    waiting = True
            for key, request in self._requests.items():
                if request is handle:
                    del self._requests[key]
                    waiting = True
                    break
            self._look_again()
        return waiting

    def pause(self, handle: JobHandle, paused: bool) -> None:
        """Ask it to wait at its next yield point, or to go on."""
        with self._lock:
            handle.pause_asked = paused
            handle.pause_told = False
            self._look_again()

    def quit(self, timeout_seconds: float) -> bool:
        """End the thread once its work has unwound. Returns whether it ended in time."""
        with self._lock:
            self._quitting = True
            self._wake.notify_all()
        self.thread.join(timeout_seconds)
        return not self.thread.is_alive()

    # ------------------------------------------------------------------ on the compute thread
    def _look_again(self) -> None:
        """Work out whether the running work has to attend. The caller holds the lock."""
        if self._serving is not None:
            self.attention = self._serving.stop_asked
        else:
            current = self._stack[-1] if self._stack else None
            self.attention = bool(self._requests) or (
                current is not None
                and (
                    current.stop_asked
                    or current.pause_asked
                    or (bool(self._urgent) and not current.urgent)
                )
            )
        self._wake.notify_all()

    def attend(self, handle: JobHandle) -> None:
        """At a yield point: unwind, let requests and urgent jobs in, wait while paused.

        Raises:
            JobCancelled: if the work was asked to stop.
        """
        waited = False
        while True:
            with self._lock:
                if handle.stop_asked:
                    raise JobCancelled
                if self._serving is not None:
                    return  # a request is never interrupted by another
                request, job = self._next_request(), None
                if request is None:
                    if handle.pause_asked:
                        waited = True
                        if not handle.pause_told:
                            handle.pause_told = True
                            self._post("paused", handle)
                        job = self._next_job()
                        if job is None:
                            self._wake.wait()
                    elif self._urgent and not handle.urgent:
                        job = self._next_job()
                    else:
                        self._look_again()
                        break
            with _clean_torch_state():
                if request is not None:
                    self._serve(request)
                elif job is not None:
                    self._perform(job)
        if waited:
            self._post("resumed", handle)

    def _next_request(self) -> JobHandle | None:
        """Take the request that has waited longest. The caller holds the lock."""
        if not self._requests:
            return None
        self._serving = self._requests.pop(next(iter(self._requests)))
        self._look_again()
        return self._serving

    def _next_job(self) -> JobHandle | None:
        """Take the job whose turn it is. The caller holds the lock."""
        queue = self._urgent or self._queue
        return queue.popleft() if queue else None

    def _serve(self, request: JobHandle) -> None:
        kind, payload = self._do(request)
        with self._lock:
            self._serving = None
            self._look_again()
        self._post(kind, request, payload)

    def _perform(self, handle: JobHandle) -> None:
        with self._lock:
            self._stack.append(handle)
            self._look_again()
        self._post("started", handle)
        kind, payload = self._do(handle)
        with self._lock:
            self._stack.pop()
            self._look_again()
        self._post(kind, handle, payload)

    def _do(self, handle: JobHandle) -> tuple[str, Any]:
        """Run the function and put its end into one word and a payload."""
        work = handle.work
        if work is None or handle.stop_asked:
            return "cancelled", None
        kwargs = handle.kwargs
        if handle.with_job:
            kwargs = {**kwargs, "job": WorkerJob(self, handle)}
        try:
            return "finished", work(*handle.args, **kwargs)
        except JobCancelled:
            return "cancelled", None
        except BaseException as error:  # also SystemExit: no work may end the thread
            return "failed", Failure.of(error, handle.title)

    def _run(self) -> None:
        """The thread's life."""
        _lower_priority()
        while self._run_one():
            pass

    def _run_one(self) -> bool:
        """Wait for a piece of work and do it. A method of its own, so that the idle thread's
        frame keeps no finished work alive. Returns False when it is time to end."""
        with self._lock:
            while not (self._quitting or self._requests or self._queue or self._urgent):
                self._wake.wait()
            if self._quitting:
                return False
            request = self._next_request()
            job = self._next_job() if request is None else None
        if request is not None:
            self._serve(request)
        elif job is not None:
            self._perform(job)
            _give_memory_back()
        return True


@contextlib.contextmanager
def _clean_torch_state() -> Iterator[None]:
    """Work let in at a yield point must not inherit the interrupted work's no_grad()."""
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "inference_mode"):
        yield
        return
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _give_memory_back() -> None:
    """Hand what a job freed back to the system; glibc keeps it: after a model of 2.7 million
    parameters 100 MB, for good. Other systems do this by themselves."""
    if sys.platform.startswith("linux"):
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _lower_priority() -> None:
    """Let the GUI thread go first where both want the same core.

    On Linux niceness belongs to a thread and is inherited by the threads it makes, torch's
    among them. macOS offers only classes that may move training to its slow cores; there the
    scheduler is left alone.
    """
    try:
        if sys.platform == "win32":
            import ctypes

            kernel = ctypes.windll.kernel32
            kernel.SetThreadPriority(kernel.GetCurrentThread(), -1)  # below normal
        elif sys.platform.startswith("linux"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except OSError as error:
        log.info("The compute thread keeps its priority: %s", error)
