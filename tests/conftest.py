"""What every test is held to. Imports no Qt: the engine's tests run where there is none.

A test fails that logs a warning it did not announce, or leaves a thread behind. Warnings and
errors in threads fail it too (``filterwarnings`` in pyproject.toml). What the app would keep in
a person's folders goes into a folder of the session's own.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

JOIN_SECONDS = 10.0
_STARTED_AT = "_test_started_at"
_start = threading.Thread.start


def _start_with_note(thread: threading.Thread) -> None:
    setattr(thread, _STARTED_AT, "".join(traceback.format_stack(limit=6)[:-1]))
    _start(thread)


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Home, settings and logs in a folder of this session's own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("USERPROFILE", str(home))
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("NEXT_TOKEN_LAB_HOME", str(home / "lab"))
        patch.setattr(threading.Thread, "start", _start_with_note)
        yield


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before]
    for thread in left:  # one that is on its way out is given the time to get there
        if not thread.daemon:
            thread.join(JOIN_SECONDS)
    left = [t for t in left if t.is_alive() and not isinstance(t, threading._DummyThread)]
    if left:
        notes = "\n".join(f"{t.name}, started at\n{getattr(t, _STARTED_AT, '?')}" for t in left)
        pytest.fail(f"threads left behind: {notes}", pytrace=False)


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def expect_log(_no_unannounced_log: list[Any]) -> Callable[[str], None]:
    """Announce a warning or error in the log, by a regular expression that finds its message.
    It fails the test if it does not come."""
    return _no_unannounced_log.append


@pytest.fixture(autouse=True)
def _no_unannounced_log() -> Iterator[list[Any]]:
    expected: list[str] = []
    handler = _Warnings()
    logging.getLogger().addHandler(handler)
    yield expected
    logging.getLogger().removeHandler(handler)
    messages = [f"{r.levelname} {r.name}: {r.getMessage()}" for r in handler.records]
    odd = [m for m in messages if not any(re.search(e, m) for e in expected)]
    missing = [e for e in expected if not any(re.search(e, m) for m in messages)]
    if odd:
        pytest.fail("logged without being announced:\n" + "\n".join(odd), pytrace=False)
    if missing:
        pytest.fail(f"announced and not logged: {missing}", pytrace=False)
