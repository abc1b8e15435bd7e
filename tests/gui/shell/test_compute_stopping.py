"""The compute thread: stopping, discarding, pausing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from engine.errors import LabError
from engine.jobs import Job, JobCancelled
from gui.compute import ComputeThread
from gui.job_handle import JobState
from tests.gui.conftest import WAIT_MS
from tests.gui.shell.compute_probes import Log, Steps, ended, where
from tests.gui.shell.helpers import endless

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
