"""End to end: the real main(), from the command line to the last stage of closing."""

from __future__ import annotations

import gc
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication

import main
from engine.text import library
from gui import application, places
from gui.application import Application
from gui.crash import CrashFile
from gui.job_handle import JobHandle
from gui.main_window import MainWindow
from gui.settings import Preferences, WindowState
from tests.gui.conftest import WAIT_MS
from tests.gui.shell.helpers import endless, probe_tabs

ROOT = Path(__file__).resolve().parents[3]


class Person(QObject):
    """Does things in the window once it is there, one after the other, each when the event
    loop comes round; then closes it."""

    def __init__(self, *deeds: Callable[[MainWindow], object]) -> None:
        super().__init__()
        self.deeds = list(deeds)
        self.windows: list[MainWindow] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.act)
        self._timer.start(0)
        self._deadline = QTimer(self)
        self._deadline.setSingleShot(True)
        self._deadline.timeout.connect(QApplication.quit)
        self._deadline.start(WAIT_MS)

    @Slot()
    def act(self) -> None:
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
        if not windows or not windows[0].isVisible():
            return
        window = windows[0]
        if not self.deeds:
            self._timer.stop()
            window.close()
            return
        # A deed that returns False is not done yet: it is tried again.
        if self.deeds[0](window) is not False:
            self.deeds.pop(0)

    def rest(self) -> None:
        """Check that all was done, and stop the timers."""
        self._timer.stop()
        self._deadline.stop()
        assert self.deeds == [], "not everything was done"


@pytest.fixture(autouse=True)
def _small_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "STORY_BYTES", 20_000)
    monkeypatch.setattr(application, "TABS", probe_tabs())


def _is_pytests(handler: logging.Handler) -> bool:
    """pytest changes the order of its own handlers between a test's phases."""
    return type(handler).__module__.startswith(("_pytest", "tests."))


@pytest.fixture(autouse=True)
def _everything_is_given_back(qapp: Any) -> Any:
    def state() -> tuple[Any, ...]:
        return (
            sys.excepthook,
            threading.excepthook,
            sys.unraisablehook,
            signal.getsignal(signal.SIGINT),
            signal.getsignal(signal.SIGTERM),
            gc.isenabled(),
            [h for h in logging.getLogger().handlers if not _is_pytests(h)],
            threading.active_count(),
        )

    before = state()
    quits = qapp.quitOnLastWindowClosed()
    yield
    qapp.setQuitOnLastWindowClosed(quits)
    assert state() == before


def run_main(*deeds: Callable[[MainWindow], object]) -> int:
    person = Person(*deeds)
    status = main.main([])
    person.rest()
    return status


def test_start_click_through_the_tabs_and_close(qapp: Any, home: Path) -> None:
    def see(window: MainWindow) -> None:
        assert window.tabs.count() == 4

    def click(key: str) -> Callable[[MainWindow], None]:
        return lambda window: window.show_tab(key)

    assert run_main(see, *(click(key) for key in "bcdab")) == 0
    assert WindowState(home / "config").text("tab") == "b"
    assert (home / "logs" / "lab.log").exists()
    assert list((home / "logs").glob("crash-*")) == []


def test_the_stories_are_there_soon_after_the_start(qapp: Any, home: Path) -> None:
    def prepared(window: MainWindow) -> bool:
        return window.lab.ngram is not None and window.lab.preparing is None

    assert run_main(prepared) == 0
    assert Preferences(home / "config").corpus == "stories"


def test_closing_while_a_job_runs_stops_it(qapp: Any) -> None:
    handles: list[JobHandle] = []

    def start(window: MainWindow) -> None:
        handles.append(window.lab.compute.submit(endless, title="Training"))

    def runs(window: MainWindow) -> bool:
        return handles[0].progress.done > 0

    assert run_main(start, runs) == 0
    assert handles[0].ended


def test_closing_at_once_and_while_the_corpus_is_being_read(qapp: Any) -> None:
    assert run_main() == 0

    def is_preparing(window: MainWindow) -> bool:
        return window.lab.preparing is not None

    assert run_main(is_preparing) == 0


def test_what_was_chosen_is_there_at_the_next_start(qapp: Any) -> None:
    def choose(window: MainWindow) -> None:
        window.actions_["theme_dark"].trigger()
        window.actions_["larger_text"].trigger()
        window.header.seed.setValue(11)

    def check(window: MainWindow) -> None:
        look = window.lab.theme
        assert (look.mode, look.text_size, window.lab.seed) == ("dark", 110, 11)
        assert window.header.seed.value() == 11

    assert run_main(choose) == 0
    assert run_main(check) == 0


