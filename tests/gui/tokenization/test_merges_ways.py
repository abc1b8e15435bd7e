"""BPE's pages by hand: clicks on the slider, the first step of Play, counts where one points."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.tokenizers import BPETokenizer
from gui.lab import Lab
from gui.tokenization.merges_learn import LearnPane
from gui.tokenization.merges_page import MergesPage
from gui.tokenization.merges_transport import JumpSlider
from tests.gui.tokenization.tab_lab import lab_fixture, settle

__all__ = ["lab_fixture"]


@pytest.fixture
def page(lab: Lab, qtbot: QtBot) -> MergesPage:
    made = MergesPage(lab)
    qtbot.addWidget(made)
    made.resize(1200, 900)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def pane(page: MergesPage) -> LearnPane:
    return page.learning


def test_a_click_on_the_slider_goes_there(pane: LearnPane, qtbot: QtBot) -> None:
    slider, middle = pane.transport.slider, pane.transport.slider.height() // 2
    steps = len(pane.walk)
    for share in (0.5, 0.9, 0.1):
        x = round(slider.width() * share)
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, middle))
        assert abs(pane.state.step - steps * share) <= 1
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, middle))
    assert pane.state.step == steps
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(0, middle))
    assert pane.state.step == 0


def test_the_handle_follows_the_mouse_that_clicked(qtbot: QtBot) -> None:
    slider = JumpSlider()
    qtbot.addWidget(slider)
    slider.setRange(0, 100)
    slider.resize(400, 24)
    with qtbot.waitExposed(slider):
        slider.show()
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(200, 12))
    assert 45 <= slider.value() <= 55
    QTest.mouseMove(slider, QPoint(300, 12))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(300, 12))
    assert 70 <= slider.value() <= 80
    before = slider.value()
    QTest.mouseClick(slider, Qt.MouseButton.RightButton, pos=QPoint(20, 12))
    assert slider.value() == before


def test_play_starts_at_once_however_slow_it_is(pane: LearnPane, qtbot: QtBot) -> None:
    pane.transport.speed.setCurrentIndex(0)
    qtbot.mouseClick(pane.transport.play, Qt.MouseButton.LeftButton)
    assert pane.state.step == 1 and pane.transport.playing
    qtbot.mouseClick(pane.transport.play, Qt.MouseButton.LeftButton)
    assert pane.state.step == 1 and not pane.transport.playing
    pane.transport.go_to(len(pane.walk) - 1)
    qtbot.mouseClick(pane.transport.play, Qt.MouseButton.LeftButton)
    assert pane.state.step == len(pane.walk)
    assert not pane.transport.playing and pane.transport.play.text() == "Play"


def test_the_answer_is_in_view_after_a_guess(pane: LearnPane, qtbot: QtBot) -> None:
    pane.predict.setChecked(True)
    pane.pairs.verticalScrollBar().setValue(pane.pairs.verticalScrollBar().maximum())
    assert pane.state.next is not None
    pane.guess(pane.state.next.left, pane.state.next.right)
    model = pane.pairs.pairs_model
    answer = next(i for i, p in enumerate(model.pairs) if (p.left, p.right) == model.next)
    shown = pane.pairs.visualRect(model.index(answer, 0))
    assert pane.pairs.viewport().rect().contains(shown)


def test_pointing_tells_how_often_a_token_stands_in_the_text(pane: LearnPane) -> None:
    for step in (0, 4, 11):
        pane.transport.go_to(step)
        chips = [pane.strip.chip_text(i) for i in range(pane.strip.count())]
        for index, chip in enumerate(chips):
            assert f"count {chips.count(chip)}\n" in pane.strip.info_text(index)
    pane.transport.go_to(4)
    pane.predict.setChecked(True)
    assert "count" not in pane.strip.info_text(0)


def test_pointing_at_unseen_text_tells_counts_of_the_text_learned_from(
    page: MergesPage, lab: Lab, qtbot: QtBot
) -> None:
    learning, unseen = page.learning, page.unseen
    last = learning.walk.ids(len(learning.walk)).tolist()
    told = 0
    for step in (0, len(unseen.walk)):
        unseen.transport.go_to(step)
        for index in range(unseen.strip.count()):
            token = unseen.strip.token_id(index)
            words = unseen.strip.info_text(index)
            if token == unseen.tokenizer.unknown_id:
                assert "count" not in words
            else:
                assert unseen.tokenizer.token_bytes(token) == learning.walk.tokens[token]
                assert f"count {last.count(token)}\n" in words
                told += last.count(token)
    assert told > 10
    unseen.rules.setCurrentIndex(1)
    unseen._rules_chosen()
    settle(lab, qtbot)
    qtbot.waitUntil(lambda: lab.streams is not None)
    assert lab.corpus is not None and isinstance(unseen.tokenizer, BPETokenizer)
    ids = np.concatenate([unseen.tokenizer.encode_array(text) for text in lab.corpus.train])
    for index in range(unseen.strip.count()):
        count = int(np.count_nonzero(ids == unseen.strip.token_id(index)))
        assert f"count {count:,}" in unseen.strip.info_text(index)
