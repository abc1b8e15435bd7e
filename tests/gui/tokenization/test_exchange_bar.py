"""Export and import from the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tokenizers as hugging_face
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.tokenizers import BPETokenizer
from engine.tokenizers.exchange import tokenizer_json
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.settings import Preferences
from gui.theme import Theme
from gui.tokenization.exchange_bar import ExchangeBar
from tests.gui.conftest import WAIT_MS, flush_deletes

TEXT = "The feral cat attacked my cat. My cat bit the attacking cat.\n\n" * 40


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path, qtbot: Any) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    made.choose_tokenizer(TokenizerSpec("bpe", 270))
    made.choose_corpus(CorpusChoice("text", text=TEXT))
    qtbot.waitUntil(lambda: made.preparing is None and not compute.jobs, timeout=WAIT_MS)
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def bar(lab: Lab, qtbot: Any) -> ExchangeBar:
    made = ExchangeBar(lab)
    qtbot.addWidget(made)
    made.show()
    return made


def settle(lab: Lab, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: lab.preparing is None and not lab.compute.jobs, timeout=WAIT_MS)


def test_an_export_loads_in_hugging_face_and_comes_back(
    bar: ExchangeBar, lab: Lab, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    bar.export_to(str(path))
    qtbot.waitUntil(lambda: "Saved" in bar.said.text(), timeout=WAIT_MS)
    assert lab.tokenizer is not None
    before = lab.tokenizer.tokenizer.encode(TEXT)
    assert hugging_face.Tokenizer.from_file(str(path)).encode(TEXT).ids == before
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    settle(lab, qtbot)
    bar.import_from(str(path))
    qtbot.waitUntil(lambda: "All tabs now use" in bar.said.text(), timeout=WAIT_MS)
    settle(lab, qtbot)
    assert lab.tokenizer.label == "mine, 270 tokens"
    assert lab.tokenizer.tokenizer.encode(TEXT) == before


def test_an_import_outlives_a_change_of_text(
    bar: ExchangeBar, lab: Lab, qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(tokenizer_json(BPETokenizer.train(TEXT, 265)), encoding="utf-8")
    bar.import_from(str(path))
    qtbot.waitUntil(lambda: "All tabs" in bar.said.text(), timeout=WAIT_MS)
    lab.choose_corpus(CorpusChoice("text", text=TEXT[:900]))
    settle(lab, qtbot)
    assert lab.tokenizer is not None
    assert lab.tokenizer.spec.source == "mine"
    assert lab.streams is not None
    lab.choose_tokenizer(TokenizerSpec("bytes"))
    settle(lab, qtbot)
    assert lab.tokenizer.spec == TokenizerSpec("bytes")


def test_the_vocabulary_is_written_as_a_table(bar: ExchangeBar, qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.csv"
    bar.export_to(str(path))
    qtbot.waitUntil(path.exists, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Saved" in bar.said.text(), timeout=WAIT_MS)
    assert path.read_text(encoding="utf-8-sig").startswith("id,token,bytes,left,right,count")


@pytest.mark.parametrize("content", ["", "{}", "[1, 2", '{"model": {"type": "Unigram"}}'])
def test_a_bad_file_gets_a_sentence_and_changes_nothing(
    bar: ExchangeBar, lab: Lab, qtbot: Any, tmp_path: Path, content: str
) -> None:
    before = lab.tokenizer
    path = tmp_path / "bad.json"
    path.write_text(content, encoding="utf-8")
    bar.import_from(str(path))
    qtbot.waitUntil(lambda: bool(bar.said.text()), timeout=WAIT_MS)
    assert bar.said.text().endswith(".")
    assert lab.tokenizer is before


def test_a_folder_that_is_not_there_gets_a_sentence(
    bar: ExchangeBar, qtbot: Any, tmp_path: Path
) -> None:
    bar.export_to(str(tmp_path / "gone" / "x.json"))
    qtbot.waitUntil(lambda: "could not be written" in bar.said.text(), timeout=WAIT_MS)


def test_the_buttons_ask_for_files(bar: ExchangeBar, qtbot: Any) -> None:
    qtbot.mouseClick(bar.bring, Qt.MouseButton.LeftButton)
    for action in bar.export.menu().actions():
        action.trigger()
    dialogs = bar.window().findChildren(QFileDialog)
    assert len(dialogs) == 3
    for dialog in dialogs:
        dialog.reject()
    flush_deletes()


def test_the_bar_leaves_nothing_behind(lab: Lab, dies: Callable[[QWidget], None]) -> None:
    dies(ExchangeBar(lab))
