"""The compute thread: order, snapshots, progress, errors. No test sleeps: work and test meet at
events and signals."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from engine.errors import LabError
from engine.jobs import Job
from gui.compute import ComputeThread
from gui.job_handle import Failure, JobState
from tests.gui.conftest import WAIT_MS
from tests.gui.shell.compute_probes import Log, Steps, ended, where

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
