"""A lab with a little text in it, and transformers that cost nothing to make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.models.transformer import TransformerConfig, TransformerModel
from engine.text import library
from engine.workspace.made import TrainedRun
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.language_models.tab import LanguageModelsTab
from gui.settings import Preferences
from gui.theme import Theme

WAIT_MS = 20_000


def ready(lab: Lab) -> bool:
    """Whether text, tokens and n-grams are all there."""
    return lab.preparing is None and lab.streams is not None and lab.ngram is not None


@pytest.fixture
def lab(
    qtbot: QtBot,
    compute: ComputeThread,
    look: Theme,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lab]:
    """A lab with some stories, their tokens and n-grams."""
    monkeypatch.setattr(library, "STORY_BYTES", 30_000)
    made = Lab(compute, Preferences(home), look, ErrorSink())
    made.restore()
    qtbot.waitUntil(lambda: ready(made), timeout=WAIT_MS)
    yield made
    compute.stop_all()
    made.deleteLater()


@pytest.fixture
def add_run() -> Callable[..., TrainedRun]:
    """Gives a lab a transformer with random parameters over its present tokens."""

    def add(lab: Lab, name: str = "Tiny", context: int = 16, seed: int = 1) -> TrainedRun:
        assert lab.tokenizer is not None and lab.streams is not None
        config = TransformerConfig(
            vocab_size=lab.streams.train.vocab_size, context=context, layers=1, heads=1, width=16
        )
        model = TransformerModel.untrained(config, seed=seed)
        return lab.add_run(TrainedRun(name, model, lab.tokenizer, lab.streams.made_from))

    return add


@pytest.fixture
def tab(qtbot: QtBot, lab: Lab, add_run: Callable[..., TrainedRun]) -> LanguageModelsTab:
    """The tab on screen, with an n-gram, a transformer and the truth at the table."""
    add_run(lab)
    made = LanguageModelsTab(lab)
    qtbot.addWidget(made)
    made.resize(1200, 700)
    made.show()
    qtbot.waitExposed(made)
    return made
