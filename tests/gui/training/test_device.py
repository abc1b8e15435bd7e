"""The device is a choice among those that work here, and the screen says which one ran."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QComboBox

from gui.lab import Lab
from gui.training.paces import Paces
from gui.training.session import Phase, TrainingSession
from gui.training.settings_page import SettingsPage
from gui.training.setup import SetupPanel
from gui.training.transport import state_in_words
from tests.gui.training.conftest import a_recipe, an_order

Until = Callable[[Callable[[], bool]], None]


@pytest.mark.parametrize("names", [("cpu",), ("cpu", "cuda")])
def test_only_devices_that_work_are_offered(
    lab: Lab, until: Until, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    asked: list[bool] = []

    def available() -> tuple[str, ...]:
        asked.append(True)
        return names

    monkeypatch.setattr("engine.training.devices.available", available)
    setup = SetupPanel(lab, Paces(lab, lab))
    page = SettingsPage(setup)
    box = page.knobs.cells["device"].field
    assert isinstance(box, QComboBox)

    def offered() -> tuple[str, ...]:
        return tuple(box.itemText(i) for i in range(box.count()))

    assert offered() == ("cpu",)  # until it is known
    until(lambda: bool(asked) and not lab.compute.jobs and offered() == names)
    box.setCurrentIndex(box.count() - 1)
    assert setup.base.device == names[-1]
    page.deleteLater()
    setup.deleteLater()


def test_the_state_says_which_device_runs(session: TrainingSession, lab: Lab, until: Until) -> None:
    session.start(an_order(lab, a_recipe(100_000, 1_000)))
    until(lambda: session.phase is Phase.RUNNING and session.news is not None
          and session.news.step > 2)  # fmt: skip
    assert "tokens/s on the processor" in state_in_words(session)
