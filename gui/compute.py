"""The compute thread: one thread that does all heavy work, so that the window never waits.

Two kinds of work. *Jobs* (``submit``) may take minutes; they run one after the other in the
order given. *Requests* (``request``) take well under a second; they are served between two
yield points of the running job, and of several with the same key only the newest counts.
A paused job lets requests and the queued jobs pass; it goes on when it is resumed and the job
that passed it has ended. An *urgent* job of some seconds is let in at the next yield point of
the running one.

Everything here is called from the GUI thread, and every callback and signal arrives there.
Work meets the outside only through its ``job``: arguments should be immutable or belong to the
compute thread, results and snapshots should be immutable.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from gui import torch_library
from gui.job_handle import ENDED, Failure, JobHandle, JobState
from gui.worker import Worker

log = logging.getLogger(__name__)

SNAPSHOT_INTERVAL_MS = 67
"""At most 15 deliveries of snapshots and progress a second."""

SWITCH_INTERVAL_SECONDS = 0.001
"""How long the compute thread may keep Python's interpreter when the GUI thread asks for it
(the default, 5 ms, is a third of a frame)."""


class ComputeThread(QObject):
    """The compute thread as the GUI thread sees it."""

    # Each carries the JobHandle; requests send none of the first five.
    job_started = Signal(object)
    job_progress = Signal(object)
    job_finished = Signal(object)
    job_failed = Signal(object)
    job_cancelled = Signal(object)
    state_changed = Signal(object)
    failed_unhandled = Signal(object)
    """A Failure that no tab shows in place."""
    _mail = Signal()
    _news = Signal()

    def __init__(
        self, parent: QObject | None = None, interval_ms: int = SNAPSHOT_INTERVAL_MS
    ) -> None:
        super().__init__(parent)
        self._worker = Worker(self)
        self._closed = False
        self._active: list[JobHandle] = []  # jobs begun and not ended, innermost last
        self._waiting: list[JobHandle] = []  # jobs not begun
        self._newest: dict[object, JobHandle] = {}  # requests not delivered, by key
        self._inbox: deque[tuple[str, JobHandle, Any]] = deque()
        self._announced = False
        self._mail.connect(self._read_mail, Qt.ConnectionType.QueuedConnection)
        self._news.connect(self._read_news, Qt.ConnectionType.QueuedConnection)
        self._pulse = QTimer(self)
        self._pulse.setTimerType(Qt.TimerType.PreciseTimer)
        self._pulse.setInterval(interval_ms)
        self._pulse.timeout.connect(self._beat)

    # -------------------------------------------------------------------------- for the tabs
    def submit(
        self,
        function: Callable[..., Any],
        *args: Any,
        title: str = "Working",
        unit: str = "",
        urgent: bool = False,
        on_result: Callable[[Any], Any] | None = None,
        on_error: Callable[[Failure], Any] | None = None,
        on_snapshot: Callable[[Any], Any] | None = None,
        on_cancelled: Callable[[JobHandle], Any] | None = None,
        with_job: bool = True,
        gives_way: bool = False,
        **kwargs: Any,
    ) -> JobHandle:
        """Run ``function(*args, job=job, **kwargs)`` on the compute thread, after the jobs
        given before it.

        Args:
            title: what the status bar calls it.
            unit: what its progress counts, in the plural, such as "steps".
            urgent: run it at the next yield point of the running job, which waits for it,
                instead of after that job: for work of seconds that someone is waiting for.
            on_result: called with what the function returned.
            on_error: called with a Failure. An unexpected one is shown in the error bar too; a
                LabError only where nobody takes it here.
            on_snapshot: called with what the job published, at most 15 times a second, always
                including the last before the result or the error.
            on_cancelled: called with the handle when a stopped job has unwound.
            with_job: False where the function takes no ``job``; it then runs to its end.
            gives_way: whether ``make_way`` stops it: preparation that nobody asked for, which
                can be asked for again.
        """
        handle = JobHandle(
            self, function, args, kwargs, title=title, unit=unit, urgent=urgent, with_job=with_job
        )
        handle.listen(on_result, on_error, on_snapshot, on_cancelled)
        handle.gives_way = gives_way
        if self._closed:
            return self._drop(handle)
        self._start_thread()
        self._waiting.append(handle)
        self._worker.enqueue(handle)
        self.state_changed.emit(handle)
        return handle

    def request(
        self,
        key: object,
        function: Callable[..., Any],
        *args: Any,
        on_result: Callable[[Any], Any] | None = None,
        on_error: Callable[[Failure], Any] | None = None,
        title: str = "Computing",
        with_job: bool = False,
        **kwargs: Any,
    ) -> JobHandle:
        """Run a short function soon, between two steps of the running job.

        An earlier request with the same key is superseded: not begun if it waits, unwound at
        its next yield point if it runs with a job, and never delivered.
        """
        handle = JobHandle(self, function, args, kwargs, title=title, with_job=with_job, key=(key,))
        handle.listen(on_result, on_error)
        if self._closed:
            return self._drop(handle)
        self._start_thread()
        before = self._newest.get(key)
        self._newest[key] = handle
        replaced = self._worker.ask(key, handle)
        if before is not None:
            before.discard()
        if replaced is not None:
            self.post("cancelled", replaced)
        self.state_changed.emit(handle)
        return handle

    def forget(self, key: object) -> None:
        """Drop the request with this key, be it waiting, running or not yet delivered."""
        before = self._newest.pop(key, None)
        if before is not None:
            before.discard()

    @property
    def running(self) -> JobHandle | None:
        """The job that is running or, where all are paused, the last of them. None when idle."""
        return self._active[-1] if self._active else None

    @property
    def jobs(self) -> list[JobHandle]:
        """Jobs begun and not ended (the running one last), then those waiting, in order."""
        return [*self._active, *self._waiting]

    @property
    def idle(self) -> bool:
        """Whether nothing runs, waits, or is still to be delivered."""
        return not (self._active or self._waiting or self._newest)

    def make_way(self) -> None:
        """Stop the jobs that give way: a person is about to submit one of their own, and must not
        wait behind them."""
        for handle in self.jobs:
            if handle.gives_way:
                self.stop(handle)

    def stop_all(self) -> None:
        """Stop every job and drop every request."""
        for handle in self.jobs:
            self.stop(handle)
        for key in list(self._newest):
            self.forget(key)

    def shutdown(self, timeout_seconds: float = 5.0) -> bool:
        """Stop everything and end the thread. Callable twice; no callback comes any more.

        Returns:
            Whether the thread ended in time. If not, it is inside one long operation.
        """
        self._closed = True
        self._pulse.stop()
        for handle in self.jobs:
            handle.discard()
        self.stop_all()
        if self._worker.thread.ident is None:
            return True  # never started
        ended = self._worker.quit(timeout_seconds)
        self._read_mail()
        return ended

    # ---------------------------------------------------- called by JobHandle, on the GUI thread
    def stop(self, handle: JobHandle) -> None:
        """See JobHandle.stop."""
        if handle.state in ENDED:
            return
        self._set_state(handle, JobState.STOPPING)
        if self._worker.stop(handle):  # it had not begun: nothing is coming from the worker
            self.post("cancelled", handle)

    def pause(self, handle: JobHandle) -> None:
        """See JobHandle.pause."""
        if handle.state in (JobState.QUEUED, JobState.RUNNING) and not handle.pause_asked:
            self._worker.pause(handle, True)
            self._set_state(handle, JobState.PAUSING)

    def resume(self, handle: JobHandle) -> None:
        """See JobHandle.resume."""
        if handle.state in (JobState.PAUSING, JobState.PAUSED):
            self._worker.pause(handle, False)
            handle.forget_rate()
            innermost = handle is self.running
            self._set_state(handle, JobState.RUNNING if innermost else JobState.QUEUED)

    # -------------------------------------------------------------------- the mail, GUI thread
    def _start_thread(self) -> None:
        if self._worker.thread.ident is None:
            sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
            torch_library.open_when_imported()
            self._worker.thread.start()

    def _drop(self, handle: JobHandle) -> JobHandle:
        """End work that came after the shutdown, without a word to it."""
        handle.muted = True
        handle.release()
        self._set_state(handle, JobState.CANCELLED)
        return handle

    def _set_state(self, handle: JobHandle, state: JobState) -> None:
        if handle.state is not state and handle.state not in ENDED:
            handle.state = state
            self.state_changed.emit(handle)

    def _call(self, callback: Callable[..., None], *args: Any) -> None:
        """Call a tab's callback; its error is reported, and does not stop the mail."""
        try:
            callback(*args)
        except Exception:
            sys.excepthook(*sys.exc_info())

    @Slot()
    def _read_news(self) -> None:
        if not self._pulse.isActive() and not self._closed:
            self._pulse.start()
            self._beat()

    @Slot()
    def _beat(self) -> None:
        """Deliver the newest progress and snapshot of each job; rest once there is none."""
        self._announced = False  # cleared before looking, so that nothing slips through between
        self._read_mail()
        found = False
        for handle in tuple(self._active):
            found |= self._deliver_news(handle)
        if not found and not self._announced:
            self._pulse.stop()

    def _deliver_news(self, handle: JobHandle) -> bool:
        found = handle.take_progress()
        if found and not handle.stop_asked:
            self.job_progress.emit(handle)
        snapshot, handle.new_snapshot = handle.new_snapshot, None
        if snapshot is not None and not handle.stop_asked:
            self._call(handle.on_snapshot, snapshot[0])
        return found or snapshot is not None

    @Slot()
    def _read_mail(self) -> None:
        while self._inbox:
            kind, handle, payload = self._inbox.popleft()
            if kind == "started":
                self._waiting.remove(handle)
                self._active.append(handle)
                if not handle.stop_asked:
                    waits = handle.pause_asked
                    self._set_state(handle, JobState.PAUSING if waits else JobState.RUNNING)
                self.job_started.emit(handle)
            elif kind == "paused":
                if handle.pause_asked and not handle.stop_asked:
                    self._set_state(handle, JobState.PAUSED)
            elif kind == "resumed":
                if not handle.pause_asked and not handle.stop_asked:
                    self._set_state(handle, JobState.RUNNING)
            else:
                self._finish(kind, handle, payload)

    def _finish(self, kind: str, handle: JobHandle, payload: Any) -> None:
        """The end of a piece of work: its last snapshot, then how it ended."""
        if handle in self._active:
            self._deliver_news(handle)
            self._active.remove(handle)
            if self._active:
                self._active[-1].forget_rate()  # it waited: that time is no part of its rate
        elif handle in self._waiting:
            self._waiting.remove(handle)
        if handle.key is not None and self._newest.get(handle.key[0]) is handle:
            del self._newest[handle.key[0]]
        if kind == "failed" and handle.stop_asked and not payload.expected:
            log.error("%s failed while it was being stopped.\n%s", handle.title, payload.details)
        state = JobState.CANCELLED if handle.stop_asked else JobState(kind)
        on_result, on_error, on_cancelled = handle.on_result, handle.on_error, handle.on_cancelled
        handle.release()
        if state is JobState.FAILED:
            handle.failure = payload
        self._set_state(handle, state)
        if state is JobState.FINISHED:
            self._call(on_result, payload)
        elif state is JobState.FAILED:
            self._call(on_error, payload)
            if not (payload.expected and on_error):
                self.failed_unhandled.emit(payload)
        elif not handle.muted:
            self._call(on_cancelled, handle)
        if handle.key is None:
            signal = {
                JobState.FINISHED: self.job_finished,
                JobState.FAILED: self.job_failed,
                JobState.CANCELLED: self.job_cancelled,
            }[state]
            signal.emit(handle)

    # -------------------------------------------------------------- called by the compute thread
    def announce(self) -> None:
        """There is progress or a snapshot to see. Wakes the GUI thread if it doesn't know."""
        if not self._announced:
            self._announced = True
            with contextlib.suppress(RuntimeError):  # deleted, after a shutdown out of time
                self._news.emit()

    def post(self, kind: str, handle: JobHandle, payload: Any = None) -> None:
        """Something that must arrive: a start, a pause, an end."""
        self._inbox.append((kind, handle, payload))
        with contextlib.suppress(RuntimeError):
            self._mail.emit()
