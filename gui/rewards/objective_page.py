"""What is maximised, typeset: the tutorial's form, and that of the settings in force."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from engine.posttraining.settings import GRPOSettings
from gui import theme
from gui.lab import Lab
from gui.rewards.formula_told import (
    AIM,
    SPOKEN_AIM,
    SPOKEN_STEP,
    STEP,
    Line,
    differences,
    lines_of,
    numbers_of,
)
from gui.rewards.news import News
from gui.rewards.sheet import Column, Sheet
from gui.widgets.formula import Formula, typeset
from gui.widgets.look import em
from gui.widgets.safe_text import plain_label

KEY = "rewards: typeset"
MOST_LINES = 5
"""Formulas that settings can need."""
COLUMNS = (
    Column("Symbol", "As it stands in the formulas."),
    Column("Meaning", "What it is."),
    Column("Value", "In the newest update."),
)
WORDS = (
    "r is the reward, p_θ = π_θ the policy, p_LM = π_ref the pre-trained model it started from "
    "(the reference), β the price of moving away from it. Sample a group of answers to each "
    "prompt and make the tokens of those that did well more probable: Â is how well."
)
IN_FORCE, AT_FIRST = "With the settings of this run", "With the settings that a run has at first"
FORMULA_EMS = 38
"""The width that the formulas want, in lines of text."""


class ObjectivePage(QWidget):
    """The formulas, and what each sign in them is now."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self._settings = GRPOSettings()
        self._typeset_lines: tuple[Line, ...] = ()
        self.aim, self.step = Formula("", "", self), Formula("", "", self)
        self.lines = tuple(Formula("", "", self) for _ in range(MOST_LINES))
        for formula in (self.aim, self.step, *self.lines):
            theme.set_text_role(formula, "subtitle")
        first = plain_label("What post-training is after", self)
        second = plain_label(
            "GRPO's way there: one update moves θ along (the tutorial's form)", self
        )
        self.which = plain_label(AT_FIRST, self)
        self.third = plain_label("", self)
        for title in (first, second, self.which, self.third):
            theme.set_text_role(title, "strong")
        self.words = plain_label(WORDS, self, wrap=True)
        self.differs = plain_label("", self, wrap=True)
        self.differs.setAccessibleName("Where these settings differ from the tutorial's form")
        self.numbers = Sheet("Numbers of the newest update", self)
        self.numbers.set_placeholder("No update yet: its numbers come here, sign by sign.")
        left, right = QWidget(self), QWidget(self)
        formulas = QVBoxLayout(left)
        formulas.setContentsMargins(0, 0, 0, 0)
        for widget in (first, self.aim, second, self.step, self.words, self.which):
            formulas.addWidget(widget)
        for formula in self.lines:
            formulas.addWidget(formula)
            formula.hide()
        formulas.addWidget(self.differs)
        formulas.addStretch(1)
        table = QVBoxLayout(right)
        table.setContentsMargins(0, 0, 0, 0)
        table.addWidget(self.third)
        table.addWidget(self.numbers, 1)
        # Not a splitter, which gives wrapped words and formulas no more height than they ask for
        # unwrapped.
        self._parts = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._parts.setContentsMargins(0, 0, 0, 0)
        self._parts.addWidget(left, 1)
        self._parts.addWidget(right, 1)
        self.numbers.wants_changed.connect(self._turn)
        theme.current().changed.connect(self._typeset)
        self.clear()

    @Slot()
    def _turn(self) -> None:
        """The table beside the formulas, or below them where there is no room for both."""
        wanted = round(em(self.font()) * FORMULA_EMS) + self.numbers.wanted_width
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._parts.setDirection(across if self.width() >= wanted else down)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def clear(self) -> None:
        """No numbers yet."""
        self.third.setText("The numbers of the newest update")
        self.numbers.set_table(COLUMNS, ())
        self._follow(GRPOSettings(), AT_FIRST)

    def show_news(self, news: News) -> None:
        """Follow the run's settings, and put the newest update's numbers in."""
        settings = news.order.settings
        self._follow(settings, IN_FORCE)
        if not news.records:
            return
        record = news.records[-1]
        self.third.setText(
            f"The numbers of update {record.update:,}; its group shown: {record.group.prompt.text}"
        )
        self.numbers.set_table(COLUMNS, numbers_of(record, settings))

    def _follow(self, settings: GRPOSettings, which: str) -> None:
        self.which.setText(f"{which}, θ moves along")
        self.differs.setText("Where they differ: " + " ".join(differences(settings)))
        self._settings = settings
        if lines_of(settings) != self._typeset_lines:
            self._typeset()

    @Slot()
    def _typeset(self) -> None:
        """The typesetter needs half a second at first: let it work where nobody waits."""
        colour = self.palette().color(QPalette.ColorRole.WindowText).name()
        self._typeset_lines = lines_of(self._settings)
        self._lab.compute.request(
            KEY,
            _prepare,
            colour,
            self._typeset_lines,
            title="Typesetting",
            on_result=self._show,
        )

    @Slot(object)
    def _show(self, lines: tuple[Line, ...]) -> None:
        self.aim.set_latex(AIM, SPOKEN_AIM)
        self.step.set_latex(STEP, SPOKEN_STEP)
        for i, formula in enumerate(self.lines):
            formula.setVisible(i < len(lines))
            if i < len(lines):
                formula.set_latex(lines[i].latex, lines[i].spoken)


def _prepare(colour: str, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Fill the typesetter's memory with the formulas."""
    for latex in (AIM, STEP, *(line.latex for line in lines)):
        typeset(latex, colour)
    return lines
