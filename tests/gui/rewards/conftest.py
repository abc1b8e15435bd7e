"""A lab that needs no text, and the tab with small runs of the bundled sums policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import engine.posttraining.grpo  # noqa: F401 - loads torch now, not while a test waits
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.rewards import live
from gui.rewards.tab import RewardsTab
from gui.settings import Preferences
from gui.theme import Theme
from tests.gui.conftest import flush_deletes

WAIT_MS = 60_000
"""Runs share the processor with whatever else is at work; a wait that is met costs nothing."""


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: Any) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    yield made
    compute.stop_all()
    qtbot.waitUntil(lambda: compute.idle, timeout=WAIT_MS)
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def tab(lab: Lab, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[RewardsTab]:
    monkeypatch.setattr(live, "SCORED_PROMPTS", 16)
    monkeypatch.setattr(live, "COMPARED_ANSWERS", 16)
    made = RewardsTab(lab)
    qtbot.addWidget(made)
    made.resize(1200, 760)
    for key, value in {"updates": 6, "prompts": 4, "group": 4}.items():
        made.setup.numbers[key].set_value(value)
    made.show()
    yield made
    made.close()
    flush_deletes()


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=WAIT_MS)

    return wait
