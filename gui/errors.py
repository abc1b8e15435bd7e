"""One sink for everything that goes wrong: slots, threads, Qt's messages, warnings, logging.

All of it becomes a log record. The log file keeps every record; a record of level ERROR or
above also becomes a ``Report``, which the window's error bar shows. Fatal signals are written
by faulthandler to a file of this process's own; the next start finds and offers it
(``gui.crash``).
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
)

from engine.errors import LabError
from engine.jobs import JobCancelled
from gui.job_handle import Failure
from gui.start_failure import LOG_FILE

LOG_BYTES, LOG_BACKUPS = 1_000_000, 3

_shown = logging.getLogger("lab.errors")
_qt = logging.getLogger("lab.qt")

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@dataclass(frozen=True)
class Report:
    """Something that went wrong, for the error bar. Both texts are plain text."""

    sentence: str
    details: str = ""


class ErrorSink(QObject):
    """Sends every report to the window, whichever thread it comes from."""

    reported = Signal(object)
    """A Report, on the GUI thread."""
    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._arrived.connect(self.reported, Qt.ConnectionType.QueuedConnection)
        self._handlers: list[logging.Handler] = []
        self._before: tuple[Any, Any, Any] | None = None
        self._qt_before: Any = None
        self._showing: logging.Handler | None = None

    # ------------------------------------------------------------------------------- reporting
    def report(self, sentence: str, details: str = "") -> None:
        """Show a sentence in the error bar, and log it. From any thread."""
        _shown.error("%s", sentence, extra={"report": Report(sentence, details)})

    def report_failure(self, failure: Failure) -> None:
        """Show what ended a piece of work."""
        self.report(failure.sentence, failure.details)

    def report_exception(self, error: BaseException) -> None:
        """Show an exception that nobody caught."""
        details = "".join(traceback.format_exception(error))
        if isinstance(error, LabError):
            sentence = str(error)
        else:
            lines = str(error).strip().splitlines()
            what = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
            sentence = f"Something went wrong in the lab itself: {what}"
        self.report(sentence, details)

    # ------------------------------------------------------------------ installing and removing
    def install(self, folder: Path) -> None:
        """Take over the hooks and start the log file in ``folder``. Callable twice."""
        if self._before is not None:
            return
        root = logging.getLogger()
        try:
            handler: logging.Handler = logging.handlers.RotatingFileHandler(
                folder / LOG_FILE,
                maxBytes=LOG_BYTES,
                backupCount=LOG_BACKUPS,
                encoding="utf-8",
                errors="backslashreplace",
                delay=True,
            )
        except OSError as error:  # a read-only home is no reason not to start
            handler = logging.StreamHandler()
            handler.addFilter(_AtLeast(logging.WARNING))
            root.warning("The log file cannot be written: %s", error)
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._showing = _Showing(self)
        self._handlers = [handler, self._showing]
        for each in self._handlers:
            root.addHandler(each)
        logging.getLogger("lab").setLevel(logging.INFO)
        logging.getLogger("gui").setLevel(logging.INFO)
        logging.getLogger("engine").setLevel(logging.INFO)
        logging.captureWarnings(True)
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        self.claim_hooks()
        self._qt_before = qInstallMessageHandler(log_qt_message)

    def claim_hooks(self) -> None:
        """Put our exception hooks outermost (again). Parts of pyqtgraph put theirs in front
        when imported, which print and keep frames; call this after importing it."""
        if self._before is not None:
            sys.excepthook = self._on_exception
            threading.excepthook = self._on_thread_exception
            sys.unraisablehook = self._on_unraisable

    def uninstall(self) -> None:
        """Give everything back as it was found. Callable twice."""
        if self._before is None:
            return
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        self._before = None
        qInstallMessageHandler(self._qt_before)
        logging.captureWarnings(False)
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self._handlers = []

    # ------------------------------------------------------------------------------- the hooks
    def _on_exception(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        elif error is not None:
            self.report_exception(error.with_traceback(trace))

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(
            args.exc_value, (SystemExit, JobCancelled)
        ):
            self.report_exception(args.exc_value)

    def _on_unraisable(self, args: Any) -> None:
        """Errors in destructors and C callbacks: no harm the learner could mend, so log only."""
        what = args.err_msg or "Exception ignored in"
        trace = "".join(
            traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
        )
        logging.getLogger("lab.unraisable").warning("%s %r\n%s", what, args.object, trace)


class _Showing(logging.Handler):
    """Turns ERROR records into reports."""

    def __init__(self, sink: ErrorSink) -> None:
        super().__init__(logging.ERROR)
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        report = getattr(record, "report", None)
        if report is None:
            first, _, rest = record.getMessage().partition("\n")
            details = rest
            if record.exc_info and record.exc_info[1] is not None:
                details = "".join(traceback.format_exception(record.exc_info[1]))
            report = Report(first, details)
        try:
            self._sink._arrived.emit(report)
        except RuntimeError:  # the sink is gone; the log file has it
            logging.getLogger().removeHandler(self)


class _Formatter(logging.Formatter):
    """Adds a report's details to its line in the log file."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        report = getattr(record, "report", None)
        return f"{line}\n{report.details.rstrip()}" if report and report.details else line


class _AtLeast(logging.Filter):
    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level


HARMLESS_QT_MESSAGES = (
    "This plugin does not support propagateSizeHints",  # every top-level window, offscreen
    "This plugin does not support raise()",  # offscreen, when a window is brought forward
    "This plugin does not support grabbing the keyboard",  # offscreen, when a menu opens
)
"""Messages of Qt's that say nothing about us; they are logged at DEBUG."""


def log_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    level = _QT_LEVELS.get(kind, logging.WARNING)
    if message.startswith(HARMLESS_QT_MESSAGES):
        level = logging.DEBUG
    _qt.log(level, "%s", message)
