"""The main window: tabs made when shown, menus and keys, bars, status, what it remembers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QDialog,
    QFileDialog,
    QLabel,
    QMessageBox,
    QWidget,
)

from engine.workspace.staleness import Outdated
from gui.actions import ACTIONS, Actions
from gui.errors import Report
from gui.lab import Lab
from gui.main_window import MainWindow
from gui.settings import WindowState
from gui.tabs import TABS, TabSpec
from gui.theme import Theme
from tests.gui.conftest import flush_deletes
from tests.gui.shell.helpers import ProbeTab, probe_tabs

# ---------------------------------------------------------------------------------------- tabs


def test_the_labs_tabs_are_the_four_of_the_tutorial() -> None:
    assert [spec.title for spec in TABS] == [
        "Tokenization",
        "N-gram vs transformer",
        "Training",
        "RL reward shaping",
    ]


def test_a_tab_is_made_once_when_it_is_first_shown(lab: Lab, tmp_path: Path, qtbot: Any) -> None:
    made: list[str] = []
    window = MainWindow(lab, WindowState(tmp_path), probe_tabs(made))
    qtbot.addWidget(window)
    assert made == []
    window.open_first_tab()
    assert made == ["a"]
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    window.show_tab("c")
    window.show_tab("a")
    window.show_tab("c")
    window.show_tab("no such tab")
    assert made == ["a", "c"] and window.current_key == "c"
    tab = window.tab("c")
    assert isinstance(tab, ProbeTab) and tab.lab is lab
    with pytest.raises(KeyError):
        window.tab("no such tab")


def test_keys_choose_tabs(window: MainWindow, qtbot: Any) -> None:
    window.activateWindow()
    for number, key in enumerate("abcd", 1):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.current_key == key


def test_a_tab_that_cannot_be_made_says_so_and_leaves_the_others(
    lab: Lab, tmp_path: Path, qtbot: Any, expect_log: Callable[[str], None]
) -> None:
    expect_log("no module named numpyy")

    def broken(lab: Lab) -> QWidget:
        raise ImportError("no module named numpyy")

    tabs = (*probe_tabs()[:1], TabSpec("x", "X", "Broken.", broken))
    window = MainWindow(lab, WindowState(tmp_path), tabs)
    qtbot.addWidget(window)
    window.show_tab("x")
    page = window.tab("x")
    assert isinstance(page, QLabel) and "could not be opened" in page.text()
    window.show_tab("a")
    assert isinstance(window.tab("a"), ProbeTab)


def test_large_text_in_a_small_window_scrolls_and_is_not_cut_off(
    window: MainWindow, look: Theme
) -> None:
    look.set_text_size(250)
    window.resize(640, 480)
    assert window.minimumSizeHint().height() <= 720
    assert window.minimumSizeHint().width() <= 1280


# ------------------------------------------------------------------------------ menus and keys


def test_every_action_says_what_it_does_and_no_two_share_a_key() -> None:
    keys = [key for spec in ACTIONS for key in spec.keys]
    assert len(set(keys)) == len(keys)
    assert len({spec.key for spec in ACTIONS}) == len(ACTIONS)
    for spec in ACTIONS:
        assert spec.tip.endswith(".") and "&" in spec.text and spec.menu


def test_actions_and_slots_must_match(window: MainWindow) -> None:
    actions = Actions(window)
    with pytest.raises(KeyError, match="not matched"):
        actions.connect_all({"quit": window.close})


def test_text_size_by_keys_is_remembered(
    window: MainWindow, look: Theme, lab: Lab, qtbot: Any
) -> None:
    control = Qt.KeyboardModifier.ControlModifier
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_Plus, control)
    assert look.text_size == 110 == lab.preferences.text_size
    qtbot.keyClick(window, Qt.Key.Key_Equal, control)
    assert look.text_size == 125
    qtbot.keyClick(window, Qt.Key.Key_Minus, control)
    assert look.text_size == 110
    qtbot.keyClick(window, Qt.Key.Key_0, control)
    assert look.text_size == 100 == lab.preferences.text_size


def test_themes_and_motion_from_the_menu(window: MainWindow, look: Theme, lab: Lab) -> None:
    for mode in ("dark", "system", "light"):
        window.actions_[f"theme_{mode}"].trigger()
        assert look.mode == mode == lab.preferences.theme
        marked = [
            m for m in ("system", "light", "dark") if window.actions_[f"theme_{m}"].isChecked()
        ]
        assert marked == [mode]
    assert window.actions_["motion"].isChecked()
    window.actions_["motion"].trigger()
    assert not look.motion and not lab.preferences.motion


def test_the_menus_hold_every_action_once(window: MainWindow) -> None:
    found: list[str] = []

    def walk(actions: list[Any]) -> None:
        for action in actions:
            if action.menu() is not None:
                walk(action.menu().actions())
            elif not action.isSeparator():
                found.append(action.objectName())

    walk(window.menuBar().actions())
    assert sorted(found) == sorted(spec.key for spec in ACTIONS)


def test_full_screen_and_back(window: MainWindow) -> None:
    window.actions_["full_screen"].trigger()
    assert window.isFullScreen()
    window.actions_["full_screen"].trigger()
    assert not window.isFullScreen()


@pytest.mark.parametrize("key", ["show_keys", "show_log", "about"])
def test_dialogs_open_and_close(window: MainWindow, key: str) -> None:
    window.actions_[key].trigger()
    (dialog,) = window.findChildren(QDialog)
    assert dialog.isVisible()
    dialog.close()
    flush_deletes()
    assert window.findChildren(QDialog) == []


def test_the_about_dialog_can_be_copied(window: MainWindow) -> None:
    window.show_about()
    (dialog,) = window.findChildren(QDialog)
    dialog.copy()  # type: ignore[attr-defined]
    assert "PySide6-Essentials" in QGuiApplication.clipboard().text()
    dialog.close()
    flush_deletes()


def test_opening_a_text_makes_it_the_corpus(
    window: MainWindow, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    chosen: list[Path] = []
    monkeypatch.setattr(lab, "choose_corpus", chosen.append)
    path = tmp_path / "t.txt"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(path), ""))
    window.actions_["open_text"].trigger()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: ("", ""))
    window.actions_["open_text"].trigger()
    assert chosen == [path]


def test_every_control_of_the_shell_has_a_name_and_a_tip(window: MainWindow) -> None:
    window.error_bar.show_report(Report("x", "y"))
    own: list[QWidget] = [window.header, window.error_bar, window.job_status]
    for part in own:
        for widget in [*part.findChildren(QAbstractButton), *part.findChildren(QAbstractSpinBox)]:
            named = widget.accessibleName() or getattr(widget, "text", str)()
            assert named and widget.toolTip(), widget


@pytest.mark.parametrize("go_on", [True, False])
def test_asking_before_work_goes_out_of_date(
    window: MainWindow, lab: Lab, monkeypatch: pytest.MonkeyPatch, go_on: bool
) -> None:
    shown: list[str] = []

    def answer(box: QMessageBox) -> int:
        shown.append(box.text() + box.informativeText())
        wanted = QMessageBox.ButtonRole.AcceptRole if go_on else QMessageBox.ButtonRole.RejectRole
        for button in box.buttons():
            if box.buttonRole(button) == wanted:
                button.click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    run = Outdated("run", "<b>Run 1</b>", "It was trained on “A”.", True, "Train again.", True)
    assert lab.confirm("the text “B”", [run]) is go_on
    assert "<b>Run 1</b>" in shown[0] and "Train again." in shown[0]


# ------------------------------------------------------------------------------ seed and header


def test_the_seed_goes_both_ways(window: MainWindow, lab: Lab) -> None:
    window.header.seed.setValue(7)
    assert lab.seed == 7 == lab.preferences.seed
    lab.set_seed(9)
    assert window.header.seed.value() == 9


def test_the_header_takes_the_shared_choices_and_replaces_them(window: MainWindow) -> None:
    first, second = QLabel("first"), QLabel("second")
    window.set_lab_bar(first)
    assert first.parent() is window.header
    window.set_lab_bar(second)
    flush_deletes()
    texts = [label.text() for label in window.header.findChildren(QLabel)]
    assert "second" in texts and "first" not in texts


# ---------------------------------------------------------------------------------- remembering


def test_size_tab_and_splitters_come_back(lab: Lab, tmp_path: Path, qtbot: Any) -> None:
    first = MainWindow(lab, WindowState(tmp_path), probe_tabs())
    qtbot.addWidget(first)
    first.resize(700, 500)
    first.show()
    first.show_tab("b")
    tab = first.tab("b")
    assert isinstance(tab, ProbeTab)
    tab.splitter.setSizes([100, 500])
    sizes = tab.splitter.sizes()
    first.remember()
    second = MainWindow(lab, WindowState(tmp_path), probe_tabs())
    qtbot.addWidget(second)
    second.show()
    second.open_first_tab()
    assert second.current_key == "b"
    assert second.size() == first.size()
    again = second.tab("b")
    assert isinstance(again, ProbeTab)
    assert again.splitter.sizes() == pytest.approx(sizes, abs=2)


def test_closing_is_told_once(window: MainWindow, qtbot: Any) -> None:
    with qtbot.waitSignal(window.closing):
        window.close()
    with qtbot.assertNotEmitted(window.closing):
        window.close()


def test_nothing_of_the_window_outlives_it(
    lab: Lab, tmp_path: Path, dies: Callable[[QWidget], None]
) -> None:
    window = MainWindow(lab, WindowState(tmp_path), probe_tabs())
    window.show()
    window.open_first_tab()
    window.show_tab("d")
    lab.confirm = lambda *a: True  # the lab outlives the window and must not hold it
    holder = [window]
    del window
    dies(holder.pop())
