"""The error sink: every way in, one way out; hooks taken and given back; crash reports."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal, qWarning

from engine.errors import LabError
from gui import crash
from gui.crash import CrashFile, delete_reports, last_crash, read_report
from gui.errors import LOG_FILE, ErrorSink, Report
from gui.job_handle import Failure
from tests.gui.conftest import WAIT_MS


@pytest.fixture
def sink(qapp: Any, tmp_path: Path) -> Iterator[ErrorSink]:
    made = ErrorSink()
    made.install(tmp_path)
    yield made
    made.uninstall()


@pytest.fixture
def reports(sink: ErrorSink) -> list[Report]:
    got: list[Report] = []
    sink.reported.connect(got.append)
    return got


@pytest.fixture
def wait(qtbot: Any, reports: list[Report]) -> Callable[[int], None]:
    def until(n: int) -> None:
        qtbot.waitUntil(lambda: len(reports) >= n, timeout=WAIT_MS)

    return until


class Sender(QObject):
    go = Signal()

    def fail(self) -> None:
        raise ZeroDivisionError("in a slot")


def test_an_exception_in_a_slot_is_reported_with_its_traceback(
    sink: ErrorSink, reports: list[Report], wait: Any, expect_log: Any, tmp_path: Path
) -> None:
    expect_log("ZeroDivisionError: in a slot")
    sender = Sender()
    sender.go.connect(sender.fail)
    sender.go.emit()
    wait(1)
    assert reports[0].sentence.endswith("ZeroDivisionError: in a slot")
    assert "in fail" in reports[0].details
    written = (tmp_path / LOG_FILE).read_text(encoding="utf-8")
    assert "ERROR" in written and "in fail" in written


def test_an_exception_in_a_thread_is_reported(
    reports: list[Report], wait: Any, expect_log: Any
) -> None:
    expect_log("KeyError: 'lost'")

    def fail() -> None:
        raise KeyError("lost")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    wait(1)
    assert "in fail" in reports[0].details


def test_a_lab_error_is_shown_in_its_own_words(
    sink: ErrorSink, reports: list[Report], wait: Any, expect_log: Any
) -> None:
    expect_log("The file is empty")
    sink.report_exception(LabError("The file is empty. Choose another."))
    wait(1)
    assert reports[0].sentence == "The file is empty. Choose another."


def test_an_error_record_of_anyones_is_shown(
    sink: ErrorSink, reports: list[Report], wait: Any, expect_log: Any
) -> None:
    expect_log("disk full")
    try:
        raise OSError("no space")
    except OSError:
        logging.getLogger("engine.somewhere").exception("disk full\nmore")
    wait(1)
    assert reports[0].sentence == "disk full"
    assert "no space" in reports[0].details


def test_failures_of_work_are_shown(
    sink: ErrorSink, reports: list[Report], wait: Any, expect_log: Any
) -> None:
    expect_log("Training was ended")
    sink.report_failure(Failure.of(RuntimeError("boom"), "Training"))
    wait(1)
    assert reports[0].sentence == "Training was ended by an error: RuntimeError: boom"


def test_warnings_of_qt_and_python_are_logged_and_not_shown(
    sink: ErrorSink, reports: list[Report], expect_log: Any, qapp: Any, tmp_path: Path
) -> None:
    expect_log("WARNING lab.qt: something odd")
    expect_log("WARNING py.warnings: .*old ways")
    qWarning("something odd")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # catch_warnings puts the plain showwarning back; capturing is what is tested
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old ways", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    qapp.processEvents()
    assert reports == []
    written = (tmp_path / LOG_FILE).read_text(encoding="utf-8")
    assert "something odd" in written and "old ways" in written


def test_an_error_in_a_destructor_is_logged_and_not_shown(
    sink: ErrorSink, reports: list[Report], expect_log: Any, qapp: Any
) -> None:
    expect_log("lab.unraisable: .*\n(.*\n)*ValueError: too late")

    class Dying:
        def __del__(self) -> None:
            raise ValueError("too late")

    dying = Dying()
    del dying
    qapp.processEvents()
    assert reports == []


def test_text_that_is_no_text_is_logged_all_the_same(
    sink: ErrorSink, reports: list[Report], wait: Any, expect_log: Any, tmp_path: Path
) -> None:
    expect_log("lone")
    sink.report("lone \ud800 surrogate", "\x00\n\ud801")
    wait(1)
    assert "lone" in (tmp_path / LOG_FILE).read_text(encoding="utf-8")


def test_hooks_are_given_back_as_they_were(qapp: Any, tmp_path: Path) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    handlers = list(logging.getLogger().handlers)
    sink = ErrorSink()
    sink.install(tmp_path)
    sink.install(tmp_path)
    assert sys.excepthook == sink._on_exception
    sink.uninstall()
    sink.uninstall()
    assert before == (sys.excepthook, threading.excepthook, sys.unraisablehook)
    assert logging.getLogger().handlers == handlers


def test_hooks_that_pyqtgraph_took_are_claimed_back(sink: ErrorSink) -> None:
    from pyqtgraph import exceptionHandling

    handler = exceptionHandling.ExceptionHandler()
    assert sys.excepthook == handler.sys_excepthook
    sink.claim_hooks()
    assert sys.excepthook == sink._on_exception
    assert threading.excepthook == sink._on_thread_exception
    exceptionHandling.handler.remove()


def test_a_folder_that_cannot_be_written_is_no_reason_not_to_start(
    qapp: Any, tmp_path: Path, expect_log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log("cannot be written")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    sink = ErrorSink()

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(logging.handlers, "RotatingFileHandler", refuse)
    sink.install(blocked)
    sink.uninstall()


# -------------------------------------------------------------------------------------- crashes


def test_a_crash_is_found_by_the_next_process(tmp_path: Path) -> None:
    code = (
        "import sys, os, pathlib\nfrom gui.crash import CrashFile\n"
        "CrashFile(pathlib.Path(sys.argv[1])).enable()\n"
        "def the_guilty_one(): os.abort()\nthe_guilty_one()"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False, timeout=60
    )
    assert done.returncode != 0
    path = last_crash(tmp_path)
    assert path is not None and "the_guilty_one" in read_report(path)
    delete_reports(tmp_path)
    assert last_crash(tmp_path) is None and not list(tmp_path.iterdir())


def test_a_process_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    file = CrashFile(tmp_path)
    file.enable()
    assert file.path.exists()
    assert last_crash(tmp_path) is None  # ours, and we live
    file.disable()
    file.disable()
    assert not list(tmp_path.iterdir())


def test_empty_files_of_the_dead_are_cleared_and_strange_names_left(tmp_path: Path) -> None:
    dead = 2**22 + 1  # above Linux's largest process id
    (tmp_path / f"crash-{dead}-1.txt").write_text("")
    (tmp_path / "crash-notes.txt").write_text("mine")
    older, newer = tmp_path / f"crash-{dead}-2.txt", tmp_path / f"crash-{dead}-3.txt"
    import os

    for age, path in ((100, older), (200, newer)):
        path.write_text("Fatal Python error")
        os.utime(path, (age, age))
    assert last_crash(tmp_path) == newer
    assert not (tmp_path / f"crash-{dead}-1.txt").exists()
    assert (tmp_path / "crash-notes.txt").exists()


def test_a_report_is_read_within_bounds_and_never_raises(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"\xff" * (crash.LARGEST_REPORT * 2))
    assert len(read_report(path)) <= crash.LARGEST_REPORT
    assert "could not be read" in read_report(tmp_path / "gone")
