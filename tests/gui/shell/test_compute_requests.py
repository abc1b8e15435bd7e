"""The compute thread: requests, lifetimes, the end."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread, Slot

from engine.errors import LabError
from engine.jobs import Job
from gui.compute import ComputeThread
from gui.job_handle import JobState
from tests.gui.conftest import WAIT_MS, flush_deletes
from tests.gui.shell.compute_probes import Log, Steps, ended, where

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
