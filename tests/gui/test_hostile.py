"""The hostile hour in half a minute: wrong files and texts, everything pressed in any order, and
the window closed in the middle, all in the real app.

The gates of tests/conftest.py and tests/gui/conftest.py do most of the judging: an exception in a
slot or a thread, a warning, a message of Qt's, a thread or window left behind fails the test.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QSpinBox,
    QTextEdit,
    QWidget,
)

from engine.text import library
from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.application import Application
from gui.errors import Report
from gui.offscreen import settle, wait_until
from gui.tabs import TABS
from gui.training.session import BUSY, Phase
from gui.training.whole_box import WholeBox

SECONDS = 60.0
"""The longest wait for anything; a quiet machine needs a hundredth of it."""

TEXTS = {
    "one character": "x",
    "one space and a letter": " a",
    "emoji and joiners": "👩‍👩‍👧‍👦 🇩🇪 👍🏽 " * 20,
    "combining marks": "Z̴̧̛͉a̸l̶g̵o̷ e\u0301 " * 20,
    "lone surrogates": "abc \ud800 def \udfff\n" * 20,
    "NUL bytes": "a\0b\0 c\0\n" * 20,
    "right to left": "שלום עולם. مرحبا بالعالم.\n\n" * 20,
    "no assigned character": "\U0003d000\U0010ffff\ufffe " * 20,
    "one long word": "x" * 30_000,
}


@pytest.fixture
def make_app(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Starts the app with all its tabs on a short text; ended after the test."""
    monkeypatch.setattr(library, "STORY_BYTES", 30_000)
    made: list[Application] = []

    def make() -> Application:
        application = Application(qapp, TABS)
        made.append(application)
        application.start()
        return application

    yield make
    for application in made:
        application.close()
        application.dismantle()
        assert application.clean, "the compute thread did not end"


@pytest.fixture
def app(make_app: Callable[[], Application]) -> Application:
    application = make_app()
    wait_until(lambda: application.lab.ngram is not None, SECONDS, "the first text")
    return application


def training(app: Application) -> Any:
    """The training tab, set to the smallest model and more steps than anyone waits for."""
    app.window.show_tab("training")
    tab: Any = app.window.tab("training")
    tab.setup.size_box.setCurrentIndex(0)
    tab.setup.time.setCurrentIndex(tab.setup.time.count() - 1)
    tab.setup.steps.setValue(100_000)
    return tab


def click(button: QAbstractButton) -> None:
    assert button.isEnabled(), f"{button.text()} is greyed out"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def turns(number: int) -> None:
    """Let the event loop come round so many times."""
    for _ in range(number):
        QApplication.processEvents()


# Wrong files and texts


def wrong_files(folder: Path) -> dict[str, Path | str]:
    """Files that are no text, by what must be said about each."""
    put: dict[str, bytes] = {
        "binary file": bytes(range(256)) * 50,
        "is empty": b"",
        "NUL": b"abc\0def\n" * 10,
        "nothing but spaces": b"  \n\t\n",
    }
    files: dict[str, Path | str] = {}
    for words, data in put.items():
        files[words] = folder / f"{len(files)}.txt"
        Path(files[words]).write_bytes(data)
    large = folder / "large.txt"
    with large.open("wb") as file:
        file.truncate(60_000_000)
    files["60.0 MB"] = large
    files["folder"] = folder
    files["missing|not there|no file|not found|does not exist"] = folder / "gone.txt"
    files["cannot be the name"] = "a\0b"
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.txt")
        files["not an ordinary file"] = folder / "pipe.txt"
    return files


def test_wrong_files_are_refused_in_a_sentence_and_change_nothing(
    app: Application, tmp_path: Path, expect_log: Callable[[str], None]
) -> None:
    before = app.lab.corpus
    reports: list[Report] = []
    app.errors.reported.connect(reports.append)
    for words, path in wrong_files(tmp_path).items():
        expect_log(words)
        app.lab.choose_corpus(CorpusChoice("file", path=str(path)))
        settle(app)
        wait_until(lambda: bool(reports), SECONDS, f"a word about {words}")
        assert reports.pop().sentence.endswith(".")
        assert app.lab.corpus is before and app.lab.preparing is None


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig", "cp1252"])
def test_other_encodings_are_read(app: Application, tmp_path: Path, encoding: str) -> None:
    text = "Die Straße nach Köln führt über die Brücke. Größe zählt nicht.\n" * 30
    path = tmp_path / "text.txt"
    path.write_bytes(text.encode(encoding))
    app.lab.choose_corpus(path)
    settle(app)
    corpus = app.lab.corpus
    assert corpus is not None and "Straße nach Köln" in corpus.train[0]


