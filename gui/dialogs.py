"""The window's few dialogs: keys, log, about, and the question before work goes out of date."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from engine.workspace.staleness import Outdated
from gui import theme
from gui.start_failure import LOG_FILE

LOG_SHOWN_BYTES = 200_000


class KeysDialog(QDialog):
    """What every key does."""

    def __init__(self, rows: Sequence[tuple[str, str, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        table = QTableWidget(len(rows), 3)
        table.setHorizontalHeaderLabels(["Keys", "Name", "What it does"])
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setAccessibleName("Keyboard shortcuts")
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                table.setItem(row, column, QTableWidgetItem(text))
        table.resizeColumnsToContents()
        table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        _fill(self, [table], QDialogButtonBox.StandardButton.Close)
        look = theme.current()
        self.resize(look.px(640), look.px(460))


class TextDialog(QDialog):
    """A long plain text, to be read and copied."""

    def __init__(self, title: str, heading: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        label = QLabel(heading)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(title)
        theme.set_text_role(self.text, "mono")
        buttons = _fill(self, [label, self.text], QDialogButtonBox.StandardButton.Close)
        copy = QPushButton("&Copy")
        copy.setToolTip("Copy all of it.")
        copy.clicked.connect(self.copy)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        look = theme.current()
        self.resize(look.px(760), look.px(520))

    @Slot()
    def copy(self) -> None:
        """Put the text on the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())


def log_dialog(folder: Path, parent: QWidget) -> TextDialog:
    """The end of the log file."""
    path = folder / LOG_FILE
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_SHOWN_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        text = "Nothing has been written yet."
    dialog = TextDialog("Log", f"The newest lines of {path}", text, parent)
    dialog.text.verticalScrollBar().setValue(dialog.text.verticalScrollBar().maximum())
    return dialog


def about_dialog(parent: QWidget) -> TextDialog:
    """What this is, and with which versions it runs."""
    lines = [f"Python {platform.python_version()} on {platform.platform()}"]
    for package in ("PySide6-Essentials", "pyqtgraph", "torch", "numpy", "safetensors"):
        try:
            lines.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{package} is not installed")
    lines.append(f"Started as {sys.executable}")
    heading = (
        "Next Token Lab. An offline laboratory that teaches, by doing, what a large language "
        "model is. Every number on screen is computed from a model in this computer's memory; "
        "nothing is sent anywhere. MIT licence."
    )
    return TextDialog("About the lab", heading, "\n".join(lines), parent)


def confirm_outdated(parent: QWidget, what: str, outdated: Sequence[Outdated]) -> bool:
    """Ask whether to go on although trained work goes out of date."""
    box = QMessageBox(parent)
    box.setObjectName("confirm_outdated")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Trained work goes out of date")
    box.setTextFormat(Qt.TextFormat.PlainText)
    names = ", ".join(f"“{item.name}”" for item in outdated)
    box.setText(f"Choosing {what} makes {names} out of date. Choose it?")
    shown = [f"{item.name}: {item.reason} {item.advice}" for item in outdated[:5]]
    if len(outdated) > len(shown):
        shown.append(f"… and {len(outdated) - len(shown)} more.")
    box.setInformativeText("\n\n".join(shown))
    go_on = box.addButton("&Choose it", QMessageBox.ButtonRole.AcceptRole)
    keep = box.addButton("&Keep what is", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    answer = box.clickedButton() is go_on
    box.deleteLater()
    return answer


def _fill(
    dialog: QDialog, widgets: Sequence[QWidget], buttons: QDialogButtonBox.StandardButton
) -> QDialogButtonBox:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    column = QVBoxLayout(dialog)
    for widget in widgets:
        column.addWidget(widget)
    box = QDialogButtonBox(buttons)
    box.rejected.connect(dialog.reject)
    column.addWidget(box)
    return box
