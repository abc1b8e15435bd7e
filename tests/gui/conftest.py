"""What every test of the window is held to, on top of tests/conftest.py.

Qt's messages become log records, so that a warning of Qt's fails the test like any other. A
test also fails that leaves a window, a widget without a parent or a running timer behind, each
named with where it began. Every test has a home and a theme of its own.
"""

from __future__ import annotations

import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import (
    QEvent,
    QMessageLogContext,
    QStandardPaths,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui import crash
from gui.compute import ComputeThread
from gui.errors import log_qt_message
from gui.places import HOME_VARIABLE
from gui.theme import Theme

WAIT_MS = 60_000
"""Nothing waits this long but a machine that is busy with other things."""


@pytest.fixture(scope="session", autouse=True)
def _qt_in_test_mode() -> None:
    QStandardPaths.setTestModeEnabled(True)


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """pytest-qt's five seconds are a timed assertion where the machine has other work to do."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
            patch.setitem(getattr(QtBot, name).__kwdefaults__, "timeout", WAIT_MS)
        yield


@pytest.fixture(autouse=True)
def _compute_at_the_usual_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that lets all others go first hardly gets to run on a busy machine."""
    monkeypatch.setattr("gui.worker._lower_priority", lambda: None)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own for settings, logs and data."""
    folder = tmp_path / "lab"
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    return folder


@pytest.fixture(autouse=True)
def _faulthandler_stays_with_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        @staticmethod
        def enable(*args: object, **kwargs: object) -> None: ...

        @staticmethod
        def disable() -> None: ...

    monkeypatch.setattr(crash, "faulthandler", Idle)


REMARKS_OF_QTEST = ("Mouse event ",)
"""QTest remarks that a simulated release was not accepted; widgets may leave it to a parent."""


def _pass_on(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    if not message.startswith(REMARKS_OF_QTEST):
        log_qt_message(kind, context, message)


@pytest.fixture(autouse=True)
def _qt_messages_are_log_records() -> Iterator[None]:
    before = qInstallMessageHandler(_pass_on)
    yield
    qInstallMessageHandler(before)


def flush_deletes() -> None:
    """Run what deleteLater put off; outside an event loop nothing else does."""
    app = QApplication.instance()
    if app is not None:
        for _ in range(3):  # a deleted parent may put off its children's
            app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture(autouse=True)
def _nothing_of_qt_is_left_behind(
    _qt_messages_are_log_records: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    app = QApplication.instance()
    before = {shiboken6.getCppPointer(w) for w in QApplication.topLevelWidgets()} if app else set()
    started: list[tuple[weakref.ref[QTimer], str]] = []
    plain_start = QTimer.start

    def start(timer: QTimer, *args: object) -> None:
        note = "".join(traceback.format_stack(limit=5)[:-1])
        started.append((weakref.ref(timer), note))
        plain_start(timer, *args)

    monkeypatch.setattr(QTimer, "start", start)
    yield
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    theme = app.findChild(Theme, "theme", Qt.FindChildOption.FindDirectChildrenOnly)
    if theme is not None:
        shiboken6.delete(theme)
    flush_deletes()
    left = [
        f"{type(w).__name__} {w.objectName()!r}, titled {w.windowTitle()!r}"
        for w in QApplication.topLevelWidgets()
        if shiboken6.getCppPointer(w) not in before
    ]
    ticking = [
        note
        for reference, note in started
        if (timer := reference()) is not None and shiboken6.isValid(timer) and timer.isActive()
    ]
    assert not left, f"widgets left behind: {left}"
    assert not ticking, "timers left running, started at\n" + "\n".join(ticking)


@pytest.fixture
def look(qapp: QApplication) -> Theme:
    """A light theme at 100 %."""
    return Theme(qapp, "light", 100)


@pytest.fixture
def compute(qapp: QApplication) -> Iterator[ComputeThread]:
    """A compute thread, ended after the test."""
    thread = ComputeThread()
    yield thread
    assert thread.shutdown(WAIT_MS / 1000), "the compute thread did not end"
    thread.deleteLater()
    flush_deletes()


@pytest.fixture
def dies() -> Callable[[QWidget], None]:
    """Deletes a widget and checks that nothing of its tree lives on, with no help from the
    garbage collector: what it would have to break is a reference cycle."""
    import gc

    def check(widget: QWidget) -> None:
        gc.collect()
        enabled = gc.isenabled()
        gc.disable()
        try:
            tree = [widget, *widget.findChildren(QWidget)]
            names = [f"{type(w).__name__} {w.objectName()!r}" for w in tree]
            own = [w for w in tree if type(w).__module__.startswith(("gui.", "tests."))]
            wrappers = [(weakref.ref(w), type(w).__name__) for w in own]
            pointers = list(tree)
            del own
            widget.deleteLater()
            del widget
            flush_deletes()
            alive = [n for n, w in zip(names, pointers, strict=True) if shiboken6.isValid(w)]
            assert not alive, f"not deleted: {alive}"
            pointers.clear()
            tree.clear()
            del pointers, tree
            kept = [name for reference, name in wrappers if reference() is not None]
            assert not kept, f"deleted, but kept alive by references: {kept}"
        finally:
            if enabled:
                gc.enable()

    return check
