"""The tests' own gates: each kind of sloppiness fails the test that commits it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

SLOPPY = """
import logging, threading, warnings
from PySide6.QtCore import QTimer, qWarning
from PySide6.QtWidgets import QWidget

kept = []

def test_clean(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()

def test_announced(expect_log):
    expect_log("WARNING x: told")
    logging.getLogger("x").warning("told")

def test_bad_warning():
    warnings.warn("old")

def test_bad_log():
    logging.getLogger("x").warning("something")

def test_bad_announced_and_not_logged(expect_log):
    expect_log("never")

def test_bad_qt_message(qapp):
    qWarning("from Qt")

def test_bad_error_in_a_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()

def test_bad_error_in_a_slot(qapp):
    QTimer.singleShot(0, lambda: 1 / 0)
    qapp.processEvents()

def test_bad_thread():
    end = threading.Event()
    kept.append(end)
    threading.Thread(target=end.wait, args=(60,), daemon=True, name="forgotten").start()

def test_bad_window(qapp):
    window = QWidget()
    window.setObjectName("forgotten_window")
    kept.append(window)

def test_bad_timer(qapp):
    timer = QTimer()
    timer.start(1000)
    kept.append(timer)
"""


def test_sloppy_tests_fail_and_name_the_culprit(tmp_path: Path) -> None:
    path = tmp_path / "test_sloppy.py"
    path.write_text(SLOPPY)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(path), "-c", str(ROOT / "pyproject.toml")),
            *("--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-rA", "--tb=short"),
            *("-p", "tests.conftest", "-p", "tests.gui.conftest"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    out = done.stdout
    names = [line.split("def ")[1].split("(")[0] for line in SLOPPY.splitlines() if "def t" in line]
    assert len(names) == 11
    summary = out[out.rindex("short test summary") :]
    for name in names:
        failed = re.search(rf"^(FAILED|ERROR) \S*::{name}\b", summary, re.MULTILINE)
        assert bool(failed) is name.startswith("test_bad"), f"{name}\n{out[-6000:]}"
    for culprit in ("forgotten, started at", "forgotten_window", "timers left running"):
        assert culprit in out
