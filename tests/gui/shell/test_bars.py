"""The bars of the window: errors, the last crash, the running job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QPlainTextEdit,
)

from gui.bars import LONGEST_SENTENCE, CrashBar, ErrorBar
from gui.compute import ComputeThread
from gui.errors import Report
from gui.job_handle import JobState
from gui.job_status import JobStatus, duration
from gui.lab import Lab
from gui.main_window import MainWindow
from gui.theme import Theme
from tests.gui.conftest import WAIT_MS
from tests.gui.shell.helpers import endless

# ---------------------------------------------------------------------------------------- bars


@pytest.fixture
def bar(look: Theme, qtbot: Any) -> ErrorBar:
    made = ErrorBar()
    qtbot.addWidget(made)
    return made


def test_the_error_bar_shows_copies_and_dismisses(bar: ErrorBar) -> None:
    assert bar.isHidden()
    bar.show_report(Report("First.", "trace one"))
    bar.show_report(Report("Second.", ""))
    assert not bar.isHidden()
    assert bar.sentence.text() == "Second. (1 more behind this one)"
    assert not bar.details_button.isEnabled()
    bar.dismiss_button.click()
    assert bar.sentence.text() == "First."
    bar.details_button.click()
    assert not bar.details.isHidden() and bar.details.toPlainText() == "trace one"
    bar.copy_button.click()
    assert QGuiApplication.clipboard().text() == "First.\n\ntrace one\n"
    bar.dismiss_button.click()
    assert bar.isHidden() and bar.shown is None and bar.details.isHidden()
    bar.dismiss()
    bar.copy()


def test_the_same_report_again_is_counted(bar: ErrorBar) -> None:
    for _ in range(1000):
        bar.show_report(Report("Same.", "d"))
    assert bar.sentence.text() == "Same. (1000 times)"
    bar.dismiss()
    assert bar.isHidden()


def test_a_flood_of_reports_is_bounded(bar: ErrorBar) -> None:
    for i in range(500):
        bar.show_report(Report(f"Error {i}.", ""))
    assert bar.shown == Report("Error 499.", "")
    assert "(49 more" in bar.sentence.text()


def test_what_looks_like_markup_is_shown_as_it_is(bar: ErrorBar) -> None:
    bar.show_report(Report("<img src=x> & <b>bold</b> " + "x" * 5000, ""))
    assert bar.sentence.textFormat() is Qt.TextFormat.PlainText
    assert bar.sentence.text().startswith("<img src=x> & <b>bold</b>")
    assert len(bar.sentence.text()) <= LONGEST_SENTENCE + 2


def test_reports_of_any_thread_reach_the_windows_bar(
    window: MainWindow, lab: Lab, qtbot: Any
) -> None:
    lab.errors._arrived.emit(Report("From afar."))
    qtbot.waitUntil(lambda: window.error_bar.shown == Report("From afar."), timeout=WAIT_MS)


def test_the_crash_bar_shows_copies_and_deletes(look: Theme, qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "crash-4194305-1.txt"
    path.write_text("Fatal Python error: Aborted")
    bar = CrashBar(path)
    qtbot.addWidget(bar)
    bar.view()
    assert bar.findChild(QPlainTextEdit).toPlainText() == "Fatal Python error: Aborted"
    bar.copy()
    assert QGuiApplication.clipboard().text() == "Fatal Python error: Aborted"
    bar.close_bar()
    assert path.exists()
    bar.delete()
    assert not path.exists() and bar.isHidden()


# -------------------------------------------------------------------------------------- status


def test_the_status_bar_accounts_for_the_running_job(
    compute: ComputeThread, look: Theme, qtbot: Any
) -> None:
    status = JobStatus(compute)
    qtbot.addWidget(status)
    assert status.isHidden()
    handle = compute.submit(endless, title="Training", unit="steps")
    waiting = compute.submit(endless, title="Next")
    qtbot.waitUntil(lambda: "Going on" in status.label.text(), timeout=WAIT_MS)
    assert not status.isHidden()
    assert status.label.text() == "Training · Going on · 1 more waiting"
    qtbot.waitUntil(lambda: status.figures.text().endswith(" steps/s"), timeout=WAIT_MS)
    waiting.stop()
    status.pause_button.click()
    qtbot.waitUntil(lambda: handle.state is JobState.PAUSED, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: status.label.text() == "Training · paused", timeout=WAIT_MS)
    assert status.pause_button.text() == "Resume"
    status.pause_button.click()
    assert status.pause_button.text() == "Pause"
    status.stop_button.click()
    assert not status.stop_button.isEnabled()
    assert status.label.text().startswith("Training · stopping")
    qtbot.waitUntil(status.isHidden, timeout=WAIT_MS)
    assert handle.ended
    status.stop()
    status.toggle_pause()


def test_the_run_menu_follows_the_job(
    window: MainWindow, compute: ComputeThread, qtbot: Any
) -> None:
    pause, stop = window.actions_["pause_job"], window.actions_["stop_job"]
    assert not pause.isEnabled() and not stop.isEnabled()
    handle = compute.submit(endless)
    assert stop.isEnabled()
    qtbot.waitUntil(lambda: handle.state is JobState.RUNNING, timeout=WAIT_MS)
    pause.trigger()
    assert pause.isChecked() and handle.state is JobState.PAUSING
    pause.trigger()
    assert not pause.isChecked()
    stop.trigger()
    qtbot.waitUntil(lambda: not stop.isEnabled(), timeout=WAIT_MS)
    assert not pause.isEnabled() and handle.ended


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (4.2, "4 s"), (59.6, "1 min 0 s"), (83, "1 min 23 s"), (3700, "1 h 1 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
