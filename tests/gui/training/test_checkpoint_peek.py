"""A kept checkpoint in the other tabs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gui.lab import Lab
from gui.language_models.models import ModelSet
from gui.training.session import Phase
from gui.training.tab import TrainingTab

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def tab(tab: TrainingTab, qtbot: Any, until: Until) -> TrainingTab:
    """With a run of four steps."""
    tab.setup.steps.setValue(4)
    qtbot.mouseClick(tab.transport.start, Qt.MouseButton.LeftButton)
    until(lambda: tab.session.phase is Phase.FINISHED)
    return tab


def choose(tab: TrainingTab, step: int) -> None:
    index = tab.peek.findData(step)
    assert index > 0
    tab.peek.setCurrentIndex(index)
    tab.peek.activated.emit(index)


def test_the_model_of_any_checkpoint_is_at_hand_in_the_other_tab(
    tab: TrainingTab, lab: Lab, until: Until, qtbot: Any
) -> None:
    from engine.models.transformer import TransformerModel

    models = ModelSet(lab)
    assert [tab.peek.itemData(i) for i in range(1, tab.peek.count())] == [0, 1, 2, 3, 4]
    order, news = tab.session.order, tab.session.news
    assert order is not None and news is not None and news.model is not None
    choose(tab, 0)
    until(lambda: len(lab.runs) == 2)
    assert models.run is not None and models.run.name == f"{order.title}, at the start"
    recipe = news.recipe
    first = TransformerModel.untrained(recipe.model_config(257), recipe.init, recipe.seed)
    context = [1, 2, 3]
    np.testing.assert_allclose(
        models.run.model.next_log_probs(context), first.next_log_probs(context), atol=1e-6
    )
    choose(tab, 4)
    until(lambda: len(lab.runs) == 3)
    assert models.run.name == f"{order.title}, at step 4"
    np.testing.assert_allclose(
        models.run.model.next_log_probs(context), news.model.next_log_probs(context), atol=1e-6
    )
    choose(tab, 4)  # once more: in its own place
    qtbot.waitUntil(lambda: lab.compute.idle)
    assert len(lab.runs) == 3
    with qtbot.waitSignal(lab.tab_wished) as wished:
        qtbot.mouseClick(tab.peeked.button, Qt.MouseButton.LeftButton)
    assert wished.args == ["language_models"]


def test_a_checkpoint_that_is_gone_is_told(tab: TrainingTab, lab: Lab, until: Until) -> None:
    news = tab.session.news
    assert news is not None and news.checkpoint is not None
    shutil.rmtree(news.checkpoint.parent)
    choose(tab, 2)
    until(lambda: bool(tab.peeked.text))
    assert tab.peeked.tone == "error"
    assert len(lab.runs) == 1
