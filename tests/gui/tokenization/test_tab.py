"""The Tokenization tab: its pages, made when first shown, reached by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from gui.lab import Lab
from gui.tokenization import tab as tab_module
from gui.tokenization.tab import PAGES, Page, TokenizationTab
from gui.tokenization.text_page import TextPage
from gui.widgets.page_switch import PageSpec, PageSwitch
from tests.gui.tokenization.tab_lab import lab_fixture, settle

__all__ = ["lab_fixture"]


OURS = ("numbers", "text", "merges")


@pytest.fixture
def tab(lab: Lab, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> TokenizationTab:
    monkeypatch.setattr(tab_module, "PAGES", tuple(p for p in PAGES if p.key in OURS))
    made = TokenizationTab(lab)
    qtbot.addWidget(made)
    made.resize(1280, 640)
    with qtbot.waitExposed(made):
        made.show()
    return made


def test_it_opens_with_something_real(tab: TokenizationTab) -> None:
    assert tab.switch.current_key == "text"
    page = tab.switch.page("text")
    assert isinstance(page, TextPage) and page.rows.strips["characters"].count() == 12


def test_pages_are_made_when_first_shown(tab: TokenizationTab, lab: Lab, qtbot: QtBot) -> None:
    assert list(tab.switch._made) == ["text"]
    qtbot.mouseClick(tab.switch.button("merges"), Qt.MouseButton.LeftButton)
    assert tab.switch.current_key == "merges" and list(tab.switch._made) == ["text", "merges"]
    settle(lab, qtbot)


def test_the_keyboard_reaches_every_page(tab: TokenizationTab, lab: Lab, qtbot: QtBot) -> None:
    keys = [spec.key for spec in tab.switch.pages]
    tab.switch.button("text").setFocus()
    for _ in keys:
        before = tab.switch.current_key
        qtbot.keyClick(tab.switch.focusWidget(), Qt.Key.Key_Right)
        assert tab.switch.current_key == keys[(keys.index(before) + 1) % len(keys)]
        assert tab.switch.button(tab.switch.current_key).hasFocus()
    settle(lab, qtbot)
    number = keys.index("text") + 1
    tab.activateWindow()
    qtbot.waitActive(tab).__enter__()
    qtbot.keyClick(tab, Qt.Key(Qt.Key.Key_0.value + number), Qt.KeyboardModifier.AltModifier)
    assert tab.switch.current_key == "text"


def test_only_pages_that_are_there_are_listed(
    lab: Lab, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Page("later", "Later", "Not there yet.", "gui.tokenization.no_such_page", "Page")
    ours = tuple(p for p in PAGES if p.key in OURS)
    monkeypatch.setattr(tab_module, "PAGES", (*ours, missing))
    tab = TokenizationTab(lab)
    qtbot.addWidget(tab)
    titles = [tab.switch.button(spec.key).text() for spec in tab.switch.pages]
    assert titles == ["1 Numbers", "2 Tokens", "3 Byte-pair encoding"]


def test_a_page_that_fails_says_so_and_leaves_the_others_alone(
    lab: Lab, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, expect_log: Callable[[str], None]
) -> None:
    broken = Page("broken", "Broken", "No such class.", "gui.tokenization.text_page", "Missing")
    monkeypatch.setattr(tab_module, "PAGES", (*PAGES, broken))
    expect_log("Missing")
    made = TokenizationTab(lab)
    qtbot.addWidget(made)
    made.switch.show_page("broken")
    apology = made.switch.page("broken")
    assert isinstance(apology, QLabel) and "could not be opened" in apology.text()
    made.switch.show_page("text")
    assert made.switch.current_key == "text"


def test_pages_ask_for_no_more_height_than_there_is(lab: Lab, tab: TokenizationTab) -> None:
    for size in (100, 200):
        lab.theme.set_text_size(size)
        assert tab.heightForWidth(1280) <= 500 * size / 100
        assert tab.minimumSizeHint().width() <= 1280


def test_a_switch_without_keys_has_no_shortcuts(qtbot: QtBot) -> None:
    pages = [PageSpec(key, key.upper(), "Tip.", QWidget) for key in "ab"]
    switch = PageSwitch("Pages", pages, "b", keys=False)
    qtbot.addWidget(switch)
    assert switch.current_key == "b" and not switch._keys
    assert switch.button("a").toolTip() == "Tip."
    with pytest.raises(KeyError):
        switch.page("c")
    switch.show_page("c")
    assert switch.current_key == "b"


def test_nothing_of_the_tab_outlives_it(
    lab: Lab, qtbot: QtBot, dies: Callable[[QWidget], None]
) -> None:
    def shown() -> TokenizationTab:
        made = TokenizationTab(lab)
        made.show()
        settle(lab, qtbot)
        made.switch.show_page("merges")
        page = made.switch.page("text")
        assert isinstance(page, TextPage)
        qtbot.waitUntil(lambda: page.settled)
        return made

    dies(shown())
