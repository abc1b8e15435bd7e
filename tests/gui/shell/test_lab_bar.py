"""The shared choices above the tabs, through real keys and clicks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from engine.workspace.choices import CorpusChoice, TokenizerSpec
from gui.choice_dialogs import LONGEST_EDITED, OwnTextDialog, TokenizerDialog
from gui.compute import ComputeThread
from gui.errors import ErrorSink
from gui.lab import Lab
from gui.lab_bar import LabBar
from gui.settings import Preferences
from gui.theme import Theme
from tests.gui.conftest import WAIT_MS, flush_deletes

TEXT = "The feral cat attacked my cat. My cat bit the attacking cat.\n\n" * 40


@pytest.fixture
def lab(compute: ComputeThread, look: Theme, tmp_path: Path) -> Iterator[Lab]:
    errors = ErrorSink()
    made = Lab(compute, Preferences(tmp_path), look, errors)
    made.choose_tokenizer(TokenizerSpec("bytes"))
    made.choose_corpus(CorpusChoice("text", text=TEXT))
    yield made
    made.deleteLater()
    errors.deleteLater()
    flush_deletes()


@pytest.fixture
def bar(lab: Lab, qtbot: QtBot) -> LabBar:
    made = LabBar(lab)
    qtbot.addWidget(made)
    made.show()
    settle(lab, qtbot)
    return made


def settle(lab: Lab, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: lab.preparing is None and not lab.compute.jobs, timeout=WAIT_MS)


def choose(box: QComboBox, text: str, qtbot: QtBot) -> None:
    """Open the list, go to an entry with the keyboard, take it."""
    qtbot.keyClick(box, Qt.Key.Key_F4)
    box.view().setCurrentIndex(box.model().index(box.findText(text), 0))
    qtbot.keyClick(box.view(), Qt.Key.Key_Return)


def when_open(kind: type[QWidget], act: object) -> None:
    """Do something with the modal dialog of a kind as soon as it is there."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            try:
                act(dialog)  # type: ignore[operator]
            finally:
                dialog.close()  # a failed assertion must not leave it open for ever
        else:
            QTimer.singleShot(0, look)

    QTimer.singleShot(0, look)


def test_it_says_what_is_in_force(bar: LabBar) -> None:
    assert bar.corpus.currentText() == "Your own text"
    assert bar.tokenizer.currentText() == "UTF-8 bytes"
    assert bar.status.text() == "2.5 kB to learn from, 256 different tokens"


def test_another_tokenizer_is_chosen_with_the_keyboard(bar: LabBar, lab: Lab, qtbot: QtBot) -> None:
    choose(bar.tokenizer, "Characters", qtbot)
    assert bar.status.text() == "getting ready …"
    assert bar.tokenizer.currentText() == "Characters"
    settle(lab, qtbot)
    assert lab.tokenizer is not None and lab.tokenizer.spec == TokenizerSpec("characters")
    assert "different tokens" in bar.status.text()


def test_what_is_declined_does_not_stay_in_the_list(bar: LabBar, lab: Lab, qtbot: QtBot) -> None:
    lab.confirm = lambda what, outdated: False
    asked = lab._agreed
    lab._agreed = lambda what, outdated: False  # type: ignore[method-assign]
    choose(bar.tokenizer, "Characters", qtbot)
    choose(bar.corpus, "Stories", qtbot)
    lab._agreed = asked  # type: ignore[method-assign]
    assert bar.tokenizer.currentText() == "UTF-8 bytes"
    assert bar.corpus.currentText() == "Your own text"


def test_every_setting_of_a_tokenizer_can_be_chosen(bar: LabBar, lab: Lab, qtbot: QtBot) -> None:
    def act(dialog: TokenizerDialog) -> None:
        dialog.kind.setCurrentIndex(dialog.kind.findData("bpe"))
        assert dialog.size_.minimum() == 256  # as many as there are bytes
        dialog.base.setCurrentIndex(dialog.base.findData("characters"))
        assert dialog.size_.minimum() < 256
        dialog.size_.setValue(30)
        qtbot.keyClick(dialog.inside_words, Qt.Key.Key_Space)
        dialog.accept()

    when_open(TokenizerDialog, act)
    choose(bar.tokenizer, "Another …", qtbot)
    settle(lab, qtbot)
    assert lab.tokenizer is not None
    spec = lab.tokenizer.spec
    assert (spec.kind, spec.vocab_size, spec.base) == ("bpe", 30, "characters")
    assert not spec.pre_tokenize
    assert bar.tokenizer.currentText() == spec.label


