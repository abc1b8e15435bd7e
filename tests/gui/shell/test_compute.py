"""The compute thread: order, priorities, pause, stop, stale results, errors. No test sleeps:
work and test meet at events and signals."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from gui.compute import ComputeThread
from gui.job_handle import Failure, JobHandle, JobState
from tests.gui.conftest import WAIT_MS, flush_deletes
from tests.gui.shell.helpers import endless


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


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def steps() -> Iterator[Steps]:
    work = Steps()
    yield work
    work.finish()


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    def wait(condition: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    return wait


def ended(*handles: JobHandle) -> bool:
    return all(handle.ended for handle in handles)


def where(job: Job) -> int:
    return threading.get_ident()


# ------------------------------------------------------------------------------------- running


def test_a_job_runs_elsewhere_and_its_result_arrives_here(
    compute: ComputeThread, until: Any
) -> None:
    idents: list[int] = []

    def deliver(ident: int) -> None:
        idents.extend([ident, threading.get_ident()])

    handle = compute.submit(where, on_result=deliver)
    until(lambda: handle.ended)
    ran, delivered = idents
    assert ran != delivered == threading.get_ident()
    assert handle.state is JobState.FINISHED


def test_arguments_reach_the_function(compute: ComputeThread, log: Log, until: Any) -> None:
    def work(a: int, *, b: int, job: Job) -> int:
        return a - b

    handle = compute.submit(work, 7, b=2, **log.callbacks)
    plain = compute.submit(divmod, 7, 2, with_job=False, on_result=log.result)
    until(lambda: ended(handle, plain))
    assert log.entries == [("result", 5), ("result", (3, 1))]


def test_jobs_run_one_after_the_other_in_order(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    first = Steps(1)
    begun: list[str] = []

    def follow(name: str, job: Job) -> str:
        begun.append(name)
        return name

    one = compute.submit(first, title="one", on_result=log.result)
    others = [compute.submit(follow, name, on_result=log.result) for name in "abc"]
    first.wait()
    until(lambda: compute.running is one)
    assert begun == []
    assert compute.jobs == [one, *others]
    first.step()
    until(lambda: ended(one, *others))
    assert log.entries == [("result", r) for r in ("done", "a", "b", "c")]
    assert compute.jobs == [] and compute.running is None


def test_signals_tell_of_start_and_end(compute: ComputeThread, qtbot: Any) -> None:
    def fail(job: Job) -> None:
        raise LabError("No.")

    with qtbot.waitSignals(
        [compute.job_started, compute.job_finished], order="strict", timeout=WAIT_MS
    ):
        handle = compute.submit(where)
    with qtbot.waitSignal(compute.job_failed, timeout=WAIT_MS) as blocker:
        handle = compute.submit(fail)
    assert blocker.args == [handle]


# ------------------------------------------------------------------------ snapshots, progress


def test_the_newest_snapshot_wins_and_the_last_is_delivered_before_the_result(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    def work(job: Job) -> str:
        for i in range(10_000):
            job.publish(i)
        return "end"

    handle = compute.submit(work, **log.callbacks)
    until(lambda: ended(handle))
    kinds = [kind for kind, _ in log.entries]
    values = [value for kind, value in log.entries if kind == "snapshot"]
    assert kinds[-1] == "result" and set(kinds[:-1]) == {"snapshot"}
    assert values[-1] == 9_999
    assert values == sorted(set(values))
    assert handle.latest == 9_999


def test_snapshots_come_no_faster_than_the_pulse(qapp: Any, log: Log, qtbot: Any) -> None:
    compute = ComputeThread(interval_ms=3_600_000)  # an hour: only the first beat can happen
    steps = Steps()

    def work(job: Job) -> None:
        for i in range(1000):
            job.publish(i)
            if i in (0, 500):
                steps.reached.release()
                assert steps.go.acquire(timeout=WAIT_MS / 1000)

    handle = compute.submit(work, **log.callbacks)
    steps.wait()
    qtbot.waitUntil(lambda: log.entries == [("snapshot", 0)], timeout=WAIT_MS)
    steps.step()
    steps.wait()
    compute._read_news()  # what the queued news would do
    assert log.entries == [("snapshot", 0)]
    steps.step()
    qtbot.waitUntil(lambda: handle.ended, timeout=WAIT_MS)
    assert log.entries == [("snapshot", 0), ("snapshot", 999), ("result", None)]
    assert compute.shutdown()
    compute.deleteLater()


def test_the_first_snapshot_of_a_second_job_is_not_lost_between_two_beats(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    def publish_and_wait(name: str, job: Job) -> None:
        job.publish(name)
        steps(job)

    steps.n = 1
    for name in ("first", "second", "third"):
        handle = compute.submit(publish_and_wait, name, **log.callbacks)
        steps.wait()
        until(lambda name=name: ("snapshot", name) in log.entries)
        steps.step()
        until(lambda handle=handle: handle.ended)


def test_progress_gives_fraction_rate_and_time_left(
    compute: ComputeThread, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr("gui.worker.clock", lambda: next(ticks))
    steps = Steps()

    def work(job: Job) -> None:
        for done in (0, 30, 50):
            job.progress(done, 100, "Counting")
            steps.reached.release()
            assert steps.go.acquire(timeout=WAIT_MS / 1000)

    handle = compute.submit(work)
    for done in (0, 30, 50):
        steps.wait()
        until(lambda done=done: handle.progress.message and handle.progress.done == done)
        if done < 50:
            steps.step()
    assert handle.fraction == 0.5
    assert handle.rate == pytest.approx(25.0)
    assert handle.seconds_left == pytest.approx(2.0)
    assert handle.progress.message == "Counting"
    steps.finish()
    until(lambda: handle.ended)


def test_without_a_total_there_is_no_fraction(compute: ComputeThread, until: Any) -> None:
    def work(job: Job) -> None:
        job.progress(5, None, "Reading")

    handle = compute.submit(work)
    until(lambda: handle.ended)
    assert handle.progress.done == 5
    assert handle.fraction is None and handle.seconds_left is None


# -------------------------------------------------------------------------------------- errors


def test_a_lab_error_is_shown_as_it_is_where_the_work_was_asked_for(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    unhandled: list[Failure] = []
    compute.failed_unhandled.connect(unhandled.append)

    def work(job: Job) -> None:
        raise LabError("The text is empty. Choose another.")

    handle = compute.submit(work, **log.callbacks)
    silent = compute.submit(work)
    until(lambda: ended(handle, silent))
    assert log.entries == [("error", "The text is empty. Choose another.")]
    assert [f.sentence for f in unhandled] == ["The text is empty. Choose another."]
    assert handle.failure is not None and handle.failure.expected


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes (2, 3)\nand more"), SystemExit(3), KeyError("x"), MemoryError()]
)
def test_any_other_error_reaches_the_bar_with_its_details_and_the_thread_lives_on(
    compute: ComputeThread, log: Log, until: Any, error: BaseException
) -> None:
    unhandled: list[Failure] = []
    compute.failed_unhandled.connect(unhandled.append)

    def work(job: Job) -> None:
        raise error

    handle = compute.submit(work, title="Training", **log.callbacks)
    after = compute.submit(where)
    until(lambda: ended(handle, after))
    (failure,) = unhandled
    assert log.entries == [("error", failure.sentence)]
    assert failure.sentence.startswith("Training") and "\n" not in failure.sentence
    assert "in work" in failure.details and type(error).__name__ in failure.details
    assert after.state is JobState.FINISHED


def test_a_callback_that_fails_is_reported_and_stops_nothing(
    compute: ComputeThread, log: Log, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *args: caught.append(args[1]))

    def broken(_: Any) -> None:
        raise ValueError("a tab's mistake")

    first = compute.submit(where, on_result=broken)
    second = compute.submit(where, on_result=log.result)
    until(lambda: ended(first, second))
    assert [str(e) for e in caught] == ["a tab's mistake"]
    assert len(log.entries) == 1


# ------------------------------------------------------------------------------------ stopping


def test_stop_unwinds_at_the_next_yield_point_and_delivers_only_the_end(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    steps, cleaned = Steps(), threading.Event()

    def work(job: Job) -> str:
        try:
            job.publish("early")
            return steps(job)
        except Exception:  # no bare except in between may swallow a cancellation
            return "swallowed"
        finally:
            cleaned.set()

    handle = compute.submit(work, title="t", **log.callbacks)
    steps.wait()
    until(lambda: log.entries == [("snapshot", "early")])
    handle.stop()
    assert handle.state is JobState.STOPPING  # acknowledged at once
    handle.stop()
    steps.finish()
    until(lambda: handle.ended)
    assert cleaned.is_set() and steps.seen == []
    assert log.entries == [("snapshot", "early"), ("cancelled", "t")]
    assert handle.state is JobState.CANCELLED


def test_a_result_computed_before_stop_but_not_delivered_is_dropped(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    returned = threading.Event()

    def work(job: Job) -> int:
        job.publish("last")
        returned.set()
        return 1

    handle = compute.submit(work, title="t", **log.callbacks)
    barrier = compute.submit(where)  # when this one's thread part is over, the mail lies there
    assert returned.wait(WAIT_MS / 1000)
    handle.stop()
    until(lambda: ended(handle, barrier))
    assert log.entries == [("cancelled", "t")]
    assert handle.latest == "last"  # still to be had by whoever asks


def test_a_waiting_job_that_is_stopped_never_begins(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    begun: list[int] = []

    def never(job: Job) -> None:
        begun.append(1)

    running = compute.submit(steps)
    waiting = compute.submit(never, title="w", on_cancelled=log.cancelled)
    steps.wait()
    waiting.stop()
    until(lambda: waiting.ended)
    running.stop()
    steps.finish()
    until(lambda: running.ended)
    assert begun == [] and log.entries == [("cancelled", "w")]


def test_discard_is_silent(compute: ComputeThread, log: Log, steps: Steps, until: Any) -> None:
    handle = compute.submit(steps, **log.callbacks)
    steps.wait()
    handle.discard()
    steps.finish()
    until(lambda: handle.ended)
    assert log.entries == []


def test_a_wrong_input_that_is_no_longer_wanted_is_not_shouted_about(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    """Typing on stops the question before: what it would have complained of is not logged."""
    steps = Steps()

    def work(job: Job) -> None:
        try:
            steps(job)
        finally:
            raise LabError("This cannot be read.")

    handle = compute.submit(work, title="Odd", **log.callbacks)
    steps.wait()
    handle.stop()
    steps.finish()
    until(lambda: handle.ended)
    assert [entry[0] for entry in log.entries] == ["cancelled"]


def test_an_error_while_unwinding_is_logged_and_the_job_counts_as_cancelled(
    compute: ComputeThread, log: Log, until: Any, expect_log: Callable[[str], None]
) -> None:
    expect_log("ERROR gui.compute: Odd failed while it was being stopped")
    steps = Steps()

    def work(job: Job) -> None:
        try:
            steps(job)
        finally:
            raise RuntimeError("in the clean-up")

    handle = compute.submit(work, title="Odd", **log.callbacks)
    steps.wait()
    handle.stop()
    steps.finish()
    until(lambda: handle.ended)
    assert log.entries == [("cancelled", "Odd")]


def test_work_that_swallows_the_cancellation_is_asked_again(
    compute: ComputeThread, until: Any
) -> None:
    raised: list[int] = []
    steps = Steps(1)

    def stubborn(job: Job) -> None:
        for _ in range(3):
            try:
                steps(job)
            except JobCancelled:
                raised.append(1)

    handle = compute.submit(stubborn)
    steps.wait()
    handle.stop()
    steps.finish()
    until(lambda: handle.ended)
    assert len(raised) == 3 and handle.state is JobState.CANCELLED


# ------------------------------------------------------------------------------------- pausing


def test_pause_holds_the_work_until_resume(compute: ComputeThread, log: Log, until: Any) -> None:
    steps = Steps(2)
    handle = compute.submit(steps, **log.callbacks)
    steps.wait()
    until(lambda: handle.state is JobState.RUNNING)
    handle.pause()
    assert handle.state is JobState.PAUSING
    steps.finish()
    until(lambda: handle.state is JobState.PAUSED)
    assert steps.seen == []
    handle.resume()
    until(lambda: handle.ended)
    assert steps.seen == [0, 1] and log.entries == [("result", "done")]


def test_pausing_again_before_the_work_noticed_is_told_again(
    compute: ComputeThread, until: Any
) -> None:
    handle = compute.submit(endless)
    until(lambda: handle.state is JobState.RUNNING)
    for _ in range(20):
        handle.pause()
        until(lambda: handle.state is JobState.PAUSED)
        handle.resume()  # whether or not the work wakes up between these two
        handle.pause()
        assert handle.state is JobState.PAUSING
        until(lambda: handle.state is JobState.PAUSED)
        handle.resume()
        assert handle.state is JobState.RUNNING
    handle.stop()
    until(lambda: handle.ended)


def test_a_paused_job_lets_requests_and_jobs_pass(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    steps = Steps(1)
    paused = compute.submit(steps, on_result=log.result)
    steps.wait()
    until(lambda: paused.state is JobState.RUNNING)
    paused.pause()
    steps.finish()
    until(lambda: paused.state is JobState.PAUSED)
    request = compute.request("k", lambda: "request", on_result=log.result)
    until(lambda: request.ended)
    inner = Steps(1)
    passing = compute.submit(inner, on_result=log.result)
    inner.wait()
    until(lambda: compute.running is passing)
    assert compute.jobs == [paused, passing]
    paused.resume()
    assert paused.state is JobState.QUEUED  # it goes on when the other has ended
    inner.finish()
    until(lambda: ended(paused, passing))
    assert log.entries == [("result", "request"), ("result", "done"), ("result", "done")]


def test_a_paused_job_can_be_stopped(compute: ComputeThread, steps: Steps, until: Any) -> None:
    handle = compute.submit(steps)
    steps.wait()
    until(lambda: handle.state is JobState.RUNNING)
    handle.pause()
    steps.step()
    until(lambda: handle.state is JobState.PAUSED)
    handle.stop()
    until(lambda: handle.ended)
    assert handle.state is JobState.CANCELLED


def test_an_urgent_job_is_let_in_between_two_steps(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    running = compute.submit(steps, title="long")
    waiting = compute.submit(where, on_result=lambda _: log.result("waiting"))
    steps.wait()
    urgent = compute.submit(where, urgent=True, on_result=lambda _: log.result("urgent"))
    steps.step()
    until(lambda: urgent.ended)
    assert log.entries == [("result", "urgent")] and not running.ended
    running.stop()
    steps.finish()
    until(lambda: ended(running, waiting))
    assert log.entries[-1] == ("result", "waiting")


# ------------------------------------------------------------------------------------ requests


def test_a_request_is_served_between_two_steps_of_the_running_job(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    running = compute.submit(steps)
    steps.wait()
    request = compute.request("bars", where.__call__, None, on_result=log.result)
    assert not request.ended
    steps.step()
    until(lambda: request.ended)
    assert len(log.entries) == 1 and not running.ended
    running.stop()
    steps.finish()
    until(lambda: running.ended)


def test_of_waiting_requests_with_one_key_only_the_newest_is_computed(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    computed: list[str] = []

    def work(name: str) -> str:
        computed.append(name)
        return name

    running = compute.submit(steps)
    steps.wait()
    handles = [compute.request("bars", work, f"bars {i}", on_result=log.result) for i in range(5)]
    other = compute.request("map", work, "map", on_result=log.result)
    last = compute.request("bars", work, "bars 5", on_result=log.result)
    steps.step()
    until(lambda: ended(other, last))
    assert computed == ["bars 5", "map"]  # the newest keeps the place in line of the first
    assert log.entries == [("result", "bars 5"), ("result", "map")]
    running.stop()
    steps.finish()
    until(lambda: ended(running, *handles))
    assert {h.state for h in handles} == {JobState.CANCELLED}


def test_a_request_that_runs_is_ended_by_a_newer_one(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    old = compute.request("bars", steps, with_job=True, on_result=log.result)
    steps.wait()
    new = compute.request("bars", lambda: "new", on_result=log.result)
    steps.finish()
    until(lambda: ended(old, new))
    assert steps.seen == []
    assert log.entries == [("result", "new")]


def test_a_request_computed_but_not_delivered_is_superseded_too(
    compute: ComputeThread, log: Log, until: Any
) -> None:
    computed = threading.Event()

    def work() -> str:
        computed.set()
        return "old"

    old = compute.request("bars", work, on_result=log.result)
    assert computed.wait(WAIT_MS / 1000)
    new = compute.request("bars", lambda: "new", on_result=log.result)
    until(lambda: ended(old, new))
    assert log.entries == [("result", "new")]


def test_forgetting_a_request_drops_it(compute: ComputeThread, log: Log, until: Any) -> None:
    old = compute.request("bars", lambda: 1, on_result=log.result)
    compute.forget("bars")
    compute.forget("never asked")
    until(lambda: old.ended)
    after = compute.request("other", lambda: 2, on_result=log.result)
    until(lambda: after.ended)
    assert log.entries == [("result", 2)]


def test_an_error_in_a_request_is_reported(compute: ComputeThread, log: Log, until: Any) -> None:
    def work() -> None:
        raise LabError("No such token.")

    handle = compute.request("bars", work, on_error=log.error)
    until(lambda: handle.ended)
    assert log.entries == [("error", "No such token.")]


# ------------------------------------------------------------------------- lifetimes, the end


class Receiver(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.got: list[Any] = []

    @Slot(object)
    def take(self, value: Any) -> None:
        self.got.append((value, QThread.currentThread()))


def test_a_receiver_that_was_deleted_is_not_called(
    compute: ComputeThread, steps: Steps, until: Any
) -> None:
    receiver = Receiver()
    steps.n = 1
    got = receiver.got
    handle = compute.submit(steps, on_result=receiver.take)
    steps.wait()
    receiver.deleteLater()
    flush_deletes()
    steps.finish()
    until(lambda: handle.ended)
    assert got == [] and handle.state is JobState.FINISHED


def test_a_handle_that_ended_holds_neither_function_nor_arguments(
    compute: ComputeThread, until: Any
) -> None:
    import gc
    import weakref

    class Model:
        pass

    def work(model: Model, job: Job) -> Model:
        return model

    model = Model()
    alive = weakref.ref(model)
    handle = compute.submit(work, model, on_result=lambda _: None)
    until(lambda: handle.ended)
    del model
    barrier = compute.submit(where)
    until(lambda: barrier.ended)
    gc.collect()
    assert alive() is None


def test_shutdown_stops_running_waiting_and_paused_work_in_silence(
    compute: ComputeThread, log: Log, steps: Steps, until: Any
) -> None:
    paused = compute.submit(steps, **log.callbacks)
    steps.wait()
    until(lambda: paused.state is JobState.RUNNING)
    paused.pause()
    steps.step()
    until(lambda: paused.state is JobState.PAUSED)
    inner = Steps()
    running = compute.submit(inner, **log.callbacks)
    waiting = compute.submit(where, **log.callbacks)
    inner.wait()
    inner.finish()
    assert compute.shutdown(WAIT_MS / 1000)
    assert compute.shutdown(WAIT_MS / 1000)
    assert {h.state for h in (paused, running, waiting)} == {JobState.CANCELLED}
    assert log.entries == [] and compute.jobs == []


def test_work_given_after_shutdown_is_dropped(compute: ComputeThread, log: Log) -> None:
    assert compute.shutdown()
    job = compute.submit(where, **log.callbacks)
    request = compute.request("k", where, None, on_result=log.result)
    assert ended(job, request) and log.entries == []
    job.stop()
    job.pause()
    job.resume()


def test_shutdown_gives_up_on_work_that_has_no_yield_point(qapp: Any) -> None:
    compute = ComputeThread()
    begun, release = threading.Event(), threading.Event()

    def deaf() -> None:
        begun.set()
        release.wait(WAIT_MS / 1000)

    compute.submit(deaf, with_job=False)
    assert begun.wait(WAIT_MS / 1000)
    assert not compute.shutdown(0.0)
    release.set()
    assert compute.shutdown(WAIT_MS / 1000)
    compute.deleteLater()


def test_work_let_in_does_not_inherit_no_grad(compute: ComputeThread, until: Any) -> None:
    torch = pytest.importorskip("torch")
    steps = Steps(1)
    grad: list[Any] = []

    def validation(job: Job) -> None:
        with torch.inference_mode():
            steps(job)
            grad.append(torch.is_grad_enabled())

    def asked() -> None:
        grad.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))

    job = compute.submit(validation)
    steps.wait()
    request = compute.request("one step", asked)
    steps.finish()
    until(lambda: ended(job, request))
    assert grad == [(True, False), False]
