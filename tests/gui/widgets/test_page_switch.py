"""Pages under headings, by mouse and by key, at every width and text size."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.page_switch import PageSpec, PageSwitch

LEFT = Qt.MouseButton.LeftButton
PAGES = (
    ("bars", "Next token", "Predict"),
    ("dice", "Sampling", "Predict"),
    ("ledger", "Sentence ledger", "Score"),
    ("race", "Everything is autocompletion", "Score"),
    ("write", "Generate", "Predict"),
    ("inside", "Inside", "Look inside"),
)


def specs(groups: bool = True) -> list[PageSpec]:
    return [
        PageSpec(key, title, f"About {key}.", lambda key=key: QLabel(key), group if groups else "")  # type: ignore[misc]
        for key, title, group in PAGES
    ]


def made(qtbot: QtBot, *, groups: bool = True, width: int = 1200) -> PageSwitch:
    switch = PageSwitch("Pages", specs(groups))
    qtbot.addWidget(switch)
    switch.resize(width, 700)
    with qtbot.waitExposed(switch):
        switch.show()
    switch.activateWindow()
    return switch


def titles(switch: PageSwitch) -> list[str]:
    """The titles of the pages that have a button on screen."""
    return [spec.title for spec in switch.pages if switch.button(spec.key).isVisible()]


def place(switch: PageSwitch, widget: QWidget) -> QPoint:
    return widget.mapTo(switch, QPoint(0, 0))


def test_only_the_open_headings_pages_have_buttons(qtbot: QtBot) -> None:
    switch = made(qtbot)
    assert switch.headings == ("Predict", "Score", "Look inside")
    assert titles(switch) == ["Next token", "Sampling", "Generate"]
    qtbot.mouseClick(switch.heading("Score"), LEFT)
    assert switch.current_key == "ledger"
    assert titles(switch) == ["Sentence ledger", "Everything is autocompletion"]
    assert [switch.heading(name).isChecked() for name in switch.headings] == [False, True, False]


def test_a_heading_opens_the_page_shown_last_under_it(qtbot: QtBot) -> None:
    switch = made(qtbot)
    shown: list[str] = []
    switch.shown.connect(shown.append)
    qtbot.mouseClick(switch.button("dice"), LEFT)
    qtbot.mouseClick(switch.heading("Look inside"), LEFT)
    qtbot.mouseClick(switch.heading("Predict"), LEFT)
    qtbot.mouseClick(switch.heading("Predict"), LEFT)  # open already: nothing happens
    assert shown == ["dice", "inside", "dice"]


def test_showing_a_page_opens_its_heading(qtbot: QtBot) -> None:
    switch = made(qtbot)
    switch.show_page("race")
    assert switch.heading("Score").isChecked() and switch.button("race").isVisible()
    switch.show_page("nowhere")
    assert switch.current_key == "race"


def test_the_keyboard_reaches_every_page(qtbot: QtBot) -> None:
    switch = made(qtbot)
    switch.button("bars").setFocus()
    seen = []
    for _ in PAGES:
        seen.append(switch.current_key)
        focus = switch.focusWidget()
        assert focus is switch.button(switch.current_key) and focus.isVisible()
        qtbot.keyClick(focus, Qt.Key.Key_Right)
    assert seen == [key for key, _, _ in PAGES] and switch.current_key == "bars"
    qtbot.keyClick(switch.focusWidget(), Qt.Key.Key_Up)
    assert switch.focusWidget() is switch.heading("Predict")
    qtbot.keyClick(switch.focusWidget(), Qt.Key.Key_Left)
    assert switch.focusWidget() is switch.heading("Look inside")
    assert switch.current_key == "inside"
    qtbot.keyClick(switch.focusWidget(), Qt.Key.Key_Down)
    assert switch.focusWidget() is switch.button("inside")


def test_alt_and_a_digit_lead_to_a_heading_and_on(qtbot: QtBot) -> None:
    switch = made(qtbot)
    seen = []
    for digit in "22113":
        qtbot.keyClick(switch, digit, Qt.KeyboardModifier.AltModifier)
        seen.append(switch.current_key)
    # 2 opens "Score" and goes on in it; 1 goes back to where "Predict" was left, and on.
    assert seen == ["ledger", "race", "bars", "dice", "inside"]
    assert switch.heading("Score").toolTip() == (
        "Sentence ledger; Everything is autocompletion (Alt+2)"
    )


def test_without_headings_digits_lead_to_pages_and_nine_is_the_last(qtbot: QtBot) -> None:
    switch = made(qtbot, groups=False)
    assert switch.headings == () and len(titles(switch)) == len(PAGES)
    qtbot.keyClick(switch, "4", Qt.KeyboardModifier.AltModifier)
    assert switch.current_key == PAGES[3][0]
    many = PageSwitch("Many", [PageSpec(str(n), str(n), "Tip.", QWidget) for n in range(12)])
    qtbot.addWidget(many)
    assert many.button("8").toolTip() == "Tip. (Alt+9)" and many.button("9").toolTip() == "Tip."


def test_a_heading_for_some_pages_only_is_refused(qtbot: QtBot) -> None:
    pages = [PageSpec("a", "A", "Tip.", QWidget, "One"), PageSpec("b", "B", "Tip.", QWidget)]
    with pytest.raises(ValueError, match="all pages"):
        PageSwitch("Pages", pages)


@pytest.mark.parametrize("size", [100, 200])
@pytest.mark.parametrize("width", [500, 800, 1240])
def test_no_button_is_cut_off_or_covered_and_nothing_jumps(
    qtbot: QtBot, size: int, width: int
) -> None:
    theme.current().set_text_size(size)
    switch = made(qtbot, width=width)
    tops = set()
    for name in switch.headings:
        qtbot.mouseClick(switch.heading(name), LEFT)
        buttons: list[QPushButton] = [switch.heading(n) for n in switch.headings]
        buttons += [b for s in switch.pages if (b := switch.button(s.key)).isVisible()]
        areas = [button.rect().translated(place(switch, button)) for button in buttons]
        assert all(area.left() >= 0 and area.right() < switch.width() for area in areas)
        for button, area in zip(buttons, areas, strict=True):
            assert area.width() >= min(button.sizeHint().width(), width)
            assert not any(area.intersects(b) for b in areas if b is not area)
        tops.add(place(switch, switch.page(switch.current_key)).y())
        assert place(switch, switch.page(switch.current_key)).y() >= max(a.bottom() for a in areas)
    assert len(tops) == 1


def test_a_row_within_a_row_takes_lines_of_its_own(qtbot: QtBot) -> None:
    outer, inner = FlowRow(), FlowRow()
    qtbot.addWidget(outer)
    buttons = [QPushButton(f"Button {n}") for n in range(6)]
    for button in buttons:
        inner.add(button)
    outer.add(QPushButton("First"))
    outer.add(inner)
    line = buttons[0].sizeHint().height()
    narrow = buttons[0].sizeHint().width() * 2 + 20
    assert outer.heightForWidth(4000) == line
    outer.resize(narrow, outer.heightForWidth(narrow))
    with qtbot.waitExposed(outer):
        outer.show()
    # One line for the first button, three for six buttons by two.
    assert outer.heightForWidth(narrow) >= 4 * line
    rows = sorted({button.y() for button in buttons})
    assert len(rows) == 3 and all(b - a >= line for a, b in pairwise(rows))


def test_without_scrolling_a_page_that_is_not_shown_needs_no_room(qtbot: QtBot) -> None:
    def written(words: int) -> QLabel:
        label = QLabel("word " * words)
        label.setWordWrap(True)
        return label

    pages = [
        PageSpec("long", "Long", "Much to read.", lambda: written(2000)),
        PageSpec("short", "Short", "Little to read.", lambda: written(5)),
    ]
    switch = PageSwitch("Pages", pages, keys=False, scrolls=False)
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(switch)
    area.resize(400, 300)
    area.show()
    bar = area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 300)
    switch.show_page("short")
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    switch.show_page("long")
    qtbot.waitUntil(lambda: bar.maximum() > 300)


@pytest.mark.parametrize("height", [260, 900])
def test_there_are_never_two_scroll_bars_side_by_side(qtbot: QtBot, height: int) -> None:
    def page() -> QWidget:
        whole = QWidget()
        column = QVBoxLayout(whole)
        label = QLabel("word " * 2000)
        label.setWordWrap(True)
        column.addWidget(label)
        return whole

    switch = PageSwitch("Pages", [PageSpec("long", "Long", "Much to read.", page)], keys=False)
    above = QLabel("\n" * 8)  # controls over the pages
    switch.put_above_pages(above)
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(switch)
    area.resize(600, height)
    area.show()
    inner = switch.findChild(QScrollArea)
    assert inner is not None
    bars = area.verticalScrollBar(), inner.verticalScrollBar()
    qtbot.waitUntil(lambda: any(bar.maximum() > 0 for bar in bars))
    scrolls = bars[0] if height < 400 else bars[1]  # the window; the page, where there is room
    qtbot.waitUntil(lambda: [bar.maximum() > 0 for bar in bars] == [bar is scrolls for bar in bars])
    area.resize(500, height)  # lines break elsewhere, and more of them
    qtbot.waitUntil(lambda: [bar.maximum() > 0 for bar in bars] == [bar is scrolls for bar in bars])
    area.resize(500, 260 if height > 400 else 900)
    other = bars[1] if scrolls is bars[0] else bars[0]
    qtbot.waitUntil(lambda: [bar.maximum() > 0 for bar in bars] == [bar is other for bar in bars])