def test_odd_texts_pass_through_every_tab_and_tokenizer(app: Application) -> None:
    for key in app.window.keys:
        app.window.show_tab(key)
    settle(app)
    for text in TEXTS.values():
        for kind in ("characters", "bytes", "words", "bpe"):
            app.lab.choose_corpus(CorpusChoice("text", text=text))
            app.lab.choose_tokenizer(TokenizerSpec(kind, 300))
            settle(app)
            corpus, made = app.lab.corpus, app.lab.tokenizer
            assert corpus is not None and made is not None and app.lab.ngram is not None
            assert made.spec.kind == kind and len(corpus.train) >= 1


# Everything in any order


def test_the_buttons_of_a_run_in_any_order_at_any_time(app: Application) -> None:
    tab = training(app)
    dice = random.Random(5)
    transport = tab.transport
    buttons = (transport.start, transport.pause, transport.resume, transport.step, transport.stop)
    for _ in range(80):
        possible = [button for button in buttons if button.isEnabled()]
        if possible:
            click(dice.choice(possible))
        turns(dice.choice((0, 1, 5, 40)))
        if dice.random() < 0.1:
            app.theme.set_mode(dice.choice(("light", "dark")))
        if dice.random() < 0.1:
            app.theme.set_text_size(dice.choice((75, 100, 200)))
        if dice.random() < 0.2:
            app.lab.set_seed(dice.randrange(1_000))
    wait_until(lambda: transport.stop.isEnabled() or transport.start.isEnabled(), SECONDS, "rest")
    if transport.stop.isEnabled():
        click(transport.stop)
    wait_until(lambda: tab.session.phase not in BUSY, SECONDS, "the end of the run")
    assert tab.session.phase in (Phase.STOPPED, Phase.PAUSED, Phase.EMPTY)


