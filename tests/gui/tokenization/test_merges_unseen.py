"""Unseen text: rules applied in order, to the tokenizer's own result; what can be unknown."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.tokenizers import BPETokenizer
from gui.lab import Lab
from gui.tokenization.merges_page import MergesPage
from gui.tokenization.merges_unseen import SENTENCE, SHARED, UnseenPane
from tests.gui.tokenization.tab_lab import lab_fixture

__all__ = ["lab_fixture"]


@pytest.fixture
def page(lab: Lab, qtbot: QtBot) -> MergesPage:
    made = MergesPage(lab)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    with qtbot.waitExposed(made):
        made.show()
    qtbot.mouseClick(made.parts.button("unseen"), Qt.MouseButton.LeftButton)
    return made


@pytest.fixture
def pane(page: MergesPage) -> UnseenPane:
    return page.unseen


def test_the_learned_merges_are_applied_rule_by_rule(
    page: MergesPage, pane: UnseenPane, qtbot: QtBot
) -> None:
    assert pane.tokenizer.merges == page.learning.walk.merges
    assert len(pane.tokenizer.merges) == 11 and pane.strip.count() == len(SENTENCE)
    ranks = []
    while pane.transport.step.isEnabled():
        assert pane.state.next is not None
        ranks.append(pane._rank(pane.state.next))
        assert pane.table.currentIndex().row() == ranks[-1]
        assert f"rule {ranks[-1] + 1}," in pane.next.text()
        lit = pane.strip.highlighted()
        pair = [pane.state.next.left, pane.state.next.right]
        assert [pane.strip.token_id(i) for i in lit] == pair * (len(lit) // 2) and lit
        qtbot.mouseClick(pane.transport.step, Qt.MouseButton.LeftButton)
    assert ranks == sorted(ranks), "rules are applied in the order in which they were learned"
    assert [pane.strip.token_id(i) for i in range(pane.strip.count())] == (
        pane.tokenizer.encode(SENTENCE)
    )
    assert "Encoded" in pane.next.text() and not pane.strip.highlighted()


def test_an_unseen_character_is_unknown_until_one_starts_from_bytes(
    page: MergesPage, pane: UnseenPane, qtbot: QtBot
) -> None:
    unknown = [i for i in range(pane.strip.count()) if pane.strip._tokens.is_unknown(i)]
    assert [pane.strip.chip_text(i) for i in unknown] == ["s"]
    assert pane.unknown.text().startswith("Yes") and "“\u2068s\u2069”" in pane.unknown.text()
    qtbot.mouseClick(pane.again, Qt.MouseButton.LeftButton)
    assert page.learning.source.settings.base == "bytes" and pane.tokenizer.base == "bytes"
    assert pane.unknown.text().startswith("No") and not pane.again.isVisible()
    assert not any(pane.strip._tokens.is_unknown(i) for i in range(pane.strip.count()))
    with qtbot.waitSignal(pane.input.textChanged):
        pane.input.set_text("猫 🐱")
    qtbot.waitUntil(lambda: pane.walk.text == "猫 🐱")
    ids = pane.walk.ids(len(pane.walk))
    assert pane.tokenizer.decode(ids) == "猫 🐱"


def test_the_shared_tokenizer_can_be_applied_too(pane: UnseenPane, lab: Lab, qtbot: QtBot) -> None:
    index = pane.rules.findData(SHARED)
    assert index == 1 and "BPE, 512 tokens" in pane.rules.itemText(index)
    pane.rules.setCurrentIndex(index)
    pane.rules.activated.emit(index)
    assert lab.tokenizer is not None and pane.tokenizer is lab.tokenizer.tokenizer
    assert isinstance(pane.tokenizer, BPETokenizer)
    qtbot.mouseClick(pane.transport.last, Qt.MouseButton.LeftButton)
    assert pane.state.ids.tolist() == pane.tokenizer.encode(SENTENCE)


@pytest.mark.parametrize("text", ["", "x", "\u0301", "a\0b", "أحب", "<b>", "word " * 400])
def test_any_text_is_encoded(pane: UnseenPane, qtbot: QtBot, text: str) -> None:
    pane.input.set_text(text)
    qtbot.waitUntil(lambda: pane.walk.text == text)
    qtbot.waitUntil(lambda: pane.transport._steps == len(pane.walk))
    pane.transport.go_last()
    assert pane.state.ids.tolist() == pane.tokenizer.encode(text)
    pane.grab()


def test_learning_from_another_text_changes_the_rules(
    page: MergesPage, pane: UnseenPane, qtbot: QtBot
) -> None:
    page.learning.source.texts.setCurrentIndex(1)
    page.learning.source.texts.activated.emit(1)
    assert pane.tokenizer.merges == page.learning.walk.merges != ()
    assert f"{len(pane.tokenizer.merges)} merges" in pane.rules.itemText(0)
