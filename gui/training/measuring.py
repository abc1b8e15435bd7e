"""Measuring this computer while a person thinks: the newest wish, once all is calm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.job_handle import Failure, JobHandle
from gui.lab import Lab

CALM_MS = 350
"""Settings must have stood still for so long before they are measured."""


class Measuring(QObject):
    """Measures what was wished for last, while nothing else is at work. Derived classes wish
    (``_wish_for``) and keep what comes of it (``_keep``, ``_keep_guess``)."""

    changed = Signal()
    """More is known."""
    started = Signal()
    """The clock was started."""

    def __init__(
        self, lab: Lab, measure: Callable[..., Any], parent: QObject | None = None
    ) -> None:
        """
        Args:
            lab: whose compute thread measures.
            measure: takes a wish and ``job``; what it publishes are first guesses.
            parent: the object that owns it.
        """
        super().__init__(parent)
        self._lab, self._work = lab, measure
        self._wish: object = None
        self._job: JobHandle | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(CALM_MS)
        self._timer.timeout.connect(self._measure)
        for signal in (lab.compute.job_finished, lab.compute.job_cancelled, lab.compute.job_failed):
            signal.connect(self._idle_again)

    @property
    def measuring(self) -> bool:
        """Whether the clock is running."""
        return self._job is not None

    def rest(self) -> None:
        """Measure nothing: something better is about to run."""
        self._wish_for(None)
        if self._job is not None:
            self._job.discard()
            self._job = None

    def _wish_for(self, wish: object) -> None:
        """Measure this soon; None forgets wishes before."""
        self._wish = wish
        self._timer.stop()
        if wish is not None:
            self._timer.start()

    @Slot()
    def _idle_again(self, _: object = None) -> None:
        if self._wish is not None:
            self._timer.start()

    @Slot()
    def _measure(self) -> None:
        if self._wish is None or self._job is not None or self._lab.compute.jobs:
            return  # tried again when the compute thread is idle
        wish, self._wish = self._wish, None
        self._job = self._lab.compute.submit(
            self._work,
            wish,
            title="Measuring this computer",
            gives_way=True,
            on_snapshot=self._guessed,
            on_result=self._learned,
            on_error=self._failed,
            on_cancelled=self._failed,
        )
        self.started.emit()

    def _keep(self, result: Any) -> None:
        """Take over what was measured."""
        raise NotImplementedError

    def _keep_guess(self, result: Any) -> None:
        """Take over a first guess; none is kept here."""

    @Slot(object)
    def _guessed(self, result: Any) -> None:
        self._keep_guess(result)
        self.changed.emit()

    @Slot(object)
    def _learned(self, result: Any) -> None:
        self._job = None
        self._keep(result)
        self.changed.emit()

    @Slot(object)
    def _failed(self, _: Failure | JobHandle) -> None:
        """Then there is no estimate; Start says what is wrong."""
        self._job = None
