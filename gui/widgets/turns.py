"""Work for the window's own thread, done a few milliseconds at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from weakref import WeakMethod

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Slot

SLICE_MS = 3
"""How long work goes on before the event loop has its turn."""
REST = 2.0
"""After work comes a rest of so many times its length: work that is asked for all the time takes at
most a third of the thread's, and what is quickly done is hardly ever put off."""


APART_MS = 25.0
"""Between two plots that show something new."""


class Apart:
    """Moments that lie apart: what plots change at one moment is painted at once, which takes as
    long as all of them together."""

    def __init__(self) -> None:
        self._free = 0.0

    def wait(self) -> float:
        """Take the next moment; how many milliseconds there are until then."""
        now = time.monotonic() * 1000
        moment = max(now, self._free)
        self._free = moment + APART_MS
        return moment - now


PAINTS = Apart()
"""For all plots of the window."""


class Turns(QObject):
    """Does some work soon after it was asked for, in short turns of the event loop.

    However often it is asked for meanwhile, it is done once; what is asked for while it is being
    done is done after it, so that it always comes to an end.
    """

    def __init__(self, steps: Callable[[], Iterator[float | None]], parent: QObject) -> None:
        """
        Args:
            steps: the work, as steps of at most a millisecond or two; a method of ``parent``. A
                number says how many milliseconds are to pass before the next step.
            parent: the object that owns it.
        """
        super().__init__(parent)
        self._steps = WeakMethod(steps)  # or both would keep each other
        parent.destroyed.connect(self._give_up)  # what is under way holds on to it too
        self._under_way: Iterator[float | None] | None = None
        self._asked = False
        self._clock = QElapsedTimer()
        self._clock.start()
        self._spent = self._rests_until = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._turn)

    @property
    def waiting(self) -> bool:
        """Whether anything is left to do."""
        return self._timer.isActive()

    def ask(self) -> None:
        """Do the work soon."""
        self._asked = True
        if self._under_way is None and not self._timer.isActive():
            self._timer.start(max(0, round(self._rests_until - self._now())))

    def do_now(self) -> None:
        """Do all of it at once; work under way is given up for it."""
        self._timer.stop()
        self._under_way, self._asked = None, False
        for _ in self._begun():
            pass

    def _now(self) -> float:
        return self._clock.nsecsElapsed() / 1e6

    def _begun(self) -> Iterator[float | None]:
        steps = self._steps()
        return iter(()) if steps is None else steps()

    @Slot()
    def _give_up(self) -> None:
        self._under_way = None

    @Slot()
    def _turn(self) -> None:
        began = self._now()
        if self._under_way is None:
            self._under_way, self._asked, self._spent = self._begun(), False, 0.0
        try:
            for pause in self._under_way:
                passed = self._now() - began
                if pause or passed >= SLICE_MS:
                    self._spent += passed
                    self._timer.start(math.ceil(pause or 0.0))
                    return
        except BaseException:
            self._under_way = None  # the next one begins anew
            raise
        now = self._now()
        self._under_way = None
        self._rests_until = now + REST * (self._spent + now - began)
        if self._asked:
            self.ask()
