"""Work for the window's own thread, done a few milliseconds at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakMethod

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Slot

SLICE_MS = 4
"""How long work goes on before the event loop has its turn."""


class Turns(QObject):
    """Does some work soon after it was asked for, in short turns of the event loop.

    However often it is asked for meanwhile, it is done once; what is asked for while it is being
    done is done after it, so that it always comes to an end.
    """

    def __init__(self, steps: Callable[[], Iterator[None]], parent: QObject) -> None:
        """
        Args:
            steps: the work, as steps of at most a millisecond or two; a method of ``parent``.
            parent: the object that owns it.
        """
        super().__init__(parent)
        self._steps = WeakMethod(steps)  # or both would keep each other
        parent.destroyed.connect(self._give_up)  # what is under way holds on to it too
        self._under_way: Iterator[None] | None = None
        self._asked = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    @property
    def waiting(self) -> bool:
        """Whether anything is left to do."""
        return self._timer.isActive()

    def ask(self) -> None:
        """Do the work soon."""
        self._asked = True
        if not self._timer.isActive():
            self._timer.start()

    def do_now(self) -> None:
        """Do all of it at once; work under way is given up for it."""
        self._timer.stop()
        self._under_way, self._asked = None, False
        for _ in self._begun():
            pass

    def _begun(self) -> Iterator[None]:
        steps = self._steps()
        return iter(()) if steps is None else steps()

    @Slot()
    def _give_up(self) -> None:
        self._under_way = None

    @Slot()
    def _turn(self) -> None:
        clock = QElapsedTimer()
        clock.start()
        if self._under_way is None:
            self._under_way, self._asked = self._begun(), False
        for _ in self._under_way:
            if clock.elapsed() >= SLICE_MS:
                self._timer.start()
                return
        self._under_way = None
        if self._asked:
            self._timer.start()