def test_a_size_without_room_for_the_base_is_refused_in_words(
    bar: LabBar, lab: Lab, qtbot: QtBot, expect_log: Callable[[str], None]
) -> None:
    expect_log("no room")

    def act(dialog: TokenizerDialog) -> None:
        dialog.base.setCurrentIndex(dialog.base.findData("characters"))
        dialog.kind.setCurrentIndex(dialog.kind.findData("bpe"))
        dialog.size_.setValue(3)
        dialog.accept()

    when_open(TokenizerDialog, act)
    choose(bar.tokenizer, "Another …", qtbot)
    settle(lab, qtbot)
    assert bar.tokenizer.currentText() == "UTF-8 bytes"


def test_a_text_of_ones_own_is_typed_and_used(bar: LabBar, lab: Lab, qtbot: QtBot) -> None:
    def act(dialog: OwnTextDialog) -> None:
        accept = dialog.buttons.findChild(QWidget, "accept")
        assert accept is not None and not accept.isEnabled()
        assert dialog.counts.text() == "Nothing typed yet."
        qtbot.keyClicks(dialog.editor, "To be or not to be. ")
        assert dialog.counts.text() == "20 characters, 6 words, 20 bytes"
        assert accept.isEnabled()
        long = "To be or not to be. " * (LONGEST_EDITED // 10)
        QApplication.clipboard().setText(long)
        dialog.editor.paste()
        assert dialog.text == long and "ready to be used as it is" in dialog.counts.text()
        assert dialog.editor.text() == "To be or not to be. "
        qtbot.keyClicks(dialog.editor, "So.")
        assert dialog.text == "To be or not to be. So."  # typing goes on from the field
        dialog.editor.set_text("To be or not to be. " * 30)
        qtbot.mouseClick(accept, Qt.MouseButton.LeftButton)

    when_open(OwnTextDialog, act)
    choose(bar.corpus, "Your own text …", qtbot)
    settle(lab, qtbot)
    assert lab.corpus is not None and lab.corpus.text.startswith("To be or not to be.")


def test_a_long_text_is_used_as_it_was_pasted(bar: LabBar, lab: Lab, qtbot: QtBot) -> None:
    line = "ten megabytes on one line " * 400_000

    def act(dialog: OwnTextDialog) -> None:
        QApplication.clipboard().setText(line)
        dialog.editor.paste()
        dialog.accept()

    when_open(OwnTextDialog, act)
    choose(bar.corpus, "Your own text …", qtbot)
    settle(lab, qtbot)
    assert lab.corpus is not None
    assert sum(map(len, (*lab.corpus.train, *lab.corpus.held_out))) > 0.9 * len(line)


def test_a_dropped_file_is_opened(bar: LabBar, lab: Lab, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "dropped.txt"
    path.write_text("A text in a file. " * 200, encoding="utf-8")
    when_open(OwnTextDialog, lambda dialog: dialog.editor.file_dropped.emit(str(path)))
    choose(bar.corpus, "Your own text …", qtbot)
    settle(lab, qtbot)
    assert lab.corpus is not None and lab.corpus.text.startswith("A text in a file.")


def test_a_file_is_opened_and_a_bad_one_told(
    bar: LabBar,
    lab: Lab,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("bad.txt")
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("A text in a file. " * 200, encoding="utf-8")
    bad.write_bytes(b"\x00\x01\x02" * 500)
    for path in (good, bad):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, path=path: (str(path), ""))
        choose(bar.corpus, "Open a text file …", qtbot)
        settle(lab, qtbot)
    assert lab.corpus is not None and lab.corpus.text.startswith("A text in a file.")
    assert bar.corpus.currentText() == lab.corpus.title


def test_it_gives_way_in_a_narrow_window(bar: LabBar, look: Theme) -> None:
    look.set_text_size(200)
    assert bar.minimumSizeHint().width() < 800


def test_the_bar_dies_whole(lab: Lab, dies: object) -> None:
    dies(LabBar(lab))  # type: ignore[operator]