def test_an_error_in_a_slot_shows_in_the_bar(qapp: Any, expect_log: Callable[[str], None]) -> None:
    expect_log("ZeroDivisionError")

    class Bad(QObject):
        @Slot()
        def fail(self) -> None:
            raise ZeroDivisionError("once")

    bad = Bad()

    def provoke(window: MainWindow) -> None:
        QTimer.singleShot(0, bad.fail)

    def shown(window: MainWindow) -> bool:
        report = window.error_bar.shown
        return report is not None and "ZeroDivisionError: once" in report.sentence

    assert run_main(provoke, shown) == 0


def test_an_error_in_a_job_shows_in_the_bar(qapp: Any, expect_log: Callable[[str], None]) -> None:
    expect_log("RuntimeError: shapes do not match")

    def fail(job: Any) -> None:
        raise RuntimeError("shapes do not match")

    def provoke(window: MainWindow) -> None:
        window.lab.compute.submit(fail, title="Training")

    def shown(window: MainWindow) -> bool:
        return window.error_bar.shown is not None

    assert run_main(provoke, shown) == 0


def test_the_last_crash_is_offered(qapp: Any) -> None:
    path = places.log_dir() / f"crash-{2**22 + 1}-7.txt"
    path.write_text("Fatal Python error: Segmentation fault")

    def offered(window: MainWindow) -> None:
        assert window.crash_bar is not None and window.crash_bar.isVisible()
        window.crash_bar.delete()

    assert run_main(offered) == 0
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_polite_kill_closes_the_window(qapp: Any) -> None:
    def kill(window: MainWindow) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def closed(window: MainWindow) -> bool:
        return not window.isVisible()

    person = Person(kill, closed)
    assert main.main([]) == 0
    person.deeds.clear()
    person.rest()


def test_a_job_that_never_yields_does_not_keep_the_process(
    qapp: Any, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    expect_log("did not stop in")
    left: list[int] = []
    begun, release = threading.Event(), threading.Event()

    def deaf() -> None:
        begun.set()
        release.wait(WAIT_MS / 1000)

    def leave(status: int) -> None:
        left.append(status)

    monkeypatch.setattr(application, "STOP_SECONDS", 0.0)
    monkeypatch.setattr(application.os, "_exit", leave)

    def start(window: MainWindow) -> None:
        window.lab.compute.submit(deaf, with_job=False, urgent=True)

    def runs(window: MainWindow) -> bool:
        return begun.is_set()

    threads = threading.enumerate()
    run_main(start, runs)
    release.set()
    for thread in threading.enumerate():
        if thread not in threads:
            thread.join()
    assert left == [0]


def test_closing_is_callable_twice_and_before_the_window_was_shown(qapp: Any) -> None:
    made = Application(qapp, probe_tabs())
    made.close()
    made.close()
    made.window.close()
    made.dismantle()
    made.deleteLater()


def test_the_crash_file_lives_as_long_as_the_app(qapp: Any) -> None:
    made = Application(qapp, probe_tabs())
    path = CrashFile(places.log_dir()).path
    assert path.exists()
    made.dismantle()
    assert not path.exists()
    made.deleteLater()


# ------------------------------------------------------------------------------- command line


def test_the_command_line_has_defaults() -> None:
    args = main.parse(["--screenshots", "out"])
    assert args.screenshots == Path("out") and not args.self_check
    assert args.sizes == [(1280, 720), (1600, 1000)]
    assert args.themes == ["light", "dark"] and args.scales == [100, 200]
    args = main.parse(
        ["--screenshots", "o", "--sizes", "640x480", "--themes", "dark", "--scales", "75", "250"]
    )
    assert (args.sizes, args.themes, args.scales) == ([(640, 480)], ["dark"], [75, 250])


@pytest.mark.parametrize(
    "line",
    [
        ["--sizes", "640x480"],
        ["--screenshots", "o", "--sizes", "640"],
        ["--screenshots", "o", "--sizes", "9x9"],
        ["--screenshots", "o", "--scales", "500"],
        ["--screenshots", "o", "--themes", "mauve"],
        ["--self-check", "--screenshots", "o"],
        ["--nonsense"],
    ],
)
def test_mistakes_on_the_command_line_end_with_a_sentence(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main.parse(line)
    assert end.value.code == 2
    assert "main.py: error:" in capsys.readouterr().err


def test_without_a_display_one_sentence_and_status_2(home: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can be without a display")
    for display in (None, ":987654"):  # none, and one that is not there
        if display:
            environment["DISPLAY"] = display
        done = subprocess.run(
            [sys.executable, "main.py"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 2, done.stderr
        assert "found no display" in done.stderr and "--self-check" in done.stderr
        assert "Traceback" not in done.stderr


def test_starting_needs_no_torch(home: Path) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from PySide6.QtWidgets import QApplication\n"
        "import gui.application\n"
        "loaded = {m.partition('.')[0] for m, v in sys.modules.items() if v is not None}\n"
        "assert not loaded & {'torch', 'pyqtgraph', 'ziamath'}, loaded"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
