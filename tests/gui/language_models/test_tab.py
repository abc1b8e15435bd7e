"""The tab as a whole: every page can be reached, named, explained and enlarged."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.language_models.page import Page
from gui.language_models.tab import PAGES, LanguageModelsTab
from gui.theme import Theme
from gui.widgets.curve_plot import CurvePlot

KEYS = [key for _, key, *_ in PAGES]
TAKEN = "FRVHXKS"
"""Letters of the window's menus and header."""


def shown(page: QWidget, kind: type[QWidget]) -> list[QWidget]:
    """The page's own widgets of a kind (a plot's tools are the plot's business)."""
    found = []
    for widget in page.findChildren(kind):
        parent = widget.parentWidget()
        inside_plot = False
        while parent is not None and parent is not page:
            inside_plot |= isinstance(parent, CurvePlot)
            inside_plot |= isinstance(parent, (QAbstractSpinBox, QComboBox))
            parent = parent.parentWidget()
        if widget.isVisibleTo(page) and not inside_plot:
            found.append(widget)
    return found


@pytest.fixture
def page(tab: LanguageModelsTab, request: pytest.FixtureRequest) -> Page:
    tab.pages.show_page(request.param)
    made = tab.pages.page(request.param)
    assert isinstance(made, Page)
    return made


@pytest.mark.parametrize("page", KEYS, indirect=True)
def test_no_two_controls_share_a_letter(page: Page) -> None:
    letters = []
    for widget in [*shown(page, QLabel), *shown(page, QAbstractButton)]:
        key = QKeySequence.mnemonic(widget.text())  # type: ignore[attr-defined]
        if not key.isEmpty() and (not isinstance(widget, QLabel) or widget.buddy()):
            letters.append(key.toString()[-1])
    assert len(set(letters)) == len(letters), sorted(letters)
    assert not set(letters) & set(TAKEN), sorted(letters)


@pytest.mark.parametrize("page", KEYS, indirect=True)
def test_every_control_says_what_it_is_and_what_it_does(page: Page) -> None:
    controls = [
        w
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit)
        for w in shown(page, kind)
        if w.objectName() not in ("qt_spinbox_lineedit", "qt_tableview_cornerbutton")
    ]
    assert controls
    for widget in controls:
        name = widget.accessibleName()
        if isinstance(widget, QAbstractButton):
            name = name or widget.text()
        what = f"{type(widget).__name__} {widget.objectName()!r} {name!r}"
        assert name, f"{what} has no name"
        if not isinstance(widget, (QLineEdit, QPlainTextEdit)):
            assert widget.toolTip(), f"{what} has no tooltip"


@pytest.mark.parametrize("page", KEYS, indirect=True)
def test_every_page_follows_the_largest_text_and_the_dark_theme(
    page: Page, tab: LanguageModelsTab, look: Theme, qtbot: QtBot
) -> None:
    small = page.minimumSizeHint()
    look.set_text_size(200)
    look.set_mode("dark")
    qtbot.waitUntil(lambda: page.minimumSizeHint().height() > small.height())
    assert page.minimumSizeHint().width() <= 1240  # no sideways scrolling at 1280 pixels
    page.grab()


def test_keys_lead_to_every_page(tab: LanguageModelsTab, qtbot: QtBot) -> None:
    """Alt and a heading's digit, as often as the heading has pages."""
    tab.activateWindow()
    seen = set()
    for number, heading in enumerate(tab.pages.headings, 1):
        for _ in [spec for spec in tab.pages.pages if spec.group == heading]:
            qtbot.keyClick(tab, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.AltModifier)
            seen.add(tab.pages.current_key)
    assert seen == set(tab.page_keys)
