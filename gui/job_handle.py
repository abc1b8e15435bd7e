"""What the window holds of a piece of work that the compute thread does for it."""

from __future__ import annotations

import enum
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject

from engine.errors import LabError

if TYPE_CHECKING:
    from gui.compute import ComputeThread


class JobState(enum.Enum):
    """Where a piece of work stands, as the GUI thread sees it."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSING = "pausing"  # asked to pause, not yet at a yield point
    PAUSED = "paused"
    STOPPING = "stopping"  # asked to stop, not yet unwound; nothing but the end is delivered
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.FINISHED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True)
class Failure:
    """An exception that ended a piece of work, as words. Holds no frames and so no tensors."""

    sentence: str
    """What the learner reads."""
    details: str
    """The traceback."""
    expected: bool
    """True for a LabError: something the learner can mend, shown in place."""

    @staticmethod
    def of(error: BaseException, title: str) -> Failure:
        """Put an exception into words; ``title`` says what was being done."""
        details = "".join(traceback.format_exception(error))
        if isinstance(error, LabError):
            return Failure(str(error), details, expected=True)
        if isinstance(error, MemoryError) or "not enough memory" in str(error):
            sentence = f"{title}: there was not enough memory. Try a smaller model or text."
        else:
            lines = str(error).strip().splitlines()
            what = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
            sentence = f"{title} was ended by an error: {what}"
        return Failure(sentence, details, expected=False)


class Callback:
    """Something to call when news arrives. A bound method does not keep its widget alive."""

    def __init__(self, function: Callable[..., Any] | None) -> None:
        self._method: weakref.WeakMethod[Any] | None = None
        self._function: Callable[..., Any] | None = None
        if isinstance(getattr(function, "__self__", None), QObject):
            try:
                self._method = weakref.WeakMethod(function)
                return
            except TypeError:  # a method of Qt's own, such as a signal's emit
                pass
        self._function = function

    def __bool__(self) -> bool:
        return self._function is not None or self._method is not None

    def __call__(self, *args: Any) -> None:
        """Call it, unless its object is gone (deleted by Qt or by Python)."""
        function = self._function
        if self._method is not None:
            function = self._method()
            if function is None or not shiboken6.isValid(function.__self__):
                return
        if function is not None:
            function(*args)


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is."""

    done: float = 0.0
    total: float | None = None
    message: str = ""


class JobHandle:
    """One piece of work. Made by ComputeThread; all its methods belong to the GUI thread."""

    def __init__(
        self,
        owner: ComputeThread,
        work: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        title: str,
        unit: str = "",
        urgent: bool = False,
        with_job: bool,
        key: tuple[object] | None = None,
    ) -> None:
        self.title = title
        self.unit = unit
        self.urgent = urgent
        self.key = key
        """The key of a request, in a tuple; None for a job."""
        self.state = JobState.QUEUED
        self.progress = Progress()
        self.latest: Any = None
        """The newest snapshot published, delivered or not. None before the first."""
        self.failure: Failure | None = None
        self._owner = owner
        self.with_job = with_job
        self.gives_way = False
        """Whether it is stopped when a person's own job is to begin."""
        self.work: Callable[..., Any] | None = work
        self.args, self.kwargs = args, kwargs
        self.listen()
        # Flags that the GUI thread sets under the worker's lock and the compute thread obeys.
        self.stop_asked = False
        self.pause_asked = False
        self.pause_told = False
        self.muted = False
        # Mail from the compute thread, the newest only. Plain attributes: each is written by
        # one thread and read by the other, which the interpreter makes atomic.
        self.new_progress: tuple[float, float, float | None, str] | None = None
        self.new_snapshot: tuple[Any] | None = None
        self._samples: deque[tuple[float, float]] = deque(maxlen=128)

    def listen(
        self,
        on_result: Callable[[Any], Any] | None = None,
        on_error: Callable[[Failure], Any] | None = None,
        on_snapshot: Callable[[Any], Any] | None = None,
        on_cancelled: Callable[[JobHandle], Any] | None = None,
    ) -> None:
        """Set what is called, on the GUI thread, with its news."""
        self.on_result, self.on_error = Callback(on_result), Callback(on_error)
        self.on_snapshot, self.on_cancelled = Callback(on_snapshot), Callback(on_cancelled)

    # ------------------------------------------------------------------ what a tab does with it
    def stop(self) -> None:
        """Ask for the end. From now on no snapshot, result or error is delivered; on_cancelled
        follows when the work has let go of everything. Does nothing once it has ended."""
        self._owner.stop(self)

    def discard(self) -> None:
        """Like stop, and nothing at all is delivered to this handle from now on."""
        self.muted = True
        self._owner.stop(self)

    def pause(self) -> None:
        """Wait at the next yield point. Requests and queued jobs run in the meantime."""
        self._owner.pause(self)

    def resume(self) -> None:
        """Go on after pause."""
        self._owner.resume(self)

    @property
    def ended(self) -> bool:
        """Whether it has finished, failed or been cancelled."""
        return self.state in ENDED

    @property
    def fraction(self) -> float | None:
        """Share of the work done, 0 … 1, or None where the total is not known."""
        p = self.progress
        if not p.total or p.total <= 0:
            return None
        return min(1.0, max(0.0, p.done / p.total))

    @property
    def rate(self) -> float | None:
        """Units of work a second over the last seconds, or None before it can be told."""
        if len(self._samples) < 2:
            return None
        (t0, d0), (t1, d1) = self._samples[0], self._samples[-1]
        return (d1 - d0) / (t1 - t0) if t1 > t0 and d1 > d0 else None

    @property
    def seconds_left(self) -> float | None:
        """At the present rate, or None where it cannot be told."""
        rate, p = self.rate, self.progress
        if rate is None or p.total is None:
            return None
        return max(0.0, (p.total - p.done) / rate)

    # ------------------------------------------------------------------- what ComputeThread does
    def take_progress(self) -> bool:
        """Adopt the newest progress. Returns whether there was any."""
        news, self.new_progress = self.new_progress, None
        if news is None:
            return False
        when, done, total, message = news
        before = self.progress
        if message != before.message or total != before.total or done < before.done:
            self._samples.clear()  # another phase, with a rate of its own
        self.progress = Progress(done, total, message)
        while self._samples and when - self._samples[0][0] > RATE_WINDOW_SECONDS:
            self._samples.popleft()
        self._samples.append((when, done))
        return True

    def forget_rate(self) -> None:
        """After a pause: time spent waiting is no part of the rate."""
        self._samples.clear()

    def release(self) -> None:
        """Let go of the function and its arguments, so that an ended handle holds no model."""
        self.work, self.args, self.kwargs = None, (), {}
        self.listen()


RATE_WINDOW_SECONDS = 5.0
clock = time.perf_counter
