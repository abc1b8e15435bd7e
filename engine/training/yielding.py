"""Yield points inside a training step, so that a large model lets short requests pass too.

A step of a few million parameters takes longer than a person should wait for an answer. It is
not cut into smaller ones, which would change the sums: between two blocks of the network, on the
way forward and on the way back, the job is asked whether something waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from engine.jobs import NO_JOB, Job
from engine.models.transformer.module import Transformer
from engine.models.transformer.products import usual_products


class BlockYields:
    """Calls a job's yield point after each block of a transformer on the way forward and before
    it on the way back, only ``within``.

    What is done at a yield point may train other networks, and see this one, whose parameters
    are those of the last whole step. On the processor only: on a GPU the way back is walked by
    another thread, and steps are short.
    """

    def __init__(self, module: Transformer) -> None:
        self._job: Job | None = None
        self.away_seconds = 0.0
        """How long the yield points since the last ``within`` began took."""
        for block in module.blocks:
            block.register_forward_hook(self._after_block)

    @contextmanager
    def within(self, job: Job) -> Iterator[None]:
        """Let this job's yield points be called.

        Raises:
            JobCancelled: at one of them.
        """
        self._job, self.away_seconds = None if job is NO_JOB else job, 0.0
        try:
            yield
        finally:
            self._job = None

    def _after_block(self, block: Any, inputs: Any, output: Tensor) -> None:
        if self._job is None or output.device.type != "cpu":
            return
        self.breathe()
        if output.requires_grad:
            output.register_hook(self._before_block)  # type: ignore[no-untyped-call]

    def _before_block(self, gradient: Tensor) -> None:
        self.breathe()

    def breathe(self) -> None:
        """A yield point, if there is a job to have one.

        Raises:
            JobCancelled: if the work was asked to stop.
        """
        if self._job is None:
            return
        job, began, threads = self._job, time.perf_counter(), torch.get_num_threads()
        self._job = None  # what is let in may call this very network, to sample from it
        try:
            with usual_products():
                job.yield_point()
        finally:
            self._job = job
            self.away_seconds += time.perf_counter() - began
            if torch.get_num_threads() != threads:  # the sums' order depends on it
                torch.set_num_threads(threads)
