"""A lab on a small text of its own, for the pages of the Tokenization tab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.settings import Preferences
from gui.theme import Theme
from tests.gui.conftest import WAIT_MS, flush_deletes

TEXT = "The feral cat attacked my cat. My cat bit the attacking cat.\n\n" * 40
OWN = CorpusChoice("text", text=TEXT)
BPE = TokenizerSpec("bpe", 512)


@pytest.fixture(name="lab")
def lab_fixture(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: QtBot) -> Iterator[Lab]:
    errors = ErrorSink()
    lab = Lab(compute, Preferences(tmp_path), look, errors)
    lab.choose_corpus(OWN)
    settle(lab, qtbot)
    yield lab
    lab.deleteLater()
    errors.deleteLater()
    flush_deletes()


def settle(lab: Lab, qtbot: QtBot) -> None:
    """Wait until nothing is being prepared or computed."""
    qtbot.waitUntil(lambda: lab.preparing is None and not lab.compute.jobs, timeout=WAIT_MS)
