"""Finds what makes the window stall: set NEXT_TOKEN_LAB_WATCHDOG to a number of milliseconds.

Whenever the event loop has not come round for that long, the GUI thread's stack is written to
the log (and so to standard error, where that is where the log goes), once a stall.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback

from PySide6.QtCore import QObject, Qt, QTimer, Slot

VARIABLE = "NEXT_TOKEN_LAB_WATCHDOG"
HEARTBEAT_MS = 5

log = logging.getLogger(__name__)


class StallWatchdog(QObject):
    """A heartbeat on the GUI thread, and a thread that listens for it."""

    def __init__(self, limit_ms: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._limit = limit_ms / 1000
        self._gui_thread = threading.get_ident()
        self._last = time.perf_counter()
        self._end = threading.Event()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(HEARTBEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._thread = threading.Thread(target=self._listen, name="stall-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._timer.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop listening. Callable twice."""
        self._timer.stop()
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    @Slot()
    def _beat(self) -> None:
        self._last = time.perf_counter()

    def _listen(self) -> None:
        told = 0.0
        while not self._end.wait(self._limit / 4):
            last = self._last
            silent = time.perf_counter() - last
            if silent > self._limit and last != told:
                told = last
                frame = sys._current_frames().get(self._gui_thread)
                stack = "".join(traceback.format_stack(frame)) if frame else "(no Python frame)"
                log.warning("The window has stalled for %.0f ms at\n%s", silent * 1000, stack)


def from_environment(parent: QObject) -> StallWatchdog | None:
    """The watchdog that the environment asks for, started; None if it asks for none."""
    wish = os.environ.get(VARIABLE, "")
    try:
        limit = float(wish)
    except ValueError:
        return None
    if not limit > 0:
        return None
    watchdog = StallWatchdog(limit, parent)
    watchdog.start()
    return watchdog
