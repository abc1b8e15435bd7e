"""Alt and a letter: on no page do two visible controls share one, or take the window's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QGroupBox,
    QLabel,
    QMenuBar,
    QTabBar,
    QWidget,
)

from engine.text import library
from gui.application import Application
from gui.offscreen import settle, wait_until
from gui.tabs import TABS

SECONDS = 60.0
PAGES = [("training", 7), ("rewards", 11), ("tokenization", 5), ("language_models", 11)]


@pytest.fixture
def app(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    monkeypatch.setattr(library, "STORY_BYTES", 30_000)
    made = Application(qapp, TABS)
    made.start()
    wait_until(lambda: made.lab.ngram is not None, SECONDS, "the first text")
    yield made
    made.close()
    made.dismantle()


def letters(window: QWidget) -> dict[str, list[str]]:
    """Who on screen answers to each letter."""
    found = defaultdict(list)
    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        match widget:
            case QLabel() if widget.buddy() is None:
                texts = []
            case QLabel() | QAbstractButton():
                texts = [widget.text()]
            case QGroupBox():
                texts = [widget.title()]
            case QTabBar():
                texts = [widget.tabText(i) for i in range(widget.count())]
            case QMenuBar():
                texts = [action.text() for action in widget.actions()]
            case _:
                texts = []
        for text in texts:
            key = QKeySequence.mnemonic(text)
            if not key.isEmpty():
                found[key.toString()[-1]].append(text)
    return found


@pytest.mark.parametrize(("key", "least"), PAGES)
def test_no_two_controls_on_a_page_share_a_letter(app: Application, key: str, least: int) -> None:
    window = app.window
    window.resize(1280, 800)
    window.show_tab(key)
    settle(app, SECONDS)
    tab = window.tab(key)
    keys = tab.page_keys  # type: ignore[attr-defined]
    assert len(keys) >= least
    shared = {}
    for page in keys:
        tab.show_page(page)  # type: ignore[attr-defined]
        settle(app, SECONDS)
        found = {k: texts for k, texts in letters(window).items() if len(texts) > 1}
        if found:
            shared[page] = found
    assert not shared
