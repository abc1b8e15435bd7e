"""The page "Everything is autocompletion": figures are tallies of the answers shown."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from engine.models.quiz import tally, write_on
from engine.workspace.choices import CorpusChoice
from gui.lab import Lab
from gui.language_models.quiz_page import PROMPT, QuizPage
from gui.language_models.quiz_run import TASKS, Exam
from gui.language_models.tab import LanguageModelsTab
from tests.gui.language_models.conftest import WAIT_MS, ready

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tab: LanguageModelsTab) -> QuizPage:
    tab.pages.show_page("quiz")
    made = tab.pages.page("quiz")
    assert isinstance(made, QuizPage)
    made.count.setValue(4)
    made.shots.setValue(1)
    return made


def asked(page: QuizPage, qtbot: QtBot) -> Exam:
    qtbot.mouseClick(page.start, LEFT)
    assert page.stop.isEnabled() and not page.start.isEnabled()
    qtbot.waitUntil(lambda: not page.running, timeout=2 * WAIT_MS)
    assert page.exam is not None
    return page.exam


def test_tables_are_tallies_and_items_can_be_leafed_through(page: QuizPage, qtbot: QtBot) -> None:
    assert page.view.empty.isVisible() and "prompt, then answer" in page.said.text()
    exam = asked(page, qtbot)
    titles = [seat.title for seat, _ in exam.replies]
    assert titles == [seat.title for seat in page.models.table.present]
    truth = len(titles) - 1
    for task in range(len(TASKS)):
        for model in range(len(titles)):
            told = tally(exam.items[task], exam.replies[model][1][task])
            cell = page.right.table.item(task, model + 2).text()
            if told.unanswered == told.items:
                assert cell == "undefined"
            else:
                assert cell.startswith(f"{told.accuracy:.0%} ")
        assert page.right.table.item(task, 0).text() == ("yes" if task < 2 else "no")
    assert page.right.table.item(0, truth + 2).text().startswith("100%")
    assert page.right.table.item(3, truth + 2).text() == "undefined"
    view = page.view
    assert view.prompt.toPlainText() == exam.items[0][0].prompt
    qtbot.mouseClick(view.forth, LEFT)
    assert view.prompt.toPlainText() == exam.items[0][1].prompt
    item, said = exam.items[0][1], exam.replies[truth][1][0][1]
    assert view.choices.item(item.right, truth).text() == f"{said.shares[item.right]:.3f} ●"
    view.task.setCurrentIndex(3)
    assert view.prompt.toPlainText() == exam.items[3][0].prompt and not view.back.isEnabled()


def test_a_bet_is_judged_by_the_tallies(page: QuizPage, qtbot: QtBot) -> None:
    card = page.bet.card
    assert "transformer" in card.question.text() and len(card.buttons) == len(TASKS) + 1
    qtbot.mouseClick(card.buttons[-1], LEFT)  # an untrained one only guesses …
    qtbot.mouseClick(card.lock_button, LEFT)
    qtbot.waitUntil(lambda: card.state == "revealed", timeout=2 * WAIT_MS)
    exam = page.exam
    assert exam is not None
    model = [seat.kind for seat, _ in exam.replies].index("transformer")
    ahead = {}
    for task in range(len(TASKS)):
        told = tally(exam.items[task], exam.replies[model][1][task])
        if told.interval[0] > exam.chance(task):
            ahead[task] = told.accuracy - exam.chance(task)
    right = max(ahead, key=ahead.__getitem__) if ahead else len(TASKS)  # … or is lucky
    assert card.buttons[right].text().startswith("✓")
    for task, (_, title, _) in enumerate(TASKS):
        told = tally(exam.items[task], exam.replies[model][1][task])
        assert f"{title.lower()} {told.accuracy:.0%}" in card.verdict.text().lower()
    page.count.setValue(5)  # other prompts, another bet
    assert card.state == "asking"


def test_figures_can_be_taken_along(page: QuizPage, tmp_path: Path, qtbot: QtBot) -> None:
    assert page.right.empty.isVisible() and not page.right.export_button.isVisible()
    asked(page, qtbot)
    assert page.right.export_button.isVisible() and not page.right.empty.isVisible()
    page.right.export_button.wanted.emit("csv", str(tmp_path / "quiz.csv"))
    text = (tmp_path / "quiz.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["", "form seen", "guessing"]
    assert rows[1][3] == page.right.table.item(0, 2).text() and len(rows) == 1 + len(TASKS)
    page.right.export_button.wanted.emit("csv", str(tmp_path / "nowhere" / "quiz.csv"))
    assert "could not be written" in page.right.notice.text and page.right.notice.isVisible()


def test_stopping_keeps_the_answers_given(page: QuizPage, qtbot: QtBot) -> None:
    page.count.setValue(200)
    qtbot.mouseClick(page.start, LEFT)
    qtbot.mouseClick(page.stop, LEFT)
    qtbot.waitUntil(lambda: not page.running, timeout=WAIT_MS)
    assert page.start.isEnabled() and not page.stop.isEnabled()


def test_a_prompt_of_ones_own_is_continued_by_every_model(
    page: QuizPage, lab: Lab, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: page.own.table.rowCount() == 3, timeout=WAIT_MS)
    assert page.field.toPlainText() == PROMPT
    assert page.own.table.item(2, 0).text() == "Mila."  # the truth knows
    page.field.setPlainText("One morning, Otto")
    assert lab.tokenizer is not None
    model = page.models.table.present[0].model
    assert model is not None
    written = write_on(model, lab.tokenizer.tokenizer, "One morning, Otto")
    wanted = " ".join(written.split()) or "nothing"
    qtbot.waitUntil(lambda: page.own.table.item(0, 0).text() == wanted, timeout=WAIT_MS)


def test_a_text_without_known_facts_is_said_so(page: QuizPage, lab: Lab, qtbot: QtBot) -> None:
    lab.choose_corpus(CorpusChoice("text", text="One two three. Four five six.\n\n" * 40))
    qtbot.waitUntil(lambda: ready(lab) and lab.corpus.language is None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "known only for" in page.said.text(), timeout=WAIT_MS)
    qtbot.mouseClick(page.start, LEFT)
    qtbot.waitUntil(lambda: not page.running, timeout=WAIT_MS)
    assert page.exam is None and "Stories" in page.said.text()
