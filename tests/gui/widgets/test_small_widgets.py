"""Notices, folds, tiles, terms, number fields, flowing rows and legends."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLabel, QPushButton, QToolTip, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.colours import DARK, LIGHT
from gui.theme import palette
from gui.widgets.elided_label import ElidedLabel
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.fold_box import FoldBox
from gui.widgets.notice import EmptyState, Notice
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label, plain_tooltip
from gui.widgets.stat_tile import StatTile, Term
from tests.gui.widgets.helpers import has_colour, picture

HOSTILE = "<b>bold</b> & <script>x</script>\n[link](http://x)"


def test_labels_and_tooltips_read_no_markup(qtbot: QtBot) -> None:
    label = plain_label(HOSTILE)
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText
    tip = plain_tooltip(HOSTILE)
    assert "<b>" not in tip and "<script>" not in tip and "<br>" in tip
    assert plain_tooltip("") == ""


def test_a_notice_says_and_hides(qtbot: QtBot) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    assert notice.isHidden()
    notice.say(HOSTILE, "error", "Mend it")
    assert notice.isVisible() and notice.text == HOSTILE and notice.tone == "error"
    assert notice.accessibleName().startswith("error: ")
    with qtbot.waitSignal(notice.pressed):
        qtbot.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    notice.clear()
    assert notice.isHidden()


@pytest.mark.parametrize("tone", ["info", "good", "warning", "error"])
def test_a_notices_ground_follows_the_theme(qtbot: QtBot, tone: str) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    notice.resize(300, 80)
    name = {"info": "accent", "good": "good", "warning": "warning", "error": "bad"}[tone]
    for colours in (LIGHT, DARK):
        notice.setPalette(palette(colours))
        notice.say("So it is.", tone)  # type: ignore[arg-type]
        assert has_colour(picture(notice), colours.color(f"{name}_soft"))
        assert has_colour(picture(notice), colours.color(name))


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_notice_is_as_high_as_its_text(qtbot: QtBot, scale: float) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    notice = Notice(window)
    layout.addWidget(notice)
    layout.addStretch(1)
    font = QFont(window.font())
    font.setPointSizeF(font.pointSizeF() * scale)
    window.setFont(font)
    notice.say("The learning rate is far too large for this model. " * 4, "warning", "Lower it")
    window.resize(420, 900)
    with qtbot.waitExposed(window):
        window.show()
    label = notice.label
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()))
    assert notice.rect().contains(label.geometry())
    assert label.geometry().bottom() < notice._row.geometry().top()


def test_a_wide_notice_is_one_line_high_from_its_first_showing_on(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    notice = Notice(window)
    layout.addWidget(notice)
    layout.addStretch(1)
    window.resize(1240, 400)
    with qtbot.waitExposed(window):
        window.show()
    notice.say("Its runs are kept.", "good", "Compare them")
    side_by_side = notice.button.sizeHint().height() + 20  # with the frame, and no label above
    qtbot.waitUntil(lambda: notice.width() > 1000 and notice.height() < side_by_side, timeout=3000)


def test_an_empty_state_leads_on(qtbot: QtBot) -> None:
    state = EmptyState("No run yet", "Choose a preset and press Start.", "Start")
    qtbot.addWidget(state)
    state.resize(300, 300)
    state.show()
    with qtbot.waitSignal(state.pressed):
        qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    without = EmptyState("Nothing", "There is nothing to do.")
    qtbot.addWidget(without)
    without.show()
    assert not without.button.isVisible()


def test_a_fold_opens_by_mouse_and_keyboard(qtbot: QtBot) -> None:
    fold = FoldBox("All knobs & more")
    qtbot.addWidget(fold)
    inside = QLabel("inside")
    fold.set_content(inside)
    fold.show()
    assert not inside.isVisible() and not fold.is_open
    with qtbot.waitSignal(fold.toggled) as toggled:
        qtbot.mouseClick(fold.button, Qt.MouseButton.LeftButton)
    assert toggled.args == [True] and inside.isVisible()
    qtbot.keyClick(fold.button, Qt.Key.Key_Space)
    assert not inside.isVisible()
    assert fold.button.accessibleName() == "All knobs & more, folded away"


def test_a_tile_shows_number_and_unit(qtbot: QtBot) -> None:
    tile = StatTile("held-out loss", "nats", "Mean of −ln p over held-out tokens.")
    qtbot.addWidget(tile)
    assert tile.text() == "–" and "not known yet" in tile.accessibleName()
    tile.set_value(1.87321)
    assert tile.text() == "1.873 nats"
    tile.set_value(math.nan)
    assert tile.text() == "not a number nats"
    tile.set_value("3 of 4")
    assert tile.accessibleName() == "held-out loss: 3 of 4 nats"


def test_a_term_explains_itself_to_the_keyboard_too(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    first, term = QPushButton("first"), Term("perplexity", HOSTILE)
    layout.addWidget(first)
    layout.addWidget(term)
    with qtbot.waitActive(window):
        window.show()
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert term.hasFocus()
    assert "&lt;b&gt;" in QToolTip.text()
    assert term.accessibleDescription() == HOSTILE
    term.grab()
    QToolTip.hideText()


@pytest.fixture
def field(qtbot: QtBot) -> NumberField:
    made = NumberField("learning rate", 0.003, low=0.0, high=1.0, geometric=True)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("abc", "not a number"),
        ("", "not a number"),
        ("1e6", "At most 1."),
        ("-1", "At least 0."),
        ("nan", "finite"),
        ("inf", "finite"),
        ("１２٣", "At most"),  # digits of other scripts are numbers
    ],
)
def test_a_bad_number_is_explained_and_not_taken(
    field: NumberField, qtbot: QtBot, typed: str, problem: str
) -> None:
    heard: list[float] = []
    field.value_changed.connect(heard.append)
    field.box.selectAll()
    if typed.isascii() and typed:
        qtbot.keyClicks(field.box.lineEdit(), typed)
    else:
        field.box.lineEdit().setText(typed)
    assert problem in field.problem.text() and field.problem.isVisible()
    assert not field.is_valid() and field.value() in (0.003, *heard)


def test_a_good_number_is_taken(field: NumberField, qtbot: QtBot) -> None:
    with qtbot.waitSignal(field.validity_changed) as valid:
        field.box.lineEdit().setText("x")
    assert valid.args == [False]
    with qtbot.waitSignals([field.value_changed, field.validity_changed]):
        field.box.lineEdit().setText(" 1e-2 ")
    assert field.value() == 0.01 and field.is_valid() and not field.problem.isVisible()


def test_steps_go_along_the_scale_and_stop_at_bounds(field: NumberField, qtbot: QtBot) -> None:
    seen = []
    for _ in range(9):
        qtbot.keyClick(field.box, Qt.Key.Key_Up)
        seen.append(field.value())
    assert seen == pytest.approx([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0])
    qtbot.keyClick(field.box, Qt.Key.Key_Down)
    assert field.value() == pytest.approx(0.5)


def test_whole_numbers_and_bounds(qtbot: QtBot) -> None:
    field = NumberField("layers", 3, low=1, high=12, whole=True)
    qtbot.addWidget(field)
    assert field.read("3.5") == (None, "The number must be whole.")
    assert field.read("4.0") == (4.0, "")
    field.set_value(99)
    assert field.value() == 12
    with pytest.raises(ValueError, match="between"):
        NumberField("layers", 0, low=1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("abcdefgh ", min_size=1, max_size=14), max_size=9), st.integers(60, 700))
def test_a_flowing_row_never_overlaps_or_cuts(qtbot: QtBot, texts: list[str], width: int) -> None:
    row = FlowRow()
    try:
        buttons = [QPushButton(text) for text in texts]
        for button in buttons:
            row.add(button)
        row.resize(width, max(1, row.heightForWidth(width)))
        row.layout().activate()  # type: ignore[union-attr]
        row.layout().setGeometry(row.rect())  # type: ignore[union-attr]
        for a, b in combinations(buttons, 2):
            assert not a.geometry().intersects(b.geometry())
        for button in buttons:
            assert button.geometry().bottom() <= row.height()
            assert button.geometry().right() <= max(width, button.minimumSizeHint().width())
    finally:
        row.deleteLater()


def test_an_elided_label_shows_what_fits_and_tells_the_rest(qtbot: QtBot) -> None:
    label = ElidedLabel()
    qtbot.addWidget(label)
    label.show()
    label.setText("898.5 kB to learn from <b>")
    label.resize(label.sizeHint())
    assert label.shown == label.text() and not label.toolTip()
    label.resize(label.width() // 2, label.height())
    assert label.shown.endswith("…") and label.text().endswith("<b>")
    assert "&lt;b&gt;" in label.toolTip() and label.minimumSizeHint().width() == 0


def test_a_fitting_frame_grows_with_what_is_said_inside(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 60)
    around = QVBoxLayout(window)
    frame = FittingFrame(window)
    around.addWidget(frame)
    column = QVBoxLayout(frame)
    first, second = plain_label("Short.", frame, wrap=True), plain_label("Below.", frame)
    column.addWidget(first)
    column.addWidget(second)
    with qtbot.waitExposed(window):
        window.show()
    first.setText("A verdict that takes several lines where there is little room. " * 5)
    qtbot.waitUntil(lambda: first.height() >= first.heightForWidth(first.width()))
    assert first.geometry().bottom() < second.geometry().top()
    high = frame.minimumHeight()
    first.setText("Short again.")
    qtbot.waitUntil(lambda: frame.minimumHeight() < high)
