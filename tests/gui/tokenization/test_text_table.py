"""The tokenizers side by side: how often their tokens stand in the corpus, what fell short."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.tokenizers import BPETokenizer
from engine.tokenizers.exchange import tokenizer_json
from engine.tokenizers.pretokenize import pretokenize
from engine.tokenizers.stream import encode_documents
from engine.workspace.choices import TokenizerSpec
from gui.lab import Lab
from gui.tokenization.text_page import TextPage
from gui.tokenization.text_tokenizers import fell_short, learn_tokenizers
from gui.widgets.numbers import format_number
from tests.gui.tokenization.tab_lab import BPE, lab_fixture, settle

__all__ = ["lab_fixture"]


@pytest.fixture
def page(lab: Lab, qtbot: QtBot) -> TextPage:
    made = TextPage(lab)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    with qtbot.waitExposed(made):
        made.show()
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: made.settled)
    return made


def test_a_token_tells_how_often_it_stands_in_the_corpus(
    page: TextPage, lab: Lab, qtbot: QtBot
) -> None:
    page.input.set_text("cat. ☃")
    qtbot.waitUntil(lambda: page.settled)
    assert lab.corpus is not None
    for key in page.table.names():
        made, strip = page.table.entry(key).made, page.table.strip_of(key)
        assert made is not None
        stream = encode_documents(made.tokenizer, lab.corpus.train).ids.tolist()
        total = len(stream) - stream.count(made.tokenizer.vocab_size)
        for index in range(strip.count()):
            count = stream.count(strip.token_id(index))
            told = strip.info_text(index)
            assert f"count {count:,}\n" in told + "\n"
            share = format_number(100 * count / total, 2)
            assert (f"{share} % of all tokens of “{lab.corpus.title}”" in told) == (count > 0)


def test_an_imported_tokenizer_is_counted_while_all_tabs_use_it(
    page: TextPage, lab: Lab, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.json"
    theirs = BPETokenizer.train("my cat, my cat", 260)
    path.write_text(tokenizer_json(theirs), encoding="utf-8")
    page.exchange.import_from(str(path))
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: page.settled)
    assert lab.streams is not None
    first = page.table.strip_of("import 1").token_id(0)
    count = int((lab.streams.train.ids == first).sum())
    assert f"count {count:,}" in page.table.strip_of("import 1").info_text(0)
    qtbot.mouseClick(page.table.use_button(BPE.label), Qt.MouseButton.LeftButton)
    settle(lab, qtbot)
    assert "count" not in page.table.strip_of("import 1").info_text(0)
    assert "count" in page.table.strip_of(BPE.label).info_text(0)


def test_a_vocabulary_that_fell_short_says_so(page: TextPage, lab: Lab) -> None:
    assert page.table.note("Characters") == page.table.note("UTF-8 bytes") == ""
    made = page.table.entry("BPE, 4,096 tokens").made
    assert made is not None and made.tokenizer.vocab_size < 4_096
    size = made.tokenizer.vocab_size
    assert (
        page.table.note("BPE, 4,096 tokens")
        == f"learning ended at {size:,}: no pair occurs twice any more"
    )
    assert lab.corpus is not None
    different = len({word for document in lab.corpus.train for word in pretokenize(document)})
    words = page.table.note("Words, 2,000 tokens")
    assert words == f"the text has only {different} different words"


def test_a_vocabulary_that_came_out_as_wished_has_no_note(lab: Lab) -> None:
    assert lab.corpus is not None
    for spec in (TokenizerSpec("bpe", 270), TokenizerSpec("words", 5)):
        learned = learn_tokenizers(lab.corpus, (spec,))
        assert learned.made[spec].tokenizer.vocab_size == spec.vocab_size
        assert fell_short(learned.made[spec]) == ""
