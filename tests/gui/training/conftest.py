"""A lab with a small text, and runs small enough for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.training import Recipe, modern
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.settings import Preferences
from gui.theme import Theme
from gui.training.news import Order
from gui.training.session import TrainingSession
from gui.training.tab import TrainingTab
from tests.gui.conftest import flush_deletes

TEXT = "".join(f"The feral cat attacked cat {n}. Cat {n} bit the feral cat.\n\n" for n in range(40))
OWN = CorpusChoice("text", text=TEXT)
OTHER = CorpusChoice(
    "text", text="".join(f"Dog number {n} slept in the sun all day.\n\n" for n in range(40))
)


LONG_WAIT_MS = 60_000
"""Training is real work, and a busy machine may be slow at it; nothing waits this long."""


@pytest.fixture(autouse=True)
def _a_modest_compute_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """One core, at the priority of everything else: on a machine busy with other things a
    thread that lets all others go first, or waits for a second core, may hardly get to run."""
    monkeypatch.setattr("gui.worker._lower_priority", lambda: None)
    monkeypatch.setattr("os.cpu_count", lambda: 1)


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: Any) -> Iterator[Lab]:
    """A lab whose text is TEXT, cut into bytes."""
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    made.choose_tokenizer(TokenizerSpec("bytes"))
    made.choose_corpus(OWN)
    qtbot.waitUntil(lambda: made.preparing is None and not compute.jobs, timeout=LONG_WAIT_MS)
    yield made
    compute.stop_all()
    qtbot.waitUntil(lambda: not compute.jobs, timeout=LONG_WAIT_MS)
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def session(lab: Lab) -> TrainingSession:
    return TrainingSession(lab, lab)


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        qtbot.waitUntil(condition, timeout=LONG_WAIT_MS)

    return wait


def a_recipe(steps: int = 12, every: int = 4) -> Recipe:
    """A model of a few thousand parameters."""
    return modern().but(
        layers=1, heads=2, width=16, context=16, batch_size=4, steps=steps, eval_every=every
    )


def an_order(lab: Lab, recipe: Recipe | None = None, prompt: str = "The") -> Order:
    assert lab.streams is not None and lab.tokenizer is not None
    return Order(
        recipe or a_recipe(), "tiny", lab.streams, lab.tokenizer, prompt=prompt, sample_tokens=3
    )


@pytest.fixture
def tab(lab: Lab, qtbot: Any) -> Iterator[TrainingTab]:
    """The tab, set to the smallest model and six steps."""
    made = TrainingTab(lab)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.setup.size_box.setCurrentIndex(0)
    made.setup.time.setCurrentIndex(made.setup.time.count() - 1)
    made.setup.steps.setValue(6)
    made.show()
    yield made
    made.close()
    made.paces.rest()
    flush_deletes()
