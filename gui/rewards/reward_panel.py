"""The reward, edited live: terms of three kinds with their weights, and the mix in a line."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine.posttraining.reward_model import RewardModel, as_term
from engine.posttraining.rewards import RewardMix, RewardTerm, terms_for
from engine.posttraining.rubric import Rubric
from engine.posttraining.tasks import Task
from gui import theme
from gui.widgets.flow_layout import FlowRow
from gui.widgets.fold_box import FoldButton
from gui.widgets.number_field import NumberField
from gui.widgets.safe_text import plain_label

FIRST_WEIGHTS = {"exact": 1.0}
"""What is rewarded at first: the right answer, and nothing else (RLVR)."""
PREFERENCES, RUBRIC = "preferences", "rubric"
_HEADS = {
    "verifiable": "Verifiable\n(by a program)",
    PREFERENCES: "Preferences\n(learned, RLHF)",
    RUBRIC: "Rubric\n(criteria)",
}
_KEPT = {PREFERENCES: "Preferences", RUBRIC: "Rubric"}
_MISSING = {
    PREFERENCES: (
        "Compare answers …",
        "There is no reward model of yours yet. Compare answers, or let a simulated annotator do "
        "it, and train one: then it can be weighted here.",
    ),
    RUBRIC: (
        "Choose criteria …",
        "Your rubric is not made yet. See its criteria and what they say of answers: then it can "
        "be weighted here.",
    ),
}


class RewardPanel(QWidget):
    """A weight for each term. What has to be made first, a reward model or a rubric, shows a
    button that leads to where it is made."""

    changed = Signal()
    """The mix is another one."""
    page_wished = Signal(str)
    """The key of the page where something is made."""

    def __init__(self, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.weights: dict[str, NumberField] = {}
        """The field of each term that can be weighted, by the term's key."""
        self.makers: dict[str, QPushButton] = {}
        """The button of each kind that is not made yet."""
        self._terms: tuple[RewardTerm, ...] = ()
        self._made_for: dict[str, dict[str, RewardTerm]] = {}
        self._came_for: dict[str, tuple[RewardTerm, ...]] = {}
        self._kept = dict(FIRST_WEIGHTS)
        self._trainings = 0
        self._row: FlowRow | None = None
        self.formula = plain_label("", self, wrap=True)
        self.formula.setAccessibleName("The reward as a formula")
        theme.set_text_role(self.formula, "strong")
        self.fold = FoldButton("&Weights", self)
        self.fold.setToolTip("Show or hide the weights of the reward's terms.")
        self.fold.toggled.connect(self._folded)
        self._rows = QWidget(self)
        self._rows.hide()
        rows = QVBoxLayout(self._rows)
        rows.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        line.addWidget(self.fold)
        line.addWidget(self.formula, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(line)
        column.addWidget(self._rows)
        self.set_task(task)

    @Slot(bool)
    def _folded(self, is_open: bool) -> None:
        self._rows.setVisible(is_open)
        self.updateGeometry()

    @property
    def mix(self) -> RewardMix:
        """The terms with their weights as they stand; a field that holds no number keeps its
        last good one."""
        return RewardMix(tuple((term, self.weights[term.key].value()) for term in self._terms))

    def set_task(self, task: Task) -> None:
        """Offer this task's terms. Weights of terms that it has too stay as they are; models and
        rubrics of another task wait until it is chosen again."""
        self._task = task.key
        self._verifiable = terms_for(task)
        self._rebuild()

    @property
    def _made(self) -> dict[str, RewardTerm]:
        """What the learner has made for this task, by kind."""
        return self._made_for.setdefault(self._task, {})

    @property
    def _came(self) -> tuple[RewardTerm, ...]:
        """What came with the kept run that was opened last."""
        return self._came_for.get(self._task, ())

    def made_for(self, task: str) -> tuple[RewardTerm, ...]:
        """What the learner has made for the task of that key."""
        return tuple(self._made_for.get(task, {}).values())

    def show_kept(self, reward: RewardMix) -> str:
        """Show a kept run's reward, of this task, with its weights. What came with it stands
        beside what the learner has made, which stays. Returns what there is to tell of that."""
        own = {term.key for term in (*self._verifiable, *self._made.values())}
        came: list[RewardTerm] = []
        for term, weight in reward.terms:
            if term.key not in own and (weight or term.kind not in self._made):
                n = 1 + sum(other.kind == term.kind for other in came)
                which = "kept run" if n == 1 else f"kept run, {n}"
                came.append(replace(term, title=f"{_KEPT.get(term.kind, term.title)} ({which})"))
        self._came_for[self._task] = tuple(came)
        before, weights = self._kept, {term.key: weight for term, weight in reward.terms}
        self._kept = {**dict.fromkeys(before, 0.0), **weights}
        self._rebuild()
        for key, field in self.weights.items():
            field.set_value(weights.get(key, 0.0))
        told = [f"“{term.title}” came with the run, and can be weighted above." for term in came]
        for term in self._made.values():
            if before.get(term.key) and not weights.get(term.key):
                told.append(f"Your own “{term.title}” is still there, now with weight 0.")
        return " ".join(told)

    def set_model(self, model: RewardModel) -> None:
        """A reward model was trained: it takes the place of the one before."""
        self._trainings += 1
        self._made[PREFERENCES] = as_term(model, self._trainings)
        self._rebuild()

    def set_rubric(self, rubric: Rubric) -> None:
        """A rubric was chosen."""
        self._made[RUBRIC] = rubric.as_term()
        self._rebuild()

    def use_alone(self, key: str) -> None:
        """Make one term the whole reward, with weight 1; a key that no term has changes nothing."""
        if key in self.weights:
            for other, field in self.weights.items():
                field.set_value(float(other == key))

    def _rebuild(self) -> None:
        terms = (
            *self._verifiable,
            *(self._made[k] for k in (PREFERENCES, RUBRIC) if k in self._made),
            *self._came,
        )
        same = [t.key for t in terms] == [t.key for t in self._terms]
        self._terms = terms
        if same and self._row is not None:
            for term in terms:
                self._describe(self.weights[term.key], term)
            self._said()
            return
        if self._row is not None:
            self._row.setParent(None)
            self._row.deleteLater()
        self._row = row = FlowRow(self._rows)
        self.weights, self.makers = {}, {}
        self._head(row, "verifiable")
        for term in self._verifiable:
            self._add(row, term)
        for kind in (PREFERENCES, RUBRIC):
            self._head(row, kind)
            for term in self._came:
                if term.kind == kind:
                    self._add(row, term)
            if kind in self._made:
                self._add(row, self._made[kind])
            else:
                self._offer(row, kind)
        rows = self._rows.layout()
        assert rows is not None
        rows.addWidget(row)
        self._said()

    def _head(self, row: FlowRow, kind: str) -> None:
        label = plain_label(_HEADS[kind], row)
        theme.set_text_role(label, "strong")
        row.add(label)

    def _add(self, row: FlowRow, term: RewardTerm) -> None:
        field = NumberField(
            term.title, self._kept.get(term.key, 0.0), low=-100, high=100, step=0.1, parent=row
        )
        self._describe(field, term)
        field.value_changed.connect(self._weighted)
        self.weights[term.key] = field
        row.add(field)

    def _describe(self, field: NumberField, term: RewardTerm) -> None:
        field.explain(f"Weight of this term. {term.sentence} 0 leaves it out.")

    def _offer(self, row: FlowRow, kind: str) -> None:
        words, tip = _MISSING[kind]
        button = QPushButton(words, row)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        button.setProperty("page", kind)
        button.clicked.connect(self._wish)
        self.makers[kind] = button
        row.add(button)

    @Slot()
    def _wish(self) -> None:
        self.page_wished.emit(self.sender().property("page"))

    @Slot()
    def _weighted(self) -> None:
        self._kept.update({key: field.value() for key, field in self.weights.items()})
        self._said()

    def _said(self) -> None:
        self.formula.setText(f"Reward = {self.mix.words()}")
        self.changed.emit()
