"""What the shell's tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.main_window import MainWindow
from gui.settings import Preferences, WindowState
from gui.theme import Theme
from tests.gui.conftest import WAIT_MS, flush_deletes
from tests.gui.shell.compute_probes import Log, Steps
from tests.gui.shell.helpers import probe_tabs


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def steps() -> Iterator[Steps]:
    work = Steps()
    yield work
    work.finish()


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    def wait(condition: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    return wait


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def window(lab: Lab, tmp_path: Path, qtbot: Any) -> MainWindow:
    made = MainWindow(lab, WindowState(tmp_path), probe_tabs())
    qtbot.addWidget(made)
    made.show()
    made.open_first_tab()
    return made
