"""The whole app without a screen: a home of its own, and a way to wait for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from gui.application import Application
from gui.places import HOME_VARIABLE
from gui.tabs import TABS

POLL_MS = 20
_TURNS = 40


class TookTooLongError(Exception):
    """What was waited for did not come."""


@contextmanager
def running_app() -> Iterator[Application]:
    """The app as a person would have it on a first start, shut down properly at the end.

    Preferences, logs and crash reports of the person's own are neither read nor written.
    """
    before = os.environ.get(HOME_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="next-token-lab-") as folder:
        os.environ[HOME_VARIABLE] = str(Path(folder))
        app = QApplication.instance() or QApplication(["next-token-lab"])
        assert isinstance(app, QApplication)
        application = Application(app, TABS)
        try:
            application.start()
            wait_until(lambda: application.lab.ngram is not None, 60, "the first text")
            yield application
        finally:
            application.close()
            application.dismantle()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
            if before is None:
                del os.environ[HOME_VARIABLE]
            else:
                os.environ[HOME_VARIABLE] = before


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Let the event loop run until something is so.

    Raises:
        TookTooLongError: if it is not after that many seconds.
    """
    clock = QElapsedTimer()
    clock.start()
    loop = QEventLoop()
    poll = QTimer()

    def look() -> None:
        if done() or clock.elapsed() > 1000 * seconds:
            loop.quit()

    poll.timeout.connect(look)
    poll.start(POLL_MS)
    look()
    if not done():
        loop.exec()
    poll.stop()
    if not done():
        raise TookTooLongError(f"{what}: not there after {seconds:g} seconds")


def settle(application: Application, seconds: float = 60) -> None:
    """Wait until nothing is being computed and all that was asked for is on screen."""
    compute = application.compute
    wait_until(lambda: compute.idle, seconds, "a quiet compute thread")
    for _ in range(_TURNS):  # long curves are drawn in several
        QCoreApplication.processEvents()
