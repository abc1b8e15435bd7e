"""A widget's long work: started, stopped, dropped, and what was bet on its outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QPushButton

from gui.compute import ComputeThread
from gui.job_handle import Failure, JobHandle
from gui.widgets.prediction_card import PredictionCard


class Work(QObject):
    """One job at a time. A job started while another runs takes its place; what is dropped says
    nothing any more."""

    came = Signal(object)
    """A result so far; the last one is the whole result."""
    finished = Signal(object)
    """The whole result, after ``came`` has brought it too."""
    failed = Signal(str)
    """Why there is no result, in a sentence."""
    stopped = Signal()
    """It was stopped by hand; what came before stays."""
    changed = Signal()
    """It began or ended."""

    def __init__(self, compute: ComputeThread, stop: QPushButton, parent: QObject) -> None:
        """
        Args:
            compute: the thread that does the work.
            stop: the button that stops it; it can be pressed while something runs.
        """
        super().__init__(parent)
        self._compute, self._stop = compute, stop
        self._job: JobHandle | None = None
        stop.setEnabled(False)
        stop.clicked.connect(self.stop)

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self._job is not None

    def start(self, function: Callable[..., Any], *args: Any, title: str, unit: str = "") -> None:
        """Do this, in place of what runs.

        Args:
            function: called on the compute thread with ``args`` and a job; publishes results so
                far, returns the whole result.
            title: what is done, for the status bar.
            unit: what its progress is counted in.
        """
        if self._job is not None:
            self._job.discard()
        self._job = self._compute.submit(
            function,
            *args,
            title=title,
            unit=unit,
            on_snapshot=self.came.emit,
            on_result=self._ended,
            on_error=self._ended_by_error,
            on_cancelled=self._ended_by_hand,
        )
        self._told()

    def drop(self) -> None:
        """End what runs, and hear nothing of it."""
        if self._job is not None:
            self._job.discard()
            self._job = None
            self._told()

    @Slot()
    def stop(self) -> None:
        """Ask for the end of what runs."""
        if self._job is not None:
            self._job.stop()

    def _told(self) -> None:
        self._stop.setEnabled(self.running)
        self.changed.emit()

    @Slot(object)
    def _ended(self, result: object) -> None:
        self._job = None
        self.came.emit(result)
        self.finished.emit(result)
        self._told()

    @Slot(object)
    def _ended_by_error(self, failure: Failure) -> None:
        self._job = None
        self.failed.emit(failure.sentence)
        self._told()

    @Slot(object)
    def _ended_by_hand(self, _: JobHandle) -> None:
        self._job = None
        self.stopped.emit()
        self._told()


class Bet(QObject):
    """A question before a page's work. Locking an answer in, skipping it or pressing the page's
    own button starts the work; its result judges."""

    wanted = Signal()
    """Start the work now."""

    def __init__(self, start: QPushButton, parent: QObject) -> None:
        """
        Args:
            start: the page's button that starts the work; an unanswered question is skipped.
        """
        super().__init__(parent)
        self.card = PredictionCard()
        self._asked: tuple[str, tuple[str, ...]] = ("", ())
        self._start = start
        start.clicked.connect(self._pressed)
        for signal in (self.card.locked, self.card.skipped):
            signal.connect(self._go)
        self._mark()

    def ask(self, question: str, choices: Sequence[str]) -> None:
        """Ask, unless exactly this is being asked already."""
        if (question, tuple(choices)) == self._asked and self.card.state == "asking":
            return
        self._asked = question, tuple(choices)
        self._ask()

    def again(self) -> None:
        """Ask the same anew: the work ended without a result, or is to be done anew."""
        if self._asked[1] and self.card.state != "asking":
            self._ask()

    def _ask(self) -> None:
        self.card.ask(*self._asked)
        self._mark()

    def withdraw(self) -> None:
        """There is nothing to ask now."""
        self._asked = "", ()
        self.card.hide()
        self._mark()

    def judge(self, right: Sequence[int], why: str) -> None:
        """Tell the answer to who has locked one in.

        Args:
            right: every choice that counts as right.
            why: one or two sentences.
        """
        self.card.reveal(tuple(right), why)

    @Slot()
    def _go(self) -> None:
        self._mark()
        self.wanted.emit()

    @Slot()
    def _pressed(self) -> None:
        if self._asking:
            self.card.skip()  # which says that the work is wanted
        else:
            self.wanted.emit()

    @property
    def _asking(self) -> bool:
        return not self.card.isHidden() and self.card.state == "asking"

    def _mark(self) -> None:
        """One button is to be pressed first: that of the question while there is one."""
        self._start.setProperty("primary", not self._asking)
        self._start.update()
