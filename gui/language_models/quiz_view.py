"""One item of the quiz at a time: its prompt, its choices, and every model's answer."""

from __future__ import annotations

import math

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.language_models.quiz_run import TASKS, Exam
from gui.language_models.rules_bar import labelled
from gui.language_models.totals_table import PlainTable
from gui.widgets.flow_layout import FlowRow
from gui.widgets.notice import EmptyState
from gui.widgets.safe_text import plain_label


class QuizView(QWidget):
    """Leafs through the items of a task."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exam: Exam | None = None
        self._place = 0
        self.task = QComboBox()
        self.task.setObjectName("quiz_task")
        for key, title, _ in TASKS:
            self.task.addItem(title, key)
        self.back = QPushButton("&Back")
        self.back.setToolTip("Show the item before this one.")
        self.forth = QPushButton("&Next")
        self.forth.setToolTip("Show the next item.")
        self.row = FlowRow()
        self.row.add(labelled("&Task", self.task, "Which task's items to see."))
        self.row.add(self.back)
        self.row.add(self.forth)
        self.number = plain_label()
        self.row.add(self.number)
        self.prompt = QPlainTextEdit()
        self.prompt.setReadOnly(True)
        self.prompt.setAccessibleName("Prompt")
        self.prompt.setToolTip("What stands before the answer.")
        self.prompt.setTabChangesFocus(True)
        self.prompt.setMinimumHeight(theme.current().px(80))
        self.choices = PlainTable("Each choice's share of the probability under each model")
        self.said = plain_label(wrap=True)
        theme.set_text_role(self.said, "caption", "muted")
        self.empty = EmptyState("No answers yet", "Press Ask to put the tasks to every model.")
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.row)
        page.addWidget(self.prompt, 1)
        page.addWidget(self.choices)
        page.addWidget(self.said)
        page.addWidget(self.empty, 2)
        self.task.currentIndexChanged.connect(self._first)
        self.back.clicked.connect(self._back)
        self.forth.clicked.connect(self._forth)
        self.show_exam(None)

    def show_exam(self, exam: Exam | None) -> None:
        """Show these items and answers; the item chosen stays as far as there is one."""
        self._exam = exam
        for part in (self.row, self.prompt, self.choices, self.said):
            part.setVisible(exam is not None)
        self.empty.setVisible(exam is None)
        self._show()

    @Slot()
    def _first(self) -> None:
        self._place = 0
        self._show()

    @Slot()
    def _back(self) -> None:
        self._place -= 1
        self._show()

    @Slot()
    def _forth(self) -> None:
        self._place += 1
        self._show()

    def _show(self) -> None:
        if self._exam is None:
            return
        task = self.task.currentIndex()
        items = self._exam.items[task]
        self._place = min(max(self._place, 0), len(items) - 1)
        item = items[self._place]
        self.back.setEnabled(self._place > 0)
        self.forth.setEnabled(self._place < len(items) - 1)
        self.number.setText(f"{self._place + 1} of {len(items)}")
        if self.prompt.toPlainText() != item.prompt:
            self.prompt.setPlainText(item.prompt)
            bar = self.prompt.verticalScrollBar()
            bar.setValue(bar.maximum())  # the question is at the end
        answered = [(s, r[task][self._place]) for s, r in self._exam.replies if task < len(r)]
        rows = []
        for number, choice in enumerate(item.choices):
            sign = "✓ " if number == item.right else ""
            shares = [reply.shares[number] for _, reply in answered]
            cells = [
                "–" if math.isnan(share) else f"{share:.3f}" + (" ●" if r.chosen == number else "")
                for share, (_, r) in zip(shares, answered, strict=True)
            ]
            rows.append((sign + choice.strip(), "Share of the choices' probability", cells))
        written = [(reply.written.strip() or "nothing")[:40] for _, reply in answered]
        rows.append(("writes itself", "Its most probable continuation, token by token", written))
        self.choices.fill([seat.title for seat, _ in answered], rows)
        self.said.setText(
            "✓ right choice · ● what the model prefers · – it gives none of them a probability. "
            "Shares are p(choice | prompt) divided by the sum over the choices."
        )
