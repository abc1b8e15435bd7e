"""The experiment: noise, shuffled tables, and the questions before them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QScrollArea, QSlider, QWidget
from pytestqt.qtbot import QtBot

from engine.signals import code_points, read_wav
from gui.theme import Theme
from gui.tokenization.numbers.columns import SoundColumn
from gui.tokenization.numbers.experiment_pane import QUESTIONS, ExperimentPane
from gui.tokenization.numbers.model import MAX_AMPLITUDE, Kind, NumbersModel
from gui.tokenization.numbers.scores import score
from gui.tokenization.numbers_page import PARTS, NumbersPage
from tests.gui.tokenization.numbers_lab import (  # noqa: F401
    SmallLab,
    lab_fixture,
    move_mouse,
    page_fixture,
    turn_wheel,
)


@pytest.fixture
def pane(page: NumbersPage, qtbot: QtBot) -> ExperimentPane:
    qtbot.mouseClick(page.parts.button(3), Qt.MouseButton.LeftButton)
    return page.experiment


def answer(pane: ExperimentPane, qtbot: QtBot, choice: int) -> None:
    qtbot.mouseClick(pane.card.buttons[choice], Qt.MouseButton.LeftButton)


def verdicts(pane: ExperimentPane) -> list[str]:
    return [column.verdict.text() for column in pane.columns]


def test_the_lesson_from_the_first_question_to_free_play(
    pane: ExperimentPane, qtbot: QtBot
) -> None:
    model = pane._model
    assert not pane.slider.isEnabled()
    assert not pane.shuffle.isEnabled()
    assert verdicts(pane) == ["Untouched"] * 3
    answer(pane, qtbot, 0)
    assert pane.card.verdict.text().startswith("Not quite. In a picture")
    assert [b.text()[0] for b in pane.card.buttons] == ["✕", "✓", "O", "N"]
    assert (model.amplitude, model.shuffled) == (10, False)
    assert verdicts(pane) == ["Hardly changed", "Hardly changed", "Garbage"]
    assert pane.slider.isEnabled()
    assert not pane.shuffle.isEnabled()

    pane.slider.setFocus()
    qtbot.keyClick(pane.slider, Qt.Key.Key_Right)
    assert model.amplitude == 11
    assert pane.amount.text() == "±11"
    qtbot.mouseClick(pane.card.next_button, Qt.MouseButton.LeftButton)
    assert (model.amplitude, model.shuffled) == (0, False)
    assert not pane.slider.isEnabled()

    answer(pane, qtbot, 0)
    assert pane.card.verdict.text().startswith("Right. Any table")
    assert pane.card.score == (1, 2)
    assert (model.amplitude, model.shuffled) == (0, True)
    assert verdicts(pane) == ["Exactly the same"] * 3
    sentences = [column.sentence.text() for column in pane.columns]
    assert sentences == [
        "0 of 43,200 numbers differ.",
        "0 of 76,734 numbers differ.",
        "0 of 12 characters differ.",
    ]

    qtbot.mouseClick(pane.card.next_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    assert pane.card.verdict.text().startswith("The answer: None of them. In a shuffled")
    assert (model.amplitude, model.shuffled) == (11, True)  # the same noise as before
    assert verdicts(pane) == ["Ruined", "Ruined", "Garbage"]
    assert not pane.card.next_button.isVisible()

    qtbot.keyClick(pane.shuffle, Qt.Key.Key_Space)
    assert (model.amplitude, model.shuffled) == (11, False)
    assert verdicts(pane) == ["Hardly changed", "Hardly changed", "Garbage"]
    qtbot.mouseClick(pane.reset, Qt.MouseButton.LeftButton)
    assert (model.amplitude, model.shuffled) == (0, False)
    assert verdicts(pane) == ["Untouched"] * 3
    assert pane.card.open
    assert pane.card.score == (0, 0)
    assert not pane.slider.isEnabled()


def test_what_is_on_screen_is_what_was_computed(pane: ExperimentPane, qtbot: QtBot) -> None:
    model = pane._model
    picture, sound, text = pane.columns
    for _ in range(2):
        qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(pane.card.next_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    for kind, things in (
        (Kind.PICTURE, picture.after.picture),
        (Kind.SOUND, sound.after.sound.samples),
        (Kind.TEXT, text.after.points),
    ):
        table = model.table(kind)
        written = model.reading(kind).written
        received = model.reading(kind).received
        assert (table.codes[model.things(kind)] == written).all()
        assert 1 <= np.abs(received - written).max() <= 10
        assert (table.codes[things] == received).all()  # the table maps what is shown to it
    row, column = 90, 100
    assert picture.after.values_at(row, column) == (
        int(model.reading(Kind.PICTURE).received[row, column]),
    )
    assert "which stands for intensity" in picture.after.describe(row, column)
    assert str(sound.after.value_at(500)) == str(model.reading(Kind.SOUND).received[500])


def test_the_sentences_measure_the_change(pane: ExperimentPane, qtbot: QtBot) -> None:
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    model = pane._model
    picture = np.abs(model.reading(Kind.PICTURE).things - model.picture)
    mean = 100 * picture.mean() / 255
    assert pane.columns[0].sentence.text() == (
        f"Mean change {mean:.1f} % of the range, 43,200 of 43,200 differ."
    )
    assert pane.columns[2].sentence.text().endswith("0 of 12 characters right.")


def test_more_noise_never_changes_a_number_less(pane: ExperimentPane, qtbot: QtBot) -> None:
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    model = pane._model
    before = {kind: np.zeros(model.things(kind).shape, dtype=np.int64) for kind in Kind}
    for amplitude in range(MAX_AMPLITUDE + 1):
        pane.slider.setValue(amplitude)
        for kind in Kind:
            moved = np.abs(model.reading(kind).things - model.things(kind))
            assert (moved >= before[kind]).all()
            assert moved.max() <= amplitude
            before[kind] = moved


def test_both_sounds_can_be_played_and_a_hiss_is_announced(
    pane: ExperimentPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()) or True
    )
    model, column = pane._model, pane.columns[1]
    assert isinstance(column, SoundColumn)
    assert not column.message.isVisible()
    for _ in range(2):
        qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(pane.card.next_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    assert "loud hiss" in column.message.text()
    for button, samples in (
        (column.play_before, model.sound.samples),
        (column.play_after, model.reading(Kind.SOUND).things),
    ):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert (read_wav(Path(opened[-1])).samples == samples).all()


def test_the_seed_decides_and_is_shown(
    pane: ExperimentPane,
    qtbot: QtBot,
    lab: SmallLab,
) -> None:
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    model = pane._model
    assert pane.seed.text() == "Seed 7"
    first = {kind: model.reading(kind).things for kind in Kind}
    lab.set_seed(8)
    assert pane.seed.text() == "Seed 8"
    assert any((model.reading(kind).things != first[kind]).any() for kind in Kind)
    assert (pane.columns[0].after.picture == model.reading(Kind.PICTURE).things).all()
    lab.set_seed(7)
    for kind in Kind:
        assert (model.reading(kind).things == first[kind]).all()
    again = NumbersModel(7)
    again.set_experiment(10, False)
    for kind in Kind:
        assert (again.reading(kind).things == first[kind]).all()


def test_own_text_colour_and_no_text_go_through_the_experiment(
    page: NumbersPage,
    pane: ExperimentPane,
    qtbot: QtBot,
) -> None:
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    page.model.set_text("我喜欢吃苹果")
    assert pane.columns[2].before.points.tolist() == code_points("我喜欢吃苹果").tolist()
    assert verdicts(pane)[2] == "Garbage"
    page.model.set_text("")
    assert verdicts(pane)[2] == "Empty"
    page.model.set_in_colour(True)
    after = page.model.reading(Kind.PICTURE).things
    different = int((after != page.model.picture).sum())  # white can't get any whiter
    assert 129_000 < different < 129_600
    assert pane.columns[0].sentence.text().endswith(f"{different:,} of 129,600 differ.")
    assert pane.columns[0].after.picture.shape == (180, 240, 3)


def test_before_and_after_zoom_and_point_together(pane: ExperimentPane, qtbot: QtBot) -> None:
    picture, sound, text = pane.columns
    point = QPointF(picture.before.width() / 2, picture.before.height() / 2)
    assert not turn_wheel(picture.before, point, 1)  # the page's, until the picture was clicked
    qtbot.mouseClick(picture.before, Qt.MouseButton.LeftButton, pos=point.toPoint())
    for _ in range(20):
        turn_wheel(picture.before, point, 1)
    assert picture.after.cell() == picture.before.cell()
    assert picture.after.numbers_are_shown()
    move_mouse(picture.before, point + QPointF(1, 1))
    assert picture.after.viewport.at == picture.before.viewport.at != (-1, -1)
    sound.before.show_numbers(1000)
    assert sound.after.stretch() == sound.before.stretch()
    move_mouse(text.after.viewport(), text.after.cell_rect(4).center())
    assert text.before.at == 4


def test_the_lookup_table_shows_its_entries(pane: ExperimentPane, qtbot: QtBot) -> None:
    table = pane.columns[2].table
    assert table.numbers() == [70, 71, 72, 73, 74]  # around the text's first letter, H
    assert [chr(table.meaning(n, 1)) for n in table.numbers()] == list("FGHIJ")  # type: ignore[arg-type]
    assert table.meaning(72, 2) is None  # not before it was asked about
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.card.next_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(pane.card.show_button, Qt.MouseButton.LeftButton)
    shuffled = pane._model.table(Kind.TEXT, shuffled=True)
    number = int(shuffled.codes[ord("H")])
    assert number in table.numbers()
    assert table.meaning(number, 2) == ord("H")
    move_mouse(pane.columns[2].before.viewport(), pane.columns[2].before.cell_rect(1).center())
    number = int(shuffled.codes[ord("e")])
    assert table.meaning(number, 2) == ord("e")
    assert "LATIN SMALL LETTER E" in table.row_in_words(number)
    edge = pane.columns[0].table
    edge.set_tables(255, pane._model.table(Kind.PICTURE, shuffled=False), None, False)
    assert edge.numbers() == [251, 252, 253, 254, 255]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_right_answers_are_what_happens(question: object) -> None:
    """The choices marked right agree with the scores, for several seeds."""
    stage = QUESTIONS.index(question)  # type: ignore[arg-type]
    for seed in range(5):
        model = NumbersModel(seed)
        model.set_experiment(0 if stage == 1 else 10, stage > 0)
        fine = [
            score(kind, model.things(kind), model.reading(kind).things, touched=True).tint == "good"
            for kind in Kind
        ]
        expected = {0: [True] * 3, 1: [True, True, False], 3: [False] * 3}
        assert fine == expected[QUESTIONS[stage].right]


def test_scores_have_their_bounds() -> None:
    things = np.full(1000, 100)
    for move, verdict in ((1, "Hardly changed"), (30, "Disturbed"), (90, "Ruined")):
        assert score(Kind.PICTURE, things, things + move, touched=True).verdict == verdict
    text = np.arange(100)
    nearly = text.copy()
    nearly[:5] += 1
    assert score(Kind.TEXT, text, nearly, touched=True).verdict == "Readable"
    assert score(Kind.TEXT, text, text + 1, touched=True).verdict == "Garbage"


# ------------------------------------------------------------------------------------- the page


def test_the_parts_in_the_order_of_the_lesson(page: NumbersPage, qtbot: QtBot) -> None:
    panes = [page.picture, page.sound, page.text, page.experiment]
    for index, pane in enumerate(panes):
        assert [p.isVisible() for p in panes] == [p is pane for p in panes]
        assert page.parts.chosen() == index
        if index < 3:
            assert page.onward.text() == f"Next: {PARTS[index + 1][0].lower()}"
            qtbot.mouseClick(page.onward, Qt.MouseButton.LeftButton)
    assert not page.onward.isVisible()
    page.parts.button(3).setFocus()
    qtbot.keyClick(page.parts.button(3), Qt.Key.Key_Left)
    assert page.text.isVisible()


@pytest.mark.parametrize("size", [75, 200, 250])
def test_nothing_is_wider_than_the_page(
    page: NumbersPage,
    look: Theme,
    size: int,
) -> None:
    look.set_text_size(size)
    page.resize(1240, 560)
    for index in range(4):
        page.parts.choose(index)
        QTest.qWait(0)  # layouts settle
        page.grab()
        for area in page.findChildren(QScrollArea):
            if area.isVisible():
                assert area.horizontalScrollBar().maximum() == 0
        for button in page.findChildren(QAbstractButton):
            if button.isVisible() and button.text():
                needed = button.minimumSizeHint().width()
                assert button.width() >= min(needed, 1100), button.text()
                right = button.mapTo(page, QPoint(button.width(), 0)).x()
                assert right <= page.width(), button.text()


@pytest.mark.parametrize(("size", "width"), [(100, 1240), (200, 1240), (200, 1920), (250, 900)])
def test_no_words_are_cut_off_during_the_lesson(
    page: NumbersPage, qtbot: QtBot, look: Theme, size: int, width: int
) -> None:
    look.set_text_size(size)
    page.resize(width, 900)
    page.parts.choose(3)
    card = page.experiment.card
    for stage in range(3):
        for act in (card.buttons[0].click, card.next_button.click if stage < 2 else page.repaint):
            qtbot.waitUntil(lambda: not cut_off(page))
            act()
    page.experiment.reset.click()
    for _ in range(2):  # without a turn of the event loop between
        card.show_button.click()
        card.next_button.click()
    card.show_button.click()
    qtbot.waitUntil(lambda: not cut_off(page))


def cut_off(page: NumbersPage) -> list[str]:
    """The labels that have less room than their words need."""
    found = []
    for label in page.findChildren(QLabel):
        if label.isVisible():
            least, wraps = label.minimumSizeHint(), label.wordWrap()
            height = label.heightForWidth(label.width()) if wraps else least.height()
            if label.height() < height or (label.width() < least.width() and not wraps):
                found.append(label.text())
    return found


def test_in_an_area_that_scrolls_the_page_scrolls_by_itself(
    qtbot: QtBot,
    look: Theme,
    lab: SmallLab,
) -> None:
    look.set_text_size(200)
    area = QScrollArea()
    qtbot.addWidget(area)
    area.setWidgetResizable(True)
    area.setWidget(NumbersPage(lab))  # type: ignore[arg-type]
    area.resize(1280, 480)
    with qtbot.waitExposed(area):
        area.show()
    QTest.qWait(0)
    assert area.verticalScrollBar().maximum() == 0
    assert area.horizontalScrollBar().maximum() == 0


def test_everything_has_a_name_a_tooltip_and_a_key(page: NumbersPage) -> None:
    for kind in (QAbstractButton, QSlider, QComboBox):
        for widget in page.findChildren(kind):
            if widget.isHidden() or widget.objectName().startswith("qt_"):
                continue
            assert widget.accessibleName() or getattr(widget, "text", str)(), widget
            assert widget.toolTip(), widget
            group = widget.group() if isinstance(widget, QAbstractButton) else None
            if group is None or widget.isChecked():  # arrow keys lead to the others of a group
                assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_the_experiment_is_saved_as_a_picture(pane: ExperimentPane, tmp_path: Path) -> None:
    pane.export.wanted.emit("png", str(tmp_path / "e.png"))
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_dies_with_its_window(
    qtbot: QtBot,
    look: Theme,
    lab: SmallLab,
    dies: Callable[[QWidget], None],
) -> None:
    window = QWidget()
    made = NumbersPage(lab, window)  # type: ignore[arg-type]
    window.show()
    del made
    dies(window)
