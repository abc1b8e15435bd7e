"""Puts the app together, runs it, and takes it apart again."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from gui import places, watchdog
from gui.compute import ComputeThread
from gui.crash import CrashFile, last_crash
from gui.errors import ErrorSink
from gui.garbage import GarbageCollector
from gui.job_handle import Failure
from gui.kept_runs import catalogue
from gui.lab import Lab
from gui.lab_bar import LabBar
from gui.main_window import MainWindow
from gui.run_offer import Offer, RunOfferBar, offered
from gui.settings import Preferences, WindowState
from gui.shutdown import Shutdown
from gui.tabs import TABS, TabSpec
from gui.theme import Theme

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""How long closing waits for the running job to reach a yield point."""


class Application(QObject):
    """Everything that lives from start to end, made in order and ended in stages."""

    started = Signal()
    """The window is on screen, its first tab is made, and the corpus is being prepared."""

    def __init__(self, app: QApplication, tabs: Sequence[TabSpec]) -> None:
        super().__init__()
        self._app = app
        app.setApplicationName("Next Token Lab")
        app.setDesktopFileName("next-token-lab")
        # Closing ends the app by itself; a dialog that is closed last must not.
        app.setQuitOnLastWindowClosed(False)
        self.clean = True
        """False if the compute thread could not be ended in time."""

        try:
            self._put_together(tabs)
        except BaseException:
            # Our hooks send errors to a window that never came: give everything back, so that
            # this one is seen.
            self._give_back()
            raise

    def _put_together(self, tabs: Sequence[TabSpec]) -> None:
        app = self._app
        logs, config = places.log_dir(), places.config_dir()
        crash = last_crash(logs)
        self._crash_file = CrashFile(logs)
        self._crash_file.enable()
        self.errors = ErrorSink(self)
        self.errors.install(logs)
        self.preferences = Preferences(config, self)
        self.theme = Theme(app, self.preferences.theme, self.preferences.text_size)
        self.theme.motion = self.preferences.motion
        self.compute = ComputeThread(self)
        self.lab = Lab(self.compute, self.preferences, self.theme, self.errors, self)
        self.window = MainWindow(self.lab, WindowState(config), tabs)
        self.window.set_lab_bar(LabBar(self.lab))
        if crash is not None:
            self.window.offer_crash(crash)
        trouble = places.trouble()
        if trouble is not None:
            self.errors.report(trouble)
        self._garbage = GarbageCollector(self)
        self._garbage.start()
        self._watchdog = watchdog.from_environment(self)
        self._signals = _take_signals(self._on_signal)

        self._shutdown = Shutdown()
        self._shutdown.add("the window is remembered and hidden", self._hide)
        self._shutdown.add("the compute thread is stopped", self._stop_computing)
        self._shutdown.add("the preferences are written", self.preferences.sync)
        self._shutdown.add("the event loop is left", app.quit)
        self.window.closing.connect(self.close)
        app.aboutToQuit.connect(self.close)

    def start(self) -> None:
        """Show the window; the rest follows once it is on screen."""
        self.window.show()
        QTimer.singleShot(0, self._after_show)

    @Slot()
    def _after_show(self) -> None:
        if not self._shutdown.begun:
            self.window.open_first_tab()
            self.lab.restore()
            # Looked for on the compute thread: a slow disk must not delay the window.
            self.compute.request(
                "interrupted runs",
                offered,
                catalogue(),
                title="Looking for interrupted runs",
                on_result=self._offer_runs,
                on_error=self._no_offer,
            )
            self.started.emit()

    @Slot(object)
    def _offer_runs(self, offers: tuple[Offer, ...]) -> None:
        if offers and not self._shutdown.begun:
            self.window.offer_runs(RunOfferBar(catalogue(), offers))

    @Slot(object)
    def _no_offer(self, failure: Failure) -> None:
        log.warning("Interrupted runs could not be looked for: %s", failure.sentence)

    @Slot()
    def close(self) -> None:
        """Begin the way out. Callable at any moment, and again."""
        self._shutdown.run()

    def dismantle(self) -> None:
        """After the event loop: delete the widgets, give back what was taken."""
        self._shutdown.run()
        self._app.aboutToQuit.disconnect(self.close)
        self._give_back()

    def _give_back(self) -> None:
        """Undo what was done so far; what was not begun when the start failed is left alone."""
        have = self.__dict__
        if "_watchdog" in have and self._watchdog is not None:
            self._watchdog.stop()
        if "_garbage" in have:
            self._garbage.stop()
        for number, handler in have.get("_signals", {}).items():
            signal.signal(number, handler)
        for name in ("window", "theme"):
            if name in have:
                have[name].deleteLater()
        self._app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        if "errors" in have:
            self.errors.uninstall()
        if "_crash_file" in have:
            self._crash_file.disable()

    def _hide(self) -> None:
        self.window.remember()
        self.window.hide()

    def _stop_computing(self) -> None:
        self.clean = self.compute.shutdown(STOP_SECONDS)
        if not self.clean:
            log.warning("The running job did not stop in %g s; it is abandoned.", STOP_SECONDS)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Ctrl+C in the terminal, or a polite kill. Python calls this between two slots; the
        garbage collector's timer makes sure that there is one within a second."""
        self.window.close()


def run(tabs: Sequence[TabSpec] | None = None) -> int:
    """Run the app until its window is closed; with the lab's own tabs if none are given.

    Returns:
        The process's exit status.
    """
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    application = Application(app, TABS if tabs is None else tabs)
    try:
        application.start()
        status = app.exec()
    finally:
        application.dismantle()
    if not application.clean:
        # A thread is still inside one long operation. Leaving through Python's exit would
        # pull the interpreter from under it; everything worth keeping is written.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return int(status)


def _take_signals(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Handle SIGINT and SIGTERM; returns what did so before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {n: signal.signal(n, handler) for n in (signal.SIGINT, signal.SIGTERM)}