def test_text_and_tokens_are_switched_while_training_and_while_switching(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(app.lab, "confirm", lambda what, _: bool(asked.append(what)) or True)
    tab = training(app)
    click(tab.transport.start)
    wait_until(lambda: tab.session.news is not None, SECONDS, "the first step")
    dice = random.Random(2)
    for _ in range(20):
        text = dice.choice(list(TEXTS.values()))
        kind = dice.choice(("characters", "bytes", "words", "bpe"))
        app.lab.choose_tokenizer(TokenizerSpec(kind, dice.choice((256, 300, 400))))
        turns(dice.choice((0, 1, 30)))
        app.lab.choose_corpus(dice.choice(["reader", CorpusChoice("text", text=text)]))
        turns(dice.choice((0, 1, 30)))
    app.lab.choose_corpus(CorpusChoice("text", text="The last word is had by who asks last."))
    app.lab.choose_tokenizer(TokenizerSpec("bytes"))
    wait_until(lambda: app.lab.preparing is None and app.lab.ngram is not None, SECONDS, "tokens")
    assert app.lab.corpus is not None and "asks last" in app.lab.corpus.train[0]
    assert app.lab.tokenizer is not None and app.lab.tokenizer.spec.kind == "bytes"
    assert app.lab.streams is not None
    assert tab.session.phase is Phase.RUNNING, "the run goes on, on the text it was begun with"
    click(tab.transport.stop)
    wait_until(lambda: tab.session.phase is Phase.STOPPED, SECONDS, "the end of the run")


def test_a_learning_rate_of_a_million_is_said_and_the_run_goes_on(app: Application) -> None:
    tab = training(app)
    tab.setup.recipe.setCurrentText("GPT-2 style")
    tab.setup.turn("learning_rate", 1e6)
    tab.setup.turn("warmup", 0)
    click(tab.transport.start)
    wait_until(lambda: tab.session.phase is Phase.DIVERGED, SECONDS, "the loss to blow up")
    words = tab.transport.words.text() + tab.session.problem
    assert "blew up" in words or "no number" in words
    assert app.lab.runs and np.isfinite(app.lab.runs[-1].model.next_log_probs([])).all()
    tab.session.set_rate_scale(1e-8)
    reached = tab.session.news.step
    click(tab.transport.resume)
    wait_until(lambda: tab.session.news.step > reached + 2, SECONDS, "further steps")
    click(tab.transport.stop)
    wait_until(lambda: tab.session.phase is Phase.STOPPED, SECONDS, "the end of the run")


# Closing at any moment


@pytest.mark.parametrize("moment", [0, 1, 3, 20, 200])
def test_the_window_is_closed_while_the_first_text_is_prepared(
    make_app: Callable[[], Application], moment: int
) -> None:
    app = make_app()
    turns(moment)
    app.window.close()
    assert app.clean and not app.compute.jobs


@pytest.mark.parametrize("moment", [0, 1, 10, 100, 1_000])
def test_the_window_is_closed_while_training_and_switching(app: Application, moment: int) -> None:
    tab = training(app)
    tab.setup.turn("eval_every", 1)  # so that it scores and keeps checkpoints all the time
    click(tab.transport.start)
    turns(moment)
    if moment % 3:
        app.lab.choose_corpus("reader")
        app.lab.choose_tokenizer(TokenizerSpec("characters"))
    app.window.close()
    assert app.clean


# A monkey


TYPED = [
    "",
    "a",
    "1e6",
    "-1",
    "nan",
    "9" * 40,
    "\ud800",
    "a\0b",
    "e\u0301",
    "שלום",
    "👩‍👩‍👧‍👦",
    "The cat",
]


class Monkey:
    """Uses whatever can be used, at random; dialogs are closed for it."""

    def __init__(self, app: Application, seed: int) -> None:
        self.app = app
        self.dice = random.Random(seed)
        self.done: list[str] = []

    def run(self, number: int) -> None:
        """Do so many things; every one may be followed by some turns of the event loop."""
        closer = QTimer()
        closer.timeout.connect(self.close_dialogs)
        closer.start(10)
        for _ in range(number):
            self.act()
            loop = QEventLoop()
            QTimer.singleShot(self.dice.choice((0, 0, 5, 30)), loop.quit)
            loop.exec()
        closer.stop()
        self.close_dialogs()

    def close_dialogs(self) -> None:
        for widget in (QApplication.activePopupWidget(), QApplication.activeModalWidget()):
            if widget is not None:
                widget.close()
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog):
                widget.close()

    def act(self) -> None:
        window, dice = self.app.window, self.dice
        if dice.random() < 0.1:
            window.show_tab(dice.choice(window.keys))
            return
        kinds = (QAbstractButton, QComboBox, QAbstractSlider, QAbstractSpinBox, QLineEdit)
        tab = window.tab(window.current_key)
        usable = [
            w
            for w in tab.findChildren(QWidget)
            if isinstance(w, (*kinds, QPlainTextEdit, QTextEdit))
            and w.isVisible()
            and w.isEnabled()
            and not isinstance(w, QScrollBar)
            and not isinstance(w.parent(), (QAbstractSpinBox, QComboBox))
        ]
        if usable:
            self.use(dice.choice(usable))

    def use(self, widget: QWidget) -> None:
        dice = self.dice
        name = widget.accessibleName() or widget.objectName() or getattr(widget, "text", str)()
        self.done.append(f"{type(widget).__name__} {name!r}")
        match widget:
            case QAbstractButton():
                widget.click()
            case QComboBox() if widget.count():
                index = dice.randrange(widget.count())
                widget.setCurrentIndex(index)
                widget.activated.emit(index)
            case QAbstractSlider():
                widget.setValue(dice.randint(widget.minimum(), widget.maximum()))
            case WholeBox() if dice.random() < 0.5:
                line = widget.lineEdit()
                line.setText(dice.choice(TYPED))
                line.textEdited.emit(line.text())
                widget.editingFinished.emit()
            case QSpinBox() | WholeBox():
                # Small values: a model of the largest size is no test of the window.
                widget.setValue(min(widget.maximum(), widget.minimum() + dice.randrange(8)))
            case QLineEdit() if not widget.isReadOnly():
                widget.setText(dice.choice(TYPED))
                widget.textEdited.emit(widget.text())
                widget.returnPressed.emit()
                widget.editingFinished.emit()
            case QPlainTextEdit() | QTextEdit() if not widget.isReadOnly():
                widget.setPlainText(dice.choice(TYPED))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_monkey_finds_nothing(
    app: Application, seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *args, **options: ("", ""))
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)
    reports: list[Report] = []
    app.errors.reported.connect(reports.append)
    monkey = Monkey(app, seed)
    monkey.run(100)
    app.compute.stop_all()
    settle(app)
    assert not reports, (reports, monkey.done[-5:])
