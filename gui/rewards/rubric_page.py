"""The rubric: criteria with weights and rules, and what they say of real answers."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import LabError
from engine.posttraining.candidates import Candidates
from engine.posttraining.prompts import TOP_SCORE, Answer, Criterion, Prompt, Verdict
from engine.posttraining.rubric import Rubric, is_careless
from engine.posttraining.tasks import Task
from gui import theme
from gui.job_handle import Failure
from gui.lab import Lab
from gui.rewards.asking import NO_RUN, Asker, Source, criteria_of, draw_to_judge
from gui.rewards.beside import Beside
from gui.rewards.session import RewardsSession
from gui.rewards.sheet import Column, Sheet
from gui.widgets.fitting import FittingFrame
from gui.widgets.flow_layout import FlowRow
from gui.widgets.look import em
from gui.widgets.notice import Notice
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

CRITERIA_KEY, DRAW_KEY = "rewards: criteria", "rewards: answers to judge"
SOUND, CARELESS = "sound", "careless"
DRAWING = "The policy is answering …"
NOTHING = "There are no answers to judge."
CRITERIA_EMS, LEAST_TABLE_EMS = 24.0, 32.0
"""The widths that the criteria want and that the verdicts need, in lines of text."""


class _Line(FittingFrame):
    """A criterion: its weight, its name, its rule."""

    def __init__(self, criterion: Criterion, weight: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.criterion = criterion
        self.weight = NumberField(
            criterion.title,
            weight,
            low=0,
            high=100,
            step=0.5,
            explanation=f"Weight of this criterion. {criterion.rule} 0 leaves it out.",
            parent=self,
        )
        theme.set_text_role(self.weight.name_label, "strong")
        rule = plain_label(criterion.rule, self, wrap=True)
        theme.set_text_role(rule, "caption", "warning" if is_careless(criterion) else "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.weight, 2)
        row.addWidget(rule, 5)


class RubricPage(QWidget):
    """At the left the criteria, at the right answers with every verdict and its reason."""

    rubric_changed = Signal(object)
    """The Rubric as it stands now."""
    use_alone = Signal()
    """The rubric is to be the whole reward."""

    def __init__(self, lab: Lab, session: RewardsSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._session = lab, session
        self._task: Task | None = None
        self._wanted = ""
        self._draws = 0
        self._kept: dict[str, dict[str, float]] = {}
        self._drawn: Candidates | None = None
        self._rows: tuple[tuple[Prompt, Answer], ...] = ()
        self._verdicts: tuple[tuple[Verdict, ...], ...] = ()
        self.lines: list[_Line] = []
        self.rubric: Rubric | None = None
        """The rubric in force; None until its criteria are there."""
        self.sound = self._button(
            "Soun&d rubric", "Every criterion that is not careless, weight 1."
        )
        self.careless = self._button(
            "Careless rubric", "Only the careless criteria: a rubric that can be hacked."
        )
        self.alone = self._button(
            "Use it alone as reward", "Make the rubric the whole reward, with weight 1."
        )
        self.source = QComboBox(self)
        self.source.addItem("of the reference policy", "reference")
        self.source.addItem("of the policy as it is now", "policy")
        self.source.setAccessibleName("Whose answers are judged")
        self.source.setToolTip("Who writes the answers that are judged.")
        self.source.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more = self._button("Other answers", "Let the policy answer other prompts.")
        self.formula = plain_label("Reading the task's text …", self, wrap=True)
        self.formula.setAccessibleName("The rubric as a formula")
        theme.set_text_role(self.formula, "strong")
        self.note = plain_label(
            "Programs and one small language model judge, each by the rule beside it. Amber: a "
            "criterion that can be had without a good answer.",
            self,
            wrap=True,
        )
        theme.set_text_role(self.note, "caption", "muted")
        self.problem = Notice(self)
        self.whose = Notice(self)
        self.drawing = plain_label(DRAWING, self)
        theme.set_text_role(self.drawing, "caption", "muted")
        self.drawing.hide()
        self.table = Sheet("Verdicts on answers", self)
        self.reasons = plain_label("", self, wrap=True)
        self.reasons.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reasons.setAccessibleName("Reasons of the verdicts")
        self.splitter = Beside(self._left(), self._right(), self._widths, self, least=1.0)
        self.table.wants_changed.connect(self._share)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.splitter, 1)
        self.sound.clicked.connect(self.make_sound)
        self.careless.clicked.connect(self.make_careless)
        self.alone.clicked.connect(self.use_alone)
        self.more.clicked.connect(self.draw)
        self.source.currentIndexChanged.connect(self._other_source)
        self.table.row_chosen.connect(self._explain)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        return button

    def _widths(self) -> tuple[int, int]:
        """The criteria are read; the table can wrap and scroll what it has no room for."""
        criteria = round(em(self.font()) * CRITERIA_EMS)
        least = round(em(self.font()) * LEAST_TABLE_EMS)
        left = self.splitter.width() - self.splitter.handleWidth() - criteria
        return criteria, max(least, min(self.table.wanted_width, left))

    @Slot()
    def _share(self) -> None:
        self.splitter.share()

    def _left(self) -> QWidget:
        self._left_side = left = FittingFrame(self)
        head = FlowRow(left)
        for button in (self.sound, self.careless, self.alone):
            head.add(button)
        self._criteria = QVBoxLayout()
        self._criteria.setSpacing(4)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(head)
        column.addWidget(self.note)
        column.addLayout(self._criteria)
        column.addStretch(1)
        return left

    def _right(self) -> QWidget:
        right = FittingFrame(self)
        head = FlowRow(right)
        words = plain_label("Answers", head)
        theme.set_text_role(words, "strong")
        head.add(words)
        head.add(self.source)
        head.add(self.more)
        head.add(self.drawing)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(head)
        column.addWidget(self.formula)
        column.addWidget(self.problem)
        column.addWidget(self.whose)
        column.addWidget(self.table, 1)
        column.addWidget(self.reasons)
        return right

    # ----------------------------------------------------------------------------- what to do
    def set_task(self, task: Task) -> None:
        """Criteria of another task; the weights of each task are kept for the session."""
        if self._task is not None and self._task.key == task.key:
            return
        if self._task is not None and self.lines:
            self._kept[self._task.key] = {x.criterion.key: x.weight.value() for x in self.lines}
        self._task, self.rubric, self._drawn = task, None, None
        self._wanted = ""
        for key in (CRITERIA_KEY, DRAW_KEY):
            self._lab.compute.forget(key)
        self._set_lines(())
        self.whose.clear()
        self.table.set_placeholder(DRAWING)
        self._show()
        if self.isVisible():
            self._want()

    @Slot()
    def draw(self) -> None:
        """Let the policy write more answers to judge."""
        if self._task is None:
            return
        self._draws += 1
        self.drawing.show()
        self.table.set_placeholder(DRAWING)
        source: Source = self.source.currentData()
        self._lab.compute.request(
            DRAW_KEY,
            draw_to_judge,
            Asker(self._task, source, self._session.live),
            self._lab.seed + self._draws,
            title="Drawing answers",
            with_job=True,
            on_result=self._was_drawn,
            on_error=self._not_drawn,
        )

    @Slot()
    def _other_source(self) -> None:
        """The answers that are shown are not of whom the learner has just asked for."""
        self._drawn = None
        self._show()
        self.draw()

    @Slot()
    def make_sound(self) -> None:
        """Weight 1 for all but the careless."""
        for line in self.lines:
            line.weight.set_value(float(not is_careless(line.criterion)))

    @Slot()
    def make_careless(self) -> None:
        """Weight 1 for the careless alone."""
        for line in sorted(self.lines, key=lambda x: not is_careless(x.criterion)):
            line.weight.set_value(float(is_careless(line.criterion)))

    def _want(self) -> None:
        """Ask for criteria and answers of the task, once."""
        if self._task is None or self._wanted == self._task.key:
            return
        self._wanted = self._task.key
        self._lab.compute.request(
            CRITERIA_KEY,
            criteria_of,
            self._task,
            title="Preparing the rubric",
            with_job=True,
            on_result=self._criteria_came,
            on_error=self._failed,
        )
        self.draw()

    # ------------------------------------------------------------------------------- what came
    @Slot(object)
    def _criteria_came(self, criteria: tuple[Criterion, ...]) -> None:
        self._set_lines(criteria)
        self._weighted()

    @Slot(object)
    def _was_drawn(self, drawn: tuple[Candidates, Source]) -> None:
        self._drawn, source = drawn
        self.problem.clear()
        self.whose.say(NO_RUN if source != self.source.currentData() else "")
        self.drawing.hide()
        self._show()

    @Slot(object)
    def _not_drawn(self, failure: Failure) -> None:
        self._drawn = None
        self.drawing.hide()
        self.table.set_placeholder(NOTHING)
        self._show()
        self._failed(failure)

    @Slot(object)
    def _failed(self, failure: Failure) -> None:
        self._wanted = ""
        self.problem.say(failure.sentence, "error")

    def _set_lines(self, criteria: tuple[Criterion, ...]) -> None:
        for line in self.lines:
            self._criteria.removeWidget(line)
            line.setParent(None)
            line.deleteLater()
        kept = {} if self._task is None else self._kept.get(self._task.key, {})
        self.lines = []
        for criterion in criteria:
            weight = kept.get(criterion.key, float(not is_careless(criterion)))
            line = _Line(criterion, weight, self)
            line.weight.value_changed.connect(self._weighted)
            self._criteria.addWidget(line)
            line.show()  # Qt would only do so later, and the frame would be measured without it
            self.lines.append(line)
        self._left_side.fit()
        self._left_side.fit_soon()  # and again when the lines have their widths
        for button in (self.sound, self.careless, self.alone):
            button.setEnabled(bool(criteria))

    @Slot()
    def _weighted(self) -> None:
        try:
            rubric = Rubric(tuple((x.criterion, x.weight.value()) for x in self.lines))
        except LabError as error:
            self.problem.say(str(error), "error")
            return
        self.problem.clear()
        self.rubric = rubric
        self.rubric_changed.emit(rubric)
        self._show()

    def _show(self) -> None:
        """The verdicts of the rubric in force on the answers that are there."""
        rubric, drawn = self.rubric, self._drawn
        self.formula.setText(
            "Reading the task's text …" if rubric is None else f"Score = {rubric.words()}"
        )
        if rubric is None or drawn is None or self._task is None:
            self.table.set_table((), ())
            self.reasons.setText("")
            return
        task = self._task
        self._rows = tuple(zip(drawn.each, drawn.answers, strict=True))
        self._verdicts = tuple(rubric.verdicts(p, a) for p, a in self._rows)
        columns = [
            Column("Prompt", "What was asked."),
            Column("Answer", "What the policy wrote; … : cut off at the limit."),
            Column("Score", "The weighted mean of the verdicts, 0 … 1."),
            Column("True score", "The task's own score, which the rubric need not equal."),
            *(Column(c.title, f"{c.rule} Weight {w:g}.") for c, w in rubric.used),
        ]
        rows: list[tuple[str | float, ...]] = [
            (
                prompt.text,
                _written(answer),
                rubric.score(prompt, answer),
                task.true_score(prompt, answer.text) if answer.finished else 0.0,
                *(str(v.score) for v in verdicts),
            )
            for (prompt, answer), verdicts in zip(self._rows, self._verdicts, strict=True)
        ]
        self.table.set_table(columns, rows)
        self.table.set_tips(0, [prompt.text for prompt, _ in self._rows])
        self.table.set_tips(1, [answer.text for _, answer in self._rows])
        self._explain(self.table.chosen)

    @Slot(int)
    def _explain(self, row: int) -> None:
        rubric = self.rubric
        if rubric is None or not 0 <= row < len(self._verdicts):
            self.reasons.setText(
                "Choose an answer to see why each criterion judged as it did." if self._rows else ""
            )
            return
        prompt, answer = self._rows[row]
        told = [f"{prompt.text} → {_written(answer)}"]
        for (criterion, _), verdict in zip(rubric.used, self._verdicts[row], strict=True):
            told.append(f"{verdict.score}/{TOP_SCORE}  {criterion.title}: {verdict.reason}")
        self.reasons.setText("\n".join(told))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()


def _written(answer: Answer) -> str:
    text = answer.text.strip() or "(empty)"
    return text if answer.finished else f"{text} …"
