"""Bars across the top of the window: what went wrong, and the last crash."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui import crash, theme
from gui.errors import Report

LONGEST_SENTENCE = 600
MOST_REPORTS = 50


class Bar(QFrame):
    """A sentence, buttons beside it, and details that fold out below."""

    def __init__(self, ground: str, ink: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ground, self._ink = ground, ink
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.sentence = QLabel()
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        theme.set_text_role(self.sentence, "strong", ink)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setAccessibleName("Details")
        theme.set_text_role(self.details, "mono")
        self.details.hide()
        self._row = QHBoxLayout()
        self._row.addWidget(self.sentence, 1)
        column = QVBoxLayout(self)
        column.addLayout(self._row)
        column.addWidget(self.details)
        self._column = column
        theme.current().changed.connect(self._dress)
        self._dress()
        self.hide()

    def add_button(self, text: str, tip: str) -> QPushButton:
        """A button at the end of the row."""
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return button

    @Slot()
    def toggle_details(self) -> None:
        """Fold the details out or in."""
        self.details.setVisible(self.details.isHidden())

    @Slot()
    def _dress(self) -> None:
        look = theme.current()
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Window, look.colours.color(self._ground))
        self.setPalette(palette)
        gap = look.space(1)
        self._column.setContentsMargins(2 * gap, gap, gap, gap)
        self.details.setMaximumHeight(look.px(220))


class ErrorBar(Bar):
    """The newest report; the same one again is counted, others queue behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("bad_soft", "bad", parent)
        self.setObjectName("error_bar")
        self.setAccessibleName("Error")
        self._reports: list[tuple[Report, int]] = []
        self.details_button = self.add_button("&Details", "Show what exactly happened.")
        self.copy_button = self.add_button("&Copy", "Copy the sentence and the details.")
        self.dismiss_button = self.add_button("D&ismiss", "Close this message.")
        self.details_button.clicked.connect(self.toggle_details)
        self.copy_button.clicked.connect(self.copy)
        self.dismiss_button.clicked.connect(self.dismiss)

    @Slot(object)
    def show_report(self, report: Report) -> None:
        """Put a report on top."""
        for place, (known, times) in enumerate(self._reports):
            if known == report:
                del self._reports[place]
                self._reports.append((report, times + 1))
                break
        else:
            self._reports.append((report, 1))
            del self._reports[:-MOST_REPORTS]
        self._show_last()

    @property
    def shown(self) -> Report | None:
        """The report on top, or None."""
        return self._reports[-1][0] if self._reports else None

    @Slot()
    def dismiss(self) -> None:
        """Close the report on top; the one before it comes back."""
        if self._reports:
            self._reports.pop()
        self.details.hide()
        self._show_last()

    @Slot()
    def copy(self) -> None:
        """Put the report on top on the clipboard."""
        if self.shown is not None:
            text = f"{self.shown.sentence}\n\n{self.shown.details}".rstrip() + "\n"
            QGuiApplication.clipboard().setText(text)

    def _show_last(self) -> None:
        if not self._reports:
            self.hide()
            return
        report, times = self._reports[-1]
        sentence = report.sentence
        if len(sentence) > LONGEST_SENTENCE:
            sentence = sentence[:LONGEST_SENTENCE] + " …"
        if times > 1:
            sentence += f" ({times} times)"
        if len(self._reports) > 1:
            sentence += f" ({len(self._reports) - 1} more behind this one)"
        self.sentence.setText(sentence)
        self.details.setPlainText(report.details)
        self.details_button.setEnabled(bool(report.details))
        self.show()


class CrashBar(Bar):
    """Offers the report of a crash: read it, copy it, delete it, or leave it for later."""

    closed = Signal()

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__("warning_soft", "warning", parent)
        self.setObjectName("crash_bar")
        self.setAccessibleName("Report of the last crash")
        self._path = path
        self.sentence.setText(
            "The lab ended unexpectedly last time. A report of that moment was kept on this "
            "computer; it holds program names and line numbers, none of your texts."
        )
        view = self.add_button("&View", "Show the report.")
        copy = self.add_button("&Copy", "Copy the report, to send it to someone.")
        delete = self.add_button("&Delete", "Delete the report.")
        later = self.add_button("&Later", "Keep the report and ask at the next start.")
        view.clicked.connect(self.view)
        copy.clicked.connect(self.copy)
        delete.clicked.connect(self.delete)
        later.clicked.connect(self.close_bar)
        self.show()

    @Slot()
    def view(self) -> None:
        """Fold the report out or in."""
        if not self.details.toPlainText():
            self.details.setPlainText(crash.read_report(self._path))
        self.toggle_details()

    @Slot()
    def copy(self) -> None:
        """Put the report on the clipboard."""
        QGuiApplication.clipboard().setText(crash.read_report(self._path))

    @Slot()
    def delete(self) -> None:
        """Delete every report of the past, and close."""
        crash.delete_reports(self._path.parent)
        self.close_bar()

    @Slot()
    def close_bar(self) -> None:
        """Close the bar, whatever was done about the report."""
        self.hide()
        self.closed.emit()
