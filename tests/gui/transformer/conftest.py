"""The page on its tab, with a small transformer of any shape to look into."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from pytestqt.qtbot import QtBot

from engine.models.transformer import TransformerConfig, TransformerModel
from engine.workspace.made import TrainedRun
from gui.lab import Lab
from gui.language_models.tab import LanguageModelsTab
from gui.tabs import INSIDE
from gui.transformer.inside_page import InsidePage
from tests.gui.language_models.conftest import lab as made_lab

WAIT_MS = 20_000
lab = made_lab
TEXT = "The cat sat on the mat."


def add_run(lab: Lab, name: str = "Tiny", **fields: object) -> TrainedRun:
    """Give the lab a transformer whose parameters are random and matter."""
    assert lab.tokenizer is not None and lab.streams is not None
    config = TransformerConfig(
        vocab_size=lab.streams.train.vocab_size,
        **{"context": 24, "layers": 2, "heads": 2, "width": 16, **fields},  # type: ignore[arg-type]
    )
    model = TransformerModel.untrained(config, seed=1)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for p in model.module.parameters():
            p.normal_(0, 0.4, generator=generator)
    return lab.add_run(TrainedRun(name, model, lab.tokenizer, lab.streams.made_from))


@pytest.fixture
def open_page(qtbot: QtBot, lab: Lab) -> Iterator[Callable[..., InsidePage]]:
    """Opens the page on a transformer of a given shape, and waits until it shows all of it."""

    kept: list[LanguageModelsTab] = []  # qtbot holds it only weakly

    def make(text: str = TEXT, **fields: object) -> InsidePage:
        add_run(lab, **fields)
        tab = LanguageModelsTab(lab, (INSIDE,))
        qtbot.addWidget(tab)
        kept.append(tab)
        tab.context.set_text(text)
        tab.resize(1280, 900)
        tab.show()
        qtbot.waitExposed(tab)
        tab.pages.show_page("inside")
        page = tab.pages.page("inside")
        assert isinstance(page, InsidePage)
        settle(qtbot, page)
        return page

    yield make
    kept.clear()


def settle(qtbot: QtBot, page: InsidePage) -> None:
    """Wait until nothing is being computed."""
    qtbot.waitUntil(lambda: page.lab.compute.idle and page.look is not None, timeout=WAIT_MS)
