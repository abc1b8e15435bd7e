"""Shutdown, garbage collection, the stall watchdog, the display's absence."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gui import display, watchdog
from gui.garbage import MANY_MODULES, GarbageCollector
from gui.shutdown import Shutdown
from gui.watchdog import StallWatchdog
from tests.gui.conftest import WAIT_MS

# ------------------------------------------------------------------------------------- shutdown


def test_stages_run_in_order_once_and_a_failing_one_stops_nothing(
    expect_log: Callable[[str], None],
) -> None:
    expect_log("the stage “broken” failed")
    shutdown, ran = Shutdown(), []

    def broken() -> None:
        ran.append("broken")
        raise RuntimeError("no")

    def again() -> None:
        ran.append("again")
        shutdown.run()

    shutdown.add("broken", broken)
    shutdown.add("again", again)
    shutdown.add("last", lambda: ran.append("last"))
    assert not shutdown.begun
    shutdown.run()
    shutdown.run()
    assert shutdown.begun and ran == ["broken", "again", "last"]


# -------------------------------------------------------------------------------------- garbage


class Cycle:
    def __init__(self, died_in: list[int]) -> None:
        self.me = self
        self.died_in = died_in

    def __del__(self) -> None:
        self.died_in.append(threading.get_ident())


@pytest.fixture
def collector(qapp: Any) -> Iterator[GarbageCollector]:
    made = GarbageCollector()
    yield made
    made.stop()
    assert gc.isenabled() and gc.get_freeze_count() == 0
    made.deleteLater()


def test_cycles_made_elsewhere_die_here(collector: GarbageCollector) -> None:
    died_in: list[int] = []

    def litter() -> None:
        keep = []
        for _ in range(5000):  # far beyond the thresholds
            Cycle(died_in)
            keep.append([])

    gc.collect()
    collector.start()
    assert not gc.isenabled()
    thread = threading.Thread(target=litter)
    thread.start()
    thread.join()
    assert died_in == []
    collector.check()
    assert len(died_in) == 5000 and set(died_in) == {threading.get_ident()}


def test_large_imports_are_set_aside_once_they_have_settled(
    collector: GarbageCollector, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {str(n): None for n in range(MANY_MODULES + 1)}
    monkeypatch.setattr("gui.garbage.sys.modules", modules)
    collector.start()
    collector.check()
    assert gc.get_freeze_count() == 0  # may still be going on
    collector.check()
    frozen = gc.get_freeze_count()
    assert frozen > 0
    collector.check()
    assert gc.get_freeze_count() == frozen
    collector.stop()
    collector.stop()


# ------------------------------------------------------------------------------------- watchdog


def test_a_stall_is_logged_once_with_the_stack_of_the_gui_thread(
    qapp: Any, expect_log: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_log(r"has stalled for \d+ ms at\n(.*\n)*.*the_guilty_function")
    told = threading.Event()
    plain = watchdog.log.warning
    calls: list[int] = []

    def note(*args: Any) -> None:
        calls.append(1)
        plain(*args)
        told.set()

    monkeypatch.setattr(watchdog.log, "warning", note)
    dog = StallWatchdog(20.0)

    def the_guilty_function() -> None:
        assert told.wait(WAIT_MS / 1000)

    dog.start()
    qapp.processEvents()
    the_guilty_function()
    dog.stop()
    dog.stop()
    assert calls == [1]
    dog.deleteLater()


@pytest.mark.parametrize("wish", ["", "often", "-5", "0", "nan"])
def test_the_watchdog_sleeps_unless_asked_for(
    qapp: Any, monkeypatch: pytest.MonkeyPatch, wish: str
) -> None:
    monkeypatch.setenv(watchdog.VARIABLE, wish)
    assert watchdog.from_environment(qapp) is None


def test_the_watchdog_wakes_when_asked_for(qapp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(watchdog.VARIABLE, "60000")
    dog = watchdog.from_environment(qapp)
    assert dog is not None
    dog.stop()
    dog.setParent(None)
    dog.deleteLater()


# -------------------------------------------------------------------------------------- display


@pytest.mark.parametrize(
    ("platform", "environment", "missing"),
    [
        ("linux", {}, True),
        ("linux", {"DISPLAY": ""}, True),
        ("linux", {"DISPLAY": ":0"}, False),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, False),
        ("linux", {"QT_QPA_PLATFORM": "offscreen"}, False),
        ("freebsd14", {}, True),
        ("darwin", {}, False),
        ("win32", {}, False),
    ],
)
def test_a_missing_display_is_noticed(
    platform: str, environment: dict[str, str], missing: bool
) -> None:
    advice = display.missing_display(platform, environment)
    assert (advice is not None) is missing
    for way_out in ("--self-check", "--screenshots", "QT_QPA_PLATFORM=offscreen"):
        assert advice is None or way_out in advice
